"""Kokoro's weights for PyTorch: converted from the ONNX export, or read from the authors' checkpoint."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.speech import surroundings
from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.models import TORCH_RELEASES

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from wyoming_tts.backends import kokoro_torch_weights as weights  # noqa: E402  what it imports may be missing


@pytest.fixture(scope="module")
def state(model_data: Path) -> weights.State:
    """What the installed ONNX weights are converted to."""
    return weights.load_state("converted", surroundings(model_data))[0]


def as_published(state: weights.State) -> dict[str, dict[str, object]]:
    """The same as the authors publish it: one group a module, prefixed names, convolutions normalised."""
    groups: dict[str, dict[str, object]] = {}
    for name, tensor in state.items():
        group, rest = name.split(".", 1)
        own = groups.setdefault(group, {})
        if tensor.ndim == 3 and rest.endswith("weight") and "_proj" not in rest and "noise_convs" not in rest:
            length = tensor.flatten(1).norm(dim=1).view(-1, 1, 1)
            own[f"module.{rest}_g"] = length
            own[f"module.{rest}_v"] = torch.where(length > 0, 2 * tensor, 1)
        else:
            own[f"module.{rest}"] = tensor
    return groups


def test_a_conversion_is_complete(state: weights.State) -> None:
    """Every weight of KModel that speaking needs comes out of the export, and none is no number."""
    model = weights.build(state)
    for name, tensor in model.state_dict().items():
        if not weights.UNUSED.fullmatch(name):
            assert torch.equal(tensor, state[name]), name
        assert torch.isfinite(tensor).all(), name
    assert sum(tensor.numel() for tensor in state.values()) > 81e6


def test_only_the_network_is_imported(model_data: Path) -> None:
    """Building loads neither misaki nor spaCy nor the package's own `__init__`, nor silences other logs."""
    program = (
        "import io, sys\n"
        "from loguru import logger\n"
        "heard = io.StringIO(); logger.add(heard)\n"
        "from wyoming_tts.backends import kokoro_torch_weights as weights\n"
        "weights._kmodel_class()\n"
        "logger.info('still here')\n"
        "assert 'still here' in heard.getvalue()\n"
        "print(*{'misaki', 'spacy', 'kokoro', 'kokoro.pipeline'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True, check=True)
    assert done.stdout.split() == []


def test_a_checkpoint_is_read(state: weights.State, tmp_path: Path) -> None:
    """A file like the authors' own gives the same weights, with weight normalisation multiplied out."""
    path = tmp_path / "own.pth"
    torch.save(as_published(state), path)
    read, digest = weights.load_state(str(path), surroundings(tmp_path))
    assert len(digest) == 64
    assert read.keys() == state.keys()
    for name, tensor in state.items():
        torch.testing.assert_close(read[name], tensor, rtol=1e-5, atol=1e-7)


def test_a_damaged_checkpoint_is_named(state: weights.State, tmp_path: Path) -> None:
    """A file that is cut off, or holds something else, is named in the error."""
    whole, cut, other = (tmp_path / name for name in ("whole.pth", "cut.pth", "other.pth"))
    torch.save({"bert_encoder": {"module.bias": torch.zeros(512)}}, whole)
    cut.write_bytes(whole.read_bytes()[:500])
    torch.save([1, 2, 3], other)
    for path in (cut, other):
        with pytest.raises(BackendUnavailableError, match=path.name):
            weights.load_state(str(path), surroundings(tmp_path))


def test_pickled_code_is_not_run(tmp_path: Path) -> None:
    """A checkpoint that would run something when it is loaded is refused."""
    torch.save({"bert": {"module.weight": Path("anything")}}, tmp_path / "evil.pth")
    with pytest.raises(BackendUnavailableError, match=r"evil\.pth"):
        weights.load_state(str(tmp_path / "evil.pth"), surroundings(tmp_path))


def test_weights_that_do_not_fit_are_named(state: weights.State) -> None:
    """A weight that is missing, unknown or of another shape is an error that says which; no gaps are left."""
    name = "decoder.generator.conv_post.weight"
    rest = {key: tensor for key, tensor in state.items() if key != name}
    for wrong, said in (
        (rest, f"{name} is missing"),
        (rest | {name: torch.zeros(1, 2, 3)}, rf"{name} has the shape \(1, 2, 3\), not \(22, 128, 7\)"),
        (state | {"decoder.extra": torch.zeros(1)}, r"decoder\.extra is not known"),
        ({}, r"is missing.* and \d+ more"),
    ):
        with pytest.raises(BackendUnavailableError, match=said):
            weights.build(wrong)


def test_what_nobody_reads_may_be_there(state: weights.State) -> None:
    """BERT's positions and its pooler stand in some checkpoints and not in others."""
    weights.build(state | {"bert.embeddings.position_ids": torch.arange(512)[None]})


def test_the_checkpoint_is_taken_where_it_is(
    model_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`auto` takes a whole checkpoint that is there, else the ONNX weights; `pth` says what is missing."""
    around = surroundings(tmp_path)
    assert weights._find("auto", around).name == "int8"
    with pytest.raises(BackendUnavailableError, match=r"kokoro-v1_0\.pth"):
        weights._find("pth", around)
    file = tmp_path / "kokoro-v1_0.pth"
    file.write_bytes(b"cut off")
    assert weights._find("auto", around).name == "int8"
    with pytest.raises(BackendUnavailableError, match="is damaged"):
        weights._find("pth", around)
    monkeypatch.setattr("wyoming_tts.models.sha256_of", lambda _: TORCH_RELEASES["pth"].sha256)
    assert weights._find("auto", around).paths == (file,)


@pytest.mark.parametrize("export", [b"no graph at all", b""])
def test_other_files_are_not_converted(export: bytes, tmp_path: Path) -> None:
    """A file that is no export of Kokoro is refused, also where the conversion has a process of its own."""
    with pytest.raises(ValueError, match="not "):
        weights.from_export(export)
    with pytest.raises(ValueError, match="not "):
        weights.convert(export, tmp_path)


@pytest.mark.parametrize(
    ("node", "module"),
    [
        ("/encoder/F0.1/conv1/Conv_quant_f", "predictor.F0.1.conv1"),
        ("/encoder/F0_proj/Conv", "predictor.F0_proj"),
        ("/encoder/text_encoder/cnn.0/cnn.0.0/Conv", "text_encoder.cnn.0.0"),
        (
            "/encoder/bert/encoder/albert_layers.0/attention/query_11/MatMul",
            "bert.encoder.albert_layers.0.attention.query",
        ),
        ("/decoder/decoder/asr_res/asr_res.0/Conv", "decoder.asr_res.0"),
        ("Gather_token_3", ""),
    ],
)
def test_a_node_says_whose_weight_it_has(node: str, module: str) -> None:
    """A module's name follows from the path of its node."""
    assert weights.module_of(node) == module


def test_lstm_gates_are_put_in_order() -> None:
    """ONNX has input, output, forget and cell, PyTorch input, forget, cell and output."""
    onnx = np.repeat(np.array(["i", "o", "f", "c"]), 2)
    assert "".join(weights._gates(onnx)) == "iiffccoo"
