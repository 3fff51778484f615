"""Pictures of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.benchmarks.measure import Spread


def plot_first_audio(
    waits: Mapping[tuple[str, str], Sequence[float]], order: Sequence[str], path: Path
) -> None:
    """Draw the waits (seconds, by contender and length of the sentence) as bars with p10 to p90."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    lengths = list(dict.fromkeys(length for _, length in waits))
    for place, who in enumerate(order):
        _bars(axes, who, [Spread.of(waits[who, length]) for length in lengths], place, len(order))
    axes.set_xticks(range(len(lengths)), lengths)
    _dress(axes)
    figure.savefig(path, dpi=150)


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


def _dress(axes) -> None:
    axes.set_title("Time to the first audio: median, p10 to p90")
    axes.set_xlabel("characters of the sentence")
    axes.set_ylabel("seconds")
    axes.set_ymargin(0.1)
    axes.grid(axis="y", alpha=0.25)
    axes.set_axisbelow(True)
    axes.legend(loc="upper left", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
