"""What every backend is: something that turns one sentence into chunks of audio."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Protocol

from wyoming_tts.types import AudioChunk, AudioFormat, SynthesisRequest, Voice


class Backend(Protocol):
    """An engine, or a wrapper around engines with the same face."""

    @property
    def name(self) -> str:
        """What settings, voices and the log call it."""

    @property
    def format(self) -> AudioFormat:
        """The format of every chunk it yields."""

    @property
    def max_concurrency(self) -> int:
        """How many sentences it computes at the same time."""

    async def start(self) -> None:
        """Load what is needed to speak. Raises BackendError when that fails."""

    async def stop(self) -> None:
        """Give everything back; running sentences end with an error."""

    def wake(self) -> None:
        """A request will come soon: load what was unloaded. Answers at once."""

    def voices(self) -> Sequence[Voice]:
        """The voices it offers; answers at once, also before `start`."""

    def fingerprint(self, voice: Voice) -> str | None:
        """What decides, beside the request, which samples come: weights, recipe, the voice's own data.

        Answers at once. None before that is known, or where the same request need not sound the same.
        """

    def synthesize(self, request: SynthesisRequest) -> AsyncIterator[AudioChunk]:
        """Speak one sentence; closing the iterator stops the work within one chunk's time.

        Raises BackendError, or RequestError when no backend could do it.
        """


class BackendAround:
    """The face of the backend inside; a wrapper says what it does otherwise."""

    def __init__(self, inner: Backend) -> None:
        """Starts and stops the inner backend with itself."""
        self._inner = inner

    @property
    def name(self) -> str:
        """See `Backend.name`."""
        return self._inner.name

    @property
    def format(self) -> AudioFormat:
        """See `Backend.format`."""
        return self._inner.format

    @property
    def max_concurrency(self) -> int:
        """See `Backend.max_concurrency`."""
        return self._inner.max_concurrency

    async def start(self) -> None:
        """See `Backend.start`."""
        await self._inner.start()

    async def stop(self) -> None:
        """See `Backend.stop`."""
        await self._inner.stop()

    def wake(self) -> None:
        """See `Backend.wake`."""
        self._inner.wake()

    def voices(self) -> Sequence[Voice]:
        """See `Backend.voices`."""
        return self._inner.voices()

    def fingerprint(self, voice: Voice) -> str | None:
        """See `Backend.fingerprint`."""
        return self._inner.fingerprint(voice)


async def closable(chunks: AsyncIterator[AudioChunk]) -> AsyncGenerator[AudioChunk, None]:
    """Any iterator as a generator that can be closed, closing what it wraps."""
    try:
        async for chunk in chunks:
            yield chunk
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()
