"""Computes convolutions with a fifth fewer multiplications, on even and odd steps apart.

Written for the even and the odd steps of its signal, a convolution is a Toeplitz matrix of two by two smaller
ones: with `same` for the taps at an even distance, and `across` and `back` for those at an odd one,

    even' = same * even + back * odd         odd' = across * even + same * odd

so that four convolutions of half the length do the work of one. Three do as well:

    both  = same * (even + odd)
    even' = both + (back - same) * odd       odd' = both + (across - same) * even

The sum is rounded otherwise, nothing else changes. A chain of residual blocks stays apart from its first to
its last convolution: what is done step by step does not care. Imported only to derive graphs.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper

from wyoming_tts.onnx_graph import Graph

STEP_BY_STEP = frozenset({"Add", "BatchNormalization", "Div", "LeakyRelu", "Mul", "Round", "Sin", "Sub"})
"""Operators that may stand between the convolutions."""

END = 2**62
"""An index behind every last one."""

Taps = Mapping[int, NDArray[np.float32]]
"""Weights, (outputs, inputs), by the distance in steps of what they are multiplied with."""


def split_phases(model: onnx.ModelProto, entries: Sequence[str], leave: str, *, odd: bool = False) -> None:
    """Compute everything between the tensors `entries` and `leave` on even and odd steps apart, in place.

    All are (1, channels, 1, time) with the same time, which is an even number of steps, or with `odd` an odd
    one. Raises ValueError for operators between them that cannot be taken apart, and for tensors between them
    that are read elsewhere.
    """
    g = Graph(model)
    region = _between(g, entries, leave)
    apart = {*entries, *(name for node in region for name in node.output)}
    _check(g, region, apart - {*entries, leave})
    indices = {"time_axis": 3, "every_other": 2, "to_the_end": END, "phase_0": 0, "phase_1": 1}
    g.added.update({name: np.array([index]) for name, index in indices.items()})
    for name in entries:
        g.replace(g.producer[name], [g.producer[name], *_taken_apart(name)])
    for node in region:
        new = _phased_conv(g, node, int(odd)) if node.op_type == "Conv" else _twice(node, apart)
        if leave in node.output:
            new += _joined(g, leave, int(odd))
        g.replace(node, new)
    g.commit()


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
                f"{node.op_type} of {node.output[0]} cannot be computed on even and odd steps apart"
            )
    for name in inner:
        if any(id(reader) not in inside for reader in g.consumers[name]):
            raise ValueError(f"{name} is read outside of what shall be taken apart")


def _phase(name: str, phase: int) -> str:
    return f"{name}/{'odd' if phase else 'even'}"


def _taken_apart(name: str) -> list[NodeProto]:
    """Of a tensor, the even and the odd steps."""
    return [
        helper.make_node(
            "Slice",
            [name, f"phase_{phase}", "to_the_end", "time_axis", "every_other"],
            [_phase(name, phase)],
        )
        for phase in (0, 1)
    ]


def _joined(g: Graph, name: str, odd: int) -> list[NodeProto]:
    """The even and the odd steps in turn."""
    make = helper.make_node
    g.added["one_row"] = np.array([0, 0, 1, -1])
    even, uneven = _phase(name, 0), _phase(name, 1)
    rows = [even, f"{name}/odd_padded" if odd else uneven]
    line = f"{name}/line" if odd else name
    nodes = [
        make("Concat", rows, [f"{name}/rows"], axis=2),
        make("Transpose", [f"{name}/rows"], [f"{name}/columns"], perm=[0, 1, 3, 2]),
        make("Reshape", [f"{name}/columns", "one_row"], [line]),
    ]
    if odd:
        g.added.update({"one_behind": np.array([0, 0, 0, 0, 0, 0, 0, 1]), "but_the_last": np.array([-1])})
        nodes.insert(0, make("Pad", [uneven, "one_behind"], [rows[1]]))
        nodes.append(make("Slice", [line, "phase_0", "but_the_last", "time_axis"], [name]))
    return nodes


def _twice(node: NodeProto, apart: set[str]) -> list[NodeProto]:
    """An operator that works step by step, once for each phase."""
    nodes = []
    for phase in (0, 1):
        new = copy.deepcopy(node)
        new.name = _phase(node.name, phase) if node.name else ""
        new.input[:] = [_phase(name, phase) if name in apart else name for name in node.input]
        new.output[:] = [_phase(name, phase) for name in node.output]
        nodes.append(new)
    return nodes


def _phased_conv(g: Graph, node: NodeProto, odd: int) -> list[NodeProto]:
    """Three convolutions in the place of one (see above).

    Where the dilation d is greater than one, odd distances are an odd number of dilations: the even steps are
    read (d - 1) / 2 half steps later, so that all taps fall onto one grid. `odd` says that there is one even
    step more than odd ones.
    """
    taps, dilation = _taps(g, node)
    leaving, entering = next(iter(taps.values())).shape
    shift = (dilation - 1) // 2
    same = {n * dilation // 2: tap for n, tap in taps.items() if n % 2 == 0}
    across = {(n + 1) * dilation // 2: tap for n, tap in taps.items() if n % 2}
    back = {distance - dilation: tap for distance, tap in across.items()}
    out, x = node.output[0], [_phase(node.input[0], phase) for phase in (0, 1)]
    both, more = f"{out}/both", shift + odd
    nodes: list[NodeProto] = []
    terms = [
        _pad(g, nodes, x[0], (shift, 0), f"{out}/even_term", entering),
        _pad(g, nodes, x[1], (0, more), f"{out}/odd_term", entering),
    ]
    nodes += [
        helper.make_node("Add", terms, [f"{out}/sum"]),
        _conv(g, f"{out}/sum", same, (0, 0), both, node.input[2:]),
        _conv(g, x[1], _difference(back, same), (shift, odd), f"{out}/own_0"),
        _conv(g, x[0], _difference(across, same), (-shift, -odd), f"{out}/own_1"),
    ]
    for phase, steps in enumerate(((shift, 0), (0, more))):
        common = _cut(g, nodes, both, steps, f"{both}_{phase}", leaving)
        nodes.append(helper.make_node("Add", [f"{out}/own_{phase}", common], [_phase(out, phase)]))
    return nodes


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


def _difference(one: Taps, other: Taps) -> Taps:
    nothing = np.zeros_like(next(iter(one.values())))
    return {at: one.get(at, nothing) - other.get(at, nothing) for at in sorted({*one, *other})}


def _conv(
    g: Graph, x: str, taps: Taps, moved: tuple[int, int], output: str, bias: Sequence[str] = ()
) -> NodeProto:
    """A convolution with taps at equal distances; `moved` are the steps it reads later, and has more out."""
    later, longer = moved
    distances = sorted(taps)
    at = [distance + later for distance in distances]
    g.added[f"{output}/weight"] = np.stack([taps[i] for i in distances], axis=-1)[:, :, None]
    return helper.make_node(
        "Conv",
        [x, f"{output}/weight", *bias],
        [output],
        kernel_shape=[1, len(at)],
        dilations=[1, at[1] - at[0] if len(at) > 1 else 1],
        pads=[0, -at[0], 0, at[-1] + longer],
    )


def _pad(g: Graph, nodes: list[NodeProto], x: str, steps: tuple[int, int], output: str, channels: int) -> str:
    """Name of `x` with zeros before and behind: `output`, for which a node is added, or `x` with none."""
    before, behind = steps
    return _moved(g, nodes, x, np.ones(1), [0, before, 0, behind], output, channels) if any(steps) else x


def _cut(g: Graph, nodes: list[NodeProto], x: str, steps: tuple[int, int], output: str, channels: int) -> str:
    """Name of `x` without some steps before and behind: like `_pad`."""
    before, behind = steps
    taps = np.eye(before + behind + 1)[before]
    return _moved(g, nodes, x, taps, [0, 0, 0, 0], output, channels) if any(steps) else x


def _moved(
    g: Graph,
    nodes: list[NodeProto],
    x: str,
    taps: NDArray[np.float64],
    pads: list[int],
    output: str,
    channels: int,
) -> str:
    """One tap a channel: convolutions stay in the layout of those around them, which Pad and Slice leave."""
    name = f"moved_{len(taps)}_{int(taps.argmax())}_{channels}"
    g.added[name] = np.broadcast_to(taps.astype(np.float32), (channels, 1, 1, len(taps)))
    kernel = [1, len(taps)]
    nodes.append(
        helper.make_node("Conv", [x, name], [output], kernel_shape=kernel, pads=pads, group=channels)
    )
    return output
