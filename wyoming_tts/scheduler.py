"""A backend around a backend: its listeners take turns, a chunk at a time, as they need it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import weakref
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Literal

from wyoming_tts.admission import Demand, can_serve, seconds_until_served
from wyoming_tts.backends.base import Backend, BackendAround, closable
from wyoming_tts.errors import ServerBusyError
from wyoming_tts.turns import NEXT, Claim, Turns
from wyoming_tts.types import CHARACTERS_PER_SECOND, AudioChunk, Playhead, SynthesisRequest

_LOGGER = logging.getLogger(__name__)

GATHER = 0.004
"""Seconds that an idle scheduler waits behind a newcomer: those who come together are served side by side."""

HOLD = 1.0
"""Seconds that a first chunk is held back at most, for others that came at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerSettings:
    """How listeners share a backend."""

    look_ahead: float = 30.0
    """Seconds of sound in store from which on a listener's turns come only when nobody else wants one."""

    busy: Literal["refuse", "late"] = "refuse"
    """What happens to a listener who is too many: `refuse` it at once, or serve all of them `late`."""


class ScheduledBackend(BackendAround):
    """Has the face of the backend inside. A turn is one chunk; none is held while a client is written to."""

    def __init__(
        self,
        inner: Backend,
        settings: SchedulerSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Starts and stops the inner backend with itself."""
        super().__init__(inner)
        self._settings = settings or SchedulerSettings()
        self._clock = clock
        self._turns = Turns(look_ahead=self._settings.look_ahead)
        self._granted: dict[Claim, asyncio.Future[None]] = {}
        self._round: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()
        self._streams: weakref.WeakSet[Playhead] = weakref.WeakSet()
        self._cost = Cost()

    @property
    def load(self) -> tuple[int, int]:
        """Sentences that wait for a turn, and those that have one."""
        return len(self._turns.waiting), len(self._turns.running)

    async def synthesize(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """See `Backend.synthesize`. Raises ServerBusyError for a stream that is too many."""
        self._admit(request)
        claim = Claim(request.playhead, request.allowance)
        self._turns.join(claim)
        try:
            async with contextlib.aclosing(closable(self._inner.synthesize(request))) as chunks:
                while (chunk := await self._next(claim, chunks)) is not None:
                    await self._hold(claim)
                    yield chunk
        finally:
            self._turns.leave(claim)
            self._change()

    async def _next(self, claim: Claim, chunks: AsyncGenerator[AudioChunk, None]) -> AudioChunk | None:
        """Wait for a turn and use it for one chunk; None at the end of the sentence."""
        await self._turn(claim)
        began, is_new = self._clock(), claim.is_new
        try:
            chunk = await anext(chunks, None)
            if chunk is not None:
                self._note(claim, is_new, self._clock() - began, chunk.seconds)
            return chunk
        finally:
            self._turns.end(claim)
            self._change()

    async def _turn(self, claim: Claim) -> None:
        granted = self._granted[claim] = asyncio.get_running_loop().create_future()
        self._turns.ask(claim)
        self._change()
        try:
            await granted
        except asyncio.CancelledError:
            self._turns.end(claim)
            self._change()
            raise
        finally:
            del self._granted[claim]

    def _change(self) -> None:
        """Somebody came or went: whose turn it is shall be settled soon."""
        self._changed.set()
        self._changed = asyncio.Event()
        if self._round is None:
            idle = not self._turns.running and any(claim.is_new for claim in self._turns.waiting)
            self._round = asyncio.get_running_loop().call_later(GATHER if idle else 0, self._settle)

    def _settle(self) -> None:
        self._round = None
        self._turns.threads = self._inner.max_concurrency
        self._turns.widest = getattr(self._inner, "widest", self._turns.threads)
        for claim in self._turns.grant(self._clock()):
            granted = self._granted[claim]
            if not granted.done():  # it may just have been cancelled
                granted.set_result(None)

    async def _hold(self, claim: Claim) -> None:
        """Keep a listener's first chunk until those who came with it have theirs.

        Who starts to play must not run dry while the others' first chunks are computed.
        """
        if not claim.is_new or claim.playhead.lead() > 0:
            return
        others = set(self._turns.newcomers(claim))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HOLD):
                while others & set(self._turns.newcomers(claim)):
                    await self._changed.wait()

    def _note(self, claim: Claim, is_new: bool, seconds: float, audio: float) -> None:
        """Learn from a turn what turns cost."""
        turns, begins, claim.begins = self._turns, claim.begins, False
        if is_new:
            turns.first_chunk_seconds = 0.7 * turns.first_chunk_seconds + 0.3 * seconds
            return
        if begins:
            turns.front_seconds = 0.7 * turns.front_seconds + 0.3 * max(0.0, seconds - NEXT)
        if claim.threads == 1:
            self._cost.note(seconds, audio)

    def _admit(self, request: SynthesisRequest) -> None:
        """Let a stream in, unless it comes new and there is more to do than can be done in time."""
        self._streams = weakref.WeakSet(stream for stream in self._streams if not stream.ended)
        new = {stream for stream in request.playhead.streams if stream not in self._streams}
        if self._settings.busy == "refuse" and self._streams and len(new) == len(request.playhead.streams):
            self._check_room(request)
        self._streams |= new

    def _check_room(self, request: SynthesisRequest) -> None:
        """Raise ServerBusyError where there is no room; for as many as there are threads there always is."""
        demands = [_demand(stream) for stream in self._streams]
        demands.append(_demand(request.playhead, len(request.text)))
        threads, cost = self._inner.max_concurrency, self._cost.per_second
        if len(demands) > threads and not can_serve(demands, threads, cost):
            after = seconds_until_served(demands, threads, cost)
            _LOGGER.warning("Refused a stream: %d are being served", len(demands) - 1)
            raise ServerBusyError(
                f"{len(demands) - 1} texts are being spoken; try again in {after:.0f} s.", after
            )


def _demand(stream: Playhead, characters: int = 0) -> Demand:
    """Of a stream with so many characters more than it knows itself."""
    return Demand(stream.lead(), (characters + stream.characters_left) / CHARACTERS_PER_SECOND)


class Cost:
    """How long a thread computes for a second of speech, as far as it is known."""

    def __init__(self) -> None:
        self.per_second = 0.0
        """Seconds; 0 before anything was measured."""

    def note(self, seconds: float, audio: float) -> None:
        """A turn with one thread took `seconds` and made `audio` seconds of speech."""
        cost = seconds / max(audio, 0.05)
        self.per_second = 0.9 * self.per_second + 0.1 * cost if self.per_second else cost
