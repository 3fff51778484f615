"""Rewrites the exported Kokoro graph so that a sentence can be decoded in windows.

The export is one graph from tokens to samples. It becomes

- the **front**, run once a sentence, itself in two: the **prosody**, tokens, style, speed -> the frames each
  token lasts, pitch, loudness and what is said in each frame; and the **trunk**, from those to what the
  generator upsamples, the harmonic source, and what the style wants of every AdaIN (gain and bias);
- the **generator**, run on any window of frames: with the statistics of its instance norms given from
  outside, every AdaIN is one multiplication and one addition and the whole is a plain convolution, so
  windows give the samples that one window over the sentence would. Most of the frames that a window needs
  beside it are only looked at by its first stage and cut off before the second, which is dearer;
- the **reference**, the generator as exported, with its own statistics as a second output: what voices
  are calibrated with, and what tests compare to.

Imported only to derive these graphs; the caller keeps them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from wyoming_tts.backends.kokoro_source import GENERATOR, harmonics_by_steps, stft_as_conv
from wyoming_tts.onnx_graph import (
    Graph,
    Port,
    convs_2d,
    extract,
    four_dimensional,
    load_float,
    upsamplings_as_convs,
)
from wyoming_tts.onnx_phases import split_phases

HIDDEN = "/decoder/decoder/decode.3/Div_4_output_0"
SOURCE = "/decoder/decoder/generator/Concat_3_output_0"
DURATIONS = "/encoder/Clip_output_0"
ALIGNED = "/encoder/MatMul_1_output_0"
PITCH, LOUDNESS = "/encoder/Reshape_output_0", "/encoder/Reshape_1_output_0"
SPECTRUM = "/decoder/decoder/generator/istft/stft/ConvTranspose_output_0"
"""Overlap-added inverse STFT, before the export scales it and trims half a window at both ends."""

SPECTRUM_SCALE = "/decoder/decoder/generator/istft/stft/Constant_19_output_0"
NEEDED = (ALIGNED, PITCH, LOUDNESS, DURATIONS, HIDDEN, SOURCE, SPECTRUM)
STYLE, STATISTICS, AUDIO = "adain_style", "adain_statistics", "audio_untrimmed"

SINE = (3.1051927, -1.57694371, 0.63324947)
"""a, b, c of q * ((a * q + b)² + c), nearest to sin(pi r)² / pi, q = r², for r from -1/2 to 1/2: 0.0003 off.

With a term less it is 0.006 off, which is heard: PESQ falls by 0.2.
"""

FINE_SINE = (1.0, -0.57500488, 0.3335535, -7.31818711, 4.72859873)
"""a, b, c, d, e of q * ((a * q + b)² + c) * (d * q + e), nearest to the same: 0.000007 off."""

FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64

FIRST, LAST = "first", "last"
"""Inputs of the generator: the frames of the window, the last exclusive, that its second stage gets."""

STYLE_ROW: Port = ("style", FLOAT, [1, 256])
PROSODY_INPUTS: list[Port] = [("tokens", INT, [1, "tokens"]), STYLE_ROW, ("speed", FLOAT, [1])]
BETWEEN: list[Port] = [
    (ALIGNED, FLOAT, [1, 512, "frames"]),
    (PITCH, FLOAT, [1, "half_frames"]),
    (LOUDNESS, FLOAT, [1, "half_frames"]),
]
"""What the prosody hands the trunk."""

GENERATOR_INPUTS: list[Port] = [(HIDDEN, FLOAT, [1, 512, "half_frames"]), (SOURCE, FLOAT, [1, 22, "steps"])]


@dataclass(frozen=True)
class Adain:
    """One AdaIN with the snake activation and the convolution behind it, as the export has them."""

    x: str
    """The tensor it normalises, (1, channels, time)."""

    mean: str
    """Mean over time, (1, channels, 1)."""

    deviation: str
    """Standard deviation over time, (1, channels, 1)."""

    gain: str
    """What the style multiplies the normalised signal with, (1, channels, 1)."""

    bias: str
    """What the style adds to it, (1, channels, 1)."""

    alpha: np.ndarray
    """Frequency of the snake, (1, channels, 1)."""

    activated: str
    """Output of the snake."""

    conv: NodeProto
    """The convolution that reads it."""


def find_adains(g: Graph) -> Iterator[Adain]:
    """Every AdaIN of a generator, in graph order."""
    for node in g.nodes:
        if node.op_type != "ReduceMean" or not node.output[0].startswith(GENERATOR):
            continue
        uses = g.consumers[node.output[0]]
        if len(uses) == 1 and uses[0].op_type == "Sub":
            divide = next(c for c in g.consumers[uses[0].output[0]] if c.op_type == "Div")
            for times in g.consumers[divide.output[0]]:  # siblings may share one normalisation
                yield _follow_adain(g, node, divide, times)


def _follow_adain(g: Graph, mean: NodeProto, divide: NodeProto, times: NodeProto) -> Adain:
    """Follow one AdaIN from its normalised signal through y + sin(alpha y)² / alpha to the convolution."""
    plus = g.only(times.output[0])
    y = plus.output[0]
    by_alpha = next(c for c in g.consumers[y] if c.op_type == "Mul")
    square = g.only(g.only(by_alpha.output[0]).output[0])
    snake = g.only(g.only(square.output[0]).output[0])
    return Adain(
        x=mean.input[0],
        mean=mean.output[0],
        deviation=divide.input[1],
        gain=_other(times, divide.output[0]),
        bias=_other(plus, times.output[0]),
        alpha=g.array(_other(by_alpha, y)),
        activated=snake.output[0],
        conv=g.only(snake.output[0]),
    )


def _other(node: NodeProto, name: str) -> str:
    """The input of a binary operator that is not `name`."""
    return next(i for i in node.input if i != name)


def _concat(names: Sequence[str], output: str, axis: int = 1) -> NodeProto:
    return helper.make_node("Concat", list(names), [output], axis=axis)


def expose_adain(model: onnx.ModelProto) -> int:
    """Add two tensors (1, 2, channels of all AdaINs) and return the number of those channels.

    `style` holds gain and bias that the style wants, times the snake's alpha over pi;
    `statistics` holds mean and deviation that the norms measured.
    """
    g = Graph(model)
    adains = list(find_adains(g))
    make = helper.make_node
    alpha = (np.concatenate([a.alpha for a in adains], axis=1) / np.pi).astype(np.float32)
    model.graph.initializer.append(numpy_helper.from_array(alpha, "adain_alpha"))
    for kind in ("gain", "bias"):
        model.graph.node.append(_concat([getattr(a, kind) for a in adains], f"adain_{kind}"))
        model.graph.node.append(make("Mul", [f"adain_{kind}", "adain_alpha"], [f"adain_{kind}_alpha"]))
    for kind in ("mean", "deviation"):
        model.graph.node.append(_concat([getattr(a, kind) for a in adains], f"adain_{kind}"))
    for output, parts in ((STYLE, ("gain_alpha", "bias_alpha")), (STATISTICS, ("mean", "deviation"))):
        columns = f"{output}_columns"
        model.graph.node.append(_concat([f"adain_{part}" for part in parts], columns, axis=2))
        model.graph.node.append(make("Transpose", [columns], [output], perm=[0, 2, 1]))
    return alpha.shape[1]


def fuse_adain(model: onnx.ModelProto, *, fine: bool = True) -> None:
    """Replace every AdaIN and snake by `u = x * scale + shift; u + sin(pi u)² / pi`, in place.

    `scale` and `shift`, (channels of all AdaINs,), are inputs, times the snake's alpha over pi, whose
    reciprocal goes into the weights of the convolution behind it. The sine is computed by a polynomial, a
    `fine` one or one that is good enough where its result is rounded to a byte. A batch normalisation
    multiplies and adds in one pass over memory, where two operators would take two.
    """
    g = Graph(model)
    adains = list(find_adains(g))
    for k, adain in enumerate(adains):
        u, squared, channels = f"adain{k}_u", f"adain{k}_squared", adain.alpha.size
        nodes = [_affine(g, adain.x, (f"adain{k}_scale", f"adain{k}_shift"), channels, u)]
        nodes += _squared_sine(g, u, channels, squared, FINE_SINE if fine else SINE)
        nodes.append(helper.make_node("Add", [u, squared], [adain.activated]))
        g.replace(g.producer[adain.activated], nodes)
        weight, alpha = adain.conv.input[1], adain.alpha.reshape(1, -1, 1)
        g.added[weight] = (g.array(weight) / alpha * np.pi).astype(np.float32)
    g.added["adain_sizes"] = np.array([a.alpha.size for a in adains], np.int64)
    total = int(g.added["adain_sizes"].sum())
    for kind in ("scale", "shift"):
        names = [f"adain{k}_{kind}" for k in range(len(adains))]
        g.head.append(helper.make_node("Split", [kind, "adain_sizes"], names, axis=0))
        model.graph.input.append(helper.make_tensor_value_info(kind, TensorProto.FLOAT, [total]))
    g.commit()


def _affine(g: Graph, x: str, factors: tuple[str, str], channels: int, output: str) -> NodeProto:
    """`output` = x * scale + shift, with one scale and one shift a channel."""
    norm = (f"zeros_{channels}", f"ones_{channels}")
    g.added |= {norm[0]: np.zeros(channels, np.float32), norm[1]: np.ones(channels, np.float32)}
    return helper.make_node("BatchNormalization", [x, *factors, *norm], [output], epsilon=0.0)


def _squared_sine(g: Graph, v: str, channels: int, output: str, factors: Sequence[float]) -> list[NodeProto]:
    """`output` = sin(pi v)² / pi, as nearly as the polynomial with these `factors` is.

    ONNX Runtime takes as long for a sine as for ten additions. With r the distance of v from the nearest
    whole number and q = r², a polynomial of q is as good.
    """
    make = helper.make_node
    slope, start, rest, *line = factors
    g.added["sine_rest"] = np.array(rest, np.float32)
    of = {key: f"{v}_{key}" for key in ("whole", "r", "q", "line", "square", "sum", "line_2", "most")}
    nodes = [
        make("Round", [v], [of["whole"]]),
        make("Sub", [v, of["whole"]], [of["r"]]),
        make("Mul", [of["r"], of["r"]], [of["q"]]),
        _line(g, of["q"], (slope, start), channels, of["line"]),
        make("Mul", [of["line"], of["line"]], [of["square"]]),
        make("Add", [of["square"], "sine_rest"], [of["sum"]]),
    ]
    if line:
        nodes.append(_line(g, of["q"], line, channels, of["line_2"]))
        nodes.append(make("Mul", [of["sum"], of["line_2"]], [of["most"]]))
    return [*nodes, make("Mul", [nodes[-1].output[0], of["q"]], [output])]


def _line(g: Graph, x: str, factors: Sequence[float], channels: int, output: str) -> NodeProto:
    """`output` = x times the first factor plus the second."""
    names = [f"sine_{factor}_{channels}" for factor in factors]
    g.added.update({name: np.full(channels, f, np.float32) for name, f in zip(names, factors, strict=True)})
    return _affine(g, x, (names[0], names[1]), channels, output)


def crop_between_stages(model: onnx.ModelProto) -> None:
    """Cut what the generator's first stage made, and the source, to the frames asked for, in place.

    The first stage looks six frames to either side, the second one not quite a frame. The four-dimensional
    graph gets two inputs more (see `FIRST`), int64 of shape (1,).
    """
    g = Graph(model)
    make = helper.make_node
    upsampling = next(n for n in g.nodes if n.op_type == "ConvTranspose" and "/ups.1/" in n.output[0])
    noise = next(n for n in g.nodes if n.op_type == "Conv" and "/noise_convs.1/" in n.output[0])
    g.added["crop_axis"] = np.array([3], np.int64)
    for node, steps, beyond in ((g.producer[upsampling.input[0]], 20, 0), (noise, 120, 1)):
        name = f"crop_{steps}"
        g.added.update({name: np.array([steps], np.int64), f"{name}_beyond": np.array([beyond], np.int64)})
        g.head += [
            make("Mul", [FIRST, name], [f"{name}_{FIRST}"]),
            make("Mul", [LAST, name], [f"{name}_frames"]),
            make("Add", [f"{name}_frames", f"{name}_beyond"], [f"{name}_{LAST}"]),
        ]
        edges = [f"{name}_{FIRST}", f"{name}_{LAST}"]
        reader = onnx.NodeProto()
        reader.CopyFrom(node)
        reader.input[0] = f"{name}_kept"
        g.replace(node, [make("Slice", [node.input[0], *edges, "crop_axis"], [f"{name}_kept"]), reader])
    g.commit()
    for edge in (FIRST, LAST):
        model.graph.input.append(helper.make_tensor_value_info(edge, INT, [1]))


def take_apart(generator: onnx.ModelProto, *, integers: bool) -> None:
    """Compute the generator's float convolutions four outputs at a time, in place (see `onnx_phases`).

    With `integers` those are the beginning of the widest block, else both stages whole.
    """
    if integers:
        split_phases(generator, [_inner("Add_5")], _inner("resblocks.5/Add_2"), rest=1)
        return
    first = [_inner("noise_convs.0/Conv"), _inner("ups.0/ConvTranspose")]
    second = [_inner("noise_convs.1/Conv"), _inner("reflection_pad/Pad")]
    split_phases(generator, first, _inner("Add_4"))
    split_phases(generator, second, _inner("LeakyRelu_2"), rest=1)


def _inner(node: str) -> str:
    """The tensor that a node of the generator makes."""
    return f"{GENERATOR}{node}_output_0"


def derive(export: bytes, *, fine: bool = True) -> tuple[onnx.ModelProto, onnx.ModelProto, onnx.ModelProto]:
    """The prosody, the trunk and the generator of an exported Kokoro graph (int8, float16 or float32).

    See `fuse_adain` for `fine`. Raises ValueError when the bytes are no such graph.
    """
    whole, channels = _open(export)
    prosody = extract(whole, PROSODY_INPUTS, [*BETWEEN, (DURATIONS, FLOAT, None)])
    outputs = [*GENERATOR_INPUTS, (STYLE, FLOAT, [1, 2, channels])]
    trunk = extract(whole, [*BETWEEN, STYLE_ROW], outputs)
    harmonics_by_steps(trunk)
    stft_as_conv(trunk)
    for part in (prosody, trunk):
        convs_2d(part)
    generator = extract(whole, GENERATOR_INPUTS, [(AUDIO, FLOAT, [1, 1, "samples"])])
    fuse_adain(generator, fine=fine)
    four_dimensional(generator)
    upsamplings_as_convs(generator, lambda node: "/ups.0/" in node.output[0])
    crop_between_stages(generator)
    return prosody, trunk, generator


def derive_reference(export: bytes) -> onnx.ModelProto:
    """The generator as exported, with the statistics that its norms measured as second output.

    Raises ValueError when the bytes are no Kokoro graph.
    """
    whole, channels = _open(export)
    outputs: list[Port] = [(AUDIO, FLOAT, [1, 1, "samples"]), (STATISTICS, FLOAT, [1, 2, channels])]
    reference = extract(whole, [*GENERATOR_INPUTS, STYLE_ROW], outputs)
    convs_2d(reference)
    return reference


def _stays_integer(node: NodeProto) -> bool:
    """Products and recurrences up to the durations: integers are faster, and no sample is made of them."""
    return node.op_type != "ConvInteger" and node.output[0].startswith("/encoder/")


def _open(export: bytes) -> tuple[onnx.ModelProto, int]:
    """The export as a float graph with the tensors that the parts need, and the channels of all AdaINs."""
    whole = load_float(export, keep=_stays_integer)
    known = {name for node in whole.graph.node for name in node.output}
    missing = [name for name in NEEDED if name not in known]
    if missing:
        raise ValueError(f"not a known export of Kokoro v1.0: it has no tensor {missing[0]!r}")
    scale = helper.make_node("Mul", [SPECTRUM, SPECTRUM_SCALE], [AUDIO])
    whole.graph.node.append(scale)
    return whole, expose_adain(whole)
