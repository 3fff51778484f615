"""Float samples become 16-bit PCM."""

from __future__ import annotations

import numpy as np
import pytest

from wyoming_tts.audio import to_s16


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (0, 0),
        (1, 32_767),
        (-1, -32_767),
        (0.5, 16_384),
        (2, 32_767),
        (-7, -32_767),
        (float("nan"), 0),
        (float("inf"), 0),
        (float("-inf"), 0),
    ],
)
def test_a_sample_is_scaled_and_clipped(sample: float, expected: int) -> None:
    """Full scale is 32767 on both sides, louder is clipped, and what is no number is silence."""
    assert np.frombuffer(to_s16(np.array([sample], np.float32)), "<i2").tolist() == [expected]


def test_pcm_is_little_endian_and_whole() -> None:
    """Every sample is two bytes, the low one first."""
    assert to_s16(np.array([1, 0, -1], np.float32)) == b"\xff\x7f\x00\x00\x01\x80"
    assert to_s16(np.zeros(0, np.float32)) == b""
