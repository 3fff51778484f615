"""What the documentation shows as code: its blocks, and the commands in blocks and in running text."""

from __future__ import annotations

import itertools
import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = (
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "SECURITY.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docker" / "addon").glob("*.md")),
)

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")

PROGRAMS = re.compile(
    r"(wyoming-tts|(\./)?script/[\w-]+|docker(/\w+|-compose)?|(\S*/)?(pip|python)3?|pipx|uv|pytest|curl"
    r"|systemctl|systemd-analyze|journalctl|apt(-get)?|sudo|kill|killall|chown|cp|twine|git|ffmpeg|ss|npm|ray"
    r"|kubectl|haproxy)$"
)
"""First words by which running text is known to hold a command."""


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    page: str
    line: int
    section: str
    """The heading above it, of the second rank."""
    language: str
    text: str

    @property
    def place(self) -> str:
        """Where a reader finds it."""
        return f"{self.page}:{self.line}"

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is known by, as long as the section has one of its language."""
        return self.page, self.section, self.language


@dataclass(frozen=True)
class Command:
    """A command, and where it was found first."""

    text: str
    place: str

    @property
    def words(self) -> list[str]:
        """As a shell divides them, behind the variables that it sets."""
        words = shlex.split(self.text, comments=True)
        return list(itertools.dropwhile(lambda word: re.match(r"[A-Z_]+=", word), words))


def pages() -> Iterator[tuple[str, str]]:
    """Names and texts."""
    for path in PAGES:
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def blocks() -> list[Block]:
    """Every fenced block."""
    found = []
    for page, text in pages():
        for match in _FENCE.finditer(text):
            titles = re.findall(r"^## (.+)$", text[: match.start()], re.MULTILINE)
            section = titles[-1] if titles else ""
            code = textwrap.dedent(match[3])
            found.append(Block(page, _line(text, match.start()), section, match[2], code))
    return found


def commands_in(block: Block) -> list[Command]:
    """The commands of a shell block, with what is continued behind a backslash.

    A remark that begins with "or: " is one, too; others are left out.
    """
    joined = re.sub(r"\\\n\s*", "", block.text)
    lines = [part for line in joined.splitlines() for part in re.split(r"\s+# or: ", line)]
    bare = (re.sub(r"(^|\s+)# .*$", "", line).strip() for line in lines)
    return [Command(line, block.place) for line in bare if line]


def without_code(text: str) -> str:
    """A page's running text, without blocks and code."""
    return _SPAN.sub("", _FENCE.sub("", text))


def spans() -> list[Command]:
    """Code in running text, whether or not it is a command."""
    found = []
    for page, text in pages():
        bare = _FENCE.sub(lambda match: "\n" * match[0].count("\n"), text)
        for match in _SPAN.finditer(bare):
            code = " ".join(match[1].split()).replace("\\|", "|")
            found.append(Command(code, f"{page}:{_line(bare, match.start())}"))
    return found


def commands() -> list[Command]:
    """Every command once: those of shell blocks, and code in running text that begins with a program."""
    found = [command for block in blocks() if block.language == "sh" for command in commands_in(block)]
    for span in spans():
        program, _, rest = span.text.partition(" ")
        if rest and PROGRAMS.match(program):
            found.append(span)
    first: dict[str, Command] = {}
    for command in found:
        first.setdefault(command.text, command)
    return list(first.values())
