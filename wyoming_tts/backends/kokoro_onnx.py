"""Kokoro on ONNX Runtime: CPU, CUDA, OpenVINO or CoreML, whichever build is installed."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import functools
import hashlib
import logging
import os
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wyoming_tts import __version__
from wyoming_tts.backends.kokoro import RATE, Chunks, Speaker
from wyoming_tts.backends.kokoro_calibration import calibrate as calibrated
from wyoming_tts.backends.kokoro_calibration import calibration_texts, measure
from wyoming_tts.backends.kokoro_engine import PROVIDERS, Device, OnnxEngine, OnnxReference
from wyoming_tts.backends.kokoro_pace import Pace
from wyoming_tts.backends.kokoro_prepare import FILES, prepare
from wyoming_tts.backends.kokoro_ranges import RANGES_FILE, Integers, load_ranges, weight_bits
from wyoming_tts.backends.kokoro_statistics import REGRESSION_FILE, Calibration, load_regression
from wyoming_tts.backends.kokoro_voices import VoiceBook
from wyoming_tts.backends.resident import Resident
from wyoming_tts.backends.workers import Workers, iterate_in
from wyoming_tts.errors import BackendOverloadedError, ConfigError
from wyoming_tts.files import sha256_of
from wyoming_tts.models import find_weights
from wyoming_tts.phonemes import Phonemizer
from wyoming_tts.prepared import MANIFEST, prepared
from wyoming_tts.types import Allowance, AudioChunk, AudioFormat, SynthesisRequest, Voice
from wyoming_tts.voices import VoicePack, voices_directory

_LOGGER = logging.getLogger(__name__)

AUTOMATIC = ("cuda", "openvino", "cpu")
"""What `auto` tries, best first; not CoreML, which compiles anew for every length of a window."""

RECIPE = "13"
"""Version of the prepared graphs: raise it with every change to what `kokoro_prepare` writes."""

WARM_UP = "I am ready to speak, and I will be quick."
"""Spoken to nobody when the model has been loaded."""

NEW_VOICE_TEXTS = 12
"""Sentences that a voice without calibration is measured with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KokoroOptions:
    """Options of this backend."""

    data_dir: Path
    """Where prepared graphs and the calibrations of new voices are kept."""

    download_dir: Path | None = None
    """Where downloads go; None is `data_dir`."""

    voices_dir: Path | None = None
    """Voice packs; None are the shipped ones."""

    model: str = "int8"
    """`int8`, `fp32`, `fp16`, or the path of an exported graph."""

    offline: bool = False
    """Never touch the network."""

    provider: str = "auto"
    """`auto` or a key of `PROVIDERS`."""

    threads: int | None = None
    """Threads to compute with; None chooses by the number of cores."""

    precision: str = "auto"
    """`float`, or `auto`: integers where the processor is faster at them."""

    device: int = 0
    """Which of several graphics cards."""

    device_memory: int = 2048
    """Megabytes of a graphics card's memory that may be used."""

    unload_after: float = 0.0
    """Seconds without a request after which the model is unloaded; 0 keeps it."""


def choose_provider(wanted: str, available: Sequence[str]) -> str:
    """The short name of the provider to use. Raises ConfigError when the installed ONNX Runtime lacks it."""
    offered = [name for name, long in PROVIDERS.items() if long in available]
    if wanted == "auto":
        return next(name for name in AUTOMATIC if name in offered)
    if wanted not in offered:
        raise ConfigError(
            f"provider {wanted!r} is not in the installed onnxruntime, which has {', '.join(offered)}; "
            "install the build that has it or choose another --provider"
        )
    return wanted


def default_threads(cores: int) -> int:
    """How many threads to compute with: what is left when the rest of the house keeps one core of many."""
    return max(1, min(4, cores if cores <= 2 else cores - 1))


@contextlib.contextmanager
def graphs(options: KokoroOptions, integers: Integers | None = None) -> Iterator[Path]:
    """The directory with the prepared graphs, in floats without `integers`; load them inside the `with`."""
    weights = find_weights(
        options.model, data_dir=options.data_dir, download_dir=options.download_dir, offline=options.offline
    )
    _LOGGER.info("Weights: %s", weights.source)
    recipe = RECIPE
    if integers:
        recipe += f".{_digest(integers.folder / RANGES_FILE)}.{integers.bits}"
    derive = functools.partial(prepare, integers=integers)
    with prepared(weights, recipe=recipe, derive=derive, names=FILES, data_dir=options.data_dir) as directory:
        yield directory


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def bearable_integers(options: KokoroOptions, provider: str, folder: Path) -> Integers | None:
    """Those to compute in where integers serve: the weights are some and the processor is fast at them."""
    wanted = options.model == "int8" and options.precision == "auto" and provider == "cpu"
    bits = weight_bits() if wanted else 0
    return Integers(folder, bits) if bits and load_ranges(folder) else None


class KokoroOnnxBackend:
    """The Backend: one model, and as many sentences at the same time as there are threads for it."""

    name = "kokoro"
    format = AudioFormat(RATE)

    def __init__(self, options: KokoroOptions, voices: Sequence[Voice]) -> None:
        """Loads nothing yet."""
        self._options = options
        self._voices = tuple(voice for voice in voices if voice.backend == self.name)
        self.max_concurrency = options.threads or default_threads(os.cpu_count() or 1)
        """How many sentences it computes at the same time."""
        self._workers = Workers(self.max_concurrency, self.name)
        self._phonemizer, self._pace = Phonemizer(), Pace()
        self._model = Resident("Kokoro", self._load, options.unload_after)
        self._identity = Identity()

    @property
    def engine(self) -> str:
        """What computes, for people: the model and the provider that is really active."""
        name = f"Kokoro {Path(self._options.model).name}"
        if self._model.state == "loaded":
            return f"{name} on {self._identity.provider}, ONNX Runtime"
        return f"{name}, {self._model.state}"

    def voices(self) -> Sequence[Voice]:
        """See `Backend.voices`."""
        return self._voices

    def fingerprint(self, voice: Voice) -> str | None:
        """See `Backend.fingerprint`."""
        return self._identity.of(voice)

    async def start(self) -> None:
        """Load the model. Requests that come while it loads wait for it; when it fails they fail alike."""
        await self._model.start()

    def _load(self) -> Speaker:
        """In a thread: everything that speaking needs."""
        options = self._options
        import onnxruntime

        provider = choose_provider(options.provider, onnxruntime.get_available_providers())
        device = Device(
            provider=provider,
            threads=self.max_concurrency,
            index=options.device,
            memory=options.device_memory,
        )
        folder = options.voices_dir or voices_directory()
        integers = bearable_integers(options, provider, folder)
        with graphs(options, integers) as directory:
            engine = OnnxEngine(directory, device)
            self._identity = Identity.read(directory, folder, engine.provider)
        book = self._book(engine, integers, folder)
        speaker = Speaker(engine, self._phonemizer, book.statistics, book.row, self._pace)
        if self._voices:  # the first listener shall not wait for buffers, and the pace shall be known
            for threads in {1, self.max_concurrency}:
                allowance = Allowance(threads=threads)
                request = SynthesisRequest(text=WARM_UP, voice=self._voices[0], allowance=allowance)
                collections.deque(speaker.speak(request), 0)
        return speaker

    def _book(self, engine: OnnxEngine, integers: Integers | None, folder: Path) -> VoiceBook:
        """The voices; one that has no calibration is measured when it is first spoken with."""
        regression = load_regression(folder)

        def calibrate(voice: Voice, pack: VoicePack) -> Calibration:
            with graphs(self._options, integers) as directory:
                reference = OnnxReference.load(directory, self.max_concurrency)
            texts = calibration_texts(folder, voice.language, NEW_VOICE_TEXTS)
            samples = [measure(engine, reference, self._phonemizer, voice, pack, text) for text in texts]
            return calibrated(samples, regression)

        return VoiceBook(folder, self._options.data_dir / "calibrations", regression, calibrate)

    async def stop(self) -> None:
        """Drop the model; windows that are being computed are waited for."""
        await self._model.stop()
        await self._workers.stop()

    def wake(self) -> None:
        """See `Backend.wake`."""
        if self._model.running:
            with self._model.use():
                pass

    async def synthesize(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """See `Backend.synthesize`."""
        with self._model.use() as loaded:
            speaker = await asyncio.shield(loaded)
            steps = iterate_in(
                lambda: self._workers.pool(urgent=request.allowance.urgent), self._speak(speaker, request)
            )
            try:
                async with contextlib.aclosing(steps) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except BackendOverloadedError:
                self._make_room()
                raise

    def _speak(self, speaker: Speaker, request: SynthesisRequest) -> Chunks:
        """In a worker, step by step; a step that comes up after `stop` computes nothing."""
        self._model.check()
        for chunk in speaker.speak(request):
            yield chunk
            self._model.check()

    def _make_room(self) -> None:
        """Behind a lack of memory: drop the model, and load it on the processor where it was elsewhere."""
        if self._options.provider != "cpu":
            _LOGGER.warning("%s ran out of memory: computing on the CPU from now on", self.engine)
            self._options = dataclasses.replace(self._options, provider="cpu")
        self._model.drop()


@dataclass(frozen=True, slots=True)
class Identity:
    """What decides the samples, beside a request: the prepared graphs, and the folder of voices."""

    provider: str = ""
    """Short name of what computes."""

    graphs: str = ""
    """Digest of everything but the voice; empty before it is known."""

    folder: Path = Path()
    """Where the voice packs are."""

    packs: dict[str, str] = field(default_factory=dict)
    """Digests of voice packs so far."""

    @classmethod
    def read(cls, directory: Path, folder: Path, provider: str) -> Identity:
        """Of the graphs in `directory`, on the provider that ONNX Runtime calls so."""
        parts = (__version__, provider, sha256_of([directory / MANIFEST, folder / REGRESSION_FILE]))
        return cls(provider.removesuffix("ExecutionProvider"), "/".join(parts), folder)

    def of(self, voice: Voice) -> str | None:
        """The fingerprint for a voice; None before it is known, and of a voice without a pack."""
        if not self.graphs:
            return None
        if voice.name not in self.packs:
            with contextlib.suppress(OSError):
                self.packs[voice.name] = sha256_of([self.folder / f"{voice.name}.npz"])
        digest = self.packs.get(voice.name)
        return digest and f"{self.graphs}/{digest}"
