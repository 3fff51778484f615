"""Which statistics the generator's norms shall use, so that a sentence need not be decoded to know them.

As exported, every AdaIN normalises by the mean and deviation of the whole sentence, which are only known
when the sentence has been decoded. They can be foretold: the front runs on the whole sentence anyway, and
what it hands to the generator says how loud, how voiced and how long the sentence is. So

    statistics = the voice's own, measured once on many sentences
               + a linear regression on how this sentence's features differ from those sentences'.

The regression is one for all voices; it ships beside them, made by `script/calibrate-voices`. A voice
that ships without its own statistics is calibrated when it is first spoken with, and the result is kept.
"""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wyoming_tts.backends.kokoro import Array, Prosody
from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.voices import read_arrays

REGRESSION_FILE = "statistics.npz"
"""Name of the regression inside the folder of voices."""

LEAK = 0.1
"""Slope below zero of the leaky ReLU that the generator begins with."""


def features(prosody: Prosody, tokens: int) -> Array:
    """What the front's output says of the statistics to come, (2144,).

    Mean and log power over time of every channel that enters the generator, and the sentence's length;
    then the squares of all these.
    """
    hidden, source, frames = prosody.hidden[0], prosody.source[0], prosody.frames
    entering = np.where(hidden > 0, hidden, LEAK * hidden)
    plain = np.concatenate(
        [
            entering.mean(1),
            np.log(np.square(entering).mean(1) + 1e-4),
            source.mean(1),
            np.log(np.square(source).mean(1) + 1e-6),
            np.array([1 / frames, np.log(frames), 1 / tokens, np.log(tokens)], np.float32),
        ]
    )
    return np.concatenate([plain, np.square(plain)])


def length_terms(frames: float) -> Array:
    """What a voice's own statistics are taken to be linear in: (2,), near 0 for two seconds."""
    return np.array([40 / frames - 0.5, np.log(frames / 80)], np.float32)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured of one voice, on sentences of several lengths.

    Statistics are in the form that the regression adds up: means in units of `Regression.deviation`, then
    logarithms of deviations.
    """

    features: Array
    """Mean of the sentences' features, (2144,)."""

    lengths: Array
    """Mean of the sentences' length terms, (2,)."""

    statistics: Array
    """Mean of the sentences' statistics, (2 * channels,)."""

    slopes: Array
    """How what the regression does not explain changes with the length terms, (2, 2 * channels)."""

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Calibration:
        """From the arrays of a voice pack. Raises KeyError when it has none."""
        names = (field.name for field in dataclasses.fields(cls))
        return cls(*(np.asarray(arrays[f"calibration_{name}"], np.float32) for name in names))

    def arrays(self) -> dict[str, NDArray[np.float16]]:
        """As arrays of a voice pack."""
        names = (field.name for field in dataclasses.fields(self))
        return {f"calibration_{name}": getattr(self, name).astype(np.float16) for name in names}


@dataclass(frozen=True, slots=True)
class Regression:
    """How statistics follow features, the same for all voices."""

    scale: Array
    """What one unit of each feature is, (2144,)."""

    project: Array
    """From scaled features to the few directions that matter, (2144, rank)."""

    expand: Array
    """From those to the change of means and log deviations, (rank, 2 * channels)."""

    deviation: Array
    """Typical deviation of each channel: the unit of its mean, (channels,)."""

    def change(self, difference: Array) -> Array:
        """What a difference of features, (..., 2144), makes of statistics, (..., 2 * channels)."""
        return ((difference / self.scale) @ self.project @ self.expand).astype(np.float32)

    def statistics(self, calibration: Calibration, of_sentence: Array, frames: int) -> Array:
        """Means and deviations for a sentence with these features and length, (2, channels)."""
        own = (length_terms(frames) - calibration.lengths) @ calibration.slopes
        foretold = calibration.statistics + own + self.change(of_sentence - calibration.features)
        mean, deviation = np.split(foretold, 2)
        return np.stack([mean * self.deviation, np.exp(deviation)]).astype(np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """To be stored."""
        half = {name: getattr(self, name).astype(np.float16) for name in ("project", "expand")}
        return {"scale": self.scale, "deviation": self.deviation, **half}


def load_regression(directory: Path) -> Regression:
    """Read the regression of a folder of voices. Raises BackendUnavailableError, which names it."""
    path = directory / REGRESSION_FILE
    try:
        arrays = {name: array.astype(np.float32) for name, array in read_arrays(path).items()}
        return Regression(arrays["scale"], arrays["project"], arrays["expand"], arrays["deviation"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise BackendUnavailableError(f"the calibration file {path} cannot be read: {error}") from error
