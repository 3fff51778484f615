"""Threads that compute beside the event loop: some for what is waited for, some that give way to those."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TypeVar

from wyoming_tts.errors import BackendUnavailableError

T = TypeVar("T")

NICE = 10
"""How much nicer than the process a thread is that nobody waits for: it gets a tenth of a busy core."""


class Workers:
    """Two pools of threads; the patient one gives way to the urgent one and to other programs."""

    def __init__(self, threads: int, name: str) -> None:
        """Each pool has so many threads; they are started when they are needed."""
        self._urgent = ThreadPoolExecutor(threads, name)
        self._patient = ThreadPoolExecutor(threads, f"{name} patient", initializer=_give_way)

    def pool(self, *, urgent: bool) -> Executor:
        """Where to compute something."""
        return self._urgent if urgent else self._patient

    async def stop(self) -> None:
        """Wait for what is being computed; nothing more is accepted."""
        for pool in (self._urgent, self._patient):
            await asyncio.to_thread(pool.shutdown, wait=True)


def _give_way() -> None:
    """Make this thread nice. Elsewhere than on Linux only whole processes can be."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # nicer than nice is not possible
            own = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, own, os.getpriority(os.PRIO_PROCESS, own) + NICE)


async def iterate_in(
    choose: Callable[[], Executor], iterator: Generator[T, None, None]
) -> AsyncGenerator[T, None]:
    """Run each `next()` of a generator in the executor that `choose` names, and yield what it gives.

    The generator is closed in an executor too, behind a step that is still running there. Raises
    BackendUnavailableError when the executor was shut down.
    """
    step = functools.partial(next, iterator, None)
    running: Future[T | None] | None = None
    try:
        while True:
            running = _submitted(choose(), step)
            item = await asyncio.wrap_future(running)
            if item is None:
                return
            yield item
    finally:
        if running is not None:
            running.add_done_callback(lambda _: _close_in(choose(), iterator))


def _submitted(executor: Executor, step: Callable[[], T]) -> Future[T]:
    try:
        return executor.submit(step)
    except RuntimeError as error:
        raise BackendUnavailableError("the backend was stopped") from error


def _close_in(executor: Executor, iterator: Generator[T, None, None]) -> None:
    with contextlib.suppress(RuntimeError):  # the executor is gone, and so is whoever ran there
        executor.submit(iterator.close)
