"""The Chatterbox backend: the package's real classes, small and with random weights.

How it sounds is not tested here.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from tests.fakes import PATIENCE
from tests.remote import joined, said, seconds, started, with_language
from tests.speech import surroundings
from wyoming_tts.backends.chatterbox import (
    LANGUAGES,
    ChatterboxBackend,
    ChatterboxOptions,
    choose_precision,
)
from wyoming_tts.backends.torch_device import choose_device
from wyoming_tts.errors import (
    BackendOverloadedError,
    BackendUnavailableError,
    ConfigError,
    SynthesisError,
)
from wyoming_tts.types import Samples, SynthesisRequest

pytest.importorskip("torch")
PACKAGE = pytest.importorskip("chatterbox")

import torch  # noqa: E402  below what may be missing

from tests.tiny_chatterbox import (  # noqa: E402
    TEXT,
    TOKEN,
    WARNINGS,
    backend,
    checkpoints,
    shrunken,
)
from wyoming_tts.backends import chatterbox_speaker, chatterbox_stream, chatterbox_tokens  # noqa: E402
from wyoming_tts.backends.chatterbox_models import KINDS, Model  # noqa: E402

pytestmark = WARNINGS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkpoint of each kind; the networks stay small while they are used."""
    with shrunken():
        yield checkpoints(tmp_path_factory.getbasetemp())


@pytest.mark.parametrize("kind", KINDS)
async def test_each_model_speaks(kind: str, folder: Path, tmp_path: Path) -> None:
    """Loaded by the package's own code, in somebody's voice, in pieces, with the format that is announced."""
    async with started(backend(folder, tmp_path, kind)) as speaker:
        (mine,) = speaker.voices()
        assert mine.name == "chatterbox/hum"
        assert mine.spoken == (LANGUAGES if kind == "multilingual" else ("en",))
        chunks = await said(speaker, TEXT, mine)
        assert speaker.engine == f"Chatterbox {kind} on cpu in float32, loaded"
    samples = joined(chunks)
    assert len(samples) % TOKEN == 0
    assert 0 < len(samples) <= (40 + KINDS[kind].silence) * TOKEN
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1
    assert {chunk.format for chunk in chunks} == {speaker.format}
    assert not any(chunk.words for chunk in chunks)


async def test_a_seed_makes_it_the_same(folder: Path, tmp_path: Path) -> None:
    """Twice the same, also in a model that was loaded anew; without a seed twice another."""
    spoken, fingerprints = [], set()
    for _ in range(2):
        async with started(backend(folder, tmp_path)) as speaker:
            (mine,) = speaker.voices()
            spoken += [joined(await said(speaker, TEXT, mine)) for _ in range(2)]
            fingerprints.add(speaker.fingerprint(mine))
    for other in spoken[1:]:
        np.testing.assert_array_equal(spoken[0], other)
    assert len(fingerprints) == 1
    async with started(backend(folder, tmp_path, seed=None)) as speaker:
        one, two = [joined(await said(speaker, TEXT, mine)) for _ in range(2)]
        assert one.shape != two.shape or not np.array_equal(one, two)
        assert speaker.fingerprint(mine) is None


async def test_fingerprints_tell_what_sounds_otherwise(folder: Path, tmp_path: Path) -> None:
    """Other weights, options and clips; not a time-out. Before it is loaded nobody knows."""

    async def fingerprint(place: Path = folder, **options: Any) -> str | None:
        speaker = backend(place, tmp_path, **options)
        assert speaker.fingerprint(speaker.voices()[0]) is None
        async with started(speaker):
            return speaker.fingerprint(speaker.voices()[0])

    first = await fingerprint()
    assert first == await fingerprint(stall_timeout=7.0)
    shutil.copytree(folder / "turbo", tmp_path / "turbo")
    os.utime(tmp_path / "turbo" / "ve.safetensors", (1, 1))  # as if others were there now
    assert len({first, await fingerprint(seed=1), await fingerprint(tmp_path)}) == 3
    async with started(backend(folder, tmp_path)) as speaker:
        (tmp_path / "clips" / "hum.wav").write_bytes(b"another")
        assert speaker.fingerprint(speaker.voices()[0]) not in (None, first)


async def test_leaving_stops_between_two_tokens(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever leaves while tokens are drawn is drawn for no more."""
    count, reached, go_on = [0], threading.Event(), threading.Event()

    def slow(*_: Any, **more: Any) -> Iterator[int]:
        for token in range(1000):
            count[0] += 1
            if count[0] == 5:
                reached.set()
                go_on.wait(PATIENCE)
            yield token

    monkeypatch.setattr(chatterbox_speaker, "tokens", slow)
    async with started(backend(folder, tmp_path)) as speaker:
        task = asyncio.create_task(said(speaker, TEXT, speaker.voices()[0]))
        assert await asyncio.to_thread(reached.wait, PATIENCE)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        go_on.set()
    assert count[0] <= 6


async def test_first_piece_comes_before_the_last_token(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sound leaves as soon as there are ten tokens and those they look ahead to."""
    count = [0]

    def counted(*_: Any, **more: Any) -> Iterator[int]:
        for token in range(60):
            count[0] += 1
            yield token

    monkeypatch.setattr(chatterbox_speaker, "tokens", counted)
    async with started(backend(folder, tmp_path)) as speaker:
        chunks = speaker.synthesize(SynthesisRequest(text=TEXT, voice=speaker.voices()[0]))
        first = await anext(chunks)
        assert count[0] == 13
        rest = [chunk async for chunk in chunks]
        assert len(rest) == 3
        assert seconds([first, *rest]) == pytest.approx((60 + 3) / 25)


async def test_without_memory_the_model_is_dropped(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Running out of memory is said as such, and the next request loads it again."""
    broken = [True]
    real = chatterbox_stream.WaveStream.push

    def push(*arguments: Any, **more: Any) -> Samples:
        if broken[0]:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(*arguments, **more)

    monkeypatch.setattr(chatterbox_stream.WaveStream, "push", push)
    async with started(backend(folder, tmp_path)) as speaker:
        with pytest.raises(BackendOverloadedError):
            await said(speaker, TEXT, speaker.voices()[0])
        assert speaker._model.state == "unloaded"
        broken[0] = False
        assert await said(speaker, TEXT, speaker.voices()[0])


async def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    """A folder without a file, the hub when there must be no network, a voice that nobody has."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(BackendUnavailableError, match=r"lacks ve\.safetensors, t3_turbo_v1\.safetensors"):
        Model.load("turbo", tmp_path / "empty", "cpu", offline=True)
    with pytest.raises(BackendUnavailableError, match="--offline"):
        Model.load("turbo", None, "cpu", offline=True)
    with pytest.raises(BackendUnavailableError, match=r"lacks .*Cangjie5_TC\.json"):
        Model.load("multilingual", tmp_path / "empty", "cpu", offline=True)
    async with started(backend(folder, tmp_path / "data")) as speaker:
        (mine,) = speaker.voices()
        with pytest.raises(BackendUnavailableError, match="no voice of its own"):
            await said(speaker, TEXT, speaker._voice("default", None))
        (tmp_path / "data" / "clips" / "hum.wav").unlink()
        with pytest.raises(BackendUnavailableError, match="there is no clip for chatterbox/hum"):
            await said(speaker, TEXT, mine)
        assert speaker.fingerprint(mine) is None


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [
        ("turbo", "t3_turbo_v1.safetensors", b"nothing"),
        ("turbo", "s3gen_meanflow.safetensors", "ve.safetensors"),
        ("english", "s3gen.safetensors", "ve.safetensors"),
        ("multilingual", "ve.pt", b"nothing"),
    ],
)
def test_a_wrong_checkpoint_is_named(
    kind: str, name: str, content: bytes | str, folder: Path, tmp_path: Path
) -> None:
    """Weights that are damaged or another model's are refused, also where the package takes them."""
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in (folder / kind).iterdir():
        (broken / path.name).symlink_to(path)
    (broken / name).unlink()
    found = content if isinstance(content, bytes) else (folder / kind / content).read_bytes()
    (broken / name).write_bytes(found)
    with pytest.raises(BackendUnavailableError, match=f"Chatterbox's {kind} model from {broken}"):
        Model.load(kind, broken, "cpu", offline=True)


def test_packages_that_are_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package, or with one that cannot be loaded, a command is named that helps."""
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: object() if name == "perth" else real(name, *more)
    )
    perth = SimpleNamespace(PerthImplicitWatermarker=None)
    imported = importlib.import_module
    monkeypatch.setattr(
        importlib,
        "import_module",
        lambda name: perth if name == "perth" else imported(name),
    )
    with pytest.raises(BackendUnavailableError, match="setuptools<81"):
        Model.load("turbo", folder / "turbo", "cpu", offline=True)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None)
    with pytest.raises(BackendUnavailableError, match="script/setup chatterbox"):
        Model.load("turbo", folder / "turbo", "cpu", offline=True)


def test_voices_are_there_at_once(tmp_path: Path) -> None:
    """Without a model, each in a language that its model speaks; the preferred one first."""
    (tmp_path / "mine").mkdir()
    for name in ("anna.de.wav", "bert.en-GB.flac", "carl.ogg", "dana.uk.wav"):
        (tmp_path / "mine" / name).write_bytes(b"")

    def voices(**options: Any) -> list[tuple[str, str]]:
        chosen = ChatterboxOptions(clips=tmp_path / "mine", **options)
        found = ChatterboxBackend(chosen, surroundings(tmp_path, name="cb")).voices()
        assert {voice.backend for voice in found} == {"cb"}
        return [(voice.name.removeprefix("cb/"), voice.language) for voice in found]

    many = [("default", "en"), ("anna", "de"), ("bert", "en-GB"), ("carl", "en")]
    assert voices(model="multilingual") == many
    assert voices(model="nano") == [(name, "en") for name in ("default", "anna", "bert", "carl", "dana")]
    assert voices(model="multilingual", voice="carl") == [many[3], *many[:3]]
    assert voices(model="english", checkpoint=tmp_path)[0] == ("anna", "en")


async def test_languages_it_does_not_speak(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Are refused with those it does speak, and a clip in one of them is not offered."""
    async with started(backend(folder, tmp_path, "turbo", voice="nobody")) as speaker:
        with pytest.raises(SynthesisError, match="turbo model does not speak 'de'; it speaks English"):
            await said(speaker, TEXT, with_language(speaker.voices()[0], "de"))
    assert "There is no clip nobody.wav" in caplog.text
    (tmp_path / "clips" / "dana.uk.wav").write_bytes(b"")
    async with started(backend(folder, tmp_path, "multilingual")) as speaker:
        (mine,) = speaker.voices()
        with pytest.raises(SynthesisError, match="does not speak 'uk'; it speaks en, ar, da"):
            await said(speaker, TEXT, with_language(mine, "uk"))
        assert await said(speaker, TEXT, with_language(mine, "de-AT"))
    assert "dana.uk.wav is left out" in caplog.text


async def test_odd_texts(folder: Path, tmp_path: Path) -> None:
    """Nothing to say is an error, and not what the package says instead; a long text has a bound."""
    async with started(backend(folder, tmp_path)) as speaker:
        (mine,) = speaker.voices()
        with pytest.raises(SynthesisError, match="nothing to say"):
            await said(speaker, "...", mine)
        assert seconds(await said(speaker, "word " * 400, mine)) <= (40 + 3) / 25 + 0.01


async def test_stop_while_it_speaks(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing hangs, nothing is computed behind it, and whoever still listens gets an error."""
    begun, count = threading.Event(), [0]
    real = chatterbox_tokens.tokens

    def counted(*arguments: Any, **more: Any) -> Iterator[int]:
        for token in real(*arguments, **more):
            begun.set()
            count[0] += 1
            yield token

    monkeypatch.setattr(chatterbox_speaker, "tokens", counted)
    speaker = backend(folder, tmp_path, max_tokens=4000)
    await speaker.start()
    (mine,) = speaker.voices()
    task = asyncio.create_task(said(speaker, TEXT * 20, mine))
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    async with asyncio.timeout(PATIENCE):
        await speaker.stop()
        with contextlib.suppress(BackendUnavailableError):
            await task
    before = count[0]
    with pytest.raises(BackendUnavailableError):
        await said(speaker, TEXT, mine)
    with pytest.raises(BackendUnavailableError):
        await speaker.probe()
    assert count[0] == before


async def test_several_at_once(folder: Path, tmp_path: Path) -> None:
    """Each gets his own."""
    async with started(backend(folder, tmp_path)) as speaker:
        (mine,) = speaker.voices()
        await speaker.probe()
        texts = ["Good morning.", "The door is open."]
        alone = [joined(await said(speaker, text, mine)) for text in texts]
        together: list[Any] = await asyncio.gather(*(said(speaker, text, mine) for text in texts))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, joined(other))


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """The best there is, or the one that was named; half precision where the card has it."""
    assert (choose_device("auto"), choose_device("cpu")) == ("cpu", "cpu")
    for wanted in ("cuda", "cuda:1", "mps"):
        with pytest.raises(ConfigError, match="finds cpu"):
            choose_device(wanted)
    assert choose_precision("auto", "cpu") == "float32"
    assert choose_precision("bfloat16", "cpu") == "bfloat16"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert (choose_device("auto"), choose_device("cuda:0")) == ("cuda", "cuda:0")
    assert choose_precision("auto", "cuda:0") == "bfloat16"


@pytest.mark.parametrize(
    "wrong", [{"model": "giant"}, {"device": "tpu"}, {"seed": -1}, {"steps": 0}, {"max_tokens": 10**6}]
)
def test_wrong_options(wrong: dict[str, Any]) -> None:
    """Are refused before anything is loaded."""
    with pytest.raises(ValidationError):
        ChatterboxOptions(**wrong)
