"""`wyoming-tts normalise` shows how a text is read out."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from wyoming_tts.cli import main

TEXT = "It is **21.5°C** in the kitchen. Dr. Smith is here!"


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with nothing in it."""
    monkeypatch.setenv("WYOMING_TTS_DATA_DIR", str(tmp_path))
    return tmp_path


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["normalise", *arguments]) == 0
    return capsys.readouterr().out


def test_every_stage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Without flags all stages are shown, each with its name."""
    out = shown(capsys, TEXT)
    for name in ("cleaned", "normalised", "sentences", "phonemes", "tokens", "not known"):
        assert f"{name}:" in out
    assert "It is 21.5°C in the kitchen." in out
    assert "twenty-one point five degrees Celsius" in out
    assert "Doctor Smith" in out


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("cleaned", "It is 21.5°C in the kitchen. Dr. Smith is here!"),
        ("normalised", "It is twenty-one point five degrees Celsius in the kitchen. Doctor Smith is here!"),
        ("sentences", "It is 21.5°C in the kitchen. | Dr. Smith is here!"),
    ],
)
def test_one_stage(capsys: pytest.CaptureFixture[str], stage: str, expected: str) -> None:
    """A stage that is named is shown alone."""
    assert shown(capsys, "--stage", stage, TEXT) == f"{expected}\n"


def test_a_filter(own_data: Path) -> None:
    """Standard input is read line by line, and each line gives one line, an empty one too."""
    command = [sys.executable, "-m", "wyoming_tts", "normalise", "--stage", "normalised", "--language", "en"]
    lines = "Room 12\n\n5 km/h\nBis morgen\n"
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["Room twelve", "", "five kilometers per hour", "Bis morgen"]


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON holds all stages, the tokens and the unknown words."""
    reading = json.loads(shown(capsys, "--json", TEXT))
    assert reading["sentences"] == ["It is 21.5°C in the kitchen.", "Dr. Smith is here!"]
    assert [len(tokens) > 10 for tokens in reading["tokens"]] == [True, True]
    assert reading["language"] == "en-US"
    assert set(reading) >= {"text", "cleaned", "normalised", "phonemes", "unknown"}


def test_phonemes(capsys: pytest.CaptureFixture[str]) -> None:
    """The phonemes are those the voice would be given."""
    assert "kˈɪʧᵊn" in shown(capsys, "--stage", "phonemes", "In the kitchen.")


def test_another_language(capsys: pytest.CaptureFixture[str]) -> None:
    """With a language the text is read as its best voice would."""
    out = shown(capsys, "--language", "es", "--stage", "normalised", "Hay 21 ventanas.")
    assert out == "Hay veintiuna ventanas.\n"


def test_the_lexicon_is_used(capsys: pytest.CaptureFixture[str], own_data: Path) -> None:
    """The user's lexicon is part of the way."""
    (own_data / "lexicon.toml").write_text('[[entry]]\ntext = "Nguyen"\nsay = "Win"\n')
    assert shown(capsys, "--stage", "normalised", "Ask Nguyen.") == "Ask Win.\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--stage", "spoken", "x"], "spoken"),
        (["--language", "xx", "x"], "xx"),
        (["--stage", "cleaned", "--json", "x"], "--json"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], named: str) -> None:
    """What is wrong is named, on standard error."""
    with contextlib.suppress(SystemExit):
        assert main(["normalise", *arguments]) != 0
    assert named in capsys.readouterr().err
