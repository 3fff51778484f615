"""Threads beside the event loop: some give way to others, and generators are closed where they run."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Generator

import pytest

from tests.fakes import PATIENCE
from wyoming_tts.backends.workers import NICE, Workers, iterate_in
from wyoming_tts.errors import BackendUnavailableError


@contextlib.asynccontextmanager
async def working(threads: int = 2):
    workers = Workers(threads, "test")
    try:
        yield workers
    finally:
        await workers.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own elsewhere")
async def test_patient_threads_give_way() -> None:
    """What nobody waits for is computed by threads of lower priority; the others are as nice as before."""

    def nice() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    own = nice()
    async with working() as workers:
        urgent = await asyncio.wrap_future(workers.pool(urgent=True).submit(nice))
        patient = await asyncio.wrap_future(workers.pool(urgent=False).submit(nice))
    assert (urgent, patient) == (own, min(19, own + NICE))


class Counting:
    """A generator that says where it runs, waits when told to, and whether it was closed."""

    def __init__(self, wait_at: int = -1) -> None:
        self.wait_at = wait_at
        self.at_work, self.go_on, self.closed = (threading.Event() for _ in range(3))
        self.threads: list[str] = []

    def run(self) -> Generator[int, None, None]:
        try:
            for number in range(5):
                self.threads.append(threading.current_thread().name)
                if number == self.wait_at:
                    self.at_work.set()
                    assert self.go_on.wait(PATIENCE)
                yield number
        finally:
            self.closed.set()


async def test_every_step_runs_where_it_is_told_to() -> None:
    """The pool is chosen anew for each step, and all values come in order."""
    counting, urgent = Counting(), [True, False, True, False, True, True, True]
    async with working() as workers:
        steps = iterate_in(lambda: workers.pool(urgent=urgent.pop(0)), counting.run())
        assert [step async for step in steps] == list(range(5))
    assert ["patient" in name for name in counting.threads] == [False, True, False, True, False]


async def test_closing_closes_behind_a_running_step() -> None:
    """A generator whose listener leaves in the middle of a step is closed when that step is done."""
    counting = Counting(wait_at=1)
    async with working() as workers:

        async def listen() -> None:
            async for _ in iterate_in(lambda: workers.pool(urgent=True), counting.run()):
                pass

        listener = asyncio.create_task(listen())
        await asyncio.to_thread(counting.at_work.wait, PATIENCE)
        listener.cancel()
        await asyncio.wait([listener])
        assert not counting.closed.is_set()
        counting.go_on.set()
        assert await asyncio.to_thread(counting.closed.wait, PATIENCE)
    assert len(counting.threads) == 2


async def test_after_stop_there_is_nowhere_to_run() -> None:
    """A step that comes behind `stop` is an error that names the reason."""
    async with working() as workers:
        steps = iterate_in(lambda: workers.pool(urgent=True), Counting().run())
        assert await anext(steps) == 0
    with pytest.raises(BackendUnavailableError, match="stopped"):
        await anext(steps)
