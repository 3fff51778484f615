"""A text of several sentences from beginning to end, for a listener in real time."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from tests.benchmarks.contenders import KOKORO, OURS, PIPER, Contender, warm_up
from tests.benchmarks.context import Context
from tests.benchmarks.measure import Speech, Spread
from tests.benchmarks.report import Result, Table
from tests.benchmarks.texts import PARAGRAPHS, SHORT

ROUNDS = 4


def run(context: Context) -> Result:
    """Measure time, real-time factor and the gaps that a listener hears."""
    speeches = asyncio.run(_measure(context))
    header = (
        "contender",
        "wall, s",
        "speech, s",
        "real-time factor",
        "first audio, s",
        "longest gap, s",
        "runs with a gap",
    )
    rows = tuple(_row(who, speeches[who]) for who in (OURS, PIPER, KOKORO))
    note = (
        "Median (p10–p90). Real-time factor: wall time over audio, below 1 is faster than speech. Gap: how "
        "long a listener who plays from the first byte on waits for audio that is late (whoever answers "
        "whole has none, and pays for it at the beginning)."
    )
    table = Table("A paragraph, one-shot", header, rows, note)
    data = {who: [asdict(speech) for speech in series] for who, series in speeches.items()}
    return Result("whole", (table,), (), data)


async def _measure(context: Context) -> Mapping[str, Sequence[Speech]]:
    async with (
        context.this_server() as ours,
        context.wyoming_piper() as piper,
        context.kokoro_onnx() as kokoro,
    ):
        everyone: list[Contender] = [ours, piper, kokoro]
        context.note("whole: warming up")
        await warm_up(everyone, SHORT)
        speeches = defaultdict(list)
        for number in range(context.rounds(ROUNDS)):
            context.note(f"whole: round {number + 1}")
            for contender in context.order(everyone, number):
                speech = await contender.say(PARAGRAPHS[number % len(PARAGRAPHS)])
                speeches[contender.name].append(speech)
    return speeches


def _row(who: str, series: Sequence[Speech]) -> tuple[str, ...]:
    columns = (
        [speech.finished for speech in series],
        [speech.seconds for speech in series],
        [speech.finished / speech.seconds for speech in series],
        [speech.first_audio for speech in series],
        [speech.longest_gap for speech in series],
    )
    gaps = sum(speech.longest_gap > 0.001 for speech in series)
    return (who, *(Spread.of(column).text() for column in columns), f"{gaps} of {len(series)}")
