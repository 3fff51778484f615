"""Convolutions in eight-bit integers: their grids, their arithmetic, and when they are used."""

from __future__ import annotations

import dataclasses
import platform
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from tests.graphs import run
from tests.speech import surroundings
from wyoming_tts.backends.kokoro import Decoder
from wyoming_tts.backends.kokoro_engine import Device, OnnxEngine
from wyoming_tts.backends.kokoro_integer import Grid, expose_activations, quantize, site_of
from wyoming_tts.backends.kokoro_onnx import KokoroOptions, bearable_integers, graphs
from wyoming_tts.backends.kokoro_prepare import FILES
from wyoming_tts.backends.kokoro_ranges import RANGES_FILE, Integers, Ranges, load_ranges, weight_bits
from wyoming_tts.backends.kokoro_statistics import Calibration, load_regression
from wyoming_tts.backends.kokoro_voices import VoiceBook
from wyoming_tts.onnx_graph import Graph
from wyoming_tts.types import Samples, Voice
from wyoming_tts.voices import VoicePack, load_pack, voices_directory, write_arrays

SITE = "resblocks.1/convs1.2"
OUTPUT = f"/decoder/decoder/generator/{SITE}/Conv_output_0"
CHANNELS, LENGTH, WIDTH = 3, 40, 3

exact_products = pytest.mark.skipif(
    weight_bits() != 8,
    reason="without dot products of bytes ONNX Runtime's sums of such weights saturate",
)

edges = st.lists(
    st.tuples(st.floats(-1e3, 1e3, width=32), st.floats(-1e3, 1e3, width=32)), min_size=1, max_size=8
)


@given(edges, st.booleans())
def test_grid_holds_its_range(pairs: list[tuple[float, float]], common: bool) -> None:
    """Zero and both ends of every channel's range are representable, rounded to half a step."""
    low, high = np.sort(np.array(pairs, np.float32), axis=1).T
    grid = Grid.over(low, high, common=common)
    assert not common or len(set(grid.zero)) == 1
    assert ((grid.zero > 0) & (grid.zero < 255)).all()
    assert (grid.scale > 0).all()
    for value in (low, high, np.zeros_like(low)):
        exact = value / grid.scale + grid.zero.astype(float)
        byte = np.clip(np.rint(exact), 0, 255)
        assert (np.abs(byte - exact) <= 0.5 + 1e-3).all()


def test_grid_is_as_fine_as_it_can_be() -> None:
    """Each channel gets steps of a 255th of its range, wherever zero lies in it."""
    grid = Grid.over(np.array([-1.0, -10.0, -1.0], np.float32), np.array([1.0, 10.0, 9.0], np.float32))
    assert grid.scale == pytest.approx([2 / 255, 20 / 255, 10 / 255], rel=0.03)


def conv_model(weight: np.ndarray, bias: np.ndarray, output: str = OUTPUT) -> onnx.ModelProto:
    """One convolution over time in four dimensions, as the generator has them."""
    shape, pads, dilations = [1, WIDTH], [0, 2, 0, 2], [1, 2]
    inputs = ["x", "weight", "bias"]
    conv = helper.make_node("Conv", inputs, [output], kernel_shape=shape, pads=pads, dilations=dilations)
    graph = helper.make_graph(
        [conv],
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, CHANNELS, 1, None])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model


@pytest.fixture
def tiny() -> tuple[onnx.ModelProto, np.ndarray, Ranges]:
    """A convolution whose channels differ a hundredfold, an input, and the ranges of that input."""
    random = np.random.default_rng(7)
    loudness = np.array([0.02, 1.0, 3.0], np.float32).reshape(1, -1, 1, 1)
    weight = random.normal(size=(CHANNELS, CHANNELS, 1, WIDTH)).astype(np.float32) / loudness
    weight *= np.array([0.1, 1.0, 5.0], np.float32).reshape(-1, 1, 1, 1)
    model = conv_model(weight, random.normal(size=CHANNELS).astype(np.float32))
    x = (random.uniform(-1, 1, (1, CHANNELS, 1, LENGTH)) * loudness).astype(np.float32)
    y = run(model, x=x)
    return model, x, {SITE: np.concatenate([edges_of(x), edges_of(y)], axis=1)}


def edges_of(activation: np.ndarray) -> np.ndarray:
    return np.stack([activation.min((0, 2, 3)), activation.max((0, 2, 3))])


def grids_of(ranges: Ranges) -> tuple[Grid, Grid]:
    entering, leaving = np.split(ranges[SITE], 2, axis=1)
    return Grid.over(*entering, common=True), Grid.over(*leaving)


def kinds(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


@exact_products
def test_integer_convolution_is_the_float_one_within_the_grid(tiny) -> None:
    """The result differs by what rounding input, weights and output can make, in each channel's own scale."""
    model, x, ranges = tiny
    exact, weight = run(model, x=x), numpy_helper.to_array(model.graph.initializer[0])
    quantize(model, ranges)
    assert "QLinearConv" in kinds(model)
    assert "Conv" not in kinds(model)
    entering, leaving = grids_of(ranges)
    scaled = np.abs(weight) * entering.scale.reshape(1, -1, 1, 1)
    unit = scaled.max((1, 2, 3)) / 127
    bytes_in = np.abs(x / entering.scale.reshape(1, -1, 1, 1)).max()
    terms = CHANNELS * WIDTH
    bound = leaving.scale + 0.5 * scaled.sum((1, 2, 3)) + unit * (0.5 * terms * (bytes_in + 1) + 1)
    error = np.abs(run(model, x=x) - exact).max((0, 2, 3))
    assert (error <= bound).all()
    assert (error <= 0.05 * np.abs(exact).max((0, 2, 3))).all()


@pytest.mark.parametrize("bits", [7, 8])
def test_weights_fit_into_their_bits(tiny, bits: int) -> None:
    """The largest weight of a channel takes all its bits; with seven, two products fit into sixteen."""
    model, _, ranges = tiny
    quantize(model, ranges, bits)
    weight = Graph(model).array(f"{SITE}/weight").astype(int)
    largest = 2 ** (bits - 1) - 1
    assert set(np.abs(weight).max((1, 2, 3))) == {largest}
    assert bits == 8 or 2 * 255 * largest < 2**15


@exact_products
@pytest.mark.parametrize("sign", [1, -1])
def test_out_of_range_saturates(tiny, sign: int) -> None:
    """What is louder than ever measured stays at the edge of the range and does not wrap to its far side."""
    model, x, ranges = tiny
    loud = (100 * sign * x).astype(np.float32)
    entering, leaving = grids_of(ranges)
    expected = held(leaving, run(model, x=held(entering, loud)))
    quantize(model, ranges)
    error = np.abs(run(model, x=loud) - expected)
    assert (error.max((0, 2, 3)) <= 0.05 * np.abs(ranges[SITE][:, CHANNELS:]).max(0)).all()


def held(grid: Grid, values: np.ndarray) -> np.ndarray:
    """Values cut off at the ends of a grid."""
    zero = grid.zero.astype(float)
    low, high = (((edge - zero) * grid.scale).reshape(1, -1, 1, 1) for edge in (0, 255))
    return np.clip(values, low, high).astype(np.float32)


@pytest.mark.parametrize(
    ("output", "site"),
    [
        (OUTPUT, SITE),
        ("/decoder/decoder/generator/noise_res.0/convs2.0/Conv_output_0", "noise_res.0/convs2.0"),
        ("/decoder/decoder/generator/resblocks.4/convs1.0/Conv_output_0", "resblocks.4/convs1.0"),
        ("/decoder/decoder/generator/resblocks.5/convs1.0/Conv_output_0", None),
        ("/decoder/decoder/generator/conv_post/Conv_output_0", None),
        ("/decoder/decoder/generator/ups.0/ConvTranspose_output_0_stacked", None),
        ("/decoder/decoder/decode.3/conv1x1/Conv_output_0_out", "decode.3/conv1x1"),
        ("/decoder/decoder/encode/conv1/Conv_output_0_out", None),
        ("/decoder/decoder/encode/conv2/Conv_output_0_out", "encode/conv2"),
        ("/decoder/decoder/generator/resblocks.5/convs2.1/Conv_output_0", "resblocks.5/convs2.1"),
        ("/encoder/N.0/conv1/Conv_output_0_out", "N.0/conv1"),
        ("/encoder/text_encoder/cnn.2/cnn.2.0/Conv_output_0_out", "cnn.2/cnn.2.0"),
        ("/encoder/F0.0/conv1/Conv_output_0_out", None),
    ],
)
def test_sites(output: str, site: str | None) -> None:
    """Most convolutions can be integer; what does not bear it and the pitch stay float."""
    weight, bias = np.ones((CHANNELS, CHANNELS, 1, WIDTH), np.float32), np.zeros(CHANNELS, np.float32)
    model = conv_model(weight, bias, output)
    assert site_of(model.graph.node[0]) == site
    everywhere = {name: np.ones((2, 2 * CHANNELS), np.float32) for name in (SITE, "resblocks.5/convs1.0")}
    quantize(model, everywhere)
    assert ("QLinearConv" in kinds(model)) == (site == SITE)


def test_without_ranges_nothing_changes(tiny) -> None:
    """A convolution that was not measured stays the float one it was."""
    model, x, _ = tiny
    before = run(model, x=x)
    quantize(model, {})
    np.testing.assert_array_equal(run(model, x=x), before)


def test_exposed_activations_are_what_ranges_are_measured_on(tiny) -> None:
    """Every site gives its input and its output, in this order."""
    model, x, ranges = tiny
    del model.graph.output[:]
    assert expose_activations(model) == [SITE]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    entering, leaving = session.run([port.name for port in model.graph.output], {"x": x})
    np.testing.assert_array_equal(entering, x)
    assert leaving.min((0, 2, 3)) == pytest.approx(ranges[SITE][0, CHANNELS:])


@pytest.mark.parametrize(
    ("system", "machine", "flags", "bits"),
    [
        ("Linux", "x86_64", "flags\t\t: fpu sse2 avx2 avx512f avx512_vnni", 8),
        ("Linux", "x86_64", "flags\t\t: fpu avx2 avx_vnni serialize", 8),
        ("Linux", "x86_64", "flags\t\t: fpu sse2 avx2 avx512f avx512bw", 7),
        ("Linux", "x86_64", "flags\t\t: fpu sse2 avx", 0),
        ("Linux", "aarch64", "Features\t: fp asimd asimdhp asimddp", 8),
        ("Linux", "aarch64", "Features\t: fp asimd evtstrm crc32", 0),
        ("Linux", "x86_64", "model name\t: not_avx_vnni_at_all", 0),
        ("Linux", "x86_64", None, 0),
        ("Darwin", "arm64", None, 8),
        ("Darwin", "x86_64", None, 0),
    ],
)
def test_weight_bits(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    system: str,
    machine: str,
    flags: str | None,
    bits: int,
) -> None:
    """Eight with dot products of bytes, seven where pairs are added; none where nothing is known."""
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    cpuinfo = tmp_path / "cpuinfo"
    if flags is not None:
        cpuinfo.write_text(f"processor\t: 0\n{flags}\nbogomips\t: 4000\n")
    assert weight_bits(cpuinfo) == bits


def test_ranges_come_back_as_they_were_written(tmp_path: Path) -> None:
    """The file holds one array a site."""
    ranges = {SITE: np.arange(12, dtype=np.float32).reshape(2, 6)}
    write_arrays(tmp_path / RANGES_FILE, ranges)
    loaded = load_ranges(tmp_path)
    assert list(loaded) == [SITE]
    np.testing.assert_array_equal(loaded[SITE], ranges[SITE])


@pytest.mark.parametrize("part", [None, 0.0, 0.5, 0.99])
def test_without_a_whole_file_there_are_no_ranges(tmp_path: Path, part: float | None) -> None:
    """A missing or damaged file of ranges means that everything is computed in floats."""
    if part is not None:
        data = (voices_directory() / RANGES_FILE).read_bytes()
        (tmp_path / RANGES_FILE).write_bytes(data[: int(part * len(data))])
    assert load_ranges(tmp_path) == {}


@pytest.mark.parametrize(
    ("model", "provider", "bits", "used"),
    [
        ("int8", "cpu", 8, True),
        ("int8", "cpu", 7, True),
        ("int8", "cpu", 0, False),
        ("int8", "cuda", 8, False),
        ("fp32", "cpu", 8, False),
        ("fp16", "cpu", 8, False),
        ("my-model.onnx", "cpu", 8, False),
    ],
)
def test_integers_only_where_they_pay(
    monkeypatch: pytest.MonkeyPatch, model: str, provider: str, bits: int, used: bool
) -> None:
    """Integers are for the integer weights, on a processor that is faster with them; all else is float."""
    monkeypatch.setattr("wyoming_tts.backends.kokoro_onnx.weight_bits", lambda: bits)
    options = KokoroOptions(model=model)
    folder = voices_directory()
    assert bearable_integers(options, provider, folder) == (Integers(folder, bits) if used else None)
    asked = KokoroOptions(model=model, precision="float")
    assert bearable_integers(asked, provider, folder) is None


def test_without_ranges_all_is_float(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder of voices without ranges is spoken with in floats, on any processor."""
    monkeypatch.setattr("wyoming_tts.backends.kokoro_onnx.weight_bits", lambda: 8)
    assert bearable_integers(KokoroOptions(), "cpu", tmp_path) is None


TOKENS = (50, 83, 54, 156, 31, 16, 65, 156, 87, 123, 54, 46, 5)
"""`həlˈoʊ, wˈɜːld!`, more or less."""


def _never(voice: Voice, pack: VoicePack) -> Calibration:
    raise AssertionError(f"{voice.name} ships with its calibration")


@pytest.fixture(scope="module")
def decoded(model_data: Path) -> dict[str, Samples]:
    """One short sentence by the real network: in floats whole, in integers whole and in windows."""
    folder = voices_directory()
    voice = Voice(name="af_heart", language="en-US", backend="kokoro", description="Heart")
    results: dict[str, Samples] = {}
    prosody = None
    kinds_of_numbers = {"float": None, "integer": Integers(folder), "seven bits": Integers(folder, 7)}
    for kind, integers in kinds_of_numbers.items():
        with graphs("int8", surroundings(model_data), integers) as directory:
            used = [kind for name in FILES[:3] for kind in kinds(onnx.load(directory / name))]
            engine = OnnxEngine(directory, Device())
        assert used.count("QLinearConv") == (len(load_ranges(folder)) if integers else 0)
        row = load_pack("af_heart", folder).style(len(TOKENS))
        own = engine.predict(TOKENS, row, 1.0)
        prosody = dataclasses.replace(prosody or own, style=own.style)  # which has another unit in each
        book = VoiceBook(folder, model_data, load_regression(folder), _never)
        decoder = Decoder.of(engine, prosody, book.statistics(voice, prosody, len(TOKENS)))
        results[kind] = decoder.decode(0, prosody.frames)
        cuts = [0, 3, 13, 30, prosody.frames]
        parts = [decoder.decode(start, end) for start, end in pairwise(cuts)]
        results[f"{kind} windows"] = np.concatenate(parts)
    return results


@pytest.mark.parametrize("kind", ["integer", "seven bits"])
def test_integers_are_close_to_floats(decoded: dict[str, Samples], kind: str) -> None:
    """What integers change of the real sound lies at least 12 dB below it."""
    exact, rounded = decoded["float"], decoded[kind]
    assert np.abs(exact).max() > 0.05
    noise = np.square(rounded - exact).mean()
    assert noise > 0
    assert 10 * np.log10(np.square(exact).mean() / noise) > 12


@pytest.mark.parametrize("kind", ["float", "integer", "seven bits"])
def test_windows_are_the_whole(decoded: dict[str, Samples], kind: str) -> None:
    """Whatever the arithmetic, a sentence in windows has the samples of the sentence whole."""
    whole, parts = decoded[kind], decoded[f"{kind} windows"]
    assert len(whole) == len(parts)
    assert np.abs(whole - parts).max() < 1e-4
