"""The Kokoro backend on PyTorch: it speaks as the one on ONNX Runtime does, in windows, and recovers."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import importlib.util
import itertools
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from tests.fakes import PATIENCE, until
from tests.quality.closeness import mel_distance
from tests.quality.texts import TEXTS
from tests.speech import Model, Sentence, surroundings
from wyoming_tts.backends import kokoro_torch
from wyoming_tts.backends.kokoro import Array, Decoder, Speaker, Window
from wyoming_tts.backends.kokoro_onnx import graphs
from wyoming_tts.backends.kokoro_prepare import PROSODY
from wyoming_tts.backends.kokoro_torch import (
    KokoroTorchBackend,
    KokoroTorchOptions,
    choose_precision,
)
from wyoming_tts.backends.torch_device import choose_device
from wyoming_tts.errors import BackendError, BackendOverloadedError, BackendUnavailableError, ConfigError
from wyoming_tts.onnx_graph import dequantize
from wyoming_tts.types import Allowance, AudioChunk, Samples, SynthesisRequest, Voice
from wyoming_tts.voices import load_catalogue

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from wyoming_tts.backends import kokoro_torch_engine as engines  # noqa: E402  what it imports may be missing
from wyoming_tts.backends.kokoro_torch_weights import State, load_state  # noqa: E402

ALONE = Allowance(threads=1)
TEXT = "Good morning, everybody in this house. The lights in the kitchen are still on."
VOICES = (
    "af_heart", "am_michael", "bf_emma", "ef_dora", "ff_siwis", "hf_alpha", "if_sara", "pf_dora",
    "zf_xiaobei", "jf_alpha",
)  # fmt: skip


@pytest.fixture(scope="module")
def state(model_data: Path) -> State:
    """The weights of the installed packages."""
    return load_state("converted", surroundings(model_data))[0]


@pytest.fixture(scope="module")
def engine(state: State) -> engines.TorchEngine:
    """In float32."""
    return engines.TorchEngine(state, engines.Target())


@pytest.fixture(scope="module")
def sentence(model: Model) -> Sentence:
    """Behind the front of the ONNX engine."""
    return model.read(model.voice("af_heart"), TEXT.partition(".")[0] + ".")


@pytest.fixture(autouse=True)
def few_threads() -> None:
    """Others work here, too."""
    torch.set_num_threads(1)


def decibels(of: Samples, difference: Samples) -> float:
    """How far a difference is below what it is a difference of."""
    return float(10 * np.log10(np.square(of).sum() / max(np.square(difference).sum(), 1e-30)))


def torch_decoder(
    engine: engines.TorchEngine, sentence: Sentence, statistics: Array | None = None
) -> Decoder:
    """Decodes on PyTorch what the ONNX front said."""
    style = engine.predict(sentence.tokens, sentence.row, 1.0, ALONE).style
    prosody = dataclasses.replace(sentence.prosody, style=style)
    if statistics is None:
        statistics = sentence.model.book.statistics(sentence.voice, prosody, len(sentence.tokens))
    return Decoder.of(engine, prosody, statistics)


@pytest.fixture(scope="module")
def float_front(model_data: Path) -> onnxruntime.InferenceSession:
    """The front of the ONNX engine without the bytes that it rounds what flows through it to."""
    with graphs("int8", surroundings(model_data)) as directory:
        front = onnx.load(directory / PROSODY)
    dequantize(front)
    return onnxruntime.InferenceSession(front.SerializeToString(), providers=["CPUExecutionProvider"])


def test_durations_are_those_of_the_onnx_graph(
    engine: engines.TorchEngine, model: Model, float_front: onnxruntime.InferenceSession
) -> None:
    """In ten voices and eight languages whole sentences have the same durations as the graph in floats.

    The engine's front computes in bytes: there a token may last a frame more or less.
    """
    tokens = equal = sentences = same = alike = 0
    for name in VOICES:
        voice = model.voice(name)
        for text in TEXTS[voice.language.split("-")[0]][2:8]:
            onnx_engine = model.read(voice, text)
            ours = engine.predict(onnx_engine.tokens, onnx_engine.row, 1.0, ALONE).durations
            padded, speed = np.array([[0, *onnx_engine.tokens, 0]], np.int64), np.ones(1, np.float32)
            *_, exact = float_front.run(None, {"tokens": padded, "style": onnx_engine.row, "speed": speed})
            difference = np.abs(ours - onnx_engine.prosody.durations)
            assert difference.max() <= 1, (name, text)
            tokens, equal = tokens + difference.size, equal + int((difference == 0).sum())
            sentences, alike = sentences + 1, alike + int(not difference.any())
            same += int(np.array_equal(ours.ravel(), exact.ravel()))
    print(f"{same} of {sentences} sentences last as long in every token as in floats; with bytes {alike}, "
          f"and {equal} of {tokens} tokens")  # fmt: skip
    assert same >= 0.95 * sentences
    assert equal > 0.95 * tokens


def test_a_whole_sentence_is_decoded_alike(engine: engines.TorchEngine, sentence: Sentence) -> None:
    """With the network's own statistics the samples are those of the exported graph, and as loud."""
    onnx, statistics = sentence.exact()
    prosody = torch_decoder(engine, sentence).prosody
    ours, own = engine.measure(prosody, sentence.row)
    assert decibels(statistics, own - statistics) > 60
    assert decibels(onnx, ours - onnx) > 35
    assert np.std(ours) / np.std(onnx) == pytest.approx(1, abs=0.01)
    given = Decoder.of(engine, prosody, own).decode(0, prosody.frames, ALONE)
    assert decibels(ours, given - ours) > 80


def test_foretold_statistics_serve_here_too(engine: engines.TorchEngine, sentence: Sentence) -> None:
    """With statistics from the voice packs the two engines say the same, and equally loud."""
    onnx = sentence.whole()
    ours = torch_decoder(engine, sentence).decode(0, sentence.frames, ALONE)
    distance, ratio = mel_distance(onnx, ours), float(np.std(ours) / np.std(onnx))
    print(f"mel distance {distance:.2f} dB, level ratio {ratio:.3f}")
    assert distance < 2
    assert ratio == pytest.approx(1, abs=0.05)


def test_windows_join_without_a_seam(engine: engines.TorchEngine, sentence: Sentence) -> None:
    """Windows of any size give the samples that the whole sentence gives."""
    decoder = torch_decoder(engine, sentence)
    frames = min(sentence.frames, 90)
    whole = decoder.decode(0, frames, ALONE)
    edges = [0, 8, 21, 37, frames]
    parts = [decoder.decode(a, b, ALONE) for a, b in itertools.pairwise(edges)]
    assert decibels(whole, np.concatenate(parts) - whole) > 60


def test_the_source_is_that_of_the_export(engine: engines.TorchEngine, sentence: Sentence) -> None:
    """The harmonic source, made of the same pitch, is that of the graph, and there is no noise in it."""
    inputs = (np.array([[0, *sentence.tokens, 0]]), sentence.row, np.ones(1, np.float32))
    _, pitch, *_ = sentence.model.engine._prosody.run(ALONE, *inputs)
    with torch.inference_mode():
        first, again = (engine._generator.source(torch.from_numpy(pitch).view(-1)).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, again)
    onnx = sentence.prosody.source
    assert decibels(onnx[:, :11], first[:, :11] - onnx[:, :11]) > 20


def test_speech_comes_out_the_same_again(engine: engines.TorchEngine, sentence: Sentence) -> None:
    """What is spoken twice is the same to the last bit."""
    spoken = []
    for _ in range(2):
        prosody = engine.predict(sentence.tokens, sentence.row, 1.0, ALONE)
        statistics = sentence.model.book.statistics(sentence.voice, prosody, len(sentence.tokens))
        spoken.append(Decoder.of(engine, prosody, statistics).decode(0, 40, ALONE))
    np.testing.assert_array_equal(spoken[0], spoken[1])


def test_half_precision_is_close(engine: engines.TorchEngine, state: State, sentence: Sentence) -> None:
    """With convolutions in bfloat16 tokens last as long, and samples are more than 25 dB from float32."""
    half = engines.TorchEngine(state, engines.Target(precision=torch.bfloat16))
    durations = [one.predict(sentence.tokens, sentence.row, 1.0, ALONE).durations for one in (engine, half)]
    np.testing.assert_array_equal(durations[0], durations[1])
    whole, ours = (torch_decoder(one, sentence).decode(0, 60, ALONE) for one in (engine, half))
    assert decibels(whole, ours - whole) > 25


def test_a_lack_of_memory_is_told_from_other_errors() -> None:
    """What PyTorch raises where memory is short means overloaded; anything else means failed."""
    for error in (torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("[..] can't allocate memory")):
        assert isinstance(engines.translated(error, "cpu"), BackendOverloadedError)
    assert not isinstance(engines.translated(RuntimeError("shapes differ"), "cpu"), BackendOverloadedError)


class Slow:
    """An engine that does what the one inside does, and then what it is told to."""

    def __init__(self, inner: engines.TorchEngine, behind: Callable[[int], object]) -> None:
        self.inner, self.behind, self.windows = inner, behind, 0
        self.context = inner.context
        self.predict, self.measure = inner.predict, inner.measure

    def generate(self, window: Window, scale: Array, shift: Array) -> Samples:
        self.windows += 1
        self.behind(self.windows)
        return self.inner.generate(window, scale, shift)


class Kokoro(KokoroTorchBackend):
    """The backend with the test's own engine in it, cold."""

    def __init__(self, engine: Any, model: Model, data_dir: Path, **options: Any) -> None:
        around = surroundings(data_dir, load_catalogue().voices()[:4], name="torch")
        super().__init__(KokoroTorchOptions(threads=1, **options), around)
        self.used, self._book, self.loads = engine, model.book, 0

    def _load_with_torch(self) -> Speaker:
        self.loads += 1
        self._target()
        return Speaker(self.used, self._phonemizer, self._book.statistics, self._book.row, self._pace)


@contextlib.asynccontextmanager
async def started(backend: KokoroTorchBackend) -> AsyncIterator[KokoroTorchBackend]:
    async with asyncio.timeout(6 * PATIENCE):
        await backend.start()
        try:
            yield backend
        finally:
            await backend.stop()


async def spoken(backend: KokoroTorchBackend, text: str = TEXT) -> list[AudioChunk]:
    request = SynthesisRequest(text=text, voice=backend.voices()[0], allowance=Allowance(threads=1))
    return [chunk async for chunk in backend.synthesize(request)]


async def test_the_backend_speaks(model_data: Path, model: Model) -> None:
    """It loads itself, names its voices after itself, and hands out chunks with the times of all words."""
    around = surroundings(model_data, load_catalogue().voices(), name="torch")
    backend = KokoroTorchBackend(KokoroTorchOptions(threads=1, device="cpu"), around)
    assert backend.name == "torch"
    assert {voice.backend for voice in backend.voices()} == {"torch"}
    assert len(backend.voices()) == 54
    assert backend.fingerprint(backend.voices()[0]) is None
    async with started(backend):
        assert backend.engine.startswith("Kokoro on cpu in ")
        await backend.probe()
        chunks = await spoken(backend)
        prints = {backend.fingerprint(voice) for voice in backend.voices()[:3]}
        assert len(prints) == 3
        assert None not in prints
    words = [word for chunk in chunks for word in chunk.words]
    seconds = sum(chunk.seconds for chunk in chunks)
    assert len(chunks) > 2
    assert [word.word for word in words] == TEXT.split()
    assert all(a.start < b.start for a, b in itertools.pairwise(words))
    assert 3 < seconds < 7
    assert words[-1].start < seconds
    assert 0.05 < np.abs(np.concatenate([chunk.samples for chunk in chunks])).max() <= 1.2


async def test_leaving_costs_one_window(engine: engines.TorchEngine, model: Model, tmp_path: Path) -> None:
    """A listener that leaves in the middle of a window has no other one computed."""
    at_work, go_on = threading.Event(), threading.Event()

    def wait(window: int) -> None:
        if window == 2:
            at_work.set()
            assert go_on.wait(PATIENCE)

    slow = Slow(engine, wait)
    async with started(Kokoro(slow, model, tmp_path)) as backend:
        listener = asyncio.create_task(spoken(backend))
        await asyncio.to_thread(at_work.wait, PATIENCE)
        listener.cancel()
        await asyncio.wait([listener])
        go_on.set()
    assert slow.windows == 2


async def test_stop_ends_running_sentences(engine: engines.TorchEngine, model: Model, tmp_path: Path) -> None:
    """Stopping while a sentence is spoken ends it with an error, and later ones too."""
    at_work, go_on = threading.Event(), threading.Event()

    def wait(window: int) -> None:
        at_work.set()
        assert go_on.wait(PATIENCE)

    backend = Kokoro(Slow(engine, wait), model, tmp_path)
    await backend.start()
    speaking = asyncio.create_task(spoken(backend))
    await asyncio.to_thread(at_work.wait, PATIENCE)
    stop = asyncio.create_task(backend.stop())
    await asyncio.sleep(0.01)
    go_on.set()
    async with asyncio.timeout(PATIENCE):
        await stop
        outcome = await asyncio.gather(speaking, return_exceptions=True)
    assert isinstance(outcome[0], BackendError)
    for ask in (spoken(backend), backend.probe()):
        with pytest.raises(BackendUnavailableError):
            await ask


async def test_without_memory_it_moves_to_the_processor(
    engine: engines.TorchEngine, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lack of memory fails that sentence alone; the model is dropped, and the CPU speaks the next one."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: None)
    backend = Kokoro(engine, model, tmp_path, device="mps")

    def exhausted(*_: object) -> None:
        raise torch.OutOfMemoryError("out of memory")

    async with started(backend):
        with monkeypatch.context() as broken:
            broken.setattr(engine._generator, "run", exhausted)
            with pytest.raises(BackendOverloadedError, match="memory"):
                await spoken(backend)
        assert "unloaded" in backend.engine
        assert await spoken(backend, "Yes.")
        assert (backend._options.device, backend.loads) == ("cpu", 2)


async def test_without_memory_to_load_it_loads_on_the_processor(
    engine: engines.TorchEngine, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card that others have filled before the model is loaded is left to them."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)

    class Full(Kokoro):
        def _load_with_torch(self) -> Speaker:
            speaker = super()._load_with_torch()
            if self._device == "mps":
                raise BackendOverloadedError("no memory is left")
            return speaker

    async with started(Full(engine, model, tmp_path, device="mps")) as backend:
        assert backend._options.device == "cpu"
        assert await spoken(backend, "Yes.")


async def test_an_idle_model_is_unloaded(
    engine: engines.TorchEngine, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while without a request the model is dropped; `wake` and speech load it again.

    When it goes, what PyTorch would keep of a card's memory goes with it.
    """
    freed: list[str] = []
    monkeypatch.setattr(kokoro_torch, "free_cache", freed.append)
    backend = Kokoro(engine, model, tmp_path, unload_after=0.05)
    async with started(backend):
        assert await spoken(backend, "Yes.")
        await until(lambda: "unloaded" in backend.engine)
        await until(lambda: freed == ["cpu"])
        backend.wake()
        await until(lambda: backend.loads == 2)
        await until(lambda: "unloaded" in backend.engine)
        assert await spoken(backend, "Yes.")
        assert backend.loads == 3


@pytest.mark.parametrize("package", ["torch", "kokoro", "loguru", "transformers"])
async def test_a_missing_package_names_the_command(
    package: str, model_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the packages the backend is unavailable, and says how to install them."""
    for name in [name for name in sys.modules if name.startswith("kokoro.")]:
        monkeypatch.delitem(sys.modules, name)
    if package == "kokoro":
        find = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find(name))
    else:
        monkeypatch.setitem(sys.modules, package, None)
    backend = KokoroTorchBackend(KokoroTorchOptions(), surroundings(model_data, name="torch"))
    try:
        with pytest.raises(BackendUnavailableError, match=r"script/setup torch.*kokoro==0\.9\.4"):
            await backend.start()
    finally:
        await backend.stop()


def test_devices_and_precisions(monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` takes what the machine has and is fast at; a device that is not there is a wrong setting."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") == "cpu"
    with pytest.raises(ConfigError, match=r"'cuda' is not there.*finds cpu"):
        choose_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert (choose_device("auto"), choose_device("cuda:1")) == ("cuda", "cuda:1")
    with pytest.raises(ConfigError, match="'cuda:2'"):
        choose_device("cuda:2")
    assert choose_precision("auto", "cuda") is torch.float16
    assert choose_precision("auto", "mps") is torch.float32
    for fast, chosen in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda fast=fast: fast)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
        assert choose_precision("auto", "cpu") is chosen
        assert choose_precision("float16", "cpu") is chosen
        assert choose_precision("float32", "cpu") is torch.float32


def test_a_voice_of_another_network_is_not_offered(tmp_path: Path) -> None:
    """Only the catalogue's voices for Kokoro are."""
    other = Voice(name="other", language="en-US", backend="another", description="other")
    own = dataclasses.replace(other, name="own", backend="kokoro")
    backend = KokoroTorchBackend(KokoroTorchOptions(), surroundings(tmp_path, [other, own], name="torch"))
    assert [voice.name for voice in backend.voices()] == ["own"]
