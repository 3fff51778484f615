"""Whose turn it is, on virtual time."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import Clock
from wyoming_tts.turns import HURRY, NEXT, PATIENCE, Claim, Turns
from wyoming_tts.types import Playhead


@pytest.fixture
def clock() -> Clock:
    return Clock()


def claim(turns: Turns, clock: Clock, lead: float | None = None) -> Claim:
    """Somebody who asks for a turn, with so much in store; new without."""
    playhead = Playhead(clock)
    if lead is not None:
        playhead.sent(lead)
    one = Claim(playhead)
    turns.join(one)
    turns.ask(one)
    return one


def test_who_falls_silent_first_is_first(clock: Clock) -> None:
    """Of those who have sound in store, the one with the least of it gets the turn."""
    turns = Turns(1)
    later, sooner = claim(turns, clock, 5.0), claim(turns, clock, 3.0)
    assert turns.grant(clock.now) == [sooner]
    turns.end(sooner)
    assert turns.grant(clock.now) == [later]


def test_a_new_listener_overtakes_who_is_ahead(clock: Clock) -> None:
    """A listener that has heard nothing goes before one that has seconds in store, whoever came first."""
    turns = Turns(1)
    claim(turns, clock, 10.0)
    new = claim(turns, clock)
    assert turns.grant(clock.now) == [new]


def test_who_would_fall_silent_meanwhile_goes_before_a_new_listener(clock: Clock) -> None:
    """A new listener's long turn does not make one run dry that is already listening."""
    turns = Turns(1)
    turns.first_chunk_seconds = 0.4
    new, thin = claim(turns, clock), claim(turns, clock, 0.4 + NEXT - 0.01)
    assert turns.grant(clock.now) == [thin]
    turns.end(thin)
    assert turns.grant(clock.now) == [new]


def test_who_begins_a_sentence_goes_earlier(clock: Clock) -> None:
    """The first turn of a sentence takes longer: it has to come while there is still more in store."""
    turns = Turns(1)
    turns.front_seconds = 0.3
    middle, begins = claim(turns, clock, 2.0), claim(turns, clock, 2.2)
    middle.begins = False
    assert turns.grant(clock.now) == [begins]
    begins.begins = False
    turns.end(begins)
    turns.ask(begins)
    assert turns.grant(clock.now) == [middle]


def test_a_new_listener_does_not_wait_for_ever(clock: Clock) -> None:
    """After two seconds a new listener goes even before those who are about to fall silent."""
    turns = Turns(1)
    new = claim(turns, clock)
    clock.now += PATIENCE + 0.1
    claim(turns, clock, 0.1)
    assert turns.grant(clock.now) == [new]


def test_who_is_alone_gets_all_threads(clock: Clock) -> None:
    """One listener in a hurry is computed for with all threads; several side by side."""
    turns = Turns(4)
    alone = claim(turns, clock)
    turns.grant(clock.now)
    assert (alone.threads, alone.allowance.threads, alone.allowance.urgent) == (4, 4, True)
    turns.end(alone)
    pair = [claim(turns, clock), claim(turns, clock, 0.1)]
    assert set(turns.grant(clock.now)) == set(pair)
    assert [one.threads for one in pair] == [2, 2]


def test_who_is_alone_gets_no_more_threads_than_one_can_use(clock: Clock) -> None:
    """Where threads are in several processes, one listener leaves those of the others to a newcomer."""
    turns = Turns(4)
    turns.widest = 2
    alone = claim(turns, clock)
    assert turns.grant(clock.now) == [alone]
    newcomer = claim(turns, clock)
    assert turns.grant(clock.now) == [newcomer]
    assert [one.allowance.threads for one in (alone, newcomer)] == [2, 2]


def test_without_hurry_one_thread_is_enough(clock: Clock) -> None:
    """Who has sound in store gets one thread, even alone, and is told that it is not urgent."""
    turns = Turns(4)
    relaxed = claim(turns, clock, HURRY + 0.1)
    assert turns.grant(clock.now) == [relaxed]
    assert (relaxed.allowance.threads, relaxed.allowance.urgent) == (1, False)


def test_no_more_turns_than_threads(clock: Clock) -> None:
    """Those who can wait share the threads; the next begins when one ends."""
    turns = Turns(2)
    first, second, third = (claim(turns, clock, lead) for lead in (2.0, 3.0, 4.0))
    assert turns.grant(clock.now) == [first, second]
    assert turns.grant(clock.now) == []
    turns.end(second)
    assert turns.grant(clock.now) == [third]


def test_hurry_does_not_wait_for_those_without(clock: Clock) -> None:
    """All threads computing for listeners with sound in store do not keep a new one waiting."""
    turns = Turns(2)
    claim(turns, clock, 5.0), claim(turns, clock, 5.0)
    assert len(turns.grant(clock.now)) == 2
    new = claim(turns, clock)
    assert turns.grant(clock.now) == [new]


def test_hurry_waits_for_hurry(clock: Clock) -> None:
    """Urgent turns never take more threads than there are."""
    turns = Turns(2)
    first = claim(turns, clock)
    turns.grant(clock.now)
    second = claim(turns, clock)
    assert turns.grant(clock.now) == []
    turns.end(first)
    assert turns.grant(clock.now) == [second]


def test_who_is_far_ahead_yields(clock: Clock) -> None:
    """Beyond the look-ahead a listener computes only while nobody nearer is being spoken to."""
    turns = Turns(2, look_ahead=10.0)
    far = claim(turns, clock, 11.0)
    near = claim(turns, clock, 5.0)
    assert turns.grant(clock.now) == [near]
    turns.end(near)
    assert turns.grant(clock.now) == []  # near is between two turns
    turns.leave(near)
    assert turns.grant(clock.now) == [far]


def test_a_turn_says_how_many_share_a_thread(clock: Clock) -> None:
    """The next turn comes so much later as there are listeners for each thread."""
    turns = Turns(2)
    everyone = [claim(turns, clock, 3.0) for _ in range(6)]
    turns.grant(clock.now)
    assert everyone[0].allowance.listeners == 3
    for one in everyone[1:]:
        turns.leave(one)
    turns.end(everyone[0])
    turns.ask(everyone[0])
    turns.grant(clock.now)
    assert everyone[0].allowance.listeners == 1


def test_who_gave_up_is_skipped(clock: Clock) -> None:
    """A claim that was withdrawn while it waited gets no turn and holds none."""
    turns = Turns(1)
    gone, other = claim(turns, clock), claim(turns, clock)
    turns.leave(gone)
    assert turns.grant(clock.now) == [other]
    assert not turns.waiting


def test_nobody_in_the_background_disturbs(clock: Clock) -> None:
    """A claim whose listener never falls silent waits until all others have gone."""
    turns = Turns(2, look_ahead=10.0)
    idle = claim(turns, clock, math.inf)
    near = claim(turns, clock, 1.0)
    assert turns.grant(clock.now) == [near]
    turns.leave(near)
    assert turns.grant(clock.now) == [idle]
    assert not idle.allowance.urgent


CHUNK, CHUNKS = 0.5, 8
"""Seconds of a chunk, and chunks of a sentence."""


def simulate(
    threads: int, listeners: int, cost: float, arrivals: list[float], front: float = 0.0
) -> list[tuple[float, int]]:
    """Serve each listener three sentences of 4 s, each of which begins with `front` seconds of computing.

    Returns the wait for its first chunk, and how often it ran dry.
    """
    clock, turns, rng = Clock(), Turns(threads), random.Random(1)
    turns.front_seconds = front
    start, ends = clock.now, {}
    claims: list[Claim | None] = [None] * listeners
    left, first, dry = [3 * CHUNKS] * listeners, [0.0] * listeners, [0] * listeners
    pending = sorted(zip(arrivals, range(listeners), strict=True))
    while any(left):
        while pending and start + pending[0][0] <= clock.now:
            _, number = pending.pop(0)
            claims[number] = claim(turns, clock)
        for one in turns.grant(clock.now):
            speed = 1.6 if one.threads > 1 else 1.0
            seconds = cost * CHUNK + front * one.begins
            ends[one] = clock.now + seconds / speed * rng.uniform(0.9, 1.1)
        times = [*ends.values(), *(start + time for time, _ in pending)]
        clock.now = max(clock.now, min(times)) if times else clock.now
        for one in [one for one, end in ends.items() if end <= clock.now]:
            number = claims.index(one)
            if one.is_new:
                first[number] = clock.now - start - arrivals[number]
            elif one.playhead.lead() == 0:
                dry[number] += 1
            one.playhead.sent(CHUNK)
            left[number] -= 1
            one.begins = left[number] % CHUNKS == 0
            turns.end(one)
            del ends[one]
            if left[number]:
                turns.ask(one)
            else:
                turns.leave(one)
    return list(zip(first, dry, strict=True))


@settings(deadline=None)
@given(st.lists(st.floats(0, 10), min_size=1, max_size=5))
def test_nobody_runs_dry_while_there_is_room(arrivals: list[float]) -> None:
    """Five listeners at most half of what two threads can do: all start soon, and none waits again."""
    for first, dry in simulate(2, len(arrivals), 0.2, arrivals):
        assert first < 1.0
        assert dry == 0


def test_few_run_dry_behind_the_end_of_a_sentence() -> None:
    """Four listeners take 96 % of two threads, and each sentence begins with 0.2 s of computing."""
    rng, dry = random.Random(5), 0
    for together in (4.0, 0.02) * 100:
        arrivals = [rng.uniform(0, together) for _ in range(4)]
        dry += sum(times for _, times in simulate(2, 4, 0.455, arrivals, front=0.2))
    assert dry < 20  # of 2,400 sentences; more than 100 if the front is not reckoned with


@settings(deadline=None)
@given(st.lists(st.floats(0, 3), min_size=6, max_size=10))
def test_nobody_starves_when_there_is_not(arrivals: list[float]) -> None:
    """With twice as much to do as can be done everyone is still served to the end."""
    outcome = simulate(2, len(arrivals), 0.8, arrivals)
    assert all(first < 8.0 for first, _ in outcome)
