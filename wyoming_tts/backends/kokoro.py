"""What every Kokoro engine shares: one sentence becomes chunks of audio, window by window.

The front of the network runs once a sentence and says how many frames each token lasts. The generator then
runs on windows of frames with the normalisation statistics given, so that it is a plain convolution: with
some frames of context on either side a window gives the samples that the whole sentence would, and windows
are joined by putting them one behind the other. The silence that the network makes before and behind a
sentence is not decoded.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wyoming_tts.backends.kokoro_pace import ONSET, SMALLEST_WINDOW, Pace
from wyoming_tts.phonemes import VOCABULARY, Phonemes, Phonemizer, WordSpan
from wyoming_tts.types import (
    Allowance,
    AudioChunk,
    AudioFormat,
    Samples,
    SynthesisRequest,
    Voice,
    WordTiming,
)

Array = NDArray[np.float32]

RATE = 24_000
"""Samples per second."""

FRAME = 600
"""Samples per frame: 25 ms."""

MAX_TOKENS = 510
"""The network's positions, less the two paddings it wants around a sentence."""

MARGIN = 1
"""Frames beside a window that the generator's second stage, two thirds of the work, looks at."""

RELEASE = 4
"""Frames that the last phoneme is first given to ring out."""

SILENCE = 10 ** (-54 / 20)
"""Amplitude below which nobody hears anything in a room."""

EDGE = RATE // 100
"""Samples kept on the far side of the first and last audible sample, and faded."""

SPACE = VOCABULARY[" "]
"""Token id of a space."""

STOPS = frozenset(VOCABULARY[mark] for mark in ";:,.!?—…" if mark in VOCABULARY)
"""Token ids behind which a voice may pause."""

MARKS = STOPS | {VOCABULARY[mark] for mark in '"()“” ' if mark in VOCABULARY}
"""Token ids that make no sound."""


FREELY = Allowance()
"""With all there is."""


@dataclass(frozen=True, slots=True)
class Prosody:
    """What the front says of one sentence."""

    hidden: Array
    """What the generator upsamples, (1, 512, 2 * frames)."""

    source: Array
    """Spectrum and phase of the harmonic source, whose phase runs on, (1, 22, 120 * frames + 1)."""

    durations: NDArray[np.int64]
    """Frames each token lasts, the two paddings included; (tokens + 2,)."""

    style: Array
    """Gain and bias that the style wants of every AdaIN, times the snake's alpha; (2, channels)."""

    @property
    def frames(self) -> int:
        """Length of the sentence."""
        return self.hidden.shape[2] // 2


@dataclass(frozen=True, slots=True)
class Window:
    """Some frames of a sentence, for the generator."""

    hidden: Array
    """See `Prosody`, (1, 512, 2 * frames)."""

    source: Array
    """See `Prosody`, (1, 22, 120 * frames + 1)."""

    first: int
    """First frame, counted from the window's, that the second stage shall see."""

    last: int
    """Frame behind the last such."""

    allowance: Allowance
    """What may be spent on it."""


class Engine(Protocol):
    """The network itself, on whatever runtime; any number of calls at the same time."""

    context: int
    """Frames beside a window that the generator looks at."""

    def predict(
        self, tokens: tuple[int, ...], row: Array, speed: float, allowance: Allowance = FREELY
    ) -> Prosody:
        """Run the front. `tokens` come without padding; `row` is the voice's style, (1, 256)."""
        ...

    def generate(self, window: Window, scale: Array, shift: Array) -> Samples:
        """Run the generator with every AdaIN given as scale and shift, (channels,) each.

        Returns the samples of the frames [first, last) of the window, float32 of shape (600 * frames,), of
        which `MARGIN` frames at either end are right only at an edge of the sentence.
        """
        ...


@dataclass(frozen=True, slots=True)
class Decoder:
    """One sentence ready to be decoded in any windows."""

    engine: Engine
    prosody: Prosody
    scale: Array
    shift: Array

    @classmethod
    def of(cls, engine: Engine, prosody: Prosody, statistics: Array) -> Decoder:
        """`statistics` are the means and deviations that the AdaINs shall use, (2, channels)."""
        gain, bias = prosody.style
        mean, deviation = statistics
        scale = gain / deviation
        shift = bias - mean * scale
        return cls(engine, prosody, scale, shift)

    def decode(self, start: int, end: int, allowance: Allowance = FREELY) -> Samples:
        """Samples of the frames [start, end)."""
        (outer, outermost), (first, last) = (
            (max(0, start - beside), min(self.prosody.frames, end + beside))
            for beside in (self.engine.context, MARGIN)
        )
        window = Window(
            self.prosody.hidden[:, :, 2 * outer : 2 * outermost],
            self.prosody.source[:, :, 120 * outer : 120 * outermost + 1],
            first - outer,
            last - outer,
            allowance,
        )
        audio = self.engine.generate(window, self.scale, self.shift)
        return audio[(start - first) * FRAME : (end - first) * FRAME]


def speech_span(tokens: tuple[int, ...], durations: NDArray[np.int64], speed: float = 1.0) -> tuple[int, int]:
    """First and last frame (exclusive) of what can be heard, by the tokens' durations."""
    ends = np.cumsum(durations)
    voiced = [i for i, token in enumerate(tokens) if token not in MARKS] or [0, len(tokens) - 1]
    early = ONSET + durations[0] * max(0.0, 1 - speed)  # slow speech begins inside the stretched silence
    start = ends[voiced[0]] - early  # the padding in front shifts tokens by one: this is where it begins
    end = ends[voiced[-1] + 1] + RELEASE
    return max(0, int(start)), min(int(ends[-1]), int(end))


def windows(
    decode: Callable[[int, int], Samples], span: tuple[int, int], frames: int, next_size: Callable[[int], int]
) -> Iterator[tuple[Samples, int, bool]]:
    """Decode `span` of a sentence of so many frames, window by window and without a gap.

    Yields samples, the frame they end at, and whether they are the last. `next_size` gets the frames of the
    last window (0 at first) and says how many to decode now. A sentence that already sounds where the span
    begins, or still where it ends, gets more frames while there are any.
    """
    (start, end), size = span, 0
    while start < end:
        size = next_size(size)
        stop = end if end - start - size < max(SMALLEST_WINDOW, size) // 2 else start + size
        audio = decode(start, stop)
        if start == span[0]:
            audio = _with_onset(decode, start, audio)
        if stop == end < frames and _is_audible(audio[-FRAME:]):
            end = min(frames, end + RELEASE)
        start = stop
        yield audio, stop, stop == end


def _with_onset(decode: Callable[[int, int], Samples], start: int, audio: Samples) -> Samples:
    """A first window that begins at frame `start`, and what sounds before it."""
    while start > 0 and _is_audible(audio[:EDGE]):
        earlier = max(0, start - ONSET)
        audio, start = np.concatenate([decode(earlier, start), audio]), earlier
    return audio


def _is_audible(audio: Samples) -> bool:
    return bool(np.abs(audio).max() > SILENCE)


def trim_head(piece: Samples) -> Samples:
    """Without the silence at the beginning, faded in so that no edge clicks."""
    audible = np.flatnonzero(np.abs(piece) > SILENCE)
    kept = piece[max(0, audible[0] - EDGE) if len(audible) else len(piece) :].copy()
    kept[:EDGE] *= np.linspace(0, 1, EDGE, dtype=np.float32)[: len(kept)]
    return kept


def trim_tail(piece: Samples) -> Samples:
    """Without the silence at the end, faded out."""
    return trim_head(piece[::-1])[::-1]


def hold_tail(piece: Samples) -> tuple[Samples, Samples]:
    """What can go out, and what `trim_tail` may yet want if nothing audible follows."""
    audible = np.flatnonzero(np.abs(piece) > SILENCE)
    end = max(0, min(len(piece) - EDGE, int(audible[-1]) if len(audible) else 0))
    return piece[:end], piece[end:]


@dataclass(frozen=True, slots=True)
class Part:
    """As much of a sentence as the network takes at once."""

    tokens: tuple[int, ...]
    words: tuple[WordSpan, ...]
    """Words of this part; their token indices count from the part's first token."""


def parts_of(phonemes: Phonemes, limit: int = MAX_TOKENS) -> Iterator[Part]:
    """The sentence in parts of at most `limit` tokens, cut behind a mark where the second half has one."""
    start, total = 0, len(phonemes.tokens)
    while start < total:
        end = total if total - start <= limit else start + _cut(phonemes.tokens[start : start + limit])
        words = (
            dataclasses.replace(
                word, token_start=max(0, word.token_start - start), token_end=min(end, word.token_end) - start
            )
            for word in phonemes.words
            if start <= word.token_start < end
        )
        yield Part(phonemes.tokens[start:end], tuple(words))
        start = end


def _cut(tokens: tuple[int, ...]) -> int:
    """Where to cut a run of tokens: behind its last stop, else its last space, else at its end."""
    half = len(tokens) // 2
    for marks in (STOPS, {SPACE}):
        for i in range(len(tokens) - 1, half, -1):
            if tokens[i] in marks:
                return i + 1
    return len(tokens)


def word_timings(part: Part, durations: NDArray[np.int64], offset: float) -> tuple[WordTiming, ...]:
    """When each word of a part is spoken; `offset` is the seconds at which the part's first frame plays."""
    edges = np.concatenate([[0], np.cumsum(durations)]) * FRAME / RATE + offset
    return tuple(
        WordTiming(
            word=word.word,
            start=max(0.0, float(edges[word.token_start + 1])),
            end=max(0.0, float(edges[_sound_end(part.tokens, word) + 1])),
            char_start=word.char_start,
            char_end=word.char_end,
        )
        for word in part.words
    )


def _sound_end(tokens: tuple[int, ...], word: WordSpan) -> int:
    """Index behind the last token of a word that makes a sound; the pause of its comma is not the word's."""
    end = max(word.token_start, word.token_end)
    while end > word.token_start and tokens[end - 1] in MARKS:
        end -= 1
    return end


def _from_onset(words: tuple[WordTiming, ...]) -> tuple[WordTiming, ...]:
    """With the first word from the first sample: what is heard before its token's time is its onset."""
    return tuple(dataclasses.replace(word, start=0.0) for word in words[:1]) + words[1:]


Chunks = Generator[AudioChunk, None, None]


def _ended(word: WordTiming, seconds: float) -> WordTiming:
    """Nominally a last phoneme goes on in the silence behind it, which is not played."""
    return dataclasses.replace(word, start=min(word.start, seconds), end=min(word.end, seconds))


@dataclass(frozen=True, slots=True)
class Speaker:
    """Speaks sentences with one engine, any number at the same time."""

    engine: Engine
    phonemizer: Phonemizer
    statistics: Callable[[Voice, Prosody, int], Array]
    """What the AdaINs of a sentence of so many tokens shall use, (2, channels)."""

    row: Callable[[Voice, int], Array]
    """The voice's style for a sentence of so many tokens, (1, 256)."""

    pace: Pace

    def speak(self, request: SynthesisRequest) -> Chunks:
        """Chunks of one sentence; times count from its first sample."""
        phonemes = self.phonemizer.phonemize(request.text, request.voice.language, request.pronunciations)
        samples = 0
        for part in parts_of(phonemes):
            words: list[WordTiming] = []
            for piece, found, last in self._part(part, request):
                words += [word.later(samples / RATE) for word in found]
                samples += len(piece)
                # The last word waits for the end: where it ends is known only then.
                ready = words if last else [word for word in words[:-1] if word.start < samples / RATE]
                words = words[len(ready) :]
                ready = [_ended(word, samples / RATE) for word in ready] if last else ready
                yield AudioChunk(piece, AudioFormat(RATE), tuple(ready))

    def _part(
        self, part: Part, request: SynthesisRequest
    ) -> Iterator[tuple[Samples, tuple[WordTiming, ...], bool]]:
        """Audio of one part, with its first piece all words, timed from there, and whether it is the last."""
        count, allowance = len(part.tokens), request.allowance
        row = self.row(request.voice, count)
        prosody = self.engine.predict(part.tokens, row, request.speed, allowance)
        decoder = Decoder.of(self.engine, prosody, self.statistics(request.voice, prosody, count))
        span = speech_span(part.tokens, prosody.durations, request.speed)

        def decode(start: int, stop: int) -> Samples:
            began = time.perf_counter()
            audio = decoder.decode(start, stop, allowance)
            self.pace.measure(stop - start, time.perf_counter() - began, allowance)
            return audio

        def next_size(previous: int) -> int:
            return self.pace.next_window(previous, request.playhead, allowance)

        begun, held = False, np.zeros(0, np.float32)
        words: tuple[WordTiming, ...] = ()
        for piece, stop, last in windows(decode, span, prosody.frames, next_size):
            kept = piece if begun else trim_head(piece)
            if not begun and (begun := bool(len(kept))):
                begin = len(kept) / RATE - stop * FRAME / RATE
                words = _from_onset(word_timings(part, prosody.durations, begin))
            kept, held = hold_tail(np.concatenate([held, kept]))
            kept = trim_tail(np.concatenate([kept, held])) if last else kept
            if len(kept):
                yield kept, words, last
                words = ()
