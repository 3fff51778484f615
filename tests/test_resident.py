"""What is heavy is loaded when it is needed and dropped when it is idle."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from tests.fakes import PATIENCE, until
from wyoming_tts.backends.resident import Resident
from wyoming_tts.errors import BackendUnavailableError


class Thing:
    """Counts how often it was loaded."""

    def __init__(self, before: Callable[[], object] = bool) -> None:
        self.loads = 0
        self._before = before

    def load(self) -> int:
        self._before()
        self.loads += 1
        return self.loads


async def test_is_loaded_by_start_and_kept() -> None:
    """Users share one thing, which stays without a limit of idleness."""
    thing = Thing()
    resident = Resident("thing", thing.load)
    await resident.start()
    with resident.use() as one, resident.use() as two:
        assert await one == await two == 1
    assert resident.state == "loaded"
    await resident.stop()
    assert resident.state == "stopped"


async def test_is_dropped_when_idle_and_loaded_again() -> None:
    """After the time without a user it is gone; the next user gets a new one."""
    thing = Thing()
    resident = Resident("thing", thing.load, idle_seconds=0.02)
    await resident.start()
    await until(lambda: resident.state == "unloaded")
    with resident.use() as again:
        assert await again == 2
        await asyncio.sleep(0.05)
        assert resident.state == "loaded"  # it is in use
    await until(lambda: resident.state == "unloaded")
    await resident.stop()


async def test_its_library_gives_memory_back_when_it_is_gone() -> None:
    """After it was dropped and after the end, and not while somebody uses it."""
    freed: list[str] = []
    resident = Resident("thing", Thing().load, 0.02, lambda: freed.append(resident.state))
    await resident.start()
    with resident.use() as one:
        await one
        await asyncio.sleep(0.05)
        assert freed == []
    await until(lambda: bool(freed))
    assert freed == ["unloaded"]
    await resident.stop()
    assert len(freed) == 2
    await resident.stop()


async def test_loading_keeps_nobody_waiting_who_does_not_want_it() -> None:
    """While it loads the event loop goes on, and other work can be done beside."""
    go_on = threading.Event()
    resident = Resident("thing", Thing(lambda: go_on.wait(PATIENCE)).load)
    start = asyncio.create_task(resident.start())
    await asyncio.sleep(0.01)
    with resident.use() as coming:
        assert not coming.done()
        assert resident.state == "loading"
        go_on.set()
        assert await coming == 1
    await start
    await resident.stop()


async def test_a_load_that_fails_fails_whoever_waits_and_is_tried_again() -> None:
    """Everyone who waits gets the error of the load, and the next user another try."""
    outcomes: list[Exception | int] = [BackendUnavailableError("no memory"), 7]

    def load() -> int:
        if isinstance(outcome := outcomes.pop(0), Exception):
            raise outcome
        return outcome

    resident = Resident("thing", load)
    with pytest.raises(BackendUnavailableError, match="no memory"):
        await resident.start()
    assert resident.state == "failed to load"
    with resident.use() as again:
        assert await again == 7
    await resident.stop()


async def test_only_between_start_and_stop() -> None:
    """Before `start` and after `stop` there is nothing to use."""
    resident = Resident("thing", Thing().load)
    with pytest.raises(BackendUnavailableError, match="thing is not running"), resident.use():
        pass
    await resident.start()
    await resident.stop()
    with pytest.raises(BackendUnavailableError, match="thing is not running"), resident.use():
        pass


async def test_stop_does_not_leave_users_waiting() -> None:
    """Who waits for a load when it is stopped gets an error at once."""
    go_on = threading.Event()
    resident = Resident("thing", Thing(lambda: go_on.wait(PATIENCE)).load)
    start = asyncio.create_task(resident.start())
    await asyncio.sleep(0.01)
    stop = asyncio.create_task(resident.stop())
    with pytest.raises(BackendUnavailableError):
        await start
    go_on.set()
    await stop
