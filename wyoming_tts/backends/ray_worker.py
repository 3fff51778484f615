"""What a worker of a pool does: it holds a backend, and speaks its sentences a chunk at a call.

Nothing here knows of Ray, which runs a `Worker` in a process of its own, on this machine or another.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wyoming_tts.backends.base import Backend, Surroundings, closable
from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.types import (
    Allowance,
    AudioChunk,
    AudioFormat,
    Playhead,
    Pronunciation,
    SynthesisRequest,
    Voice,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to make the backend of a worker."""

    target: str
    """Its class, as an entry point names it: `module:name`."""

    options: Mapping[str, Any]
    """Its options, not checked."""

    surroundings: Surroundings
    """Its name is that of the pool, so that its voices are the pool's."""

    def build(self) -> Backend:
        """One that was not started. Raises what the class raises."""
        kind = pkgutil.resolve_name(self.target)
        return kind(kind.Options(**self.options), self.surroundings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a worker says of its backend once that is started."""

    pid: int
    """Its process, on its machine."""

    engine: str
    format: AudioFormat
    concurrency: int
    """Sentences that it computes at the same time."""

    voices: tuple[Voice, ...]
    fingerprints: Mapping[str, str | None]
    """By the name of the voice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What of a request stays the same while it is spoken."""

    text: str
    pronunciations: tuple[Pronunciation, ...]
    voice: Voice
    speed: float
    options: Mapping[str, Any]

    @classmethod
    def of(cls, request: SynthesisRequest) -> Sentence:
        """All of it but the listener's clock and the scheduler's allowance."""
        return cls(
            text=request.text,
            pronunciations=request.pronunciations,
            voice=request.voice,
            speed=request.speed,
            options=dict(request.options),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A listener's clock and what the scheduler allows, in numbers: they hold for one chunk."""

    lead: float
    """Seconds that the listener has left to play."""

    has_heard: bool
    """Whether it has heard anything yet."""

    seconds_sent: float
    characters_left: int
    urgent: bool
    threads: int | None
    listeners: float

    @classmethod
    def of(cls, request: SynthesisRequest) -> Reading:
        """As it is now."""
        playhead, allowance = request.playhead, request.allowance
        return cls(
            lead=playhead.lead(),
            has_heard=playhead.first_audio is not None,
            seconds_sent=playhead.seconds_sent,
            characters_left=playhead.characters_left,
            urgent=allowance.urgent,
            threads=allowance.threads,
            listeners=allowance.listeners,
        )


class FollowingPlayhead(Playhead):
    """The clock of a listener who is elsewhere, set anew for every chunk: machines' clocks differ."""

    def follow(self, reading: Reading) -> None:
        """Go on from this reading."""
        now = self._clock()
        self._dry_at = now + reading.lead
        if reading.has_heard and self.first_audio is None:
            self.first_audio = now
        self.seconds_sent = reading.seconds_sent
        self.characters_left = reading.characters_left


class Worker:
    """Holds one backend; every call may come while others run."""

    def __init__(self, recipe: Recipe) -> None:
        """Loads nothing yet."""
        self._backend = recipe.build()
        self._open: dict[int, _Speech] = {}

    async def start(self) -> Description:
        """Start the backend, and say what it is. Raises BackendError."""
        await self._backend.start()
        voices = tuple(self._backend.voices())
        return Description(
            pid=os.getpid(),
            engine=self._backend.engine,
            format=self._backend.format,
            concurrency=self._backend.max_concurrency,
            voices=voices,
            fingerprints={voice.name: self._backend.fingerprint(voice) for voice in voices},
        )

    async def stop(self) -> None:
        """Stop the backend."""
        await self._backend.stop()

    async def probe(self) -> None:
        """See `Backend.probe`."""
        await self._backend.probe()

    async def wake(self) -> None:
        """See `Backend.wake`."""
        self._backend.wake()

    async def live(self) -> None:
        """Never return: whoever waits for it hears at once when this process dies."""
        await asyncio.get_running_loop().create_future()

    async def sentences(self) -> int:
        """How many are being spoken."""
        return len(self._open)

    async def step(
        self, ticket: int, reading: Reading, sentence: Sentence | None = None
    ) -> AudioChunk | None:
        """The next chunk of a sentence, which comes with the first step of a new ticket; None at the end.

        Raises what the backend raises, and BackendUnavailableError when the sentence is closed meanwhile.
        """
        if sentence is not None:
            self._open[ticket] = _Speech.of(self._backend, sentence)
        if (speech := self._open.get(ticket)) is None:
            raise BackendUnavailableError("the worker does not know this sentence")
        chunk = None
        try:
            chunk = await speech.step(reading)
        finally:
            if chunk is None:
                await self.close(ticket)
        return chunk

    async def close(self, ticket: int) -> None:
        """Stop the work on a sentence, within one chunk's time."""
        speech = self._open.pop(ticket, None)
        if speech is not None:
            await speech.close()


@dataclass(slots=True)
class _Speech:
    """A sentence that is being spoken."""

    chunks: Any
    playhead: FollowingPlayhead
    allowance: Allowance
    running: asyncio.Task[AudioChunk | None] | None = field(default=None)

    @classmethod
    def of(cls, backend: Backend, sentence: Sentence) -> _Speech:
        playhead, allowance = FollowingPlayhead(), Allowance()
        request = SynthesisRequest(
            text=sentence.text,
            pronunciations=sentence.pronunciations,
            voice=sentence.voice,
            speed=sentence.speed,
            playhead=playhead,
            allowance=allowance,
            options=sentence.options,
        )
        return cls(closable(backend.synthesize(request)), playhead, allowance)

    async def step(self, reading: Reading) -> AudioChunk | None:
        self.playhead.follow(reading)
        self.allowance.urgent, self.allowance.threads = reading.urgent, reading.threads
        self.allowance.listeners = reading.listeners
        self.running = asyncio.create_task(self._next())
        try:
            return await self.running
        except asyncio.CancelledError:
            raise BackendUnavailableError("nobody listens any more") from None

    async def _next(self) -> AudioChunk | None:
        return await anext(self.chunks, None)

    async def close(self) -> None:
        if self.running is not None:
            self.running.cancel()
            await asyncio.gather(self.running, return_exceptions=True)
        with contextlib.suppress(BackendUnavailableError):
            await self.chunks.aclose()
