"""How fast `describe` is answered while the server is busy."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from tests.benchmarks import contenders, listener
from tests.benchmarks.contenders import OURS, PIPER, WyomingContender
from tests.benchmarks.context import Context
from tests.benchmarks.report import Result, Table, Target
from tests.benchmarks.texts import PARAGRAPHS, SHORT

LISTENERS = 3
SECONDS, QUICK_SECONDS = 40.0, 8.0
"""How long to ask a server that speaks."""

PAUSE = 0.03
"""Seconds between two questions."""

LIMIT = 50.0
"""Milliseconds within which 99 of 100 answers come."""

SPEAKING, COLD, PREPARED = "three listeners", "first start ever", "start"


def run(context: Context) -> Result:
    """Ask over a new connection each time, and measure the round trip."""
    trips = asyncio.run(_measure(context))
    targets = tuple(
        Target(f"p99 of describe, {situation}", _percentile(trips[OURS, situation], 99), LIMIT, " ms")
        for situation in (SPEAKING, COLD, PREPARED)
    )
    header = ("server", "while", "p50, ms", "p99, ms", "longest, ms", "answers")
    rows = tuple(_row(who, situation, series) for (who, situation), series in trips.items())
    note = (
        f"From opening a connection to the whole `info`. {SPEAKING}: being spoken to without a pause. "
        f"{COLD}: from the first moment it accepts connections until it speaks, models still to be "
        f"prepared. {PREPARED}: the same with prepared models."
    )
    data = {f"{who}, {situation}": series for (who, situation), series in trips.items()}
    return Result("describe", (Table("Round trip of `describe`", header, rows, note),), targets, data)


Trips = Mapping[tuple[str, str], Sequence[float]]
"""Seconds of every round trip, by server and situation."""


async def _measure(context: Context) -> Trips:
    trips = {}
    with tempfile.TemporaryDirectory(dir=context.work) as folder:
        for situation in (COLD, PREPARED):
            context.note(f"describe: {situation}")
            trips[OURS, situation] = await _while_loading(Path(folder), context.out)
    async with context.this_server() as ours:
        trips[OURS, SPEAKING] = await _while_speaking(ours, context)
    async with context.wyoming_piper() as piper:
        trips[PIPER, SPEAKING] = await _while_speaking(piper, context)
    return trips


async def _while_loading(data: Path, logs: Path) -> list[float]:
    async with contenders.this_server(data, logs) as server:
        return await _ask_while(server, lambda: server.speak(SHORT[0]))


async def _while_speaking(server: WyomingContender, context: Context) -> list[float]:
    context.note(f"describe: {server.name}, {LISTENERS} listeners")
    listeners = [asyncio.create_task(_listen(server, number)) for number in range(LISTENERS)]
    try:
        seconds = QUICK_SECONDS if context.quick else SECONDS
        trips = await _ask_while(server, lambda: asyncio.sleep(seconds))
        for task in listeners:
            if task.done():
                task.result()
        return trips
    finally:
        for task in listeners:
            task.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)


async def _listen(server: WyomingContender, number: int) -> None:
    while True:
        await server.speak(PARAGRAPHS[number % len(PARAGRAPHS)])
        number += 1


async def _ask_while(server: WyomingContender, busy: Callable[[], Awaitable[object]]) -> list[float]:
    trips = []
    work = asyncio.ensure_future(busy())
    try:
        while not work.done():
            trips.append(await listener.describe(server.port))
            await asyncio.sleep(PAUSE)
        await work
    finally:
        work.cancel()
    return trips


def _row(who: str, situation: str, series: Sequence[float]) -> tuple[str, ...]:
    cells = [_percentile(series, percent) for percent in (50, 99, 100)]
    return (who, situation, *(f"{cell:.1f}" for cell in cells), str(len(series)))


def _percentile(series: Sequence[float], percent: float) -> float:
    return float(np.percentile(series, percent)) * 1000
