"""One server process and two behind HAProxy, on the same machine: what is won, and what it costs."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tests.balancer import balancing, find_haproxy
from tests.benchmarks import listener
from tests.benchmarks.contenders import VOICE, free_port
from tests.benchmarks.context import Context
from tests.benchmarks.listener import BenchmarkError
from tests.benchmarks.measure import Speech
from tests.benchmarks.report import Result, Table
from tests.benchmarks.texts import HOUSEHOLD, SHORT

ROUNDS = 3
LISTENERS = 4
SHORT_TEXTS, AT_ONCE = 200, 8
"""For espeak-ng, which needs little: what is measured is everything around it."""

KOKORO = ("--cache-memory", "0", "--busy", "late", "--chain", "kokoro", "--no-http")
ESPEAK = ("--cache-memory", "0", "--chain", "espeak", "--no-http")


@dataclass(frozen=True, slots=True)
class Setup:
    """How many processes, and what is in front."""

    name: str
    processes: int
    balanced: bool
    threads: int


SETUPS = (
    Setup("one process, two threads", 1, False, 2),
    Setup("the same behind HAProxy", 1, True, 2),
    Setup("two processes, a thread each, behind HAProxy", 2, True, 1),
    Setup("two processes, two threads each, behind HAProxy", 2, True, 2),
)


def run(context: Context) -> Result:
    """Measure each setup in turn."""
    if find_haproxy() is None:
        raise BenchmarkError("there is no haproxy: apt install haproxy")
    kokoro, espeak = asyncio.run(_measure(context))
    data = {
        "kokoro": {name: [one.first_audio for one in some] for name, some in kokoro.items()},
        "espeak": {name: list(some) for name, some in espeak.items()},
    }
    return Result("balanced", (_kokoro_table(kokoro), _espeak_table(espeak)), (), data)


async def _measure(context: Context) -> tuple[Mapping[str, Sequence[Speech]], Mapping[str, Sequence[float]]]:
    kokoro: dict[str, list[Speech]] = defaultdict(list)
    espeak: dict[str, list[float]] = defaultdict(list)
    for setup in SETUPS:
        context.note(f"balanced: {setup.name}")
        async with _serving(context, setup, *KOKORO, "--threads", str(setup.threads)) as port:
            for number in range(context.rounds(ROUNDS)):
                texts = [HOUSEHOLD[(number + place) % len(HOUSEHOLD)] for place in range(LISTENERS)]
                kokoro[setup.name] += await asyncio.gather(
                    *(listener.speak(port, text, VOICE) for text in texts)
                )
                await asyncio.sleep(0.5)
        if setup.threads == 1 or setup.processes == 1:
            async with _serving(context, setup, *ESPEAK) as port:
                for _ in range(context.rounds(ROUNDS)):
                    espeak[setup.name].append(await _many(port))
    return kokoro, espeak


@contextlib.asynccontextmanager
async def _serving(context: Context, setup: Setup, *flags: str) -> AsyncIterator[int]:
    """The port where listeners come."""
    async with contextlib.AsyncExitStack() as stack:
        ports = []
        for _ in range(setup.processes):
            server = await stack.enter_async_context(context.this_server(*flags, voice=None))
            ports.append(server.port)
        if not setup.balanced:
            yield ports[0]
            return
        ports += [free_port() for _ in range(2 - len(ports))]
        own = (free_port(), free_port())
        balancer = stack.enter_context(balancing(context.work, ports, (free_port(), free_port()), own))
        wanted = ["UP", "UP" if setup.processes == 2 else "DOWN"]
        while [row["status"] for row in (await balancer.servers()).values()] != wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        yield balancer.port


async def _many(port: int) -> float:
    """Short texts a second, so many at once."""
    texts = iter([SHORT[number % len(SHORT)] for number in range(SHORT_TEXTS)])

    async def ask() -> None:
        for text in texts:
            await listener.speak(port, text, None)

    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    return SHORT_TEXTS / (loop.time() - began)


def _kokoro_table(speeches: Mapping[str, Sequence[Speech]]) -> Table:
    rows = []
    for name, series in speeches.items():
        rounds = [series[start : start + LISTENERS] for start in range(0, len(series), LISTENERS)]
        speed = np.mean([sum(s.seconds for s in some) / max(s.finished for s in some) for some in rounds])
        waits = [one.first_audio for one in series]
        silent = sum(one.silent_seconds for one in series)
        cells = (f"{speed:.1f}", f"{np.percentile(waits, 50):.2f}", f"{np.percentile(waits, 95):.2f}")
        rows.append((name, *cells, f"{silent:.1f}"))
    header = ("Kokoro", "seconds of speech in a second", "first audio p50, s", "p95, s", "silence, s")
    note = (
        f"{LISTENERS} listeners with other paragraphs of about 20 s, started together, {len(rounds)} rounds."
    )
    return Table("One process and two, the network", header, tuple(rows), note)


def _espeak_table(rates: Mapping[str, Sequence[float]]) -> Table:
    rows = tuple((name, f"{np.median(some):.0f}") for name, some in rates.items())
    note = f"{SHORT_TEXTS} short texts, {AT_ONCE} at once, a connection each; the client is a process beside."
    return Table("One process and two, everything around it", ("espeak-ng", "texts a second"), rows, note)
