"""A Wyoming client that notes when things arrive."""

from __future__ import annotations

import asyncio
import time

import numpy as np
from wyoming.audio import AudioChunk, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize, SynthesizeVoice

from tests.benchmarks.measure import Arrival, Speech, silence_before

TIMEOUT = 300.0
"""Seconds after which an answer is given up."""


class BenchmarkError(Exception):
    """A contender did not do what it was asked."""


async def speak(port: int, text: str, voice: str | None) -> Speech:
    """Have a text spoken over a connection of its own; the clock starts when `synthesize` is written."""
    async with asyncio.timeout(TIMEOUT), AsyncTcpClient("127.0.0.1", port) as client:
        request = Synthesize(text=text, voice=SynthesizeVoice(name=voice) if voice else None)
        begun = time.perf_counter()
        await client.write_event(request.event())
        pieces: list[tuple[float, AudioChunk]] = []
        while not AudioStop.is_type((event := _checked(await client.read_event())).type):
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
