"""The server as a process: started as a user starts it, with the real model."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from wyoming.audio import AudioChunk, AudioStart
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeVoice

from tests.fakes import SPOKEN, pcm_of, samples_in, types_of
from wyoming_tts.voices import load_catalogue

RATE = 24_000
PATIENCE = 240.0
"""Seconds until a test gives up; to prepare the model takes a busy machine a while."""

SENTENCE = "The light in the kitchen is on, and the window is still open."


@dataclass
class Server:
    """A server process, and what it has written to its log."""

    process: subprocess.Popen[bytes]
    uri: str
    log: Path

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[AsyncClient]:
        """A real Wyoming client."""
        client = AsyncClient.from_uri(self.uri)
        client.connect_timeout = client.read_timeout = PATIENCE
        await client.connect()
        try:
            yield client
        finally:
            with contextlib.suppress(OSError):
                await client.disconnect()

    async def ask(self, *events: Event, last: str = "audio-stop") -> list[Event]:
        """Send events; the answers up to one of type `last`, or until the server closes."""
        async with self.client() as client:
            for event in events:
                await client.write_event(event)
            return await answers(client, last)

    def wait_for_log(self, text: str) -> None:
        """Wait until the log has some text."""
        until(lambda: text in self.log.read_text(), self)

    def end(self) -> int:
        """Wait for the process to end by itself; its exit status."""
        return self.process.wait(PATIENCE)


async def answers(client: AsyncClient, last: str = "") -> list[Event]:
    events: list[Event] = []
    while (event := await client.read_event()) is not None:
        events.append(event)
        if event.type == last:
            break
    return events


def until(done: Callable[[], bool], server: Server) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert server.process.poll() is None, server.log.read_text()
        assert time.monotonic() < deadline, server.log.read_text()
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextlib.contextmanager
def running(directory: Path, data_dir: Path, *flags: str, uri: str = "") -> Iterator[Server]:
    """A server process in a directory that is not the project's; it may still be loading."""
    uri = uri or f"tcp://127.0.0.1:{free_port()}"
    command = [
        sys.executable,
        "-m",
        "wyoming_tts",
        "--uri",
        uri,
        "--no-zeroconf",
        "--data-dir",
        str(data_dir),
    ]
    root = str(Path(__file__).parent.parent)
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--no-zeroconf", "--offline", *flags],
            cwd=directory,
            env={**os.environ, "PYTHONPATH": root},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield Server(process, uri, log)
    finally:
        process.kill()
        process.wait()


def listening(server: Server) -> Server:
    server.wait_for_log("Listening on")
    return server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, model_data: Path) -> Iterator[Server]:
    """One server for all tests that leave it as it was."""
    with running(tmp_path_factory.mktemp("server"), model_data) as server:
        yield listening(server)


async def test_describe_is_answered_while_the_model_loads(tmp_path: Path, model_data: Path) -> None:
    """As soon as the port is open all voices are told, and that the model is not there yet."""
    with running(tmp_path, model_data) as server:
        listening(server)
        (event,) = await server.ask(Describe().event(), last="info")
        assert "Ready" not in server.log.read_text()
        program, *_ = Info.from_event(event).tts
        assert {voice.name for voice in program.voices} == {voice.name for voice in load_catalogue().voices()}
        assert len(program.voices) == 54
        assert program.voices[0].name == "af_heart"
        assert program.supports_synthesize_streaming
        assert "load" in (program.description or "")


async def test_sentence_becomes_audio(server: Server) -> None:
    """A sentence is spoken, though the model may still load: s16, mono, 24 kHz, of a sentence's length."""
    events = await server.ask(Synthesize(text=SENTENCE).event())
    assert types_of(events) == SPOKEN
    start = AudioStart.from_event(events[0])
    assert (start.rate, start.width, start.channels) == (RATE, 2, 1)
    audio = np.frombuffer(pcm_of(events), "<i2") / 32768
    assert 2.5 < len(audio) / RATE < 6
    assert 0.1 < np.abs(audio).max() <= 1
    assert np.sqrt(np.square(audio).mean()) > 0.01
    chunk = AudioChunk.from_event(events[1])
    assert (chunk.rate, chunk.width, chunk.channels) == (RATE, 2, 1)


async def test_describe_says_what_computes(server: Server) -> None:
    """Once the model is loaded the description names it and what it really runs on."""
    server.wait_for_log("Ready: ")
    (event,) = await server.ask(Describe().event(), last="info")
    program, espeak = Info.from_event(event).tts
    assert espeak.name == "wyoming-tts espeak"
    assert len(espeak.voices) > 150
    assert "Kokoro int8 on CPU" in (program.description or "")


async def test_text_that_streams_is_spoken_as_a_stream(server: Server) -> None:
    """The first sentence is heard before the text has ended; the end of both is marked."""
    async with server.client() as client:
        await client.write_event(SynthesizeStart(voice=SynthesizeVoice(name="bf_emma")).event())
        await client.write_event(SynthesizeChunk(text=f"{SENTENCE} And the ").event())
        first = await answers(client, "audio-chunk")
        assert types_of(first) == SPOKEN[:2]
        await client.write_event(SynthesizeChunk(text="door is locked.").event())
        await client.write_event(SynthesizeStop().event())
        rest = await answers(client, "synthesize-stopped")
    assert types_of(rest)[-2:] == ["audio-stop", "synthesize-stopped"]
    assert 3.5 < samples_in([*first, *rest]) / RATE < 9


async def test_each_language_is_spoken(server: Server) -> None:
    """A request that names only a language is spoken by a voice of that language."""
    for language, text in (("fr", "Bonjour tout le monde."), ("ja", "こんにちは。"), ("zh", "你好,世界。")):
        voice = SynthesizeVoice(language=language)
        events = await server.ask(Synthesize(text=text, voice=voice).event())
        assert types_of(events) == SPOKEN
        assert 0.8 < samples_in(events) / RATE < 5


async def test_unknown_voice_is_an_error_and_the_end(server: Server) -> None:
    """An unknown voice is refused with near matches, and the connection is closed."""
    request = Synthesize(text=SENTENCE, voice=SynthesizeVoice(name="af_hart"))
    (event,) = await server.ask(request.event())
    error = Error.from_event(event)
    assert error.code == "unknown-voice"
    assert "af_heart" in error.text


async def test_sigterm_lets_the_sentence_finish(tmp_path: Path, model_data: Path) -> None:
    """A server told to stop while it speaks says the sentence to its end and exits with status 0."""
    with running(tmp_path, model_data, "--shutdown-grace", str(PATIENCE)) as server:
        listening(server)
        whole = await server.ask(Synthesize(text=SENTENCE).event())
        async with server.client() as client:
            await client.write_event(Synthesize(text=SENTENCE).event())
            events = await answers(client, "audio-chunk")
            server.process.send_signal(signal.SIGTERM)
            events += await answers(client)
        assert types_of(events) == SPOKEN
        assert samples_in(events) > 0.9 * samples_in(whole)
        assert server.end() == 0
        log = server.log.read_text()
    assert log.index("Stopping") < log.rindex("Spoken: ")
    assert "Traceback" not in log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_a_server_that_still_loads(tmp_path: Path, model_data: Path, number: int) -> None:
    """A server told to stop before it is ready ends properly."""
    with running(tmp_path, model_data) as server:
        listening(server).process.send_signal(number)
        assert server.end() == 0
        assert "Traceback" not in server.log.read_text()


def test_no_model_ends_the_server(tmp_path: Path) -> None:
    """A server whose only backend has no model says so and ends with status 1."""
    garbage = tmp_path / "garbage.onnx"
    garbage.write_bytes(b"no model at all" * 1000)
    with running(tmp_path, tmp_path / "data", "--chain", "kokoro", "--model", str(garbage)) as server:
        assert server.end() == 1
        log = server.log.read_text()
    (reason,) = (line for line in log.splitlines() if "Cannot speak" in line)
    assert "garbage.onnx is not a model" in reason
    assert "Traceback" not in log


async def test_without_a_model_espeak_speaks(tmp_path: Path) -> None:
    """A server whose model is none is not silent: it says so in the log, and another voice speaks."""
    garbage = tmp_path / "garbage.onnx"
    garbage.write_bytes(b"no model at all" * 1000)
    with running(tmp_path, tmp_path / "data", "--model", str(garbage)) as server:
        listening(server)
        events = await server.ask(Synthesize(text=SENTENCE).event())
        assert types_of(events) == SPOKEN
        assert 2 < samples_in(events) / RATE < 8
        server.wait_for_log("kokoro is left alone for a while")
        (event,) = await server.ask(Describe().event(), last="info")
    assert "by espeak" in server.log.read_text()
    assert "not available now" in str(Info.from_event(event).tts[0].voices[0].description)


async def test_own_voices_are_voices(tmp_path: Path, model_data: Path) -> None:
    """A blend from `voices.toml` is listed and spoken, and the file is read again when it changes."""
    with running(tmp_path, model_data, "--voice", "af_sky") as server:
        listening(server)
        file = model_data / "voices.toml"
        try:
            file.write_text('night = { voice = "af_bella(2)+af_sky(1)", speed = 0.8, description = "Night" }')
            await asyncio.sleep(1.1)
            (event,) = await server.ask(Describe().event(), last="info")
            night = next(voice for voice in Info.from_event(event).tts[0].voices if voice.name == "night")
            assert (night.description, night.languages) == ("Night", ["en-US"])
            slow = await server.ask(Synthesize(text=SENTENCE, voice=SynthesizeVoice(name="night")).event())
            same = SynthesizeVoice(name="af_bella(2)+af_sky")
            pace = await server.ask(Synthesize(text=SENTENCE, voice=same).event())
            assert 1.1 < samples_in(slow) / samples_in(pace) < 1.5
            file.unlink()
            await asyncio.sleep(1.1)
            (error,) = await server.ask(
                Synthesize(text=SENTENCE, voice=SynthesizeVoice(name="night")).event()
            )
            assert Error.from_event(error).code == "unknown-voice"
        finally:
            file.unlink(missing_ok=True)


async def test_plugins_of_the_data_directory_are_used(tmp_path: Path) -> None:
    """A file there makes speech longer; another hangs for ever, is named, and does not keep the server."""
    folder = tmp_path / "data" / "plugins"
    folder.mkdir(parents=True, mode=0o755)
    (folder / "slow.py").write_text("def pre_process_audio(audio):\n    return audio.repeat(2)\n")
    (folder / "hangs.py").write_text(
        "import time\ndef pre_process_text(text):\n    time.sleep(1e6 if 'kitchen' in text else 0)\n"
    )
    for path in folder.iterdir():
        path.chmod(0o644)
    flags = ("--chain", "espeak", "--plugin-timeout", "0.5", "--cache-memory", "0")
    with running(tmp_path, tmp_path / "data", *flags, "--no-plugins") as server:
        plain = await listening(server).ask(Synthesize(text=SENTENCE).event())
        assert "Plugins" not in server.log.read_text()
    with running(tmp_path, tmp_path / "data", *flags) as server:
        slow = await listening(server).ask(Synthesize(text=SENTENCE).event())
        assert samples_in(slow) > 1.7 * samples_in(plain)
        server.process.terminate()
        assert server.end() == 0
        log = server.log.read_text()
    assert "Plugins: hangs.py, slow.py" in log
    assert "Plugin hangs.py: pre_process_text took longer than 0.5 s" in log
    assert "Traceback" not in log


def test_missing_provider_is_a_wrong_setting(tmp_path: Path, model_data: Path) -> None:
    """A provider that is not installed ends the server with status 2 and the names of those that are."""
    with running(tmp_path, model_data, "--provider", "coreml") as server:
        assert server.end() == 2
        assert "'coreml' is not in the installed onnxruntime" in server.log.read_text()


def test_port_in_use_is_said(tmp_path: Path, model_data: Path) -> None:
    """A port that another program has is named, with status 2, before anything is loaded."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        uri = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with running(tmp_path, model_data, uri=uri) as server:
            assert server.end() == 2
            log = server.log.read_text()
    assert "in use" in log
    assert "--uri" in log
    assert "Traceback" not in log
    assert "Weights" not in log


async def test_unix_socket(tmp_path: Path, model_data: Path) -> None:
    """The same server speaks on a socket in the file system, and takes the file away when it ends."""
    path = tmp_path / "tts.sock"
    with running(tmp_path, model_data, uri=f"unix://{path}") as server:
        events = await listening(server).ask(Synthesize(text="Good night.").event())
        assert types_of(events) == SPOKEN
        server.process.terminate()
        assert server.end() == 0
    assert not path.exists()
