"""Kokoro's generator on PyTorch, with its AdaINs given from outside.

It is taken out of `KModel` and taken apart, so that the statistics which voices are calibrated with, of the
same network, serve here too: the generator is then a plain convolution, whose windows join without a seam.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wyoming_tts.backends.kokoro import FRAME
from wyoming_tts.backends.kokoro_source import HALF_FRAME, STFT_BINS, STFT_HOP, STFT_ROUNDING, STFT_SIZE

STEPS = range(3)
"""A residual block's steps, each with two AdaINs and two convolutions."""

SIBLINGS = (
    ("noise_res.0", "noise_res.1"),
    ("resblocks.1", "resblocks.0", "resblocks.2"),
    ("resblocks.4", "resblocks.3", "resblocks.5"),
)
"""Blocks whose AdaINs take turns in statistics: the order of the ONNX graph, in which these were measured."""

EPSILON = 1e-5
"""What InstanceNorm1d adds to a variance."""

Adain = Callable[[Tensor, slice], Tensor]
"""Makes `u = alpha * y` of a tensor, y being what the AdaIN of these channels makes of it."""


class InPrecision(nn.Module):
    """A convolution that computes in another precision than the float32 it takes and gives."""

    def __init__(self, conv: nn.Module, precision: torch.dtype) -> None:
        """Changes the convolution's own weights."""
        super().__init__()
        self._conv, self._precision = conv.to(precision), precision

    def forward(self, x: Tensor) -> Tensor:
        """What the convolution makes of it."""
        return self._conv(x.to(self._precision)).float()


def in_precision(conv: nn.Module, precision: torch.dtype) -> nn.Module:
    """The convolution in this precision; itself in float32."""
    return conv if precision is torch.float32 else InPrecision(conv, precision)


def given(scale: Tensor, shift: Tensor) -> Adain:
    """AdaINs by scale and shift, (channels,) each."""
    scale, shift = scale[None, :, None], shift[None, :, None]
    return lambda x, at: torch.addcmul(shift[:, at], x, scale[:, at])


class Measuring:
    """AdaINs that take mean and deviation of what they get, and keep them."""

    def __init__(self, gain: Tensor, bias: Tensor) -> None:
        self._gain, self._bias = gain, bias
        self.mean, self.deviation = torch.zeros_like(gain), torch.zeros_like(gain)

    def __call__(self, x: Tensor, at: slice) -> Tensor:
        """See `Adain`."""
        variance, mean = torch.var_mean(x[0], 1, correction=0)
        self.mean[at], self.deviation[at] = mean, (variance + EPSILON).sqrt()
        scale = self._gain[at] / self.deviation[at]
        return torch.addcmul((self._bias[at] - mean * scale)[:, None], x, scale[:, None])


class Generator:
    """KModel's generator, taken apart."""

    def __init__(self, generator: Any, precision: torch.dtype) -> None:
        """Takes weights out of KModel's, and changes them; its convolutions shall compute in `precision`."""
        blocks = dict(generator.named_modules())
        places = _places(blocks)
        self._style_weight, self._style_bias = _style_of(blocks, places)
        made = {name: _Block(blocks[name], own, precision) for name, own in places.items()}
        self._stages = [
            _Stage(
                noise=in_precision(generator.noise_convs[i], precision),
                noise_block=made[f"noise_res.{i}"],
                upsampling=in_precision(generator.ups[i], precision),
                blocks=[made[f"resblocks.{3 * i + j}"] for j in range(3)],
            )
            for i in range(2)
        ]
        self._last, self._linear = generator.conv_post, generator.m_source.l_linear
        self._sines = generator.m_source.l_sin_gen
        device = self._linear.weight.device
        self._analysis, self._rounding = (tensor.to(device) for tensor in _analysis())
        self._synthesis = _synthesis().to(device)

    def style(self, row: Tensor) -> Tensor:
        """See `Prosody.style`; times alpha."""
        return F.linear(row[:, :128], self._style_weight, self._style_bias).view(2, -1)

    def source(self, pitch: Tensor) -> Tensor:
        """See `Prosody.source`. As in the export it has no noise, so speech comes out the same again."""
        signal = self._harmonics(pitch).view(1, 1, -1)
        edge = STFT_SIZE // 2
        spectrum = F.conv1d(
            F.pad(signal, (edge, edge), "reflect"), self._analysis, self._rounding, stride=STFT_HOP
        )
        real, imaginary = spectrum.chunk(2, 1)
        return torch.cat([torch.hypot(real, imaginary), torch.atan2(imaginary, real)], 1)

    def _harmonics(self, pitch: Tensor) -> Tensor:
        """The sum of the harmonics, (2 * frames, 300).

        A phase is known in the middle of every half frame, and a straight line between two middles. It is
        summed up in double precision, on the processor: not every other device has that.
        """
        sines = self._sines
        numbers = torch.arange(1, sines.dim + 1, device=pitch.device)
        share = pitch[:, None] * numbers / sines.sampling_rate % 1  # of a turn in a sample
        turns = (share.cpu().double().cumsum(0) * HALF_FRAME % 1).float().to(pitch.device)
        growth = share[1:] * HALF_FRAME
        none = growth[:1] * 0
        place = (torch.arange(HALF_FRAME, device=pitch.device) + 0.5) / HALF_FRAME - 0.5
        columns = torch.stack([turns, torch.cat([none, growth]), torch.cat([growth, none])], 2)
        lines = torch.stack([torch.ones_like(place), place.clamp(max=0), place.clamp(min=0)])
        waves = (columns @ (2 * math.pi * lines)).sin_()  # (2 * frames, harmonics, samples)
        summed = torch.einsum("thn,h->tn", waves, self._linear.weight[0] * sines.sine_amp)
        voiced = pitch[:, None] > sines.voiced_threshold
        return torch.tanh(summed * voiced + self._linear.bias)

    def run(self, hidden: Tensor, source: Tensor, adain: Adain, first: int, last: int) -> Tensor:
        """Samples of the frames [first, last), (600 * frames,)."""
        x = self._stages[0].run(F.leaky_relu(hidden, 0.1), source, adain)
        x, source = x[:, :, 20 * first : 20 * last], source[:, :, 120 * first : 120 * last + 1]
        x = self._stages[1].run(F.leaky_relu(x, 0.1), source, adain, lengthen=True)
        level, phase = self._last(F.leaky_relu(x)).split(STFT_BINS, 1)
        level, phase = level.exp(), phase.sin()
        spectrum = torch.cat([level * phase.cos(), level * phase.sin()], 1)
        audio = F.conv_transpose1d(spectrum, self._synthesis, stride=STFT_HOP)
        edge = STFT_SIZE // 2
        return audio[0, 0, edge : edge + FRAME * (last - first)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """One of the two upsamplings, and what is done behind it."""

    noise: nn.Module
    noise_block: _Block
    upsampling: nn.Module
    blocks: list[_Block]

    def run(self, x: Tensor, source: Tensor, adain: Adain, *, lengthen: bool = False) -> Tensor:
        """`lengthen` adds the one step that a spectrum has more than its signal has hops."""
        x = self.upsampling(x)
        x = F.pad(x, (1, 0), "reflect") if lengthen else x
        x += self.noise_block.run(self.noise(source), adain)
        return sum((block.run(x, adain) for block in self.blocks[1:]), self.blocks[0].run(x, adain)) / 3


class _Block:
    """A residual block: three times AdaIN, snake, convolution, AdaIN, snake, convolution."""

    def __init__(self, block: Any, places: list[slice], precision: torch.dtype) -> None:
        """`places` are those of its six AdaINs, as they follow each other."""
        self._parts: list[tuple[slice, nn.Module]] = []
        for place, (conv, alpha) in zip(places, _convs_and_alphas(block), strict=True):
            conv.weight.div_(alpha)  # the snake leaves its result times alpha
            self._parts.append((place, in_precision(conv, precision)))

    def run(self, x: Tensor, adain: Adain) -> Tensor:
        for step in STEPS:
            y = x
            for place, conv in self._parts[2 * step : 2 * step + 2]:
                y = conv(_snake(adain(y, place)))
            x = x + y
        return x


def _snake(u: Tensor) -> Tensor:
    """alpha * (y + sin(alpha * y)² / alpha), for u = alpha * y."""
    sine = u.sin()
    return torch.addcmul(u, sine, sine)


def _convs_and_alphas(block: Any) -> Iterator[tuple[Any, Tensor]]:
    for step in STEPS:
        yield block.convs1[step], block.alpha1[step]
        yield block.convs2[step], block.alpha2[step]


def _adains(block: Any) -> list[Any]:
    return [
        block.adain1[0],
        block.adain2[0],
        block.adain1[1],
        block.adain2[1],
        block.adain1[2],
        block.adain2[2],
    ]


def _places(blocks: dict[str, Any]) -> dict[str, list[slice]]:
    """Which channels of `Prosody.style` and of statistics are whose."""
    places: dict[str, list[slice]] = {name: [] for names in SIBLINGS for name in names}
    end = 0
    for names in SIBLINGS:
        for number in range(6):
            for name in names:
                start, end = end, end + _adains(blocks[name])[number].norm.num_features
                places[name].append(slice(start, end))
    return places


def _style_of(blocks: dict[str, Any], places: dict[str, list[slice]]) -> tuple[Tensor, Tensor]:
    """What makes all gains and biases of a style, times alpha: a matrix and a vector of 2 * channels rows."""
    parts = {}
    for name, own in places.items():
        convs = _convs_and_alphas(blocks[name])
        for place, adain, (_, alpha) in zip(own, _adains(blocks[name]), convs, strict=True):
            rows = torch.cat([adain.fc.weight, adain.fc.bias[:, None]], 1)
            rows = rows.view(2, -1, rows.shape[1])
            rows[0, :, -1] += 1  # the style says how far the gain is from one
            parts[place.start] = rows * alpha.view(-1, 1)
    whole = torch.cat([parts[start] for start in sorted(parts)], 1).flatten(0, 1)
    return whole[:, :-1].contiguous(), whole[:, -1].contiguous()


def _waves() -> tuple[Tensor, Tensor]:
    """Cosines and sines of every bin of a short spectrum, times the window; (bins, samples) each."""
    time = torch.arange(STFT_SIZE, dtype=torch.float64)
    angle = 2 * math.pi / STFT_SIZE * torch.arange(STFT_BINS)[:, None] * time
    sine = angle.sin()
    sine[[0, -1]] = 0  # not 1e-16: its sign would decide between the phases pi and -pi
    window = torch.hann_window(STFT_SIZE, dtype=torch.float64)
    return angle.cos() * window, sine * window


def _analysis() -> tuple[Tensor, Tensor]:
    """A signal's short spectrum as a convolution, real parts before imaginary ones; see `STFT_ROUNDING`."""
    cosine, sine = _waves()
    return torch.cat([cosine, -sine])[:, None].float(), torch.tensor(STFT_ROUNDING).flatten()


def _synthesis() -> Tensor:
    """The way back as a transposed convolution, (2 * bins, 1, samples).

    KModel divides by the sum of the squared windows, which is 1.5 everywhere. The ONNX export does not, so
    its speech is louder by that, and all of this server shall be equally loud.
    """
    cosine, sine = _waves()
    twice = torch.full((STFT_BINS, 1), 2.0)
    twice[[0, -1]] = 1
    return (torch.cat([cosine * twice, -sine * twice]) / STFT_SIZE)[:, None].float()
