"""What every backend is: something that turns one sentence into chunks of audio."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from concurrent.futures import Executor
from typing import Protocol, TypeVar

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
    """
    loop = asyncio.get_running_loop()
    step = functools.partial(next, iterator, None)
    try:
        while (item := await loop.run_in_executor(executor, step)) is not None:
            yield item
    finally:
        with contextlib.suppress(RuntimeError):  # the executor is gone, and so is whoever ran there
            executor.submit(iterator.close)
