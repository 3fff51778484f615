"""Chatterbox's voices: clips that are checked, listened to once, and kept."""

from __future__ import annotations

import io
import os
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.remote import joined, said, started
from wyoming_tts.backends.chatterbox_clips import Clip, find_clips, read_clip
from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.types import Samples

pytest.importorskip("torch")
PACKAGE = pytest.importorskip("chatterbox")

import torch  # noqa: E402  below what may be missing

from tests.tiny_chatterbox import (  # noqa: E402
    TEXT,
    WARNINGS,
    backend,
    checkpoints,
    embed,
    hum,
    load,
    shrunken,
)
from wyoming_tts.backends import chatterbox_models  # noqa: E402
from wyoming_tts.backends.chatterbox_models import (  # noqa: E402
    PROMPT_TOKENS,
    Model,
    VoiceBook,
)

pytestmark = WARNINGS


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp()


@pytest.fixture(scope="module")
def turbo(base: Path) -> Model:
    return load("turbo", base)


@pytest.fixture(scope="module")
def english(base: Path) -> Model:
    return load("english", base)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seconds": 1.0}, r"it has 1\.0 s, and should have 3 to 60"),
        ({"seconds": 61.0}, r"it has 61\.0 s"),
        ({"level": 0.0}, "silent"),
        ({"level": 1e-4}, "silent"),
    ],
)
def test_clips_are_checked(change: dict[str, float], message: str, tmp_path: Path) -> None:
    """What would make no voice is refused, with the reason and the file."""
    path = hum(tmp_path / "anna.wav", **change)  # type: ignore[arg-type]
    with pytest.raises(BackendUnavailableError, match=message) as caught:
        read_clip(Clip("anna", None, path))
    assert "anna.wav" in str(caught.value)


def test_overdriven_and_broken_clips(tmp_path: Path) -> None:
    """A clip at full scale, one that is no sound, one that is not there."""
    loud = tmp_path / "loud.wav"
    soundfile.write(loud, np.sign(np.sin(np.arange(96_000) / 20)), 24_000)
    with pytest.raises(BackendUnavailableError, match="overdriven"):
        read_clip(Clip("loud", None, loud))
    (tmp_path / "text.wav").write_text("hello")
    for name in ("text", "nowhere"):
        with pytest.raises(BackendUnavailableError, match="cannot be read"):
            read_clip(Clip(name, None, tmp_path / f"{name}.wav"))


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_clips_of_any_rate(rate: int, tmp_path: Path) -> None:
    """Brought to one rate and one channel, and no longer than what is listened to."""
    path = hum(tmp_path / "long.wav", 20, rate)
    samples, _ = soundfile.read(path)
    soundfile.write(path, np.stack([samples, samples], 1), rate)
    assert len(read_clip(Clip("long", None, path))) == 15 * 24_000


def test_clips_are_found(tmp_path: Path) -> None:
    """By their names, with a language where one stands there; other files are no voices."""
    for name in ("anna.wav", "bert.de.flac", "carl.en-GB.ogg", "notes.txt", "bad name.wav"):
        (tmp_path / name).write_bytes(b"x")
    assert [(clip.name, clip.language) for clip in find_clips(tmp_path)] == [
        ("anna", None),
        ("bert", "de"),
        ("carl", "en-GB"),
    ]
    assert find_clips(tmp_path / "nowhere") == ()


def test_numbers_that_are_none(tmp_path: Path) -> None:
    """A clip with a sample that is no number is refused."""
    path = hum(tmp_path / "anna.wav")
    samples, rate = soundfile.read(path, dtype="float32")
    samples[1000] = np.nan
    soundfile.write(path, samples, rate, subtype="FLOAT")
    with pytest.raises(BackendUnavailableError, match="numbers that are none"):
        read_clip(Clip("anna", None, path))


def test_clips_that_are_too_large_are_not_read(tmp_path: Path) -> None:
    """However much somebody puts there, a bounded part of it is in memory."""
    path = tmp_path / "anna.wav"
    with path.open("wb") as file:
        file.truncate(60 * 2**20)
    with pytest.raises(BackendUnavailableError, match="larger than 50 MB"):
        read_clip(Clip("anna", None, path))


def test_small_files_with_days_of_silence_are_not_read(tmp_path: Path) -> None:
    """What a clip unpacks to is bounded, too; so are its channels."""
    path = tmp_path / "anna.flac"
    with soundfile.SoundFile(path, "w", 8000, 1) as file:
        for _ in range(100):
            file.write(np.zeros(480_000, np.int16))
    assert path.stat().st_size < 2**20
    tracemalloc.start()
    try:
        with pytest.raises(BackendUnavailableError, match="it has 6000 s"):
            read_clip(Clip("anna", None, path))
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()
    soundfile.write(tmp_path / "many.wav", np.zeros((1000, 100), np.float32), 24_000)
    with pytest.raises(BackendUnavailableError, match="100 channels"):
        read_clip(Clip("many", None, tmp_path / "many.wav"))


def test_prompts_are_short(turbo: Model, english: Model, base: Path) -> None:
    """Two frames for each token, and no more than what pays."""
    for model in (turbo, english):
        voice = embed(model, base)
        count = voice.gen["prompt_token"].size(1)
        assert 75 <= count <= PROMPT_TOKENS
        assert voice.gen["prompt_feat"].size(1) == 2 * count == 2 * int(voice.gen["prompt_token_len"])


def test_voices_survive_being_kept(turbo: Model, english: Model, base: Path) -> None:
    """What is read back is what was made, and is read as numbers and nothing else."""
    for model in (turbo, english):
        voice = embed(model, base)
        again = model.restore(model.dump(voice))
        for name, tensor in voice.gen.items():
            if torch.is_tensor(tensor):
                torch.testing.assert_close(again.gen[name], tensor, rtol=0, atol=0)
        torch.testing.assert_close(again.t3.speaker_emb, voice.t3.speaker_emb, rtol=0, atol=0)
    evil = io.BytesIO()
    torch.save({"t3": {"speaker_emb": threading.Thread}, "gen": {}}, evil)
    with pytest.raises(Exception, match=r"[Ww]eights"):
        turbo.restore(evil.getvalue())


def test_liveliness_is_the_options(turbo: Model, english: Model, base: Path) -> None:
    """It is no part of what is kept, and the models that have none are left alone."""
    voice = embed(english, base)
    lively = english.moved(voice, 1.5)
    assert (float(lively.t3.emotion_adv), float(voice.t3.emotion_adv)) == (1.5, 0.5)
    assert lively.gen is voice.gen
    calm = embed(turbo, base)
    assert turbo.moved(calm, 1.5) is calm


def test_voices_of_several_threads_are_not_confused(
    turbo: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package has one place for a voice; each gets his own nevertheless, and the checkpoint's stays."""
    samples = [read_clip(Clip("hum", None, hum(tmp_path / f"{n}.wav", 6 + n))) for n in range(2)]
    real, inside = turbo._package.prepare_conditionals, [0]

    def slow(*arguments: Any, **more: Any) -> None:
        inside[0] += 1
        assert inside[0] == 1
        real(*arguments, **more)
        time.sleep(0.1)
        inside[0] -= 1

    monkeypatch.setattr(turbo._package, "prepare_conditionals", slow)
    alone = [turbo.embed(one).gen["embedding"] for one in samples]
    found: dict[int, Any] = {}

    def listen(number: int) -> None:
        found[number] = turbo.embed(samples[number]).gen["embedding"]

    threads = [threading.Thread(target=listen, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not torch.equal(alone[0], alone[1])
    for number, expected in enumerate(alone):
        torch.testing.assert_close(found[number], expected)
    assert turbo._package.conds is None


class Counted:
    """A model that only counts how often it listened."""

    kind, identity, builtin = "turbo", "x", None

    def __init__(self) -> None:
        self.made = 0

    def embed(self, samples: Samples) -> bytes:
        self.made += 1
        return samples[:4].tobytes()

    def dump(self, voice: bytes) -> bytes:
        return voice

    def restore(self, data: bytes) -> bytes:
        if data == b"garbage":
            raise ValueError("garbage")
        return data


def test_few_voices_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory and on disk those that were used last; by content, so that a new clip is a new voice."""
    monkeypatch.setattr(chatterbox_models, "KEPT_VOICES", 2)
    monkeypatch.setattr(chatterbox_models, "KEPT_FILES", 3)
    model: Any = Counted()
    folder = tmp_path / "kept"
    book = VoiceBook(model, folder)
    clips = [Clip(f"{n}", None, hum(tmp_path / f"{n}.wav", 6 + n)) for n in range(4)]
    for number, clip in enumerate(clips):
        book.voice(clip)
        for age, path in enumerate(sorted(folder.glob("*.pt"), key=lambda path: path.stat().st_mtime)):
            os.utime(path, (age, age))  # a disk's clock is too coarse for a test
        assert model.made == number + 1
    assert len(list(folder.glob("*.pt"))) == 3
    assert len(book._voices) == 2
    for clip in clips[1:]:
        book.voice(clip)
    assert model.made == 4
    book.voice(clips[0])
    assert model.made == 5
    hum(clips[3].path, 12)
    VoiceBook(model, folder).voice(clips[3])
    assert model.made == 6
    model.identity = "y"
    VoiceBook(model, folder).voice(clips[3])
    assert model.made == 7


def test_a_voice_that_cannot_be_kept_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk costs the work of making it again, and no speech."""

    def full(*_: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(chatterbox_models, "publish_bytes", full)
    clip = Clip("a", None, hum(tmp_path / "a.wav"))
    model: Any = Counted()
    assert VoiceBook(model, tmp_path / "kept").voice(clip)
    assert "No space left" in caplog.text


async def test_voices_are_made_once_and_kept(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clip is listened to once, also over a restart; a damaged file is made anew."""
    made = [0]
    real = Model.embed

    def embed(self: Model, samples: Samples) -> Any:
        made[0] += 1
        return real(self, samples)

    monkeypatch.setattr(Model, "embed", embed)

    async def speech() -> Samples:
        with shrunken():
            async with started(backend(checkpoints(base), tmp_path, max_tokens=25)) as speaker:
                return joined(await said(speaker, TEXT, speaker.voices()[0]))

    one, again = await speech(), await speech()
    np.testing.assert_array_equal(one, again)
    assert made[0] == 1
    (kept,) = (tmp_path / "clips-embedded").glob("*.pt")
    kept.write_bytes(b"garbage")
    np.testing.assert_array_equal(await speech(), one)
    assert made[0] == 2


async def test_the_checkpoints_own_voice(turbo: Model, base: Path, tmp_path: Path) -> None:
    """It is offered where there is one, is cut as clips are, and speaks."""
    folder = tmp_path / "turbo"
    folder.mkdir()
    for path in (checkpoints(base) / "turbo").iterdir():
        (folder / path.name).symlink_to(path)
    voice = embed(turbo, base)
    long = dict(voice.gen)
    long["prompt_token"] = voice.gen["prompt_token"].repeat(1, 3)
    long["prompt_feat"] = voice.gen["prompt_feat"].repeat(1, 3, 1)[:, :-1]
    type(voice)(voice.t3, long).save(folder / "conds.pt")
    with shrunken():
        model = Model.load("turbo", folder, "cpu", offline=True)
        assert model.builtin
        assert model.builtin.gen["prompt_token"].size(1) == PROMPT_TOKENS
        async with started(backend(tmp_path, tmp_path / "data", max_tokens=25)) as speaker:
            default, mine = speaker.voices()
            assert (default.name, mine.name) == ("chatterbox/default", "chatterbox/hum")
            assert await said(speaker, TEXT, default)
            assert len({speaker.fingerprint(default), speaker.fingerprint(mine)}) == 2


def test_turbo_wants_longer_clips(turbo: Model, tmp_path: Path) -> None:
    """What the package asserts is said as what is wrong with the clip."""
    clip = Clip("short", None, hum(tmp_path / "short.wav", 4.0))
    with pytest.raises(BackendUnavailableError, match="longer than 5 seconds"):
        turbo.embed(read_clip(clip))
