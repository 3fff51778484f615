"""A pool of workers on Ray: any backend of this machine in processes of their own, on one machine or many.

Each worker is an actor that holds one backend (`ray_worker`), and a sentence is spoken by one of them, a
chunk a call. Every call takes along what the listener has in store and what the scheduler allows at that
moment, as plain numbers, and computes no further than its chunk: turns and deadlines hold across processes,
and a listener who leaves stops the work with the chunk that is being computed.

That is why it is actors, and neither Ray Serve nor Ray's streaming generators. Serve brings its own router,
queue and HTTP proxy, which know of no deadline, stand where the scheduler does, and choose a replica for a
request, not for a chunk; a streaming generator computes ahead of its listener, and sees nothing of it after
the request.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import itertools
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, ValidationError, ValidationInfo, field_validator

from wyoming_tts.backends.base import BackendOptions, Surroundings
from wyoming_tts.backends.ray_cluster import REPLACED, Cluster
from wyoming_tts.backends.ray_worker import Description, Reading, Recipe, Sentence, Worker
from wyoming_tts.errors import BackendUnavailableError, SynthesisError, WyomingTtsError
from wyoming_tts.types import AudioChunk, AudioFormat, SynthesisRequest, Voice

_LOGGER = logging.getLogger(__name__)

GROUP = "wyoming_tts.backends"
"""Entry points of what a worker may hold."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a worker that died is replaced: twice as long each time, until one lives for the longest."""

FAREWELL = 5.0
"""Seconds that a worker has to stop by itself."""

CALLS = 1000
"""Calls that a worker takes at the same time: it has a turn in front of each but `live` and `close`."""


class RayOptions(BackendOptions):
    """Options of a pool."""

    inner: str = "kokoro"
    """The type of the backend that each worker holds: `kokoro`, `kokoro-torch`, `chatterbox`, `espeak`."""

    inner_options: Mapping[str, Any] = Field(default_factory=dict)
    """Its table; `threads`, where it has that, are `cpus_per_worker` unless this says otherwise."""

    workers: int = Field(default=2, ge=1)
    """How many processes."""

    cpus_per_worker: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    """Processor cores that Ray reserves for each."""

    gpus_per_worker: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Graphics cards that Ray reserves for each; 0.5 puts two workers on a card."""

    address: str = ""
    """The cluster: `HOST:PORT`, or `auto` for one on this machine; without, one is started and ended."""

    data_dir: Path | None = None
    """Where workers keep files and find weights, where that is not the data directory of this machine."""

    start_timeout: float = Field(default=300.0, gt=0, allow_inf_nan=False)
    """Seconds in which a worker must have found a place and loaded its model."""

    @field_validator("inner")
    @classmethod
    def _is_installed(cls, inner: str) -> str:
        _target(inner)
        return inner

    @field_validator("inner_options")
    @classmethod
    def _are_options(cls, table: Mapping[str, Any], info: ValidationInfo) -> Mapping[str, Any]:
        if inner := info.data.get("inner"):
            try:
                _target(inner).load().Options(**table)
            except ValidationError as error:
                faults = error.errors(include_input=False)
                raise ValueError(
                    "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
                ) from None
        return table


def _target(inner: str) -> importlib.metadata.EntryPoint:
    """Raises ValueError for what no worker can hold."""
    known = {entry.name: entry for entry in importlib.metadata.entry_points(group=GROUP)}
    del known["ray"]
    if inner not in known:
        raise ValueError(f"there is no backend {inner!r} for a worker; there are {', '.join(sorted(known))}")
    return known[inner]


@dataclass(slots=True, eq=False)
class _Hand:
    """A worker as it is seen from here."""

    actor: Any
    about: Description
    sentences: int = 0
    """How many it speaks."""


class RayBackend:
    """See the module. It is ready with its first worker; more come as they find places."""

    Options = RayOptions
    own_turns = False

    def __init__(self, options: RayOptions, surroundings: Surroundings) -> None:
        """Loads nothing and joins nothing yet."""
        self.name = surroundings.name
        self._options = options
        self._recipe = _recipe(options, surroundings)
        self._twin = self._recipe.build()  # never started: it knows its voices before there is a worker
        self._hands: list[_Hand] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._failures: dict[int, WyomingTtsError] = {}
        self._changed = asyncio.Event()
        self._joining = asyncio.Lock()
        self._calls: set[asyncio.Future[Any]] = set()
        self._tickets = itertools.count()
        self._cluster = Cluster(options.address, options.workers * options.cpus_per_worker)
        self._watching: asyncio.Task[None] | None = None
        self._replaced = asyncio.Event()
        self._running = False

    @property
    def engine(self) -> str:
        """See `Backend.engine`."""
        engine = self._hands[0].about.engine if self._hands else self._options.inner
        return f"{len(self._hands)} of {self._options.workers} workers on Ray: {engine}"

    @property
    def format(self) -> AudioFormat:
        """See `Backend.format`."""
        return self._twin.format

    @property
    def max_concurrency(self) -> int:
        """See `Backend.max_concurrency`: of all workers that there are."""
        return sum(hand.about.concurrency for hand in self._hands) or self._twin.max_concurrency

    @property
    def widest(self) -> int:
        """Threads that one sentence can use: those of one worker."""
        return min((hand.about.concurrency for hand in self._hands), default=self._twin.max_concurrency)

    async def start(self) -> None:
        """Join the cluster, and wait for the first worker. Raises what a worker raised when none is ready."""
        self._running = True
        await self._join()

    async def probe(self) -> None:
        """See `Backend.probe`."""
        self._check()
        await self._join()
        await self._answer(self._choose().actor.probe.remote())

    async def stop(self) -> None:
        """End all workers, and Ray where it was started for them."""
        self._running = False
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self._dismiss()
        async with self._joining:
            await asyncio.to_thread(self._cluster.end)

    async def _dismiss(self, *, lost: bool = False) -> None:
        """End all workers, and all calls of them. What waits for a lost cluster ends when it is left."""
        keepers, self._keepers = self._keepers, []
        self._cluster.is_joined = self._cluster.is_joined and not lost
        for task in (*keepers, *self._calls):
            task.cancel()
        self._changed.set()
        if lost:
            await asyncio.to_thread(self._cluster.leave)
        await asyncio.gather(*keepers, return_exceptions=True)

    async def _watch(self) -> None:
        """Leave a cluster whose head is gone, and join the next one that comes there."""
        while True:
            signs = self._cluster.until_lost(), self._replaced.wait()
            looks = [asyncio.ensure_future(sign) for sign in signs]
            try:
                await asyncio.wait(looks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for look in looks:
                    look.cancel()
            lost = BackendUnavailableError(f"{self.name} has lost the head of its cluster")
            _LOGGER.warning("%s, and joins again when there is one", lost)
            async with self._joining:
                self._failures.update(dict.fromkeys(range(self._options.workers), lost))
                await self._dismiss(lost=True)
                self._replaced.clear()
            await self._rejoin()

    async def _rejoin(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._enter()
            except BackendUnavailableError as error:
                _LOGGER.info("%s", error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def wake(self) -> None:
        """See `Backend.wake`: the worker that would be asked next."""
        if self._running and self._hands:
            self._choose().actor.wake.remote()

    def voices(self) -> Sequence[Voice]:
        """See `Backend.voices`."""
        return self._hands[0].about.voices if self._hands else self._twin.voices()

    def fingerprint(self, voice: Voice) -> str | None:
        """See `Backend.fingerprint`: None where workers differ, and for what a worker has not told."""
        told = {hand.about.fingerprints.get(voice.name) for hand in self._hands}
        return told.pop() if len(told) == 1 else None

    async def synthesize(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """See `Backend.synthesize`: by the worker that speaks the fewest sentences."""
        hand, ticket = self._choose(), next(self._tickets)
        sentence: Sentence | None = Sentence.of(request)
        hand.sentences += 1
        try:
            while True:
                self._check()
                step = hand.actor.step.remote(ticket, Reading.of(request), sentence)
                chunk, sentence = await self._answer(step), None
                if chunk is None:
                    return
                yield replace(chunk, samples=np.array(chunk.samples))  # Ray's memory is not to be written to
        finally:
            hand.sentences -= 1
            self._leave(hand, ticket)

    def _leave(self, hand: _Hand, ticket: int) -> None:
        """Tell a worker that no more of a sentence is wanted; whoever leaves does not wait for it."""
        if self._running and hand in self._hands:
            hand.actor.close.remote(ticket)

    def _check(self) -> None:
        if not self._running:
            raise BackendUnavailableError(f"{self.name} is not running")

    def _choose(self) -> _Hand:
        """The worker with the least to do. Raises BackendUnavailableError when there is none."""
        self._check()
        if not self._hands:
            why = next(iter(self._failures.values()), "it is not ready yet")
            raise BackendUnavailableError(f"{self.name} has no worker: {why}")
        return min(self._hands, key=lambda hand: hand.sentences / hand.about.concurrency)

    async def _join(self) -> None:
        """Join the cluster, have workers made, and wait for one. Raises the error of one when all failed."""
        await self._enter()
        while not self._hands:
            self._check()
            if len(self._failures) == self._options.workers:
                raise next(iter(self._failures.values()))
            self._changed.clear()
            await self._changed.wait()

    async def _enter(self) -> None:
        """Join the cluster, and have workers made. Raises BackendUnavailableError."""
        async with self._joining:
            if not self._cluster.is_joined:
                await asyncio.to_thread(self._cluster.join)
                self._failures.clear()
            if self._watching is None and self._cluster.is_watched:
                self._watching = asyncio.create_task(self._watch(), name=f"{self.name} watch")
            if self._running and not self._keepers:
                self._keepers = [
                    asyncio.create_task(self._keep(number), name=f"{self.name} {number}")
                    for number in range(self._options.workers)
                ]

    async def _keep(self, number: int) -> None:
        """Have a worker for as long as this runs; another when it dies."""
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            try:
                async with self._hired(number) as hand:
                    await self._answer(hand.actor.live.remote())
            except WyomingTtsError as error:
                self._failures[number] = error
                if REPLACED in str(error):
                    self._replaced.set()
                _LOGGER.warning("%s: worker %d is replaced in %g s: %s", self.name, number, pause, error)
            self._changed.set()
            if time.monotonic() - began > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    @contextlib.asynccontextmanager
    async def _hired(self, number: int) -> AsyncIterator[_Hand]:
        """A worker that is ready, for as long as this is open."""
        actor = await asyncio.to_thread(self._make_actor)
        hand: _Hand | None = None
        try:
            hand = _Hand(actor, await self._started(actor))
            _LOGGER.info("%s: worker %d is ready, process %d", self.name, number, hand.about.pid)
            self._hands.append(hand)
            self._failures.pop(number, None)
            self._changed.set()
            yield hand
        finally:
            if hand is not None:
                self._hands.remove(hand)
            await asyncio.shield(self._end(actor, FAREWELL if hand else 0.0))

    def _make_actor(self) -> Any:
        """In a thread, since it may wait for the cluster."""
        options, ray = self._options, self._cluster.ray
        if not ray.is_initialized():  # it would start a cluster by itself
            raise BackendUnavailableError(f"{self.name} is in no cluster")
        actor = ray.remote(Worker).options(
            num_cpus=options.cpus_per_worker, num_gpus=options.gpus_per_worker, max_concurrency=CALLS
        )
        try:
            return actor.remote(self._recipe)
        except Exception as error:  # the cluster is gone, which has no class of its own
            raise BackendUnavailableError(f"{self.name} cannot make a worker: {error}") from error

    async def _started(self, actor: Any) -> Description:
        seconds = self._options.start_timeout
        try:
            async with asyncio.timeout(seconds):
                return await self._answer(actor.start.remote())
        except TimeoutError:
            raise BackendUnavailableError(
                f"a worker was not ready in {seconds:g} s: the cluster has no place, or it loads longer"
            ) from None

    async def _end(self, actor: Any, seconds: float) -> None:
        """Let it stop by itself for so long, and make sure that it has; without its cluster it has."""
        with contextlib.suppress(Exception):  # it is dead already, or the cluster is
            async with asyncio.timeout(seconds):
                await asyncio.wrap_future(actor.stop.remote().future())
        if self._cluster.is_joined:
            with contextlib.suppress(Exception):
                await asyncio.to_thread(self._cluster.ray.kill, actor)

    async def _answer(self, reference: Any) -> Any:
        """What a call of a worker gives. Raises its errors as ours, also when this is stopped meanwhile."""
        answer = asyncio.wrap_future(reference.future())
        self._calls.add(answer)
        try:
            return await answer
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            why = "has lost its cluster" if self._running else "was stopped"
            raise BackendUnavailableError(f"{self.name} {why}") from None
        except self._cluster.ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, WyomingTtsError):
                raise error.cause from None
            raise SynthesisError(f"a worker of {self.name} failed: {error.cause!r}") from error
        except self._cluster.ray.exceptions.RayError as error:
            first_line = str(error).partition("\n")[0]
            raise BackendUnavailableError(f"{self.name} lost a worker: {first_line}") from error
        finally:
            self._calls.discard(answer)


def _recipe(options: RayOptions, surroundings: Surroundings) -> Recipe:
    """For every worker."""
    target, table = _target(options.inner), dict(options.inner_options)
    if "threads" in target.load().Options.model_fields and options.cpus_per_worker:
        table.setdefault("threads", max(1, round(options.cpus_per_worker)))
    if options.data_dir is not None:
        surroundings = replace(surroundings, data_dir=options.data_dir, download_dir=options.data_dir)
    return Recipe(target=target.value, options=table, surroundings=surroundings)
