"""Eight-bit integers for those convolutions of the generator that bear it.

A processor with dot products of bytes multiplies integers three to four times as fast as floats. One that
only adds pairs of such products is still faster, if weights have seven bits and no sum saturates. With the
norms' statistics given, the range of every activation is known beforehand, so scales are constants and
nothing is measured while speaking. Each channel has a scale of its own: on the way in it is multiplied in
before rounding and taken out of the weights, on the way out it is the other way round; only so are the quiet
channels kept.

Almost all of the generator bears it, and so does the trunk before it. What does not is left out: the
beginning of the widest block next to the waveform, where sums of 1,408 rounded products are heard (PESQ falls
by 0.1), that of the trunk's first block, whose channels differ too much (pitch in Hertz beside features near
one; by 0.07), what predicts the pitch (by 0.3), and the upsampling, which everything else stands on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper

from wyoming_tts.backends.kokoro_ranges import Ranges
from wyoming_tts.onnx_graph import Graph

SITES = re.compile(
    r"/(?:decoder/decoder/(?:generator/)?|encoder/(?:text_encoder/)?)("
    r"(?:noise_res\.[01]|resblocks\.[0-4])/convs[12]\.\d|resblocks\.5/convs[12]\.[12]"
    r"|decode\.[0-3]/conv(?:1|2|1x1)|encode/conv2|N\.\d/conv[12]|cnn\.\d/cnn\.\d\.0"
    r")/Conv_output_0(?:_out)?"
)
"""Outputs of the convolutions that become integer ones: in the generator, the trunk and the prosody."""

SIDE_BY_SIDE = re.compile(r"cnn|N\.0/conv1")
"""Sites behind operators that lay a token's or a frame's channels side by side.

There ONNX Runtime rounds one number after the other if each channel has a scale of its own. Multiplied
before, all have the same, and that is ten times as fast.
"""

ZERO = 128
"""The byte that stands for zero where there is but one for all channels."""


def site_of(node: NodeProto) -> str | None:
    """The site of a convolution that can become an integer one."""
    match = SITES.fullmatch(node.output[0]) if node.op_type == "Conv" else None
    return match[1] if match else None


@dataclass(frozen=True, slots=True)
class Grid:
    """How one tensor's channels are rounded to bytes: value = (byte - zero) * scale."""

    scale: NDArray[np.float64]
    """One a channel, (channels,)."""

    zero: NDArray[np.uint8]
    """One a channel, (channels,)."""

    @classmethod
    def over(cls, low: NDArray[np.float32], high: NDArray[np.float32], *, common: bool = False) -> Grid:
        """The finest grid that holds zero and every channel's range; with one zero for all if `common`."""
        lowest, highest = np.minimum(low, -1e-6).astype(np.float64), np.maximum(high, 1e-6).astype(np.float64)
        if not common:
            return cls._with(np.rint(-lowest / (highest - lowest) * 255), lowest, highest)
        grids = (cls._with(np.full(len(lowest), zero), lowest, highest) for zero in range(16, 240))
        return min(grids, key=lambda grid: float(np.log(grid.scale).mean()))

    @classmethod
    def _with(cls, zero: NDArray[Any], low: NDArray[np.float64], high: NDArray[np.float64]) -> Grid:
        zero = np.clip(zero, 1, 254)
        return cls(np.maximum(high / (255 - zero), -low / zero), zero.astype(np.uint8))


def quantize(model: onnx.ModelProto, ranges: Ranges, bits: int = 8) -> None:
    """Turn the convolutions that `ranges` knows into integer ones, in place; all are two-dimensional.

    `bits` are those of a weight. With seven, the sum of two products fits into sixteen.
    """
    g = Graph(model)
    for node in g.nodes:
        site = site_of(node)
        if site is not None and site in ranges:
            g.replace(node, _quantized(g, node, site, ranges[site], bits))
    g.commit()


def _quantized(
    g: Graph, node: NodeProto, site: str, limits: NDArray[np.float32], bits: int
) -> list[NodeProto]:
    weight = g.array(node.input[1]).astype(np.float64)
    before, behind = np.split(limits, [weight.shape[1]], axis=1)
    entering, leaving = Grid.over(*before, common=True), Grid.over(*behind)
    weight *= entering.scale.reshape(1, -1, 1, 1)
    bias = g.array(node.input[2]).astype(np.float64) if len(node.input) > 2 else np.zeros(len(weight))
    smallest = np.maximum(np.abs(bias), 1e-6) / 2**30  # channels without weights still have a bias
    unit = np.maximum(np.abs(weight).max(axis=(1, 2, 3)) / (2 ** (bits - 1) - 1), smallest)
    # The product knows one zero for all channels. What others differ by is constant and goes into the bias,
    # but not on the way in, where the signal is padded with zeros, too.
    bias = bias / unit + (leaving.zero.astype(int) - ZERO) * leaving.scale / unit
    constants = {
        "one": np.float32(1),
        "zero": np.uint8(ZERO),
        "in": entering.scale.astype(np.float32),
        "per_unit": (1 / entering.scale).reshape(1, -1, 1, 1).astype(np.float32),
        "in_zero": entering.zero[0],
        "in_zeros": entering.zero,
        "weight": np.rint(weight / unit.reshape(-1, 1, 1, 1)).astype(np.int8),
        "unit": (unit / leaving.scale).astype(np.float32),
        "weight_zero": np.zeros(len(unit), np.int8),
        "bias": np.rint(bias).astype(np.int32),
        "out": leaving.scale.astype(np.float32),
        "out_zeros": leaving.zero,
    }
    names = {key: f"{site}/{key}" for key in constants}
    g.added.update({names[key]: np.asarray(value) for key, value in constants.items()})

    def make(kind: str, inputs: list[str], output: str, **attributes: Any) -> NodeProto:
        return helper.make_node(kind, [names.get(name, name) for name in inputs], [output], **attributes)

    q, r = f"{site}/bytes", f"{site}/result"
    product = make(
        "QLinearConv",
        [q, "one", "in_zero", "weight", "unit", "weight_zero", "one", "zero", "bias"],
        r,
    )
    product.attribute.extend(node.attribute)
    if SIDE_BY_SIDE.match(site):
        rounding = [
            make("Mul", [node.input[0], "per_unit"], f"{site}/units"),
            make("QuantizeLinear", [f"{site}/units", "one", "in_zero"], q),
        ]
    else:
        rounding = [make("QuantizeLinear", [node.input[0], "in", "in_zeros"], q, axis=1)]
    return [
        *rounding,
        product,
        make("DequantizeLinear", [r, "out", "out_zeros"], node.output[0], axis=1),
    ]


def expose_activations(model: onnx.ModelProto) -> list[str]:
    """Make the inputs and outputs of every site outputs of the graph; returns the sites, two outputs each."""
    sites = []
    for node in model.graph.node:
        site = site_of(node)
        if site is not None:
            sites.append(site)
            for name in (node.input[0], node.output[0]):
                port = helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
                model.graph.output.append(port)
    return sites
