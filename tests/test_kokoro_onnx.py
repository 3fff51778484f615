"""The Kokoro backend on ONNX Runtime: loading, turns, stopping, pace, providers, new voices."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import PATIENCE
from wyoming_tts.backends.kokoro import (
    FRAME,
    LARGEST_FIRST_WINDOW,
    LARGEST_WINDOW,
    LEAD_SPENT,
    OVERHEAD,
    RATE,
    SMALLEST_WINDOW,
    Array,
    Pace,
    Prosody,
    Speaker,
    Turn,
    Window,
)
from wyoming_tts.backends.kokoro_onnx import (
    KokoroOnnxBackend,
    KokoroOptions,
    choose_provider,
    default_threads,
)
from wyoming_tts.errors import BackendError, BackendUnavailableError, ConfigError
from wyoming_tts.phonemes import Phonemizer
from wyoming_tts.types import AudioChunk, Playhead, Samples, SynthesisRequest, Voice

TEXT = "Good morning, everybody in this house."


def voice(name: str) -> Voice:
    return Voice(name=name, language="en-US", backend="kokoro", description=name)


ONE, TWO = voice("one"), voice("two")


class ScriptedEngine:
    """Takes eight frames a token, hums, counts its windows, and waits where it is told to."""

    def __init__(self, stop_at: int = 0) -> None:
        self.windows = 0
        self._stop_at = stop_at
        self.at_work, self.go_on = threading.Event(), threading.Event()

    def predict(self, tokens: tuple[int, ...], row: Array, speed: float) -> Prosody:
        durations = np.full(len(tokens) + 2, 8, np.int64)
        frames = int(durations.sum())
        hidden = np.ones((1, 512, 2 * frames), np.float32)
        hidden[:, :, :20] = hidden[:, :, -64:] = 0
        source = np.zeros((1, 22, 120 * frames + 1), np.float32)
        return Prosody(hidden, source, durations, np.ones((2, 1), np.float32))

    def generate(self, window: Window, scale: Array, shift: Array) -> Samples:
        self.windows += 1
        if self.windows == self._stop_at:
            self.at_work.set()
            assert self.go_on.wait(PATIENCE)
        return np.repeat(0.25 * window.hidden[0, 0, 2 * window.first : 2 * window.last], FRAME // 2).astype(
            np.float32
        )


class ScriptedKokoro(KokoroOnnxBackend):
    """The backend with a scripted engine in it."""

    def __init__(self, engine: ScriptedEngine | None = None, load: Callable[[], object] = bool) -> None:
        super().__init__(KokoroOptions(data_dir=Path("unused")), [ONE, TWO])
        self.scripted, self._before_load = engine or ScriptedEngine(), load

    def _load(self) -> tuple[Speaker, str]:
        self._before_load()
        ones, row = np.ones((2, 1), np.float32), np.ones((1, 256), np.float32)
        speaker = Speaker(self.scripted, Phonemizer(), lambda *_: ones, lambda *_: row, Pace())
        return speaker, "Kokoro of cardboard"


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
    assert backend.engine == "Kokoro of cardboard"
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
    backend = KokoroOnnxBackend(KokoroOptions(data_dir=tmp_path, model=str(garbage)), [ONE])
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


async def test_listeners_take_turns() -> None:
    """Two listeners are served window by window, neither waits for the other's whole sentence."""
    backend, order = ScriptedKokoro(), []

    async def listen(speaker: Voice) -> None:
        async for _ in backend.synthesize(request_of(speaker)):
            order.append(speaker.name)

    async with started(backend):
        await asyncio.gather(listen(ONE), listen(TWO))
    rounds = min(order.count("one"), order.count("two"))
    assert rounds >= 3
    pairs = [set(order[2 * number : 2 * number + 2]) for number in range(rounds)]
    assert pairs == [{"one", "two"}] * rounds


@pytest.mark.parametrize("listeners", [1, 3])
async def test_stop_ends_running_sentences(listeners: int) -> None:
    """Stopping while sentences are spoken ends each with an error and leaves no thread behind."""
    backend = ScriptedKokoro(ScriptedEngine(stop_at=listeners + 1))
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


class SteadyPace(Pace):
    """Windows of one size."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.next_window = lambda *_: Turn(size, hurried=True)  # type: ignore[method-assign]


def test_silence_is_trimmed_alike_in_any_windows() -> None:
    """How a sentence is divided changes neither where it begins nor where it ends."""
    ones, row = np.ones((2, 1), np.float32), np.ones((1, 256), np.float32)
    spoken = []
    for size in (400, 10, 11, 13, 16, 37):
        speaker = Speaker(ScriptedEngine(), Phonemizer(), lambda *_: ones, lambda *_: row, SteadyPace(size))
        chunks = list(speaker.speak(request_of(), lambda: 1))
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
    backend = KokoroOnnxBackend(KokoroOptions(data_dir=model_data, provider="coreml", offline=True), [ONE])
    try:
        with pytest.raises(ConfigError, match=r"'coreml'.*cpu"):
            await backend.start()
    finally:
        await backend.stop()


def test_default_threads() -> None:
    """All of one or two cores; of more, all but one, and never more than four."""
    assert [default_threads(cores) for cores in (1, 2, 3, 4, 5, 8, 64)] == [1, 2, 2, 3, 4, 4, 4]


def pace_of(load: float) -> Pace:
    """The pace of a machine that computes `load` seconds for a second of speech."""
    pace = Pace()
    pace.measure(40, load * (40 + OVERHEAD) * FRAME / RATE)
    return pace


def listener_with(lead: float) -> Playhead:
    playhead = Playhead(lambda: 100.0)
    playhead.sent(lead)
    return playhead


loads = st.floats(0.001, 5)
listeners = st.integers(1, 8)


@given(loads, listeners)
def test_first_window_is_small(load: float, count: int) -> None:
    """A listener that waits gets 0.25 to 0.4 seconds, however fast or busy the machine."""
    size = pace_of(load).next_window(0, Playhead(), count).frames
    assert SMALLEST_WINDOW <= size <= LARGEST_FIRST_WINDOW
    assert 0.25 <= size * FRAME / RATE <= 0.4


@given(loads, loads, listeners)
def test_first_window_grows_with_the_load(load: float, other: float, count: int) -> None:
    """The slower the machine, the more a first window must hold to bridge the second."""
    slow, fast = (
        pace_of(x).next_window(0, Playhead(), count).frames for x in (max(load, other), min(load, other))
    )
    assert slow >= fast


@given(loads, listeners, st.integers(10, 160), st.floats(0, 60))
def test_windows_at_most_double(load: float, count: int, previous: int, lead: float) -> None:
    """A window is at most twice the last one, at most 2.5 seconds, and never too small to be worth it."""
    size, _ = pace_of(load).next_window(previous, listener_with(lead), count)
    assert SMALLEST_WINDOW <= size <= min(2 * previous, LARGEST_WINDOW)


@given(st.floats(0.001, 1), listeners, st.integers(10, 160), st.floats(0, 60))
def test_lead_pays_for_the_window(load: float, count: int, previous: int, lead: float) -> None:
    """On a machine faster than speech a window is decoded, in turn, in two thirds of the time left."""
    if load * count > 1:
        return
    size, hurried = pace_of(load).next_window(previous, listener_with(lead), count)
    seconds = (size + OVERHEAD) * FRAME / RATE * load * count * (1 if hurried else 2)
    assert size == SMALLEST_WINDOW or seconds <= LEAD_SPENT * lead + 1e-6


@given(st.floats(1.01, 5), st.integers(20, 160))
def test_a_slow_machine_does_not_waste_itself_on_small_windows(load: float, previous: int) -> None:
    """Slower than speech there is no lead to keep: windows are larger than the smallest all the same."""
    size, hurried = pace_of(load).next_window(previous, listener_with(0.0), 1)
    assert hurried
    assert size > 2 * SMALLEST_WINDOW
