"""What is counted of the server's work, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from wyoming_tts.status import BackendStatus
from wyoming_tts.types import Progress

FIRST_AUDIO = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2, 2, 4, 8)
"""Seconds; what people notice lies between a tenth and a second."""

REAL_TIME = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1, 1.5, 3)
"""Seconds of work for a second of speech; from 1 on listeners wait."""

MOST_VOICES = 200
"""Voices that are told apart: a request can name any blend, and each would be kept for ever."""

CACHE = {
    "wyoming_tts_cache_hits": "Sentences that were in the cache",
    "wyoming_tts_cache_misses": "Sentences that had to be computed",
}

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts streams as an observer of the pipeline, and asks the backends when it is asked."""

    def __init__(
        self,
        statuses: Callable[[], Sequence[BackendStatus]],
        costs: Callable[[], Sequence[Mapping[str, Any]]] = tuple,
        failures: Callable[[], Mapping[tuple[str, str], int]] = dict,
    ) -> None:
        """All must answer at once; `failures` are calls of plugins that failed, by plugin and hook."""
        self._registry = CollectorRegistry()
        labels = ("backend", "voice")
        self._first = Histogram(
            "wyoming_tts_first_audio_seconds", "From the text to the first audio", labels,
            buckets=FIRST_AUDIO, registry=self._registry,
        )  # fmt: skip
        self._factor = Histogram(
            "wyoming_tts_real_time_factor", "Seconds a stream took for a second of its speech", labels,
            buckets=REAL_TIME, registry=self._registry,
        )  # fmt: skip
        self._streams = self._counter("streams", "Streams that were spoken to their end", labels)
        self._audio = self._counter("audio_seconds", "Speech that was made", labels)
        self._characters = self._counter("characters", "Characters that were spoken", labels)
        self._underruns = self._counter(
            "underruns", "Times a listener would have fallen silent", ("backend",)
        )
        self._fallbacks = self._counter("fallbacks", "Streams that another backend spoke", ("backend",))
        self._registry.register(_Backends(statuses, costs))
        self._registry.register(_Plugins(failures))
        self._voices: set[str] = set()

    def observe(self, progress: Progress) -> None:
        """Count a stream when it has ended; see `pipeline.Observer`."""
        if not progress.finished or not progress.audio_seconds:
            return
        names = (progress.backend or "none", self._voice(progress.voice))
        if progress.first_audio_seconds is not None:
            self._first.labels(*names).observe(progress.first_audio_seconds)
        self._factor.labels(*names).observe(progress.elapsed_seconds / progress.audio_seconds)
        self._streams.labels(*names).inc()
        self._audio.labels(*names).inc(progress.audio_seconds)
        self._characters.labels(*names).inc(progress.characters)
        self._underruns.labels(names[0]).inc(progress.underruns)
        if progress.wanted_backend and progress.wanted_backend != progress.backend:
            self._fallbacks.labels(names[0]).inc()

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)

    def _voice(self, name: str) -> str:
        if name in self._voices or len(self._voices) < MOST_VOICES:
            self._voices.add(name)
            return name
        return "other"

    def _counter(self, name: str, text: str, labels: Sequence[str]) -> Counter:
        return Counter(f"wyoming_tts_{name}", text, labels, registry=self._registry)


class _Backends(Collector):
    """Numbers that the backends have at the moment."""

    def __init__(
        self,
        statuses: Callable[[], Sequence[BackendStatus]],
        costs: Callable[[], Sequence[Mapping[str, Any]]],
    ) -> None:
        self._statuses, self._costs = statuses, costs

    def collect(self) -> Iterator[Metric]:
        statuses = self._statuses()
        state = GaugeMetricFamily(
            "wyoming_tts_circuit_state", "1 for the state that a backend is in", labels=("backend", "state")
        )
        for one in statuses:
            for name in ("closed", "open", "half-open"):
                state.add_metric((one.name, name), float(one.circuit == name))
        yield state
        yield self._gauge("queued", "Sentences that wait for a turn", statuses, lambda one: one.queued)
        yield self._gauge("running", "Sentences that compute", statuses, lambda one: one.running)
        yield self._gauge(
            "cache_bytes", "Memory that cached speech takes", statuses, lambda one: one.cache_bytes
        )
        hits = {one.name: (one.cache_hits, one.cache_misses) for one in statuses}
        for number, (name, text) in enumerate(CACHE.items()):
            counter = CounterMetricFamily(name, text, labels=("backend",))
            for backend, counts in hits.items():
                counter.add_metric((backend,), counts[number])
            yield counter
        cost = GaugeMetricFamily(
            "wyoming_tts_cost", "Money that was spent", labels=("backend", "period", "currency")
        )
        for row in self._costs():
            for period in ("today", "month"):
                cost.add_metric((row["backend"], period, row["currency"]), row[period])
        yield cost

    @staticmethod
    def _gauge(
        name: str, text: str, statuses: Sequence[BackendStatus], of: Callable[[BackendStatus], float]
    ) -> GaugeMetricFamily:
        gauge = GaugeMetricFamily(f"wyoming_tts_{name}", text, labels=("backend",))
        for one in statuses:
            gauge.add_metric((one.name,), of(one))
        return gauge


class _Plugins(Collector):
    """Calls of plugins that failed."""

    def __init__(self, failures: Callable[[], Mapping[tuple[str, str], int]]) -> None:
        self._failures = failures

    def collect(self) -> Iterator[Metric]:
        counter = CounterMetricFamily(
            "wyoming_tts_plugin_failures", "Calls of plugins that failed", labels=("plugin", "hook")
        )
        for names, count in self._failures().items():
            counter.add_metric(names, count)
        yield counter
