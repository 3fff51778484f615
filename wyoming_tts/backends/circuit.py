"""A circuit breaker: a backend that failed is left alone for a while, then tried with one sentence.

closed ── failure ──▶ open ── probe says yes ──▶ half-open ── the sentence is spoken ──▶ closed
                        ▲                            │
                        └────────── failure ─────────┘   (each time it stays open twice as long)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from wyoming_tts.errors import (
    BackendAuthError,
    BackendError,
    BackendOverloadedError,
    BackendQuotaError,
    SynthesisError,
)

State = Literal["closed", "open", "half-open"]


@dataclass(frozen=True, slots=True)
class Cooldown:
    """How long a backend is left alone after one kind of failure."""

    first: float
    """Seconds, the first time."""

    longest: float
    """Seconds to which that doubles from failure to failure."""

    failures: int = 1
    """How many in a row there must be."""


COOLDOWNS: Mapping[type[BackendError], Cooldown] = MappingProxyType(
    {
        BackendQuotaError: Cooldown(600, 3600),  # money and months come slowly
        BackendAuthError: Cooldown(300, 3600),  # somebody has to change a key
        BackendOverloadedError: Cooldown(5, 120),
        SynthesisError: Cooldown(15, 300, failures=3),  # it may have been the text
        BackendError: Cooldown(5, 300),  # an outage: a machine that starts again is back in minutes
    }
)
"""By kind of failure; the first class that fits counts."""


class Circuit:
    """Of one backend; the clock is the caller's, and nothing waits here."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        cooldowns: Mapping[type[BackendError], Cooldown] = COOLDOWNS,
    ) -> None:
        """Begins closed."""
        self._clock, self._cooldowns = clock, cooldowns
        self._failures = 0
        self._times_open = 0
        self._trial = False
        self.state: State = "closed"
        """`closed`: it is used. `open`: it is not. `half-open`: one sentence shall show whether it works."""
        self.reason: BackendError | None = None
        """Why it is not closed."""
        self.until = 0.0
        """Clock reading at which an open one should be probed."""

    @property
    def usable(self) -> bool:
        """Whether a sentence should be given to the backend."""
        return self.state == "closed" or (self.state == "half-open" and not self._trial)

    def begin(self) -> None:
        """A sentence is given to it; when it is half-open no other is, before this one has ended."""
        self._trial = self.state == "half-open"

    def abandon(self) -> None:
        """The sentence ended and proved nothing: nobody wanted it any more."""
        self._trial = False

    def succeed(self) -> None:
        """It works."""
        self._failures = self._times_open = 0
        self._trial, self.state, self.reason = False, "closed", None

    def fail(self, error: BackendError) -> bool:
        """It does not. Returns whether the circuit has just opened."""
        self._trial = False
        self.reason = error
        if self.state == "open":  # a sentence begun before it opened, or a last resort: nothing new
            return False
        self._failures += 1
        cooldown = self._cooldown(error)
        if self.state == "closed" and self._failures < cooldown.failures:
            return False
        self._open(error, cooldown)
        return True

    def probed(self, error: BackendError | None) -> None:
        """What a probe of an open one has found."""
        if self.state != "open":
            return
        if error is None:
            self.state = "half-open"
        else:
            self.reason = error
            self._open(error, self._cooldown(error))

    def _open(self, error: BackendError, cooldown: Cooldown) -> None:
        seconds = min(cooldown.longest, cooldown.first * 2.0**self._times_open)
        self._times_open = min(self._times_open + 1, 30)
        self.state = "open"
        self.until = self._clock() + max(seconds, min(error.retry_after or 0.0, cooldown.longest))

    def _cooldown(self, error: BackendError) -> Cooldown:
        return next(cooldown for kind, cooldown in self._cooldowns.items() if isinstance(error, kind))
