"""Every command and file that the documentation shows works: it is tried here, or by the test named here."""

from __future__ import annotations

import argparse
import asyncio
import configparser
import contextlib
import importlib
import itertools
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from dockerfile import read_stages

from tests.documents import ROOT, Block, Command, blocks, commands, pages, spans, without_code
from tests.http import decoded
from tests.test_app import PATIENCE, Server, free_port, listening, running
from wyoming_tts.chain import backend_types
from wyoming_tts.cli import COMMANDS, main
from wyoming_tts.client import WyomingTtsClient
from wyoming_tts.config_load import load_settings, settings_table
from wyoming_tts.errors import WyomingTtsError
from wyoming_tts.voices import load_catalogue

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
UNIT = ROOT / "docker/systemd/wyoming-tts.service"
VOICES = {voice.name for voice in load_catalogue().voices()}

WHAT_TO_DO = """
{place}: {what} is tried by no test.

Everything that the documentation shows as code has to be tried. Add it to {table} in tests/test_docs.py: with
a function that runs it, or, where a test cannot, with the test or the script that does.
"""


@dataclass(frozen=True)
class Stand:
    """Where commands are run: a folder with nothing in it but them, and a server."""

    folder: Path
    server: Server
    http: str

    @property
    def environment(self) -> dict[str, str]:
        """As a user has it who has installed the package, with the server where it is."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("WYOMING_TTS_")},
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": f"{self.folder / 'lib'}:{ROOT}",
            "WYOMING_TTS_DATA_DIR": str(self.folder / "data"),
            "WYOMING_TTS_OFFLINE": "true",
            "WYOMING_TTS_ZEROCONF": "false",
            "WYOMING_TTS_URI": self.server.uri,
            "WYOMING_TTS_HTTP_URI": self.http,
            "SERVER": self.server.uri,
        }

    def moved(self, text: str) -> str:
        """A command as it is written, but for places that may be in use on the machine of the test."""
        text = text.replace("http://127.0.0.1:8880", self.http).replace(
            "unix:///run/", f"unix://{self.folder}/"
        )
        text = re.sub(r"(?<=:)10200\b", lambda _: str(free_port()), text)
        return re.sub(r"^script/run\b", "wyoming-tts", text)

    def shell(self, text: str) -> subprocess.CompletedProcess[bytes]:
        """Run it; it has to succeed."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", self.moved(text)],
            cwd=self.folder / "here",
            env=self.environment,
            input=b"It is 7:05 PM.\n",
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout.decode()}\n{done.stderr.decode()}"
        return done


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


Way = Callable[[Command, Stand], Any]
"""Runs a command, or says that it is run elsewhere; raises when it is wrong."""


def seconds_of(path: Path) -> float:
    return len(decoded(path.read_bytes())) / 24_000


def client(command: Command, stand: Stand) -> None:
    """A client of the server, or what needs none: run as it is written, with what it writes looked at."""
    if "ffmpeg" in command.words and shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    words = command.words
    played = stand.folder / "played"
    played.unlink(missing_ok=True)
    text = 'script/run say "Hello."' if "ARGUMENTS" in words else command.text
    done = stand.shell(text)
    made = [stand.folder / "here" / word for word in words if re.search(r"\.(wav|mp3)$", word)]
    for path in made:
        assert seconds_of(path) > 0.5
    if "say" in text.split() and not made:
        assert played.stat().st_size > 24_000
    elif not made:
        assert done.stdout.strip()


async def serving(command: Command, stand: Stand) -> None:
    """A server: it comes up where it is told to, answers, and ends when it is asked to."""
    words = shlex.split(stand.moved(command.text))
    own = dict(itertools.pairwise(words)).get("--uri", "")
    if "[::1]" in own:
        with contextlib.closing(socket.socket(socket.AF_INET6)) as sock:
            try:
                sock.bind(("::1", 0))
            except OSError:
                pytest.skip("this machine has no IPv6")
    uri = own or f"tcp://127.0.0.1:{free_port()}"
    environment = stand.environment | {
        "WYOMING_TTS_URI": uri, "WYOMING_TTS_HTTP": "false",
        "WYOMING_TTS_CHAIN": "kokoro,espeak" if "--voice" in words else "espeak",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *words, cwd=stand.folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE):
            if uri.startswith("stdio"):
                answer, _ = await process.communicate(b'{"type": "describe"}\n')
                assert json.loads(answer.partition(b"\n")[0])["type"] == "info"
            else:
                while not await answers(uri):
                    assert process.returncode is None
                    await asyncio.sleep(0.1)
                process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def answers(uri: str) -> bool:
    try:
        return bool((await WyomingTtsClient(uri).info()).tts)
    except WyomingTtsError:
        return False


def curl(command: Command, stand: Stand) -> None:
    """As it is written; what it fetches is speech."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    words = command.words
    stand.shell(f"{command.text} --silent --show-error --fail")
    assert seconds_of(stand.folder / "here" / words[words.index("-o") + 1]) > 1


class Parsed(Exception):
    """A program has read its arguments, and would begin now."""


def parsed(module: str, arguments: Sequence[str]) -> None:
    """Let a module read its arguments; nothing more of it runs."""
    made = importlib.import_module(module)
    source = Path(made.__file__ or "").read_text(encoding="utf-8")
    if "ArgumentParser" not in source:
        assert not arguments, f"{module} takes no arguments"
        assert callable(made.main)
        return
    read = argparse.ArgumentParser.parse_args

    def stop(parser: argparse.ArgumentParser, *given: Any) -> Any:
        read(parser, *given)
        raise Parsed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", stop)
        patch.setattr(sys, "argv", [module, *arguments])
        with pytest.raises(Parsed):
            made.main()


def measurement(command: Command, stand: Stand) -> None:
    """What takes minutes or hours: its options are those that it takes."""
    words = command.words
    if words[0] == "script/bench":
        module, arguments = "tests.benchmarks.__main__", words[1:]
    else:
        assert words[1] == "-m"
        module, arguments = words[2], words[3:]
    parsed(module, arguments)


def script(command: Command, stand: Stand) -> None:
    """A script whose own work is for other machines or other hours: its options are those that it takes."""
    path, *arguments = command.words
    assert os.access(ROOT / path, os.X_OK)
    if path == "script/setup":
        assert set(arguments) <= set(PROJECT["optional-dependencies"])
    elif path == "docker/prove":
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(stand.folder / "lib"))
            shutil.copy(ROOT / path, stand.folder / "lib" / "prove.py")
            parsed("prove", arguments)
    else:
        assert not arguments, f"say in tests/test_docs.py how {path} reads its arguments"


def chosen_tests(command: Command, stand: Stand) -> None:
    """The files are there, and have a test that is meant."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("paths", nargs="*")
    parser.add_argument("-k", default="")
    for flag in ("-s", "-x", "-q"):
        parser.add_argument(flag, action="store_true")
    asked = parser.parse_args(command.words[1:])
    for path in asked.paths:
        exists(path)
        assert asked.k in " ".join(re.findall(r"def (test_\w+)", read(path.partition("::")[0])))


def packages(command: Command, stand: Stand) -> None:
    """An installation from this folder: its extras are there, and script/package tries the wheel."""
    (source,) = [word for word in command.words if word.startswith(".[")]
    assert set(source[2:-1].split(",")) <= set(PROJECT["optional-dependencies"])
    exists("tests/test_packaging.py::test_the_wheel_has_all_of_the_package", "script/package", "docker/prove")
    assert "Path(wyoming_tts.__file__)" in read("script/package")


def other_package(command: Command, stand: Stand) -> None:
    """What is taken away is a dependency; what is put in its place is what the images install."""
    name = command.words[-1]
    if "uninstall" in command.words:
        assert any(re.match(rf"{name}\b", dependency) for dependency in PROJECT["dependencies"])
    else:
        locks = [path.read_text(encoding="utf-8") for path in (ROOT / "docker").glob("requirements-*.lock")]
        assert any(f"\n{name}==" in lock for lock in locks)
        exists("tests/test_packaging.py::test_a_lock_has_what_the_project_asks_for")


def unit(command: Command, stand: Stand) -> None:
    """The unit is where it is copied from, and runs what was installed; a test has systemd look at it."""
    exists("tests/test_packaging.py::test_the_unit_is_one")
    text = UNIT.read_text(encoding="utf-8")
    for word in command.words:
        if word.startswith("/opt/"):
            assert f"\nExecStart={'/'.join(word.split('/')[:3])}/bin/wyoming-tts\n" in text
        elif word.startswith("docker/"):
            assert ROOT / word == UNIT
    if command.words[0] == "systemctl":
        assert command.words[-1] in ("UNIT", UNIT.stem)


def image(command: Command, stand: Stand) -> None:
    """The Dockerfile has what is asked for; docker/prove makes it without Docker."""
    exists("docker/prove", "tests/test_packaging.py::test_stages_stand_on_what_there_is")
    parser = argparse.ArgumentParser(exit_on_error=False)
    for flag in ("-f", "-t", "--build-arg", "--target", "--platform"):
        parser.add_argument(flag)
    parser.add_argument("folder")
    asked = parser.parse_args(command.words[command.words.index("build") + 1 :])
    stages = {stage.name: stage for stage in read_stages(ROOT / asked.f)}
    assert asked.folder == "."
    assert asked.target is None or asked.target in stages
    if asked.build_arg:
        name, _, variant = asked.build_arg.partition("=")
        assert any(name in step.pairs for stage in stages.values() for step in stage.all("ARG"))
        assert (ROOT / f"docker/requirements-{variant}.lock").exists()
    assert set((asked.platform or "linux/amd64").split(",")) <= {"linux/amd64", "linux/arm64"}


def compose(command: Command, stand: Stand) -> None:
    """The files are there and fit each other; Docker Compose says so itself where it is installed."""
    exists("tests/test_packaging.py::test_a_compose_file_sets_settings")
    files = [word for before, word in itertools.pairwise(command.words) if before == "-f"]
    assert files
    assert all((ROOT / path).exists() for path in files)
    assert command.words[2 + 2 * len(files) :] == ["up", "-d"]
    if found := composer():
        flags = [word for path in files for word in ("-f", path)]
        subprocess.run([*found, *flags, "config", "--quiet"], cwd=ROOT, check=True, timeout=60)


@cache
def composer() -> tuple[str, ...]:
    """Docker Compose, the second one, as it can be called; nothing where it is not installed."""
    for found in (("docker", "compose"), ("docker-compose",)):
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            done = subprocess.run(
                [*found, "version", "--short"], capture_output=True, text=True, check=True, timeout=60
            )
            if done.stdout.removeprefix("v").startswith(("2.", "3.", "4.", "5.")):
                return found
    return ()


def printed_table(command: Command, stand: Stand) -> None:
    """Prints the table of settings."""
    text = command.text.replace(".venv/bin/python", shlex.quote(sys.executable), 1)
    assert stand.shell(text).stdout.decode().strip() == settings_table().strip()


def in_the_container(command: Command, stand: Stand) -> None:
    """What is run in a container is a command here, too."""
    words = command.words[command.words.index("CONTAINER") + 1 :]
    text = shlex.join(words).replace("/tmp/", "")
    client(Command(text, command.place), stand)


def image_user(command: Command, stand: Stand) -> None:
    """The number is that of the image's user."""
    users = {step.value for stage in read_stages(ROOT / "docker/Dockerfile") for step in stage.all("USER")}
    assert command.words[1] in users


def elsewhere(*where: str) -> Way:
    """Run by these tests and scripts, which are there."""

    def way(command: Command, stand: Stand) -> None:
        exists(*where)

    return way


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def exists(*where: str) -> None:
    """These tests and scripts are there."""
    for one in where:
        path, _, name = one.partition("::")
        assert not name or re.search(rf"^(async )?def {name}\(", read(path), re.MULTILINE), one
        assert (ROOT / path).exists(), one


WAYS: Sequence[tuple[str, Way]] = (
    (r"script/run( .*)?", elsewhere("docker/prove")),
    (r"script/run say .*|.* ARGUMENTS", client),
    (rf"(.* \| )?wyoming-tts ({'|'.join(COMMANDS)})\b.*", client),
    (r"wyoming-tts( --.*)?", serving),
    (r"curl .*", curl),
    (r"script/bench .*|python -m tests\..*", measurement),
    (r"script/(setup|calibrate-voices) .*|docker/prove .*", script),
    (r"(pytest|script/test) .*", chosen_tests),
    (r"\.venv/bin/python -c .*settings_table.*", printed_table),
    (r"pipx install '\.\[.*|uv tool install '\.\[.*|pip install '\.\[.*", packages),
    (r"(\S*/)?pip (un)?install [a-z-]+", other_package),
    (r"python3 -m venv /opt/.*|cp docker/systemd/.*|/opt/\S*/pip install .*", unit),
    (r"systemctl .*|systemd-analyze .*", unit),
    (r"docker (buildx )?build .*", image),
    (r"docker compose .*", compose),
    (r"docker exec CONTAINER .*", in_the_container),
    (r"chown 10200:10200 .*", image_user),
    (r"kill -USR1 PID", elsewhere("tests/test_logs.py::test_a_server_that_logs_json")),
    (r"kill -9", elsewhere("tests/test_faults.py")),
    (r"twine (check --strict|upload dist/\*)", elsewhere("script/package")),
    (r"pip check|git clone", elsewhere("docker/prove")),
    (r"apt install libportaudio2", elsewhere("tests/test_playback.py")),
)  # fmt: skip
"""How each command is tried; all whose pattern fits it do."""


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.text[:60])
async def test_a_command_works(command: Command, stand: Stand) -> None:
    """It does what it says when it is run, or is run by a test or a script that is there."""
    ways = [way for pattern, way in WAYS if re.fullmatch(pattern, command.text)]
    assert ways, WHAT_TO_DO.format(place=command.place, what=f"the command `{command.text}`", table="WAYS")
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
    assert number < len(ways), WHAT_TO_DO.format(place=block.place, what=what, table="FILES")
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
