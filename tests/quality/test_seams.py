"""Where one window ends and the next begins, nothing can be heard of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from tests.quality.seams import seams
from tests.quality.texts import texts_for
from tests.speech import Model, Sentence, place_of
from wyoming_tts.backends.kokoro import FRAME, speech_span
from wyoming_tts.types import Samples

VOICES = ("af_heart", "am_michael", "bf_emma", "ef_dora", "ff_siwis", "hm_psi", "jf_alpha", "zm_yunxi")

SIZE = 10
"""Frames of every window: a quarter of a second, so that there are many joins."""


@dataclass(frozen=True)
class Joined:
    """A sentence as it was delivered."""

    samples: Samples
    joins: list[int]
    """Where one window, or one chunk, ends and the next begins."""

    @property
    def loud_joins(self) -> list[int]:
        """Joins in the middle of sound: in silence, only a click is a fault."""
        return [
            join
            for join in self.joins
            if np.abs(self.samples[join - FRAME : join]).max() > 0.05
            and np.abs(self.samples[join : join + FRAME]).max() > 0.05
        ]


def joined(sentence: Sentence) -> Joined:
    delivered = sentence.deliver((SIZE,))
    samples, begins = delivered.samples, place_of(delivered.samples, sentence.whole())
    start, end = speech_span(sentence.tokens, sentence.prosody.durations)
    windows = [frame * FRAME - begins for frame in range(start, end, SIZE)]
    joins = sorted({*windows, *delivered.joins})
    return Joined(samples, [join for join in joins if FRAME < join < len(samples) - FRAME])


@pytest.fixture(scope="module")
def sentences(model: Model) -> list[Joined]:
    """A sentence or two of each voice."""
    voices = [model.voice(name) for name in VOICES]
    read = [model.read(voice, texts_for(voice, 10)[7]) for voice in voices]
    read += [model.read(voice, texts_for(voice, 10)[4]) for voice in voices[::2]]
    return [joined(sentence) for sentence in read]


def test_no_join_is_heard(sentences: list[Joined]) -> None:
    """At no join of many sentences does speech step or fall silent as it does not near it."""
    assert sum(len(sentence.joins) for sentence in sentences) > 8 * len(sentences)
    assert [seams(sentence.samples, sentence.joins) for sentence in sentences] == [[]] * len(sentences)


def click(samples: Samples, place: int) -> Samples:
    spoilt = samples.copy()
    spoilt[place] += 0.2
    return spoilt


def jump(samples: Samples, place: int) -> Samples:
    """A window that begins with an offset, which then dies away."""
    spoilt = samples.copy()
    spoilt[place:] += 0.2 * np.exp(-np.arange(len(samples) - place, dtype=np.float32) / 200)
    return spoilt


def gap(samples: Samples, place: int) -> Samples:
    """Five milliseconds of nothing."""
    return np.concatenate([samples[: place - 60], np.zeros(120, np.float32), samples[place + 60 :]])


def hole(samples: Samples, place: int) -> Samples:
    """Ten milliseconds between two windows are lost."""
    return np.concatenate([samples[:place], samples[place + 240 :]])


def repeat(samples: Samples, place: int) -> Samples:
    """A window is played twice."""
    return np.concatenate([samples[:place], samples[max(0, place - 6000) :]])


@pytest.mark.parametrize(
    ("fault", "found"), [(click, 0.9), (jump, 0.9), (gap, 0.9), (hole, 0.4), (repeat, 0.4)]
)
def test_a_planted_fault_is_found(
    sentences: list[Joined], fault: Callable[[Samples, int], Samples], found: float
) -> None:
    """Planted at the joins one by one, clicks, jumps and gaps are found nearly always, and a window that is
    cut short or repeated often enough to be seen in any sentence."""
    planted = [(sentence, join) for sentence in sentences for join in sentence.loud_joins]
    seen = [bool(seams(fault(sentence.samples, join), [join])) for sentence, join in planted]
    assert len(planted) > 50
    assert np.mean(seen) > found
