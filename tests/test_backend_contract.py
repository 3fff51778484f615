"""What every registered backend keeps to, tried with each of them: a new one without a stand here fails."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import PATIENCE
from tests.remote import alltalk, elevenlabs, joined, openai, request_for, said, seconds, started
from tests.speech import surroundings
from tests.upstream import AllTalk, ElevenLabs, OpenAI, running
from wyoming_tts.backends.base import Backend, BackendOptions
from wyoming_tts.chain import backend_types
from wyoming_tts.errors import BackendError, BackendUnavailableError
from wyoming_tts.types import Voice
from wyoming_tts.voices import load_catalogue

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # diffusers of its own classes
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # torch's weight_norm and the like
    pytest.mark.filterwarnings("ignore::UserWarning"),  # torchaudio and transformers
]

TEXT = "The light in the kitchen is on, and the window in the bedroom is still open."
VOICES = load_catalogue().voices()

Stand = Callable[[Path, Path], AbstractAsyncContextManager[Any]]
"""Makes a backend that was not started, from the directory of the real model and an empty one."""


@contextlib.asynccontextmanager
async def kokoro(model: Path, empty: Path) -> AsyncIterator[Backend]:
    kind: Any = backend_types()["kokoro"].load()
    yield kind(kind.Options(threads=2), surroundings(model, VOICES))


@contextlib.asynccontextmanager
async def kokoro_torch(model: Path, empty: Path) -> AsyncIterator[Backend]:
    kind: Any = backend_types()["kokoro-torch"].load()
    yield kind(kind.Options(threads=2), surroundings(model, VOICES, name="kokoro-torch"))


@contextlib.asynccontextmanager
async def espeak(model: Path, empty: Path) -> AsyncIterator[Backend]:
    kind: Any = backend_types()["espeak"].load()
    yield kind(kind.Options(), surroundings(empty, name="espeak"))


@contextlib.asynccontextmanager
async def over_openai(model: Path, empty: Path) -> AsyncIterator[Backend]:
    async with running(OpenAI()) as upstream:
        yield openai(upstream.url, voice_names=("nova",))


@contextlib.asynccontextmanager
async def over_elevenlabs(model: Path, empty: Path) -> AsyncIterator[Backend]:
    async with running(ElevenLabs()) as upstream:
        yield elevenlabs(upstream.url, empty)


@contextlib.asynccontextmanager
async def over_alltalk(model: Path, empty: Path) -> AsyncIterator[Backend]:
    async with running(AllTalk()) as upstream:
        yield alltalk(upstream.url)


@contextlib.asynccontextmanager
async def chatterbox(model: Path, empty: Path) -> AsyncIterator[Backend]:
    """Its real classes with random weights: what it says is noise of a sentence's length."""
    from tests.tiny_chatterbox import hum, make_checkpoint, shrunken

    kind: Any = backend_types()["chatterbox"].load()
    (empty / "clips").mkdir()
    hum(empty / "clips" / "hum.wav")
    options = {"model": "turbo", "checkpoint": empty / "turbo", "max_tokens": 120, "threads": 2}
    with shrunken():
        make_checkpoint("turbo", empty / "turbo")
        yield kind(kind.Options(**options), surroundings(empty, name="chatterbox"))


@contextlib.asynccontextmanager
async def ray(model: Path, empty: Path) -> AsyncIterator[Backend]:
    """Two processes of espeak-ng, in the cluster that all tests share."""
    kind: Any = backend_types()["ray"].load()
    yield kind(kind.Options(inner="espeak", cpus_per_worker=0), surroundings(empty, name="ray"))


STANDS: dict[str, Stand] = {
    "alltalk": over_alltalk,
    "chatterbox": chatterbox,
    "elevenlabs": over_elevenlabs,
    "espeak": espeak,
    "kokoro": kokoro,
    "kokoro-torch": kokoro_torch,
    "openai": over_openai,
    "ray": ray,
}
LENGTHS = {"chatterbox": (0.1, 5.0)}
"""Seconds of speech where it is not that of a sentence."""

TIMED = {"elevenlabs", "espeak", "kokoro", "kokoro-torch", "ray"}
"""Those that tell when each word is spoken."""


def test_every_backend_has_a_stand() -> None:
    """A backend that is registered is tried."""
    assert set(STANDS) == set(backend_types())


@pytest.fixture(params=STANDS)
async def backend(request: pytest.FixtureRequest, model_data: Path, tmp_path: Path) -> AsyncIterator[Backend]:
    """Each of them, not started."""
    if request.param in ("chatterbox", "kokoro-torch"):
        pytest.importorskip("torch")
    if request.param == "ray":
        request.getfixturevalue("cluster")
    async with STANDS[request.param](model_data, tmp_path) as backend:
        yield backend


def test_faces(backend: Backend) -> None:
    """Each has all of the protocol."""
    members = [name for name, _ in inspect.getmembers(Backend) if not name.startswith("_")]
    assert not [name for name in members if not hasattr(backend, name)]
    assert inspect.isasyncgenfunction(backend.synthesize)


async def test_speech(backend: Backend) -> None:
    """Chunks of the announced format, the first before the last is made, audible, finite, within bounds."""
    async with started(backend):
        voice = english(backend)
        chunks = await said(backend, TEXT, voice)
    assert len(chunks) > 1 or backend.name in LENGTHS
    assert {chunk.format for chunk in chunks} == {backend.format}
    samples = joined(chunks)
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()
    assert 0.02 < np.abs(samples).max() <= 1
    least, most = LENGTHS.get(backend.name, (2, 12))
    assert least < seconds(chunks) < most
    fractions = [chunk.fraction for chunk in chunks if chunk.fraction is not None]
    assert fractions == sorted(fractions)
    assert all(0 <= fraction <= 1 for fraction in fractions)


async def test_words(backend: Backend) -> None:
    """Times grow, lie inside the audio, and each word stands where it says."""
    async with started(backend):
        chunks = await said(backend, TEXT, english(backend))
    words = [word for chunk in chunks for word in chunk.words]
    assert bool(words) == (backend.name in TIMED)
    assert [word.start for word in words] == sorted(word.start for word in words)
    for word in words:
        assert TEXT[word.char_start : word.char_end] == word.word
        assert 0 <= word.start <= word.end <= seconds(chunks) + 0.05
    assert len(words) in (0, len(TEXT.split()))


async def test_voices(backend: Backend) -> None:
    """Names are unique, languages are tags; what is local is there before the start."""
    before = backend.voices()
    async with started(backend):
        voices = backend.voices()
    assert voices
    assert before in ([], voices) or set(before) <= set(voices) or backend.name == "openai"
    assert len({voice.name for voice in voices}) == len(voices)
    for voice in voices:
        assert voice.backend == backend.name
        assert voice.description
        assert all(2 <= len(tag.split("-")[0]) <= 3 for tag in voice.spoken)
    assert backend.max_concurrency >= 1
    assert backend.engine


async def test_cancellation(backend: Backend) -> None:
    """Whoever leaves in the middle stops the work; the next is served as if nothing had been."""
    async with started(backend), asyncio.timeout(PATIENCE * 6):
        chunks = backend.synthesize(request_for(backend, TEXT, english(backend)))
        await anext(chunks)
        await chunks.aclose()  # type: ignore[attr-defined]
        task = asyncio.create_task(said(backend, TEXT, english(backend)))
        await asyncio.sleep(0.05)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert seconds(await said(backend, TEXT, english(backend))) > LENGTHS.get(backend.name, (2, 0))[0]


async def test_several_at_once(backend: Backend) -> None:
    """Each gets his own sentence, however many come together."""
    async with started(backend), asyncio.timeout(PATIENCE * 6):
        texts = [TEXT, "Yes.", TEXT[:31], "Good morning to you."]
        alone = [seconds(await said(backend, text, english(backend))) for text in texts]
        together = await asyncio.gather(*(said(backend, text, english(backend)) for text in texts))
    assert [seconds(chunks) for chunks in together] == pytest.approx(alone, rel=0.05, abs=0.05)


async def test_odd_texts(backend: Backend) -> None:
    """What cannot be said is an error of ours or nothing at all; a long text is spoken to its end."""
    async with started(backend), asyncio.timeout(PATIENCE * 20):
        for text in ("...", "\u200b", "☃"):
            with contextlib.suppress(BackendError):
                await said(backend, text, english(backend))
        long = " ".join(f"Number {number}." for number in range(40))
        assert seconds(await said(backend, long, english(backend))) > LENGTHS.get(backend.name, (12, 0))[0]


async def test_stop(backend: Backend) -> None:
    """A sentence that runs ends in an error or to its end, nothing hangs, and none begins behind it."""
    await backend.start()
    task = asyncio.create_task(said(backend, TEXT * 3, english(backend)))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(PATIENCE * 3):
        await backend.stop()
        with contextlib.suppress(BackendError):
            await task
    with pytest.raises(BackendUnavailableError):
        await said(backend, TEXT, english(backend))


async def test_probe(backend: Backend) -> None:
    """A backend that can speak says so."""
    async with started(backend):
        await backend.probe()
        backend.wake()
        fingerprint = backend.fingerprint(english(backend))
        assert fingerprint is None or fingerprint == backend.fingerprint(english(backend))


def test_options_are_described() -> None:
    """Each option says what it is."""
    for name, entry in backend_types().items():
        kind: Any = entry.load()
        assert issubclass(kind.Options, BackendOptions)
        for option, field in kind.Options.model_fields.items():
            assert field.description, f"{name}.{option}"


def english(backend: Backend) -> Voice:
    """Its voice for English, or the first."""
    voices = [voice for voice in backend.voices() if voice.name != "chatterbox/default"]
    return next((voice for voice in voices if voice.language in ("en-US", "en")), voices[0])
