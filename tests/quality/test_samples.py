"""The recordings to listen to: one of each voice, of its language's sentence, listed on their page."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.http import decoded
from tests.quality.samples import FOLDER, PAGE, RATE, ROOT, encoded, in_order, page, sentence_for, sentences
from wyoming_tts.voices import load_catalogue

CATALOGUE = load_catalogue()
VOICES = CATALOGUE.voices()

MOST_BYTES = 2_000_000
"""That a clone of the repository carries for them."""


def test_every_voice_has_one_and_nobody_else() -> None:
    """A file for each voice of the catalogue, and altogether not many bytes."""
    files = list(FOLDER.iterdir())
    assert {path.name for path in files} == {f"{voice.name}.mp3" for voice in VOICES}
    assert sum(path.stat().st_size for path in files) < MOST_BYTES


@pytest.mark.parametrize("name", [voice.name for voice in VOICES])
def test_a_recording_is_speech(name: str) -> None:
    """It can be decoded, is as long as a short sentence, audible, and not overdriven."""
    samples = decoded((FOLDER / f"{name}.mp3").read_bytes())
    assert 1.5 < len(samples) / RATE < 6
    levels = np.sqrt(np.square(samples[: len(samples) // 480 * 480]).reshape(-1, 480).mean(1))
    assert 0.3 < np.abs(samples).max() < 1.2
    assert np.percentile(levels, 90) > 0.03
    assert (levels > 0.01).mean() > 0.5
    assert (np.abs(samples) > 1).mean() < 0.002


def test_the_page_lists_them() -> None:
    """The page is the one that the code makes, and the README leads to it."""
    assert PAGE.read_text(encoding="utf-8") == page(CATALOGUE)
    assert "](docs/voices.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_best_voice_comes_first() -> None:
    """Each language begins with the voice that is taken for it, and all voices are there once."""
    languages = in_order(CATALOGUE)
    for language, voices in languages.items():
        assert voices[0] == CATALOGUE.best_for_language(language)
    assert sorted(voice.name for some in languages.values() for voice in some) == sorted(
        voice.name for voice in VOICES
    )


def test_each_says_the_sentence_of_its_language() -> None:
    """As the studio has it, of the variant where there is one."""
    by_name = {voice.name: sentence_for(voice) for voice in VOICES}
    assert by_name["bf_emma"] != by_name["af_heart"] == sentences()["en"]
    assert by_name["pf_dora"] == sentences()["pt"]
    assert re.search(r"[ぁ-ん]", by_name["jf_alpha"])


def test_encoding_keeps_length_and_level() -> None:
    """What is decoded is as long and as loud as what was encoded."""
    tone = (np.sin(np.arange(2 * RATE) / 20) / 2).astype(np.float32)
    back = decoded(encoded(tone))
    assert abs(len(back) - len(tone)) < 0.06 * RATE
    assert np.abs(back).max() == pytest.approx(0.5, abs=0.05)
