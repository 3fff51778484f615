"""Reads a Dockerfile: the part of the language that this project's files use, and an error for any other."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

KNOWN = frozenset(
    [
        "ARG",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "RUN",
        "USER",
        "VOLUME",
        "WORKDIR",
    ]
)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, its lines joined."""

    line: int
    """Where it begins."""

    keyword: str
    """In capitals."""

    flags: dict[str, str]
    """`--from=build` and so on."""

    value: str
    """What follows."""

    @property
    def words(self) -> list[str]:
        """The value as a shell would divide it."""
        return shlex.split(self.value)

    @property
    def pairs(self) -> dict[str, str]:
        """The value of ARG, ENV and LABEL."""
        return {name: value for name, _, value in (word.partition("=") for word in self.words)}


@dataclass(slots=True)
class Stage:
    """What begins with a FROM."""

    base: str
    """An image, or a stage before it."""

    name: str
    """What others call it."""

    instructions: list[Instruction] = field(default_factory=list)
    """In their order, without the FROM."""

    def all(self, keyword: str) -> list[Instruction]:
        """Those of a kind."""
        return [instruction for instruction in self.instructions if instruction.keyword == keyword]


def read_stages(path: Path) -> list[Stage]:
    """The stages of a Dockerfile. Raises ValueError for what is not understood."""
    stages: list[Stage] = []
    for instruction in _instructions(path.read_text(encoding="utf-8")):
        if instruction.keyword == "FROM":
            base, _, name = instruction.value.partition(" AS ")
            stages.append(Stage(base.strip(), name.strip() or str(len(stages))))
        elif stages:
            stages[-1].instructions.append(instruction)
        else:
            raise ValueError(f"line {instruction.line}: {instruction.keyword} before the first FROM")
    return stages


def _instructions(text: str) -> list[Instruction]:
    found = []
    lines = enumerate(text.splitlines(), 1)
    for number, line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        whole = line.strip()
        while whole.endswith("\\"):
            _, more = next(lines)
            if not more.lstrip().startswith("#"):
                whole = f"{whole[:-1].rstrip()} {more.strip()}"
        keyword, _, rest = whole.partition(" ")
        flags = {}
        while flag := re.match(r"--([a-z-]+)=(\S+)\s+", rest):
            flags[flag[1]] = flag[2]
            rest = rest[flag.end() :]
        if keyword not in KNOWN:
            raise ValueError(f"line {number}: {keyword} is not understood")
        found.append(Instruction(number, keyword, flags, rest))
    return found
