"""A Wyoming client that notes when things arrive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import numpy as np
from wyoming.audio import AudioChunk, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event, Eventable
from wyoming.info import Describe, Info
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)

from tests.benchmarks.measure import Arrival, Speech, silence_before

TIMEOUT = 300.0
"""Seconds after which an answer is given up."""


class BenchmarkError(Exception):
    """A contender did not do what it was asked."""


async def speak(port: int, text: str, voice: str | None) -> Speech:
    """Have a text spoken over a connection of its own; the clock starts when `synthesize` is written."""
    async with asyncio.timeout(TIMEOUT), AsyncTcpClient("127.0.0.1", port) as client:
        request = Synthesize(text=text, voice=_voice(voice))
        begun = time.perf_counter()
        await client.write_event(request.event())
        return await _listen(client, begun, AudioStop)


async def speak_streamed(
    port: int, pieces: Sequence[tuple[float, str]], text: str, voice: str | None
) -> Speech:
    """Have a text spoken that comes in pieces, each at its time (seconds), as Home Assistant sends it."""
    async with asyncio.timeout(TIMEOUT), AsyncTcpClient("127.0.0.1", port) as client:
        begun = time.perf_counter()

        async def write() -> None:
            for number, (at, piece) in enumerate(pieces):
                await asyncio.sleep(max(0.0, begun + at - time.perf_counter()))
                if not number:
                    await client.write_event(SynthesizeStart(voice=_voice(voice)).event())
                await client.write_event(SynthesizeChunk(text=piece).event())
            await client.write_event(Synthesize(text=text, voice=_voice(voice)).event())
            await client.write_event(SynthesizeStop().event())

        writing = asyncio.create_task(write())
        try:
            return await _listen(client, begun, SynthesizeStopped)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)


def _voice(name: str | None) -> SynthesizeVoice | None:
    return SynthesizeVoice(name=name) if name else None


async def _listen(client: AsyncTcpClient, begun: float, end: type[Eventable]) -> Speech:
    """Take audio until an event of the type `end`."""
    pieces: list[tuple[float, AudioChunk]] = []
    while not end.is_type((event := _checked(await client.read_event())).type):
        if AudioChunk.is_type(event.type):
            pieces.append((time.perf_counter() - begun, AudioChunk.from_event(event)))
    return _speech(pieces, time.perf_counter() - begun)


async def describe(port: int) -> float:
    """Seconds from opening a connection to the whole `info`."""
    begun = time.perf_counter()
    async with asyncio.timeout(TIMEOUT), AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Describe().event())
        while not Info.is_type(_checked(await client.read_event()).type):
            pass
        return time.perf_counter() - begun


def _checked(event: Event | None) -> Event:
    if event is None:
        raise BenchmarkError("the server closed the connection")
    if Error.is_type(event.type):
        raise BenchmarkError(f"the server answered: {Error.from_event(event).text}")
    return event


def _speech(pieces: list[tuple[float, AudioChunk]], finished: float) -> Speech:
    pieces = [(at, chunk) for at, chunk in pieces if chunk.audio]
    if not pieces:
        raise BenchmarkError("the server sent no audio")
    sound = b"".join(chunk.audio for _, chunk in pieces)
    samples = np.frombuffer(sound, dtype="<i2").astype(np.float32) / np.float32(32768)
    arrivals = tuple(Arrival(at, chunk.seconds) for at, chunk in pieces)
    return Speech(arrivals, finished, silence_before(samples, pieces[0][1].rate))
