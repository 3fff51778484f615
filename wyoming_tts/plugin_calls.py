"""Calls strangers' code beside the event loop, for a limited time, whatever it does."""

from __future__ import annotations

import asyncio
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")

IDLE_THREADS = 4
"""Threads that wait for the next call; those beyond it end with theirs."""

START_SECONDS = 10.0
"""How long a hook may take that is called once, at the start."""


class HookError(Exception):
    """A hook gave nothing that can be used; the message says why."""

    def __init__(self, message: str, *, hangs: bool = False) -> None:
        """`hangs` tells that the call goes on behind our back."""
        super().__init__(message)
        self.hangs = hangs


@dataclass(slots=True, eq=False)
class _Call(Generic[T]):
    """One call of a plugin's code; its result is a value or a HookError, whatever the code raises."""

    plugin: str
    function: Callable[[], T]
    began: float
    result: Future[T] = field(default_factory=Future)

    def run(self) -> None:
        if not self.result.set_running_or_notify_cancel():
            return
        try:
            value = self.function()
        except HookError as error:
            self.result.set_exception(error)
        except BaseException as error:  # SystemExit too: a plugin must not end the server
            self.result.set_exception(_raised(error))
        else:
            self.result.set_result(value)


class Caller:
    """Threads for plugins: one that never returns costs its own thread, and nothing else."""

    def __init__(self, seconds: float) -> None:
        """A call may take so many seconds; threads are started when they are needed."""
        self.seconds = seconds
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._running: set[_Call[Any]] = set()
        self._closed = False

    def hangs(self, plugin: str) -> bool:
        """Whether a call of the plugin still runs though its time is up."""
        overdue = time.monotonic() - self.seconds
        with self._lock:
            return any(call.plugin == plugin and call.began < overdue for call in self._running)

    async def call(self, plugin: str, function: Callable[[], T]) -> T:
        """What the function returns. Raises HookError when it raises or is late."""
        result = self._started(plugin, function)
        try:
            async with asyncio.timeout(self.seconds):
                return await asyncio.wrap_future(result)
        except TimeoutError:
            raise self._late(self.seconds) from None

    def call_now(self, plugin: str, function: Callable[[], T], seconds: float = START_SECONDS) -> T:
        """The same where there is no event loop, for what is called at the start."""
        try:
            return self._started(plugin, function).result(seconds)
        except TimeoutError:
            raise self._late(seconds) from None

    def close(self) -> None:
        """End all threads but those that hang; these hold up nobody's exit."""
        with self._lock:
            self._closed, idle, self._idle = True, self._idle, []
        for worker in idle:
            worker.calls.put(None)
        for worker in idle:
            worker.join(1.0)

    def done(self, call: _Call[Any], worker: _Worker) -> bool:
        """Note that a call is over; returns whether its thread is to wait for another."""
        with self._lock:
            self._running.discard(call)
            keep = not self._closed and len(self._idle) < IDLE_THREADS
            if keep:
                self._idle.append(worker)
            return keep

    def _started(self, plugin: str, function: Callable[[], T]) -> Future[T]:
        call = _Call(plugin, function, time.monotonic())
        with self._lock:
            self._running.add(call)
            worker = self._idle.pop() if self._idle else None
        if worker is None:
            worker = _Worker(self)
            worker.start()
        worker.calls.put(call)
        return call.result

    @staticmethod
    def _late(seconds: float) -> HookError:
        return HookError(f"took longer than {seconds:g} s", hangs=True)


class _Worker(threading.Thread):
    """Runs one call after the other. A daemon, so that one that hangs does not keep the process."""

    def __init__(self, caller: Caller) -> None:
        super().__init__(name="plugins", daemon=True)
        self.calls: SimpleQueue[_Call[Any] | None] = SimpleQueue()
        self._caller = caller

    def run(self) -> None:
        """Until told to end, or no longer needed."""
        while (call := self.calls.get()) is not None:
            call.run()
            if not self._caller.done(call, self):
                return
            del call  # it holds what it was called with


def _raised(error: BaseException) -> HookError:
    """What was raised, and where; its message may hold a user's text and is for those who debug."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    found = HookError(f"raised {type(error).__name__}{place}")
    found.__cause__ = error
    return found
