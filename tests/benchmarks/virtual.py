"""Servers on virtual time: the real scheduler and sizes of windows around a machine that only counts."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import selectors
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from tests.fakes import VOICES, ScriptedBackend
from wyoming_tts.backends.kokoro_pace import FRAMES, OVERHEAD, Pace
from wyoming_tts.errors import ServerBusyError
from wyoming_tts.scheduler import ScheduledBackend, SchedulerSettings
from wyoming_tts.types import CHARACTERS_PER_SECOND, Allowance, AudioChunk, Playhead, SynthesisRequest

T = TypeVar("T")

SILENCE = np.zeros(24_000 * 10, np.float32)


@dataclass(frozen=True, slots=True)
class Machine:
    """How fast one server computes; the numbers are the README's, of two cores of an AMD EPYC."""

    threads: int = 2
    cost: float = 0.28
    """Seconds of one thread for a second of speech, of sentences of 100 characters."""

    front: float = 0.117
    """Seconds of one thread before the first window of such a sentence; in proportion to its length."""

    together: float = 0.68
    """Time that several threads take for a window, over that of one."""

    @property
    def per_frame(self) -> float:
        """Seconds of one thread for a frame: what is left of `cost` without the front, in eight windows."""
        seconds = 100 / CHARACTERS_PER_SECOND
        return (self.cost * seconds - self.front) / (seconds * FRAMES + 8 * OVERHEAD)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Sleeps for no time at all: its clock goes on to whatever comes next."""

    def __init__(self) -> None:
        self.now = 1.0
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self.now


class _Selector(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everybody waits for somebody else"
        self._loop.now += timeout
        return super().select(0)


def run_virtually(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of a coroutine whose sleeps take no time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(make())


class Computer(ScriptedBackend):
    """A backend that takes as long as Kokoro does, and says nothing."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self.max_concurrency = machine.threads
        self.busy_seconds = 0.0
        """Of all threads together."""
        self._machine, self._pace = machine, Pace()
        self._urgent = self._patient = 0
        self._delay = 0.0
        """Seconds that a patient turn lost to urgent ones, since the beginning."""

    async def synthesize(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        left = round(len(request.text) / CHARACTERS_PER_SECOND * FRAMES)
        front, previous = self._machine.front * len(request.text) / 100, 0
        while left > 0:
            allowance = dataclasses.replace(request.allowance)
            frames = min(left, self._pace.next_window(previous, request.playhead, allowance))
            work = (frames + OVERHEAD) * self._machine.per_frame
            seconds = await self._compute(front + work, allowance)
            self._pace.measure(frames, seconds * work / (front + work), allowance)
            front, previous, left = 0.0, frames, left - frames
            yield AudioChunk(SILENCE[: frames * 24_000 // FRAMES])

    async def _compute(self, work: float, allowance: Allowance) -> float:
        """Let so many seconds of one thread pass; returns how long it took."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        self.busy_seconds += work
        if allowance.urgent:
            await self._compute_now(work, allowance.threads or self._machine.threads)
        else:
            await self._compute_beside(work)
        return loop.time() - began

    async def _compute_now(self, work: float, threads: int) -> None:
        seconds = work * self._machine.together if threads > 1 else work
        before = self._crowded()
        self._urgent += threads
        if self._patient:  # those who can wait have lower priority, and lose what this one takes
            self._delay += seconds * min(1.0, (self._crowded() - before) / self._patient)
        await asyncio.sleep(seconds)
        self._urgent -= threads

    def _crowded(self) -> int:
        """Threads that compute and have no core."""
        return max(0, self._urgent + self._patient - self._machine.threads)

    async def _compute_beside(self, work: float) -> None:
        self._patient += 1
        until = self._delay
        while work > 0:
            await asyncio.sleep(work)
            work, until = self._delay - until, self._delay
        self._patient -= 1


@dataclass(frozen=True, slots=True)
class Heard:
    """What one listener got."""

    came: float
    """When, in seconds."""

    refused: bool = False
    first_audio: float = 0.0
    underruns: int = 0
    seconds: float = 0.0
    """Of speech."""


@dataclass(slots=True)
class Replica:
    """One server: its scheduler, and how many it serves."""

    backend: ScheduledBackend
    computer: Computer
    streams: int = 0


@dataclass(slots=True)
class Fleet:
    """Servers behind a balancer that chooses the one with the fewest streams; needs a running loop."""

    replicas: list[Replica]
    heard: list[Heard] = field(default_factory=list)
    _turn: Any = field(default_factory=itertools.count)

    @classmethod
    def of(cls, count: int, machine: Machine, *, refuse: bool = True) -> Fleet:
        """So many alike."""
        loop = asyncio.get_running_loop()
        settings = SchedulerSettings(busy="refuse" if refuse else "late")
        computers = [Computer(machine) for _ in range(count)]
        return cls([Replica(ScheduledBackend(one, settings, loop.time), one) for one in computers])

    def busy_seconds(self) -> float:
        """Of all threads of all servers, since the beginning."""
        return sum(one.computer.busy_seconds for one in self.replicas)

    async def listen(self, sentences: Sequence[int]) -> None:
        """One listener, with a text of sentences of so many characters."""
        first = next(self._turn) % len(self.replicas)
        order = self.replicas[first:] + self.replicas[:first]
        replica = min(order, key=lambda one: one.streams)
        loop = asyncio.get_running_loop()
        playhead, came = Playhead(loop.time), loop.time()
        replica.streams += 1
        try:
            for number, length in enumerate(sentences):
                playhead.characters_left = sum(sentences[number + 1 :])
                request = SynthesisRequest(text="x" * length, voice=VOICES[0], playhead=playhead)
                async for chunk in replica.backend.synthesize(request):
                    playhead.sent(chunk.seconds)
        except ServerBusyError:
            self.heard.append(Heard(came, refused=True))
            return
        finally:
            playhead.ended = True
            replica.streams -= 1
        assert playhead.first_audio is not None
        wait = playhead.first_audio - came
        self.heard.append(Heard(came, False, wait, playhead.underruns, playhead.seconds_sent))
