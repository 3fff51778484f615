"""The simulation of servers is right where it was measured, and agrees with arithmetic at half load."""

from __future__ import annotations

import asyncio
import random
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.sizing import (
    MEAN_SPEECH,
    MEASURED,
    SCENARIOS,
    answers,
    household_table,
    simulate,
    table,
    together,
)
from tests.benchmarks.virtual import Fleet, Machine, run_virtually
from wyoming_tts.types import CHARACTERS_PER_SECOND

PAGE = Path(__file__).parent.parent.parent / "docs" / "sizing.md"


def test_sleep_takes_no_time() -> None:
    """An hour on virtual time is over at once, and everybody wakes in order."""
    woken = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append(asyncio.get_running_loop().time())

    async def hour() -> None:
        await asyncio.gather(*(sleep(seconds) for seconds in (3600.0, 1.0, 60.0)))

    began = time.monotonic()
    run_virtually(hour)
    assert time.monotonic() - began < 5
    assert woken == [2.0, 61.0, 3601.0]


@pytest.mark.parametrize("count", MEASURED)
def test_a_household_is_as_measured(count: int) -> None:
    """Who listens together hears something when the README's household did, with gaps where that had some."""
    heard = together(count)
    p50, _, silence = MEASURED[count]
    assert np.median([one.first_audio for one in heard]) == pytest.approx(p50, rel=0.25)
    assert bool(sum(one.underruns for one in heard)) == bool(silence)


def test_one_listener_takes_what_was_measured() -> None:
    """A second of speech costs the CPU seconds that the machine is said to need."""
    machine = Machine()

    async def speak() -> float:
        fleet = Fleet.of(1, machine)
        await fleet.listen((100,) * 10)
        return fleet.busy_seconds()

    assert run_virtually(speak) / (1000 / CHARACTERS_PER_SECOND) == pytest.approx(machine.cost, rel=0.05)


def test_answers_last_as_long_as_is_said() -> None:
    """The mean that arithmetic uses is that of what is asked for."""
    rng = random.Random(2)
    lengths = [sum(answers(rng)) / CHARACTERS_PER_SECOND for _ in range(20_000)]
    assert np.mean(lengths) == pytest.approx(MEAN_SPEECH, rel=0.05)


def test_arithmetic_is_right_about_the_load() -> None:
    """Half used: what was computed is what was foretold, nobody is refused, and the first sound is early."""
    town = replace(SCENARIOS[3], requests=SCENARIOS[3].requests / 2, seconds=60.0)
    outcome = simulate(town, town.servers(0.5))
    assert outcome.used == pytest.approx(outcome.planned, rel=0.35)
    assert (outcome.refused, outcome.gaps) < (0.01, 0.05)
    assert outcome.p95 < 1


def test_too_few_servers_are_noticed() -> None:
    """With twice as much to do as can be done, somebody is refused or waits."""
    town = replace(SCENARIOS[3], requests=SCENARIOS[3].requests / 4, seconds=60.0)
    outcome = simulate(town, town.servers(2.0))
    assert outcome.refused > 0.1


def test_the_page_has_what_the_simulation_says() -> None:
    """The tables of docs/sizing.md are those that `script/bench --only sizing` prints now."""
    page = PAGE.read_text(encoding="utf-8")
    household = household_table({count: together(count) for count in MEASURED})
    calls = table([simulate(SCENARIOS[2], servers) for servers in SCENARIOS[2].trials()])
    for made in (household, calls):
        rows = re.findall(r"\|.*", made.markdown())
        assert set(rows) <= set(page.splitlines())
