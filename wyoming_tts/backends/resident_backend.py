"""The shape of every backend that computes here: a model that comes and goes, and turns in threads."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Generic, TypeVar

from wyoming_tts.backends.base import Surroundings
from wyoming_tts.backends.resident import Resident
from wyoming_tts.backends.workers import Workers, iterate_in
from wyoming_tts.errors import BackendOverloadedError, BackendUnavailableError
from wyoming_tts.types import AudioChunk, SynthesisRequest

Loaded = TypeVar("Loaded")


class ResidentBackend(abc.ABC, Generic[Loaded]):
    """A Backend but for its voices; its own class says what is loaded, and how that speaks."""

    own_turns = False

    def __init__(self, surroundings: Surroundings, model: str, *, threads: int, unload_after: float) -> None:
        """Loads nothing yet. `model` is what the log calls it; `threads` compute at the same time."""
        self.name = surroundings.name
        self._around = surroundings
        self.max_concurrency = threads
        """How many sentences it computes at the same time."""
        self._workers = Workers(threads, self.name)
        self._model = Resident(model, self._load, unload_after, self._free)

    @abc.abstractmethod
    def _load(self) -> Loaded:
        """In a thread: everything that speaking needs."""

    def _free(self) -> None:
        """Once the model is dropped: give back what its library keeps of a card's memory, if anything."""

    def _fall_back(self) -> None:
        """Behind a lack of memory: load it where there is more from now on, if there is such a place."""

    async def start(self) -> None:
        """Load the model. Requests that come while it loads wait for it; when it fails they fail alike."""
        await self._model.start()

    async def probe(self) -> None:
        """See `Backend.probe`: load the model, where it is not."""
        with self._model.use() as loaded:
            await asyncio.shield(loaded)

    async def stop(self) -> None:
        """Drop the model; what is being computed is waited for."""
        await self._model.stop()
        await self._workers.stop()

    def wake(self) -> None:
        """See `Backend.wake`."""
        if self._model.running:
            with self._model.use():
                pass

    async def synthesize(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """See `Backend.synthesize`."""
        left = threading.Event()

        def check() -> None:
            self._model.check()
            if left.is_set():
                raise BackendUnavailableError("nobody listens any more")

        with self._model.use() as loaded:
            speaker = await asyncio.shield(loaded)
            steps = iterate_in(
                lambda: self._workers.pool(urgent=request.allowance.urgent),
                self._speak(speaker, request, check),
            )
            try:
                async with contextlib.aclosing(steps) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except BackendOverloadedError:
                self._fall_back()
                self._model.drop()
                raise
            finally:
                left.set()

    @abc.abstractmethod
    def _speak(
        self, speaker: Loaded, request: SynthesisRequest, check: Callable[[], None]
    ) -> Generator[AudioChunk, None, None]:
        """In a worker, step by step. `check` raises when nobody wants it any more."""
