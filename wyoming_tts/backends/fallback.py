"""A chain of backends with the face of one: each sentence is spoken by the first that can.

The backend of the sentence's voice is asked first, then the others in the order of the chain, with a voice
of theirs in the place of the one that was asked for. Who does not begin in time is left behind, and who
failed is left alone until it works again (`circuit`). When a backend breaks off inside a sentence and has
said when each word is spoken, the next one goes on behind the last complete word; otherwise the sentence
ends in an error, because no word is said twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from wyoming_tts.backends.members import USUAL_LOUDNESS, Attempt, Levelled, Member
from wyoming_tts.backends.voice_match import bare_name
from wyoming_tts.errors import (
    BackendError,
    BackendTimeoutError,
    BackendUnavailableError,
    ConfigError,
    SynthesisError,
)
from wyoming_tts.types import AudioChunk, AudioFormat, Samples, SynthesisRequest, Voice, WordTiming

_LOGGER = logging.getLogger(__name__)

PUT_AWAY = 0.05
"""Seconds that the listener waits at most for an abandoned attempt to end; it goes on ending behind that."""

Choice = tuple[Member, Voice]
_PutAway = Callable[[Attempt], Awaitable[None]]


class FallbackBackend:
    """Has the face of a backend; starts and stops all it holds with itself."""

    def __init__(
        self,
        members: Sequence[Member],
        *,
        name: str = "fallback",
        hedge_after: float | None = None,
        level: bool = True,
    ) -> None:
        """`members` in the order in which they are tried; with `level` all are made as loud as the first.

        After `hedge_after` seconds without audio from one the next is asked beside it, and the first to
        answer speaks. Raises ValueError without members.
        """
        if not members:
            raise ValueError("a chain needs at least one backend")
        self.name = name
        self.members = tuple(members)
        self._hedge_after, self._level = hedge_after, level
        self._endings: set[asyncio.Task[None]] = set()

    @property
    def engine(self) -> str:
        """That of the first backend."""
        return self.members[0].backend.engine

    @property
    def format(self) -> AudioFormat:
        """That of the first backend; the others' audio is resampled to it."""
        return self.members[0].backend.format

    @property
    def max_concurrency(self) -> int:
        """That of the first backend."""
        return self.members[0].backend.max_concurrency

    async def start(self) -> None:
        """Start all at the same time. Raises when none can start, or for a wrong setting of any."""
        found = await asyncio.gather(*map(_started, self.members))
        errors = [error for error in found if error is not None]
        for error in errors:
            if isinstance(error, ConfigError):
                raise error
        if len(errors) == len(self.members):
            raise errors[0]

    async def stop(self) -> None:
        """See `Backend.stop`."""
        await asyncio.gather(*self._endings, return_exceptions=True)
        await asyncio.gather(*(member.stop() for member in self.members))

    async def probe(self) -> None:
        """See `Backend.probe`: one of them could speak."""
        errors = []
        for member in self.members:
            try:
                return await member.backend.probe()
            except BackendError as error:
                errors.append(f"{member.name}: {error}")
        raise BackendUnavailableError("; ".join(errors))

    def wake(self) -> None:
        """See `Backend.wake`: the first that is likely to speak."""
        member = next((member for member in self.members if member.circuit.usable), self.members[0])
        member.backend.wake()

    def voices(self) -> Sequence[Voice]:
        """Those of all, each name once, in the order of the chain."""
        voices: dict[str, Voice] = {}
        for member in self.members:
            for voice in member.backend.voices():
                voices.setdefault(voice.name, voice)
        return tuple(voices.values())

    def fingerprint(self, voice: Voice) -> str | None:
        """None: who will speak is not known. Each one's own audio can be cached inside the chain."""
        return None

    def choices(self, voice: Voice) -> list[Choice]:
        """Who would speak for a voice, in order: those that are left alone last, in case all are."""
        first: dict[Member, Voice] = {}
        for member, own in [*self._named(voice), *self._matched(voice)]:
            first.setdefault(member, own)
        return sorted(first.items(), key=lambda choice: not choice[0].circuit.usable)

    def _named(self, voice: Voice) -> Iterator[Choice]:
        """The voice's own backend, then the fallbacks that it names."""
        for member in self.members:
            if member.name == voice.backend and (own := member.voice_for(voice)):
                yield member, own
        for name in voice.fallbacks:
            for member in self.members:
                for other in member.backend.voices():
                    if name in (other.name, f"{member.name}/{bare_name(other)}"):
                        yield member, dataclasses.replace(other, language=_language(voice, other))

    def _matched(self, voice: Voice) -> Iterator[Choice]:
        for member in self.members:
            if member.name != voice.backend and (own := member.voice_for(voice)):
                yield member, own

    async def synthesize(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """See `Backend.synthesize`. Raises the first backend's error when none can speak."""
        spoken = _Spoken(request, self.format)
        race = _Race(self.choices(request.voice), self._hedge_after, self._put_away)
        while not spoken.complete:
            attempt = await race.winner(spoken.request)
            if attempt is None:  # they all say that there is nothing to be heard in it
                return
            try:
                async with contextlib.aclosing(self._speak(attempt, spoken)) as chunks:
                    async for chunk in chunks:
                        if len(chunk.samples) or chunk.words:
                            yield chunk
            except BackendError as error:
                attempt.member.fail(error)
                race.errors.append(error)
                if not spoken.go_on():
                    raise
                _LOGGER.warning("%s broke off; the rest is spoken by another: %s", attempt.member.name, error)
            finally:
                attempt.member.circuit.abandon()
                await self._put_away(attempt)

    async def _speak(self, attempt: Attempt, spoken: _Spoken) -> AsyncGenerator[AudioChunk, None]:
        """All of an attempt's audio, ready to go out."""
        levelled = Levelled(attempt, self.format, self._reference(attempt.member))
        spoken.backend = attempt.member.name
        chunk: AudioChunk | None = attempt.result()
        try:
            while chunk is not None:
                yield spoken.chunk(levelled.feed(chunk.samples), chunk)
                chunk = await attempt.rest()
        except BackendError:
            yield spoken.chunk(levelled.break_off())
            raise
        spoken.complete = True
        attempt.member.succeed()
        yield spoken.chunk(levelled.finish())

    def _reference(self, member: Member) -> _Reference | None:
        """How loud a member shall be; the first one is left as it is."""
        first = self.members[0]
        return _Reference(first) if self._level and member is not first else None

    async def _put_away(self, attempt: Attempt) -> None:
        """End an attempt, without waiting long for it."""
        ending = asyncio.create_task(attempt.close(), name=f"end of {attempt.member.name}")
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        await asyncio.wait({ending}, timeout=PUT_AWAY)


@dataclass(frozen=True, slots=True)
class _Reference:
    """The loudness of a member: the mean of its voices'."""

    member: Member

    def __call__(self) -> float:
        known = [self.member.loudness.of(voice) for voice in self.member.loudness.voices()]
        heard = [one for one in known if one is not None]
        return float(np.mean(heard)) if heard else USUAL_LOUDNESS


class _Race:
    """Finds for one sentence the member that speaks: one after the other, or side by side when late."""

    def __init__(self, choices: Sequence[Choice], hedge_after: float | None, put_away: _PutAway) -> None:
        self._choices, self._hedge_after, self._put_away = iter(choices), hedge_after, put_away
        self._running: list[Attempt] = []
        self._silent = 0
        self.errors: list[BackendError] = []

    async def winner(self, request: SynthesisRequest) -> Attempt | None:
        """Whose first chunk is there; None where all that could be asked hear nothing in the text.

        Raises BackendError when nobody is left.
        """
        try:
            while True:
                if not self._running and not self._begin(request):
                    self._check_silence()
                    return None
                await self._wait()
                for attempt in list(self._running):
                    if await self._has_won(attempt):
                        self._running.remove(attempt)
                        return attempt
                if self._hedges():
                    self._begin(request)
        finally:
            for attempt in self._running:
                attempt.member.circuit.abandon()
                await self._put_away(attempt)
            self._running.clear()

    def _begin(self, request: SynthesisRequest) -> bool:
        """Ask the next one; False when there is none."""
        choice = next(self._choices, None)
        if choice is None:
            self._hedge_after = None
            return False
        self._running.append(Attempt(*choice, request))
        return True

    def _hedges(self) -> bool:
        """Whether it is time to ask another beside the last."""
        if self._hedge_after is None or not self._running:
            return False
        return time.monotonic() >= self._running[-1].began + self._hedge_after

    async def _wait(self) -> None:
        """Until a first chunk is there, or one is overdue, or another should be asked."""
        times = [attempt.late_at for attempt in self._running]
        if self._hedge_after is not None:
            times.append(self._running[-1].began + self._hedge_after)
        timeout = max(0.0, min(times) - time.monotonic())
        await asyncio.wait(
            {attempt.first for attempt in self._running},
            timeout=timeout,
            return_when=asyncio.FIRST_COMPLETED,
        )

    async def _has_won(self, attempt: Attempt) -> bool:
        """Whether it has its first chunk; one that failed or is late is put away."""
        member = attempt.member
        try:
            if attempt.first.done():
                attempt.result()
                return True
            if time.monotonic() < attempt.late_at:
                return False
            seconds = member.options.first_audio_timeout
            raise BackendTimeoutError(f"{member.name} did not begin to speak in {seconds:g} s")
        except BackendError as error:
            self._note(attempt, error)
        self._running.remove(attempt)
        await self._put_away(attempt)
        return False

    def _note(self, attempt: Attempt, error: BackendError) -> None:
        self.errors.append(error)
        if attempt.first.done() and not attempt.first.exception():
            self._silent += 1  # it works, and heard nothing in the text
            attempt.member.circuit.abandon()
            return
        _LOGGER.warning("%s cannot speak a sentence: %s", attempt.member.name, error)
        attempt.member.fail(error)

    def _check_silence(self) -> None:
        """Nobody is left: that is right where they all heard nothing in the text, else raise their error."""
        if not self.errors:
            raise SynthesisError("no backend has a voice for the language of this text")
        if self._silent < len(self.errors):
            raise self.errors[0]


@dataclass(slots=True)
class _Spoken:
    """What of a sentence is out, and what is left of it."""

    request: SynthesisRequest
    """What is still to be spoken."""

    _format: AudioFormat

    backend: str = ""
    """Who speaks."""

    complete: bool = False
    """Whether it was spoken to its end."""

    seconds: float = 0.0
    _cut: int = 0
    """Characters of the sentence in front of `request`'s text."""
    _began: float = 0.0
    """Seconds of audio in front of its audio."""
    _length: int = field(init=False)
    _words: list[WordTiming] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._length = len(self.request.text)

    def chunk(self, samples: Samples, chunk: AudioChunk | None = None) -> AudioChunk:
        """Audio that goes out, its words placed in the whole sentence."""
        words = () if chunk is None else tuple(map(self._placed, chunk.words))
        self._words += words
        self.seconds += len(samples) / self._format.rate
        fraction = 1.0 if self.complete else self._fraction(chunk)
        return AudioChunk(samples, self._format, words, fraction, self.backend)

    def _placed(self, word: WordTiming) -> WordTiming:
        return dataclasses.replace(
            word.later(self._began),
            char_start=word.char_start + self._cut,
            char_end=word.char_end + self._cut,
        )

    def _fraction(self, chunk: AudioChunk | None) -> float | None:
        """Of the whole sentence."""
        if chunk is None or chunk.fraction is None:
            return None
        left = len(self.request.text) / max(1, self._length)
        return 1 - left * (1 - chunk.fraction)

    def go_on(self) -> bool:
        """Make `request` the rest of the sentence; False where nobody knows what has been said."""
        if self.seconds == self._began:
            return True
        if not any(word.char_start >= self._cut for word in self._words):
            return False
        said = [word for word in self._words if word.end <= self.seconds + 1e-3]
        end = max((word.char_end for word in said), default=self._cut)
        self._words = said
        self.request = _behind(self.request, end - self._cut)
        self._cut, self._began = end, self.seconds
        self.complete = not any(character.isalnum() for character in self.request.text)
        return True


def _behind(request: SynthesisRequest, start: int) -> SynthesisRequest:
    """What a request asks for behind a character of its text."""
    kept = (
        dataclasses.replace(one, start=one.start - start, end=one.end - start)
        for one in request.pronunciations
        if one.start >= start
    )
    return dataclasses.replace(request, text=request.text[start:], pronunciations=tuple(kept))


def _language(voice: Voice, other: Voice) -> str:
    """What a fallback shall speak: the voice's language where it can."""
    return voice.language if voice.language in other.spoken else other.language


async def _started(member: Member) -> Exception | None:
    try:
        await member.backend.start()
    except BackendError as error:
        member.fail(error)
        return error
    except ConfigError as error:
        return error
    member.started = True
    return None
