"""The real model, for tests and measurements: speaking a sentence in windows, and whole."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

import numpy as np

from wyoming_tts.backends.base import Surroundings
from wyoming_tts.backends.kokoro import Array, Decoder, Prosody, Speaker
from wyoming_tts.backends.kokoro_engine import Device, OnnxEngine, OnnxReference
from wyoming_tts.backends.kokoro_onnx import KokoroOptions, bearable_integers, graphs
from wyoming_tts.backends.kokoro_pace import LARGEST_FIRST_WINDOW, Pace
from wyoming_tts.backends.kokoro_shared import default_threads
from wyoming_tts.backends.kokoro_statistics import Calibration, load_regression
from wyoming_tts.backends.kokoro_voices import VoiceBook
from wyoming_tts.phonemes import Phonemizer
from wyoming_tts.types import Allowance, AudioChunk, Playhead, Samples, SynthesisRequest, Voice, WordTiming
from wyoming_tts.voices import VoiceCatalogue, VoicePack, load_catalogue, voices_directory

GROWING = (10, 14, 28, 56, 112, 160)
"""Frames of the windows that a listener far ahead gets; the last size goes on."""


def surroundings(
    data_dir: Path, voices: Sequence[Voice] = (), *, name: str = "kokoro", voices_dir: Path | None = None
) -> Surroundings:
    """A server that must not touch the network, with its files in `data_dir`."""
    return Surroundings(
        name=name,
        data_dir=data_dir,
        download_dir=data_dir,
        voices_dir=voices_dir,
        offline=True,
        catalogue=tuple(voices),
    )


@dataclass(frozen=True)
class Model:
    """Everything that speaking takes, and the reference beside it."""

    engine: OnnxEngine
    reference: OnnxReference
    phonemizer: Phonemizer
    book: VoiceBook
    catalogue: VoiceCatalogue

    @classmethod
    def load(cls, data_dir: Path, *, integers: bool = True) -> Model:
        """Load the weights of the installed packages; prepared graphs are kept in `data_dir`.

        Computes in integers where the server would, unless `integers` is false.
        """
        options, around = KokoroOptions(), surroundings(data_dir)
        folder, threads = voices_directory(), default_threads(os.cpu_count() or 1)
        found = bearable_integers(options, "cpu", folder) if integers else None
        with graphs(options.model, around, found) as directory:
            engine = OnnxEngine(directory, Device(threads=threads))
            reference = OnnxReference.load(directory, threads)
        book = VoiceBook(folder, data_dir / "calibrations", load_regression(folder), _never)
        return cls(engine, reference, Phonemizer(), book, load_catalogue())

    def voice(self, name: str) -> Voice:
        """A voice by name."""
        return next(voice for voice in self.catalogue.voices() if voice.name == name)

    def read(self, voice: Voice, text: str, speed: float = 1.0) -> Sentence:
        """Run the front on a text that the network takes in one part."""
        tokens = self.phonemizer.phonemize(text, voice.language).tokens
        row = self.book.row(voice, len(tokens))
        return Sentence(self, voice, text, tokens, row, self.engine.predict(tokens, row, speed), speed)


@dataclass(frozen=True)
class Sentence:
    """One sentence behind the front, to be decoded in different ways."""

    model: Model
    voice: Voice
    text: str
    tokens: tuple[int, ...]
    row: Array
    prosody: Prosody
    speed: float

    @property
    def frames(self) -> int:
        return self.prosody.frames

    def exact(self) -> tuple[Samples, Array]:
        """The network's own decoding of the whole sentence, and the statistics its norms measured."""
        return self.model.reference.measure(self.prosody, self.row)

    def decoder(self, statistics: Array | None = None) -> Decoder:
        """A decoder with these statistics, or with the foretold ones."""
        if statistics is None:
            statistics = self.model.book.statistics(self.voice, self.prosody, len(self.tokens))
        return Decoder.of(self.model.engine, self.prosody, statistics)

    def whole(self) -> Samples:
        """The sentence in one window, with the foretold statistics, silence included."""
        return self.decoder().decode(0, self.frames)

    def deliver(self, sizes: Sequence[int] = GROWING) -> Delivered:
        """What a listener gets who is served windows of these sizes (the last one goes on)."""
        return deliver(self.model, self.voice, self.text, sizes, self.speed)


class ScriptedPace(Pace):
    """Windows of given sizes, the last of which goes on."""

    def __init__(self, sizes: Sequence[int] = GROWING) -> None:
        super().__init__()
        self._next = chain(sizes, repeat(sizes[-1]))

    def next_window(self, previous: int, playhead: Playhead, allowance: Allowance) -> int:
        size = next(self._next)
        allowance.threads = None if size <= LARGEST_FIRST_WINDOW else 1
        return size


@dataclass(frozen=True)
class Delivered:
    """One sentence as the backend hands it out."""

    chunks: tuple[AudioChunk, ...]

    @property
    def samples(self) -> Samples:
        return np.concatenate([np.zeros(0, np.float32), *(chunk.samples for chunk in self.chunks)])

    @property
    def words(self) -> tuple[WordTiming, ...]:
        return tuple(word for chunk in self.chunks for word in chunk.words)

    @property
    def joins(self) -> tuple[int, ...]:
        """The samples at which a new window begins."""
        ends = np.cumsum([len(chunk.samples) for chunk in self.chunks])
        return tuple(int(end) for end in ends[:-1])


def deliver(
    model: Model, voice: Voice, text: str, sizes: Sequence[int] = GROWING, speed: float = 1.0
) -> Delivered:
    """Speak a text of any length in windows of these sizes."""
    book = model.book
    speaker = Speaker(model.engine, model.phonemizer, book.statistics, book.row, ScriptedPace(sizes))
    request = SynthesisRequest(text=text, voice=voice, speed=speed)
    return Delivered(tuple(speaker.speak(request)))


def _never(voice: Voice, pack: VoicePack) -> Calibration:
    raise AssertionError(f"{voice.name} ships with its calibration")


def place_of(part: Samples, whole: Samples) -> int:
    """Where in `whole` the samples of `part` stand; both are the same speech."""
    size = 1 << (len(part) + len(whole) - 1).bit_length()
    product = np.fft.rfft(whole, size) * np.conj(np.fft.rfft(part, size))
    return int(np.argmax(np.fft.irfft(product, size)[: max(1, len(whole) - len(part) + 1)]))


def loudest(samples: Samples) -> float:
    """The largest amplitude; 0 of nothing."""
    return float(np.abs(samples).max(initial=0.0))
