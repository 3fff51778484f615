"""How each command of the documentation is tried: run, or looked at and run by a test that is named."""

from __future__ import annotations

import argparse
import asyncio
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
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from dockerfile import read_stages

from tests.documents import ROOT, Command
from tests.documents_stand import UNIT, Stand, exists, read, seconds_of
from tests.test_app import PATIENCE, free_port
from wyoming_tts.cli import COMMANDS
from wyoming_tts.client import WyomingTtsClient
from wyoming_tts.config_load import settings_table
from wyoming_tts.errors import WyomingTtsError

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


Way = Callable[[Command, Stand], Any]
"""Runs a command, or says that it is run elsewhere; raises when it is wrong."""


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
        module, arguments = "tests.benchmarks", words[1:]
    else:
        assert words[1] == "-m"
        module, arguments = words[2], words[3:]
    if (ROOT / module.replace(".", "/")).is_dir():
        module += ".__main__"
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
        assert not arguments, f"say in tests/documents_commands.py how {path} reads its arguments"


def chosen_tests(command: Command, stand: Stand) -> None:
    """The files are there, and have a test that is meant."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("paths", nargs="*")
    parser.add_argument("-k", default="")
    for flag in ("-s", "-x", "-q"):
        parser.add_argument(flag, action="store_true")
    words = command.words
    asked = parser.parse_args(words[words.index("pytest") + 1 :] if "pytest" in words else words[1:])
    for path in asked.paths:
        exists(path)
        names = " ".join(re.findall(r"def (test_\w+)", read(path.partition("::")[0])))
        assert any(word in names for word in asked.k.split(" or "))


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


WAYS: Sequence[tuple[str, Way]] = (
    (r"script/run( .*)?", elsewhere("docker/prove")),
    (r"script/run say .*|.* ARGUMENTS", client),
    (rf"(.* \| )?wyoming-tts ({'|'.join(COMMANDS)})\b.*", client),
    (r"wyoming-tts( --.*)?", serving),
    (r"curl .*", curl),
    (r"script/bench .*|python -m tests\..*", measurement),
    (r"script/(setup|calibrate-voices) .*|docker/prove .*", script),
    (r"([A-Z_]+=\S+ )?(python -m )?(pytest|script/test) .*", chosen_tests),
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
