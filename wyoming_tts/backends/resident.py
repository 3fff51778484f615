"""Something heavy that is loaded when it is needed, and dropped when it was not used for a while."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.heap import release_memory, trim_heap

_LOGGER = logging.getLogger(__name__)

T = TypeVar("T")


def _nothing() -> None:
    """What most libraries keep."""


class Resident(Generic[T]):
    """Loads in a thread of its own; whoever comes meanwhile waits for it, and gets its error if it fails."""

    def __init__(
        self, name: str, load: Callable[[], T], idle_seconds: float = 0.0, free: Callable[[], None] = _nothing
    ) -> None:
        """After `idle_seconds` without a user it is dropped; 0 keeps it.

        `free` is called once nobody holds it any more, to give back what its library keeps for the next one.
        """
        self._name, self._load, self._idle_seconds, self._free = name, load, idle_seconds, free
        self._executor = ThreadPoolExecutor(1, f"{name} load")
        self._loaded: asyncio.Future[T] | None = None
        self._loading: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._users = 0
        self._running = False
        self.state = "not loaded"
        """For people: `not loaded`, `loading`, `loaded`, `failed to load`, `unloaded`, `stopped`."""

    @property
    def running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._running

    async def start(self) -> None:
        """Load it. Raises what loading raises."""
        self._running = True
        await asyncio.shield(self._begun())
        self._rest()

    @contextlib.contextmanager
    def use(self) -> Iterator[asyncio.Future[T]]:
        """Keep it for as long as this is open. The future is there at once, so that other work can go on.

        Raises BackendUnavailableError when nobody has started this, or somebody has stopped it.
        """
        self.check()
        self._users += 1
        if self._timer is not None:
            self._timer.cancel()
        try:
            yield self._begun()
        finally:
            self._users -= 1
            self._rest()

    def check(self) -> None:
        """Raise BackendUnavailableError unless it is running."""
        if not self._running:
            raise self._stopped()

    def drop(self) -> None:
        """Give its memory back; the next user loads it again."""
        if self._loaded is None or not self._loaded.done():
            return
        _LOGGER.info("Unloading %s until it is needed", self._name)
        self._loaded, self.state = None, "unloaded"
        self._executor.submit(self._release)  # collecting takes a while, and others are being spoken to

    async def stop(self) -> None:
        """Drop it; a load that is going on is waited for, and whoever waited for it gets an error."""
        self._running = False
        if self._timer is not None:
            self._timer.cancel()
        loaded, self._loaded = self._loaded, None
        if loaded is not None and not loaded.done():
            loaded.set_exception(self._stopped())
        if self._loading is not None:
            await asyncio.gather(self._loading, return_exceptions=True)
        del loaded
        with contextlib.suppress(RuntimeError):  # it was stopped before
            self._executor.submit(self._release)
        await asyncio.to_thread(self._executor.shutdown)
        self.state = "stopped"

    def _release(self) -> None:
        release_memory()
        self._free()

    def _begun(self) -> asyncio.Future[T]:
        if self._loaded is None:
            self._loaded = asyncio.get_running_loop().create_future()
            self._loaded.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._loading = asyncio.create_task(self._fill(self._loaded), name=f"{self._name} load")
        return self._loaded

    async def _fill(self, loaded: asyncio.Future[T]) -> None:
        self.state = "loading"
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._executor, self._load_lean)
        except Exception as error:  # whoever waits shall have it, whatever it is
            self.state, self._loaded = "failed to load", None  # whoever comes next may have more luck
            if not loaded.done():
                loaded.set_exception(error)
        else:
            self.state = "loaded"
            if not loaded.done():
                loaded.set_result(found)

    def _load_lean(self) -> T:
        """Load, and give back what only loading needed."""
        loaded = self._load()
        trim_heap()
        return loaded

    def _rest(self) -> None:
        if self._running and self._idle_seconds and not self._users:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(self._idle_seconds, self.drop)

    def _stopped(self) -> BackendUnavailableError:
        return BackendUnavailableError(f"{self._name} is not running")
