"""Kokoro on PyTorch: the front of `KModel` as it is, its generator in windows; memory, threads, errors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from wyoming_tts.backends.kokoro import FREELY, Array, Prosody, Window
from wyoming_tts.backends.kokoro_torch_generator import Generator, Measuring, given, in_precision
from wyoming_tts.backends.kokoro_torch_weights import State, build
from wyoming_tts.backends.torch_device import free_cache, is_out_of_memory
from wyoming_tts.errors import BackendOverloadedError, SynthesisError
from wyoming_tts.types import Allowance, Samples

SHORT_OF_MEMORY = 0.1
"""Share of a graphics card's memory; when less is free, what PyTorch only keeps for later is given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where and how the network computes."""

    device: str = "cpu"
    """What PyTorch calls it: `cpu`, `cuda`, `cuda:1`, `mps`."""

    precision: torch.dtype = torch.float32
    """Of the convolutions that make samples; norms, snakes and durations are float32 in any case."""

    threads: int = 1
    """Threads of the processor for one sentence."""

    memory: int = 0
    """Megabytes of a graphics card's memory that may be used; 0 for all."""


class TorchEngine:
    """The network, loaded; any number of calls at the same time."""

    context = 5
    """Frames; see `Engine.context`. With four, samples differ by 0.0002."""

    def __init__(self, state: State, target: Target) -> None:
        """Raises BackendUnavailableError when these are not Kokoro's weights."""
        self.target = target
        with self._computing(FREELY):
            _limit_memory(target)
            model: Any = build(state).to(target.device)
            self._generator = Generator(model.decoder.generator, target.precision)
            self._front = _Front(model, target.precision)

    def predict(
        self, tokens: tuple[int, ...], row: Array, speed: float, allowance: Allowance = FREELY
    ) -> Prosody:
        """See `Engine.predict`."""
        with self._computing(allowance):
            if _is_short(self.target.device):
                free_cache(self.target.device)
            style = self._tensor(row)
            hidden, pitch, durations = self._front.run(tokens, style, speed)
            source = self._generator.source(pitch)
            wanted = self._generator.style(style)
            return Prosody(*(_array(t) for t in (hidden, source, durations, wanted)))

    def generate(self, window: Window, scale: Array, shift: Array) -> Samples:
        """See `Engine.generate`."""
        with self._computing(window.allowance):
            adain = given(self._tensor(scale), self._tensor(shift))
            inputs = (self._tensor(window.hidden), self._tensor(window.source))
            return _array(self._generator.run(*inputs, adain, window.first, window.last))

    def measure(self, prosody: Prosody, row: Array) -> tuple[Samples, Array]:
        """The whole sentence as the network itself decodes it, and what its norms saw, (2, channels)."""
        with self._computing(FREELY):
            measuring = Measuring(*self._tensor(prosody.style))
            inputs = (self._tensor(prosody.hidden), self._tensor(prosody.source))
            audio = self._generator.run(*inputs, measuring, 0, prosody.frames)
            return _array(audio), _array(torch.stack([measuring.mean, measuring.deviation]))

    def _tensor(self, array: Array) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.target.device)

    @contextlib.contextmanager
    def _computing(self, allowance: Allowance) -> Iterator[None]:
        """Without gradients, with the threads that are allowed, and with errors of ours."""
        threads = 1 if allowance.threads == 1 else self.target.threads
        if torch.get_num_threads() != threads:  # of this thread, and of threads that have yet to ask
            torch.set_num_threads(threads)
        try:
            with torch.inference_mode():
                yield
        except (RuntimeError, MemoryError) as error:
            raise translated(error, self.target.device) from error


def translated(error: Exception, device: str) -> BackendOverloadedError | SynthesisError:
    """PyTorch's error as ours; a lack of memory empties the cache, too."""
    if is_out_of_memory(error):
        free_cache(device)
        return BackendOverloadedError(f"no memory is left to compute in: {error}")
    return SynthesisError(f"PyTorch failed: {error}")


def _is_short(device: str) -> bool:
    if not device.startswith("cuda"):
        return False
    free, total = torch.cuda.mem_get_info(device)
    return free < SHORT_OF_MEMORY * total


def _limit_memory(target: Target) -> None:
    if target.memory and target.device.startswith("cuda"):
        _, total = torch.cuda.mem_get_info(target.device)
        share = min(1.0, target.memory * 2**20 / total)
        index = torch.device(target.device).index
        torch.cuda.set_per_process_memory_fraction(
            share, torch.cuda.current_device() if index is None else index
        )


def _array(tensor: Tensor) -> Any:
    return tensor.cpu().numpy()


class _Front:
    """From tokens to what the generator upsamples: all of KModel but the generator."""

    def __init__(self, model: Any, precision: torch.dtype) -> None:
        """Takes weights out of the model that it does not need; the trunk shall compute in `precision`."""
        del model.decoder.generator
        model.bert.pooler = None
        for block in (model.decoder.encode, *model.decoder.decode):
            for name, module in list(block.named_children()):
                if isinstance(module, nn.Conv1d):
                    setattr(block, name, in_precision(module, precision))
        self._model = model

    def run(self, tokens: tuple[int, ...], style: Tensor, speed: float) -> tuple[Tensor, Tensor, Tensor]:
        """What is upsampled, (1, 512, 2 * frames); Hertz, (2 * frames,); durations, (tokens + 2,)."""
        model, manner = self._model, style[:, 128:]
        ids = torch.tensor([[0, *tokens, 0]], device=style.device)
        lengths, nowhere = torch.tensor([ids.shape[1]]), torch.zeros_like(ids, dtype=torch.bool)
        encoded = model.bert_encoder(model.bert(ids, attention_mask=torch.ones_like(ids))).transpose(1, 2)
        spoken = model.predictor.text_encoder(encoded, manner, lengths, nowhere)
        durations = self._durations(spoken, speed)
        token_of = torch.repeat_interleave(torch.arange(len(durations), device=ids.device), durations)
        pitch, loudness = model.predictor.F0Ntrain(spoken[:, token_of].transpose(1, 2), manner)
        said = model.text_encoder(ids, lengths, nowhere)[:, :, token_of]
        return self._trunk(said, pitch, loudness, style[:, :128]), pitch[0], durations

    def _durations(self, spoken: Tensor, speed: float) -> Tensor:
        """Frames of each token."""
        predictor = self._model.predictor
        each = torch.sigmoid(predictor.duration_proj(predictor.lstm(spoken)[0])).sum(2) / speed
        return each.round().clamp(min=1).long()[0]

    def _trunk(self, said: Tensor, pitch: Tensor, loudness: Tensor, timbre: Tensor) -> Tensor:
        decoder = self._model.decoder
        curves = [decoder.F0_conv(pitch[:, None]), decoder.N_conv(loudness[:, None])]
        x = decoder.encode(torch.cat([said, *curves], 1), timbre)
        beside = [decoder.asr_res(said), *curves]
        for block in decoder.decode:
            x = block(torch.cat([x, *beside], 1), timbre)
        return x
