"""Computes convolutions with fewer multiplications, on every second or every fourth step apart.

Written for the even and the odd steps of its signal, a convolution is a Toeplitz matrix of two by two smaller
ones: with `same` for the taps at an even distance, and `across` and `back` for those at an odd one,

    even' = same * even + back * odd         odd' = across * even + same * odd

so that four convolutions of half the length do the work of one. Three do as well:

    both  = same * (even + odd)
    even' = both + (back - same) * odd       odd' = both + (across - same) * even

and each of these three can be taken apart once more. The sum is rounded otherwise, nothing else changes. A
chain of residual blocks stays apart from its first to its last convolution: what is done step by step does
not care. Imported only to derive graphs.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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
"""Weights, (outputs, inputs), by the distance in dilations of what they are multiplied with."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Every so many-th step of a signal; of n of them those from `first` to n + `more`, without that one."""

    name: str
    first: int
    more: int


def split_phases(
    model: onnx.ModelProto, entries: Sequence[str], leave: str, *, phases: int = 2, rest: int = 0
) -> None:
    """Compute everything between the tensors `entries` and `leave` in so many phases, in place.

    All are (1, channels, 1, time) with the same time: a multiple of `phases`, which is a power of two, and
    `rest` steps more, and longer than the taps reach. Raises ValueError for operators that cannot
    be taken apart, and for tensors between `entries` and `leave` that are read elsewhere.
    """
    g = Graph(model)
    region = _between(g, entries, leave)
    apart = {*entries, *(name for node in region for name in node.output)}
    _check(g, region, apart - {*entries, leave})
    indices = {"time_axis": 3, "every_nth": phases, "to_the_end": END, "rest": rest - phases}
    indices |= {f"phase_{phase}": phase for phase in range(phases)}
    g.added.update({name: np.array([index]) for name, index in indices.items()})
    for name in entries:
        g.replace(g.producer[name], [g.producer[name], *_taken_apart(name, phases)])
    for node in region:
        if node.op_type == "Conv":
            new = _Apart(g, node, phases, rest).nodes
        else:
            new = [_one(node, apart, phase) for phase in range(phases)]
        if leave in node.output:
            new += _joined(g, leave, phases, rest)
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
                f"{node.op_type} of {node.output[0]} cannot be computed on every so many-th step apart"
            )
    for name in inner:
        if any(id(reader) not in inside for reader in g.consumers[name]):
            raise ValueError(f"{name} is read outside of what shall be taken apart")


def _name(signal: str, phase: int) -> str:
    return f"{signal}/phase_{phase}"


def _phases(signal: str, phases: int, rest: int) -> list[Phase]:
    """Those of a signal with a multiple of `phases` steps and `rest` more."""
    return [Phase(_name(signal, phase), 0, int(phase < rest)) for phase in range(phases)]


def _taken_apart(name: str, phases: int) -> list[NodeProto]:
    return [
        helper.make_node(
            "Slice", [name, f"phase_{phase}", "to_the_end", "time_axis", "every_nth"], [_name(name, phase)]
        )
        for phase in range(phases)
    ]


def _joined(g: Graph, name: str, phases: int, rest: int) -> list[NodeProto]:
    """The steps of the phases in turn."""
    make = helper.make_node
    g.added["one_row"] = np.array([0, 0, 1, -1])
    rows, nodes = [], []
    for phase in _phases(name, phases, rest):
        rows.append(phase.name)
        if rest and not phase.more:
            g.added["one_behind"] = np.array([0, 0, 0, 0, 0, 0, 0, 1])
            rows[-1] += "_padded"
            nodes.append(make("Pad", [phase.name, "one_behind"], [rows[-1]]))
    line = f"{name}/line" if rest else name
    nodes += [
        make("Concat", rows, [f"{name}/rows"], axis=2),
        make("Transpose", [f"{name}/rows"], [f"{name}/columns"], perm=[0, 1, 3, 2]),
        make("Reshape", [f"{name}/columns", "one_row"], [line]),
    ]
    return [*nodes, make("Slice", [line, "phase_0", "rest", "time_axis"], [name])] if rest else nodes


def _one(node: NodeProto, apart: set[str], phase: int) -> NodeProto:
    """An operator that works step by step, for one phase."""
    new = copy.deepcopy(node)
    new.name = _name(node.name, phase) if node.name else ""
    new.input[:] = [_name(name, phase) if name in apart else name for name in node.input]
    new.output[:] = [_name(name, phase) for name in node.output]
    return new


class _Apart:
    """The nodes that compute the phases of a convolution."""

    def __init__(self, g: Graph, node: NodeProto, phases: int, rest: int) -> None:
        taps, self._dilation = _taps(g, node)
        self._leaving, self._entering = taps[0].shape
        self.nodes: list[NodeProto] = []
        self._g, self._out, self._count = g, node.output[0], 0
        x, y = (_phases(name, phases, rest) for name in (node.input[0], node.output[0]))
        self._compute(taps, x, y, node.input[2:])

    def _compute(
        self, taps: Taps, x: Sequence[Phase], wanted: Sequence[Phase], bias: Sequence[str] = ()
    ) -> None:
        """Make the phases `wanted` of what the taps make of the phases `x` (see above).

        Where the dilation d is greater than one, odd distances are an odd number of dilations: the even steps
        are read (d - 1) / 2 of their steps later, so that all taps fall onto one grid.
        """
        if len(x) == 1:
            self._convolve(taps, x[0], wanted[0], bias)
            return
        shift = (self._dilation - 1) // 2
        same = {n // 2: tap for n, tap in taps.items() if n % 2 == 0}
        across = {(n + 1) // 2: tap for n, tap in taps.items() if n % 2}
        back = {n - 1: tap for n, tap in across.items()}
        if not across:
            for half in (0, 1):
                self._compute(same, x[half::2], wanted[half::2], bias)
            return
        even, odd = _later(x[::2], shift), x[1::2]
        results = _later(wanted[::2], shift), wanted[1::2]
        both = [self._new(min(a.first, b.first), max(a.more, b.more)) for a, b in zip(*results, strict=True)]
        self._compute(same, [self._sum(a, b) for a, b in zip(even, odd, strict=True)], both, bias)
        own = (_difference(back, same), odd), (_difference(across, same), even)
        for (difference, signal), result in zip(own, results, strict=True):
            terms = [self._new(phase.first, phase.more) for phase in result]
            self._compute(difference, signal, terms)
            for term, common, phase in zip(terms, both, result, strict=True):
                self._add(term, self._moved(common, phase, self._leaving), phase)

    def _new(self, first: int, more: int) -> Phase:
        self._count += 1
        return Phase(f"{self._out}/part_{self._count}", first, more)

    def _add(self, one: Phase, other: Phase, result: Phase) -> None:
        self.nodes.append(helper.make_node("Add", [one.name, other.name], [result.name]))

    def _sum(self, one: Phase, other: Phase) -> Phase:
        result = self._new(min(one.first, other.first), max(one.more, other.more))
        one, other = (self._moved(term, result, self._entering) for term in (one, other))
        self._add(one, other, result)
        return result

    def _convolve(self, taps: Taps, x: Phase, wanted: Phase, bias: Sequence[str]) -> None:
        at = range(min(taps), max(taps) + 1)
        before = x.first - wanted.first - self._dilation * at[0]
        behind = wanted.more - x.more + self._dilation * at[-1]
        if before < 0 or behind < 0:  # it reaches neither of its own edges
            x = self._moved(x, Phase("", x.first - min(0, before), x.more + min(0, behind)), self._entering)
        weight = f"{wanted.name}/weight"
        self._g.added[weight] = np.stack([taps[n] for n in at], axis=-1)[:, :, None]
        self._conv(
            [x.name, weight, *bias],
            wanted.name,
            kernel_shape=[1, len(at)],
            dilations=[1, self._dilation],
            pads=[0, max(0, before), 0, max(0, behind)],
        )

    def _moved(self, x: Phase, like: Phase, channels: int) -> Phase:
        """`x` from the first to the last step of another phase: with zeros where it has none.

        Computed with one tap a channel: convolutions stay in the layout of those around them, which Pad and
        Slice leave.
        """
        if (x.first, x.more) == (like.first, like.more):
            return x
        before, behind = like.first - x.first, x.more - like.more
        taps = np.eye(1 + max(0, before) + max(0, behind), dtype=np.float32)[max(0, before)]
        name = f"moved_{len(taps)}_{taps.argmax()}_{channels}"
        self._g.added[name] = np.tile(taps, (channels, 1, 1, 1))
        result = self._new(like.first, like.more)
        pads = [0, max(0, -before), 0, max(0, -behind)]
        self._conv([x.name, name], result.name, kernel_shape=[1, len(taps)], pads=pads, group=channels)
        return result

    def _conv(self, inputs: list[str], output: str, **attributes: int | list[int]) -> None:
        node = helper.make_node("Conv", inputs, [output])
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(node)


def _later(signal: Sequence[Phase], steps: int) -> list[Phase]:
    """The phases of a signal that comes some steps later."""
    later = []
    for phase in range(len(signal)):
        turns, same = divmod(phase - steps, len(signal))
        old = signal[same]
        later.append(Phase(old.name, old.first - turns, old.more - turns))
    return later


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
