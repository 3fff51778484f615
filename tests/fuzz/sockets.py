"""Sessions over real sockets: events in any order, broken frames between them, clients that leave anyhow."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import random
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from wyoming.audio import AudioChunk
from wyoming.event import Event, async_read_event

from tests.fakes import ScriptedBackend, assert_serves, frame, serving
from tests.fuzz.grammar import TEXTS, Grammar
from wyoming_tts.errors import ProtocolError
from wyoming_tts.wire import FrameReader, Limits
from wyoming_tts.wyoming_connection import WyomingSettings
from wyoming_tts.wyoming_server import WyomingServer

LIMITS = Limits(line_bytes=4096, data_bytes=4096, payload_bytes=2048, nesting=12, frame_seconds=5.0)
SETTINGS = WyomingSettings(limits=LIMITS, max_text_characters=2000, max_queued=4, max_connections=64)
PATIENCE = 60.0
_RESET = struct.pack("ii", 1, 0)

EVENTS = ("synthesize", "synthesize-start", "synthesize-chunk", "synthesize-stop")
BAD_FIELDS: tuple[dict[str, Any], ...] = (
    {"voice": []}, {"voice": {"name": 1}}, {"voice": {"name": "x" * 300}}, {"voice": {"language": "zz"}},
    {"voice": {"name": "nobody"}}, {"text": None}, {"text": 1}, {"text_format": "html"}, {"text_format": 1},
    {"context": []}, {"context": {"speed": True}}, {"context": {"speed": 99}}, {"context": {"speed": "1"}},
    {"name": {}}, {"name": ["x"]}, {"text_format": "ssml"}, {"voice": {"name": "heart", "speaker": "x"}},
)  # fmt: skip


@dataclass
class Findings:
    """What was sent, what came of it, and what must not be."""

    sent: int = 0
    judged: int = 0
    """Frames that the server has read or refused; what was sent behind a refusal is neither."""
    sessions: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Unheard(logging.Handler):
    """Collects errors in the log and what only the event loop has heard."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(logging.WARNING)
        self._findings = findings

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.ERROR and record.name != "asyncio":
            return  # the server tells what clients do wrong
        told = logging.Formatter().format(record)
        self._findings.wrong.append(f"log: {told[-3000:]}")

    def heard(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An exception handler for the loop."""
        self._findings.wrong.append(f"unhandled: {context!r}"[:3000])


class Forgetful(list[Any]):
    """Keeps nothing, so that what grows is not the test's."""

    def append(self, _: Any) -> None:
        """Forget it."""


@contextlib.asynccontextmanager
async def listening(findings: Findings) -> AsyncIterator[WyomingServer]:
    """A server that is watched; at its end nothing of any client is left."""
    loop, unheard, logger = asyncio.get_running_loop(), Unheard(findings), logging.getLogger()
    before, old = asyncio.all_tasks(), loop.get_exception_handler()
    loop.set_exception_handler(unheard.heard)
    logger.addHandler(unheard)
    read = FrameReader.read

    async def counted(reader: FrameReader) -> Event | None:
        try:
            event = await read(reader)
        except ProtocolError:
            findings.judged += 1
            raise
        findings.judged += event is not None
        return event

    FrameReader.read = counted  # type: ignore[method-assign, assignment]
    try:
        backend = ScriptedBackend()
        backend.requests = Forgetful()
        async with serving(backend, SETTINGS) as server:
            yield server
            async with asyncio.timeout(PATIENCE):
                while server._clients or server._refused:  # noqa: ASYNC110 - nothing signals it
                    await asyncio.sleep(0.01)
            if backend.running:
                findings.wrong.append(f"{backend.running} requests still run")
        await asyncio.sleep(0)
        gc.collect()
        if left := asyncio.all_tasks() - before - {asyncio.current_task()}:
            findings.wrong.append(f"tasks left: {left}")
    finally:
        FrameReader.read = read  # type: ignore[method-assign]
        logger.removeHandler(unheard)
        loop.set_exception_handler(old)


class Session:
    """One client, at random."""

    def __init__(self, server: WyomingServer, seed: str, findings: Findings) -> None:
        self._server, self._seed, self._findings = server, seed, findings
        self._rng = random.Random(seed)
        self._grammar = Grammar(self._rng, LIMITS)
        self._open = False
        """Whether a stream of text has begun, as far as what was sent is taken."""

    async def run(self) -> None:
        """Connect, send, read what comes, and leave in some way."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        reading = asyncio.create_task(self._answers(reader))
        try:
            with contextlib.suppress(ConnectionError):  # the server may refuse what is sent at any time
                await self._send(writer)
            await self._leave(writer, reading)
        except Exception as error:
            self._findings.wrong.append(f"seed {self._seed}: {type(error).__name__}: {error}")
        finally:
            reading.cancel()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            outcome = (await asyncio.gather(reading, return_exceptions=True))[0]
            if isinstance(outcome, Exception) and not isinstance(outcome, ConnectionError):
                self._findings.wrong.append(f"seed {self._seed}: {type(outcome).__name__}: {outcome}")
        self._findings.sessions += 1

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        rng = self._rng
        broken = rng.choice((0.0, 0.0, 0.05, 0.3))
        for _ in range(rng.choice((1, 4, 12, 40))):
            if writer.is_closing():
                return  # the server has refused something
            raw = self._grammar.frame().raw if rng.random() < broken else self._event()
            self._findings.sent += 1
            match rng.randrange(12):
                case 0:
                    await self._drip(writer, raw)
                case 1 if broken:
                    writer.write(raw[: rng.randrange(len(raw) + 1)])
                    await asyncio.sleep(0)
                    if rng.random() < 0.2:
                        return  # in the middle
                    writer.write(raw)  # what was cut is part of another frame
                case _:
                    writer.write(raw)
            if rng.random() < 0.3:
                await writer.drain()

    async def _drip(self, writer: asyncio.StreamWriter, raw: bytes) -> None:
        size = max(1, len(raw) // 20)
        for at in range(0, len(raw), size):
            if not writer.is_closing():
                writer.write(raw[at : at + size])
            await asyncio.sleep(0)

    def _event(self) -> bytes:
        """One that a server of speech knows, mostly where it may come, as it should be."""
        rng = self._rng
        kind = rng.choices(
            (*EVENTS, "describe", "ping", "other"),
            (3, 0, 6, 2, 1, 2, 1) if self._open else (2, 3, 0, 0, 1, 2, 1),
        )[0]  # fmt: skip
        if rng.random() < 0.02:
            kind = rng.choice(EVENTS[1:])
        self._open = kind == "synthesize-start" or (self._open and kind != "synthesize-stop")
        if kind == "other":
            kind = rng.choice(("select-program", "audio-chunk", "audio-stop", "transcribe", "\0", "pong"))
        data: dict[str, Any] = {"text": rng.choice((*TEXTS, "Hello there.", "One. Two. "))}
        if rng.random() < 0.03:
            data |= rng.choice(BAD_FIELDS)
        if rng.random() < 0.1:
            data["text_format"] = "ssml"
        if kind == "select-program":
            data["name"] = rng.choice(("wyoming-tts", "kokoro", "x", {}, None))
        return frame(kind, **data)

    async def _leave(self, writer: asyncio.StreamWriter, reading: asyncio.Task[None]) -> None:
        rng = self._rng
        with contextlib.suppress(OSError):
            match rng.randrange(5):
                case 0:  # reads all that comes, after a half-close
                    writer.write_eof()
                    async with asyncio.timeout(PATIENCE):
                        await asyncio.wait([reading])
                case 1:
                    sock = writer.get_extra_info("socket")
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                case 2:
                    writer.transport.abort()
                case 3:
                    await asyncio.wait([reading], timeout=rng.choice((0.0, 0.01, 0.05)))

    async def _answers(self, reader: asyncio.StreamReader) -> None:
        """Read what the server says, which any client must be able to."""
        answers = Answers()
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while (event := await async_read_event(reader)) is not None:
                answers.take(event)
                self._findings.answers[event.data.get("code", event.type)] += 1


class Answers:
    """Whether events come in an order in which a client expects them."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._speaking = self._ended = False
        self._stopped = 0

    def take(self, event: Event) -> None:
        """Raises AssertionError for an event that may not come now."""
        assert not self._ended, f"{event.type} behind an error"
        match event.type:
            case "audio-start":
                assert not self._speaking, "a stream inside a stream"
                self._speaking = True
            case "audio-chunk":
                assert self._speaking, "audio outside of a stream"
                chunk = AudioChunk.from_event(event)
                assert chunk.audio
                assert len(chunk.audio) % 2 == 0
            case "audio-stop":
                assert self._speaking, "an end without a beginning"
                self._speaking, self._stopped = False, self._stopped + 1
            case "synthesize-stopped":
                assert not self._speaking
                assert self._stopped, "stopped without audio"
            case "error":
                assert event.data["text"]
                assert event.data["code"] != "internal-error", event.data
                self._ended = True
            case kind:
                assert kind in ("info", "pong"), kind


async def sessions(findings: Findings, frames: int, seed: int, *, together: int = 8) -> None:
    """Clients side by side until so many frames were judged; others are served in between and behind it."""
    async with listening(findings) as server:
        numbers = iter(range(10**9))

        async def one_after_another() -> None:
            while findings.judged < frames and len(findings.wrong) < 20:
                async with asyncio.timeout(PATIENCE):
                    await Session(server, f"{seed}-{next(numbers)}", findings).run()

        async with asyncio.TaskGroup() as group:
            clients = [group.create_task(one_after_another()) for _ in range(together)]
            while not all(client.done() for client in clients):
                await assert_serves(server)
                await asyncio.wait(clients, timeout=0.5)
        await assert_serves(server)
