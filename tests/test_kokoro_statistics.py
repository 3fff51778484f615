"""Statistics of a sentence are foretold from its features, and voices are calibrated from samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.quality.texts import TEXTS
from tests.speech import Model
from wyoming_tts.backends.kokoro_calibration import Sample, calibrate, calibration_texts, fit, short_texts
from wyoming_tts.backends.kokoro_statistics import (
    Calibration,
    Regression,
    features,
    length_terms,
    load_regression,
)
from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.voices import voices_directory, write_arrays

FEATURES, CHANNELS = 6, 4


def world(seed: int = 0) -> tuple[dict[str, list[Sample]], np.ndarray]:
    """Voices whose statistics follow their features exactly, each around a centre of its own."""
    rng = np.random.default_rng(seed)
    weights = 0.1 * rng.normal(size=(FEATURES, 2 * CHANNELS))
    voices = {}
    for number in range(6):
        centre = rng.normal(size=2 * CHANNELS)
        samples = []
        for _ in range(40):
            seen = rng.normal(size=FEATURES)
            mean, log_deviation = np.split(centre + seen @ weights, 2)
            pair = np.stack([mean, np.exp(log_deviation)]).astype(np.float32)
            samples.append(Sample(seen.astype(np.float32), int(rng.integers(30, 300)), pair))
        voices[f"voice{number}"] = samples
    return voices, weights


def error(regression: Regression, calibration: Calibration, samples: list[Sample]) -> float:
    """Mean square error of foretold log deviations."""
    foretold = [regression.statistics(calibration, s.features, s.frames)[1] for s in samples]
    return float(
        np.mean([np.square(np.log(f / s.statistics[1])) for f, s in zip(foretold, samples, strict=True)])
    )


def test_what_follows_the_features_is_foretold() -> None:
    """A regression learnt from some voices foretells new sentences of another one."""
    voices, _ = world()
    *others, held_out = voices.items()
    regression = fit(dict(others))
    known, new = held_out[1][:12], held_out[1][12:]
    calibration = calibrate(known, regression)
    mean = np.mean([np.log(sample.statistics[1]) for sample in known], axis=0)
    spread = np.mean([np.square(np.log(sample.statistics[1]) - mean) for sample in new])
    assert error(regression, calibration, new) < 0.1 * spread


def test_arrays_survive_the_file(tmp_path: Path) -> None:
    """A regression and a calibration that were stored foretell the same, but for half precision."""
    voices, _ = world()
    regression = fit(voices)
    samples = voices["voice0"]
    calibration = calibrate(samples, regression)
    write_arrays(tmp_path / "statistics.npz", regression.arrays())
    read = load_regression(tmp_path)
    again = Calibration.of(calibration.arrays())
    for sample in samples[:5]:
        one = regression.statistics(calibration, sample.features, sample.frames)
        two = read.statistics(again, sample.features, sample.frames)
        np.testing.assert_allclose(two, one, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("content", [None, b"", b"not arrays", b"PK\x03\x04broken"])
def test_a_damaged_regression_is_named(tmp_path: Path, content: bytes | None) -> None:
    """A file that is missing or damaged is an error that names it."""
    if content is not None:
        (tmp_path / "statistics.npz").write_bytes(content)
    with pytest.raises(BackendUnavailableError, match=r"statistics\.npz"):
        load_regression(tmp_path)


def test_length_terms_vanish_at_two_seconds() -> None:
    """Two seconds are the length that others are compared to."""
    assert length_terms(80) == pytest.approx([0, 0])
    assert length_terms(40)[0] > 0 > length_terms(40)[1]


def test_calibration_texts() -> None:
    """A language's own sentences come first; other seeds give other English ones."""
    folder = voices_directory()
    assert calibration_texts(folder, "fr-FR", 12)[:8] == calibration_texts(folder, "fr-FR", 8)
    assert calibration_texts(folder, "en-US", 12, 1) != calibration_texts(folder, "en-US", 12, 2)
    short = short_texts(folder, 24, 3)
    assert len(set(short)) == 24
    assert all(len(text.split()) <= 4 for text in short)
    assert not set(short) & {text for texts in TEXTS.values() for text in texts}


@pytest.mark.parametrize("name", ["af_heart", "am_michael", "bf_emma", "zf_xiaoxiao"])
@pytest.mark.parametrize("text", ["Sure thing.", "The garden gate has been open since this morning."])
def test_foretold_statistics_are_near_the_measured_ones(model: Model, name: str, text: str) -> None:
    """What is foretold of a sentence is within a tenth of what its norms measure."""
    sentence = model.read(model.voice(name), text)
    _, measured = sentence.exact()
    foretold = model.book.statistics(sentence.voice, sentence.prosody, len(sentence.tokens))
    off = np.log(foretold[1] / measured[1])
    assert np.sqrt(np.mean(np.square(off))) < 0.1
    assert features(sentence.prosody, len(sentence.tokens)).shape == (2144,)
