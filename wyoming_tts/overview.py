"""How the backends of a chain are now, and what they have cost, for whoever watches the server."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wyoming_tts.backends.base import Backend, BackendAround
from wyoming_tts.backends.cache import CachedBackend, CacheStatistics
from wyoming_tts.backends.fallback import FallbackBackend
from wyoming_tts.backends.members import Member
from wyoming_tts.backends.metered import MeteredBackend
from wyoming_tts.scheduler import ScheduledBackend
from wyoming_tts.status import BackendStatus


def statuses_of(chain: FallbackBackend) -> Sequence[BackendStatus]:
    """Of each backend, in the order of the chain."""
    return [_status(member) for member in chain.members]


def costs_of(chain: FallbackBackend) -> Sequence[Mapping[str, Any]]:
    """Of each backend that is counted: spent today and this month, and what may be."""
    layers = (layer for member in chain.members for layer in _layers(member.backend))
    return [layer.spent() for layer in layers if isinstance(layer, MeteredBackend)]


def _status(member: Member) -> BackendStatus:
    circuit, cache, waiting, running = member.circuit, CacheStatistics(), 0, 0
    for layer in _layers(member.backend):
        if isinstance(layer, CachedBackend):
            cache = layer.statistics()
        elif isinstance(layer, ScheduledBackend):
            waiting, running = layer.load
    is_open = circuit.state == "open"
    return BackendStatus(
        name=member.name,
        engine=member.backend.engine,
        circuit=circuit.state,
        reason=None if circuit.state == "closed" else str(circuit.reason),
        retry_seconds=max(0.0, round(circuit.until - time.monotonic(), 1)) if is_open else None,
        loaded=member.started,
        voices=len(member.backend.voices()),
        queued=waiting,
        running=running,
        cache_hits=cache.hits,
        cache_misses=cache.misses,
        cache_bytes=cache.bytes,
    )


def _layers(backend: Backend) -> Iterator[Backend]:
    """A backend and all that it is wrapped around."""
    yield backend
    while isinstance(backend, BackendAround):
        backend = backend.inner
        yield backend
