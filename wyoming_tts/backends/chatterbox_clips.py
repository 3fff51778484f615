"""Voices to be cloned: clips of speech in a folder, checked before anybody's ears or memory suffer."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wyoming_tts.audio import Resampler
from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.loudness import block_powers, loudness
from wyoming_tts.types import Samples

RATE = 24_000
"""Samples per second that a clip is brought to."""

SUFFIXES = (".wav", ".flac", ".ogg")
MOST_BYTES = 50 * 2**20
SHORTEST, LONGEST = 3.0, 60.0
"""Seconds of a clip; what is behind the first 15 is not listened to."""

MOST_CHANNELS, MOST_FRAMES = 8, 61 * 192_000
"""What is decoded at most."""

USED = 15.0
"""Seconds of a clip that a voice is made of."""

MOST_CLIPPED = 0.01
"""Part of the samples that may be at full scale."""

_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,63})(?:\.([a-z]{2,3}(?:-[A-Z]{2})?))?")


@dataclass(frozen=True, slots=True)
class Clip:
    """A file with somebody's speech."""

    name: str
    """What the voice is called: `anna` for `anna.wav` and `anna.de.wav`."""

    language: str | None
    """BCP 47 tag in the file's name, `de` for `anna.de.wav`."""

    path: Path
    """The file."""

    def digest(self) -> str:
        """SHA-256 of the file. Raises BackendUnavailableError."""
        try:
            if self.path.stat().st_size > MOST_BYTES:
                raise BackendUnavailableError(f"the clip {self.path} is larger than {MOST_BYTES >> 20} MB")
            return hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError as error:
            raise BackendUnavailableError(f"the clip {self.path} cannot be read: {error}") from error


def find_clips(folder: Path) -> tuple[Clip, ...]:
    """The clips of a folder by name; none where there is no folder. Other files are passed over."""
    if not folder.is_dir():
        return ()
    clips: dict[str, Clip] = {}
    for path in sorted(folder.iterdir()):
        found = _NAME.fullmatch(path.stem)
        if path.suffix.lower() in SUFFIXES and found:
            clips.setdefault(found[1], Clip(found[1], found[2], path))
    return tuple(clips.values())


def read_clip(clip: Clip) -> Samples:
    """Mono samples at `RATE`, at most `USED` seconds. Raises BackendUnavailableError with what is wrong."""
    import soundfile

    clip.digest()  # no file that is too large is decoded
    try:
        samples, rate = _decoded(clip.path)
    except (soundfile.SoundFileError, OSError, ValueError) as error:
        raise BackendUnavailableError(f"the clip {clip.path} cannot be read: {error}") from error
    mono = np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32))
    if fault := _fault(mono, rate):
        raise BackendUnavailableError(f"the clip {clip.path} makes no voice: {fault}")
    resampler = Resampler(rate, RATE)
    return np.concatenate([resampler.feed(mono), resampler.finish()])[: round(USED * RATE)]


def _decoded(path: Path) -> tuple[NDArray[np.float32], int]:
    """All channels and the rate, and little more than may be: a small file can hold days of silence."""
    import soundfile

    with soundfile.SoundFile(path) as file:
        if file.channels > MOST_CHANNELS:
            raise ValueError(f"it has {file.channels} channels")
        if (seconds := file.frames / file.samplerate) > LONGEST + 1:
            raise ValueError(f"it has {seconds:.0f} s")
        frames = min(round((LONGEST + 1) * file.samplerate), MOST_FRAMES)
        return file.read(frames, dtype="float32", always_2d=True), file.samplerate


def _fault(samples: Samples, rate: int) -> str | None:
    """What is wrong with a clip."""
    seconds = len(samples) / rate
    if not 8_000 <= rate <= 192_000:
        return f"it has {rate} samples a second"
    if not SHORTEST <= seconds <= LONGEST:
        return f"it has {seconds:.1f} s, and should have {SHORTEST:.0f} to {LONGEST:.0f}, best 6 to 15"
    if not np.isfinite(samples).all():
        return "it holds numbers that are none"
    if loudness(block_powers(samples, rate)) is None:
        return "it is silent"
    if (np.abs(samples) > 0.999).mean() > MOST_CLIPPED:
        return "it is overdriven"
    return None
