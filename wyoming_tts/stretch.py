"""Speech faster or slower at the same pitch, as a stream, by FFmpeg's `atempo`."""

from __future__ import annotations

import fractions
from typing import Any

import numpy as np

from wyoming_tts.types import Samples

WINDOW = 0.1
"""Seconds; more than the filter's windows are long."""


class TimeStretch:
    """A stream of samples at another tempo; a tempo of 1 goes through as it is."""

    def __init__(self, rate: int, tempo: float) -> None:
        """`rate` in Hz; `tempo` 2 is twice as fast, 0.5 half as fast, and nothing below that."""
        self.tempo = tempo
        self._rate, self._fed, self._given, self._wanted = rate, 0, 0, 0.0
        self._graph: Any = None if tempo == 1 else _graph(rate, tempo)

    def feed(self, samples: Samples) -> Samples:
        """What is ready of it; some hundredths of a second come with the next samples."""
        if self._graph is None or not len(samples):
            return samples
        self._wanted += len(samples) / self.tempo
        self._push(samples)
        return self._pulled()

    def finish(self) -> Samples:
        """What is still held back, to the last sample."""
        if self._graph is None or not self._fed:
            return np.zeros(0, np.float32)
        left = max(0, round(self._wanted) - self._given)
        self._push(
            np.zeros(round(2 * WINDOW * self._rate), np.float32)
        )  # the filter drops what fills no window
        self._graph.push(None)
        rest = self._pulled()[:left]
        return np.concatenate([rest, np.zeros(left - len(rest), np.float32)])

    def _push(self, samples: Samples) -> None:
        import av

        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), "flt", "mono")
        frame.rate, frame.pts = self._rate, self._fed
        frame.time_base = fractions.Fraction(1, self._rate)
        self._fed += len(samples)
        self._graph.push(frame)

    def _pulled(self) -> Samples:
        import av

        pieces = [np.zeros(0, np.float32)]
        while True:
            try:
                pieces.append(self._graph.pull().to_ndarray().reshape(-1).astype(np.float32, copy=False))
            except (BlockingIOError, EOFError, av.FFmpegError):
                samples = np.concatenate(pieces)
                self._given += len(samples)
                return samples


def _graph(rate: int, tempo: float) -> Any:
    from av.filter import Graph

    graph = Graph()
    source = graph.add_abuffer(format="flt", sample_rate=rate, layout="mono")
    tempo_filter, sink = graph.add("atempo", f"{tempo:.6f}"), graph.add("abuffersink")
    source.link_to(tempo_filter)
    tempo_filter.link_to(sink)
    graph.configure()
    return graph
