"""Measures voices on whole sentences, and learns from that what `kokoro_statistics` foretells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np

from wyoming_tts.backends.kokoro import MAX_TOKENS, Array, Engine, Prosody
from wyoming_tts.backends.kokoro_statistics import Calibration, Regression, features
from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.phonemes import Phonemizer
from wyoming_tts.types import Samples, Voice
from wyoming_tts.voices import VoicePack

TEXTS_FILE = "calibration.txt"
"""Name of the list of sentences inside the folder of voices."""

RIDGE = 0.1
"""Weight of the penalty; features are scaled so that all of them together have unit variance."""

RANK = 64
"""Directions that the regression keeps. Half as many lose a hundredth of what it explains."""


class Reference(Protocol):
    """The generator as exported."""

    def measure(self, prosody: Prosody, row: Array) -> tuple[Samples, Array]:
        """The whole sentence's samples and its means and deviations, (2, channels)."""
        ...


@dataclass(frozen=True, slots=True)
class Sample:
    """One sentence, measured."""

    features: Array
    """See `kokoro_statistics.features`, (1072,)."""

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


def measure(
    engine: Engine, reference: Reference, phonemizer: Phonemizer, voice: Voice, pack: VoicePack, text: str
) -> Sample:
    """Decode one sentence whole and say what its norms saw."""
    tokens = phonemizer.phonemize(text, voice.language).tokens[:MAX_TOKENS]
    row = pack.style(len(tokens))
    prosody = engine.predict(tokens, row, 1.0)
    _, statistics = reference.measure(prosody, row)
    return Sample(features(prosody, len(tokens)), statistics)


def calibrate(samples: Sequence[Sample], unit: Array) -> Calibration:
    """A voice's own statistics; `unit` is `Regression.deviation`."""
    statistics = np.stack([sample.statistics for sample in samples])
    return Calibration(
        features=np.mean([sample.features for sample in samples], axis=0),
        mean=(statistics[:, 0] / unit).mean(0),
        deviation=np.log(statistics[:, 1]).mean(0),
    )


def fit(voices: Mapping[str, Sequence[Sample]]) -> Regression:
    """Learn how statistics follow features from what varies inside each voice (ridge regression)."""
    everything = [sample for samples in voices.values() for sample in samples]
    unit = np.mean([sample.statistics[1] for sample in everything], axis=0)
    spread = np.std([sample.features for sample in everything], axis=0) + 1e-6
    scale = (spread * np.sqrt(len(spread))).astype(np.float32)
    x = np.concatenate([_centred(_scaled(samples, scale)) for samples in voices.values()])
    y = np.concatenate([_centred(_targets(samples, unit)) for samples in voices.values()])
    weights = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ y)
    left, strength, right = np.linalg.svd(weights, full_matrices=False)
    root = np.sqrt(strength[:RANK])
    return Regression(
        scale=scale,
        project=(left[:, :RANK] * root).astype(np.float32),
        expand=(root[:, None] * right[:RANK]).astype(np.float32),
        deviation=unit.astype(np.float32),
    )


def _scaled(samples: Iterable[Sample], scale: Array) -> np.ndarray:
    return np.stack([sample.features / scale for sample in samples]).astype(np.float64)


def _targets(samples: Iterable[Sample], unit: Array) -> np.ndarray:
    rows = [np.concatenate([s.statistics[0] / unit, np.log(s.statistics[1])]) for s in samples]
    return np.stack(rows).astype(np.float64)


def _centred(rows: np.ndarray) -> np.ndarray:
    return rows - rows.mean(0)
