"""Styles and calibrations of voices, those that ship and those that somebody adds."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.speech import surroundings
from wyoming_tts.backends import kokoro_shared
from wyoming_tts.backends.kokoro import RATE, Array, Prosody
from wyoming_tts.backends.kokoro_calibration import TEXTS_FILE
from wyoming_tts.backends.kokoro_onnx import KokoroOnnxBackend, KokoroOptions
from wyoming_tts.backends.kokoro_ranges import RANGES_FILE
from wyoming_tts.backends.kokoro_statistics import REGRESSION_FILE, Calibration, load_regression
from wyoming_tts.backends.kokoro_voices import VoiceBook
from wyoming_tts.types import SynthesisRequest, Voice
from wyoming_tts.voices import load_catalogue, load_pack, voices_directory, write_arrays

TEXT = "Good morning, everybody in this house."

NEW = "xx_new"


@pytest.fixture
def own_voices(tmp_path: Path) -> Path:
    """A folder of voices with one that was never calibrated, as somebody adds it."""
    source, folder = voices_directory(), tmp_path / "voices"
    folder.mkdir()
    for name in (REGRESSION_FILE, TEXTS_FILE, RANGES_FILE, "af_heart.npz"):
        shutil.copy(source / name, folder / name)
    styles = [load_pack(name, source).styles for name in ("af_bella", "bf_emma")]
    write_arrays(folder / f"{NEW}.npz", {"style": (0.5 * styles[0] + 0.5 * styles[1]).astype(np.float16)})
    entries = [{"name": name, "language": "en-US", "description": name} for name in ("af_heart", NEW)]
    (folder / "catalogue.json").write_text(json.dumps({"backend": "kokoro", "voices": entries}))
    return folder


async def test_new_voice_is_calibrated_once(
    own_voices: Path,
    model_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A pack without statistics is measured when it is first spoken with, and never again."""
    monkeypatch.setattr(kokoro_shared, "NEW_VOICE_TEXTS", 2)
    caplog.set_level(logging.INFO)
    (tmp_path / "prepared").symlink_to(model_data / "prepared")
    voices = load_catalogue(own_voices).voices()
    for _ in range(2):
        backend = KokoroOnnxBackend(KokoroOptions(), surroundings(tmp_path, voices, voices_dir=own_voices))
        (new,) = (voice for voice in backend.voices() if voice.name == NEW)
        await backend.start()
        try:
            assert "CPU" in backend.engine
            chunks = backend.synthesize(SynthesisRequest(text=TEXT, voice=new))
            audio = np.concatenate([chunk.samples async for chunk in chunks])
        finally:
            await backend.stop()
        assert 1 < len(audio) / RATE < 8
        assert 0.05 < np.abs(audio).max() <= 1.2
        assert caplog.text.count(f"Calibrating {NEW}") == 1
    (kept,) = (tmp_path / "calibrations").iterdir()
    assert kept.suffix == ".npz"


class Measuring:
    """Stands for the measurement of a voice, and counts."""

    def __init__(self, folder: Path) -> None:
        self.times = 0
        self.result = Calibration.of(load_pack("af_heart", folder).extras)

    def __call__(self, *_) -> Calibration:
        self.times += 1
        return self.result


def statistics_of(book: VoiceBook, name: str) -> Array:
    """What the book foretells for a sentence of nothing."""
    hidden, source = np.zeros((1, 512, 80), np.float32), np.zeros((1, 22, 4801), np.float32)
    prosody = Prosody(hidden, source, np.full(20, 2, np.int64), np.ones((2, 1), np.float32))
    voice = Voice(name=name, language="en-US", backend="kokoro", description=name)
    return book.statistics(voice, prosody, 18)


def book_of(folder: Path, kept: Path, measuring: Measuring) -> VoiceBook:
    return VoiceBook(folder, kept, load_regression(folder), measuring)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 damaged", None])
def test_damaged_calibration_is_made_anew(own_voices: Path, tmp_path: Path, damage: bytes | None) -> None:
    """A kept calibration that is empty, broken off or of another kind is measured again and replaced."""
    measuring, kept = Measuring(own_voices), tmp_path / "kept"
    first = statistics_of(book_of(own_voices, kept, measuring), NEW)
    (path,) = kept.iterdir()
    whole = path.read_bytes()
    if damage is None:
        write_arrays(path, {"another": np.zeros(3, np.float32)})
    else:
        path.write_bytes(damage)
    again = statistics_of(book_of(own_voices, kept, measuring), NEW)
    assert measuring.times == 2
    assert path.read_bytes() == whole
    np.testing.assert_array_equal(first, again)
    third = statistics_of(book_of(own_voices, kept, measuring), NEW)
    assert measuring.times == 2
    np.testing.assert_allclose(third, first, rtol=1e-3, atol=1e-3)


def test_half_a_calibration_is_made_anew(own_voices: Path, tmp_path: Path) -> None:
    """Any prefix of a kept file is recognised as damaged, wherever it breaks off."""
    measuring, kept = Measuring(own_voices), tmp_path / "kept"
    statistics_of(book_of(own_voices, kept, measuring), NEW)
    (path,) = kept.iterdir()
    whole = path.read_bytes()
    for number, part in enumerate((0.3, 0.9, 0.999), start=2):
        path.write_bytes(whole[: int(part * len(whole))])
        statistics_of(book_of(own_voices, kept, measuring), NEW)
        assert measuring.times == number


def test_flipped_bits_in_a_calibration_are_found(own_voices: Path, tmp_path: Path) -> None:
    """A kept file whose contents changed on the disk is not spoken with."""
    measuring, kept = Measuring(own_voices), tmp_path / "kept"
    statistics_of(book_of(own_voices, kept, measuring), NEW)
    (path,) = kept.iterdir()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    statistics_of(book_of(own_voices, kept, measuring), NEW)
    assert measuring.times == 2


def test_calibration_follows_the_styles(own_voices: Path, tmp_path: Path) -> None:
    """Another voice under the same name is measured, not taken for the old one."""
    measuring, kept = Measuring(own_voices), tmp_path / "kept"
    statistics_of(book_of(own_voices, kept, measuring), NEW)
    write_arrays(own_voices / f"{NEW}.npz", {"style": load_pack("bf_emma").styles.astype(np.float16)})
    statistics_of(book_of(own_voices, kept, measuring), NEW)
    assert measuring.times == 2


def test_shipped_voices_are_never_measured(own_voices: Path, tmp_path: Path) -> None:
    """A pack that brings its statistics is spoken with at once, and nothing is kept."""
    measuring = Measuring(own_voices)
    statistics_of(book_of(own_voices, tmp_path / "kept", measuring), "af_heart")
    assert measuring.times == 0
    assert not (tmp_path / "kept").exists()


def test_calibration_that_cannot_be_kept_is_used(
    own_voices: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where nothing can be written the voice is spoken with all the same, with a warning."""
    measuring = Measuring(own_voices)
    (tmp_path / "file").write_text("in the way")
    book = book_of(own_voices, tmp_path / "file" / "kept", measuring)
    assert np.isfinite(statistics_of(book, NEW)).all()
    assert "Cannot keep the calibration" in caplog.text
    statistics_of(book, NEW)
    assert measuring.times == 1
