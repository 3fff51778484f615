"""What the layers hand each other: voices, requests, audio, timings, progress."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Mono audio in [-1, 1], shape (samples,)."""


CHARACTERS_PER_SECOND = 15.0
"""How much text a second of speech is, about: for what is asked before there is any."""

MIN_SPEED, MAX_SPEED = 0.5, 2.0
"""How far the pace may be from a voice's own, which is 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A voice that can be asked for by name."""

    name: str
    """What a request names, such as `af_heart`; unique in the catalogue."""

    language: str
    """BCP 47 tag, such as `en-US`: what it speaks unless somebody says otherwise."""

    backend: str
    """Name of the backend that speaks it."""

    description: str
    """What a person chooses by: `Heart, US English, female`."""

    network: str = ""
    """The network that it is made for, such as `kokoro`, where several backends can run that."""

    gender: str | None = None
    """`female`, `male`, or None where nobody said."""

    grade: str | None = None
    """The model authors' quality grade, `A` to `F` with sign, where published."""

    aliases: tuple[str, ...] = ()
    """Other names that mean this voice."""

    languages: tuple[str, ...] = ()
    """BCP 47 tags of what else it speaks."""

    fallbacks: tuple[str, ...] = ()
    """Voices of other backends to use in its place, nearest first."""

    last_resort: bool = False
    """Whether it is there so that something is said, and nobody would choose it."""

    blend: bool = False
    """Whether the name says how to mix it from others."""

    base: Voice | None = None
    """The voice that speaks, where this one is only a name for it with settings of its own."""

    speed: float = 1.0
    """Pace of such a voice beside its base's own."""

    gain: float = 0.0
    """Decibels by which such a voice is louder than its base."""

    @property
    def speaker(self) -> Voice:
        """The voice that a backend is asked for."""
        return self if self.base is None else replace(self.base, fallbacks=self.fallbacks)

    @property
    def spoken(self) -> tuple[str, ...]:
        """All it speaks, its own language first."""
        return (self.language, *(tag for tag in self.languages if tag != self.language))


@dataclass(frozen=True, slots=True)
class VoiceQuery:
    """Which voice a caller asked for; all None means that nothing was asked."""

    name: str | None = None
    """Voice name or alias; overrides the language."""

    language: str | None = None
    """Language tag in any spelling (`en`, `en_us`, `pt-BR`)."""

    speaker: str | None = None
    """Speaker within the voice; where a voice has none, it must be None or the voice's own name."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Rate and channels; samples are float32 inside and s16 on the wire."""

    rate: int = 24_000
    """Samples per second."""

    channels: int = 1
    """1 is mono."""


@dataclass(frozen=True, slots=True)
class WordTiming:
    """When one word of the caller's text is spoken."""

    word: str
    """The word as the caller wrote it."""

    start: float
    """Seconds from the start of the audio it came with (in a stream: of the stream)."""

    end: float
    """Seconds, not before `start`."""

    char_start: int
    """Offset of the word's first character in the text that was sent."""

    char_end: int
    """Offset behind its last character."""

    def later(self, seconds: float) -> WordTiming:
        """The same word so many seconds later."""
        return replace(self, start=self.start + seconds, end=self.end + seconds)


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A piece of audio between two layers."""

    samples: Samples
    """float32 in [-1, 1], shape (samples,)."""

    format: AudioFormat = AudioFormat()
    """Rate and channels of the samples."""

    words: tuple[WordTiming, ...] = ()
    """The words that begin in this chunk; times count from the start of the sentence
    as a backend yields it, of the stream as the pipeline does."""

    fraction: float | None = None
    """Part of the sentence that is done with this chunk, 0 to 1, where the backend knows."""

    backend: str = ""
    """Name of the backend that made it, where a chain of them chose."""

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.samples) / self.format.rate


UNDERRUN = 0.02
"""Seconds of silence that a listener's own buffer covers."""


class Playhead:
    """How much audio one listener has still to play: the clock behind every deadline.

    The listener starts to play with the first audio and plays in real time. When it runs
    dry it waits, and goes on with the next audio that arrives.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` returns seconds."""
        self._clock = clock
        self._dry_at = clock()
        self.first_audio: float | None = None
        """Clock reading when the first audio went out; None before."""
        self.seconds_sent = 0.0
        """Audio sent so far, in seconds."""
        self.underruns = 0
        """Times that it had run dry when more came."""
        self.characters_left = 0
        """Text that is known and has not become audio yet."""
        self.ended = False
        """Whether the stream is over, and nothing will be asked for it any more."""

    @property
    def streams(self) -> tuple[Playhead, ...]:
        """The listeners behind it: itself."""
        return (self,)

    @property
    def deadline(self) -> float:
        """Clock reading at which the listener falls silent; its arrival before any audio."""
        return self._dry_at

    def lead(self) -> float:
        """Seconds of audio the listener has left to play; 0 when it waits."""
        return max(0.0, self._dry_at - self._clock())

    def sent(self, seconds: float) -> None:
        """Note that `seconds` of audio have gone out now."""
        now = self._clock()
        if self.first_audio is None:
            self.first_audio = now
        elif now > self._dry_at + UNDERRUN:
            self.underruns += 1
        self._dry_at = max(self._dry_at, now) + seconds
        self.seconds_sent += seconds


class BackgroundPlayhead(Playhead):
    """The clock of speech that nobody listens to: it is never late."""

    @property
    def deadline(self) -> float:
        """Never."""
        return math.inf

    def lead(self) -> float:
        """There is always enough."""
        return math.inf


class JointPlayhead(Playhead):
    """The clock of several listeners who get the same sentence: as urgent as the one most in need."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nobody listens yet."""
        super().__init__(clock)
        self._coming: dict[Playhead, float] = {}
        """Seconds that were made for each listener and have not been sent to it."""
        self._made = 0.0

    def join(self, listener: Playhead) -> None:
        """One more listens, to all of the sentence."""
        self._coming[listener] = self._made

    def leave(self, listener: Playhead) -> None:
        """One listens no more."""
        del self._coming[listener]

    def made(self, seconds: float) -> None:
        """So much more of the sentence is there for everyone."""
        self._made += seconds
        for listener in self._coming:
            self._coming[listener] += seconds

    def took(self, listener: Playhead, seconds: float) -> None:
        """So much of it was sent to one listener, whose own clock knows it now."""
        self._coming[listener] -= seconds

    @property
    def streams(self) -> tuple[Playhead, ...]:
        """All listeners behind it."""
        return tuple(stream for listener in self._coming for stream in listener.streams)

    @property
    def deadline(self) -> float:
        """When the first of them falls silent."""
        now = self._clock()
        ends = (max(one.deadline, now) + s if s else one.deadline for one, s in self._coming.items())
        return min(ends, default=math.inf)

    def lead(self) -> float:
        """Seconds that the one has left who has the least."""
        return min((listener.lead() + s for listener, s in self._coming.items()), default=math.inf)

    @property
    def first_audio(self) -> float | None:
        """When the last of them got its first audio; None while there is none for one of them."""
        readings = [self._clock() if s else one.first_audio for one, s in self._coming.items()]
        return None if None in readings else max(filter(None, readings), default=None)

    @first_audio.setter
    def first_audio(self, reading: float | None) -> None:
        pass  # every listener keeps its own

    @property
    def characters_left(self) -> int:
        """Of the listener with the most."""
        return max((listener.characters_left for listener in self._coming), default=0)

    @characters_left.setter
    def characters_left(self, characters: int) -> None:
        pass  # every listener keeps its own


@dataclass(slots=True)
class Allowance:
    """What a scheduler allows a sentence's next chunk; it is set anew before each."""

    urgent: bool = True
    """Whether a listener waits for it; otherwise it is computed with as little as possible."""

    threads: int | None = None
    """Threads that it may use at most; None leaves that to the backend."""

    listeners: float = 1.0
    """Listeners that take turns on each thread, at least 1: the next turn comes so much later."""


@dataclass(frozen=True, slots=True)
class Pronunciation:
    """How a stretch of a text is pronounced, because somebody said so."""

    start: int
    """Index of its first character in the text."""

    end: int
    """Index behind its last character."""

    phonemes: str
    """IPA, or the symbols Kokoro was trained on; symbols nobody knows are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesisRequest:
    """One sentence for a backend."""

    text: str
    """What to speak, as it is read out: words, no markup, no digits; never blank."""

    pronunciations: tuple[Pronunciation, ...] = ()
    """Stretches of the text whose phonemes are given, in order; a backend without phonemes reads the text."""

    voice: Voice
    """Who speaks."""

    speed: float = 1.0
    """1 is the voice's own pace, 2 twice as fast."""

    playhead: Playhead = field(default_factory=Playhead)
    """The listener's clock; its deadline says how urgent the next chunk is."""

    allowance: Allowance = field(default_factory=Allowance)
    """How much may be spent on the next chunk."""

    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))  # 3.11 cannot hash it
    """What only this backend understands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one stream is; observers get one after every chunk."""

    stream: str
    """Identifies the stream in the log."""

    backend: str
    """Name of the backend that spoke last."""

    characters: int
    """Characters of text spoken so far."""

    sentences: int
    """Sentences begun so far, or parts where a long one is spoken in parts."""

    audio_seconds: float
    """Seconds of audio made so far."""

    elapsed_seconds: float
    """Seconds since the stream began."""

    first_audio_seconds: float | None
    """Seconds from the beginning to the first audio; None before it."""

    fraction: float | None
    """Part of the text that is done, 0 to 1; None while text still arrives."""

    finished: bool
    """True on the last one."""

    voice: str = ""
    """Name of the voice that was asked for last."""

    wanted_backend: str = ""
    """Name of the backend that voice belongs to; another one than `backend` spoke in its place."""

    underruns: int = 0
    """Times so far that the listener had nothing left to play."""
