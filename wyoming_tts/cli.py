"""The command line: `wyoming-tts` serves; `say`, `voices` and `info` are clients of a server.

Exit statuses: 0 done, 1 the request or the connection failed, 2 wrong usage or setting, 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import (
    AsyncIterable,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from wyoming.audio import AudioChunk
from wyoming.info import Info, TtsProgram, TtsVoice

from wyoming_tts.cli_costs import add_costs_flags, costs
from wyoming_tts.cli_streams import Meter, prefetched, read_text
from wyoming_tts.client import WyomingTtsClient
from wyoming_tts.config_load import Parser, did_you_mean, load_settings
from wyoming_tts.discovery import discover
from wyoming_tts.errors import (
    BackendError,
    BackendUnavailableError,
    ConfigError,
    WyomingTtsError,
)
from wyoming_tts.logs import kept
from wyoming_tts.playback import Sink, open_sink
from wyoming_tts.types import MAX_SPEED, MIN_SPEED, VoiceQuery
from wyoming_tts.zeroconf import PROGRAM

LOCAL_URI = "tcp://localhost:10200"
PROBE_TIMEOUT = 2.0
"""Seconds that a server which nobody named may take to say what it is."""
DISCOVERY_TIMEOUT = 2.5
"""Seconds to look for servers: an answer may be held back for more than one."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: the process's own) and return the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(arguments)
    except WyomingTtsError as error:
        print(f"wyoming-tts: {error}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        with contextlib.suppress(OSError, ValueError):  # else the interpreter complains when it flushes
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"wyoming-tts: {error}", file=sys.stderr)
        return 1


def _run(arguments: list[str]) -> int:
    command = arguments[0] if arguments else "-"
    if command in COMMANDS:
        return _run_command(command, arguments[1:])
    if not command.startswith("-"):
        raise ConfigError(f"{command} is no command{did_you_mean(command, COMMANDS) or _commands()}")
    return _serve(arguments)


def _commands() -> str:
    return f"; there are {', '.join(COMMANDS)}, and without a command a server starts"


def _serve(arguments: Sequence[str]) -> int:
    commands = "\n".join(f"  wyoming-tts {name:11}{kind.description}" for name, kind in COMMANDS.items())
    with kept() as earlier:
        settings = load_settings(arguments, epilog=f"commands (each has its own --help):\n{commands}")
    from wyoming_tts.app import run  # loads the whole server

    return run(settings, earlier)


def _run_command(command: str, arguments: Sequence[str]) -> int:
    kind = COMMANDS[command]
    parser = Parser(prog=f"wyoming-tts {command}", description=kind.description, allow_abbrev=False)
    if kind.asks_server:
        parser.add_argument(
            "--uri", help=f"server to ask (default: {LOCAL_URI}, else one found in the network)"
        )
        parser.add_argument(
            "--timeout", type=_seconds, default=120.0, help="seconds of silence to bear (default: 120)"
        )
    parser.add_argument("--debug", action="store_true", help="log what happens")
    kind.add_flags(parser)
    options, rest = parser.parse_known_args(arguments)
    if kind.takes_settings:
        options.server_flags = rest
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    logging.basicConfig(level=logging.DEBUG if options.debug else logging.CRITICAL)
    return asyncio.run(kind.run(options)) or 0


async def _client(options: argparse.Namespace) -> WyomingTtsClient:
    return WyomingTtsClient(options.uri or await find_server(), timeout=options.timeout)


async def find_server(local: str = LOCAL_URI, search: Callable[..., Any] = discover) -> str:
    """URI of a server that speaks: on this machine, else in the network, ours before others.

    Raises BackendUnavailableError when there is none.
    """
    if await _speaks(local):
        return local
    found = await search(DISCOVERY_TIMEOUT, until=lambda server: server.program == PROGRAM)
    for server in sorted(found, key=lambda server: server.program != PROGRAM):
        for uri in server.uris:
            if await _speaks(uri):
                print(f"using {server.name} at {uri} (--uri chooses another)", file=sys.stderr)
                return str(uri)
    raise BackendUnavailableError(
        f"no server: nothing speaks at {local} and none is announced in the network; "
        "start one with `wyoming-tts` (in a clone: script/run) or name it with --uri tcp://HOST:PORT"
    )


async def _speaks(uri: str) -> bool:
    try:
        info = await WyomingTtsClient(uri, connect_timeout=PROBE_TIMEOUT, timeout=PROBE_TIMEOUT).info()
    except WyomingTtsError:
        return False
    return any(program.installed for program in info.tts)


def _add_say_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", nargs="*", help="what to say; none or - reads standard input as it comes")
    parser.add_argument("--voice", metavar="NAME", help="name of a voice, see `wyoming-tts voices`")
    parser.add_argument("--language", metavar="TAG", help="language to find a voice for, such as en-GB")
    parser.add_argument(
        "--speed", type=_speed, help=f"pace, {MIN_SPEED} to {MAX_SPEED}; 1 is the voice's own"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write a WAV file, or to standard output with -"
    )
    parser.add_argument("--raw", action="store_true", help="write samples without a WAV header")


async def _say(options: argparse.Namespace) -> None:
    text = " ".join(options.text)
    sink = open_sink(options.output, sys.stdout.buffer, raw=options.raw)
    client = await _client(options)
    typed = text in ("", "-") and sys.stdin.isatty()
    if typed:
        print("Type what to say; Ctrl-D ends.", file=sys.stderr)
    with Meter(show=sys.stderr.isatty() and not typed) as meter:
        source = meter.text(read_text(sys.stdin.fileno())) if text in ("", "-") else text
        voice = VoiceQuery(name=options.voice, language=options.language)
        speech = client.speak(source, voice=voice, speed=options.speed)
        async with contextlib.aclosing(prefetched(meter.audio(speech))) as chunks:
            await _fill(sink, chunks)
    print(meter.summary(), file=sys.stderr)


async def _fill(sink: Sink, chunks: AsyncIterable[AudioChunk]) -> None:
    is_open = False
    try:
        async for chunk in chunks:
            if not is_open:
                sink.open(chunk)
                is_open = True
            await asyncio.to_thread(sink.write, chunk.audio)
        if not is_open:
            raise BackendError("the server sent no audio")
        await asyncio.to_thread(sink.finish)
    except BaseException:
        sink.abort()
        raise


def _add_voices_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--language", metavar="TAG", help="only voices of this language, such as en or pt-BR")
    parser.add_argument("--json", action="store_true", help="for programs")


async def _voices(options: argparse.Namespace) -> None:
    program = _program(await (await _client(options)).info())
    voices = [voice for voice in program.voices if _has_language(voice, options.language)]
    if not voices:
        known = sorted({language for voice in program.voices for language in voice.languages})
        raise BackendError(
            f"no voice for {options.language or 'any language'}; there is {', '.join(known) or 'none'}"
        )
    if options.json:
        print(json.dumps([voice.to_dict() for voice in voices], ensure_ascii=False, indent=2))
        return
    rows = [(voice.name, ",".join(voice.languages), voice.description or "") for voice in voices]
    print(_table([("NAME", "LANGUAGE", "DESCRIPTION"), *rows]))


def _has_language(voice: TtsVoice, wanted: str | None) -> bool:
    def parts(tag: str) -> list[str]:
        return tag.lower().replace("_", "-").split("-")

    want = parts(wanted) if wanted else []
    return not want or any(parts(language)[: len(want)] == want for language in voice.languages)


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _add_info_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs: everything that the server says")


async def _info(options: argparse.Namespace) -> None:
    client = await _client(options)
    info = await client.info()
    if options.json:
        print(json.dumps(info.event().data, ensure_ascii=False, indent=2))
        return
    print(_table([*_describe(client.uri, _program(info))]))


def _describe(uri: str, program: TtsProgram) -> Iterable[tuple[str, str]]:
    languages = sorted({language for voice in program.voices for language in voice.languages})
    yield "server", uri
    yield "program", f"{program.name} {program.version or ''}".rstrip()
    yield "description", program.description or ""
    yield "made by", f"{program.attribution.name}, {program.attribution.url}"
    yield "text streaming", "yes" if program.supports_synthesize_streaming else "no"
    yield "voices", str(len(program.voices))
    yield "languages", ", ".join(languages)


def _program(info: Info) -> TtsProgram:
    """The program that a client gets when it selects none."""
    for program in info.tts:
        if program.installed:
            return program
    raise BackendError("this server does not speak: it offers no text-to-speech program")


def _speed(text: str) -> float:
    speed = _number(text)
    if not MIN_SPEED <= speed <= MAX_SPEED:
        raise argparse.ArgumentTypeError(f"{text!r} is wrong, it should be from {MIN_SPEED} to {MAX_SPEED}")
    return speed


def _seconds(text: str) -> float:
    seconds = _number(text)
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is wrong, it should be more than 0")
    return seconds


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is wrong, it should be a number") from None


@dataclass(frozen=True, slots=True)
class Command:
    """A command other than to serve."""

    description: str
    """What `--help` says."""

    add_flags: Callable[[argparse.ArgumentParser], None]
    """Declares its own flags."""

    run: Callable[[argparse.Namespace], Coroutine[Any, Any, int | None]]
    """Does it and gives the exit status, none is 0; raises WyomingTtsError when it fails."""

    asks_server: bool = True
    """Whether it is a client of a server that runs."""

    takes_settings: bool = False
    """Whether it takes the server's flags, too; they are in `server_flags` then."""


def _add_normalise_flags(parser: argparse.ArgumentParser) -> None:
    from wyoming_tts import cli_normalise

    cli_normalise.add_flags(parser)


async def _normalise(options: argparse.Namespace) -> None:
    from wyoming_tts import cli_normalise  # loads the text side

    await cli_normalise.run(options)


def _add_doctor_flags(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "All flags of the server are taken, too, and its variables and file: see wyoming-tts --help."
    )
    parser.add_argument("--json", action="store_true", help="print JSON, an object for each check")
    parser.add_argument(
        "--limit",
        type=_seconds,
        metavar="SECONDS",
        help="most time for one check (default: each has its own)",
    )


async def _doctor(options: argparse.Namespace) -> int:
    from wyoming_tts import cli_doctor  # loads the whole server

    return await cli_doctor.run(options)


COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        "say": Command("Speak a text, or what comes on standard input.", _add_say_flags, _say),
        "voices": Command("List the voices of a server.", _add_voices_flags, _voices),
        "info": Command("Show what a server says about itself.", _add_info_flags, _info),
        "costs": Command(
            "Show what paid services have cost; needs no server.", add_costs_flags, costs, asks_server=False
        ),
        "normalise": Command(
            "Show how a text is read out, stage by stage; needs no server.",
            _add_normalise_flags,
            _normalise,
            asks_server=False,
        ),
        "doctor": Command(
            "Look at everything that a server needs, and say what to do.",
            _add_doctor_flags,
            _doctor,
            asks_server=False,
            takes_settings=True,
        ),
    }
)
