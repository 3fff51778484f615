"""Whether another listener can be served in real time."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from wyoming_tts.admission import TOLERANCE, Demand, can_serve, seconds_until_served

demands = st.lists(st.builds(Demand, st.floats(0, 20), st.floats(0, 60)), min_size=1, max_size=8)


def test_as_many_as_the_threads_can_do() -> None:
    """Long texts at the same time: as many are let in as threads divided by the cost of each."""
    texts = [Demand(0.0, 600.0)] * 4
    assert can_serve(texts, 2, 0.45)
    assert not can_serve([*texts, texts[0]], 2, 0.45)


def test_short_texts_are_let_in() -> None:
    """Many short announcements that are done within what nobody minds are not refused."""
    assert can_serve([Demand(0.0, 1.5)] * 6, 2, 0.45)


def test_what_is_in_store_counts() -> None:
    """Listeners with enough in store for a short newcomer do not keep it out."""
    busy = [Demand(0.0, 600.0)] * 4
    ahead = [Demand(20.0, 600.0)] * 4
    newcomer = Demand(0.0, 6.0)
    assert not can_serve([*busy, newcomer, newcomer], 2, 0.48)
    assert can_serve([*ahead, newcomer, newcomer], 2, 0.48)


def test_unknown_cost_refuses_nobody() -> None:
    """Before anything was measured everyone is let in."""
    assert can_serve([Demand(0.0, 600.0)] * 100, 1, 0.0)


@settings(deadline=None)
@given(demands, st.integers(1, 4), st.floats(0.01, 2))
def test_corners_are_enough(some: list[Demand], threads: int, cost: float) -> None:
    """No stretch of time between the corners has more demand than supply when the corners have not."""
    if can_serve(some, threads, cost):
        for step in range(400):
            time = step / 4
            demand = cost * sum(one.until(time) for one in some)
            assert demand <= threads * (time + TOLERANCE) + 1e-6


@settings(deadline=None)
@given(demands, st.builds(Demand, st.floats(0, 20), st.floats(0, 60)), st.integers(1, 4), st.floats(0.01, 2))
def test_one_more_never_helps(some: list[Demand], more: Demand, threads: int, cost: float) -> None:
    """Who cannot be served cannot be served beside one more."""
    assert can_serve(some, threads, cost) or not can_serve([*some, more], threads, cost)


def test_when_to_come_again() -> None:
    """A refused client is told after how long today's work will be done, and at least a second."""
    assert seconds_until_served([Demand(0.0, 40.0)] * 2, 2, 0.5) == 20.0
    assert seconds_until_served([Demand(0.0, 0.1)], 2, 0.5) == 1.0
