from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import signal
import sys
import types
import wave

import pytest
from wyoming.error import Error
from wyoming.tts import SynthesizeStopped

from tests.fakes import SAMPLES_PER_CHARACTER, ScriptedBackend, serving
from tests.scripted_wyoming import CLOSE, Script, info, scripted, start, stop, tone
from wyoming_tts import __version__
from wyoming_tts.cli import COMMANDS, find_server, main
from wyoming_tts.discovery import DiscoveredServer
from wyoming_tts.errors import BackendUnavailableError

STOPPED = SynthesizeStopped().event()
SPEAKS: Script = {
    "describe": [info()],
    "synthesize": [start(), tone(100), tone(140), stop()],
    "synthesize-chunk": [start(), tone(120), stop()],
    "synthesize-stop": [STOPPED],
}
NOBODY = "tcp://127.0.0.1:9"


async def run(*argv: str) -> int:
    """The command line in a thread, while the server goes on in this one."""
    return await asyncio.to_thread(main, list(argv))


def frames(path) -> int:
    with wave.open(str(path)) as file:
        return file.getnframes()


@contextlib.contextmanager
def standard_input(monkeypatch, *pieces: bytes):
    """Standard input with these bytes; yields what writes more."""
    reading, writing = os.pipe()
    with open(reading, "rb") as file, open(writing, "wb", buffering=0) as more:
        for piece in pieces:
            more.write(piece)
        monkeypatch.setattr(sys, "stdin", file)
        yield more


def test_serving_is_the_default(monkeypatch):
    """Without a command, the flags are settings and the server's status is the exit status."""
    seen = []
    app = types.ModuleType("wyoming_tts.app")

    def serve(settings, earlier):
        seen.append(settings)
        return 7

    app.run = serve  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wyoming_tts.app", app)
    assert main(["--voice", "say", "--speed", "1.5"]) == 7
    assert main([]) == 7
    assert [settings.voice for settings in seen] == ["say", "af_heart"]


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--speed", "9"], "--speed: '9' is wrong"),
        (["--sped", "1"], "unrecognized arguments: --sped 1; see wyoming-tts --help"),
        (
            ["help"],
            "help is no command; there are say, voices, info, costs, normalise, doctor, and without",
        ),
        (["sai", "hello"], "sai is no command; did you mean say?"),
        (["say", "--speed", "9", "x"], "it should be from 0.5 to 2.0"),
        (["say", "--speed", "fast", "x"], "it should be a number"),
        (["say", "--timeout", "0", "x"], "it should be more than 0"),
        (["say", "--uri", "localhost", "-o", "x.wav", "x"], "tcp://HOST:PORT"),
        (["say", "-o", "/nowhere/x.wav", "x"], "there is no directory /nowhere"),
        (["voices", "--uri", "stdio://"], "tcp://HOST:PORT"),
        (["voices", "extra"], "extra; see wyoming-tts voices --help"),
        (["info", "--yaml"], "--yaml"),
    ],
)
def test_wrong_usage_is_status_2(argv, told, capsys):
    """What the user got wrong is told in one line on standard error, with exit status 2."""
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith("wyoming-tts: ")
    assert told in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("argv", [["--help"], *([command, "--help"] for command in COMMANDS), ["--version"]])
def test_help_is_status_0(argv, capsys):
    """Each command explains itself, and the server's help names the commands."""
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    for command in COMMANDS if argv == ["--help"] else argv[:1]:
        assert command.startswith("--") or f"wyoming-tts {command} " in shown
    assert argv != ["--version"] or shown == f"{__version__}\n"


@pytest.mark.parametrize("command", [["say", "-o", "-", "x"], ["voices"], ["info"]], ids=lambda argv: argv[0])
async def test_nobody_there_is_status_1(command, capsys):
    """A server that cannot be reached is a message with its address and exit status 1."""
    assert await run(*command, "--uri", NOBODY) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"wyoming-tts: no connection to {NOBODY}")


async def test_say_writes_a_file(tmp_path, capsys):
    """`say` writes a WAV file and tells the time to the first audio, the length and the factor."""
    async with scripted(SPEAKS) as server:
        argv = [
            "say",
            "Hello",
            "there.",
            "--voice",
            "af_heart",
            "--speed",
            "1.25",
            "-o",
            str(tmp_path / "a.wav"),
        ]
        assert await run(*argv, "--uri", server.uri) == 0
    assert frames(tmp_path / "a.wav") == 240
    wanted = {"text": "Hello there.", "voice": {"name": "af_heart"}, "context": {"speed": 1.25}}
    assert server.only("synthesize").data == wanted
    error = capsys.readouterr().err
    assert "first audio after 0." in error
    assert "0.01 s of audio, real-time factor " in error
    assert "\r" not in error


async def test_say_names_a_language(tmp_path):
    """`--language` alone leaves the choice of the voice to the server."""
    async with scripted(SPEAKS) as server:
        await run("say", "Oi.", "--language", "pt-BR", "-o", str(tmp_path / "a.wav"), "--uri", server.uri)
    assert server.only("synthesize").data["voice"] == {"language": "pt-BR"}


@pytest.mark.parametrize(("flags", "wanted"), [([], b"RIFF\xff\xff\xff\xffWAVE"), (["--raw"], b"\1\2")])
async def test_say_writes_to_standard_output(flags, wanted, capfdbinary, monkeypatch):
    """`-o -` is a WAV stream of unknown length on standard output, with --raw the samples alone."""
    out = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", out)
    async with scripted(SPEAKS) as server:
        assert await run("say", "Hi.", "-o", "-", *flags, "--uri", server.uri) == 0
    written = out.buffer.getvalue()
    assert written.startswith(wanted)
    assert len(written) == 480 + (0 if flags else 44)


@pytest.mark.parametrize("argv", [["say"], ["say", "-"]])
async def test_say_streams_standard_input(argv, tmp_path, monkeypatch):
    """Text from standard input is spoken as it arrives: the first audio comes before the second line."""
    async with scripted(SPEAKS) as server:
        with standard_input(monkeypatch, b"One.\n") as more:
            saying = asyncio.create_task(run(*argv, "-o", str(tmp_path / "a.wav"), "--uri", server.uri))
            while "synthesize-chunk" not in server.types():  # noqa: ASYNC110  # the server has no such event
                await asyncio.sleep(0.01)
            more.write("Zwölf.".encode())
            more.close()
            assert await saying == 0
    texts = [event.data["text"] for event in server.received if event.type == "synthesize-chunk"]
    assert texts == ["One.\n", "Zwölf."]
    assert frames(tmp_path / "a.wav") == 240


async def test_a_refusal_is_status_1_and_no_file(tmp_path, capsys):
    """An error of the server is its message with exit status 1, and half a file does not appear."""
    refusal = Error(text="no voice xy; did you mean af_xy?", code="unknown-voice").event()
    async with scripted({"synthesize": [start(), tone(), refusal, CLOSE]}) as server:
        assert await run("say", "Hi.", "-o", str(tmp_path / "a.wav"), "--uri", server.uri) == 1
    assert capsys.readouterr().err == "wyoming-tts: no voice xy; did you mean af_xy?\n"
    assert not os.listdir(tmp_path)


async def test_a_connection_that_breaks_is_status_1(tmp_path, capsys):
    """A server that hangs up in the middle is never taken for success."""
    async with scripted({"synthesize": [start(), tone(), CLOSE]}) as server:
        assert await run("say", "Hi.", "-o", str(tmp_path / "a.wav"), "--uri", server.uri) == 1
    assert "closed the connection" in capsys.readouterr().err
    assert not os.listdir(tmp_path)


async def test_no_audio_is_status_1(tmp_path, capsys):
    """A server that ends properly without a sample has not spoken."""
    async with scripted({"synthesize": [start(), stop()]}) as server:
        assert await run("say", "Hi.", "-o", str(tmp_path / "a.wav"), "--uri", server.uri) == 1
    assert "no audio" in capsys.readouterr().err


async def test_say_without_a_player_says_so_first(monkeypatch, capsys):
    """Without -o and sounddevice, the way out is told before a server is looked for."""
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setenv("PATH", "/nowhere")
    assert await run("say", "Hi.", "--uri", NOBODY) == 1
    assert "-o FILE.wav" in capsys.readouterr().err


async def test_voices_is_a_table(capsys):
    """`voices` shows name, language and description in columns."""
    async with scripted(SPEAKS) as server:
        assert await run("voices", "--uri", server.uri) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["NAME", "LANGUAGE", "DESCRIPTION"]
    assert lines[1] == "af_heart  en-US     Heart, US English, female"
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("language", "names"),
    [("en", ["af_heart", "bf_emma"]), ("EN_gb", ["bf_emma"]), ("pt", ["pf_dora"]), ("pt-BR", ["pf_dora"])],
)
async def test_voices_of_a_language(language, names, capsys):
    """`--language` takes a language or a region in any spelling; --json is for programs."""
    async with scripted(SPEAKS) as server:
        assert await run("voices", "--language", language, "--json", "--uri", server.uri) == 0
    assert [voice["name"] for voice in json.loads(capsys.readouterr().out)] == names


async def test_voices_of_a_language_that_is_missing(capsys):
    """A language without a voice is exit status 1 and the languages that there are."""
    async with scripted(SPEAKS) as server:
        assert await run("voices", "--language", "p", "--uri", server.uri) == 1
    assert "en-GB, en-US, pt-BR" in capsys.readouterr().err


async def test_info_is_readable(capsys):
    """`info` shows program, version, languages and whether text can be streamed."""
    async with scripted(SPEAKS) as server:
        assert await run("info", "--uri", server.uri) == 0
    shown = capsys.readouterr().out
    assert server.uri in shown
    assert "scripted 1.2.3" in shown
    assert "en-GB, en-US, pt-BR" in shown


async def test_info_for_programs(capsys):
    """`info --json` is all that the server says."""
    async with scripted(SPEAKS) as server:
        assert await run("info", "--json", "--uri", server.uri) == 0
    assert json.loads(capsys.readouterr().out)["tts"][0]["voices"][2]["name"] == "pf_dora"


async def test_a_server_that_does_not_speak(capsys):
    """A Wyoming server without an installed voice program is told apart."""
    async with scripted({"describe": [info(installed=False)]}) as server:
        assert await run("voices", "--uri", server.uri) == 1
    assert "does not speak" in capsys.readouterr().err


async def nothing(seconds, *, until):
    return []


async def test_a_server_on_this_machine_is_found_first():
    """A speaking server at the usual place is used without a search."""
    async with scripted(SPEAKS) as server:
        assert await find_server(server.uri, search=NotImplemented) == server.uri


async def test_a_server_in_the_network_is_found(capsys):
    """Without one here, the network is searched: ours first, addresses in turn, listeners left out."""
    async with (
        scripted(SPEAKS) as other,
        scripted(SPEAKS) as ours,
        scripted({"describe": [info(installed=False)]}) as deaf,
    ):
        found = [
            DiscoveredServer("a", (other.uri,)),
            DiscoveredServer("b", (deaf.uri,), "wyoming-tts"),
            DiscoveredServer("c", (NOBODY, ours.uri), "wyoming-tts"),
        ]

        async def search(seconds, *, until):
            assert [until(server) for server in found] == [False, True, True]
            return found

        assert await find_server(NOBODY, search=search) == ours.uri
    assert capsys.readouterr().err == f"using c at {ours.uri} (--uri chooses another)\n"


async def test_no_server_anywhere_says_what_to_do():
    """When nothing is found, the message says how to start a server and how to name one."""
    with pytest.raises(
        BackendUnavailableError, match=r"start one with `wyoming-tts` .* or name it with --uri"
    ):
        await find_server(NOBODY, search=nothing)


async def test_the_whole_way(tmp_path, monkeypatch, capsys):
    """Against this project's own server: a request, a stream, a voice that is missing."""
    backend = ScriptedBackend()
    async with serving(backend) as server:
        uri = f"tcp://127.0.0.1:{server.port}"
        out = ["-o", str(tmp_path / "a.wav"), "--uri", uri]
        assert await run("say", "Hello there.", "--voice", "adam", *out) == 0
        assert frames(tmp_path / "a.wav") == SAMPLES_PER_CHARACTER * len("Hello there.")
        with standard_input(monkeypatch, b"One thing. ", b"Another thing.\n") as more:
            more.close()
            assert await run("say", *out) == 0
        assert await run("say", "Hello.", "--voice", "adan", *out) == 1
    assert [request.voice.name for request in backend.requests] == ["adam", "heart", "heart"]
    assert "did you mean" in capsys.readouterr().err


def _listen_to_ctrl_c() -> None:
    """A shell's background job ignores SIGINT, and so would what these tests start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def process(*argv: str, **options) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "wyoming_tts",
        *argv,
        stderr=asyncio.subprocess.PIPE,
        **options,
        preexec_fn=_listen_to_ctrl_c,
    )


async def test_ctrl_c_is_status_130(tmp_path):
    """Ctrl-C ends `say` quietly, also while it waits for standard input, and leaves no half file."""
    async with scripted({"describe": [info()], "synthesize-chunk": [start(), tone()]}) as server:
        argv = ["say", "-o", str(tmp_path / "a.wav"), "--uri", server.uri]
        saying = await process(*argv, stdin=asyncio.subprocess.PIPE)
        assert saying.stdin is not None
        saying.stdin.write(b"One.")
        while "synthesize-chunk" not in server.types():  # noqa: ASYNC110  # the server has no such event
            await asyncio.sleep(0.01)
        saying.send_signal(signal.SIGINT)
        _, error = await saying.communicate()
    assert (saying.returncode, error) == (130, b"")
    assert not os.listdir(tmp_path)


async def test_a_terminal_is_told_what_is_waited_for(tmp_path):
    """Who starts `say` without a text at a terminal is told to type one and how to end it."""
    keyboard, terminal = os.openpty()
    async with scripted(SPEAKS) as server:
        argv = ["say", "-o", str(tmp_path / "a.wav"), "--uri", server.uri]
        os.write(keyboard, b"One.\n\x04")
        saying = await process(*argv, stdin=terminal)
        _, error = await saying.communicate()
    os.close(keyboard)
    os.close(terminal)
    assert saying.returncode == 0
    assert error.decode().startswith("Type what to say; Ctrl-D ends.\nfirst audio after")


async def test_a_broken_pipe_is_quiet():
    """Who stops reading standard output gets no complaint on standard error."""
    endless = [start(), *[tone(20_000)] * 20]
    async with scripted({"synthesize": endless}) as server:
        reading, writing = os.pipe()
        saying = await process("say", "Hi.", "-o", "-", "--uri", server.uri, stdout=writing)
        os.close(writing)
        os.close(reading)
        _, error = await saying.communicate()
    assert (saying.returncode, error) == (1, b"")
