"""Every command and file that the documentation shows works: it is tried here, or by the test named here."""

from __future__ import annotations

import asyncio
import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import yaml

from tests.documents import ROOT, Block, Command, blocks, commands, pages, spans, without_code
from tests.documents_commands import WAYS, parsed
from tests.documents_stand import UNIT, Stand, exists, seconds_of
from tests.test_app import free_port, listening, running
from wyoming_tts.chain import backend_types
from wyoming_tts.cli import COMMANDS, main
from wyoming_tts.config_load import load_settings
from wyoming_tts.voices import load_catalogue

VOICES = {voice.name for voice in load_catalogue().voices()}

WHAT_TO_DO = """
{place}: {what} is tried by no test.

Everything that the documentation shows as code has to be tried. Add it to {table} in {file}: with
a function that runs it, or, where a test cannot, with the test or the script that does.
"""


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory, model_data: Path) -> Iterator[Stand]:
    """With the real model; what is played goes to a player that writes it down."""
    folder = tmp_path_factory.mktemp("docs")
    for name in ("bin", "lib", "here", "data"):
        (folder / name).mkdir()
    (folder / "data/prepared").symlink_to(model_data / "prepared")
    python = f"exec {shlex.quote(sys.executable)} -m wyoming_tts"
    asking = f'command=$1; shift; {python} "$command" --uri "$SERVER" "$@"'
    program(folder / "bin/wyoming-tts", f'case "$1" in say|voices|info) {asking} ;; esac\n{python} "$@"')
    for player in ("paplay", "aplay"):
        program(folder / "bin" / player, f"exec cat >{folder}/played")
    program(folder / "bin/a-program-that-writes-slowly", "echo 'One moment.'; sleep 0.2; echo 'Here it is.'")
    (folder / "lib/sounddevice.py").write_text("raise OSError('no loudspeaker in tests')\n")
    (folder / "here/story.txt").write_text("It was a dark night. Nobody was there.\n")
    (folder / "here/sentences.txt").write_text("Il est 7h30.\nIl fait 21,5 °C.\n")
    http = f"http://127.0.0.1:{free_port()}"
    with running(folder, folder / "data", "--http-uri", http, "--log-format", "json") as server:
        yield Stand(folder, listening(server), http)


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.text[:60])
async def test_a_command_works(command: Command, stand: Stand) -> None:
    """It does what it says when it is run, or is run by a test or a script that is there."""
    ways = [way for pattern, way in WAYS if re.fullmatch(pattern, command.text)]
    assert ways, WHAT_TO_DO.format(
        place=command.place,
        what=f"the command `{command.text}`",
        table="WAYS",
        file="tests/documents_commands.py",
    )
    for way in ways:
        running_way = way(command, stand)
        if asyncio.iscoroutine(running_way):
            await running_way


def test_no_way_is_left_over() -> None:
    """Each way is that of a command."""
    for pattern, _ in WAYS:
        assert any(re.fullmatch(pattern, command.text) for command in commands()), pattern


def openai_example(block: Block, stand: Stand) -> None:
    """Runs as it is, against the server."""
    import httpx

    source = stand.moved(block.text)
    assert stand.http in source
    before = Path.cwd()
    os.chdir(stand.folder / "here")
    try:
        exec(compile(source, block.place, "exec"), {})
    finally:
        os.chdir(before)
    (name,) = re.findall(r'stream_to_file\("(.*)"\)', source)
    assert seconds_of(stand.folder / "here" / name) > 1
    assert httpx.get(f"{stand.http}/health").status_code == 200


def configuration(block: Block, stand: Stand) -> None:
    """Settings that are accepted; each backend is one, and its options are those that it has."""
    path = stand.folder / "config.toml"
    path.write_text(block.text, encoding="utf-8")
    settings = load_settings(["--config", str(path), "--data-dir", str(stand.folder)])
    types = backend_types()
    for name, options in settings.backends.items():
        own = {key: value for key, value in options.items() if key != "type"}
        types[options.get("type", name)].load().Options(**own)
        assert name in settings.chain
    inner = (options for options in settings.backends.values() if "inner" in options)
    for options in inner:
        types[options["inner"]].load().Options(**options.get("inner_options", {}))


def action(block: Block, stand: Stand) -> None:
    """What Home Assistant is told is YAML, with a voice that there is."""
    content = yaml.safe_load(block.text)
    assert isinstance(content, (dict, list))
    for name in re.findall(r"^\s*(?:tts_)?voice: *[\"']?(\w+)", block.text, re.MULTILINE):
        assert name in VOICES, name


def log_line(block: Block, stand: Stand) -> None:
    """The keys are those of a real line, in their order."""
    stand.shell('wyoming-tts say "This is logged." -o logged.wav')
    lines = [json.loads(line) for line in stand.server.log.read_text(encoding="utf-8").splitlines()]
    real = next(line for line in reversed(lines) if line.get("outcome") == "spoken")
    assert list(json.loads(block.text)) == list(real)


def drop_in(block: Block, stand: Stand) -> None:
    """systemd accepts it beside the unit."""
    parser = configparser.ConfigParser(strict=True)
    parser.read_string(block.text)
    assert parser.sections() == ["Service"]
    if shutil.which("systemd-analyze") is None:
        return
    unit_file = stand.folder / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    unit_file.write_text(re.sub(r"^ExecStart=.*$", "ExecStart=/bin/true", text, flags=re.MULTILINE))
    (stand.folder / f"{UNIT.name}.d").mkdir(exist_ok=True)
    (stand.folder / f"{UNIT.name}.d/override.conf").write_text(block.text)
    done = subprocess.run(
        ["systemd-analyze", "verify", unit_file], capture_output=True, text=True, check=True, timeout=60
    )
    assert "override.conf" not in done.stderr


def doctor_report(block: Block, stand: Stand) -> None:
    """Its checks are the doctor's, in the same order; what they found is of another machine."""
    shown = re.findall(r"^(?:ok|warning|failed) +(\w+(?: \w+)*?)  ", block.text, re.MULTILINE)
    done = stand.shell("wyoming-tts doctor")
    real = re.findall(r"^(?:ok|warning|failed) +(\w+(?: \w+)*?)  ", done.stdout.decode(), re.MULTILINE)
    both = [name for name in shown if not name.startswith("backend ")]
    assert both == [name for name in real if not name.startswith("backend ")]


def held_by(test: str) -> Callable[[Block, Stand], None]:
    """Tried by this test of the README, which is there."""

    def way(block: Block, stand: Stand) -> None:
        exists(f"tests/test_readme.py::{test}")

    return way


def picture(block: Block, stand: Stand) -> None:
    """For people: a drawing or a formula."""
    assert not re.search(r"^\s*(wyoming-tts|script/|docker) ", block.text, re.MULTILINE), "this is a command"


LIBRARY = held_by("test_the_examples_of_the_library_run")
FILES: Mapping[tuple[str, str, str], Sequence[Callable[[Block, Stand], None]]] = {
    ("README.md", "HTTP", "python"): [openai_example],
    ("README.md", "Voices of your own", "toml"): [held_by("test_the_example_of_own_voices_is_right")],
    ("README.md", "What is read out", "toml"): [held_by("test_the_lexicon_example_is_right")],
    ("README.md", "When something is wrong", "text"): [doctor_report],
    ("README.md", "Settings", "toml"): [held_by("test_the_toml_example_is_right")],
    ("README.md", "Never silent", "toml"): [held_by("test_the_example_of_a_chain_is_right")],
    ("README.md", "Plugins", "python"): [held_by("test_the_example_of_a_plugin_is_right")],
    ("README.md", "Plugins", "text"): [held_by("test_every_hook_is_in_the_picture_and_in_the_table")],
    ("README.md", "In a program or a notebook", "python"): [LIBRARY],
    ("docs/library.md", "Pipelines", "python"): [LIBRARY, LIBRARY],
    ("docs/reading.md", "Your own lexicon", "toml"): [held_by("test_the_lexicon_example_is_right")],
    ("docs/running.md", "Phrases that come again", "toml"): [held_by("test_the_example_of_warm_up_is_right")],
    ("docs/running.md", "The log", "json"): [log_line],
    ("docs/packaging.md", "systemd", "ini"): [drop_in],
    ("docs/sizing.md", "One server", "text"): [picture, picture],
    ("docs/sizing.md", "Many people", "text"): [picture],
}  # fmt: skip
"""How blocks that are no commands are tried: those of a language in a section, one after another."""

OTHERS: Mapping[str, Callable[[Block, Stand], None]] = {"yaml": action, "toml": configuration}
"""How those of a language are tried that stand in no section of `FILES`."""

BLOCKS = [block for block in blocks() if block.language != "sh"]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.section}, {block.language}")
def test_a_file_is_right(block: Block, stand: Stand) -> None:
    """What is shown of a file, a program or a printout is what the server takes or makes."""
    number = [other for other in BLOCKS if other.key == block.key].index(block)
    other = OTHERS.get(block.language)
    ways = FILES.get(block.key) or ([other] * (number + 1) if other else [])
    what = f"the block of {block.language or 'no language'} number {number + 1} of its section"
    assert number < len(ways), WHAT_TO_DO.format(
        place=block.place, what=what, table="FILES", file="tests/test_docs.py"
    )
    ways[number](block, stand)


def test_no_file_is_left_over() -> None:
    """Each way is that of a block."""
    for key, ways in FILES.items():
        assert len([block for block in BLOCKS if block.key == key]) == len(ways), key


def test_blocks_say_what_they_are() -> None:
    """No block is overlooked: each has a language, and none but fences begin with one."""
    for page, text in pages():
        assert len(re.findall(r"^ *(?:```|~~~)", text, re.MULTILINE)) == 2 * sum(
            block.page == page for block in blocks()
        ), page
    assert all(block.language for block in blocks())


def helps(capsys: pytest.CaptureFixture[str]) -> str:
    """What the server and all commands say of their flags."""
    text = ""
    for arguments in (["--help"], *([command, "--help"] for command in COMMANDS)):
        with pytest.raises(SystemExit):
            main(arguments)
        text += capsys.readouterr().out
    return text


def test_flags_are_flags(capsys: pytest.CaptureFixture[str]) -> None:
    """Each flag that is named in running text is one of the server, of a command, or of a measurement."""
    known = set(re.findall(r"--[a-z][\w-]+", helps(capsys)))
    for span in spans():
        if not span.text.startswith("--"):
            continue
        if re.match(r"--(quick|only) ", span.text):
            parsed("tests.benchmarks.__main__", span.words)
        elif span.text.startswith("--frames "):
            parsed("tests.fuzz.wire", span.words)
        else:
            assert set(re.findall(r"--[a-z][\w-]+", span.text)) <= known, (span.place, span.text)
            flag, *value = span.words
            if value and re.fullmatch(r"[a-z0-9:/.,]+", value[0]) and flag not in ("--stage", "--language"):
                load_settings([flag, *value])


def anchors(text: str) -> set[str]:
    """What a link may name behind `#`."""
    fenced = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", fenced, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links_lead_somewhere() -> None:
    """Every link to a file of the repository, and to a heading in it."""
    texts = dict(pages())
    for page, text in texts.items():
        for link in re.findall(r"\]\(([^)\s]+)\)", without_code(text)):
            if "://" in link:
                continue
            path, _, anchor = link.partition("#")
            target = (ROOT / page).parent / path if path else ROOT / page
            assert target.exists(), (page, link)
            if anchor:
                name = target.resolve().relative_to(ROOT.resolve()).as_posix()
                assert anchor in anchors(texts[name]), (page, link)


def test_named_files_are_there() -> None:
    """Every script, test, document and file of an image that is named."""
    for span in spans():
        if re.fullmatch(r"(script|docker|docs|tests|wyoming_tts)/[\w./-]+", span.text):
            assert (ROOT / span.text).exists(), (span.place, span.text)


def test_tables_are_no_hiding_place() -> None:
    """A command is shown in a block or as code: none stands bare behind a prompt."""
    for page, text in pages():
        assert not re.search(r"^\s*\$ ", text, re.MULTILINE), page
