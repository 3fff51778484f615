"""Eight-bit integers for those convolutions of the generator that bear it.

A processor with dot products of bytes multiplies integers three to four times as fast as floats. With the
norms' statistics given, the range of every activation is known beforehand, so scales are constants and
nothing is measured while speaking. Each channel has a scale of its own: on the way in it is multiplied in
before rounding and taken out of the weights, on the way out it is the other way round; only so are
the quiet channels kept.

The branch of the harmonic source and the first stage of residual blocks bear it almost unheard; the second
stage, next to the waveform, does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper

from wyoming_tts.backends.kokoro_ranges import Ranges
from wyoming_tts.onnx_graph import Graph

SITES = re.compile(
    r"/decoder/decoder/generator/(noise_res\.[01]|resblocks\.[012])/(convs[12]\.\d)/Conv_output_0"
)
"""Outputs of the convolutions that become integer ones."""


def site_of(node: NodeProto) -> str | None:
    """The site of a convolution that can become an integer one."""
    match = SITES.fullmatch(node.output[0]) if node.op_type == "Conv" else None
    return f"{match[1]}/{match[2]}" if match else None


@dataclass(frozen=True, slots=True)
class Grid:
    """How one tensor's channels are rounded to bytes: value = (byte - zero) * scale."""

    scale: NDArray[np.float64]
    """One a channel, (channels,)."""

    zero: int
    """The same for all channels, since integer convolutions know but one."""

    @classmethod
    def over(cls, low: NDArray[np.float32], high: NDArray[np.float32]) -> Grid:
        """The finest grid that holds [low, high] of every channel, and zero."""
        low, high = np.minimum(low, -1e-6), np.maximum(high, 1e-6)
        grids = [cls(np.maximum(high / (255.0 - zero), -low / zero), zero) for zero in range(16, 240)]
        return min(grids, key=lambda grid: float(np.log(grid.scale).mean()))


def quantize(generator: onnx.ModelProto, ranges: Ranges) -> None:
    """Turn the convolutions that `ranges` knows into integer ones, in place (four-dimensional graph)."""
    g = Graph(generator)
    for node in g.nodes:
        site = site_of(node)
        if site is not None and site in ranges:
            g.replace(node, _quantized(g, node, site, ranges[site]))
    g.commit()


def _quantized(g: Graph, node: NodeProto, site: str, limits: NDArray[np.float32]) -> list[NodeProto]:
    entering, leaving = Grid.over(*limits[:2]), Grid.over(*limits[2:])
    weight = g.array(node.input[1]).astype(np.float64) * entering.scale.reshape(1, -1, 1, 1)
    bias = g.array(node.input[2]).astype(np.float64)
    smallest = np.maximum(np.abs(bias), 1e-6) / 2**30  # channels without weights still have a bias
    unit = np.maximum(np.abs(weight).max(axis=(1, 2, 3)) / 127, smallest)
    constants = {
        "one": np.float32(1),
        "in": (1 / entering.scale).reshape(1, -1, 1, 1).astype(np.float32),
        "in_zero": np.uint8(entering.zero),
        "weight": np.rint(weight / unit.reshape(-1, 1, 1, 1)).astype(np.int8),
        "unit": (unit / leaving.scale).astype(np.float32),
        "weight_zero": np.zeros(len(unit), np.int8),
        "bias": np.rint(bias / unit).astype(np.int32),
        "out": leaving.scale.reshape(1, -1, 1, 1).astype(np.float32),
        "out_zero": np.uint8(leaving.zero),
    }
    names = {key: f"{site}/{key}" for key in constants}
    g.added.update({names[key]: np.asarray(value) for key, value in constants.items()})

    def make(kind: str, inputs: list[str], output: str) -> NodeProto:
        return helper.make_node(kind, [names.get(name, name) for name in inputs], [output])

    x, q, r, y = (f"{site}/{step}" for step in ("scaled", "bytes", "result", "rescaled"))
    product = make(
        "QLinearConv",
        [q, "one", "in_zero", "weight", "unit", "weight_zero", "one", "out_zero", "bias"],
        r,
    )
    product.attribute.extend(node.attribute)
    return [
        make("Mul", [node.input[0], "in"], x),
        make("QuantizeLinear", [x, "one", "in_zero"], q),
        product,
        make("DequantizeLinear", [r, "one", "out_zero"], y),
        make("Mul", [y, "out"], node.output[0]),
    ]


def expose_activations(generator: onnx.ModelProto) -> list[str]:
    """Make the inputs and outputs of every site outputs of the graph; returns the sites, two outputs each."""
    sites = []
    for node in generator.graph.node:
        site = site_of(node)
        if site is not None:
            sites.append(site)
            for name in (node.input[0], node.output[0]):
                port = helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
                generator.graph.output.append(port)
    return sites
