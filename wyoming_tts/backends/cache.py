"""A backend around a backend: what was said before is not computed again, nor twice at the same time."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from wyoming_tts.audio import from_s16, to_s16
from wyoming_tts.backends.base import Backend, BackendAround, closable
from wyoming_tts.backends.cache_disk import DiskStore
from wyoming_tts.backends.cache_memory import MemoryStore
from wyoming_tts.backends.cache_sentence import Sentence
from wyoming_tts.types import (
    Allowance,
    AudioChunk,
    AudioFormat,
    JointPlayhead,
    Playhead,
    SynthesisRequest,
    WordTiming,
)

VERSION = 1
"""Of what is stored: raise it with every change to that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStatistics:
    """What the cache did since the start."""

    hits: int = 0
    """Sentences that were there, in memory or on disk."""

    disk_hits: int = 0
    """Those of them that were on disk alone."""

    shared: int = 0
    """Sentences that were just being computed for somebody else."""

    misses: int = 0
    """Sentences that had to be computed."""

    evictions: int = 0
    """Sentences that made room in memory for others."""

    entries: int = 0
    """Sentences in memory now."""

    bytes: int = 0
    """What they take."""

    @property
    def hit_rate(self) -> float:
        """Part of all sentences that cost nothing, 0 to 1."""
        asked = self.hits + self.shared + self.misses
        return (self.hits + self.shared) / asked if asked else 0.0


class CachedBackend(BackendAround):
    """Has the face of the backend inside."""

    def __init__(self, inner: Backend, memory: MemoryStore, disk: DiskStore | None = None) -> None:
        """Starts and stops the inner backend and the store on disk with itself."""
        super().__init__(inner)
        self._memory, self._disk = memory, disk
        self._flights: dict[bytes, _Flight] = {}
        self._counts = {"hits": 0, "disk_hits": 0, "shared": 0, "misses": 0}

    async def start(self) -> None:
        """See `Backend.start`."""
        if self._disk is not None:
            await self._disk.open()
        await super().start()

    async def stop(self) -> None:
        """See `Backend.stop`. What is still to be written is waited for."""
        for flight in list(self._flights.values()):
            await flight.end()
        await super().stop()
        if self._disk is not None:
            await self._disk.close()

    def statistics(self) -> CacheStatistics:
        """What was saved so far."""
        memory = self._memory
        return CacheStatistics(
            **self._counts, evictions=memory.evictions, entries=len(memory), bytes=memory.bytes
        )

    async def synthesize(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """See `Backend.synthesize`."""
        key = key_of(request, self._inner.fingerprint(request.voice), self.format)
        if key is None:
            chunks = closable(self._inner.synthesize(request))
        elif (kept := await self._kept(key)) is not None:
            chunks = _replay(kept, self.format)
        else:
            chunks = self._fly(key, request)
        async with contextlib.aclosing(chunks):
            async for chunk in chunks:
                yield chunk

    async def _kept(self, key: bytes) -> Sentence | None:
        """A sentence that is stored and not just being computed."""
        sentence = self._memory.get(key)
        if sentence is None and self._disk is not None and key not in self._flights:
            sentence = await self._disk.get(key)
            if sentence is not None:
                self._counts["disk_hits"] += 1
                self._memory.put(key, sentence)
        self._counts["hits"] += sentence is not None
        return sentence

    async def _fly(self, key: bytes, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Follow the computation of a sentence, which is begun unless it is under way."""
        flight = self._flights.get(key)
        self._counts["misses" if flight is None else "shared"] += 1
        if flight is None:
            flight = self._flights[key] = _Flight()
            flight.task = asyncio.create_task(self._compute(key, request, flight), name="sentence")
        flight.playhead.join(request.playhead)
        try:
            async with contextlib.aclosing(flight.follow(request.playhead)) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            flight.playhead.leave(request.playhead)
            if not flight.playhead.streams:
                self._drop(key, flight)
                await flight.end()

    async def _compute(self, key: bytes, request: SynthesisRequest, flight: _Flight) -> None:
        """Compute a sentence for all who follow it, and store it when it is complete."""
        joint = dataclasses.replace(request, playhead=flight.playhead, allowance=Allowance())
        pcm: list[bytes] = []
        try:
            async with contextlib.aclosing(closable(self._inner.synthesize(joint))) as chunks:
                async for chunk in chunks:
                    pcm.append(to_s16(chunk.samples))
                    # As it will be when it comes from the cache: there is no difference to hear or to test.
                    flight.add(dataclasses.replace(chunk, samples=from_s16(pcm[-1])))
            words = tuple(word for chunk in flight.chunks for word in chunk.words)
            self._store(key, Sentence(b"".join(pcm), words))
            flight.finish()
        except Exception as error:  # every follower gets it, whatever it is
            flight.finish(error)
        finally:
            self._drop(key, flight)

    def _store(self, key: bytes, sentence: Sentence) -> None:
        self._memory.put(key, sentence)
        if self._disk is not None:
            self._disk.put(key, sentence)

    def _drop(self, key: bytes, flight: _Flight) -> None:
        """Let nobody follow a flight any more who does not yet."""
        if self._flights.get(key) is flight:
            del self._flights[key]


@dataclass(slots=True, eq=False)
class _Flight:
    """A sentence that is being computed for one listener or more."""

    playhead: JointPlayhead = field(default_factory=JointPlayhead)
    chunks: list[AudioChunk] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    _finished: bool = False
    _error: Exception | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, chunk: AudioChunk) -> None:
        self.chunks.append(chunk)
        self.playhead.made(chunk.seconds)
        self._tell()

    def finish(self, error: Exception | None = None) -> None:
        self._finished, self._error = True, error
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def follow(self, listener: Playhead) -> AsyncGenerator[AudioChunk, None]:
        """All chunks from the first on. Raises what computing them raised."""
        taken = 0
        while True:
            while taken < len(self.chunks):
                chunk = self.chunks[taken]
                yield chunk
                taken += 1
                self.playhead.took(listener, chunk.seconds)
            if self._error is not None:
                raise self._error
            if self._finished:
                return
            await self._news.wait()

    async def end(self) -> None:
        """Stop computing; who still follows gets nothing more."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)


def key_of(request: SynthesisRequest, fingerprint: str | None, format_: AudioFormat) -> bytes | None:
    """A digest of everything that decides the samples; None where that is not known."""
    if fingerprint is None:
        return None
    voice = request.voice
    parts = [
        [VERSION, fingerprint, format_.rate, format_.channels],
        [voice.backend, voice.name, voice.language, request.speed, request.text],
        [dataclasses.astuple(pronunciation) for pronunciation in request.pronunciations],
        dict(request.options),
    ]
    try:
        text = json.dumps(parts, sort_keys=True)
    except TypeError:  # options that have no one way of being written
        return None
    return hashlib.blake2b(text.encode(), digest_size=20).digest()


async def _replay(sentence: Sentence, format_: AudioFormat) -> AsyncGenerator[AudioChunk, None]:
    """A stored sentence in chunks of a second, each with the words that begin in it."""
    samples, rate = from_s16(sentence.pcm), format_.rate
    words = list(sentence.words)
    for start in range(0, max(len(samples), 1), rate):
        piece = samples[start : start + rate]
        last = start + rate >= len(samples)
        begun: list[WordTiming] = []
        while words and (last or words[0].start < (start + len(piece)) / rate):
            begun.append(words.pop(0))
        yield AudioChunk(piece, format_, tuple(begun))
