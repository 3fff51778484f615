"""How large the next window of a sentence is: it must be decoded before its listener runs dry."""

from __future__ import annotations

import numpy as np

from wyoming_tts.types import Allowance, Playhead

FRAMES = 40
"""Frames a second."""

SMALLEST_WINDOW = 8
"""Frames; 0.2 s are enough to play while a fast machine decodes the next window."""

SMALLEST_FIRST_WINDOW = 12
"""Frames; the first few of them are silent."""

LARGEST_FIRST_WINDOW = 16
"""Frames; a listener that waits gets no more at once, however slow the machine."""

LEAD_SPENT = 2 / 3
"""How much of what a listener has left to play may be spent on the next window."""

LARGEST_WINDOW = 64
"""Frames; larger ones outgrow the processor's caches and are no cheaper, and other listeners would wait."""

OVERHEAD = 5
"""Frames' worth of computing that the surroundings of a window cost."""

GAIN, FIRST_GAIN = 1.2, 2
"""How many times the smallest window must have the size that only just plays as long as it takes.

A listener with little in store is better off with a small window soon; a first one has to last for a while.
"""

ONSET = 5
"""Frames before the first phoneme's own time in which its sound may begin; one sentence in ten needs more."""


class Pace:
    """Knows how fast windows are decoded, with one thread and with several, and chooses their size."""

    def __init__(self) -> None:
        self._per_frame: dict[bool, float] = {}
        """Seconds, with one thread or not."""

    def measure(self, frames: int, seconds: float, allowance: Allowance) -> None:
        """Note that a window of `frames` took `seconds`."""
        single, cost = allowance.threads == 1, seconds / (frames + OVERHEAD)
        self._per_frame[single] = 0.7 * self._per_frame.get(single, cost) + 0.3 * cost

    def next_window(self, previous: int, playhead: Playhead, allowance: Allowance) -> int:
        """Frames to decode next, behind a window of `previous` (0 for none).

        A listener that has nothing yet gets a small window. Then windows grow, at most to twice the last one,
        as far as two thirds of what the listener has left to play pay for, until it is its turn again. They
        are never so small that with their surroundings they would take longer than they play.
        """
        load, lead = self.load(allowance), playhead.lead()
        even = OVERHEAD * load / (1 - load) if load < 1 else LARGEST_WINDOW
        if playhead.first_audio is None and not lead:
            return int(np.clip(FIRST_GAIN * even + ONSET, SMALLEST_FIRST_WINDOW, LARGEST_FIRST_WINDOW))
        smallest = int(np.clip(GAIN * even, SMALLEST_WINDOW, LARGEST_WINDOW))
        largest = max(smallest, min(2 * previous or 4 * SMALLEST_WINDOW, LARGEST_WINDOW))
        affordable = LEAD_SPENT * lead * FRAMES / max(load, 0.01) - OVERHEAD
        return int(np.clip(affordable, smallest, largest))

    def load(self, allowance: Allowance) -> float:
        """Seconds of computing for a second of speech of all who share the thread."""
        single = allowance.threads == 1
        guess = self._per_frame.get(not single, 0.0) * (2 if single else 1)
        return self._per_frame.get(single, guess) * FRAMES * allowance.listeners
