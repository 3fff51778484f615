"""Float samples to what goes out, 16-bit PCM, and back; and at another rate."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from wyoming_tts.types import AudioChunk, Samples

_FULL_SCALE = 32_767


def to_s16(samples: Samples) -> bytes:
    """Signed 16-bit little-endian PCM of float samples; clipped to [-1, 1], NaN and infinity become 0."""
    finite = np.where(np.isfinite(samples), samples, np.float32(0))
    return bytes(np.rint(np.clip(finite, -1, 1) * _FULL_SCALE).astype("<i2").tobytes())


def from_s16(pcm: bytes) -> Samples:
    """Float samples of signed 16-bit little-endian PCM; `to_s16` makes the same bytes of them again."""
    return (np.frombuffer(pcm, "<i2") / np.float32(_FULL_SCALE)).astype(np.float32)


def louder(chunk: AudioChunk, gain: float) -> AudioChunk:
    """A chunk whose amplitude is multiplied, and clipped to [-1, 1]; a gain of 1 is the chunk itself."""
    if gain == 1:
        return chunk
    return dataclasses.replace(chunk, samples=np.clip(chunk.samples * np.float32(gain), -1, 1))


class Resampler:
    """A stream of samples at another rate, by soxr; the same rate goes through as it is."""

    def __init__(self, rate: int, wanted: int) -> None:
        """Rates in Hz."""
        self._stream: Any = None
        if rate != wanted:
            import soxr

            self._stream = soxr.ResampleStream(rate, wanted, 1, dtype="float32")

    def feed(self, samples: Samples) -> Samples:
        """What is ready of it; some milliseconds come with the next samples."""
        return samples if self._stream is None else self._stream.resample_chunk(samples)

    def finish(self) -> Samples:
        """What is still held back."""
        empty = np.zeros(0, np.float32)
        return empty if self._stream is None else self._stream.resample_chunk(empty, last=True)
