"""The parts that an exported Kokoro is taken apart into, and foreign files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.graphs import run_all
from tests.quality.texts import texts_for
from tests.speech import Model, Sentence, loudest, surroundings
from wyoming_tts.backends.kokoro import FRAME
from wyoming_tts.backends.kokoro_graph import derive, derive_reference
from wyoming_tts.backends.kokoro_onnx import KokoroOnnxBackend, KokoroOptions
from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.models import find_weights
from wyoming_tts.onnx_graph import load_float
from wyoming_tts.types import Allowance, Samples, Voice

LOUDEST_HALF = 1e4
"""What converters to float16 limit constants to: masks are of numbers that float16 has not."""


@pytest.fixture(scope="module")
def export(model_data: Path) -> bytes:
    """The file of the installed packages."""
    return find_weights("int8", data_dir=model_data, offline=True).read()


@pytest.fixture(scope="module")
def sentence(float_model: Model) -> Sentence:
    voice = float_model.voice("af_bella")
    return float_model.read(voice, texts_for(voice, 10)[0])


@pytest.mark.parametrize(
    ("name", "index"), [("af_heart", 6), ("bm_lewis", 0), ("ff_siwis", 4), ("zf_xiaoyi", 3)]
)
def test_the_parts_are_the_network(float_model: Model, name: str, index: int) -> None:
    """With the statistics that the exported generator measures, the fused one gives its samples.

    Its sine is a polynomial, which is 0.000007 off.
    """
    voice = float_model.voice(name)
    read = float_model.read(voice, texts_for(voice, 10)[index])
    exported, statistics = read.exact()
    assert len(exported) == FRAME * read.frames
    decoded = read.decoder(statistics).decode(0, read.frames)
    assert decibels_below(decoded - exported, exported) > 60
    assert loudest(decoded - exported) < 1e-3
    assert loudest(exported) > 0.05


def test_threads_do_not_matter(sentence: Sentence) -> None:
    """One thread says the same of a sentence as all of them."""
    alone = sentence.model.engine.predict(sentence.tokens, sentence.row, 1.0, Allowance(threads=1))
    assert list(alone.durations) == list(sentence.prosody.durations)
    for one, all_of_them in ((alone.hidden, sentence.prosody.hidden), (alone.style, sentence.prosody.style)):
        assert np.abs(one - all_of_them).max() < 1e-3 * np.abs(all_of_them).max()


def test_other_statistics_make_other_samples(sentence: Sentence) -> None:
    """The generator really uses the statistics it is given."""
    exported, statistics = sentence.exact()
    other = sentence.decoder(1.1 * statistics).decode(0, sentence.frames)
    assert loudest(other - exported) > 0.01


def decides_durations(node: onnx.NodeProto) -> bool:
    """What stays in integers, as how long a sentence becomes may depend on it."""
    return node.op_type != "ConvInteger" and node.output[0].startswith("/encoder/")


def run_whole(model: onnx.ModelProto, sentence: Sentence) -> Samples:
    """A graph from tokens to samples, as its makers meant it."""
    feed: dict[str, np.ndarray] = {
        "tokens": np.array([[0, *sentence.tokens, 0]], np.int64),
        "style": sentence.row,
        "speed": np.array([sentence.speed], np.float32),
    }
    names = [port.name for port in model.graph.input]
    return run_all(model, dict(zip(names, feed.values(), strict=True)))[0].reshape(-1)


def decibels_below(difference: Samples, speech: Samples) -> float:
    return float(10 * np.log10(np.square(speech).sum() / max(np.square(difference).sum(), 1e-20)))


def test_front_and_reference_are_the_export(export: bytes, sentence: Sentence) -> None:
    """One behind the other they make what the export makes, but for rounding errors in its silence."""
    whole = run_whole(load_float(export, keep=decides_durations), sentence)
    exported, _ = sentence.exact()
    assert len(whole) == len(exported)
    assert decibels_below(whole - exported, whole) > 15


def as_float16(export: bytes) -> bytes:
    """An export in half precision, made as converters make them."""
    model = load_float(export)
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            tensor.CopyFrom(_halved(tensor))
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.FLOAT16
            elif attribute.HasField("t") and attribute.t.data_type == TensorProto.FLOAT:
                attribute.t.CopyFrom(_halved(attribute.t))
    for port in [*model.graph.input, *model.graph.output]:
        if port.type.tensor_type.elem_type == TensorProto.FLOAT:
            port.type.tensor_type.elem_type = TensorProto.FLOAT16
    return model.SerializeToString()


def _halved(tensor: TensorProto) -> TensorProto:
    array = np.clip(numpy_helper.to_array(tensor), -LOUDEST_HALF, LOUDEST_HALF)
    return numpy_helper.from_array(array.astype(np.float16), tensor.name)


def fed(model: onnx.ModelProto, *inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Inputs by their names, in the model's order."""
    return dict(zip((port.name for port in model.graph.input), inputs, strict=True))


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_every_export_will_do(export: bytes, sentence: Sentence, precision: str) -> None:
    """Exports in float32 and float16 are taken apart alike, and say the same but for their own rounding."""
    other = as_float16(export) if precision == "float16" else load_float(export).SerializeToString()
    prosody, trunk, _ = derive(other)
    feed: dict[str, np.ndarray] = {
        "tokens": np.array([[0, *sentence.tokens, 0]], np.int64),
        "style": sentence.row,
        "speed": np.array([1.0], np.float32),
    }
    *between, durations = run_all(prosody, feed)
    hidden, source, _ = run_all(trunk, fed(trunk, *between, sentence.row))
    assert np.abs(durations.reshape(-1) - sentence.prosody.durations).mean() < 1
    reference = derive_reference(other)
    inputs = (sentence.prosody.hidden, sentence.prosody.source, sentence.row)
    audio = run_all(reference, fed(reference, *inputs))[0].reshape(-1)
    exported, _ = sentence.exact()
    edge = (len(audio) - len(exported)) // 2
    assert decibels_below(audio[edge : edge + len(exported)] - exported, exported) > 20
    assert hidden.shape[2] * FRAME // 2 == FRAME * int(durations.sum())
    assert source.shape[2] == 60 * hidden.shape[2] + 1


def tiny_graph() -> bytes:
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "tiny", ports[:1], ports[1:])
    return helper.make_model(graph).SerializeToString()


FOREIGN = {
    "garbage": b"\xff" * 4096,
    "nothing": b"",
    "another network": tiny_graph(),
    "text": b"Not a model.\n",
}


@pytest.mark.parametrize("data", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_file_is_a_value_error(data: bytes) -> None:
    """Bytes that are no Kokoro are refused with a message, by both derivations."""
    for derivation in (derive, derive_reference):
        with pytest.raises(ValueError, match=r"not an ONNX file|not a known export of Kokoro"):
            derivation(data)


def test_half_a_file_is_refused(export: bytes) -> None:
    """A file that was cut off is refused like a foreign one."""
    with pytest.raises(ValueError, match=r"not an ONNX file|not a known export"):
        derive(export[: len(export) // 2])


@pytest.mark.parametrize("kind", ["garbage", "another network"])
async def test_a_foreign_file_ends_the_start(tmp_path: Path, kind: str) -> None:
    """A backend told to load such a file says which file it is and what is wrong with it."""
    path = tmp_path / "other.onnx"
    path.write_bytes(FOREIGN[kind])
    voice = Voice(name="af_heart", language="en-US", backend="kokoro", description="")
    backend = KokoroOnnxBackend(KokoroOptions(model=str(path)), surroundings(tmp_path, [voice]))
    try:
        with pytest.raises(BackendUnavailableError, match=r"other\.onnx.*(not an ONNX|not a known export)"):
            await backend.start()
    finally:
        await backend.stop()
