"""Runs ONNX graphs that tests make."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray


def run(model: onnx.ModelProto, **feed: NDArray[np.float32]) -> NDArray[Any]:
    """The first output of a graph, by the names of its inputs."""
    return run_all(model, feed)[0]


def run_all(model: onnx.ModelProto, feed: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """All outputs of a graph."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, feed)
