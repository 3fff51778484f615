"""One sentence of Chatterbox from text to samples: tokens drawn, streamed, marked; and what goes wrong."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wyoming_tts.backends.chatterbox_cache import Voices
from wyoming_tts.backends.chatterbox_clips import RATE, Clip
from wyoming_tts.backends.chatterbox_models import KINDS, Model, VoiceBook
from wyoming_tts.backends.chatterbox_stream import MelStream, WaveStream, stream
from wyoming_tts.backends.chatterbox_tokens import Fixed, Sampling, tokens
from wyoming_tts.backends.torch_device import free_cache, is_out_of_memory
from wyoming_tts.errors import (
    BackendOverloadedError,
    BackendUnavailableError,
    SynthesisError,
    WyomingTtsError,
)
from wyoming_tts.types import CHARACTERS_PER_SECOND, Samples, SynthesisRequest

TOKENS_PER_SECOND = 25
"""Of speech."""

FREE_TOKENS, TOKENS_PER_CHARACTER = 75, 5
"""How many tokens a text may have: thrice what it needs, for a model that does not find its end."""

SILENCE = 4299
"""The speech token of silence."""

MARKED_SECONDS = 1.0
"""Seconds of sound that a watermark is put into at once: in shorter pieces it is heard."""


@dataclass(slots=True)
class Drawn:
    """The speech tokens of a sentence so far, from which its progress is told."""

    tokens: int = 0
    """How many there are."""

    ended: bool = False
    """Whether there will be no more."""

    _fraction: float = 0.0

    def fraction(self, seconds: float, characters: int) -> float:
        """Part of a text of so many characters that is done when so many seconds of it were spoken."""
        expected = TOKENS_PER_SECOND / CHARACTERS_PER_SECOND * characters
        total = self.tokens if self.ended else max(expected, self.tokens)
        done = seconds * TOKENS_PER_SECOND / max(1.0, total)
        self._fraction = max(self._fraction, min(1.0 if self.ended else 0.95, done))
        return self._fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A loaded model, the voices that were made for it, and how it shall speak."""

    model: Model
    book: VoiceBook
    sampling: Sampling
    fixed: Fixed | None = None
    """What draws tokens faster, for one sentence at a time."""

    voices: Voices = field(default_factory=Voices)
    """What need not be read again of a voice."""

    exaggeration: float = 0.5
    steps: int | None = None
    """Of the flow; None is the model's own number."""

    max_tokens: int = 1000
    watermark: bool = True

    def speak(
        self,
        request: SynthesisRequest,
        clip: Clip | None,
        seed: int,
        check: Callable[[], None],
        drawn: Drawn | None = None,
    ) -> Iterator[Samples]:
        """Samples of one sentence, in the voice of a clip or the checkpoint's own.

        `check` is called behind each token and before each step of the flow; it raises to end all. `drawn`
        counts the tokens.
        """
        pieces = self._pieces(request, clip, seed, check, drawn or Drawn())
        with _our_errors(str(self.model.t3.device)), contextlib.closing(pieces):
            yield from self._marked(pieces)

    def _pieces(
        self,
        request: SynthesisRequest,
        clip: Clip | None,
        seed: int,
        check: Callable[[], None],
        count: Drawn,
    ) -> Generator[Samples, None, None]:
        kind, s3gen = KINDS[self.model.kind], self.model.s3gen
        voice = self.model.moved(self.book.voice(clip), self.exaggeration)
        drawn = _checked(self._drawn(request, voice, seed), check, count)
        mels = MelStream(s3gen, voice.gen, seed=seed, steps=self.steps, check=check)
        waves = WaveStream(s3gen.mel2wav, seed=seed, rise=s3gen.trim_fade)
        spoken = itertools.chain(drawn, itertools.repeat(SILENCE, kind.silence))
        held, lead = s3gen.flow.pre_lookahead_len, request.playhead.lead
        with contextlib.closing(drawn):
            yield from stream(spoken, mels, waves, held, lead, unheard=kind.unheard)

    def _drawn(self, request: SynthesisRequest, voice: Any, seed: int) -> Generator[int, None, None]:
        text = self.model.text_tokens(request.text, request.voice.language)
        limit = min(self.max_tokens, FREE_TOKENS + TOKENS_PER_CHARACTER * len(request.text))
        t3, given = self.model.t3, (voice.t3, text, self.sampling)
        return tokens(t3, *given, seed=seed, limit=limit, fixed=self.fixed, voices=self.voices)

    def _marked(self, pieces: Iterator[Samples]) -> Iterator[Samples]:
        """With the package's watermark, where it brings one and that is wanted."""
        marker = self.model.watermarker if self.watermark else None
        if marker is None:
            yield from pieces
            return
        waiting: list[Samples] = []
        for piece in itertools.chain(pieces, [None]):
            if piece is not None:
                waiting.append(piece)
            if waiting and (piece is None or sum(map(len, waiting)) >= MARKED_SECONDS * RATE):
                block = np.concatenate(waiting)
                waiting = []
                marked = np.asarray(marker.apply_watermark(block, sample_rate=RATE), np.float32)
                yield np.concatenate([marked, block[len(marked) :]])  # its STFT drops a remainder


def _checked(
    drawn: Generator[int, None, None], check: Callable[[], None], count: Drawn
) -> Generator[int, None, None]:
    """Tokens, for as long as somebody wants them. Raises SynthesisError when there is none."""
    with contextlib.closing(drawn):
        for token in drawn:
            count.tokens += 1
            check()
            yield token
    count.ended = True
    if not count.tokens:
        raise SynthesisError("the model says nothing to this text")


@contextlib.contextmanager
def _our_errors(device: str) -> Iterator[None]:
    """What PyTorch and the package raise, as what it means."""
    try:
        yield
    except WyomingTtsError:
        raise
    except ImportError as error:  # the package imports some things only when they are used
        raise BackendUnavailableError(f"{error}; run script/setup chatterbox") from error
    except Exception as error:  # strangers' errors become ours here, whatever they are
        if is_out_of_memory(error):
            free_cache(device)
            raise BackendOverloadedError(f"no memory is left to compute in: {error}") from error
        raise SynthesisError(f"Chatterbox failed: {type(error).__name__}: {error}") from error
