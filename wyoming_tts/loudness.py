"""How loud speech is, and making one voice as loud as another."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from wyoming_tts.types import Samples

BLOCK = 0.1
"""Seconds that are measured together; the 0.4 s of ITU-R BS.1770 are long for an answer of one word."""

SILENT = -50.0
"""LUFS below which a block is a pause and does not count."""

QUIETER = 10.0
"""LU below the mean of the others from which a block does not count either: BS.1770's relative gate."""

MOST_GAIN = 12.0
"""Decibels by which speech is made louder or quieter at most."""

KNEE = 0.8
"""Amplitude from which a sample that would be too loud is bent back, so that nothing clips."""


@functools.lru_cache(8)
def _weights(rate: int, size: int) -> NDArray[np.float64]:
    """|K|² of BS.1770's filter at the frequencies of a real FFT; (size // 2 + 1,)."""
    bins = np.exp(-2j * np.pi * np.fft.rfftfreq(size, 1 / rate) / rate)
    shelf = _response(bins, *_shelf(rate))
    high_pass = _response(bins, *_high_pass(rate))
    return np.abs(shelf * high_pass) ** 2


def _response(
    z: NDArray[np.complex128], b: tuple[float, ...], a: tuple[float, ...]
) -> NDArray[np.complex128]:
    return np.polynomial.polynomial.polyval(z, b) / np.polynomial.polynomial.polyval(z, a)


def _shelf(rate: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """BS.1770's first stage, for any rate (its analogue prototype by the bilinear transform)."""
    k = np.tan(np.pi * 1681.974450955533 / rate)
    q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    norm = 1 + k / q + k * k
    b = (
        (high + band * k / q + k * k) / norm,
        2 * (k * k - high) / norm,
        (high - band * k / q + k * k) / norm,
    )
    return b, (1.0, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm)


def _high_pass(rate: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """BS.1770's second stage."""
    k = np.tan(np.pi * 38.13547087602444 / rate)
    q = 0.5003270373238773
    norm = 1 + k / q + k * k
    return (1.0, -2.0, 1.0), (1.0, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm)


def block_powers(samples: Samples, rate: int) -> NDArray[np.float64]:
    """K-weighted power of each whole block; (blocks,)."""
    size = round(BLOCK * rate)
    blocks = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64)
    spectra = np.fft.rfft(blocks, axis=1)
    doubled = np.full(spectra.shape[1], 2.0)
    doubled[0] = 1.0
    if size % 2 == 0:
        doubled[-1] = 1.0
    return (np.abs(spectra) ** 2 * doubled * _weights(rate, size)).sum(axis=1) / size**2


def loudness(powers: NDArray[np.float64]) -> float | None:
    """LUFS of blocks of K-weighted power, pauses left out; None where there is nothing but pauses."""
    heard = powers[_lufs(powers) > SILENT]
    if not len(heard):
        return None
    heard = heard[_lufs(heard) > _lufs(heard.mean()) - QUIETER]
    return float(_lufs(heard.mean()))


def _lufs(power: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    return -0.691 + 10 * np.log10(np.maximum(power, 1e-12))


def amplify(samples: Samples, decibels: float) -> Samples:
    """Louder or quieter, peaks bent and not clipped; sample by sample, so pieces join without a seam."""
    if not decibels:
        return samples
    louder = np.asarray(samples * np.float32(10 ** (decibels / 20)), np.float32)
    over = np.abs(louder) > KNEE
    room = 1 - KNEE
    louder[over] = np.sign(louder[over]) * (KNEE + room * np.tanh((np.abs(louder[over]) - KNEE) / room))
    return louder
