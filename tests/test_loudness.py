"""Loudness by ITU-R BS.1770, and speech made louder without clipping."""

from __future__ import annotations

import numpy as np
import pytest

from wyoming_tts.loudness import amplify, block_powers, loudness


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 48_000])
def test_reference_tone(rate: int) -> None:
    """The recommendation's own check: 997 Hz at full scale in one channel is -3.01 LUFS."""
    seconds = np.arange(5 * rate) / rate
    tone = np.sin(2 * np.pi * 997 * seconds).astype(np.float32)
    found = loudness(block_powers(tone, rate))
    assert found is not None
    assert abs(found + 3.01) < 0.1
    quiet = loudness(block_powers(tone * np.float32(0.1), rate))
    assert quiet is not None
    assert abs(quiet + 23.01) < 0.1


def test_pauses_do_not_count() -> None:
    """Speech with long pauses is as loud as without."""
    rate = 24_000
    tone = (0.2 * np.sin(2 * np.pi * 500 * np.arange(rate) / rate)).astype(np.float32)
    alone = loudness(block_powers(tone, rate))
    paused = loudness(block_powers(np.concatenate([tone, np.zeros(3 * rate, np.float32), tone]), rate))
    assert alone is not None
    assert paused == pytest.approx(alone, abs=0.05)
    assert loudness(block_powers(np.zeros(rate, np.float32), rate)) is None
    assert loudness(block_powers(np.zeros(10, np.float32), rate)) is None


def test_amplify_never_clips() -> None:
    """Peaks are bent, smoothly, and what is quiet only gets louder; pieces join without a seam."""
    samples = np.linspace(-1, 1, 1001, dtype=np.float32)
    louder = amplify(samples, 12.0)
    assert np.abs(louder).max() <= 1
    assert (np.diff(louder) >= 0).all()
    assert amplify(np.array([0.1], np.float32), 6.0)[0] == pytest.approx(0.1 * 10 ** (6 / 20))
    pieces = np.concatenate([amplify(samples[:300], 12.0), amplify(samples[300:], 12.0)])
    np.testing.assert_array_equal(pieces, louder)
    assert amplify(samples, 0.0) is samples
