"""Faster and slower at the same pitch, to the last sample."""

from __future__ import annotations

import numpy as np
import pytest

from wyoming_tts.stretch import TimeStretch
from wyoming_tts.types import Samples

RATE = 24_000


def stretched(samples: Samples, tempo: float, size: int) -> Samples:
    stretch = TimeStretch(RATE, tempo)
    pieces = [stretch.feed(samples[at : at + size]) for at in range(0, len(samples), size)]
    return np.concatenate([*pieces, stretch.finish()])


def tone(samples: int, pitch: float = 220.0) -> Samples:
    return (0.5 * np.sin(2 * np.pi * pitch / RATE * np.arange(samples))).astype(np.float32)


@pytest.mark.parametrize("tempo", [0.5, 0.8, 1.0, 1.3, 2.0])
@pytest.mark.parametrize("samples", [1, 500, 1500, 6000, 50_001])
def test_length(tempo: float, samples: int) -> None:
    """It is what the tempo says, however short the sound is."""
    for size in (480, 7000):
        assert len(stretched(tone(samples), tempo, size)) == round(samples / tempo)


@pytest.mark.parametrize("tempo", [0.5, 2.0])
def test_pitch_and_level_stay_and_nothing_clicks(tempo: float) -> None:
    """A tone is the same tone, shorter or longer; its steps are no larger than a tone's."""
    samples = stretched(tone(3 * RATE), tempo, 1000)
    middle = samples[RATE // 4 : -RATE // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * RATE / len(middle) == pytest.approx(220, abs=2)
    assert np.sqrt(np.square(middle).mean()) == pytest.approx(0.5 / np.sqrt(2), rel=0.03)
    assert np.abs(np.diff(middle)).max() < 1.2 * np.abs(np.diff(tone(RATE))).max()


@pytest.mark.parametrize("tempo", [0.5, 2.0])
def test_the_end_is_not_lost(tempo: float) -> None:
    """The last fiftieth of a second of sound is there."""
    silence = np.zeros(RATE, np.float32)
    samples = stretched(np.concatenate([silence, tone(2400, 2000)]), tempo, 960)
    assert np.abs(samples[-round(480 / tempo) :]).max() > 0.25


def test_a_tempo_of_one_is_the_same() -> None:
    """Bit by bit."""
    np.testing.assert_array_equal(stretched(tone(5000), 1.0, 333), tone(5000))
