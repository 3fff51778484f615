"""What every backend is: something that turns one sentence into chunks of audio."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Sequence
from concurrent.futures import Executor
from typing import Protocol, TypeVar

from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.types import AudioChunk, AudioFormat, SynthesisRequest, Voice

T = TypeVar("T")


class Backend(Protocol):
    """An engine, or a wrapper around engines with the same face."""

    name: str
    """What settings, voices and the log call it."""

    format: AudioFormat
    """The format of every chunk it yields."""

    max_concurrency: int
    """How many sentences it computes at the same time."""

    async def start(self) -> None:
        """Load what is needed to speak. Raises BackendError when that fails."""

    async def stop(self) -> None:
        """Give everything back; running sentences end with an error."""

    def voices(self) -> Sequence[Voice]:
        """The voices it offers; answers at once, also before `start`."""

    def synthesize(self, request: SynthesisRequest) -> AsyncIterator[AudioChunk]:
        """Speak one sentence; closing the iterator stops the work within one chunk's time.

        Raises BackendError, or RequestError when no backend could do it.
        """


async def iterate_in(executor: Executor, iterator: Generator[T, None, None]) -> AsyncGenerator[T, None]:
    """Run each `next()` of a generator in `executor` and yield what it gives.

    With an executor of one thread, several listeners take turns chunk by chunk. The
    generator is closed in the executor too, behind a step that is still running there.
    Raises BackendUnavailableError when the executor was shut down.
    """
    step = functools.partial(next, iterator, None)
    try:
        while (item := await _submitted(executor, step)) is not None:
            yield item
    finally:
        with contextlib.suppress(RuntimeError):  # the executor is gone, and so is whoever ran there
            executor.submit(iterator.close)


def _submitted(executor: Executor, step: Callable[[], T]) -> asyncio.Future[T]:
    """What `step` will return; only its own errors come out of the future."""
    try:
        return asyncio.get_running_loop().run_in_executor(executor, step)
    except RuntimeError as error:
        raise BackendUnavailableError("the backend was stopped") from error
