"""Measures voices on whole sentences, and learns from that what `kokoro_statistics` foretells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np

from wyoming_tts.backends.kokoro import MAX_TOKENS, Array, Engine, Prosody
from wyoming_tts.backends.kokoro_statistics import Calibration, Regression, features, length_terms
from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.phonemes import Phonemizer
from wyoming_tts.types import Samples, Voice
from wyoming_tts.voices import VoicePack

TEXTS_FILE = "calibration.txt"
"""Name of the list of sentences inside the folder of voices."""

RIDGE = 0.3
"""Weight of the regression's penalty; features are scaled so that all of them together have unit variance."""

SLOPE_RIDGE = 0.5
"""Weight of the penalty of a voice's own slopes, which a dozen sentences have to say."""

RANK = 96
"""Directions that the regression keeps."""


class Reference(Protocol):
    """The generator as exported."""

    def measure(self, prosody: Prosody, row: Array) -> tuple[Samples, Array]:
        """The whole sentence's samples and its means and deviations, (2, channels)."""
        ...


@dataclass(frozen=True, slots=True)
class Sample:
    """One sentence, measured."""

    features: Array
    """See `kokoro_statistics.features`, (2144,)."""

    frames: int
    """Length of the sentence."""

    statistics: Array
    """Means and deviations, (2, channels)."""


def calibration_texts(directory: Path, language: str, count: int, seed: int = 0) -> list[str]:
    """`count` sentences from short to long: those of the language first, then English ones.

    Which English ones depends on `seed`, so that many voices together cover the whole list. Raises
    BackendUnavailableError when the list is missing.
    """
    path = directory / TEXTS_FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BackendUnavailableError(f"the calibration sentences {path} cannot be read: {error}") from error
    rows = [line.split("\t", 1) for line in lines if line.strip() and not line.startswith("#")]
    own = [text for tag, text in rows if tag == language.split("-")[0] != "en"]
    english = [text for tag, text in rows if tag == "en"]
    needed = max(0, count - len(own))
    edges = np.linspace(0, len(english), needed + 1)
    shift = (seed * 0.618) % 1
    picked = [english[int(a + shift * (b - a))] for a, b in pairwise(edges)]
    return own[:count] + picked


def short_texts(directory: Path, count: int, seed: int = 0) -> list[str]:
    """`count` English answers of one to three words, others for each `seed`.

    What the norms of so little speech measure varies most, so it is learnt from more of them.
    """
    lines = (directory / TEXTS_FILE).read_text(encoding="utf-8").splitlines()
    texts = [line.partition("\t")[2] for line in lines if line.startswith("short\t")]
    return [texts[index] for index in np.random.default_rng(seed).permutation(len(texts))[:count]]


def measure(
    engine: Engine, reference: Reference, phonemizer: Phonemizer, voice: Voice, pack: VoicePack, text: str
) -> Sample:
    """Decode one sentence whole and say what its norms saw."""
    tokens = phonemizer.phonemize(text, voice.language).tokens[:MAX_TOKENS]
    row = pack.style(len(tokens))
    prosody = engine.predict(tokens, row, 1.0)
    _, statistics = reference.measure(prosody, row)
    return Sample(features(prosody, len(tokens)), prosody.frames, statistics)


def calibrate(samples: Sequence[Sample], regression: Regression) -> Calibration:
    """A voice's own statistics, from sentences of several lengths."""
    seen = np.stack([sample.features for sample in samples])
    targets = _targets(samples, regression.deviation)
    lengths = np.stack([length_terms(sample.frames) for sample in samples])
    rest = _centred(targets) - regression.change(_centred(seen))
    terms = _centred(lengths)
    slopes = np.linalg.solve(terms.T @ terms + SLOPE_RIDGE * np.eye(terms.shape[1]), terms.T @ rest)
    return Calibration(seen.mean(0), lengths.mean(0), targets.mean(0), slopes)


def fit(voices: Mapping[str, Sequence[Sample]]) -> Regression:
    """Learn how statistics follow features from what varies inside each voice (ridge regression)."""
    everything = [sample for samples in voices.values() for sample in samples]
    unit = np.mean([sample.statistics[1] for sample in everything], axis=0)
    seen = np.stack([sample.features for sample in everything]).astype(np.float64)
    scale = (seen.std(0) + 1e-6) * np.sqrt(seen.shape[1])
    x = np.concatenate([_centred(_features(samples) / scale) for samples in voices.values()])
    y = np.concatenate([_centred(_targets(samples, unit)) for samples in voices.values()])
    weights = x.T @ np.linalg.solve(x @ x.T + RIDGE * np.eye(len(x)), y)
    left, strength, right = np.linalg.svd(weights, full_matrices=False)
    root = np.sqrt(strength[:RANK])
    return Regression(
        scale=scale.astype(np.float32),
        project=(left[:, :RANK] * root).astype(np.float32),
        expand=(root[:, None] * right[:RANK]).astype(np.float32),
        deviation=unit.astype(np.float32),
    )


def _features(samples: Sequence[Sample]) -> np.ndarray:
    return np.stack([sample.features for sample in samples]).astype(np.float64)


def _targets(samples: Iterable[Sample], unit: Array) -> np.ndarray:
    rows = [np.concatenate([s.statistics[0] / unit, np.log(s.statistics[1])]) for s in samples]
    return np.stack(rows).astype(np.float64)


def _centred(rows: np.ndarray) -> np.ndarray:
    return rows - rows.mean(0)
