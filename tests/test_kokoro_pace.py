"""How large windows are: never so large that the listener runs dry, nor so small that they do not pay."""

from __future__ import annotations

import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.backends.kokoro import FRAME, RATE
from wyoming_tts.backends.kokoro_pace import (
    FRAMES,
    GAIN,
    LARGEST_FIRST_WINDOW,
    LARGEST_WINDOW,
    LEAD_SPENT,
    OVERHEAD,
    SMALLEST_FIRST_WINDOW,
    SMALLEST_WINDOW,
    Pace,
)
from wyoming_tts.types import Allowance, Playhead


def pace_of(load: float) -> Pace:
    """The pace of a machine whose thread computes `load` seconds for a second of speech."""
    pace = Pace()
    pace.measure(40, load * (40 + OVERHEAD) / FRAMES, Allowance(threads=1))
    return pace


def shared_by(listeners: float) -> Allowance:
    return Allowance(threads=1, listeners=listeners)


def listener_with(lead: float) -> Playhead:
    playhead = Playhead(lambda: 100.0)
    playhead.sent(lead)
    return playhead


loads = st.floats(0.001, 5)
listeners = st.floats(1, 8)


def test_frames_a_second() -> None:
    """There are as many frames a second as the network makes."""
    assert FRAMES * FRAME == RATE


@given(loads, listeners)
def test_first_window_is_small(load: float, count: float) -> None:
    """A listener that waits gets 0.3 to 0.4 seconds, however fast or busy the machine."""
    size = pace_of(load).next_window(0, Playhead(lambda: 1.0), shared_by(count))
    assert SMALLEST_FIRST_WINDOW <= size <= LARGEST_FIRST_WINDOW


@given(loads, loads, listeners)
def test_first_window_grows_with_the_load(load: float, other: float, count: float) -> None:
    """The slower the machine, the more a first window must hold to bridge the second."""
    slow, fast = (
        pace_of(x).next_window(0, Playhead(lambda: 1.0), shared_by(count))
        for x in (max(load, other), min(load, other))
    )
    assert slow >= fast


@given(loads, listeners, st.integers(10, 160), st.floats(0, 60))
def test_windows_are_bounded(load: float, count: float, previous: int, lead: float) -> None:
    """A window has from 0.2 to 1.6 seconds."""
    size = pace_of(load).next_window(previous, listener_with(lead), shared_by(count))
    assert SMALLEST_WINDOW <= size <= LARGEST_WINDOW


@given(st.floats(0.001, 0.4), st.integers(10, 160), st.floats(0, 60))
def test_windows_at_most_double(load: float, previous: int, lead: float) -> None:
    """On a machine that is much faster than speech a window is at most twice the last one."""
    assert pace_of(load).next_window(previous, listener_with(lead), shared_by(1)) <= 2 * previous


@given(st.floats(0.001, 1), listeners, st.integers(10, 160), st.floats(0, 60))
def test_lead_pays_for_the_window(load: float, count: float, previous: int, lead: float) -> None:
    """A window is decoded, in turn, in two thirds of the time left, unless a smaller one would not pay."""
    share = load * count
    if share >= 1:
        return
    size = pace_of(load).next_window(previous, listener_with(lead), shared_by(count))
    seconds = (size + OVERHEAD) / FRAMES * share
    assert seconds <= LEAD_SPENT * lead + 1e-6 or size <= max(
        SMALLEST_WINDOW, GAIN * OVERHEAD * share / (1 - share)
    )


@given(st.floats(0.02, 0.98), listeners)
def test_a_window_is_never_too_small_to_pay(load: float, count: float) -> None:
    """However little is in store, a window plays longer than it takes, surroundings and all, if any does."""
    share = load * count
    size = pace_of(load).next_window(10, listener_with(0.0), shared_by(count))
    assert size == LARGEST_WINDOW or size + 1 > (size + OVERHEAD) * share


@pytest.mark.parametrize("cost", [0.004, 0.005, 0.006, 0.007, 0.0075])
def test_four_listeners_do_not_run_dry(cost: float) -> None:
    """With two threads, of which a frame takes one of `cost` seconds, and a quarter second in store each."""
    pace = pace_of(cost * FRAMES)
    silent_at, sizes = [0.25] * 4, [SMALLEST_FIRST_WINDOW] * 4
    turns = [(0.0, thread, -1) for thread in range(2)]
    while turns[0][0] < 10:
        now, thread, done = heapq.heappop(turns)
        if done >= 0:
            assert silent_at[done] > now
            silent_at[done] += sizes[done] / FRAMES
        running = {listener for _, _, listener in turns}
        nxt = min((i for i in range(4) if i not in running), key=lambda i: silent_at[i])
        sizes[nxt] = pace.next_window(sizes[nxt], listener_with(silent_at[nxt] - now), shared_by(2))
        heapq.heappush(turns, (now + (sizes[nxt] + OVERHEAD) * cost, thread, nxt))


@given(st.floats(1.01, 5), st.integers(20, 160))
def test_a_slow_machine_does_not_waste_itself_on_small_windows(load: float, previous: int) -> None:
    """Slower than speech there is no lead to keep: windows are as large as they can be."""
    assert pace_of(load).next_window(previous, listener_with(0.0), shared_by(1)) == LARGEST_WINDOW


def test_one_thread_is_not_several() -> None:
    """What was measured with all threads says what one would take, until that was measured too."""
    pace = Pace()
    pace.measure(40, 0.2, Allowance(threads=2))
    alone, together = Allowance(threads=1), Allowance(threads=2)
    assert pace.load(alone) == 2 * pace.load(together)
    pace.measure(40, 0.25, alone)
    assert pace.load(alone) == 1.25 * pace.load(together)
