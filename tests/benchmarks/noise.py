"""How much of the machine went to others while something was measured."""

from __future__ import annotations

import os

import psutil


class Noise:
    """From its making on: CPU time that neither this process nor its ended children used."""

    def __init__(self) -> None:
        self._others, self._whole = _others(), _whole()

    def share(self) -> float:
        """Part of the machine's CPU time so far that others used, 0 to 1; children must have ended."""
        return max(0.0, _others() - self._others) / max(0.01, _whole() - self._whole)


def _others() -> float:
    times = psutil.cpu_times()
    return _whole() - times.idle - getattr(times, "iowait", 0.0) - sum(os.times()[:4])


def _whole() -> float:
    times = psutil.cpu_times()  # guests are counted as users already
    return float(sum(times)) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
