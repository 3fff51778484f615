"""Listeners share a backend: turns, order, cancellation, look-ahead, admission."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator

import numpy as np
import pytest

from tests.fakes import PATIENCE, VOICES, Clock, ScriptedBackend, Step, connected, pipeline_of, serving
from wyoming_tts.errors import ServerBusyError, SynthesisError
from wyoming_tts.scheduler import ScheduledBackend, SchedulerSettings
from wyoming_tts.types import AudioChunk, BackgroundPlayhead, Playhead, SynthesisRequest

SECOND = 24_000


def request_of(text: str, playhead: Playhead | None = None) -> SynthesisRequest:
    return SynthesisRequest(text=text, voice=VOICES[0], playhead=playhead or Playhead())


async def listen(backend: ScheduledBackend, request: SynthesisRequest, heard: list[str]) -> None:
    """Play a sentence as the pipeline does: the clock moves on when a chunk was taken."""
    async for chunk in backend.synthesize(request):
        request.playhead.sent(chunk.seconds)
        heard.append(request.text)


class Gated(ScriptedBackend):
    """A chunk of a second at a time, each when it is let through; notes who computes."""

    def __init__(self, chunks: int = 4) -> None:
        super().__init__(lambda request: [SECOND] * chunks)
        self.gate = asyncio.Semaphore(0)
        self.computing: list[str] = []
        self.order: list[str] = []

    async def synthesize(self, request: SynthesisRequest):
        self.requests.append(request)
        try:
            for _ in self._script(request):
                self.computing.append(request.text)
                self.order.append(request.text)
                try:
                    await self.gate.acquire()
                finally:
                    self.computing.remove(request.text)
                yield AudioChunk(np.zeros(SECOND, np.float32))
        finally:
            self.closed.set()

    async def let(self, chunks: int) -> None:
        """Let so many chunks be computed, and everyone act upon it."""
        for _ in range(chunks):
            self.gate.release()
            await settle()


async def settle() -> None:
    """Let everyone go on who can."""
    for _ in range(3):
        await asyncio.sleep(0.006)


@contextlib.asynccontextmanager
async def running(*work) -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks = [asyncio.create_task(one) for one in work]
    try:
        async with asyncio.timeout(PATIENCE):
            yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_has_the_face_of_the_backend_inside() -> None:
    """Name, format, voices, fingerprint, start, stop and wake are those of the inner backend."""
    inner = ScriptedBackend()
    backend = ScheduledBackend(inner)
    assert (backend.name, backend.format, backend.max_concurrency) == ("scripted", inner.format, 1)
    assert backend.voices() == inner.voices()
    assert backend.fingerprint(VOICES[0]) == inner.fingerprint(VOICES[0])
    await backend.start()
    backend.wake()
    assert (inner.starts, inner.wakes) == (1, 1)
    await backend.stop()


async def test_nothing_is_changed() -> None:
    """All chunks of a sentence come out as the inner backend made them."""
    chunks = [AudioChunk(np.full(5 + n, n / 10, np.float32)) for n in range(3)]
    backend = ScheduledBackend(ScriptedBackend(lambda request: chunks))
    assert [chunk async for chunk in backend.synthesize(request_of("x"))] == chunks


async def test_one_chunk_a_turn() -> None:
    """Two sentences are computed chunk by chunk in turn, never more at once than the backend can."""
    inner = Gated()
    heard: list[str] = []
    backend = ScheduledBackend(inner)
    async with running(*(listen(backend, request_of(text), heard) for text in "ab")):
        await settle()
        assert len(inner.computing) == 1
        await inner.let(6)
    assert abs(inner.order[:6].count("a") - 3) <= 1
    assert max(len(list(run)) for _, run in itertools.groupby(inner.order[:6])) <= 2


async def test_a_new_listener_is_next() -> None:
    """A listener that comes while another has seconds in store gets the very next turn."""
    inner = Gated(chunks=10)
    heard: list[str] = []
    backend = ScheduledBackend(inner)
    async with running(listen(backend, request_of("old"), heard)):
        await settle()
        await inner.let(4)
        async with running(listen(backend, request_of("new"), heard)):
            await settle()
            await inner.let(2)
            assert inner.order[4:6] == ["old", "new"]  # what was being computed when it came, then it
            assert "new" in heard


async def test_as_many_as_the_backend_can() -> None:
    """A backend that computes two sentences at once is given two."""
    inner = Gated()
    heard: list[str] = []
    inner.max_concurrency = 2
    backend = ScheduledBackend(inner)
    async with running(*(listen(backend, request_of(text), heard) for text in "abc")):
        await settle()
        assert len(inner.computing) == 2


async def test_a_turn_is_not_held_while_a_client_is_written_to() -> None:
    """A listener that does not take its chunk keeps nobody from theirs."""
    inner = Gated()
    heard: list[str] = []
    backend = ScheduledBackend(inner)
    slow = backend.synthesize(request_of("slow"))
    first = asyncio.ensure_future(anext(slow))
    await settle()
    await inner.let(1)
    await first  # and now it takes no more
    async with running(listen(backend, request_of("quick"), heard)):
        await settle()
        await inner.let(4)
        assert heard == ["quick"] * 4
    await slow.aclose()


async def test_closing_a_stream_frees_its_turn() -> None:
    """A listener that leaves while it computes or waits lets the others go on, and its sentence is closed."""
    inner = Gated()
    heard: list[str] = []
    backend = ScheduledBackend(inner)
    async with running(*(listen(backend, request_of(text), heard) for text in "abc")) as tasks:
        await settle()
        computing = inner.computing[0]
        gone = "abc".index(computing)
        waiting = (gone + 1) % 3
        for leaving in (tasks[gone], tasks[waiting]):
            leaving.cancel()
        await settle()
        assert inner.computing == ["abc"[(gone + 2) % 3]]


async def test_an_error_frees_its_turn() -> None:
    """A sentence that fails fails alone."""
    inner = ScriptedBackend(lambda request: [SynthesisError("no")] if request.text == "bad" else [100])
    backend = ScheduledBackend(inner)
    good, bad = await asyncio.gather(
        listen(backend, request_of("good"), []),
        listen(backend, request_of("bad"), []),
        return_exceptions=True,
    )
    assert good is None
    assert isinstance(bad, SynthesisError)
    heard: list[str] = []
    await listen(backend, request_of("again"), heard)
    assert heard == ["again"]


async def test_first_chunks_of_those_who_come_together_go_out_together() -> None:
    """Nobody starts to play before those who came at the same time can, and so nobody runs dry meanwhile."""
    inner = Gated()
    heard: list[str] = []
    backend = ScheduledBackend(inner)
    async with running(*(listen(backend, request_of(text), heard) for text in "abc")):
        await settle()
        await inner.let(2)
        assert heard == []
        await inner.let(1)
        assert sorted(heard) == ["a", "b", "c"]


async def test_the_background_comes_last() -> None:
    """Speech that nobody listens to is computed when nobody else wants anything."""
    inner = Gated(chunks=2)
    heard: list[str] = []
    backend = ScheduledBackend(inner)
    async with running(
        listen(backend, request_of("idle", BackgroundPlayhead()), heard),
        listen(backend, request_of("live"), heard),
    ):
        await settle()
        await inner.let(4)
    assert inner.order == ["live", "live", "idle", "idle"]


def busy(chunks: int, settings: SchedulerSettings | None = None) -> tuple[ScheduledBackend, Gated, Clock]:
    """A backend whose turns take 0.6 s for a second of speech."""
    inner, clock = Gated(chunks), Clock()
    return ScheduledBackend(inner, settings, clock), inner, clock


async def served(backend: ScheduledBackend, inner: Gated, clock: Clock, texts: int) -> list[str]:
    """What becomes of so many long texts that come one behind the other: `heard` or an error's code."""
    playheads = [Playhead(clock) for _ in range(texts)]
    outcomes = []
    async with running() as tasks:
        try:
            for playhead in playheads:
                playhead.characters_left = 3000
                task = asyncio.create_task(listen(backend, request_of("long " * 20, playhead), []))
                tasks.append(task)
                await settle()
                for _ in range(3):
                    clock.now += 0.6
                    await inner.let(1)
                outcomes.append(type(task.exception()).__name__ if task.done() else "heard")
        finally:
            for playhead in playheads:
                playhead.ended = True
    return outcomes


async def test_too_many_are_refused_at_once() -> None:
    """A stream that cannot be served in real time beside the others is refused, with when to come again."""
    backend, inner, clock = busy(100)
    outcomes = await served(backend, inner, clock, 3)
    assert outcomes == ["heard", "ServerBusyError", "ServerBusyError"]


async def test_as_many_as_there_are_threads_are_never_refused() -> None:
    """However slow the machine seems to be, each thread has its listener."""
    backend, inner, clock = busy(100)
    inner.max_concurrency = 2
    backend._cost.per_second = 50.0
    assert await served(backend, inner, clock, 3) == ["heard", "heard", "ServerBusyError"]


async def test_too_many_are_served_late_if_wanted() -> None:
    """With `late` everybody is let in."""
    backend, inner, clock = busy(100, SchedulerSettings(busy="late"))
    assert await served(backend, inner, clock, 3) == ["heard"] * 3


async def test_a_stream_that_was_let_in_stays_in() -> None:
    """Later sentences of a stream are never refused, however busy it has become."""
    backend, inner, clock = busy(1)
    playhead = Playhead(clock)
    playhead.characters_left = 3000
    for _ in range(3):
        async with running(listen(backend, request_of("a sentence", playhead), [])) as (task,):
            await settle()
            clock.now += 5.0
            await inner.let(1)
            await task


async def test_a_stream_that_has_ended_counts_no_more() -> None:
    """When the others are done, the next one is let in."""
    backend, inner, clock = busy(100)
    await served(backend, inner, clock, 2)
    assert await served(backend, inner, clock, 1) == ["heard"]


async def test_refusal_reaches_the_client() -> None:
    """A Wyoming client is told `server-busy` in an error, and served when the others are done."""
    inner = ScriptedBackend(lambda request: [SECOND])
    backend = ScheduledBackend(inner)
    backend._check_room = refuse  # type: ignore[method-assign]
    backend._streams.add(other := Playhead())
    async with serving(pipeline=pipeline_of(backend)) as server:  # type: ignore[arg-type]
        async with connected(server) as client:
            await client.write_event(event := synthesize("Hello."))
            answer = await client.read_event()
            assert answer is not None
            assert (answer.type, answer.data["code"]) == ("error", "server-busy")
        other.ended = True
        async with connected(server) as client:
            await client.write_event(event)
            answer = await client.read_event()
            assert answer is not None
            assert answer.type == "audio-start"


def refuse(request: SynthesisRequest) -> None:
    raise ServerBusyError("1 text is being spoken", 7.0)


def synthesize(text: str):
    from wyoming.tts import Synthesize

    return Synthesize(text=text).event()


@pytest.mark.parametrize("step", [100, SynthesisError("no")])
async def test_nothing_is_left_behind(step: Step) -> None:
    """After the last sentence nobody waits, runs or counts."""
    backend = ScheduledBackend(ScriptedBackend(lambda request: [step]))
    with contextlib.suppress(SynthesisError):
        await listen(backend, request_of("x"), [])
    assert not backend._turns.waiting
    assert not backend._turns.running
    assert not backend._granted
