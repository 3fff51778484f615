"""Clients of all kinds for a soak: quick, slow, impatient, broken, and those that only watch."""

from __future__ import annotations

import asyncio
import random
import re
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import httpx
from wyoming.event import Event, async_read_event

from tests.fakes import Streams, frame, raw_to

if TYPE_CHECKING:
    from tests.soak import Report, Server

PATIENCE = 120.0
"""Seconds after which a client counts as not served; a busy machine needs some."""

WORDS = (
    *("the", "light", "in", "kitchen", "is", "on", "and", "window", "still", "open", "while", "outside"),
    *("21.5°C", "7:05", "washing machine", "<b>", "https://example.org/a?b=c", "№ 7", "half past nine,"),
)

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes a close a reset."""


class Crowd:
    """Clients of all kinds, each again and again until it is told to stop."""

    def __init__(
        self, server: Server, rng: random.Random, pause: float, report: Report, *, slow: bool = False
    ) -> None:
        """`pause` is the mean of seconds between two requests of one client.

        A slow backend gets shorter texts, that come again more often, and may refuse some.
        """
        self._server, self._rng, self._pause, self._report = server, rng, pause, report
        self._slow = slow

    async def run(self, seconds: float) -> None:
        """All clients, for so long."""
        kinds: list[Callable[[], Awaitable[None]]] = [
            *(self.one_shot, self.one_shot, self.streamed, self.cancelled, self.reset, self.slow),
            *(self.broken, self.half_closed, self.over_http, self.watched),
        ]
        poll = self._pause * 4
        deadline = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            for kind in kinds:
                group.create_task(self._again(kind, self._pause, deadline))
            group.create_task(self._again(self.describe, poll, deadline))
            group.create_task(self._polling(poll, deadline))

    async def _again(self, kind: Callable[[], Awaitable[None]], pause: float, deadline: float) -> None:
        name = kind.__name__
        while time.monotonic() < deadline:
            try:
                async with asyncio.timeout(PATIENCE):
                    await kind()
                self._report.done[name] += 1
            except (RuntimeError, httpx.HTTPStatusError) as error:
                if self._slow and re.search(r"try again|429", str(error)):
                    self._report.done[f"{name}, refused"] += 1
                else:
                    self._report.failures.append(f"{name}: {type(error).__name__}: {error}"[:300])
            except Exception as error:  # the soak tells it and goes on
                self._report.failures.append(f"{name}: {type(error).__name__}: {error}"[:300])
            await asyncio.sleep(self._rng.uniform(0.5, 1.5) * pause)

    def _text(self, words: int) -> str:
        return " ".join(self._rng.choices(WORDS, k=words)) + "."

    def _phrase(self) -> str:
        """One that comes again: some often, and more of them than a small cache can keep."""
        number = min(self._rng.randrange(60), self._rng.randrange(60), self._rng.randrange(60))
        return f"The washing machine number {number} will be done in {number + 2} minutes."

    def _connected(self) -> AbstractAsyncContextManager[Streams]:
        return raw_to(self._server.port)

    async def one_shot(self) -> None:
        """Home Assistant without streaming; half of the texts come again."""
        text = self._text(8) if self._rng.random() > (0.9 if self._slow else 0.5) else self._phrase()
        async with self._connected() as (reader, writer):
            writer.write(frame("synthesize", text=text))
            await until(reader, "audio-stop")

    async def streamed(self) -> None:
        """Text in pieces, as a language model writes it."""
        async with self._connected() as (reader, writer):
            writer.write(frame("synthesize-start"))
            for _ in range(6):
                writer.write(frame("synthesize-chunk", text=self._text(3) + " "))
                await asyncio.sleep(0.02)
            writer.write(frame("synthesize-stop"))
            await until(reader, "synthesize-stopped")

    async def cancelled(self) -> None:
        """One that leaves while it is spoken to."""
        async with self._connected() as (reader, writer):
            writer.write(frame("synthesize", text=self._text(12 if self._slow else 40)))
            await until(reader, "audio-chunk")

    async def reset(self) -> None:
        """The same, as a machine that is switched off and on again does it."""
        async with self._connected() as (reader, writer):
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.write(frame("synthesize", text=self._text(12 if self._slow else 40)))
            await until(reader, "audio-chunk")

    async def slow(self) -> None:
        """One that reads slowly and writes a byte at a time."""
        async with self._connected() as (reader, writer):
            for byte in frame("synthesize", text=self._phrase()):
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.002)
            await until(reader, "audio-stop", pause=0.01)

    async def broken(self) -> None:
        """One that sends what is no frame, and reads what is wrong with it."""
        wrong = self._rng.choice(
            (b"GET / HTTP/1.1\r\n\r\n", b'{"type":1}\n', b"\xff\n", b'{"type":"x","data_length":-1}\n')
        )
        async with self._connected() as (reader, writer):
            writer.write(wrong)
            await until(reader, "error")

    async def half_closed(self) -> None:
        """One that shuts its writing side in the middle of a request, and one that sends nothing."""
        async with self._connected() as (reader, writer):
            if self._rng.random() < 0.5:
                writer.write(frame("synthesize", text=self._text(10))[: self._rng.randrange(40)])
            writer.write_eof()
            while await reader.read(65536):
                pass

    async def describe(self) -> None:
        """A poll with a connection of its own, as Home Assistant does it."""
        async with self._connected() as (reader, writer):
            writer.write(frame("describe"))
            await until(reader, "info")

    async def _polling(self, pause: float, deadline: float) -> None:
        """Polls on one connection that stays."""
        async with self._connected() as (reader, writer):
            while time.monotonic() < deadline:
                writer.write(frame("describe"))
                writer.write(frame("ping", text="x"))
                await until(reader, "pong")
                self._report.done["polling"] += 1
                await asyncio.sleep(pause)

    async def over_http(self) -> None:
        """OpenAI's API, in one of the formats."""
        kind = self._rng.choice(("pcm", "wav", "mp3", "opus", "flac"))
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self._server.http_port}", timeout=PATIENCE
        ) as client:
            body = {"input": self._phrase() if self._slow else self._text(6), "response_format": kind}
            async with client.stream("POST", "/v1/audio/speech", json=body) as answer:
                answer.raise_for_status()
                async for _ in answer.aiter_bytes():
                    if self._rng.random() < 0.02:  # leaves in the middle
                        return

    async def watched(self) -> None:
        """Who watches the server."""
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self._server.http_port}", timeout=PATIENCE
        ) as client:
            for path in ("/health", "/ready", "/metrics", "/v1/audio/voices"):
                (await client.get(path)).raise_for_status()


async def read(reader: asyncio.StreamReader) -> Event:
    """The next event; the server may not close yet."""
    event = await async_read_event(reader)
    if event is None:
        raise ConnectionError("the server closed")
    return event


async def until(reader: asyncio.StreamReader, kind: str, *, pause: float = 0.0) -> None:
    """Read up to an event of this type, with a pause behind each."""
    while (event := await read(reader)).type != kind:
        await asyncio.sleep(pause)
        if event.type == "error":
            raise RuntimeError(event.data.get("text"))
