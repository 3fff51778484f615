"""Several listeners at once, each playing in real time: who waits how long, and who runs dry."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tests.benchmarks.contenders import KOKORO, KOKORO_PI, OURS, PIPER, KokoroContender, WyomingContender
from tests.benchmarks.context import Context
from tests.benchmarks.measure import Arrival, Speech
from tests.benchmarks.plot import plot_household
from tests.benchmarks.report import Result, Table, Target
from tests.benchmarks.texts import HOUSEHOLD, MEDIUM, SHORT

LISTENERS = (1, 2, 4, 8)
ROUNDS = 3
"""For this server; the others, which are slower or have no targets, get one."""

ALONE = 4
"""How often one is asked alone in a round: as many streams as those of four, or its p95 would be a guess."""

FLAGS = ("--cache-memory", "0", "--busy", "late")
"""Nothing from the cache, and nobody refused: what is measured is how late everybody is."""

BURST_LIMIT, NEWCOMER_LIMIT = 3.0, 2.0
"""How much later than one alone may start: four that come together, and a fourth that comes later."""

INTO_THE_PARAGRAPH = 5.0
"""Seconds after which the newcomer comes."""

Speak = Callable[[str], Coroutine[Any, Any, Speech]]
Speeches = Mapping[tuple[str, int], Sequence[Speech]]
"""By contender and number of listeners."""


def run(context: Context) -> Result:
    """Measure, and draw `household.png`."""
    speeches, newcomers = asyncio.run(_measure(context))
    waits = {key: [speech.first_audio for speech in series] for key, series in speeches.items()}
    plot_household(waits, context.out / "household.png")
    alone, four = waits[OURS, 1], waits[OURS, 4]
    gaps = sum(speech.underruns for speech in speeches[OURS, 4])
    late = np.median([one.newcomer for one in newcomers]) / np.median([one.idle for one in newcomers])
    targets = (
        Target("underruns of four listeners", gaps, 0),
        Target(
            "p95 of four listeners' first audio ÷ one's p95", _p(four, 95) / _p(alone, 95), BURST_LIMIT, " x"
        ),
        Target("p50 of a newcomer's first audio ÷ the idle one", float(late), NEWCOMER_LIMIT, " x"),
    )
    data = {f"{who}, {count}": [_plain(one) for one in some] for (who, count), some in speeches.items()}
    data["newcomers"] = [asdict(one) for one in newcomers]
    return Result("household", (_table(speeches), _newcomer_table(newcomers)), targets, data)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A listener who comes while three others are in the middle of a paragraph."""

    newcomer: float
    """Seconds until its first audio."""

    idle: float
    """The same sentence with nobody else there, in the same round."""

    underruns: int
    """How often the three others ran dry."""


async def _measure(context: Context) -> tuple[Speeches, list[Newcomer]]:
    speeches: dict[tuple[str, int], list[Speech]] = defaultdict(list)
    newcomers: list[Newcomer] = []
    for who, contender in _contenders(context).items():
        async with contender as speak:
            if speak is None:
                continue
            for number in range(context.rounds(ROUNDS) if who == OURS else 1):
                for count in LISTENERS:
                    context.note(f"household: {who}, {count} listeners, round {number + 1}")
                    for turn in range(ALONE if (who, count) == (OURS, 1) else 1):
                        speeches[who, count] += await _together(speak, count, number + turn)
                if who == OURS:
                    newcomers.append(await _newcomer(speak, MEDIUM[number % len(MEDIUM)]))
    return speeches, newcomers


def _contenders(context: Context):
    return {
        OURS: _server(context.this_server(*FLAGS)),
        PIPER: _server(context.wyoming_piper()),
        KOKORO_PI: _server_if_there(context.kokoro_pi()),
        KOKORO: _in_turn(context.kokoro_onnx()),
    }


@asynccontextmanager
async def _server(contender) -> AsyncIterator[Speak]:
    server: WyomingContender
    async with contender as server:
        yield await _warm(server)


@asynccontextmanager
async def _server_if_there(contender) -> AsyncIterator[Speak | None]:
    async with contender as servers:
        yield await _warm(servers[0]) if servers else None


async def _warm(server: WyomingContender) -> Speak:
    for text in SHORT:
        await server.speak(text)
    return server.speak


@asynccontextmanager
async def _in_turn(contender) -> AsyncIterator[Speak]:
    """A server as it is usually made of kokoro-onnx: one sentence at a time, whoever asked first."""
    kokoro: KokoroContender
    async with contender as kokoro:
        await kokoro.say(SHORT[0])
        turn = asyncio.Lock()
        loop = asyncio.get_running_loop()

        async def speak(text: str) -> Speech:
            begun, arrivals = loop.time(), []
            for sentence in text.replace("? ", "?\n").replace(". ", ".\n").splitlines():
                async with turn:
                    answer = await kokoro.answer(sentence)
                arrivals.append(Arrival(loop.time() - begun, answer["seconds"]))
            return Speech(tuple(arrivals), loop.time() - begun, 0.0)

        yield speak


async def _together(speak: Speak, count: int, number: int) -> list[Speech]:
    """Different paragraphs for so many listeners at the same moment."""
    texts = [HOUSEHOLD[(number + place) % len(HOUSEHOLD)] for place in range(count)]
    speeches = await asyncio.gather(*(speak(text) for text in texts))
    await asyncio.sleep(0.5)
    return list(speeches)


async def _newcomer(speak: Speak, text: str) -> Newcomer:
    others = [asyncio.create_task(speak(paragraph)) for paragraph in HOUSEHOLD[:3]]
    await asyncio.sleep(INTO_THE_PARAGRAPH)
    newcomer = await speak(text)
    speeches = await asyncio.gather(*others)
    await asyncio.sleep(0.5)
    idle = await speak(text)
    return Newcomer(newcomer.first_audio, idle.first_audio, sum(one.underruns for one in speeches))


def _table(speeches: Speeches) -> Table:
    header = (
        *("contender", "listeners", "first audio p50, s", "p95, s", "p95 ÷ one listener's"),
        *("real-time factor", "underruns", "seconds of silence", "streams"),
    )
    rows = tuple(_row(speeches, who, count) for who, count in speeches)
    note = (
        "Listeners with a paragraph of about 20 s each, other texts for each, started together. Each plays "
        "in real time from its first audio on; an underrun is a moment with nothing to play before the end. "
        "Real-time factor: wall time over all audio of all listeners. kokoro-onnx, "
        "which is no server, is asked for one sentence after the other, in the order of asking."
    )
    return Table("A household at once", header, rows, note)


def _row(speeches: Speeches, who: str, count: int) -> tuple[str, ...]:
    series = speeches[who, count]
    waits = [speech.first_audio for speech in series]
    share = _p(waits, 95) / _p([speech.first_audio for speech in speeches[who, 1]], 95)
    rounds = [series[start : start + count] for start in range(0, len(series), count)]
    factor = np.mean([max(s.finished for s in some) / sum(s.seconds for s in some) for some in rounds])
    return (
        *(who, str(count), f"{_p(waits, 50):.2f}", f"{_p(waits, 95):.2f}", f"{share:.1f}", f"{factor:.2f}"),
        *(str(sum(one.underruns for one in series)), f"{sum(one.silent_seconds for one in series):.1f}"),
        str(len(series)),
    )


def _newcomer_table(newcomers: Sequence[Newcomer]) -> Table:
    waits, idle = [one.newcomer for one in newcomers], [one.idle for one in newcomers]
    row = (f"{_p(waits, 50):.2f}", f"{_p(waits, 95):.2f}", f"{_p(idle, 50):.2f}", f"{_p(idle, 95):.2f}")
    header = ("first audio p50, s", "p95, s", "idle p50, s", "p95, s", "underruns of the others", "runs")
    cells = (*row, str(sum(one.underruns for one in newcomers)), str(len(newcomers)))
    note = f"A sentence of 100 characters asked for {INTO_THE_PARAGRAPH:g} s into three paragraphs."
    return Table("A newcomer", header, (cells,), note)


def _p(series: Sequence[float], percent: float) -> float:
    return float(np.percentile(series, percent))


def _plain(speech: Speech) -> dict[str, float]:
    names = ("first_audio", "finished", "seconds", "underruns", "silent_seconds")
    return {name: getattr(speech, name) for name in names}
