"""What one spoken text took, and what many of them come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

AUDIBLE = 0.01
"""Amplitude (of 1) from which a sample counts as sound: 40 dB below full scale."""


UNHEARD = 1e-6
"""Seconds of rounding that are no gap."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A piece of audio as a listener gets it."""

    at: float
    """Seconds after the request was written."""

    seconds: float
    """How long it plays."""


@dataclass(frozen=True, slots=True)
class Speech:
    """One text, spoken."""

    arrivals: tuple[Arrival, ...]
    """The audio in order, at least one piece."""

    finished: float
    """Seconds from the request to the end of the answer."""

    silence: float
    """Seconds of audio before the first audible sample."""

    cpu: float = 0.0
    """CPU seconds of the contender's process for this text."""

    @property
    def seconds(self) -> float:
        """Audio that was delivered."""
        return sum(arrival.seconds for arrival in self.arrivals)

    @property
    def first_audio(self) -> float:
        """Seconds from the request to the first byte of audio."""
        return self.arrivals[0].at

    @property
    def first_sound(self) -> float:
        """Seconds from the request until a listener hears something."""
        offset = 0.0
        for start, arrival in zip(self.starts(), self.arrivals, strict=True):
            if self.silence < offset + arrival.seconds:
                return start + self.silence - offset
            offset += arrival.seconds
        return self.finished

    @property
    def longest_gap(self) -> float:
        """The longest time a listener in real time waits for audio after the first; 0 when never."""
        return max(self._gaps(), default=0.0)

    @property
    def underruns(self) -> int:
        """How often a listener in real time has nothing to play after its first audio."""
        return len(self._gaps())

    @property
    def silent_seconds(self) -> float:
        """How long it has nothing to play, all in all."""
        return sum(self._gaps())

    def _gaps(self) -> list[float]:
        starts = self.starts()
        ends = [start + arrival.seconds for start, arrival in zip(starts, self.arrivals, strict=True)]
        gaps = (start - end for start, end in zip(starts[1:], ends, strict=False))
        return [gap for gap in gaps if gap > UNHEARD]

    def starts(self) -> list[float]:
        """When each piece begins to play for a listener who plays in real time and waits when dry."""
        starts, dry_at = [], 0.0
        for arrival in self.arrivals:
            starts.append(max(arrival.at, dry_at))
            dry_at = starts[-1] + arrival.seconds
        return starts


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle of some values and how far they lie apart."""

    median: float
    """Half of the values are below."""

    p10: float
    """A tenth of the values are below."""

    p90: float
    """A tenth of the values are above."""

    count: int
    """How many values."""

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarise at least one value."""
        median, p10, p90 = (float(np.percentile(values, percent)) for percent in (50, 10, 90))
        return cls(median, p10, p90, len(values))

    def text(self, digits: int = 2) -> str:
        """For a cell of a table: the median, and p10 to p90."""
        return f"{self.median:.{digits}f} ({self.p10:.{digits}f}–{self.p90:.{digits}f})"


def ratios(upper: Sequence[float], lower: Sequence[float]) -> Spread:
    """Value by value of two series measured in pairs: upper / lower."""
    return Spread.of([high / low for high, low in zip(upper, lower, strict=True)])


def silence_before(samples: NDArray[np.float32], rate: int) -> float:
    """Seconds until the first audible sample; all of it when there is none."""
    audible = np.flatnonzero(np.abs(samples) > AUDIBLE)
    return float(audible[0] if audible.size else len(samples)) / rate
