"""Whether another listener can be served in real time: the processor demand test of deadline scheduling.

In a stretch of time from now on, a listener demands the computing of what it will have played by its end,
less what it has in store. All of them can be served in time if for no stretch the sum of demands is more
than the threads can compute in it (S. Baruah, A. Mok, L. Rosier: Preemptively scheduling hard-real-time
sporadic tasks on one processor, RTSS 1990; here for work that may be divided at will).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

TOLERANCE = 2.0
"""Seconds of waiting that a listener does not mind."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What one listener will want, as far as it is known."""

    lead: float
    """Seconds of sound that it has in store."""

    remaining: float
    """Seconds of speech that its text still makes."""

    def until(self, time: float) -> float:
        """Seconds of speech that must have been computed after so many seconds."""
        return min(self.remaining, max(0.0, time - self.lead))


def can_serve(demands: Sequence[Demand], threads: int, cost: float) -> bool:
    """Whether `threads`, each computing a second of speech in `cost` seconds, keep everyone from waiting.

    Nobody minds `TOLERANCE`. The demand is piecewise linear, so its corners are enough to look at.
    """
    corners = {corner for demand in demands for corner in (demand.lead, demand.lead + demand.remaining)}
    return all(
        cost * sum(demand.until(corner) for demand in demands) <= threads * (corner + TOLERANCE)
        for corner in corners
    )


def seconds_until_served(demands: Sequence[Demand], threads: int, cost: float) -> float:
    """After how long the work that is there now will be done; at least 1."""
    return max(1.0, cost * sum(demand.remaining for demand in demands) / threads)
