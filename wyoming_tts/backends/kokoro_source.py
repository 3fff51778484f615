"""The harmonic source of the exported Kokoro graph, rewritten to be made in half the time.

The pitch says what the voice's nine harmonics are in every sample: sines whose phases are sums of the pitch,
known at every half frame and interpolated in between, weighted and summed, and of that a short spectrum. The
export repeats and interpolates sample by sample and harmonic by harmonic; here a product with three columns
does it. Imported only to derive graphs.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from wyoming_tts.onnx_graph import Graph

GENERATOR = "/decoder/decoder/generator/"
PITCH_STEPS = f"{GENERATOR}f0_upsamp/Resize_output_0"
SINES = f"{GENERATOR}m_source/l_sin_gen/"
SOURCE_SIGNAL = f"{GENERATOR}Transpose_1_output_0"
"""The sum of the harmonics, (1, 1, samples), before its spectrum is taken."""

HALF_FRAME = 300
"""Samples for each of which the pitch has a value."""

STFT_SIZE, STFT_HOP = 20, 5
STFT_BINS = STFT_SIZE // 2 + 1

STFT_ROUNDING = (
    (1.9e-8, 5.6e-9, -2.2e-8, -2.2e-8, 4.6e-8, -3.9e-8, 8.3e-8, -7.4e-8, 2.7e-9, -7.9e-8, 3.1e-9),
    (1.3e-7, -1.6e-7, 1.7e-8, -3.5e-8, 4.6e-8, -6.3e-8, 1.5e-8, 1.6e-8, -1.2e-8, 3.4e-8, -1.3e-7),
)
"""Real and imaginary rounding error of the STFT operator (ONNX Runtime, x86-64) where the voice is silent.

The harmonic source is constant there, so most bins are zero but for rounding, and their phase, which the
generator reads, is the phase of the rounding error. Adding the same error keeps that phase as it was: the
sentence comes out 28 dB instead of 19 dB above its difference from the export's.
"""


def harmonics_by_steps(model: onnx.ModelProto) -> None:
    """Compute the harmonic source from one phase for each half frame and harmonic, in place.

    Within a half frame a phase is a straight line to its middle and another one behind it: the phase in the
    middle, in turns, and what it grows by from the half frame before and to the next, times the three rows of
    `_lines`. Whole turns are left out, which also keeps the sine's argument small and exact.
    """
    g = Graph(model)
    make = helper.make_node
    resized = g.producer[PITCH_STEPS]
    pitch, sines = resized.input[0], g.producer[f"{SINES}Sin_output_0"]
    loudness = g.only(sines.output[0])
    masked = g.only(loudness.output[0])
    summed = g.only(masked.output[0])
    biased = g.only(summed.output[0])
    weights = g.array(summed.input[1]) * g.array(f"{SINES}Constant_10_output_0")
    g.added.update(
        {
            "source_lines": _lines(),
            "source_weights": weights.T.astype(np.float32),
            "source_step": np.array(HALF_FRAME, np.float32),
            "source_time": np.array(2, np.int64),
            "source_axis": np.array([2], np.int64),
            "source_last_axis": np.array([3], np.int64),
            "source_second": np.array([1], np.int64),
            "source_end": np.array([2**62], np.int64),
            "source_first_zero": np.array([0, 0, 1, 0, 0, 0], np.int64),
            "source_last_zero": np.array([0, 0, 0, 0, 0, 1], np.int64),
            "source_by_harmonic": np.array([weights.size, -1], np.int64),
            "source_by_step": np.array([-1, HALF_FRAME], np.int64),
            "source_per_step": np.array([-1, 1], np.int64),
            "source_signal": np.array([1, 1, -1], np.int64),
        }
    )
    of = {key: f"source/{key}" for key in ("turns", "phase", "whole", "rest", "grown", "before", "behind")}
    share = f"{SINES}Sub"  # of a turn in a sample: the pitch of each harmonic over the rate, less whole turns
    voiced = f"{SINES}Cast_output_0"
    columns = []
    nodes = [
        make("CumSum", [share, "source_time"], [of["turns"]]),
        make("Mul", [of["turns"], "source_step"], [of["phase"]]),
        make("Floor", [of["phase"]], [of["whole"]]),
        make("Sub", [of["phase"], of["whole"]], [of["rest"]]),
        make("Mul", [share, "source_step"], ["source/growth"]),
        make("Slice", ["source/growth", "source_second", "source_end", "source_axis"], [of["grown"]]),
        make("Pad", [of["grown"], "source_first_zero"], [of["before"]]),
        make("Pad", [of["grown"], "source_last_zero"], [of["behind"]]),
    ]
    for key in ("rest", "before", "behind"):
        columns.append(f"{of[key]}_column")
        nodes.append(make("Unsqueeze", [of[key], "source_last_axis"], [columns[-1]]))
    nodes += [
        make("Concat", columns, ["source/columns"], axis=3),
        make("MatMul", ["source/columns", "source_lines"], ["source/angles"]),
        make("Reshape", ["source/angles", "source_by_harmonic"], ["source/lines"]),
        make("Sin", ["source/lines"], ["source/sines"]),
        make("MatMul", ["source_weights", "source/sines"], ["source/sum"]),
        make("Reshape", ["source/sum", "source_by_step"], ["source/sum_by_step"]),
        make("Reshape", [voiced, "source_per_step"], ["source/voiced"]),
        make("Mul", ["source/sum_by_step", "source/voiced"], ["source/heard"]),
        make("Add", ["source/heard", next(i for i in biased.input if g.is_constant(i))], ["source/biased"]),
        make("Tanh", ["source/biased"], ["source/steps"]),
        make("Reshape", ["source/steps", "source_signal"], [SOURCE_SIGNAL]),
    ]
    g.replace(g.producer[SOURCE_SIGNAL], nodes)
    for reader in g.consumers[PITCH_STEPS]:  # once for each half frame, not for each sample
        once = onnx.NodeProto()
        once.CopyFrom(reader)
        once.input[list(once.input).index(PITCH_STEPS)] = pitch
        g.replace(reader, [once])
    g.commit()


def _lines() -> np.ndarray:
    """Of each sample of a half frame, (3, samples): what its angle is made of, in radians for a turn.

    One of the phase in the middle; and of the growth, what is still missing up to the middle, or more behind.
    """
    place = (np.arange(HALF_FRAME) + 0.5) / HALF_FRAME - 0.5
    rows = [np.ones(HALF_FRAME), np.minimum(place, 0), np.maximum(place, 0)]
    return (2 * np.pi * np.stack(rows)).astype(np.float32)


def stft_as_conv(model: onnx.ModelProto) -> None:
    """Compute the short spectrum of the harmonic source by a convolution, in place.

    The STFT operator takes a third of the front's time for 11 bins of 20 samples.
    """
    g = Graph(model)
    for node in [n for n in g.nodes if n.op_type == "STFT"]:
        window = g.array(node.input[2]).astype(np.float64)
        angle = 2 * np.pi * np.outer(np.arange(STFT_BINS), np.arange(STFT_SIZE)) / STFT_SIZE
        sine = -np.sin(angle)
        sine[[0, -1]] = 0  # not 1e-16: its sign would decide between the phases pi and -pi
        basis = np.concatenate([np.cos(angle), sine]) * window
        g.added["stft_basis"] = basis[:, None, :].astype(np.float32)
        g.added["stft_rounding"] = np.array(STFT_ROUNDING, np.float32).reshape(-1)
        constants = ("stft_basis", "stft_rounding")
        g.added["stft_signal_shape"] = np.array([1, 1, -1], np.int64)
        transpose = g.only(node.output[0])
        names = {0: "stft_real", 1: "stft_imag"}
        parts = g.consumers[transpose.output[0]]
        by_index = {int(g.array(part.input[1])): part for part in parts}
        make = helper.make_node
        g.replace(
            node,
            [
                make("Reshape", [node.input[0], "stft_signal_shape"], ["stft_signal"]),
                make("Conv", ["stft_signal", *constants], ["stft_both"], strides=[STFT_HOP]),
                make("Split", ["stft_both"], [by_index[i].output[0] for i in names], axis=1, num_outputs=2),
            ],
        )
        g.drop([transpose, *parts])
    g.commit()
