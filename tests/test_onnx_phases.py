"""Convolutions of four outputs at a time are the same convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from tests.graphs import run
from wyoming_tts.onnx_phases import split_phases, transforms

CHANNELS = 3


def model_of(nodes: Sequence[NodeProto], constants: dict[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """A graph from `x` and `more`, (1, CHANNELS, 1, steps), to `y`; `x` and `more` come of it doubled."""
    doubled = [helper.make_node("Add", [name, name], [f"{name}_twice"]) for name in ("x", "more")]
    graph = helper.make_graph(
        [*doubled, *nodes],
        "chain",
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, CHANNELS, 1, "steps"])
            for name in ("x", "more")
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, CHANNELS, 1, "steps"])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def conv(x: str, y: str, width: int, dilation: int, weight: str, **changed: Any) -> NodeProto:
    reach = width // 2 * dilation
    attributes: dict[str, Any] = {
        "kernel_shape": [1, width],
        "dilations": [1, dilation],
        "strides": [1, 1],
        "pads": [0, reach, 0, reach],
        "group": 1,
    }
    return helper.make_node("Conv", [x, weight, "bias"], [y], **{**attributes, **changed})


def residual(width: int, dilation: int) -> onnx.ModelProto:
    """A block as Kokoro's generator has them, with a second signal added and a convolution behind."""
    rng = np.random.default_rng(width * dilation)
    shape = (CHANNELS, CHANNELS, 1, width)
    constants = {
        "first": rng.normal(size=shape).astype(np.float32),
        "last": rng.normal(size=shape).astype(np.float32),
        "bias": rng.normal(size=CHANNELS).astype(np.float32),
        "third": np.array(3, np.float32),
    }
    make = helper.make_node
    nodes = [
        make("Add", ["x_twice", "more_twice"], ["sum"]),
        make("Sin", ["sum"], ["sine"]),
        conv("sine", "own", width, dilation, "first"),
        make("Add", ["own", "sum"], ["block"]),
        make("Div", ["block", "third"], ["mean"]),
        make("LeakyRelu", ["mean"], ["kept"]),
        conv("kept", "end", width, 1, "last"),
        make("Mul", ["end", "end"], ["y"]),
    ]
    return model_of(nodes, constants)


def answer(model: onnx.ModelProto, steps: int) -> NDArray[np.float32]:
    """What the graph makes of noise, the same for the same number of steps."""
    rng = np.random.default_rng(steps)
    x, more = rng.normal(size=(2, 1, CHANNELS, 1, steps)).astype(np.float32)
    return run(model, x=x, more=more)


def multiplications(model: onnx.ModelProto) -> int:
    """Of all convolutions for a step of what each makes."""
    sizes = {tensor.name: int(np.prod(tensor.dims)) for tensor in model.graph.initializer}
    return sum(sizes[node.input[1]] for node in model.graph.node if node.op_type == "Conv")


@pytest.mark.parametrize("steps", [4, 5, 12, 14, 40, 41, 43])
@pytest.mark.parametrize("dilation", [1, 3, 5])
@pytest.mark.parametrize("width", [3, 5, 7, 11])
def test_the_same_is_computed(width: int, dilation: int, steps: int) -> None:
    """For any taps, up to the edges, and for signals shorter than the taps reach."""
    model = residual(width, dilation)
    expected = answer(model, steps)
    split_phases(model, ["x_twice", "more_twice"], "end", rest=steps % 4)
    onnx.checker.check_model(model)
    np.testing.assert_allclose(answer(model, steps), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("width", "share"), [(3, 6 / 12), (7, 14 / 28), (11, 21 / 44)])
def test_fewer_multiplications(width: int, share: float) -> None:
    """What it is for."""
    model = residual(width, 3)
    whole = multiplications(model)
    split_phases(model, ["x_twice", "more_twice"], "end")
    assert multiplications(model) / 4 == pytest.approx(share * whole)


@pytest.mark.parametrize("width", [3, 4])
def test_the_transforms_are_a_convolution(width: int) -> None:
    """Four outputs from as many inputs as they look at, for any taps."""
    outputs, kernel, inputs = transforms(width)
    rng = np.random.default_rng(width)
    taps, x = rng.normal(size=width), rng.normal(size=width + 3)
    np.testing.assert_allclose(
        outputs @ ((kernel @ taps) * (inputs @ x)), np.correlate(x, taps, "valid"), atol=1e-12
    )


def test_only_what_is_between_is_taken_apart() -> None:
    """What comes before and behind stays as it was."""
    model = residual(3, 1)
    split_phases(model, ["sum"], "block")
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("LeakyRelu") == 1
    assert kinds.count("Sin") == 1
    assert kinds.count("Conv") == 2
    assert kinds.count("MatMul") == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"pads": [0, 0, 0, 2]},
        {"strides": [1, 2]},
        {"dilations": [1, 2], "pads": [0, 2, 0, 2]},
    ],
)
def test_other_convolutions_are_refused(changed: dict[str, Any]) -> None:
    """By name, and with what would be right."""
    weight = np.ones((CHANNELS, CHANNELS, 1, 3), np.float32)
    nodes = [conv("x_twice", "y", 3, 1, "weight", **changed)]
    model = model_of(nodes, {"weight": weight, "bias": np.zeros(CHANNELS, np.float32)})
    with pytest.raises(ValueError, match=r"convolution of y cannot .* odd dilation, no stride"):
        split_phases(model, ["x_twice"], "y")


def test_what_looks_beside_a_step_is_refused() -> None:
    """A softmax over time is no matter of single steps."""
    model = model_of([helper.make_node("Softmax", ["x_twice"], ["y"], axis=3)], {})
    with pytest.raises(ValueError, match="Softmax of y"):
        split_phases(model, ["x_twice"], "y")


def test_what_is_read_elsewhere_is_refused() -> None:
    """It would be missing there."""
    model = residual(3, 1)
    model.graph.output.append(helper.make_tensor_value_info("again", TensorProto.FLOAT, None))
    model.graph.node.append(helper.make_node("Add", ["sine", "sine"], ["again"]))
    with pytest.raises(ValueError, match="sine is read outside"):
        split_phases(model, ["sum"], "end")
