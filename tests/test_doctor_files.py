"""What the doctor finds on the disk, when all is well and when it is not."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from tests.doctor import bad, bare, found, not_ok, settings_of
from wyoming_tts import doctor_files
from wyoming_tts.backends.kokoro_engine import PROVIDERS
from wyoming_tts.backends.kokoro_onnx import KokoroOptions
from wyoming_tts.voices import voices_directory

__all__ = ["bare"]  # a fixture of every test here


def test_a_broken_model(tmp_path: Path) -> None:
    """A damaged file of weights is named with how to get rid of it."""
    settings = settings_of(tmp_path)
    settings.data_dir.mkdir()
    damaged = settings.data_dir / "kokoro-v1.0.fp16.onnx"
    damaged.write_bytes(b"not these")
    bad(doctor_files.model(KokoroOptions(model="fp16"), settings), "failed", f"{damaged} is damaged", "again")
    fallen = settings.data_dir / "kokoro-v1.0.int8.onnx"
    fallen.write_bytes(b"nor these")
    bad(
        doctor_files.model(KokoroOptions(), settings),
        "warning",
        f"passed over: {fallen} is damaged",
        "do that",
    )


def test_a_model_that_is_not_here(tmp_path: Path) -> None:
    """It is a warning where it could be fetched, and nothing is; with --offline it is a failure."""
    options = KokoroOptions(model="fp32")
    settings = settings_of(tmp_path)
    bad(doctor_files.model(options, settings), "warning", "not on this machine yet", "start the server once")
    settings = settings_of(tmp_path, offline=True)
    bad(doctor_files.model(options, settings), "failed", "fp32 weights (326 MB)", str(settings.data_dir))
    missing = KokoroOptions(model=str(tmp_path / "none.onnx"))
    bad(doctor_files.model(missing, settings), "failed", "none.onnx", "--model")
    assert not settings.data_dir.exists()


def test_a_model_of_ones_own(tmp_path: Path) -> None:
    """A path is there, or not; its graphs are still to be made."""
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"x")
    finding = doctor_files.model(KokoroOptions(model=str(path)), settings_of(tmp_path))
    bad(finding, "warning", f"{path} is there", "start the server once")


def test_what_computes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider and whether in integers; one that is not installed, and one that does not work."""
    settings = settings_of(tmp_path)
    assert "CPU on ONNX Runtime" in doctor_files.provider(KokoroOptions(), settings).found
    floats = doctor_files.provider(KokoroOptions(precision="float"), settings)
    assert (floats.state, floats.found.endswith("in floats: precision is float")) == ("ok", True)
    coreml = doctor_files.provider(KokoroOptions(provider="coreml"), settings)
    bad(coreml, "failed", "'coreml' is not in the installed onnxruntime", "--provider auto")
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: list(PROVIDERS.values()))
    monkeypatch.setattr(doctor_files, "_active", lambda name: "CPUExecutionProvider")
    bad(
        doctor_files.provider(KokoroOptions(), settings),
        "warning",
        "cuda is there and cannot be used",
        "driver",
    )


def test_the_active_provider_is_asked_of_a_graph() -> None:
    """A real session says what it computes on."""
    assert doctor_files._active("CPUExecutionProvider") == "CPUExecutionProvider"


def test_voices_that_are_damaged(tmp_path: Path) -> None:
    """Each file is read; the missing and the damaged are named."""
    folder = tmp_path / "voices"
    folder.mkdir()
    for path in voices_directory().iterdir():
        (folder / path.name).symlink_to(path)
    settings = settings_of(tmp_path, voices_dir=folder)
    assert doctor_files.voices(settings).found.startswith("54 in ")
    (folder / "af_sky.npz").unlink()
    (folder / "bf_emma.npz").unlink()
    (folder / "bf_emma.npz").write_bytes(b"broken")
    finding = doctor_files.voices(settings)
    bad(finding, "failed", "af_sky.npz cannot be read", "again")
    assert "bf_emma.npz" in finding.found


def test_languages_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Extras that are missing are named with the command that installs them."""
    assert doctor_files.extras(settings_of(tmp_path)).state == "ok"
    monkeypatch.setattr(doctor_files, "missing_extra", lambda tag: {"ja": "ja", "zh-CN": "zh"}.get(tag))
    finding = doctor_files.extras(settings_of(tmp_path))
    bad(
        finding,
        "warning",
        "5 voices of ja, 8 voices of zh",
        f"{sys.executable} -m pip install 'wyoming-tts[ja,zh]'",
    )


def test_a_data_directory_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below a file, on a disk that is read-only, without room; nothing is made where there is none yet."""
    fresh = settings_of(tmp_path)
    assert doctor_files.directories(fresh).state == "ok"
    assert not fresh.data_dir.exists()
    (tmp_path / "file").write_text("")
    below = settings_of(tmp_path, data_dir=tmp_path / "file" / "data")
    bad(doctor_files.directories(below), "failed", "cannot be made in", "--data-dir")
    fresh.data_dir.mkdir()
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(100 * 10**6))
    bad(doctor_files.directories(fresh), "warning", "100 MB free", "free some space")
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(10**6))
    bad(doctor_files.directories(fresh), "failed", "1 MB free", "free some space")

    def read_only(dir: Path) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", read_only)
    bad(doctor_files.directories(fresh), "failed", "cannot be written: Read-only file system", "chown")


@dataclasses.dataclass
class Usage:
    free: int


@pytest.mark.parametrize(
    ("name", "content", "state", "told"),
    [
        ("lexicon.toml", "[[entry]]\ntext = 'x'\n", "warning", "lexicon.toml: line 1"),
        ("lexicon.toml", "[[entry", "warning", "lexicon.toml: "),
        ("voices.toml", "night = { voice = 'espeak/en-gb', sped = 1 }\n", "warning", "night: sped"),
        ("voices.toml", "night = 'nobody'\n", "warning", "night: there is no voice 'nobody'"),
        ("voices.toml", "night = [", "warning", "voices.toml: "),
        ("prices.toml", "[[price]]\ntype = 'openai'\n", "failed", "prices.toml: price"),
    ],
)
async def test_own_files_that_are_wrong(
    name: str, content: str, state: str, told: str, tmp_path: Path
) -> None:
    """What is wrong is told with its place; prices keep a server from starting, the others do not."""
    settings = settings_of(tmp_path)
    settings.data_dir.mkdir()
    (settings.data_dir / name).write_text(content)
    findings = await found(settings)
    bad(findings["own files"], state, told, "correct")
    expected = {"own files": state}
    if state == "failed":
        expected |= dict.fromkeys(("settings", "describe", "speech"), "failed")
    assert not_ok(findings) == expected


async def test_own_files_that_are_right(tmp_path: Path) -> None:
    """They are named."""
    settings = settings_of(tmp_path)
    settings.data_dir.mkdir()
    (settings.data_dir / "voices.toml").write_text("night = { voice = 'espeak/en-gb', gain = -3 }\n")
    assert (await found(settings))["own files"].found == "voices.toml: nothing is wrong"
