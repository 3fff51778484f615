"""Kokoro on ONNX Runtime: CPU, CUDA, OpenVINO or CoreML, whichever build is installed."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from wyoming_tts.backends.base import BackendOptions, Surroundings
from wyoming_tts.backends.kokoro import Speaker
from wyoming_tts.backends.kokoro_engine import PROVIDERS, Device, OnnxEngine, OnnxReference
from wyoming_tts.backends.kokoro_prepare import FILES, prepare
from wyoming_tts.backends.kokoro_ranges import RANGES_FILE, Integers, load_ranges, weight_bits
from wyoming_tts.backends.kokoro_shared import Identity, KokoroBackend
from wyoming_tts.errors import ConfigError
from wyoming_tts.models import find_weights
from wyoming_tts.prepared import MANIFEST, prepared

_LOGGER = logging.getLogger(__name__)

AUTOMATIC = ("cuda", "openvino", "cpu")
"""What `auto` tries, best first; not CoreML, which compiles anew for every length of a window."""

RECIPE = "13"
"""Version of the prepared graphs: raise it with every change to what `kokoro_prepare` writes."""


class KokoroOptions(BackendOptions):
    """Options of this backend; those that are settings of the server are taken from there."""

    SETTINGS: ClassVar[tuple[str, ...]] = (
        *("model", "provider", "precision", "device", "device_memory", "threads", "unload_after"),
    )

    model: str = "int8"
    """`int8`, `fp32`, `fp16`, or the path of an exported graph."""

    provider: str = "auto"
    """`auto`, or what computes: `cpu`, `cuda`, `openvino` or `coreml`."""

    precision: str = "auto"
    """`float`, or `auto`: integers where the processor is faster at them."""

    threads: int | None = Field(default=None, ge=1)
    """Threads to compute with; none chooses by the number of cores."""

    device: int = Field(default=0, ge=0)
    """Which of several graphics cards."""

    device_memory: int = Field(default=2048, ge=1)
    """Megabytes of a graphics card's memory that may be used."""

    unload_after: float = Field(default=0.0, ge=0, allow_inf_nan=False)
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


@contextlib.contextmanager
def graphs(model: str, surroundings: Surroundings, integers: Integers | None = None) -> Iterator[Path]:
    """The directory with the prepared graphs, in floats without `integers`; load them inside the `with`."""
    around = surroundings
    weights = find_weights(
        model, data_dir=around.data_dir, download_dir=around.download_dir, offline=around.offline
    )
    _LOGGER.info("Weights: %s", weights.source)
    derive, recipe = functools.partial(prepare, integers=integers), recipe_of(integers)
    with prepared(weights, recipe=recipe, derive=derive, names=FILES, data_dir=around.data_dir) as directory:
        yield directory


def recipe_of(integers: Integers | None) -> str:
    """What tells the prepared graphs from those of other versions and other integers."""
    if integers is None:
        return RECIPE
    return f"{RECIPE}.{_digest(integers.folder / RANGES_FILE)}.{integers.bits}"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def bearable_integers(options: KokoroOptions, provider: str, folder: Path) -> Integers | None:
    """Those to compute in where integers serve: the weights are some and the processor is fast at them."""
    wanted = options.model == "int8" and options.precision == "auto" and provider == "cpu"
    bits = weight_bits() if wanted else 0
    return Integers(folder, bits) if bits and load_ranges(folder) else None


class KokoroOnnxBackend(KokoroBackend):
    """The Backend: one model, and as many sentences at the same time as there are threads for it."""

    Options = KokoroOptions

    def __init__(self, options: KokoroOptions, surroundings: Surroundings) -> None:
        """Loads nothing yet."""
        super().__init__(surroundings, threads=options.threads, unload_after=options.unload_after)
        self._options = options

    @property
    def engine(self) -> str:
        """What computes, for people: the model and the provider that is really active."""
        name = f"Kokoro {Path(self._options.model).name}"
        if self._model.state == "loaded":
            return f"{name} on {self._identity.provider}, ONNX Runtime"
        return f"{name}, {self._model.state}"

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
        integers = bearable_integers(options, provider, self._folder)
        with graphs(options.model, self._around, integers) as directory:
            engine = OnnxEngine(directory, device)
            provider = engine.provider.removesuffix("ExecutionProvider")
            self._identity = Identity.read(self._folder, provider, files=[directory / MANIFEST])

        def reference() -> OnnxReference:
            with graphs(options.model, self._around, integers) as directory:
                return OnnxReference.load(directory, self.max_concurrency)

        return self._speaker(engine, reference)

    def _fall_back(self) -> None:
        """Behind a lack of memory: compute on the processor from now on, where it was elsewhere."""
        if self._options.provider != "cpu":
            _LOGGER.warning("%s ran out of memory: computing on the CPU from now on", self.engine)
            self._options = self._options.model_copy(update={"provider": "cpu"})
