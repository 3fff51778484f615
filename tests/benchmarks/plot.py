"""Pictures of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tests.benchmarks.measure import Spread


def plot_first_audio(
    waits: Mapping[tuple[str, str], Sequence[float]], order: Sequence[str], path: Path
) -> None:
    """Draw the waits (seconds, by contender and length of the sentence) as bars with p10 to p90."""
    figure, axes = _figure(9, 5)
    lengths = list(dict.fromkeys(length for _, length in waits))
    for place, who in enumerate(order):
        _bars(axes, who, [Spread.of(waits[who, length]) for length in lengths], place, len(order))
    axes.set_xticks(range(len(lengths)), lengths)
    _dress(axes, "Time to the first audio: median, p10 to p90", "characters of the sentence")
    figure.savefig(path, dpi=150)


def plot_household(waits: Mapping[tuple[str, int], Sequence[float]], path: Path) -> None:
    """Draw the first audio (seconds, by contender and number of listeners): lines of p50, up to p95."""
    figure, axes = _figure(9, 5)
    counts = list(dict.fromkeys(count for _, count in waits))
    for who in dict.fromkeys(who for who, _ in waits):
        middle, late = (
            [float(np.percentile(waits[who, count], percent)) for count in counts] for percent in (50, 95)
        )
        (line,) = axes.plot(counts, middle, marker="o", label=who)
        axes.fill_between(counts, middle, late, color=line.get_color(), alpha=0.15)
    axes.set_yscale("log")
    axes.set_xticks(counts)
    _dress(axes, "Time to the first audio of listeners that come together: p50 to p95", "listeners")
    figure.savefig(path, dpi=150)


def plot_memory(megabytes: Sequence[float], path: Path) -> None:
    """Draw the memory after every sentence."""
    figure, axes = _figure(9, 4)
    axes.plot(range(1, len(megabytes) + 1), megabytes, label="this server")
    axes.set_ylim(bottom=0)
    _dress(axes, "Resident memory", "sentences", "megabytes")
    figure.savefig(path, dpi=150)


def _figure(width: float, height: float):
    """An empty picture, in inches, and its axes; needs no screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _bars(axes, who: str, spreads: Sequence[Spread], place: int, of: int) -> None:
    width = 0.8 / of
    positions = [group + (place - (of - 1) / 2) * width for group in range(len(spreads))]
    below = [spread.median - spread.p10 for spread in spreads]
    above = [spread.p90 - spread.median for spread in spreads]
    medians = [spread.median for spread in spreads]
    axes.bar(positions, medians, width * 0.92, label=who, yerr=[below, above], capsize=3, ecolor="#444444")
    for position, spread in zip(positions, spreads, strict=True):
        label = f"{spread.median:.2f}" if spread.median < 10 else f"{spread.median:.1f}"
        axes.annotate(
            label, (position, spread.p90), (0, 4), textcoords="offset points", ha="center", fontsize=8
        )


def _dress(axes, title: str, label: str, unit: str = "seconds") -> None:
    axes.set_title(title)
    axes.set_xlabel(label)
    axes.set_ylabel(unit)
    axes.set_ymargin(0.1)
    axes.grid(axis="y", alpha=0.25)
    axes.set_axisbelow(True)
    axes.legend(loc="upper left", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
