"""Kokoro on ONNX Runtime: CPU, CUDA, OpenVINO or CoreML, whichever build is installed."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import functools
import hashlib
import logging
import os
from collections.abc import AsyncGenerator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wyoming_tts.backends.base import iterate_in
from wyoming_tts.backends.kokoro import FRAME, RATE, Array, Chunks, Pace, Prosody, Speaker, Window
from wyoming_tts.backends.kokoro_calibration import calibrate as calibrated
from wyoming_tts.backends.kokoro_calibration import calibration_texts, measure
from wyoming_tts.backends.kokoro_prepare import FILES, prepare
from wyoming_tts.backends.kokoro_ranges import RANGES_FILE, has_fast_integers, load_ranges
from wyoming_tts.backends.kokoro_statistics import Calibration, load_regression
from wyoming_tts.backends.kokoro_voices import VoiceBook
from wyoming_tts.errors import BackendUnavailableError, ConfigError, SynthesisError
from wyoming_tts.models import find_weights
from wyoming_tts.phonemes import Phonemizer
from wyoming_tts.prepared import prepared
from wyoming_tts.types import AudioChunk, AudioFormat, Samples, SynthesisRequest, Voice
from wyoming_tts.voices import VoicePack, voices_directory

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_LOGGER = logging.getLogger(__name__)

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
}
"""What `--provider` names, and what ONNX Runtime calls it."""

AUTOMATIC = ("cuda", "openvino", "cpu")
"""What `auto` tries, best first; not CoreML, which compiles anew for every length of a window."""

RECIPE = "4"
"""Version of the prepared graphs: raise it with every change to `kokoro_graph` or `onnx_graph`."""

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
def graphs(options: KokoroOptions, ranges_folder: Path | None = None) -> Iterator[Path]:
    """The directory with the prepared graphs; load them inside the `with`.

    With a folder the convolutions whose ranges it holds compute in integers.
    """
    weights = find_weights(
        options.model, data_dir=options.data_dir, download_dir=options.download_dir, offline=options.offline
    )
    _LOGGER.info("Weights: %s", weights.source)
    recipe = f"{RECIPE}.{_digest(ranges_folder / RANGES_FILE)}" if ranges_folder else RECIPE
    derive = functools.partial(prepare, ranges_folder=ranges_folder)
    with prepared(weights, recipe=recipe, derive=derive, names=FILES, data_dir=options.data_dir) as directory:
        yield directory


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def bearable_ranges(options: KokoroOptions, provider: str, folder: Path) -> Path | None:
    """`folder` where integers serve: the weights are integers and the processor is fast at them."""
    fast = options.model == "int8" and provider == "cpu" and has_fast_integers()
    return folder if fast and load_ranges(folder) else None


class OnnxEngine:
    """The prepared graphs, loaded. One call at a time.

    The generator is loaded twice, for all threads and for one: with one it needs a tenth less of the
    processor's time, and no other core.
    """

    def __init__(self, directory: Path, provider: str, threads: int) -> None:
        """Load from `directory`; raises BackendUnavailableError when ONNX Runtime cannot."""
        self._front = _open(directory / FILES[0], provider, threads, spin=True)
        self._generator = self._relaxed = _open(directory / FILES[1], provider, threads)
        if provider == "cpu" and threads > 1:
            self._relaxed = _open(directory / FILES[1], provider, 1)
        self._hidden, self._source, *_ = (port.name for port in self._generator.get_inputs())
        self.provider = self._generator.get_providers()[0]
        """ONNX Runtime's name of the provider that is really active."""

    def predict(self, tokens: tuple[int, ...], row: Array, speed: float) -> Prosody:
        """See `Engine.predict`."""
        feed = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": row,
            "speed": np.array([speed], np.float32),
        }
        hidden, source, durations, style = _run(self._front, feed)
        return Prosody(hidden, source, durations.reshape(-1).astype(np.int64), style[0])

    def generate(self, window: Window, scale: Array, shift: Array) -> Samples:
        """See `Engine.generate`."""
        feed = {
            self._hidden: window.hidden,
            self._source: window.source,
            "scale": scale,
            "shift": shift,
            "first": np.array([window.first]),
            "last": np.array([window.last]),
        }
        (audio,) = _run(self._generator if window.hurried else self._relaxed, feed)
        return _trimmed(audio)


def _open(path: Path, provider: str, threads: int, *, spin: bool = False) -> InferenceSession:
    """Load a graph. Threads that `spin` for work save time in many small steps and waste it in large ones."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spin else "0")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 3  # it warns of every constant it folds
    try:
        return onnxruntime.InferenceSession(str(path), options, [PROVIDERS[provider]])
    except Exception as error:  # onnxruntime's errors have no public base class
        raise BackendUnavailableError(
            f"ONNX Runtime cannot load {path.name} on {provider}: {error}"
        ) from error


class OnnxReference:
    """The generator as exported: decodes whole sentences and says what its norms measured."""

    @classmethod
    def load(cls, directory: Path, threads: int) -> OnnxReference:
        """From the prepared graphs."""
        return cls(_open(directory / FILES[2], "cpu", threads))

    def __init__(self, session: InferenceSession) -> None:
        self._session = session
        self._hidden, self._source, self._style = (port.name for port in session.get_inputs())

    def measure(self, prosody: Prosody, row: Array) -> tuple[Samples, Array]:
        """The whole sentence's samples and its means and deviations, (2, channels)."""
        feed = {self._hidden: prosody.hidden, self._source: prosody.source, self._style: row}
        audio, statistics = _run(self._session, feed)
        return _trimmed(audio), statistics[0]


def _trimmed(audio: Array) -> Samples:
    """Without the half window that the inverse STFT adds at both ends."""
    edge = (audio.size - audio.size // FRAME * FRAME) // 2
    return audio.reshape(-1)[edge : audio.size - edge]


def _run(session: InferenceSession, feed: dict[str, Any]) -> list[Any]:
    try:
        return session.run(None, feed)
    except Exception as error:  # onnxruntime's errors have no public base class
        raise SynthesisError(f"ONNX Runtime failed: {error}") from error


class KokoroOnnxBackend:
    """The Backend: one model, one thread that computes, listeners taking turns window by window."""

    name = "kokoro"
    format = AudioFormat(RATE)
    max_concurrency = 1

    def __init__(self, options: KokoroOptions, voices: Sequence[Voice]) -> None:
        """Loads nothing yet."""
        self._options = options
        self._voices = tuple(voice for voice in voices if voice.backend == self.name)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="kokoro")
        self._loaded: asyncio.Future[Speaker] | None = None
        self._listeners = 0
        self.engine = f"Kokoro {self._model_name}, not loaded"
        """What computes, for people: the model and the provider that is really active."""

    @property
    def _model_name(self) -> str:
        return Path(self._options.model).name

    def voices(self) -> Sequence[Voice]:
        """See `Backend.voices`."""
        return self._voices

    async def start(self) -> None:
        """Load the model. Requests that come while it loads wait for it; when it fails they fail alike."""
        loop = asyncio.get_running_loop()
        loaded = self._loaded = loop.create_future()
        loaded.add_done_callback(lambda done: done.cancelled() or done.exception())
        self.engine = f"Kokoro {self._model_name}, loading"
        try:
            speaker, engine = await loop.run_in_executor(self._executor, self._load)
            self._check_running()
        except BaseException as error:
            self.engine = f"Kokoro {self._model_name}, failed to load"
            if not loaded.done():
                loaded.set_exception(error if isinstance(error, Exception) else _stopped())
            raise
        self.engine = engine
        loaded.set_result(speaker)

    def _check_running(self) -> None:
        """Raise BackendUnavailableError when nobody has started this, or somebody has stopped it."""
        if self._loaded is None:
            raise _stopped()

    def _load(self) -> tuple[Speaker, str]:
        """In the executor: everything that speaking needs, and what it is called."""
        options = self._options
        import onnxruntime

        provider = choose_provider(options.provider, onnxruntime.get_available_providers())
        threads = options.threads or default_threads(os.cpu_count() or 1)
        folder = options.voices_dir or voices_directory()
        regression = load_regression(folder)
        phonemizer = Phonemizer()
        ranges = bearable_ranges(options, provider, folder)
        with graphs(options, ranges) as directory:
            engine = OnnxEngine(directory, provider, threads)

        def calibrate(voice: Voice, pack: VoicePack) -> Calibration:
            with graphs(options, ranges) as directory:
                reference = OnnxReference.load(directory, threads)
            texts = calibration_texts(folder, voice.language, NEW_VOICE_TEXTS)
            samples = [measure(engine, reference, phonemizer, voice, pack, text) for text in texts]
            return calibrated(samples, regression)

        book = VoiceBook(folder, options.data_dir / "calibrations", regression, calibrate)
        name = (
            f"Kokoro {self._model_name} on {engine.provider.removesuffix('ExecutionProvider')}, ONNX Runtime"
        )
        speaker = Speaker(engine, phonemizer, book.statistics, book.row, Pace())
        if self._voices:  # the first listener shall not wait for buffers, and the pace shall be known
            collections.deque(
                speaker.speak(SynthesisRequest(text=WARM_UP, voice=self._voices[0]), lambda: 1), 0
            )
        return speaker, name

    async def stop(self) -> None:
        """Drop the model; a window that is being computed is waited for."""
        loaded, self._loaded = self._loaded, None
        if loaded is not None and not loaded.done():
            loaded.set_exception(_stopped())
        await asyncio.to_thread(self._executor.shutdown, wait=True)
        self.engine = f"Kokoro {self._model_name}, stopped"

    async def synthesize(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """See `Backend.synthesize`."""
        if self._loaded is None:
            raise _stopped()
        speaker = await asyncio.shield(self._loaded)
        self._listeners += 1
        try:
            async with contextlib.aclosing(
                iterate_in(self._executor, self._speak(speaker, request))
            ) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            self._listeners -= 1

    def _speak(self, speaker: Speaker, request: SynthesisRequest) -> Chunks:
        """In the executor, step by step; a step that comes up after `stop` computes nothing."""
        self._check_running()
        for chunk in speaker.speak(request, lambda: self._listeners):
            yield chunk
            self._check_running()


def _stopped() -> BackendUnavailableError:
    return BackendUnavailableError("Kokoro is not running")
