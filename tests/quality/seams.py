"""Finds seams: places where audio steps, or falls silent, as it does nowhere in its neighbourhood."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from wyoming_tts.backends.kokoro import RATE
from wyoming_tts.types import Samples

NEAR = RATE * 30 // 1000
"""Samples to either side that are the neighbourhood: 30 ms, some periods of any voice."""

ORDER = 24
"""Samples from which the next one is foretold: one for each kilohertz, as in speech coding."""

STEP_AT = 6
"""Samples in which a step at a place shows."""

SHORT = RATE * 4 // 1000
"""Samples over which energy is taken: 4 ms."""

STEP_LIMIT, DIP_LIMIT = 1.25, 4.0
"""What no place in speech reaches: over some thousand places in ten voices the highest were 0.97 and 3.4."""


def step(audio: Samples, place: int) -> float:
    """How much less `place` follows from the samples before it than any sample near it does.

    Speech is nearly linear in its past for as long as the mouth stands still: what a prediction fitted to
    the neighbourhood leaves over is small but for the pulses of the vocal cords, and a click stands out.
    """
    start = max(0, place - NEAR)
    rows = sliding_window_view(audio[start : place + NEAR].astype(np.float64), ORDER + 1)
    foretold = np.arange(len(rows)) + ORDER + start
    touched = (foretold >= place - 1) & (foretold <= place + ORDER)
    past, present = rows[:, :-1], rows[:, -1]
    left = np.abs(present - past @ _predictor(past[~touched], present[~touched]))
    return float(left[touched][:STEP_AT].max() / max(left[~touched].max(), 1e-4))


def _predictor(past: NDArray[np.float64], present: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least squares, held in where there is little to learn from."""
    ridge = 1e-4 * len(past) * np.square(past).mean() + 1e-9
    return np.linalg.solve(past.T @ past + ridge * np.eye(ORDER), past.T @ present)


def dip(audio: Samples, place: int) -> float:
    """How much quieter it is around `place` than anywhere near, as a ratio of amplitudes."""
    start = max(0, place - NEAR)
    squares = np.square(audio[start : place + NEAR].astype(np.float64))
    level = np.sqrt(sliding_window_view(squares, SHORT).mean(1) + 1e-8)
    first, last = max(0, place - start - SHORT), place - start + SHORT // 2
    around = np.concatenate([level[: max(0, first - SHORT // 2)], level[last + SHORT // 2 :]])
    return float(around.min() / level[first:last].min())


def seams(audio: Samples, places: Iterable[int]) -> list[int]:
    """Those of `places` at which a listener could hear that something was joined."""
    return [place for place in places if step(audio, place) > STEP_LIMIT or dip(audio, place) > DIP_LIMIT]
