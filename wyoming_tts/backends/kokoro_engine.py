"""Kokoro's prepared graphs on ONNX Runtime, with all threads or with one."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wyoming_tts.backends.kokoro import FRAME, FREELY, Array, Prosody, Window
from wyoming_tts.backends.kokoro_prepare import CONTEXT, GENERATOR, PROSODY, REFERENCE, TRUNK
from wyoming_tts.errors import BackendOverloadedError, BackendUnavailableError, SynthesisError
from wyoming_tts.types import Allowance, Samples

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
}
"""What `--provider` names, and what ONNX Runtime calls it."""

OUT_OF_MEMORY = ("out of memory", "failed to allocate", "bad_alloc", "cudamalloc", "alloc failed")
"""What ONNX Runtime's messages say of it, in small letters; there is no error class for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Where the graphs compute."""

    provider: str = "cpu"
    """A key of `PROVIDERS`."""

    threads: int = 1
    """Threads of the processor that may compute at the same time."""

    index: int = 0
    """Which of several graphics cards."""

    memory: int = 2048
    """Megabytes of a graphics card's memory that may be used."""

    def arguments(self) -> dict[str, Any]:
        """What ONNX Runtime's provider is told. Its arena may not grow in powers of two past the bound."""
        if self.provider != "cuda":
            return {}
        return {
            "device_id": self.index,
            "gpu_mem_limit": self.memory * 2**20,
            "arena_extend_strategy": "kSameAsRequested",
            "cudnn_conv_algo_search": "HEURISTIC",  # an exhaustive search for every length would take seconds
        }


class OnnxEngine:
    """The prepared graphs, loaded; any number of calls at the same time.

    Each is loaded twice, for all threads and for one. With one it needs a tenth to a third less of the
    processor's time, and two that are computed side by side are done sooner than one after the other.
    """

    def __init__(self, directory: Path, device: Device) -> None:
        """Load from `directory`; raises BackendUnavailableError when ONNX Runtime cannot."""
        self._prosody = _Sized(directory / PROSODY, device)
        self._trunk = _Sized(directory / TRUNK, device)
        self._generator = _Sized(directory / GENERATOR, device)
        self.context = int(self._generator.wide.get_modelmeta().custom_metadata_map[CONTEXT])
        self.provider = self._generator.wide.get_providers()[0]
        """ONNX Runtime's name of the provider that is really active."""

    def predict(
        self, tokens: tuple[int, ...], row: Array, speed: float, allowance: Allowance = FREELY
    ) -> Prosody:
        """See `Engine.predict`."""
        padded = np.array([[0, *tokens, 0]], np.int64)
        *between, durations = self._prosody.run(allowance, padded, row, np.array([speed], np.float32))
        hidden, source, style = self._trunk.run(allowance, *between, row)
        return Prosody(hidden, source, durations.reshape(-1).astype(np.int64), style[0])

    def generate(self, window: Window, scale: Array, shift: Array) -> Samples:
        """See `Engine.generate`."""
        edges = (np.array([window.first]), np.array([window.last]))
        (audio,) = self._generator.run(window.allowance, window.hidden, window.source, scale, shift, *edges)
        return _trimmed(audio)


class _Sized:
    """A graph for as many threads as there are, and on the processor for one, too."""

    def __init__(self, path: Path, device: Device) -> None:
        self.wide = self._narrow = _open(path, device)
        if device.provider == "cpu" and device.threads > 1:
            self._narrow = _open(path, dataclasses.replace(device, threads=1))
        self._names = [port.name for port in self.wide.get_inputs()]

    def run(self, allowance: Allowance, *inputs: Any) -> list[Any]:
        """The graph's outputs, for its inputs in their order."""
        feed = dict(zip(self._names, inputs, strict=True))
        return _run(self._narrow if allowance.threads == 1 else self.wide, feed)


class OnnxReference:
    """The generator as exported: decodes whole sentences and says what its norms measured."""

    @classmethod
    def load(cls, directory: Path, threads: int) -> OnnxReference:
        """From the prepared graphs."""
        return cls(_open(directory / REFERENCE, Device(threads=threads)))

    def __init__(self, session: InferenceSession) -> None:
        self._session = session
        self._hidden, self._source, self._style = (port.name for port in session.get_inputs())

    def measure(self, prosody: Prosody, row: Array) -> tuple[Samples, Array]:
        """The whole sentence's samples and its means and deviations, (2, channels)."""
        feed = {self._hidden: prosody.hidden, self._source: prosody.source, self._style: row}
        audio, statistics = _run(self._session, feed)
        return _trimmed(audio), statistics[0]


def _open(path: Path, device: Device) -> InferenceSession:
    """Load a graph. Its threads do not spin while they wait for work: that would waste the time of others."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = device.threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = False  # windows differ; a plan for each length costs 90 MB and saves no time
    options.log_severity_level = 3  # it warns of every constant it folds
    provider = (PROVIDERS[device.provider], device.arguments())
    try:
        return onnxruntime.InferenceSession(str(path), options, [provider])
    except Exception as error:  # onnxruntime's errors have no public base class
        raise BackendUnavailableError(
            f"ONNX Runtime cannot load {path.name} on {device.provider}: {error}"
        ) from error


def _run(session: InferenceSession, feed: dict[str, Any]) -> list[Any]:
    try:
        return session.run(None, feed)
    except Exception as error:  # onnxruntime's errors have no public base class
        if any(sign in str(error).lower() for sign in OUT_OF_MEMORY):
            raise BackendOverloadedError(f"no memory is left to compute in: {error}") from error
        raise SynthesisError(f"ONNX Runtime failed: {error}") from error


def _trimmed(audio: Array) -> Samples:
    """Without the half window that the inverse STFT adds at both ends."""
    edge = (audio.size - audio.size // FRAME * FRAME) // 2
    return audio.reshape(-1)[edge : audio.size - edge]
