"""A backend as one of a chain: its circuit, its voices for others' voices, how loud it is."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from wyoming_tts.audio import Resampler
from wyoming_tts.backends.base import Backend, BackendOptions, closable
from wyoming_tts.backends.circuit import Circuit
from wyoming_tts.backends.voice_match import match_voice
from wyoming_tts.blends import parse_blend
from wyoming_tts.errors import BackendError, BackendTimeoutError, SynthesisError
from wyoming_tts.loudness import MOST_GAIN, amplify, block_powers, loudness
from wyoming_tts.types import Allowance, AudioChunk, AudioFormat, Samples, SynthesisRequest, Voice

_LOGGER = logging.getLogger(__name__)

USUAL_LOUDNESS = -20.0
"""LUFS that speech is brought to while the first backend has not spoken: the mean of six Kokoro voices."""

ENOUGH = 0.3
"""Seconds of speech, pauses not counted, that say how loud a voice is."""

HELD = 0.01
"""Seconds of sound that are kept back until more comes, to be faded out if none does."""

PROBE_SECONDS = 10.0
"""How long a probe may take."""


@dataclass(slots=True)
class Loudness:
    """How loud each voice of one backend is, as heard so far."""

    _powers: dict[str, list[float]] = field(default_factory=dict)

    def voices(self) -> tuple[str, ...]:
        """Names of those that were heard."""
        return tuple(self._powers)

    def of(self, voice: str) -> float | None:
        """LUFS; None before enough was heard."""
        powers = self._powers.get(voice, [])
        return loudness(np.array(powers)) if len(powers) >= 10 * ENOUGH else None

    def hear(self, voice: str, samples: Samples, rate: int) -> None:
        """Learn from what a voice said. The last minute counts."""
        powers = self._powers.setdefault(voice, [])
        powers += block_powers(samples, rate).tolist()
        del powers[:-600]


@dataclass(slots=True, eq=False)
class Member:
    """One backend of a chain."""

    backend: Backend
    options: BackendOptions = field(default_factory=BackendOptions)
    circuit: Circuit = field(default_factory=Circuit)
    loudness: Loudness = field(default_factory=Loudness)
    started: bool = False
    """Whether its model was there, or its service answered, at least once."""
    recovery: asyncio.Task[None] | None = None
    """Waits for its circuit to close."""

    @property
    def name(self) -> str:
        """The backend's."""
        return self.backend.name

    def voice_for(self, voice: Voice) -> Voice | None:
        """Who speaks in the place of a voice; the voice itself where it is the backend's own."""
        offered = self.backend.voices()
        names = {one.name for one in offered}
        parts = [part.voice for part in parse_blend(voice.name)] if voice.blend else [voice.name]
        if names.issuperset(parts) and (voice.blend or voice.backend == self.name):
            return dataclasses.replace(voice, backend=self.name)
        return match_voice(voice, offered, self.options.voices)

    def fail(self, error: BackendError) -> None:
        """It could not speak: leave it alone for a while, and find out when it can again."""
        if self.circuit.fail(error):
            _LOGGER.warning("%s is left alone for a while: %s", self.name, error)
            if self.recovery is None or self.recovery.done():
                self.recovery = asyncio.create_task(self._recover(), name=f"recovery of {self.name}")

    def succeed(self) -> None:
        """It spoke a sentence to its end."""
        if self.circuit.state != "closed":
            _LOGGER.warning("%s speaks again", self.name)
        self.circuit.succeed()
        self.started = True

    async def _recover(self) -> None:
        """Probe it until it answers; then a sentence may try it."""
        while self.circuit.state == "open":
            await asyncio.sleep(max(0.0, self.circuit.until - time.monotonic()))
            self.circuit.probed(await self._probe())

    async def _probe(self) -> BackendError | None:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await self.backend.probe()
        except BackendError as error:
            return error
        except TimeoutError:
            return BackendTimeoutError(f"{self.name} did not answer in {PROBE_SECONDS:.0f} s")
        return None

    async def stop(self) -> None:
        """Stop the backend, and waiting for it."""
        if self.recovery is not None:
            self.recovery.cancel()
            await asyncio.gather(self.recovery, return_exceptions=True)
        await self.backend.stop()


class Attempt:
    """One sentence given to one member: its first chunk is awaited in a task, so that two can race."""

    def __init__(self, member: Member, voice: Voice, request: SynthesisRequest) -> None:
        """Begins at once; needs a running event loop."""
        self.member, self.voice = member, voice
        own = dataclasses.replace(request, voice=voice, allowance=Allowance())
        self.chunks = closable(member.backend.synthesize(own))
        self.began = time.monotonic()
        self.first = asyncio.create_task(self._first(), name=f"first audio of {member.name}")
        member.circuit.begin()

    async def _first(self) -> AudioChunk | None:
        return await anext(self.chunks, None)

    @property
    def late_at(self) -> float:
        """Clock reading at which its first audio is overdue."""
        return self.began + self.member.options.first_audio_timeout

    def result(self) -> AudioChunk:
        """The first chunk, once `first` is done. Raises BackendError when there is none."""
        chunk = self.first.result()
        if chunk is None:
            raise SynthesisError(f"{self.member.name} made no audio of a text")
        return chunk

    async def rest(self) -> AudioChunk | None:
        """The next chunk; None at the end. Raises BackendTimeoutError when none comes in time."""
        seconds = self.member.options.stall_timeout
        try:
            async with asyncio.timeout(seconds):
                return await anext(self.chunks, None)
        except TimeoutError:
            message = f"{self.member.name} stopped in a sentence: nothing came for {seconds:g} s"
            raise BackendTimeoutError(message) from None

    async def close(self) -> None:
        """Stop the work."""
        self.first.cancel()
        await asyncio.gather(self.first, return_exceptions=True)
        with contextlib.suppress(BackendError):
            await self.chunks.aclose()


class Levelled:
    """One attempt's audio at the chain's rate and as loud as its other voices, the last bit held back."""

    def __init__(self, attempt: Attempt, format_: AudioFormat, reference: Callable[[], float] | None) -> None:
        """`reference` says what loudness is wanted, in LUFS; without one the level stays as it is."""
        self._member, self._voice = attempt.member, attempt.voice.name
        self._format, self._reference = format_, reference
        self._resampler = Resampler(attempt.member.backend.format.rate, format_.rate)
        self._gain: float | None = None
        self._spoken: list[Samples] = []
        self._held = np.zeros(0, np.float32)

    def feed(self, samples: Samples) -> Samples:
        """What can go out now."""
        samples = self._resampler.feed(samples)
        self._spoken.append(samples)
        return self._out(amplify(samples, self._decibels(samples)))

    def finish(self) -> Samples:
        """The rest, of a sentence that ended well."""
        rest = amplify(self._resampler.finish(), self._gain or 0.0)
        self._member.loudness.hear(self._voice, np.concatenate(self._spoken), self._format.rate)
        return np.concatenate([self._held, rest])

    def break_off(self) -> Samples:
        """The rest, of a sentence that broke off: faded out, so that it does not click."""
        return self._held * np.linspace(1, 0, len(self._held), dtype=np.float32)

    def _out(self, samples: Samples) -> Samples:
        samples = np.concatenate([self._held, samples])
        end = max(0, len(samples) - round(HELD * self._format.rate))
        self._held = samples[end:]
        return samples[:end]

    def _decibels(self, samples: Samples) -> float:
        """The same for the whole sentence: a gain that moved would be heard."""
        if self._gain is None:
            self._gain = 0.0 if self._reference is None else self._wanted(samples, self._reference())
        return self._gain

    def _wanted(self, samples: Samples, reference: float) -> float:
        known = self._member.loudness.of(self._voice)
        if known is None:
            known = loudness(block_powers(samples, self._format.rate))
        return 0.0 if known is None else float(np.clip(reference - known, -MOST_GAIN, MOST_GAIN))
