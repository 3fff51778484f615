"""What an engine needs of each voice: its style and its calibration, loaded when first spoken with."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import threading
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wyoming_tts.backends.kokoro import Array, Prosody
from wyoming_tts.backends.kokoro_statistics import Calibration, Regression, features
from wyoming_tts.blends import parse_blend
from wyoming_tts.types import Voice
from wyoming_tts.voices import VoicePack, load_pack, read_arrays, write_arrays

_LOGGER = logging.getLogger(__name__)

MOST_BLENDS = 32
"""How many blends are kept: any request can name a new one."""

Calibrate = Callable[[Voice, VoicePack], Calibration]
"""Measures a voice; takes as long as speaking a dozen sentences."""


@dataclass(frozen=True, slots=True)
class _Entry:
    pack: VoicePack
    calibration: Calibration


@dataclass(slots=True)
class VoiceBook:
    """Styles and calibrations of voices; any number of calls at the same time."""

    directory: Path
    """Where the voice packs are."""

    kept: Path
    """Where the calibrations of voices that ship without one are kept."""

    regression: Regression
    calibrate: Calibrate
    _entries: dict[str, _Entry] = field(default_factory=dict)
    _blends: dict[str, _Entry] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def row(self, voice: Voice, tokens: int) -> Array:
        """The voice's style for a sentence of so many tokens, (1, 256). Raises BackendUnavailableError."""
        return self._entry(voice).pack.style(tokens)

    def statistics(self, voice: Voice, prosody: Prosody, tokens: int) -> Array:
        """Means and deviations that the generator's norms shall use, (2, channels)."""
        calibration = self._entry(voice).calibration
        return self.regression.statistics(calibration, features(prosody, tokens), prosody.frames)

    def _entry(self, voice: Voice) -> _Entry:
        with self._lock:  # two listeners shall not both measure a new voice
            if voice.blend:
                return self._blend(voice)
            return self._single(voice)

    def _single(self, voice: Voice) -> _Entry:
        entry = self._entries.get(voice.name)
        if entry is None:
            pack = load_pack(voice.name, self.directory)
            entry = self._entries[voice.name] = _Entry(pack, self._calibration(voice, pack))
        return entry

    def _blend(self, voice: Voice) -> _Entry:
        """Styles and calibrations mixed alike: nothing is measured, so it speaks at once."""
        entry = self._blends.pop(voice.name, None)
        if entry is None:
            parts = parse_blend(voice.name)
            singles = [self._single(dataclasses.replace(voice, name=part.voice)) for part in parts]
            weights = np.array([part.weight for part in parts])
            entry = _mixed(voice.name, singles, weights / weights.sum())
        self._blends[voice.name] = entry
        while len(self._blends) > MOST_BLENDS:
            del self._blends[next(iter(self._blends))]
        return entry

    def _calibration(self, voice: Voice, pack: VoicePack) -> Calibration:
        """The calibration that came with the pack, or was kept, or is made now."""
        try:
            return Calibration.of(pack.extras)
        except KeyError:
            path = self.kept / f"{hashlib.sha256(pack.styles.tobytes()).hexdigest()[:32]}.npz"
        try:
            return Calibration.of(read_arrays(path))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return self._calibrate_and_keep(voice, pack, path)

    def _calibrate_and_keep(self, voice: Voice, pack: VoicePack, path: Path) -> Calibration:
        _LOGGER.info("Calibrating %s, which ships without statistics; this is done once", voice.name)
        calibration = self.calibrate(voice, pack)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_arrays(path, calibration.arrays())
        except OSError as error:
            _LOGGER.warning("Cannot keep the calibration of %s in %s: %s", voice.name, path, error)
        return calibration


def _mixed(name: str, entries: Sequence[_Entry], weights: NDArray[np.float64]) -> _Entry:
    """The mean of some voices by weights that sum to 1."""

    def mean(arrays: Iterable[NDArray[Any]]) -> Array:
        return np.tensordot(weights, np.stack(list(arrays)), 1).astype(np.float32)

    pack = VoicePack(name, mean(entry.pack.styles for entry in entries))
    names = [field.name for field in dataclasses.fields(Calibration)]
    fields = (mean(getattr(entry.calibration, name) for entry in entries) for name in names)
    return _Entry(pack, Calibration(*fields))
