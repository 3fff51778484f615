"""Rewritten graphs compute what the original ones did."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.graphs import run
from wyoming_tts.onnx_graph import upsamplings_as_convs

INPUTS, CHANNELS = 3, 4


def upsampling(width: int, stride: int) -> onnx.ModelProto:
    """A transposed convolution over (1, INPUTS, 1, steps), as long as its input times the stride."""
    rng = np.random.default_rng(width)
    pad = (width - stride) // 2
    constants = {
        "weight": rng.normal(size=(INPUTS, CHANNELS, 1, width)).astype(np.float32),
        "bias": rng.normal(size=CHANNELS).astype(np.float32),
    }
    node = helper.make_node(
        "ConvTranspose",
        ["x", "weight", "bias"],
        ["y"],
        kernel_shape=[1, width],
        strides=[1, stride],
        pads=[0, pad, 0, pad],
    )
    graph = helper.make_graph(
        [node],
        "upsampling",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, INPUTS, 1, "steps"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize(("width", "stride"), [(20, 10), (12, 6), (4, 2), (3, 1), (5, 5), (9, 3)])
@pytest.mark.parametrize("steps", [1, 2, 7, 40])
def test_an_upsampling_is_a_convolution(width: int, stride: int, steps: int) -> None:
    """The plain convolution gives the same samples, at the edges too."""
    model = upsampling(width, stride)
    x = np.random.default_rng(steps).normal(size=(1, INPUTS, 1, steps)).astype(np.float32)
    expected = run(model, x=x)
    assert expected.shape[3] == steps * stride
    upsamplings_as_convs(model, lambda node: True)
    assert "ConvTranspose" not in {node.op_type for node in model.graph.node}
    np.testing.assert_allclose(run(model, x=x), expected, atol=1e-5)


def test_samples_that_read_the_same_steps_share_a_convolution() -> None:
    """None multiplies with zeros: two steps for each of ten samples, not three."""
    model = upsampling(20, 10)
    upsamplings_as_convs(model, lambda node: True)
    weights = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    taps = [weights[node.input[1]] for node in model.graph.node if node.op_type == "Conv"]
    assert [tap.shape for tap in taps] == [(5 * CHANNELS, INPUTS, 1, 2)] * 2
    assert all(np.all(tap != 0) for tap in taps)


def test_only_chosen_ones_are_rewritten() -> None:
    """What is not chosen stays as it is."""
    model = upsampling(4, 2)
    before = model.SerializeToString()
    upsamplings_as_convs(model, lambda node: False)
    assert [node.op_type for node in model.graph.node] == ["ConvTranspose"]
    assert len(model.SerializeToString()) == len(before)
