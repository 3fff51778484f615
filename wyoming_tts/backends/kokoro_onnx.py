"""Kokoro on ONNX Runtime: CPU, CUDA, OpenVINO or CoreML, whichever build is installed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wyoming_tts.backends.base import iterate_in
from wyoming_tts.backends.kokoro import FRAME, RATE, Pace, Prosody, Speaker
from wyoming_tts.errors import BackendError, BackendUnavailableError, ConfigError, SynthesisError
from wyoming_tts.types import AudioChunk, AudioFormat, Samples, SynthesisRequest, Voice

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
"""What `auto` tries, best first. CoreML is only used when asked for: it compiles anew for every window length."""

FILES = ("front.onnx", "generator.onnx", "reference.onnx")
"""The prepared graphs."""


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


def prepare(export: bytes, directory: Path) -> None:
    """Write the prepared graphs of an exported Kokoro into `directory`. Raises ValueError on another graph."""
    from wyoming_tts.backends import kokoro_graph

    graphs = (*kokoro_graph.derive(export), kokoro_graph.derive_reference(export))
    for name, graph in zip(FILES, graphs, strict=True):
        (directory / name).write_bytes(graph.SerializeToString())


class OnnxEngine:
    """The prepared graphs, loaded. One call at a time."""

    def __init__(self, directory: Path, provider: str, threads: int) -> None:
        """Load from `directory`; raises BackendUnavailableError when ONNX Runtime cannot."""
        self._directory, self._provider, self._threads = directory, provider, threads
        self._front = self._session("front.onnx")
        self._generator = self._session("generator.onnx")
        self._hidden, self._source, *_ = (port.name for port in self._generator.get_inputs())
        self.provider = self._generator.get_providers()[0]
        """ONNX Runtime's name of the provider that is really active."""

    def _session(self, name: str) -> InferenceSession:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 3  # it warns of every constant it folds
        path = str(self._directory / name)
        try:
            return onnxruntime.InferenceSession(path, options, [PROVIDERS[self._provider]])
        except Exception as error:  # onnxruntime's errors have no public base class
            raise BackendUnavailableError(f"ONNX Runtime cannot load {name} on {self._provider}: {error}") from error

    def predict(self, tokens: tuple[int, ...], row: NDArray[np.float32], speed: float) -> Prosody:
        """See `Engine.predict`."""
        feed = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": row,
            "speed": np.array([speed], np.float32),
        }
        hidden, source, durations, style = _run(self._front, feed)
        return Prosody(hidden, source, durations.reshape(-1).astype(np.int64), style[0])

    def generate(self, hidden: NDArray, source: NDArray, scale: NDArray, shift: NDArray) -> Samples:
        """See `Engine.generate`."""
        feed = {self._hidden: hidden, self._source: source, "scale": scale, "shift": shift}
        (audio,) = _run(self._generator, feed)
        return _trimmed(audio)


class OnnxReference:
    """The generator as exported: decodes whole sentences and says what its norms measured."""

    def __init__(self, session: InferenceSession) -> None:
        self._session = session
        self._hidden, self._source, self._style = (port.name for port in session.get_inputs())

    def measure(self, prosody: Prosody, row: NDArray[np.float32]) -> tuple[Samples, NDArray[np.float32]]:
        """The whole sentence's samples and its means and deviations, (2, channels)."""
        feed = {self._hidden: prosody.hidden, self._source: prosody.source, self._style: row}
        audio, statistics = _run(self._session, feed)
        return _trimmed(audio), statistics[0]


def _trimmed(audio: NDArray[np.float32]) -> Samples:
    """Without the half window that the inverse STFT adds at both ends."""
    edge = (audio.size - audio.size // FRAME * FRAME) // 2
    return audio.reshape(-1)[edge : audio.size - edge]


def _run(session: InferenceSession, feed: dict[str, Any]) -> list[Any]:
    try:
        return session.run(None, feed)
    except Exception as error:  # onnxruntime's errors have no public base class
        raise SynthesisError(f"ONNX Runtime failed: {error}") from error


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
        self._loaded = loop.create_future()
        self._loaded.add_done_callback(lambda done: done.cancelled() or done.exception())
        self.engine = f"Kokoro {self._model_name}, loading"
        try:
            speaker, self.engine = await loop.run_in_executor(self._executor, self._load)
        except BaseException as error:
            self.engine = f"Kokoro {self._model_name}, failed to load"
            self._loaded.set_exception(error if isinstance(error, Exception) else BackendUnavailableError("stopped"))
            raise
        self._loaded.set_result(speaker)

    async def stop(self) -> None:
        """Drop the model; a window that is being computed is waited for."""
        self._loaded = None
        await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)
        self.engine = f"Kokoro {self._model_name}, stopped"

    async def synthesize(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """See `Backend.synthesize`."""
        if self._loaded is None:
            raise BackendUnavailableError("Kokoro is not started")
        speaker = await asyncio.shield(self._loaded)
        self._listeners += 1
        try:
            chunks = iterate_in(self._executor, speaker.speak(request, lambda: self._listeners))
            async with contextlib.aclosing(chunks):
                async for chunk in chunks:
                    yield chunk
        finally:
            self._listeners -= 1
