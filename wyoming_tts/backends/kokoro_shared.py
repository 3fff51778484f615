"""What Kokoro backends share: all but the engine. A model that comes and goes, turns in threads, voices."""

from __future__ import annotations

import abc
import collections
import contextlib
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wyoming_tts import __version__
from wyoming_tts.backends.base import Surroundings
from wyoming_tts.backends.kokoro import RATE, Chunks, Engine, Speaker
from wyoming_tts.backends.kokoro_calibration import Reference, calibration_texts, measure
from wyoming_tts.backends.kokoro_calibration import calibrate as calibrated
from wyoming_tts.backends.kokoro_pace import Pace
from wyoming_tts.backends.kokoro_statistics import REGRESSION_FILE, Calibration, load_regression
from wyoming_tts.backends.kokoro_voices import VoiceBook
from wyoming_tts.backends.resident_backend import ResidentBackend
from wyoming_tts.blends import parse_blend
from wyoming_tts.files import sha256_of
from wyoming_tts.phonemes import Phonemizer
from wyoming_tts.types import Allowance, AudioFormat, SynthesisRequest, Voice
from wyoming_tts.voices import VoicePack, voices_directory

_LOGGER = logging.getLogger(__name__)

FAMILY = "kokoro"
"""What the catalogue calls the network that its voices are for."""

WARM_UP = "I am ready to speak, and I will be quick."
"""Spoken to nobody when the model has been loaded."""

NEW_VOICE_TEXTS = 12
"""Sentences that a voice without calibration is measured with."""


def default_threads(cores: int) -> int:
    """How many threads to compute with: what is left when the rest of the house keeps one core of many."""
    return max(1, min(4, cores if cores <= 2 else cores - 1))


class KokoroBackend(ResidentBackend[Speaker]):
    """A Backend: one model, and as many sentences at the same time as there are threads for it."""

    format = AudioFormat(RATE)

    def __init__(self, surroundings: Surroundings, *, threads: int | None, unload_after: float) -> None:
        """Loads nothing yet. Without `threads` their number follows from the number of cores."""
        threads = threads or default_threads(os.cpu_count() or 1)
        super().__init__(surroundings, "Kokoro", threads=threads, unload_after=unload_after)
        self._voices = surroundings.voices_for(FAMILY)
        self._phonemizer, self._pace = Phonemizer(), Pace()
        self._identity = Identity()

    @property
    @abc.abstractmethod
    def engine(self) -> str:
        """What computes, for people."""

    @property
    def _folder(self) -> Path:
        """Where the voice packs are."""
        return self._around.voices_dir or voices_directory()

    def voices(self) -> Sequence[Voice]:
        """See `Backend.voices`."""
        return self._voices

    def fingerprint(self, voice: Voice) -> str | None:
        """See `Backend.fingerprint`."""
        return self._identity.of(voice)

    def _speak(self, speaker: Speaker, request: SynthesisRequest, check: Callable[[], None]) -> Chunks:
        """In a worker, a window a step; one that nobody wants is not computed."""
        check()
        for chunk in speaker.speak(request):
            yield chunk
            check()

    def _speaker(self, engine: Engine, reference: Callable[[], Reference]) -> Speaker:
        """With this engine, warm. A voice without calibration is measured when it is first spoken with."""
        folder = self._folder
        regression = load_regression(folder)

        def calibrate(voice: Voice, pack: VoicePack) -> Calibration:
            texts, whole = calibration_texts(folder, voice.language, NEW_VOICE_TEXTS), reference()
            samples = [measure(engine, whole, self._phonemizer, voice, pack, text) for text in texts]
            return calibrated(samples, regression)

        book = VoiceBook(folder, self._around.data_dir / "calibrations", regression, calibrate)
        speaker = Speaker(engine, self._phonemizer, book.statistics, book.row, self._pace)
        self._warm_up(speaker)
        return speaker

    def _warm_up(self, speaker: Speaker) -> None:
        """The first listener shall not wait for buffers, and the pace shall be known."""
        for threads in {1, self.max_concurrency} if self._voices else ():
            allowance = Allowance(threads=threads)
            request = SynthesisRequest(text=WARM_UP, voice=self._voices[0], allowance=allowance)
            collections.deque(speaker.speak(request), 0)


@dataclass(frozen=True, slots=True)
class Identity:
    """What decides the samples, beside a request: the model and the folder of voices."""

    provider: str = ""
    """What computes, for people."""

    model: str = ""
    """Digest of everything but the voice; empty before it is known."""

    folder: Path = Path()
    """Where the voice packs are."""

    packs: dict[str, str] = field(default_factory=dict)
    """Digests of voice packs so far."""

    @classmethod
    def read(
        cls, folder: Path, provider: str, parts: Iterable[str] = (), files: Iterable[Path] = ()
    ) -> Identity:
        """Of a model that these words and files tell from others, and the voices in `folder`."""
        words = (__version__, provider, *parts, sha256_of([*files, folder / REGRESSION_FILE]))
        return cls(provider, "/".join(words), folder)

    def of(self, voice: Voice) -> str | None:
        """The fingerprint for a voice; None before it is known, and of a voice without a pack."""
        if not self.model:
            return None
        names = [part.voice for part in parse_blend(voice.name)] if voice.blend else [voice.name]
        digests = [self._pack(name) for name in names]
        return "/".join([self.model, *map(str, digests)]) if all(digests) else None

    def _pack(self, name: str) -> str | None:
        if name not in self.packs:
            with contextlib.suppress(OSError):
                self.packs[name] = sha256_of([self.folder / f"{name}.npz"])
        return self.packs.get(name)
