"""A pool of workers on Ray: real processes of a cluster on this machine, with espeak-ng in each."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import ValidationError

from tests.fakes import PATIENCE, Clock, ScriptedBackend, endless, until
from tests.remote import collect, request_for, said, seconds, started
from tests.speech import surroundings
from wyoming_tts.backends.fallback import FallbackBackend
from wyoming_tts.backends.members import Member
from wyoming_tts.backends.ray import RayBackend, RayOptions
from wyoming_tts.backends.ray_worker import FollowingPlayhead, Reading, Recipe, Sentence, Worker
from wyoming_tts.chain import backend_types
from wyoming_tts.errors import BackendError, BackendOverloadedError, BackendUnavailableError
from wyoming_tts.scheduler import ScheduledBackend
from wyoming_tts.types import AudioChunk, BackgroundPlayhead, Playhead, SynthesisRequest

TEXT = "The light in the kitchen is on, and the window in the bedroom is still open."
ROOT = Path(__file__).parent.parent


def pool(directory: Path, name: str = "ray", **options: Any) -> RayBackend:
    """A pool that was not started."""
    options = {"inner": "espeak", "cpus_per_worker": 0, **options}
    return RayBackend(RayOptions(**options), surroundings(directory, name=name))


@contextlib.asynccontextmanager
async def whole(backend: RayBackend) -> AsyncIterator[RayBackend]:
    """A pool with all its workers."""
    async with started(backend):
        await until(lambda: len(backend._hands) == backend._options.workers)
        yield backend


def pids(backend: RayBackend) -> list[int]:
    return [hand.about.pid for hand in backend._hands]


async def busy(backend: RayBackend) -> list[int]:
    """How many sentences each worker is speaking, by its own account."""
    return [await backend._answer(hand.actor.sentences.remote()) for hand in backend._hands]


async def all_free(backend: RayBackend) -> None:
    """Wait until no worker speaks: it is told that somebody left, and that is not waited for."""
    async with asyncio.timeout(PATIENCE):
        while any(await busy(backend)):  # noqa: ASYNC110 - it is in another process
            await asyncio.sleep(0.01)


async def test_two_speak_at_once_in_two_processes(cluster: Any, tmp_path: Path) -> None:
    """Two sentences that are spoken at the same time are in different processes, and neither is this one."""
    async with whole(pool(tmp_path)) as backend:
        assert len({*pids(backend), os.getpid()}) == 3
        assert backend.max_concurrency == 2
        assert backend.widest == 1
        pair = [backend.synthesize(request_for(backend, TEXT)) for _ in range(2)]
        for chunks in pair:
            await anext(chunks)
        assert await busy(backend) == [1, 1]
        rest = [[chunk async for chunk in chunks] for chunks in pair]
        assert seconds(rest[0]) == pytest.approx(seconds(rest[1]), rel=0.01)
        await all_free(backend)


async def test_samples_may_be_written_to(cluster: Any, tmp_path: Path) -> None:
    """A plugin may change what comes from a worker in place."""
    async with whole(pool(tmp_path, workers=1)) as backend:
        (chunk, *_) = await said(backend, TEXT)
    chunk.samples[:] *= 0.5


async def test_who_leaves_frees_the_worker(cluster: Any, tmp_path: Path) -> None:
    """A listener who leaves between two chunks, or while one is computed, leaves nothing behind."""
    async with whole(pool(tmp_path, workers=1)) as backend:
        chunks = backend.synthesize(request_for(backend, TEXT))
        await anext(chunks)
        assert await busy(backend) == [1]
        await chunks.aclose()
        await all_free(backend)
        task = asyncio.create_task(said(backend, TEXT * 50))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await all_free(backend)
        assert seconds(await said(backend, TEXT)) > 2


async def test_a_worker_killed_in_a_sentence_is_an_honest_error(cluster: Any, tmp_path: Path) -> None:
    """The sentence breaks off with what happened, others go on, and another worker takes its place."""
    async with whole(pool(tmp_path)) as backend:
        chunks, others = (backend.synthesize(request_for(backend, TEXT)) for _ in range(2))
        await anext(chunks)
        await anext(others)
        killed = pids(backend)[0]
        os.kill(killed, signal.SIGKILL)
        with pytest.raises(BackendUnavailableError, match="lost a worker"):
            await collect(chunks, [])
        assert [chunk async for chunk in others]
        assert seconds(await said(backend, TEXT)) > 2
        await until(lambda: len(pids(backend)) == 2 and killed not in pids(backend))
        assert not backend._failures


async def test_the_chain_goes_on_behind_the_last_word(cluster: Any, tmp_path: Path) -> None:
    """With another backend in the chain the listener hears every word once, whatever the worker dies of."""
    kind: Any = backend_types()["espeak"].load()
    spare = kind(kind.Options(), surroundings(tmp_path, name="spare"))
    backend = pool(tmp_path, workers=1)
    members = [Member(ScheduledBackend(backend), backend._options), Member(spare)]
    async with started(FallbackBackend(members)) as chain:
        chunks: list[AudioChunk] = []
        async for chunk in chain.synthesize(request_for(backend, TEXT)):
            chunks.append(chunk)
            if len(chunks) == 4:
                os.kill(pids(backend)[0], signal.SIGKILL)
    assert [word.word for chunk in chunks for word in chunk.words] == TEXT.replace(",", "").strip(".").split()
    assert list(dict.fromkeys(chunk.backend for chunk in chunks)) == ["ray", "spare"]


async def test_all_workers_dead_is_an_outage(cluster: Any, tmp_path: Path) -> None:
    """Without a worker a sentence fails at once, and the probe says so until there is one again."""
    async with whole(pool(tmp_path, workers=1)) as backend:
        os.kill(pids(backend)[0], signal.SIGKILL)
        await until(lambda: not backend._hands)
        with pytest.raises(BackendUnavailableError, match="has no worker"):
            await said(backend, TEXT)
        await until(lambda: bool(backend._hands))
        await backend.probe()
        assert seconds(await said(backend, TEXT)) > 2


async def test_no_place_in_the_cluster(cluster: Any, tmp_path: Path) -> None:
    """A pool that asks for more than the cluster has says so when its time is up."""
    backend = pool(tmp_path, cpus_per_worker=64, start_timeout=0.5)
    with pytest.raises(BackendUnavailableError, match="no place"):
        await backend.start()
    with pytest.raises(BackendUnavailableError):
        await said(backend, TEXT)
    await backend.stop()


OWN_CLUSTER = """
import asyncio, sys, time, pathlib
import psutil
from tests.remote import said
from tests.test_ray import TEXT, pool

async def main():
    backend = pool(pathlib.Path(sys.argv[1]))
    await backend.start()
    assert await said(backend, TEXT)
    assert len(psutil.Process().children(recursive=True)) > 2
    await backend.stop()

asyncio.run(main())
import ray
assert not ray.is_initialized()
time.sleep(1)
left = [child.name() for child in psutil.Process().children(recursive=True) if child.status() != "zombie"]
assert not left, left
print("OK")
"""


def test_its_own_cluster_ends_with_it(tmp_path: Path) -> None:
    """Without an address it starts Ray, and leaves no process of it, and nothing on standard output."""
    pytest.importorskip("ray")
    command = [sys.executable, "-c", OWN_CLUSTER, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "OK\n"), done.stderr


def test_options_of_the_inner_backend_are_checked() -> None:
    """A mistake in its table is told at the start, with its name, and a pool in a pool is none."""
    for options, message in (
        ({"inner": "kokoro", "inner_options": {"thread": 2}}, "thread: Extra inputs"),
        ({"inner": "nothing"}, "no backend 'nothing'"),
        ({"inner": "ray"}, "no backend 'ray'"),
    ):
        with pytest.raises(ValidationError, match=message):
            RayOptions(**options)


def test_threads_are_those_that_are_reserved(tmp_path: Path) -> None:
    """A worker computes with as many threads as it has cores, unless its table says otherwise."""
    for table, threads in (({}, 3), ({"threads": 2}, 2)):
        backend = pool(tmp_path, inner="kokoro", inner_options=table, cpus_per_worker=3)
        assert backend._recipe.options == {"threads": threads}


def test_without_ray_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is missed at the start, and named."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BackendUnavailableError, match="script/setup ray"):
        asyncio.run(pool(tmp_path).start())


def worker(backend: ScriptedBackend) -> Worker:
    """A worker in this process, around a fake."""
    made = Worker.__new__(Worker)
    made._backend, made._open = backend, {}
    return made


def reading(playhead: Playhead | None = None, **allowed: Any) -> Reading:
    request = SynthesisRequest(text="x", voice=ScriptedBackend().voices()[0], playhead=playhead or Playhead())
    for name, value in allowed.items():
        setattr(request.allowance, name, value)
    return Reading.of(request)


def sentence(text: str = "x") -> Sentence:
    return Sentence.of(SynthesisRequest(text=text, voice=ScriptedBackend().voices()[0]))


async def test_clock_and_allowance_come_with_every_chunk() -> None:
    """The backend in the worker sees what its listener has in store now, and what it may use now."""
    backend, clock = ScriptedBackend(endless), Clock()
    playhead, made = Playhead(clock), worker(backend)
    await made.step(1, reading(playhead, threads=4), sentence())
    (request,) = backend.requests
    assert (request.playhead.first_audio, request.playhead.lead()) == (None, 0)
    assert (request.allowance.urgent, request.allowance.threads) == (True, 4)
    playhead.sent(7.5)
    playhead.characters_left = 12
    await made.step(1, reading(playhead, urgent=False, threads=1, listeners=3.0))
    assert request.playhead.first_audio is not None
    assert request.playhead.lead() == pytest.approx(7.5, abs=0.1)
    assert (request.playhead.seconds_sent, request.playhead.characters_left) == (7.5, 12)
    allowance = request.allowance
    assert (allowance.urgent, allowance.threads, allowance.listeners) == (False, 1, 3.0)
    await made.close(1)
    assert backend.running == 0


def test_a_listener_who_is_never_late_stays_so() -> None:
    """Speech in the background has for ever."""
    playhead = FollowingPlayhead()
    playhead.follow(reading(BackgroundPlayhead()))
    assert playhead.lead() == math.inf


async def test_closing_stops_what_is_computed() -> None:
    """A sentence that is closed while its chunk is computed ends there."""
    never = asyncio.Event()
    backend = ScriptedBackend(lambda request: [never])
    made = worker(backend)
    step = asyncio.create_task(made.step(1, reading(), sentence()))
    await until(lambda: backend.running == 1)
    await made.close(1)
    with pytest.raises(BackendUnavailableError):
        await step
    assert (backend.running, await made.sentences()) == (0, 0)


async def test_errors_keep_their_class() -> None:
    """What the backend raises leaves the worker as it is, and closes the sentence."""
    error = BackendOverloadedError("out of memory", retry_after=3.0)
    made = worker(ScriptedBackend(lambda request: [100, error]))
    await made.step(1, reading(), sentence())
    with pytest.raises(BackendOverloadedError) as caught:
        await made.step(1, reading())
    sent: BackendError = pickle.loads(pickle.dumps(caught.value))
    assert (type(sent), str(sent), sent.retry_after) == (BackendOverloadedError, "out of memory", 3.0)
    assert await made.sentences() == 0
    with pytest.raises(BackendUnavailableError, match="does not know"):
        await made.step(1, reading())


def test_a_recipe_travels(tmp_path: Path) -> None:
    """All that a worker is made of can be sent, and makes the same backend there."""
    recipe: Recipe = pickle.loads(pickle.dumps(pool(tmp_path)._recipe))
    assert recipe.build().name == "ray"
    assert pickle.loads(pickle.dumps(sentence("Yes."))) == sentence("Yes.")


async def test_nothing_is_left_of_it(cluster: Any, tmp_path: Path) -> None:
    """No worker outlives the pool that it is in, whose cluster goes on."""

    def workers() -> list[psutil.Process]:
        return [one for one in psutil.Process().children(recursive=True) if "ray::Worker" in title(one)]

    await until(lambda: not workers())
    async with whole(pool(tmp_path)):
        assert len(workers()) == 2
    await until(lambda: not workers())


def title(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""
