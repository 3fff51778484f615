"""Fakes at the project's own seams, and a real server around them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import numpy as np
from wyoming.client import AsyncTcpClient
from wyoming.event import Event, async_read_event
from wyoming.info import Describe, Info

from wyoming_tts.pipeline import Pipeline, PipelineSettings
from wyoming_tts.types import AudioChunk, AudioFormat, SynthesisRequest, Voice
from wyoming_tts.voices import VoiceCatalogue
from wyoming_tts.wire import encode
from wyoming_tts.wyoming_connection import WyomingSettings
from wyoming_tts.wyoming_info import build_info
from wyoming_tts.wyoming_server import WyomingServer

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
SAMPLES_PER_CHARACTER = 101
"""Odd, so that audio never ends at a round number."""

SPOKEN = ["audio-start", "audio-chunk", "audio-stop"]
"""What one request is answered with; `types_of` makes one of many chunks."""

PATIENCE = 20.0
"""Seconds after which a test gives up; never reached when all is well."""

Step = int | AudioChunk | Exception | asyncio.Event
"""A number of samples to yield, a chunk to yield, an error to raise, or an event to wait for."""


def voice(name: str, language: str = "en-US", description: str = "") -> Voice:
    """A voice of the scripted backend."""
    label = description or f"{name.title()}, {language}"
    return Voice(name=name, language=language, backend="scripted", description=label)


VOICES = (
    voice("heart", description="Heart, US English, female"),
    voice("adam", description="Adam, US English, male"),
    voice("siwis", "fr-FR", "Siwis, French, female"),
)


def spoken_length(request: SynthesisRequest) -> Iterable[Step]:
    """The default script: audio as long as the text."""
    return [SAMPLES_PER_CHARACTER * len(request.text)]


class ScriptedBackend:
    """A backend that does for every request what its script says."""

    engine = "a script"
    format = AudioFormat(24_000)
    max_concurrency = 1

    def __init__(
        self,
        script: Callable[[SynthesisRequest], Iterable[Step]] = spoken_length,
        voices: Sequence[Voice] = VOICES,
        name: str = "scripted",
    ) -> None:
        self.name = name
        self._script = script
        self._voices = tuple(voices)
        self.requests: list[SynthesisRequest] = []
        self.starts = 0
        self.wakes = 0
        self.running = 0
        self.most_running = 0
        self.chunks = 0
        self.closed = asyncio.Event()
        """Set when any request has ended, in whatever way."""

    async def start(self) -> None:
        self.starts += 1

    async def stop(self) -> None:
        pass

    async def probe(self) -> None:
        pass

    def voices(self) -> Sequence[Voice]:
        return self._voices

    def wake(self) -> None:
        self.wakes += 1

    def fingerprint(self, voice: Voice) -> str | None:
        return f"scripted {voice.name}"

    @property
    def texts(self) -> str:
        """All that was spoken, without what is between the sentences."""
        return " ".join(request.text.strip() for request in self.requests)

    async def synthesize(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        self.requests.append(request)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            for step in self._script(request):
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                    continue
                await asyncio.sleep(0)
                self.chunks += 1
                yield step if isinstance(step, AudioChunk) else AudioChunk(np.full(step, 0.25, np.float32))
        finally:
            self.running -= 1
            self.closed.set()


def pipeline_of(backend: ScriptedBackend, sentence_silence: float = 0.0) -> Pipeline:
    """The real pipeline; without pauses there is as much audio as the script has."""
    catalogue = VoiceCatalogue(tuple(backend.voices()), backend.voices()[0])
    settings = PipelineSettings(sentence_silence=sentence_silence, clause_silence=0.0, detect_language=False)
    return Pipeline(backend, catalogue, settings)


def info_of(backend: ScriptedBackend, *, streaming: bool = True) -> Info:
    """What a server with this backend says of itself."""
    return build_info(backend.voices(), version="1.2.3", engine="a script", streaming=streaming)


@contextlib.asynccontextmanager
async def serving(
    backend: ScriptedBackend | None = None,
    settings: WyomingSettings | None = None,
    *,
    uri: str = "tcp://127.0.0.1:0",
    pipeline: Pipeline | None = None,
) -> AsyncIterator[WyomingServer]:
    """A real server on a free port."""
    backend, settings = backend or ScriptedBackend(), settings or WyomingSettings()
    info = info_of(backend, streaming=settings.streaming)
    server = WyomingServer(pipeline or pipeline_of(backend), lambda: info, settings)
    await server.start(uri)
    try:
        yield server
    finally:
        await server.stop()


@contextlib.asynccontextmanager
async def connected(server: WyomingServer, host: str = "127.0.0.1") -> AsyncIterator[AsyncTcpClient]:
    """A real client of a server."""
    assert server.port is not None
    client = AsyncTcpClient(host, server.port, connect_timeout=PATIENCE, read_timeout=PATIENCE)
    await client.connect()
    try:
        yield client
    finally:
        with contextlib.suppress(OSError):
            await client.disconnect()


async def read_until(client: AsyncTcpClient, *types: str) -> list[Event]:
    """Events up to the first of one of these types; the last may be another when the server closed."""
    events: list[Event] = []
    while (event := await client.read_event()) is not None:
        events.append(event)
        if event.type in types:
            break
    return events


async def read_all(client: AsyncTcpClient) -> list[Event]:
    """Events until the server closes."""
    return await read_until(client)


def types_of(events: Iterable[Event]) -> list[str]:
    """The types, with each run of `audio-chunk` as one."""
    types: list[str] = []
    for event in events:
        if not (types and types[-1] == event.type == "audio-chunk"):
            types.append(event.type)
    return types


def pcm_of(events: Iterable[Event]) -> bytes:
    """All audio in some events."""
    return b"".join(event.payload or b"" for event in events if event.type == "audio-chunk")


def samples_in(events: Iterable[Event]) -> int:
    """Samples of all audio in some events."""
    return len(pcm_of(events)) // 2


def raw(server: WyomingServer) -> AbstractAsyncContextManager[Streams]:
    """A bare connection to a server of this process."""
    return raw_to(server.port)


@contextlib.asynccontextmanager
async def raw_to(port: int | None) -> AsyncIterator[Streams]:
    """A bare connection to a port of this machine, closed at the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def answers(reader: asyncio.StreamReader, last: str = "") -> list[Event]:
    """Everything until the server closes, or until an event of this type."""
    events: list[Event] = []
    async with asyncio.timeout(PATIENCE):
        while (event := await async_read_event(reader)) is not None:
            events.append(event)
            if event.type == last:
                break
    return events


async def answers_to(server: WyomingServer, data: bytes, last: str = "") -> list[Event]:
    """What the server says to some bytes until it closes, or until `last`; our end stays open."""
    async with raw(server) as (reader, writer):
        writer.write(data)
        return await answers(reader, last)


async def assert_serves(server: WyomingServer) -> None:
    """Another client is served as if nothing had been."""
    async with connected(server) as client:
        await client.write_event(Describe().event())
        assert (await read_until(client, "info"))[-1].type == "info"


def frame(kind: str, **data: Any) -> bytes:
    """A frame as a client would send it."""
    return encode(Event(kind, data))


async def wait_for(event: asyncio.Event) -> None:
    """Wait, but not for ever."""
    async with asyncio.timeout(PATIENCE):
        await event.wait()


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that nobody signals, but not for ever."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.005)


def endless(request: SynthesisRequest) -> Iterable[Step]:
    """Speech that never ends, a second at a time."""
    while True:
        yield 24_000
