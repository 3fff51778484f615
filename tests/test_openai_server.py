"""The OpenAI-compatible backend against a server that others wrote: `fastkokoro`, with Kokoro's own weights.

It runs as a process of its own, offline. What servers may do wrong is in `test_openai`; here it is what one
does that was not made for these tests, and whether a listener understands what it says through the backend.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.fakes import PATIENCE, until
from tests.quality.intelligibility import Listener
from tests.remote import NOWHERE, TEXT, collect, joined, openai, request_for, said, seconds, started
from wyoming_tts.backends.base import BackendOptions
from wyoming_tts.backends.fallback import FallbackBackend
from wyoming_tts.backends.members import Member
from wyoming_tts.backends.openai import OpenAIBackend
from wyoming_tts.backends.remote_backend import RATE
from wyoming_tts.errors import BackendUnavailableError, SynthesisError
from wyoming_tts.models import find_weights
from wyoming_tts.types import AudioChunk
from wyoming_tts.voices import load_pack, write_arrays

pytest.importorskip("fastkokoro")

SENTENCES = f"{TEXT}. The door of the garage is open. Nobody is in the garden."
VOICES = {"box/af_heart": "en-US", "box/bm_george": "en-GB", "box/ff_siwis": "fr-FR"}

PATIENT: dict[str, Any] = {"first_audio_timeout": PATIENCE, "stall_timeout": PATIENCE}
"""What is tested is not how fast the server is on a machine that is busy with other tests."""

STREAMED: dict[str, Any] = {**PATIENT, "extra_body": {"stream": True}}
"""It sends each sentence once it is spoken, and without that the whole text at once."""

LONG = f"{SENTENCES} " * 40
"""What the server computes longer on than any test waits."""


@dataclass(frozen=True)
class Server:
    """The server's process, and where it is."""

    process: subprocess.Popen[bytes]
    url: str

    def backend(self, **options: Any) -> OpenAIBackend:
        """Our backend for it, as someone would set it up; not started."""
        return openai(self.url, "box", NOWHERE, **{**PATIENT, **options})

    def connections(self) -> int:
        """Those that the server has not closed."""
        found = psutil.Process(self.process.pid).net_connections()
        return sum(one.status != psutil.CONN_LISTEN for one in found)

    def seconds_computed(self) -> float:
        """Processor time so far."""
        return psutil.Process(self.process.pid).cpu_times().user


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of the installed packages and some voices, as the server wants them."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "kokoro.onnx").write_bytes(find_weights("int8", data_dir=folder, offline=True).read())
    names = [name.removeprefix("box/") for name in VOICES]
    write_arrays(folder / "voices.npz", {name: load_pack(name).styles[:, None] for name in names})
    return folder


@pytest.fixture(scope="module")
def server(files: Path) -> Iterator[Server]:
    """One server for all tests that leave it as it was."""
    with running(files) as server:
        yield server


@pytest.fixture(scope="module")
def length(server: Server) -> float:
    """Seconds of `TEXT` as the server gives it to another client."""
    body = {"model": "kokoro", "input": TEXT, "voice": "af_heart", "response_format": "pcm"}
    answer = httpx.post(f"{server.url}/v1/audio/speech", json=body, timeout=PATIENCE).raise_for_status()
    return len(answer.content) / 2 / RATE


@pytest.fixture(scope="module")
def listener() -> Listener:
    """A Whisper model that writes down what it hears."""
    return Listener()


@contextlib.contextmanager
def running(files: Path) -> Iterator[Server]:
    """A server that answers; it is killed in the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "MODEL_PATH": files / "kokoro.onnx",
        "VOICES_PATH": files / "voices.npz",
        "CACHE_DIR": files / "cache",
        "HOST": "127.0.0.1",
        "PORT": port,
        "WARMUP": 0,
        "JIT": 0,  # compiling takes longer than all that is spoken here
        "ONNX_AUTO_PROVIDERS": 0,
    }
    environment = {f"FASTKOKORO_{name}": str(value) for name, value in settings.items()}
    log = files / f"log-{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", "from fastkokoro.cli import main; main()"],
            env={**os.environ, "HF_HUB_OFFLINE": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    server = Server(process, f"http://127.0.0.1:{port}")
    try:
        wait_for_answer(server, log)
        yield server
    finally:
        process.kill()
        process.wait()


def wait_for_answer(server: Server, log: Path) -> None:
    deadline = time.monotonic() + 3 * PATIENCE
    while True:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{server.url}/health").is_success:
                return
        assert server.process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


async def test_its_voices_are_listed(server: Server) -> None:
    """The list that the server gives is taken over, with what is known of Kokoro's voices."""
    async with started(server.backend()) as backend:
        assert {voice.name: voice.language for voice in backend.voices()} == VOICES


@pytest.mark.parametrize("kind", ["pcm", "wav", "mp3"])
async def test_a_sentence_is_heard(kind: str, server: Server, length: float, listener: Listener) -> None:
    """In each format that both know, what comes out is the sentence: every word, and about its length."""
    async with started(server.backend(response_format=kind)) as backend:
        chunks = await said(backend)
    assert seconds(chunks) == pytest.approx(length, abs=0.15)  # silence in front is left out; MP3 adds some
    assert listener.errors(TEXT, joined(chunks)) == 0


@pytest.mark.parametrize("kind", ["pcm", "wav"])
async def test_sentences_are_streamed(kind: str, server: Server, listener: Listener) -> None:
    """Where the server is told to stream, the first sentence comes out while the others are computed.

    Of WAV it sends a file for each sentence.
    """
    times: list[float] = []
    chunks: list[AudioChunk] = []
    async with started(server.backend(response_format=kind, **STREAMED)) as backend:
        begin = time.monotonic()
        async for chunk in backend.synthesize(request_for(backend, SENTENCES)):
            times.append(time.monotonic() - begin)
            chunks.append(chunk)
    assert times[0] < 0.75 * times[-1]
    assert listener.errors(SENTENCES, joined(chunks)) == 0


async def test_what_it_refuses_is_said(server: Server) -> None:
    """A voice, a model or a speed that the server does not know is an error with its reason, not silence."""
    async with started(server.backend()) as backend:
        nobody = dataclasses.replace(backend.voices()[0], name="box/nobody")
        with pytest.raises(SynthesisError, match="box answered 400: Voice 'nobody' is not available"):
            await said(backend, voice=nobody)
        with pytest.raises(SynthesisError, match=r"box answered 422: .*greater than or equal to 1"):
            await said(backend, speed=0.5)
        assert await said(backend)  # and it was no fault of the format
    async with started(server.backend(model="unheard-of")) as backend:
        with pytest.raises(SynthesisError, match="box answered 400: Unsupported model 'unheard-of'"):
            await said(backend)


async def test_leaving_stops_the_server(server: Server) -> None:
    """Who goes away in the middle leaves no connection, and the server does not go on with the rest."""
    async with started(server.backend(**STREAMED)) as backend:
        chunks = backend.synthesize(request_for(backend, LONG))
        await anext(chunks)
        await chunks.aclose()
    await until(lambda: not server.connections())
    computed = server.seconds_computed()
    await asyncio.sleep(0.5)
    assert server.seconds_computed() - computed < 0.1


async def test_a_dead_server_is_an_outage(files: Path) -> None:
    """A server that is killed in the middle breaks the sentence off, and is not there for the next."""
    with running(files) as server:
        async with started(server.backend(**STREAMED)) as backend:
            chunks = backend.synthesize(request_for(backend, SENTENCES))
            await anext(chunks)
            server.process.kill()
            server.process.wait()
            with pytest.raises(BackendUnavailableError, match="the connection to box broke"):
                await collect(chunks, [])
            with pytest.raises(BackendUnavailableError, match="box cannot be reached"):
                await said(backend)


async def test_a_chain_moves_to_it(server: Server, listener: Listener) -> None:
    """Where nobody listens on the first backend's port, the server speaks, as one of the same language."""
    dead = openai("http://127.0.0.1:9", "dead", voice_names=("nova",))
    members = [Member(one, BackendOptions(**PATIENT)) for one in (dead, server.backend())]
    async with started(FallbackBackend(members)) as backend:
        nova = backend.voices()[0]
        assert nova.name == "dead/nova"
        chunks = await said(backend, voice=nova)
    assert {chunk.backend for chunk in chunks} == {"box"}
    assert listener.errors(TEXT, joined(chunks)) == 0
