"""The Kokoro backend on ONNX Runtime: loading, turns, stopping, pace, providers, new voices."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import PATIENCE, until
from tests.speech import surroundings
from wyoming_tts.backends.kokoro import FRAME, FREELY, Array, Prosody, Speaker, Window
from wyoming_tts.backends.kokoro_onnx import (
    KokoroOnnxBackend,
    KokoroOptions,
    choose_provider,
)
from wyoming_tts.backends.kokoro_pace import Pace
from wyoming_tts.backends.kokoro_shared import default_threads
from wyoming_tts.errors import (
    BackendError,
    BackendOverloadedError,
    BackendUnavailableError,
    ConfigError,
)
from wyoming_tts.phonemes import Phonemizer
from wyoming_tts.types import Allowance, AudioChunk, Samples, SynthesisRequest, Voice
from wyoming_tts.voices import load_catalogue

TEXT = "Good morning, everybody in this house."


def voice(name: str) -> Voice:
    return Voice(name=name, language="en-US", backend="kokoro", description=name)


ONE, TWO = voice("one"), voice("two")


class ScriptedEngine:
    """Takes eight frames a token, hums, counts its windows, and waits where it is told to."""

    context = 6

    def __init__(self, stop_at: int = 0, *, others_too: bool = False) -> None:
        """Waits in the window `stop_at`; with `others_too` in all later ones, whatever thread they are in."""
        self.windows = 0
        self._stop_at, self._last_stop = stop_at, 10**9 if others_too else stop_at
        self.at_work, self.go_on = threading.Event(), threading.Event()

    def predict(
        self, tokens: tuple[int, ...], row: Array, speed: float, allowance: Allowance = FREELY
    ) -> Prosody:
        durations = np.full(len(tokens) + 2, 8, np.int64)
        frames = int(durations.sum())
        hidden = np.ones((1, 512, 2 * frames), np.float32)
        hidden[:, :, :20] = hidden[:, :, -64:] = 0
        source = np.zeros((1, 22, 120 * frames + 1), np.float32)
        return Prosody(hidden, source, durations, np.ones((2, 1), np.float32))

    def generate(self, window: Window, scale: Array, shift: Array) -> Samples:
        self.windows += 1
        if 0 < self._stop_at <= self.windows <= self._last_stop:
            self.at_work.set()
            assert self.go_on.wait(PATIENCE)
        return np.repeat(0.25 * window.hidden[0, 0, 2 * window.first : 2 * window.last], FRAME // 2).astype(
            np.float32
        )


class ScriptedKokoro(KokoroOnnxBackend):
    """The backend with a scripted engine in it."""

    def __init__(
        self, engine: ScriptedEngine | None = None, load: Callable[[], object] = bool, **options: Any
    ) -> None:
        super().__init__(KokoroOptions(**options), surroundings(Path("unused"), [ONE, TWO]))
        self.scripted, self._before_load = engine or ScriptedEngine(), load

    def _load(self) -> Speaker:
        self._before_load()
        ones, row = np.ones((2, 1), np.float32), np.ones((1, 256), np.float32)
        return Speaker(self.scripted, Phonemizer(), lambda *_: ones, lambda *_: row, Pace())


@contextlib.asynccontextmanager
async def started(backend: KokoroOnnxBackend) -> AsyncIterator[KokoroOnnxBackend]:
    async with asyncio.timeout(10 * PATIENCE):
        await backend.start()
        try:
            yield backend
        finally:
            await backend.stop()


def request_of(speaker: Voice = ONE, text: str = TEXT) -> SynthesisRequest:
    return SynthesisRequest(text=text, voice=speaker)


async def spoken(backend: KokoroOnnxBackend, request: SynthesisRequest | None = None) -> list[AudioChunk]:
    return [chunk async for chunk in backend.synthesize(request or request_of())]


def computing_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("kokoro")]


async def test_requests_wait_for_the_model() -> None:
    """What is asked while the model loads is answered when it has loaded, and `engine` tells of both."""
    loaded = threading.Event()
    backend = ScriptedKokoro(load=lambda: loaded.wait(PATIENCE))
    assert "not loaded" in backend.engine
    start = asyncio.create_task(backend.start())
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(spoken(backend)) for _ in range(2)]
    await asyncio.sleep(0.05)
    assert "loading" in backend.engine
    assert not any(task.done() for task in [start, *waiting])
    loaded.set()
    answers = await asyncio.gather(*waiting)
    assert all(sum(chunk.seconds for chunk in answer) > 1 for answer in answers)
    await start
    assert "ONNX Runtime" in backend.engine
    await backend.stop()


async def test_listener_that_leaves_while_it_loads_disturbs_nobody() -> None:
    """A request cancelled in front of the loading model takes neither the model nor the others with it."""
    loaded = threading.Event()
    backend = ScriptedKokoro(load=lambda: loaded.wait(PATIENCE))
    start = asyncio.create_task(backend.start())
    await asyncio.sleep(0)
    leaving, staying = (asyncio.create_task(spoken(backend)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    loaded.set()
    assert await staying
    await start
    await backend.stop()


async def test_load_that_fails_fails_whoever_waits(tmp_path: Path) -> None:
    """A file that is no model is named by `start`, and all requests fail alike, then and later."""
    garbage = tmp_path / "garbage.onnx"
    garbage.write_bytes(b"this is no model" * 100)
    backend = KokoroOnnxBackend(KokoroOptions(model=str(garbage)), surroundings(tmp_path, [ONE]))
    start = asyncio.create_task(backend.start())
    await asyncio.sleep(0)
    waiting = (start, spoken(backend), spoken(backend))
    outcomes: list[object] = list(await asyncio.gather(*waiting, return_exceptions=True))
    outcomes = [*outcomes, *await asyncio.gather(spoken(backend), return_exceptions=True)]
    assert [type(outcome) for outcome in outcomes] == [BackendUnavailableError] * 4
    assert all("garbage.onnx" in str(outcome) for outcome in outcomes)
    assert "failed to load" in backend.engine
    await backend.stop()


async def test_stop_while_it_loads_fails_whoever_waits() -> None:
    """A request that waits for a model that is being dropped is not left waiting."""
    loaded = threading.Event()
    backend = ScriptedKokoro(load=lambda: loaded.wait(PATIENCE))
    start = asyncio.create_task(backend.start())
    await asyncio.sleep(0)
    waiting = asyncio.create_task(spoken(backend))
    await asyncio.sleep(0)
    stop = asyncio.create_task(backend.stop())
    await asyncio.sleep(0)
    loaded.set()
    async with asyncio.timeout(PATIENCE):
        outcomes = await asyncio.gather(waiting, start, stop, return_exceptions=True)
    assert isinstance(outcomes[0], BackendUnavailableError)
    assert "stopped" in backend.engine


async def test_speaks_only_between_start_and_stop() -> None:
    """Before `start` and after `stop` the backend is unavailable, and says so."""
    backend = ScriptedKokoro()
    with pytest.raises(BackendUnavailableError):
        await spoken(backend)
    async with started(backend):
        assert await spoken(backend)
    with pytest.raises(BackendUnavailableError):
        await spoken(backend)
    assert not computing_threads()


async def test_a_listener_that_left_costs_one_window_at_most() -> None:
    """Closing the iterator, also in the middle of a window, ends the work behind that window."""
    backend = ScriptedKokoro(ScriptedEngine(stop_at=2))
    async with started(backend):
        listener = asyncio.create_task(spoken(backend))
        await asyncio.to_thread(backend.scripted.at_work.wait, PATIENCE)
        listener.cancel()
        await asyncio.wait([listener])
        assert listener.cancelled()
        backend.scripted.go_on.set()
    assert backend.scripted.windows == 2


async def test_closing_between_two_windows_computes_nothing_more() -> None:
    """A listener that is not asking has nothing computed ahead of it."""
    backend = ScriptedKokoro()
    async with started(backend):
        chunks = backend.synthesize(request_of())
        await anext(chunks)
        so_far = backend.scripted.windows
        await chunks.aclose()
    assert backend.scripted.windows == so_far


async def test_listeners_are_computed_for_side_by_side() -> None:
    """As many sentences as there are threads are computed at the same time."""
    backend = ScriptedKokoro(ScriptedEngine(stop_at=2), threads=2)
    async with started(backend):
        first = asyncio.create_task(spoken(backend, request_of(ONE)))
        await asyncio.to_thread(backend.scripted.at_work.wait, PATIENCE)
        assert await spoken(backend, request_of(TWO))
        assert not first.done()
        backend.scripted.go_on.set()
        assert await first


@pytest.mark.parametrize("listeners", [1, 3])
async def test_stop_ends_running_sentences(listeners: int) -> None:
    """Stopping while sentences are spoken ends each with an error and leaves no thread behind."""
    backend = ScriptedKokoro(ScriptedEngine(stop_at=listeners + 1, others_too=True))
    await backend.start()
    speaking = [asyncio.create_task(spoken(backend)) for _ in range(listeners)]
    await asyncio.to_thread(backend.scripted.at_work.wait, PATIENCE)
    stop = asyncio.create_task(backend.stop())
    await asyncio.sleep(0.01)
    backend.scripted.go_on.set()
    async with asyncio.timeout(PATIENCE):
        await stop
        outcomes = await asyncio.gather(*speaking, return_exceptions=True)
    assert all(isinstance(outcome, BackendError) for outcome in outcomes), outcomes
    assert backend.scripted.windows <= 2 * listeners + 1
    assert not computing_threads()


class Exhausted(ScriptedEngine):
    """Runs out of memory at the first window."""

    def generate(self, window: Window, scale: Array, shift: Array) -> Samples:
        raise BackendOverloadedError("CUDA out of memory")


async def test_without_memory_the_model_moves_to_the_processor() -> None:
    """Lack of memory fails that sentence alone; the memory is freed, and the CPU speaks the next one."""
    backend = ScriptedKokoro(Exhausted(), provider="auto")
    async with started(backend):
        with pytest.raises(BackendOverloadedError, match="memory"):
            await spoken(backend)
        assert "unloaded" in backend.engine
        backend.scripted = ScriptedEngine()
        assert await spoken(backend)
        assert backend._options.provider == "cpu"


async def test_an_idle_model_is_unloaded() -> None:
    """After a while without a request the model is dropped, `engine` says so, and speech loads it again."""
    loads: list[int] = []
    backend = ScriptedKokoro(load=lambda: loads.append(1), unload_after=0.05)
    async with started(backend):
        assert await spoken(backend)
        await until(lambda: "unloaded" in backend.engine)
        assert len(loads) == 1
        assert await spoken(backend)
        assert len(loads) == 2


async def test_wake_loads_before_the_request() -> None:
    """A hint that a request will come loads an unloaded model; on one that is stopped it does nothing."""
    loads: list[int] = []
    backend = ScriptedKokoro(load=lambda: loads.append(1), unload_after=0.05)
    backend.wake()
    async with started(backend):
        await until(lambda: "unloaded" in backend.engine)
        backend.wake()
        await until(lambda: len(loads) == 2)
    backend.wake()
    assert len(loads) == 2


async def test_the_fingerprint_is_of_model_and_voice(model_data: Path) -> None:
    """It is known when the model is loaded, stays when it is unloaded, and differs from voice to voice."""
    known = load_catalogue().voices()
    backend = KokoroOnnxBackend(KokoroOptions(threads=1), surroundings(model_data, known[:2]))
    assert backend.fingerprint(known[0]) is None
    async with started(backend):
        prints = {backend.fingerprint(voice) for voice in (*known[:2], known[0])}
        assert len(prints) == 2
        assert None not in prints
        backend._model.drop()
        assert backend.fingerprint(known[0]) in prints
        assert backend.fingerprint(voice("nobody")) is None


class SteadyPace(Pace):
    """Windows of one size."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.next_window = lambda *_: size  # type: ignore[method-assign]


def test_silence_is_trimmed_alike_in_any_windows() -> None:
    """How a sentence is divided changes neither where it begins nor where it ends."""
    ones, row = np.ones((2, 1), np.float32), np.ones((1, 256), np.float32)
    spoken = []
    for size in (400, 10, 11, 13, 16, 37):
        speaker = Speaker(ScriptedEngine(), Phonemizer(), lambda *_: ones, lambda *_: row, SteadyPace(size))
        chunks = list(speaker.speak(request_of()))
        assert all(len(chunk.samples) for chunk in chunks)
        assert [word.word for chunk in chunks for word in chunk.words] == TEXT.split()
        spoken.append(np.concatenate([chunk.samples for chunk in chunks]))
    for audio in spoken[1:]:
        np.testing.assert_array_equal(audio, spoken[0])


CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
COREML, OPENVINO = "CoreMLExecutionProvider", "OpenVINOExecutionProvider"


@pytest.mark.parametrize(
    ("wanted", "available", "chosen"),
    [
        ("auto", [CPU], "cpu"),
        ("auto", [CPU, CUDA], "cuda"),
        ("auto", [OPENVINO, CPU], "openvino"),
        ("auto", [COREML, CPU], "cpu"),
        ("coreml", [COREML, CPU], "coreml"),
        ("cpu", [CUDA, CPU], "cpu"),
    ],
)
def test_choose_provider(wanted: str, available: list[str], chosen: str) -> None:
    """`auto` takes the fastest that is installed (never CoreML), a name takes that one."""
    assert choose_provider(wanted, available) == chosen


def test_missing_provider_names_those_there_are() -> None:
    """A provider that the installed onnxruntime lacks is a wrong setting, and what it has is named."""
    with pytest.raises(ConfigError, match=r"'cuda'.*cpu, coreml"):
        choose_provider("cuda", [COREML, CPU, "AzureExecutionProvider"])


async def test_missing_provider_ends_the_start(model_data: Path) -> None:
    """The backend refuses a provider that is not installed before it loads anything."""
    backend = KokoroOnnxBackend(KokoroOptions(provider="coreml"), surroundings(model_data, [ONE]))
    try:
        with pytest.raises(ConfigError, match=r"'coreml'.*cpu"):
            await backend.start()
    finally:
        await backend.stop()


def test_default_threads() -> None:
    """All of one or two cores; of more, all but one, and never more than four."""
    assert [default_threads(cores) for cores in (1, 2, 3, 4, 5, 8, 64)] == [1, 2, 2, 3, 4, 4, 4]
