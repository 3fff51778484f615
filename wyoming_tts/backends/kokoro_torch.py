"""Kokoro on PyTorch: CUDA, Apple's Metal or the CPU, with the voices and the windows of the ONNX backend."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pydantic import Field

from wyoming_tts.backends.base import BackendOptions, Surroundings
from wyoming_tts.backends.kokoro import Speaker
from wyoming_tts.backends.kokoro_shared import Identity, KokoroBackend
from wyoming_tts.backends.torch_device import choose_device, free_cache, prepare_torch
from wyoming_tts.errors import BackendOverloadedError, BackendUnavailableError

if TYPE_CHECKING:
    import torch

    from wyoming_tts.backends.kokoro_torch_engine import Target

_LOGGER = logging.getLogger(__name__)

NOT_INSTALLED = (
    "Kokoro on PyTorch needs packages that are not installed ({error}). Run: script/setup torch, or: "
    "pip install 'wyoming-tts[torch]' && pip install --no-deps kokoro==0.9.4"
)
"""`kokoro` itself comes without what it depends on: nothing here needs misaki and spaCy."""


class KokoroTorchOptions(BackendOptions):
    """Options of this backend."""

    weights: str = Field(default="auto", min_length=1)
    """`pth`, the authors' file, which is downloaded unless it is there; `converted` from the ONNX weights;
    `auto`, the first of these that needs no download; or the path of a .pth or .onnx file."""

    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    """`cuda`, `cuda:1`, `mps` or `cpu`; `auto` is the first of them that this machine has."""

    precision: str = Field(default="auto", pattern=r"^(auto|float32|bfloat16|float16)$")
    """`float32`, or `bfloat16` or `float16` in the convolutions, which is about twice as fast where the
    hardware can, and 36 dB (bfloat16) from float32; `auto` is half precision there: `float16` on CUDA,
    `bfloat16` on processors with AMX or AVX512-BF16. `float16` is not for processors."""

    threads: int | None = Field(default=None, ge=1)
    """Threads of the processor to compute with; none chooses by the number of cores."""

    memory: int = Field(default=0, ge=0)
    """Megabytes of a CUDA card's memory that may be used; 0 is all."""

    unload_after: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Seconds without a request after which the model is unloaded; 0 keeps it."""


class KokoroTorchBackend(KokoroBackend):
    """The Backend: one model, and as many sentences at the same time as there are threads for it."""

    Options = KokoroTorchOptions

    def __init__(self, options: KokoroTorchOptions, surroundings: Surroundings) -> None:
        """Loads nothing yet."""
        super().__init__(surroundings, threads=options.threads, unload_after=options.unload_after)
        self._options = options
        self._device = "cpu"

    @property
    def engine(self) -> str:
        """What computes, for people: the device and the precision that are really in use."""
        if self._model.state == "loaded":
            return f"Kokoro on {self._identity.provider}, PyTorch"
        return f"Kokoro on PyTorch, {self._model.state}"

    def _load(self) -> Speaker:
        """In a thread: everything that speaking needs."""
        prepare_torch()
        try:
            try:
                return self._load_with_torch()
            except BackendOverloadedError:
                if self._device == "cpu":
                    raise
            self._fall_back()
            return self._load_with_torch()
        except ImportError as error:
            raise BackendUnavailableError(NOT_INSTALLED.format(error=error)) from error

    def _load_with_torch(self) -> Speaker:
        import torch

        from wyoming_tts.backends.kokoro_torch_engine import TorchEngine
        from wyoming_tts.backends.kokoro_torch_weights import load_state

        target = self._target()
        state, digest = load_state(self._options.weights, self._around)
        engine = TorchEngine(state, target)
        del state  # the model has its own
        provider = f"{target.device} in {str(target.precision).removeprefix('torch.')}"
        self._identity = Identity.read(self._folder, provider, (digest, torch.__version__))
        return self._speaker(engine, lambda: engine)

    def _target(self) -> Target:
        from wyoming_tts.backends.kokoro_torch_engine import Target

        self._device = choose_device(self._options.device)
        return Target(
            device=self._device,
            precision=choose_precision(self._options.precision, self._device),
            threads=self.max_concurrency,
            memory=self._options.memory,
        )

    def _free(self) -> None:
        """See `ResidentBackend`."""
        free_cache(self._device)

    def _fall_back(self) -> None:
        """Behind a lack of memory: compute on the processor from now on, where it was elsewhere."""
        if self._device != "cpu":
            _LOGGER.warning("%s ran out of memory: computing on the CPU from now on", self.engine)
            self._options = self._options.model_copy(update={"device": "cpu"})


def choose_precision(wanted: str, device: str) -> torch.dtype:
    """What convolutions compute in."""
    import torch

    if device == "cpu":
        fast = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
        if wanted == "float16":
            _LOGGER.warning("float16 is too slow on processors: computing in another precision")
        return torch.bfloat16 if wanted == "bfloat16" or (wanted != "float32" and fast) else torch.float32
    if wanted == "auto":
        wanted = "float16" if device.startswith("cuda") else "float32"
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[wanted]
