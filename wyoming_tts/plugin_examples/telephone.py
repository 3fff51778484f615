"""A plugin that sounds like a telephone: 300 to 3,400 Hz. Copy it into `plugins` in the data directory.

It filters a stream in pieces, and the pieces are the same samples as one filtering of the whole would give:
what the filter remembers goes from one call to the next in `stream.state`.
"""

import functools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wyoming_tts import PluginStream, Samples

LOW, HIGH = 300.0, 3400.0
"""Edges of the band in Hz."""

SHARPNESS = (0.5412, 1.3066)
"""Q of two second-order sections that make a Butterworth filter of fourth order."""

BLOCK = 64
"""Samples that are filtered by one product of matrices: a loop over samples would take ten times as long."""

Section = tuple[tuple[float, float, float], tuple[float, float]]
"""Numerator and denominator of a second-order filter, whose first number is 1."""

Memory = NDArray[np.float64]


def post_process_audio(audio: Samples, stream: PluginStream) -> Samples:
    """The same audio as through a telephone."""
    band = telephone_band(stream.rate)
    filtered, stream.state["memory"] = band.run(audio, stream.state.get("memory", band.silence))
    return filtered


def section(kind: str, frequency: float, sharpness: float, rate: int) -> Section:
    """A high-pass or low-pass filter of second order (from RBJ's Audio EQ Cookbook)."""
    angle = 2 * math.pi * min(frequency, 0.45 * rate) / rate
    cosine, alpha = math.cos(angle), math.sin(angle) / (2 * sharpness)
    sign = -1 if kind == "high" else 1
    edge = (1 - sign * cosine) / 2 / (1 + alpha)
    return (edge, 2 * sign * edge, edge), (-2 * cosine / (1 + alpha), (1 - alpha) / (1 + alpha))


class BlockFilter:
    """Sections in a row as one system x' = Ax + Bu, y = Cx + Du, which is run a block at a time."""

    def __init__(self, sections: Sequence[Section]) -> None:
        """Work out what a block of samples does, once."""
        a, b, c, d = np.zeros((0, 0)), np.zeros(0), np.zeros(0), 1.0
        for (b0, b1, b2), (a1, a2) in sections:  # each takes what the one before gives
            enters, keeps = np.array([b1 - a1 * b0, b2 - a2 * b0]), np.array([[-a1, 1.0], [-a2, 0.0]])
            a = np.block([[a, np.zeros((len(b), 2))], [np.outer(enters, c), keeps]])
            b, c, d = np.append(b, enters * d), np.append(b0 * c, [1.0, 0.0]), b0 * d
        powers = [np.linalg.matrix_power(a, exponent) for exponent in range(BLOCK + 1)]
        echo = np.array([d, *(c @ power @ b for power in powers[: BLOCK - 1])])
        lag = np.subtract.outer(np.arange(BLOCK), np.arange(BLOCK))
        self.silence: Memory = np.zeros(len(b))
        """What is remembered of nothing."""
        self._powers = powers
        self._heard = np.where(lag >= 0, echo[np.maximum(lag, 0)], 0.0)
        self._rings = np.stack([c @ power for power in powers[:BLOCK]])
        self._kept = np.stack([power @ b for power in reversed(powers[:BLOCK])], axis=1)

    def run(self, audio: Samples, memory: Memory) -> tuple[Samples, Memory]:
        """Filtered samples, and what to remember for those that follow."""
        pieces = [np.zeros(0)]
        for start in range(0, len(audio), BLOCK):
            block = audio[start : start + BLOCK].astype(np.float64)
            size = len(block)
            pieces.append(self._heard[:size, :size] @ block + self._rings[:size] @ memory)
            memory = self._powers[size] @ memory + self._kept[:, BLOCK - size :] @ block
        return np.concatenate(pieces).astype(np.float32), memory


@functools.cache
def telephone_band(rate: int) -> BlockFilter:
    """The filter for a rate."""
    edges = (("high", LOW), ("low", HIGH))
    return BlockFilter([section(kind, edge, q, rate) for kind, edge in edges for q in SHARPNESS])
