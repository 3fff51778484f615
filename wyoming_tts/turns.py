"""Who computes next: the listener who falls silent first, a chunk a turn. Order alone; no clock, no I/O.

Time is whatever the playheads' clocks say. A turn takes one of the backend's threads, or all that it can use
where nobody else is in a hurry. Turns of listeners that have sound in store never keep one from starting that
somebody waits for: those run beside them, and the backend gives them precedence.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

from wyoming_tts.types import Allowance, Playhead

HURRY = 0.6
"""Seconds of sound in store below which a listener's next chunk is urgent."""

PATIENCE = 2.0
"""Seconds after which a new listener goes before those who have heard something already."""

NEXT = 0.25
"""Seconds that the next window of a listener takes who is about to fall silent."""

TOGETHER = 0.05
"""Seconds within which listeners come at the same time."""

_numbers = itertools.count()


@dataclass(slots=True, eq=False)
class Claim:
    """One sentence's wish to compute its next chunk."""

    playhead: Playhead
    """Whose listener it is for."""

    allowance: Allowance = field(default_factory=Allowance)
    """Filled in when the turn comes."""

    threads: int = 0
    """Threads that the turn occupies; 0 while it waits."""

    begins: bool = True
    """Whether the sentence has no chunk yet: its first turn takes longer than the others."""

    number: int = field(default_factory=lambda: next(_numbers))
    """Order of arrival."""

    @property
    def is_new(self) -> bool:
        """Whether its listener has heard nothing yet."""
        return self.playhead.first_audio is None


class Turns:
    """Those who wait for a turn and those who have one."""

    def __init__(self, threads: int = 1, look_ahead: float = math.inf) -> None:
        """`threads` can compute at the same time; from `look_ahead` seconds in store on a listener yields."""
        self.threads = threads
        self.widest = threads
        """Threads that one turn can use: fewer than all where they are in several processes."""
        self._look_ahead = look_ahead
        self._all: list[Claim] = []
        self.waiting: list[Claim] = []
        self.running: list[Claim] = []
        self.first_chunk_seconds = 0.3
        """How long a new listener's turn takes; whoever schedules keeps this up to date."""
        self.front_seconds = 0.0
        """How much longer the first turn of any other sentence takes than its later ones; the same."""

    def join(self, claim: Claim) -> None:
        """There is one more who will want turns."""
        self._all.append(claim)

    def leave(self, claim: Claim) -> None:
        """It wants no more turns."""
        self.end(claim)
        self._all.remove(claim)

    def ask(self, claim: Claim) -> None:
        """Queue up for one turn."""
        self.waiting.append(claim)

    def end(self, claim: Claim) -> None:
        """Give the turn back, or give up waiting for it."""
        claim.threads = 0
        for claims in (self.waiting, self.running):
            if claim in claims:
                claims.remove(claim)

    def grant(self, now: float) -> list[Claim]:
        """Whose turn it is now; they run until they `end`."""
        granted = []
        for claim in sorted(self.waiting, key=lambda claim: self._rank(claim, now)):
            threads = self._threads_for(claim)
            if not threads:
                break
            self._start(claim, threads)
            granted.append(claim)
        return granted

    def newcomers(self, but: Claim) -> list[Claim]:
        """Others who came at the same time and whose first chunk is waited for."""
        others = (claim for claim in (*self.waiting, *self.running) if claim is not but and claim.is_new)
        arrived = but.playhead.deadline
        return [claim for claim in others if abs(claim.playhead.deadline - arrived) < TOGETHER]

    def _rank(self, claim: Claim, now: float) -> tuple[bool, float, int]:
        """Least first. A new listener's turn is long: who would fall silent during it goes before it."""
        deadline = claim.playhead.deadline - self._front_of(claim)
        first = now - deadline > PATIENCE if claim.is_new else self._lead(claim) < self._thin
        return not first, deadline, claim.number

    def _lead(self, claim: Claim) -> float:
        """Seconds in store, less what passes before a sentence that begins gets to its first window."""
        return claim.playhead.lead() - self._front_of(claim)

    def _front_of(self, claim: Claim) -> float:
        return self.front_seconds if claim.begins and not claim.is_new else 0.0

    @property
    def _thin(self) -> float:
        """Seconds in store that may not outlast a new listener's turn."""
        return self.first_chunk_seconds + NEXT

    def _threads_for(self, claim: Claim) -> int:
        """How many threads are free for it; 0 when it has to wait."""
        if self._is_urgent(claim):
            free = self.threads - sum(other.threads for other in self.running if other.allowance.urgent)
            rivals = sum(self._is_urgent(other) for other in self.waiting)
            return max(0, min(free, max(1, min(self.widest, free // rivals))))
        if self._yields(claim):
            return 0
        return int(sum(other.threads for other in self.running) < self.threads)

    def _is_urgent(self, claim: Claim) -> bool:
        """Whether somebody hears nothing, or soon will."""
        return self._lead(claim) < max(HURRY, self._thin)

    def _yields(self, claim: Claim) -> bool:
        """Whether it is so far ahead that it only computes when nobody else has to."""
        return claim.playhead.lead() > self._look_ahead and any(
            other.playhead.lead() <= self._look_ahead for other in self._all if other is not claim
        )

    def _start(self, claim: Claim, threads: int) -> None:
        claim.threads = threads
        claim.allowance.urgent, claim.allowance.threads = self._is_urgent(claim), threads
        claim.allowance.listeners = max(1.0, len(self._all) / self.threads)
        self.waiting.remove(claim)
        self.running.append(claim)
