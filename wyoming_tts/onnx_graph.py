"""Rewriting ONNX graphs: find, replace and extract nodes; dequantise; convolutions in two dimensions.

Imported only to derive graphs, never while speaking.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

Port = tuple[str, int, Sequence[int | str] | None]
"""Name, element type and shape of a graph input or output."""


class Graph:
    """An ONNX graph with its producers, consumers and constants by name, to be rewritten in place."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.graph = model.graph
        self.nodes = list(model.graph.node)  # held, so that id() stays valid
        self.constants = {tensor.name: tensor for tensor in model.graph.initializer}
        self.producer = {name: node for node in self.nodes for name in node.output}
        self.consumers: dict[str, list[NodeProto]] = defaultdict(list)
        for node in self.nodes:
            for name in node.input:
                self.consumers[name].append(node)
        self.replaced: dict[int, list[NodeProto]] = {}
        self.head: list[NodeProto] = []
        """Nodes to put before all others."""
        self.added: dict[str, np.ndarray] = {}
        """New or changed constants."""

    def array(self, name: str) -> np.ndarray:
        """The value of a constant, original or added."""
        return self.added[name] if name in self.added else numpy_helper.to_array(self.constants[name])

    def is_constant(self, name: str) -> bool:
        """Whether `name` is an initialiser or an added constant."""
        return name in self.constants or name in self.added

    def only(self, name: str) -> NodeProto:
        """The single consumer of a tensor."""
        (node,) = self.consumers[name]
        return node

    def replace(self, node: NodeProto, new: Sequence[NodeProto]) -> None:
        """Put `new` where `node` stands."""
        self.replaced[id(node)] = list(new)

    def drop(self, nodes: Iterable[NodeProto]) -> None:
        """Remove nodes whose outputs nobody will read any more."""
        for node in nodes:
            self.replaced.setdefault(id(node), [])

    def commit(self) -> None:
        """Write the changes into the model; what does not reach an output any more goes."""
        nodes = self.head + [new for node in self.nodes for new in self.replaced.get(id(node), [node])]
        needed, kept = {output.name for output in self.graph.output}, []
        for node in reversed(nodes):
            if any(name in needed for name in node.output):
                kept.append(node)
                needed.update(node.input)
        tensors = [t for t in self.graph.initializer if t.name in needed and t.name not in self.added]
        tensors += [numpy_helper.from_array(v, k) for k, v in self.added.items() if k in needed]
        del self.graph.node[:], self.graph.initializer[:]
        self.graph.node.extend(reversed(kept))
        self.graph.initializer.extend(tensors)


def dequantize(model: onnx.ModelProto, keep: Callable[[NodeProto], bool] = lambda node: False) -> None:
    """Turn the dynamically quantised operators of an int8 export into float ones, but those to `keep`."""
    g = Graph(model)
    for node in g.nodes:
        if keep(node):
            continue
        if node.op_type in ("ConvInteger", "MatMulInteger"):
            _dequantize_product(g, node)
        elif node.op_type == "DynamicQuantizeLSTM":
            _dequantize_lstm(g, node)
        elif node.op_type == "DequantizeLinear":
            _dequantize_embedding(g, node)
    g.commit()


def _dequantize_product(g: Graph, node: NodeProto) -> None:
    """DynamicQuantizeLinear, ConvInteger or MatMulInteger, Cast, Mul -> Conv or MatMul."""
    x, bias = g.producer[node.input[0]].input[0], []
    current = g.only(node.output[0])
    dropped = [node, current]
    if current.op_type == "Add":  # the bias was quantised too; its float original still stands in the graph
        reshape = g.producer[current.input[1]]
        divide = g.producer[g.producer[g.producer[reshape.input[0]].input[0]].input[0]]
        bias = [divide.input[0]]
        current = g.only(current.output[0])
        dropped.append(current)
    rescale = g.only(current.output[0])
    scales = g.producer[next(i for i in rescale.input if i != current.output[0])]
    w_scale = next(i for i in scales.input if g.is_constant(i))
    name = node.input[1] + "_f"
    weight = g.array(node.input[1]).astype(np.float32) - g.array(node.input[3]).astype(np.float32)
    g.added[name] = (weight * g.array(w_scale)).astype(np.float32)
    kind = "Conv" if node.op_type == "ConvInteger" else "MatMul"
    new = helper.make_node(kind, [x, name, *bias], list(rescale.output), node.name + "_f")
    if kind == "Conv":
        new.attribute.extend(node.attribute)
    g.drop(dropped)
    g.replace(rescale, [new])


def _dequantize_lstm(g: Graph, node: NodeProto) -> None:
    names = []
    for quantized, scale_at, zero_at in ((1, 8, 9), (2, 10, 11)):
        scale, zero = (g.array(node.input[i]).astype(np.float32) for i in (scale_at, zero_at))
        scale, zero = (a.reshape(a.shape[0], 1, -1) if a.size > 1 else a for a in (scale, zero))
        weight = (g.array(node.input[quantized]).astype(np.float32) - zero) * scale
        names.append(node.input[quantized] + "_f")
        g.added[names[-1]] = np.ascontiguousarray(weight.transpose(0, 2, 1))
    inputs = [node.input[0], *names, *node.input[3:7]]
    new = helper.make_node("LSTM", inputs, list(node.output), node.name + "_f")
    kept = ("direction", "hidden_size", "input_forget")
    new.attribute.extend(a for a in node.attribute if a.name in kept)
    g.replace(node, [new])


def _dequantize_embedding(g: Graph, node: NodeProto) -> None:
    gather = g.producer[node.input[0]]
    name = gather.input[0] + "_f"
    table = g.array(gather.input[0]).astype(np.float32) - g.array(node.input[2]).astype(np.float32)
    g.added[name] = (table * g.array(node.input[1])).astype(np.float32)
    new = helper.make_node("Gather", [name, gather.input[1]], list(node.output), node.name + "_f")
    new.attribute.extend(gather.attribute)
    g.drop([gather])
    g.replace(node, [new])


def extract(model: onnx.ModelProto, inputs: Sequence[Port], outputs: Sequence[Port]) -> onnx.ModelProto:
    """The part of the graph between `inputs` and `outputs`, as a model of its own."""
    g = Graph(model)
    stop = {name for name, _, _ in inputs}
    seen: set[str] = set()
    wanted: set[int] = set()
    stack = [name for name, _, _ in outputs]
    while stack:
        name = stack.pop()
        if name and name not in stop and name not in seen:
            seen.add(name)
            if name in g.producer:
                wanted.add(id(g.producer[name]))
                stack += g.producer[name].input
    part = helper.make_model(
        helper.make_graph(
            [n for n in g.nodes if id(n) in wanted],
            "part",
            [helper.make_tensor_value_info(*port) for port in inputs],
            [helper.make_tensor_value_info(*port) for port in outputs],
            [t for t in model.graph.initializer if t.name in seen],
        ),
        opset_imports=model.opset_import,
    )
    part.ir_version = model.ir_version
    return part


def load_float(data: bytes, keep: Callable[[NodeProto], bool] = lambda node: False) -> onnx.ModelProto:
    """Parse an int8, float16 or float32 export into a float32 model. Raises ValueError on other bytes."""
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # protobuf's errors have no common base that is public
        raise ValueError(f"not an ONNX file: {error}") from error
    if any(node.op_type in ("ConvInteger", "MatMulInteger") for node in model.graph.node):
        dequantize(model, keep)
    widen(model)
    return model


def widen(model: onnx.ModelProto) -> None:
    """Turn float16 constants, casts and ports into float32 ones, in place."""
    half, single = TensorProto.FLOAT16, TensorProto.FLOAT
    for tensor in model.graph.initializer:
        if tensor.data_type == half:
            tensor.CopyFrom(_widened(tensor))
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == half:
                attribute.i = single
            elif attribute.HasField("t") and attribute.t.data_type == half:
                attribute.t.CopyFrom(_widened(attribute.t))
    del model.graph.value_info[:]
    for port in [*model.graph.input, *model.graph.output]:
        if port.type.tensor_type.elem_type == half:
            port.type.tensor_type.elem_type = single


def _widened(tensor: TensorProto) -> TensorProto:
    return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name)


def convs_2d(model: onnx.ModelProto) -> None:
    """Express 1-D convolutions as height-one 2-D ones, which have blocked kernels on CPUs, in place."""
    g = Graph(model)
    g.added["height_axis"] = np.array([2], np.int64)
    for node in g.nodes:
        if node.op_type == "Conv" and g.is_constant(node.input[1]) and g.array(node.input[1]).ndim == 3:
            out = node.output[0]
            conv = _conv_2d(g, node)
            conv.input[0], conv.output[0] = out + "_in", out + "_out"
            add = helper.make_node("Unsqueeze", [node.input[0], "height_axis"], [out + "_in"])
            take = helper.make_node("Squeeze", [out + "_out", "height_axis"], [out])
            g.replace(node, [add, conv, take])
    g.commit()


def four_dimensional(model: onnx.ModelProto) -> None:
    """Give every tensor of a convolutional graph a height of one: (1, channels, 1, time), in place.

    Like `convs_2d` without the reshaping around each convolution, for graphs that hold nothing but
    convolutions, paddings and element-wise operators along channels and time.
    """
    g = Graph(model)
    for node in g.nodes:
        if node.op_type in ("Conv", "ConvTranspose"):
            g.replace(node, [_conv_2d(g, node)])
        elif node.op_type == "Pad":
            before, after = np.split(g.array(node.input[1]), 2)
            g.added[node.input[1]] = np.concatenate([np.insert(p, 2, 0) for p in (before, after)])
    g.commit()
    _add_height(model)


def _conv_2d(g: Graph, node: NodeProto) -> NodeProto:
    """The two-dimensional twin of a convolution, between the same tensors."""
    weight = node.input[1] + "_2d"
    g.added[weight] = np.ascontiguousarray(g.array(node.input[1])[:, :, None, :])
    at = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    before, after = at.get("pads", [0, 0])
    return helper.make_node(
        node.op_type,
        [node.input[0], weight, *node.input[2:]],
        [node.output[0]],
        kernel_shape=[1, g.added[weight].shape[3]],
        dilations=[1, *at.get("dilations", [1])],
        strides=[1, *at.get("strides", [1])],
        pads=[0, before, 0, after],
        group=at.get("group", 1),
    )


def upsamplings_as_convs(model: onnx.ModelProto, choose: Callable[[NodeProto], bool]) -> None:
    """Compute transposed convolutions of a four-dimensional graph by plain ones, in place.

    Each of the `stride` samples between two steps becomes a channel of its own, and the channels are then
    laid one behind the other. Those that read the same steps share a convolution. ONNX Runtime sums a
    transposed convolution in another order for short inputs than for long ones, so that what is rounded
    behind it would depend on the window. Expects paddings that make the output `stride` times as long as the
    input, and no groups.
    """
    g = Graph(model)
    for node in g.nodes:
        if node.op_type == "ConvTranspose" and choose(node):
            g.replace(node, _upsampling(g, node))
    g.commit()


def _upsampling(g: Graph, node: NodeProto) -> list[NodeProto]:
    make, out = helper.make_node, node.output[0]
    at = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    stride, pad = at["strides"][1], at["pads"][1]
    weight, bias = g.array(node.input[1])[:, :, 0], g.array(node.input[2])
    inputs, channels, width = weight.shape

    def reach(phase: int) -> tuple[int, int]:
        """The first and the last step that a sample reads, counted from the one before it."""
        return min(0, -((width - 1 - phase - pad) // stride)), max(0, (phase + pad) // stride)

    nodes, rows = [], []
    for (first, last), some in itertools.groupby(range(stride), reach):
        phases = list(some)
        taps = np.zeros((channels, len(phases), inputs, last - first + 1), np.float32)
        for row, phase in enumerate(phases):
            for tap in range(first, last + 1):
                index = phase + pad - stride * tap
                if 0 <= index < width:
                    taps[:, row, :, tap - first] = weight[:, :, index].T
        name = f"{out}_{phases[0]}"
        g.added[f"{name}_weight"] = taps.reshape(channels * len(phases), inputs, 1, -1)
        g.added[f"{name}_bias"] = np.repeat(bias, len(phases))
        g.added[f"{name}_shape"] = np.array([1, channels, len(phases), -1], np.int64)
        conv = make(
            "Conv",
            [node.input[0], f"{name}_weight", f"{name}_bias"],
            [f"{name}_stacked"],
            kernel_shape=[1, last - first + 1],
            pads=[0, -first, 0, last],
        )
        nodes += [conv, make("Reshape", [f"{name}_stacked", f"{name}_shape"], [f"{name}_apart"])]
        rows.append(f"{name}_apart")
    g.added[f"{out}_line"] = np.array([1, channels, 1, -1], np.int64)
    return [
        *nodes,
        make("Concat", rows, [f"{out}_apart"], axis=2),
        make("Transpose", [f"{out}_apart"], [f"{out}_turned"], perm=[0, 1, 3, 2]),
        make("Reshape", [f"{out}_turned", f"{out}_line"], [out]),
    ]


def _add_height(model: onnx.ModelProto) -> None:
    """Unsqueeze every input that has a time, and squeeze every output."""
    graph, suffix = model.graph, "_2d"
    inputs = [p.name for p in graph.input if len(p.type.tensor_type.shape.dim) == 3]
    outputs = [p.name for p in graph.output]
    for node in graph.node:
        node.input[:] = [name + suffix if name in inputs else name for name in node.input]
        node.output[:] = [name + suffix if name in outputs else name for name in node.output]
    nodes = [helper.make_node("Unsqueeze", [name, "height_axis"], [name + suffix]) for name in inputs]
    nodes += list(graph.node)
    nodes += [helper.make_node("Squeeze", [name + suffix, "height_axis"], [name]) for name in outputs]
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.append(numpy_helper.from_array(np.array([2], np.int64), "height_axis"))
