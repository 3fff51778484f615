"""Float samples to what goes out, 16-bit PCM, and back."""

from __future__ import annotations

import numpy as np

from wyoming_tts.types import Samples

_FULL_SCALE = 32_767


def to_s16(samples: Samples) -> bytes:
    """Signed 16-bit little-endian PCM of float samples; clipped to [-1, 1], NaN and infinity become 0."""
    finite = np.where(np.isfinite(samples), samples, np.float32(0))
    return bytes(np.rint(np.clip(finite, -1, 1) * _FULL_SCALE).astype("<i2").tobytes())


def from_s16(pcm: bytes) -> Samples:
    """Float samples of signed 16-bit little-endian PCM; `to_s16` makes the same bytes of them again."""
    return (np.frombuffer(pcm, "<i2") / np.float32(_FULL_SCALE)).astype(np.float32)
