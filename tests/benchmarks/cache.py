"""What a sentence costs that was spoken before."""

from __future__ import annotations

import asyncio

import numpy as np

from tests.benchmarks.context import Context
from tests.benchmarks.measure import Speech, Spread, ratios
from tests.benchmarks.report import Result, Table, Target
from tests.benchmarks.texts import LONG, MEDIUM, SHORT

AGAIN = 15
"""How often each sentence is asked for again."""

LIMIT = 10.0
"""Milliseconds within which the first audio of 95 in 100 cached sentences comes."""


def run(context: Context) -> Result:
    """Ask for sentences for the first time, and again and again."""
    new, known = asyncio.run(_measure(context))
    first = [1000 * speech.first_audio for speech in new]
    again = [1000 * speech.first_audio for some in known for speech in some]
    share = ratios(
        [float(np.median([s.first_audio for s in some])) for some in known], [s.first_audio for s in new]
    )
    rows = (
        ("computed", Spread.of(first).text(1), f"{np.percentile(first, 95):.1f}", _whole(new), str(len(new))),
        (
            *("cached", Spread.of(again).text(1), f"{np.percentile(again, 95):.1f}"),
            *(_whole([speech for some in known for speech in some]), str(len(again))),
        ),
    )
    header = ("sentence", "first audio, ms", "p95, ms", "whole answer, ms", "runs")
    note = f"Median (p10–p90). Cached over computed, sentence by sentence: {share.text(3)}."
    target = Target("p95 of a cached sentence's first audio", float(np.percentile(again, 95)), LIMIT, " ms")
    return Result("cache", (Table("Phrases that come again", header, rows, note),), (target,), {"ms": again})


def _whole(speeches: list[Speech]) -> str:
    return Spread.of([1000 * speech.finished for speech in speeches]).text(0)


async def _measure(context: Context) -> tuple[list[Speech], list[list[Speech]]]:
    new, known = [], []
    async with context.this_server("--cache-memory", "64") as server:
        for text in (*SHORT, *MEDIUM, *LONG):
            context.note(f"cache: {text[:40]}")
            new.append(await server.speak(text))
            known.append([await server.speak(text) for _ in range(context.rounds(AGAIN))])
    return new, known
