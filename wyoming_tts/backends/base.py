"""What every backend is: something that turns one sentence into chunks of audio."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field

from wyoming_tts.types import AudioChunk, AudioFormat, SynthesisRequest, Voice


class BackendOptions(BaseModel):
    """Options of any backend: the keys of its table `[backends.NAME]`; frozen.

    A backend's own class adds fields to these, each with a default and a description below it.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    type: str = ""
    """Which backend it is, where the table's name does not say it: two servers of one type have two names."""

    first_audio_timeout: float = Field(default=30.0, gt=0, allow_inf_nan=False)
    """Seconds in which a sentence's first audio must come; then the next backend is asked."""

    stall_timeout: float = Field(default=30.0, gt=0, allow_inf_nan=False)
    """Seconds in which more audio must follow, once there was some."""

    voices: Mapping[str, str] = Field(default_factory=dict)
    """Its voices for those of others: `{ af_heart = "nova" }`; others are matched by language and gender."""

    daily_budget: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Most money that it may cost in a day, in the currency of its prices; none is no limit."""

    monthly_budget: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Most money that it may cost in a month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a backend is told of the server it is in."""

    name: str
    """The name it is configured under: what voices and the log call it."""

    data_dir: Path
    """Where it may keep files."""

    download_dir: Path
    """Where downloads go."""

    voices_dir: Path | None = None
    """Folder of Kokoro's voice packs; None are the shipped ones."""

    offline: bool = False
    """Never touch the network but for the servers it is made for."""

    catalogue: tuple[Voice, ...] = ()
    """Voices of the catalogue; the `backend` of each is the network that it is for."""

    def voices_for(self, network: str) -> tuple[Voice, ...]:
        """The catalogue's voices for a network, as voices of this backend."""
        own = (voice for voice in self.catalogue if voice.backend == network)
        return tuple(replace(voice, backend=self.name) for voice in own)


class BackendType(Protocol):
    """What an entry point of the group `wyoming_tts.backends` names: a class of backends."""

    Options: ClassVar[type[Any]]
    """Its own `BackendOptions`."""

    own_turns: ClassVar[bool]
    """Whether it shares itself out among its listeners; otherwise they take turns in front of it."""

    def __call__(self, options: Any, surroundings: Surroundings) -> Backend:
        """Make one, which loads nothing yet and imports nothing heavy."""


class Backend(Protocol):
    """An engine, or a wrapper around engines with the same face."""

    @property
    def name(self) -> str:
        """What settings, voices and the log call it."""

    @property
    def engine(self) -> str:
        """What computes, for people: the model and where it runs."""

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

    async def probe(self) -> None:
        """Find out, as cheaply as can be, whether it could speak now. Raises BackendError if not."""

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
    def inner(self) -> Backend:
        """The backend inside."""
        return self._inner

    @property
    def name(self) -> str:
        """See `Backend.name`."""
        return self._inner.name

    @property
    def engine(self) -> str:
        """See `Backend.engine`."""
        return self._inner.engine

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

    async def probe(self) -> None:
        """See `Backend.probe`."""
        await self._inner.probe()

    def wake(self) -> None:
        """See `Backend.wake`."""
        self._inner.wake()

    def voices(self) -> Sequence[Voice]:
        """See `Backend.voices`."""
        return self._inner.voices()

    def fingerprint(self, voice: Voice) -> str | None:
        """See `Backend.fingerprint`."""
        return self._inner.fingerprint(voice)


def layers_of(backend: Backend) -> Iterator[Backend]:
    """A backend and all that it is wrapped around, the innermost last."""
    yield backend
    while isinstance(backend, BackendAround):
        backend = backend.inner
        yield backend


async def closable(chunks: AsyncIterator[AudioChunk]) -> AsyncGenerator[AudioChunk, None]:
    """Any iterator as a generator that can be closed, closing what it wraps."""
    try:
        async for chunk in chunks:
            yield chunk
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()
