"""How many servers it takes: arithmetic, and the scheduler on virtual time to see what that leaves out."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from tests.benchmarks.context import Context
from tests.benchmarks.report import Result, Table
from tests.benchmarks.virtual import Fleet, Heard, Machine, run_virtually
from wyoming_tts.types import CHARACTERS_PER_SECOND

SETTLE = 60.0
"""Seconds at the start of a simulation that are not counted: it begins with nobody there."""

LOADS = (0.85, 0.7, 0.5)
"""How much of a server may be used at the peak."""

FEW = 4
"""Up to so many servers, chance decides, and not the load: one more is tried, and another."""

SERVER = Machine()

MEASURED = {1: (0.16, 0.19, 0), 2: (0.22, 0.25, 0), 4: (0.44, 0.47, 0), 8: (0.93, 0.94, 91)}
"""The README's household: first audio p50 and p95, and seconds of silence, by listeners."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Who asks for what in the busiest time."""

    name: str
    requests: float
    """A second, on average; they come by chance."""

    cached: float
    """Share of requests whose sentences are in the cache: they compute nothing."""

    wakeups: int = 0
    """Requests that come besides, all within ten seconds."""

    seconds: float = 600.0
    """How long is looked at."""

    @property
    def speech(self) -> float:
        """Seconds of speech that are to be computed in a second."""
        return self.requests * (1 - self.cached) * MEAN_SPEECH

    def servers(self, load: float, machine: Machine = SERVER) -> int:
        """How many it takes by arithmetic, with so much of each used."""
        return max(1, math.ceil(self.speech * machine.cost / machine.threads / load))

    def trials(self) -> Sequence[int]:
        """Numbers of servers that are worth a look."""
        counts = sorted({self.servers(load) for load in LOADS})
        return counts if counts[0] > FEW else range(counts[0], counts[0] + FEW)


PER_HOUSEHOLD = 20 / 24 * 2.4 / 3600
"""Requests a second in the busiest hour: twenty a day, a tenth of them in that hour."""

PER_ROOM = 4 / 3600
"""Of a hotel, in the evening."""

SCENARIOS = (
    Scenario("1,000 households", 1_000 * PER_HOUSEHOLD, 0.3, seconds=3600),
    Scenario("hotel, 300 rooms, evening", 300 * PER_ROOM, 0.3, seconds=3600),
    Scenario("the same, 30 wake-up calls in 10 s", 300 * PER_ROOM, 0.3, wakeups=30, seconds=300),
    Scenario("10,000 households", 10_000 * PER_HOUSEHOLD, 0.3, seconds=300),
    Scenario("city, 100,000 households", 100_000 * PER_HOUSEHOLD, 0.3, seconds=60),
)


def answers(rng: random.Random) -> Sequence[int]:
    """Characters of each sentence of what somebody wants to hear."""
    kind = rng.random()
    if kind < 0.6:  # a confirmation
        return (rng.randint(40, 100),)
    return (100,) * (3 if kind < 0.97 else 12)  # an answer, or a short story


MEAN_SPEECH = (0.6 * 70 + 0.37 * 300 + 0.03 * 1200) / CHARACTERS_PER_SECOND
"""Seconds that `answers` last on average."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What listeners got whose speech was computed."""

    scenario: str
    servers: int
    planned: float
    """Share of the servers that arithmetic says is used."""

    used: float
    """Share that was."""

    streams: int
    p50: float
    """Seconds to the first audio."""

    p95: float
    gaps: float
    """Share of streams that fell silent at least once."""

    refused: float
    """Share of streams."""


def run(context: Context) -> Result:
    """Simulate every scenario with several numbers of servers."""
    outcomes = []
    for scenario in SCENARIOS:
        for servers in scenario.trials():
            context.note(f"sizing: {scenario.name}, {servers} servers")
            wanted = replace(scenario, seconds=min(scenario.seconds, 120.0)) if context.quick else scenario
            outcomes.append(simulate(wanted, servers))
    household = {count: together(count) for count in MEASURED}
    tables = (table(outcomes), household_table(household))
    return Result("sizing", tables, (), {"outcomes": [asdict(one) for one in outcomes]})


def simulate(scenario: Scenario, servers: int, machine: Machine = SERVER, seed: int = 1) -> Outcome:
    """Serve a scenario with so many servers."""
    heard, used = run_virtually(lambda: _serve(scenario, servers, machine, random.Random(seed)))
    spoken = [one for one in heard if not one.refused]
    waits = [one.first_audio for one in spoken]
    return Outcome(
        scenario=scenario.name,
        servers=servers,
        planned=scenario.speech * machine.cost / machine.threads / servers,
        used=used,
        streams=len(heard),
        p50=float(np.percentile(waits, 50)),
        p95=float(np.percentile(waits, 95)),
        gaps=sum(one.underruns > 0 for one in spoken) / len(spoken),
        refused=1 - len(spoken) / len(heard),
    )


async def _serve(
    scenario: Scenario, servers: int, machine: Machine, rng: random.Random
) -> tuple[list[Heard], float]:
    """Everybody who came behind the beginning, and the share of all threads that was used meanwhile."""
    loop, fleet = asyncio.get_running_loop(), Fleet.of(servers, machine)
    began, before, listeners = loop.time(), 0.0, []
    for at in _arrivals(scenario, rng):
        await asyncio.sleep(began + at - loop.time())
        if at >= SETTLE and not before:
            before = fleet.busy_seconds()
        listeners.append(asyncio.create_task(fleet.listen(answers(rng))))
    used = (fleet.busy_seconds() - before) / (loop.time() - began - SETTLE) / servers / machine.threads
    await asyncio.gather(*listeners)
    return [one for one in fleet.heard if one.came >= began + SETTLE], used


def _arrivals(scenario: Scenario, rng: random.Random) -> Iterator[float]:
    """Seconds at which somebody comes whose speech is not in the cache, in order."""
    end, at = SETTLE + scenario.seconds, 0.0
    found = [SETTLE + 30 + rng.uniform(0, 10) for _ in range(scenario.wakeups)]
    while (at := at + rng.expovariate(scenario.requests * (1 - scenario.cached))) < end:
        found.append(at)
    yield from sorted(found)


def together(count: int) -> list[Heard]:
    """So many listeners at the same moment on one server, with paragraphs of 20 s, nobody refused."""

    async def serve() -> list[Heard]:
        fleet = Fleet.of(1, SERVER, refuse=False)
        await fleet.listen((100,))
        fleet.heard.clear()
        await asyncio.gather(*(fleet.listen((75, 50, 75, 50, 50)) for _ in range(count)))
        return fleet.heard

    return run_virtually(serve)


def table(outcomes: Sequence[Outcome]) -> Table:
    """A row for each."""
    rows = tuple(
        (
            *(one.scenario, str(one.servers), f"{one.used:.0%}", str(one.streams)),
            *(f"{one.p50:.2f}", f"{one.p95:.2f}", f"{one.gaps:.1%}", f"{one.refused:.1%}"),
        )
        for one in outcomes
    )
    header = ("", "servers", "used", "streams", "first audio p50, s", "p95, s", "with a gap", "refused")
    note = (
        f"Servers of {SERVER.threads} cores that take {SERVER.cost} s of one for a second of speech; "
        f"{MEAN_SPEECH:.1f} s of speech in an answer; answers from the cache are not in the figures."
    )
    return Table("How many servers", header, rows, note)


def household_table(household: dict[int, list[Heard]]) -> Table:
    """What was simulated beside what was measured, by the number of listeners."""
    rows = []
    for count, heard in household.items():
        waits = [one.first_audio for one in heard]
        p50, p95, silence = MEASURED[count]
        simulated = f"{np.percentile(waits, 50):.2f} ({np.percentile(waits, 95):.2f})"
        gaps = sum(one.underruns for one in heard)
        rows.append((str(count), simulated, str(gaps), f"{p50:.2f} ({p95:.2f})", f"{silence} s"))
    header = ("listeners at once", "simulated: first audio p50 (p95), s", "gaps", "measured", "silence")
    note = "One server, paragraphs of about 20 s; measured: see the README."
    return Table("Whether the simulation is right", header, tuple(rows), note)
