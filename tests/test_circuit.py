"""The circuit breaker, on a clock that stands still until it is told."""

from __future__ import annotations

import pytest

from tests.fakes import Clock
from wyoming_tts.backends.circuit import COOLDOWNS, Circuit
from wyoming_tts.errors import (
    BackendAuthError,
    BackendError,
    BackendOverloadedError,
    BackendQuotaError,
    BackendTimeoutError,
    BackendUnavailableError,
    SynthesisError,
)

OUTAGE = BackendUnavailableError("no route")


def cooled(error: BackendError) -> float:
    clock = Clock()
    circuit = Circuit(clock)
    circuit.fail(error)
    return circuit.until - clock.now


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (OUTAGE, 5),
        (BackendTimeoutError("late"), 5),
        (BackendOverloadedError("busy"), 5),
        (BackendQuotaError("used up"), 600),
        (BackendAuthError("wrong key"), 300),
    ],
)
def test_each_kind_cools_down_in_its_own_time(error: BackendError, seconds: float) -> None:
    """An outage is looked at again in seconds, a quota in minutes."""
    assert cooled(error) == seconds


def test_what_the_service_says_counts_where_it_is_longer() -> None:
    """`Retry-After` is heeded, up to the longest cool-down."""
    assert cooled(BackendOverloadedError("busy", retry_after=30)) == 30
    assert cooled(BackendOverloadedError("busy", retry_after=1)) == 5
    assert cooled(BackendOverloadedError("busy", retry_after=1e9)) == 120


def test_one_text_that_fails_proves_nothing() -> None:
    """Three failures in a row open the circuit, when each may have been the text's."""
    circuit = Circuit(Clock())
    error = SynthesisError("odd text")
    assert [circuit.fail(error) for _ in range(3)] == [False, False, True]
    circuit = Circuit(Clock())
    for _ in range(2):
        circuit.fail(error)
    circuit.succeed()
    circuit.fail(error)
    assert circuit.state == "closed"


def test_after_a_probe_one_sentence_tries_it() -> None:
    """Half-open lets one sentence through; when that is spoken, all are."""
    circuit = Circuit(Clock())
    circuit.fail(OUTAGE)
    assert not circuit.usable
    circuit.probed(None)
    assert (circuit.state, circuit.usable) == ("half-open", True)
    circuit.begin()
    assert not circuit.usable
    circuit.succeed()
    assert (circuit.state, circuit.usable, circuit.reason) == ("closed", True, None)


def test_the_trial_of_a_listener_who_left_is_free_again() -> None:
    """A trial that proves nothing keeps nobody out."""
    circuit = Circuit(Clock())
    circuit.fail(OUTAGE)
    circuit.probed(None)
    circuit.begin()
    circuit.abandon()
    assert circuit.usable


def test_each_failure_doubles_the_time_to_a_bound() -> None:
    """A backend that stays away is asked less and less, but never forgotten."""
    clock = Clock()
    circuit, times = Circuit(clock), []
    circuit.fail(OUTAGE)
    for _ in range(9):
        times.append(circuit.until - clock.now)
        clock.now = circuit.until
        circuit.probed(OUTAGE)
    assert times == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    circuit.probed(None)
    circuit.begin()
    circuit.fail(OUTAGE)
    assert circuit.until - clock.now == 300
    circuit.succeed()
    circuit.fail(OUTAGE)
    assert circuit.until - clock.now == 5


def test_sentences_that_fail_together_count_once() -> None:
    """Who began before the circuit opened tells nothing new."""
    clock = Clock()
    circuit = Circuit(clock)
    assert circuit.fail(OUTAGE)
    assert not circuit.fail(OUTAGE)
    assert circuit.until - clock.now == 5


def test_every_error_has_a_cooldown() -> None:
    """A kind of error that is added finds one."""
    kinds: list[type[BackendError]] = [BackendError, *BackendError.__subclasses__()]
    assert all(any(issubclass(kind, known) for known in COOLDOWNS) for kind in kinds)
