"""Computes convolutions with half the multiplications, four outputs at a time (Winograd; Toom and Cook).

Four outputs of a convolution with four taps are coefficients of a product of two polynomials. Known at seven
points, such a product takes one multiplication for each, instead of sixteen:

    outputs = A ((G taps) * (B inputs))

with small constant matrices; G is applied beforehand. More taps are four and four, summed before A (A. Lavin
and S. Gray: Fast Algorithms for Convolutional Neural Networks, CVPR 2016). The sum is rounded otherwise,
nothing else changes. A chain of residual blocks stays apart in four phases, each every fourth step, from its
first to its last convolution: what is done step by step does not care. Imported only to derive graphs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper

from wyoming_tts.onnx_graph import Graph

STEP_BY_STEP = frozenset({"Add", "BatchNormalization", "Div", "LeakyRelu", "Mul", "Round", "Sin", "Sub"})
"""Operators that may stand between the convolutions."""

PHASES = 4
"""How many outputs are computed together; one of each phase."""

POINTS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5)
"""Where the polynomials are evaluated, and at infinity; for three taps all but the last of these."""

END = 2**62
"""An index behind every last one."""

Matrix = NDArray[np.float64]

Taps = Mapping[int, NDArray[np.float32]]
"""Weights, (outputs, inputs), by the distance in dilations of what they are multiplied with."""


def split_phases(model: onnx.ModelProto, entries: Sequence[str], leave: str, *, rest: int = 0) -> None:
    """Compute everything between the tensors `entries` and `leave` in four phases, in place.

    All are (1, channels, 1, time) with the same time: a multiple of four steps, and `rest` steps more.
    Between them a tensor is (4, channels, 1, time / 4). Raises ValueError for operators that cannot be taken
    apart, and for tensors between `entries` and `leave` that are read elsewhere.
    """
    g = Graph(model)
    region = _between(g, entries, leave)
    _check(g, region, {name for node in region for name in node.output} - {leave})
    apart = {name: _apart(name) for name in (*entries, *(name for node in region for name in node.output))}
    _add_constants(g, rest)
    for name in entries:
        g.replace(g.producer[name], [g.producer[name], *_taken_apart(name, rest)])
    for node in region:
        if node.op_type == "Conv":
            new = _Tiles(g, node, rest).nodes
        else:
            new = [onnx.NodeProto()]
            new[0].CopyFrom(node)
            new[0].input[:] = [apart.get(name, name) for name in node.input]
            new[0].output[:] = [apart[name] for name in node.output]
        if leave in node.output:
            new += _joined(leave, rest)
        g.replace(node, new)
    g.commit()


def _apart(name: str) -> str:
    return f"{name}/phases"


def _between(g: Graph, entries: Iterable[str], leave: str) -> list[NodeProto]:
    """The nodes that lead from the entries to `leave`, in graph order."""
    behind = set(entries)
    reached = []
    for node in g.nodes:
        if not behind.isdisjoint(node.input):
            behind.update(node.output)
            reached.append(node)
    wanted, region = {leave}, []
    for node in reversed(reached):
        if not wanted.isdisjoint(node.output):
            wanted.update(node.input)
            region.append(node)
    return region[::-1]


def _check(g: Graph, region: Sequence[NodeProto], inner: set[str]) -> None:
    inside = {id(node) for node in region}
    for node in region:
        if node.op_type not in {*STEP_BY_STEP, "Conv"}:
            raise ValueError(
                f"{node.op_type} of {node.output[0]} cannot be computed on every so many-th step apart"
            )
    for name in inner:
        if any(id(reader) not in inside for reader in g.consumers[name]):
            raise ValueError(f"{name} is read outside of what shall be taken apart")


def _add_constants(g: Graph, rest: int) -> None:
    more = PHASES - rest if rest else 0
    shapes = {"by_phase": [0, 0, -1, PHASES], "in_one_row": [1, 0, 1, -1]}
    g.added.update({name: np.array(shape) for name, shape in shapes.items()})
    g.added["whole_tiles"] = np.array([0, 0, 0, 0, 0, 0, 0, more])
    g.added["rest_behind"] = np.array([-more if more else END])
    g.added["time_axis"], g.added["the_start"] = np.array([3]), np.array([0])


def _taken_apart(name: str, rest: int) -> list[NodeProto]:
    """(1, channels, 1, time) -> (4, channels, 1, time / 4)."""
    make, nodes, whole = helper.make_node, [], name
    if rest:
        whole = f"{name}/whole"
        nodes.append(make("Pad", [name, "whole_tiles"], [whole]))
    return [
        *nodes,
        make("Reshape", [whole, "by_phase"], [f"{name}/columns"]),
        make("Transpose", [f"{name}/columns"], [_apart(name)], perm=[3, 1, 0, 2]),
    ]


def _joined(name: str, rest: int) -> list[NodeProto]:
    """(4, channels, 1, time / 4) -> (1, channels, 1, time)."""
    make = helper.make_node
    row = f"{name}/row" if rest else name
    nodes = [
        make("Transpose", [_apart(name)], [f"{name}/turned"], perm=[2, 1, 3, 0]),
        make("Reshape", [f"{name}/turned", "in_one_row"], [row]),
    ]
    if rest:
        nodes.append(make("Slice", [row, "the_start", "rest_behind", "time_axis"], [name]))
    return nodes


class _Tiles:
    """The nodes of a convolution whose input and output are in phases.

    With the dilation d, the outputs of a tile are d steps apart. As d is odd, each is of another phase.
    """

    def __init__(self, g: Graph, node: NodeProto, rest: int) -> None:
        self._g, self._out, self.nodes = g, node.output[0], list[NodeProto]()
        taps, self._dilation = _taps(g, node)
        width = 3 if len(taps) == 3 else PHASES
        blocks = -(-len(taps) // width)
        channels_out, channels_in = taps[0].shape
        self._before = self._place(PHASES - 1)[1]
        outputs, kernel, inputs = transforms(width)
        self._weights(taps, kernel, blocks, node.input[2:])
        tiles = self._tiles(_apart(node.input[0]), min(taps), len(inputs), blocks, rest)
        values = self._mixed(tiles, "inputs", inputs, [1, len(inputs) * channels_in, 1, -1])
        products = self._add(
            "Conv",
            [values, self._name("weight"), self._name("bias")],
            "products",
            kernel_shape=[1, blocks],
            dilations=[1, self._dilation],
            group=len(inputs),
        )
        results = self._mixed(products, "outputs", outputs, [PHASES, channels_out, 1, -1])
        self._in_phases(results)

    def _name(self, part: str) -> str:
        return f"{self._out}/{part}"

    def _add(self, kind: str, inputs: Sequence[str], part: str, **attributes: Any) -> str:
        node = helper.make_node(kind, list(inputs), [self._name(part)], **attributes)
        self.nodes.append(node)
        return node.output[0]

    def _constant(self, part: str, value: Any) -> str:
        self._g.added[self._name(part)] = np.asarray(value)
        return self._name(part)

    def _place(self, dilations: int) -> tuple[int, int]:
        """Phase of the step so many dilations behind the first of a tile, and its step in there."""
        step, phase = divmod(self._dilation * dilations, PHASES)
        return phase, step

    def _weights(self, taps: Taps, kernel: Matrix, blocks: int, bias: Sequence[str]) -> None:
        width, shape, first = kernel.shape[1], taps[0].shape, min(taps)
        all_taps = np.zeros((blocks * width, *shape))
        for n, tap in taps.items():
            all_taps[n - first] = tap
        weight = np.einsum("pj,bjoi->poib", kernel, all_taps.reshape(blocks, width, *shape))
        self._constant("weight", weight.reshape(-1, shape[1], 1, blocks).astype(np.float32))
        biases = np.zeros((len(kernel), shape[0]), np.float32)
        if bias:  # where the polynomial's value is the sum of its coefficients, and so a part of each output
            biases[POINTS.index(1.0)] = self._g.array(bias[0])
        self._constant("bias", biases.reshape(-1))

    def _tiles(self, x: str, first: int, count: int, blocks: int, rest: int) -> str:
        """What the tiles read, one input of each behind the other, (inputs, channels, 1, tiles)."""
        places = [self._place(first + n) for n in range(count)]
        reach = self._dilation * (blocks - 1)
        before = max(0, self._before - min(step for _, step in places))
        behind = max(0, reach + max(step for _, step in places))
        for phase in range(PHASES):
            missing = int(bool(rest) and phase >= rest)
            row = self._row(x, phase, 0, -missing, f"row_{phase}")
            pads = self._constant(f"pads_{phase}", [0, 0, 0, before, 0, 0, 0, behind + missing])
            self._add("Pad", [row, pads], f"padded_{phase}")
        pieces = []
        for n, (phase, step) in enumerate(places):
            begin = self._constant(f"from_{n}", [before - self._before + step])
            end = self._constant(f"to_{n}", [step + reach - behind or END])
            padded = self._name(f"padded_{phase}")
            pieces.append(self._add("Slice", [padded, begin, end, "time_axis"], f"input_{n}"))
        return self._add("Concat", pieces, "tiles", axis=0)

    def _mixed(self, x: str, key: str, matrix: Matrix, shape: list[int]) -> str:
        """`matrix` times the first axis, in another shape."""
        flat = self._constant(f"{key}_flat", [matrix.shape[1], -1])
        factors = self._constant(f"{key}_matrix", matrix.astype(np.float32))
        rows = self._add("Reshape", [x, flat], f"{key}_rows")
        product = self._add("MatMul", [factors, rows], f"{key}_product")
        return self._add("Reshape", [product, self._constant(f"{key}_shape", shape)], f"{key}_mixed")

    def _in_phases(self, x: str) -> None:
        """The outputs of all tiles, (4, channels, 1, tiles), at their steps."""
        places = [self._place(output) for output in range(PHASES)]
        rows = [
            self._row(x, output, self._before - step, -step, f"output_{output}")
            for output, (_, step) in sorted(enumerate(places), key=lambda place: place[1])
        ]
        self._add("Concat", rows, "phases", axis=0)

    def _row(self, x: str, row: int, begin: int, end: int, part: str) -> str:
        """One row of the first axis, from the step `begin` to `end`, which counts from behind."""
        edges = (("begin", [row, begin]), ("end", [row + 1, end or END]), ("axes", [0, 3]))
        return self._add("Slice", [x, *(self._constant(f"{part}_{key}", at) for key, at in edges)], part)


def transforms(width: int) -> tuple[Matrix, Matrix, Matrix]:
    """A, G and B (see above) for `width` taps: (4, points), (points, width) and (points, points)."""
    count = PHASES + width - 1
    points = np.array(POINTS[: count - 1])
    others = [np.delete(points, i) for i in range(len(points))]
    outputs, kernel, inputs = np.zeros((PHASES, count)), np.zeros((count, width)), np.zeros((count, count))
    for i, (point, rest) in enumerate(zip(points, others, strict=True)):
        outputs[:, i] = point ** np.arange(PHASES)
        kernel[i] = point ** np.arange(width) / np.prod(point - rest)
        inputs[i, : count - 1] = np.poly(rest)[::-1]
    outputs[-1, -1] = kernel[-1, -1] = 1  # at infinity only the highest powers count
    inputs[-1] = np.poly(points)[::-1]
    return outputs, kernel, inputs


def _taps(g: Graph, node: NodeProto) -> tuple[Taps, int]:
    """The taps of a convolution, by their distance in dilations, and its dilation."""
    weight = g.array(node.input[1])
    at = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    (_, dilation), (middle, rest) = at["dilations"], divmod(weight.shape[3], 2)
    reach = middle * dilation
    fits = at["pads"] == [0, reach, 0, reach] and at.get("strides", [1, 1]) == [1, 1] and at["group"] == 1
    if not (fits and rest and middle and dilation % 2):
        raise ValueError(
            f"the convolution of {node.output[0]} cannot be taken apart: it must have an odd number of taps, "
            "three or more, an odd dilation, no stride, no groups, and as many steps out as in"
        )
    return {j - middle: weight[:, :, 0, j] for j in range(weight.shape[3])}, dilation
