"""Text that arrives as a language model writes it, through Home Assistant: when is something heard?"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tests.benchmarks import listener
from tests.benchmarks.contenders import OURS, PIPER, WyomingContender
from tests.benchmarks.context import Context
from tests.benchmarks.measure import Speech, Spread
from tests.benchmarks.report import Result, Table
from tests.benchmarks.texts import HOUSEHOLD

RATES = (15, 40, 100)
"""Characters a second."""

ROUNDS = 3
HELD = 60
"""Home Assistant keeps text back until it has more characters than that, and sends them as one piece."""

PIECE = 4
"""Characters of a token."""


def pieces(text: str, rate: float) -> Iterator[tuple[float, str]]:
    """What Home Assistant sends of a text that is written at `rate` characters a second, and when it does."""
    begun = 0
    for end in range(PIECE, len(text) + PIECE, PIECE):
        end = min(end, len(text))
        if begun or end > HELD or end == len(text):
            yield end / rate, text[begun:end]
            begun = end


def run(context: Context) -> Result:
    """Measure the first audio and the underruns at every rate."""
    speeches = asyncio.run(_measure(context))
    rows = tuple(_row(who, rate, series) for (who, rate), series in speeches.items())
    header = (
        "contender",
        "characters a second",
        "first audio, s",
        "after the first text, s",
        "underruns",
        "runs",
    )
    note = (
        "Median (p10–p90). First audio: from the moment at which the model begins to write; the third column "
        "from the first text that Home Assistant passes on (over 60 characters). An underrun is a moment "
        "at which a listener in real time has nothing to play: at 15 characters a second text comes as fast "
        "as it is spoken, so some are the model's."
    )
    data = {
        f"{who}, {rate}": [speech.first_audio for speech in series]
        for (who, rate), series in speeches.items()
    }
    return Result("streamed", (Table("Text from a language model", header, rows, note),), (), data)


async def _measure(context: Context) -> Mapping[tuple[str, int], Sequence[Speech]]:
    speeches = defaultdict(list)
    async with context.this_server() as ours, context.wyoming_piper() as piper:
        for number in range(context.rounds(ROUNDS)):
            for rate in RATES:
                for server in (ours, piper):
                    context.note(f"streamed: {server.name}, {rate} characters a second")
                    speeches[server.name, rate].append(await _speak(server, number, rate))
    return {key: speeches[key] for who in (OURS, PIPER) for key in speeches if key[0] == who}


async def _speak(server: WyomingContender, number: int, rate: int) -> Speech:
    text = HOUSEHOLD[number % len(HOUSEHOLD)]
    return await listener.speak_streamed(server.port, list(pieces(text, rate)), text, server.voice)


def _row(who: str, rate: int, series: Sequence[Speech]) -> tuple[str, ...]:
    waits = [speech.first_audio for speech in series]
    held = (HELD + PIECE) / rate
    behind = Spread.of([wait - held for wait in waits]).text()
    gaps = sum(speech.underruns for speech in series)
    return who, str(rate), Spread.of(waits).text(), behind, str(gaps), str(len(series))
