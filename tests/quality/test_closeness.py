"""Streamed speech sounds like the network's own decoding of whole sentences."""

from __future__ import annotations

import numpy as np
import pytest

from tests.quality.closeness import FIRST_WINDOW_SECONDS, Closeness, compare, mel_distance, pesq_wb, table
from tests.quality.texts import TEXTS, texts_for
from tests.speech import Model
from wyoming_tts.backends.kokoro_calibration import TEXTS_FILE
from wyoming_tts.voices import voices_directory

MEAN, LOWEST = 4.3, 4.0
"""What PESQ-WB has to be; 4.64 is the most it gives."""


def test_no_sentence_was_calibrated_with() -> None:
    """What is measured was never seen by the calibration, and no sentence is there twice."""
    lines = (voices_directory() / TEXTS_FILE).read_text(encoding="utf-8").splitlines()
    seen = {line.split("\t", 1)[-1].casefold() for line in lines}
    texts = [text for some in TEXTS.values() for text in some]
    assert not seen.intersection(text.casefold() for text in texts)
    assert len(set(texts)) == len(texts)


def test_streamed_speech_is_close(model: Model, float_model: Model) -> None:
    """PESQ-WB is at least 4.3 in the mean and 4.0 at the lowest, with a first window of at most 0.4 s."""
    assert FIRST_WINDOW_SECONDS <= 0.4
    spoken = [
        compare(model.read(voice, text), float_model.read(voice, text))
        for voice in (model.voice("af_heart"), model.voice("am_fenrir"))
        for text in texts_for(voice, 10)[1:8:2]
    ]
    scores = [result.pesq for result in spoken]
    assert np.mean(scores) >= MEAN, table(spoken)
    assert min(scores) >= LOWEST, table(spoken)
    assert np.mean([result.decibels for result in spoken]) < 2, table(spoken)


def test_measures_hear_a_difference(model: Model) -> None:
    """A sentence is as close to itself as can be, and with a tenth of noise far from the thresholds."""
    voice = model.voice("bm_george")
    speech = model.read(voice, texts_for(voice, 10)[1]).deliver().samples
    noise = np.random.default_rng(1).normal(0, 0.1 * speech.std(), len(speech)).astype(np.float32)
    assert pesq_wb(speech, speech) == pytest.approx(4.644, abs=0.01)
    assert mel_distance(speech, speech) == 0
    assert pesq_wb(speech, speech + noise) < 3
    assert mel_distance(speech, speech + noise) > 2


def test_table_says_mean_and_lowest() -> None:
    """Results are grouped by voice, by length and altogether."""
    results = [Closeness("a", "x", 50, 4.0, 1.0), Closeness("a", "y", 150, 4.5, 2.0)]
    results.append(Closeness("b", "z", 300, 4.4, 3.0))
    lines = table(results).splitlines()
    assert "| a | 2 | 4.25 | 4.00 | 1.50 |" in lines
    assert "| under 2 s | 1 | 4.00 | 4.00 | 1.00 |" in lines
    assert "| from 5 s | 1 | 4.40 | 4.40 | 3.00 |" in lines
    assert lines[-1] == "| **all** | 3 | 4.30 | 4.00 | 2.00 |"
