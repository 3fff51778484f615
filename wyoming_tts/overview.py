"""What the backends of a chain offer, how they are now and what they have cost: for clients and watchers."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from typing import Any

from wyoming.info import Info

from wyoming_tts import __version__
from wyoming_tts.backends.base import layers_of
from wyoming_tts.backends.cache import CachedBackend, CacheStatistics
from wyoming_tts.backends.fallback import FallbackBackend
from wyoming_tts.backends.members import Member
from wyoming_tts.backends.metered import MeteredBackend
from wyoming_tts.scheduler import ScheduledBackend
from wyoming_tts.status import BackendStatus
from wyoming_tts.voices import VoiceCatalogue
from wyoming_tts.wyoming_info import Offer, build_info


def statuses_of(chain: FallbackBackend) -> Sequence[BackendStatus]:
    """Of each backend, in the order of the chain."""
    return [_status(member) for member in chain.members]


def costs_of(chain: FallbackBackend) -> Sequence[Mapping[str, Any]]:
    """Of each backend that is counted: spent today and this month, and what may be."""
    layers = (layer for member in chain.members for layer in layers_of(member.backend))
    return [layer.spent() for layer in layers if isinstance(layer, MeteredBackend)]


def info_of(chain: FallbackBackend, catalogue: VoiceCatalogue, streaming: bool) -> Info:
    """The answer to `describe`: the same object until something changes. Raises ValueError without voices."""
    offers = tuple(
        Offer(
            member.name,
            member.backend.engine,
            tuple(member.backend.voices()),
            "" if member.circuit.usable else str(member.circuit.reason),
        )
        for member in chain.members
    )
    return _info_of(catalogue, offers, streaming)


@functools.lru_cache(4)
def _info_of(catalogue: VoiceCatalogue, offers: tuple[Offer, ...], streaming: bool) -> Info:
    """Made once for as long as nothing changed, so that it is encoded once."""
    chosen = [voice for voice in catalogue.voices() if not voice.last_resort]
    voices = list(dict.fromkeys([catalogue.default, *chosen]))
    if not catalogue.known:
        raise ValueError("no backend has a voice")
    return build_info(
        voices,
        version=__version__,
        engine=next((one.engine for one in offers if not one.trouble), offers[0].engine),
        streaming=streaming,
        offers=offers,
    )


def _status(member: Member) -> BackendStatus:
    circuit, cache, waiting, running = member.circuit, CacheStatistics(), 0, 0
    for layer in layers_of(member.backend):
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
