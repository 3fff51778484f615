"""Kokoro's weights for PyTorch: the authors' checkpoint, or the ONNX export turned back into one.

    python -m wyoming_tts.backends.kokoro_torch_weights DIRECTORY < kokoro.onnx

The export holds every weight that speaking needs, as bytes with a scale where it is the small one, and the
names of its nodes say which module of `kokoro.model.KModel` each belongs to. So whoever has the ONNX weights
needs no second download. Weight normalisation is folded: a state has plain `weight`s only.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import re
import sys
import types
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from wyoming_tts.backends.base import Surroundings
from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.models import TORCH_RELEASES, Weights, find_weights
from wyoming_tts.prepared import end_with_parent, prepared, run_apart
from wyoming_tts.voices import read_arrays, write_arrays

if TYPE_CHECKING:
    from onnx import NodeProto

    from wyoming_tts.onnx_graph import Graph

Array = NDArray[np.float32]
State = dict[str, torch.Tensor]
"""Weights by the name that `KModel` has for them: `decoder.generator.ups.0.weight`."""

CONVERTED = "weights.npz"
"""The file that a conversion writes."""

MOST_BYTES = 2**30
"""What that may hold."""

RECIPE = "torch.1"
"""Version of that file: raise it with every change to what `from_export` makes."""

FOLDER = "torch"
"""Subfolder of the data directory: what is prepared here and for ONNX Runtime shall not tidy each other."""

CONFIG: Mapping[str, Any] = {
    "vocab": {},  # only `KModel.forward` turns phonemes into tokens, and nobody calls it
    "n_token": 178,
    "hidden_dim": 512,
    "style_dim": 128,
    "n_layer": 3,
    "n_mels": 80,
    "max_dur": 50,
    "dropout": 0.2,
    "text_encoder_kernel_size": 5,
    "istftnet": {
        "upsample_kernel_sizes": [20, 12],
        "upsample_rates": [10, 6],
        "gen_istft_hop_size": 5,
        "gen_istft_n_fft": 20,
        "resblock_dilation_sizes": [[1, 3, 5], [1, 3, 5], [1, 3, 5]],
        "resblock_kernel_sizes": [3, 7, 11],
        "upsample_initial_channel": 512,
    },
    "plbert": {
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 2048,
        "max_position_embeddings": 512,
        "num_hidden_layers": 12,
        "dropout": 0.1,
    },
}
"""The published `config.json` of Kokoro v1.0."""

PREDICTOR = ("F0", "N", "shared", "F0_proj", "N_proj")
"""Modules of the predictor whose nodes the export names as if they stood beside it."""

GATES = (0, 2, 3, 1)
"""Where an LSTM's input, forget, cell and output gates stand in ONNX's order."""

UNUSED = re.compile(r"bert\.pooler\..*|.*\.norm\.(weight|bias)")
"""What no checkpoint need have: BERT's pooler, which nobody reads, and the 1 and 0 inside every AdaIN."""

SUPERFLUOUS = re.compile(r"bert\.pooler\..*|bert\.embeddings\.position_ids")
"""What a checkpoint may have, and nobody reads."""


def load_state(choice: str, surroundings: Surroundings) -> tuple[State, str]:
    """The weights that the option `weights` means, and what tells them from others.

    `pth` is the authors' checkpoint, `converted` is made of the ONNX weights, `auto` the first of the two
    that needs no download; anything else is the path of a checkpoint or of an ONNX export. Raises
    BackendUnavailableError, which names the file.
    """
    weights = _find(choice, surroundings)
    if weights.name != "int8" and not weights.name.endswith(".onnx"):
        return read_checkpoint(weights.paths[0]), weights.sha256
    data_dir = surroundings.data_dir / FOLDER
    with prepared(weights, recipe=RECIPE, derive=convert, names=(CONVERTED,), data_dir=data_dir) as directory:
        arrays = read_arrays(directory / CONVERTED, MOST_BYTES)
    return {name: torch.from_numpy(array) for name, array in arrays.items()}, f"{weights.sha256}.{RECIPE}"


def _find(choice: str, surroundings: Surroundings) -> Weights:
    find = functools.partial(
        find_weights, data_dir=surroundings.data_dir, download_dir=surroundings.download_dir
    )
    if choice == "auto":
        try:
            return find("pth", offline=True, releases=TORCH_RELEASES)
        except BackendUnavailableError:  # it is not here
            choice = "converted"
    if choice == "converted":
        return find("int8", offline=surroundings.offline)
    return find(choice, offline=surroundings.offline, releases=TORCH_RELEASES)


def read_checkpoint(path: Path) -> State:
    """The weights in a file like the authors' own. Raises BackendUnavailableError, which names the file."""
    try:
        groups = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        state = {
            f"{group}.{name.removeprefix('module.')}": tensor.float()
            for group, tensors in groups.items()
            for name, tensor in tensors.items()
        }
    except Exception as error:  # what torch and pickle raise of a damaged file has no common base class
        raise BackendUnavailableError(f"{path} is no checkpoint of Kokoro: {error}") from error
    return fold_weight_norm(state)


def fold_weight_norm(state: State) -> State:
    """With each pair of `weight_g` (length) and `weight_v` (direction) multiplied out."""
    folded = {name: tensor for name, tensor in state.items() if not name.endswith(("_g", "_v"))}
    for name, direction in state.items():
        length = state.get(name.removesuffix("_v") + "_g")
        if name.endswith("weight_v") and length is not None:
            norm = direction.flatten(1).norm(dim=1).view_as(length)
            folded[name.removesuffix("_v")] = direction * (length / norm)
    return folded


def convert(export: bytes, directory: Path) -> None:
    """Write `CONVERTED` into a directory, in a process of its own: it takes seconds of Python and a gigabyte.

    Raises ValueError when the export is another graph, BackendUnavailableError when the process is killed.
    """
    run_apart(__name__, [str(directory)], export, "converting the model")


def from_export(export: bytes) -> dict[str, Array]:
    """The weights in an exported Kokoro graph (int8, float16, float32). Raises ValueError on other bytes."""
    from wyoming_tts.onnx_graph import Graph, load_float

    graph = Graph(load_float(export))
    arrays = dict(_named(graph))
    for node in graph.nodes:
        if len(node.input) > 1 and graph.is_constant(node.input[1 if node.op_type != "Gather" else 0]):
            arrays.update(_weights_of(graph, node))
    if "decoder.generator.conv_post.weight" not in arrays:
        raise ValueError("not a known export of Kokoro v1.0")
    return {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}


def _named(graph: Graph) -> Iterator[tuple[str, Array]]:
    """Constants that kept their names: biases, gains, frequencies of snakes."""
    for name in graph.constants:
        side, _, rest = name.partition(".")
        if side in ("encoder", "decoder") and not name.endswith("_f") and ".stft." not in name:
            yield rest, graph.array(name)


def _weights_of(graph: Graph, node: NodeProto) -> Iterator[tuple[str, Array]]:
    """The weights of one node by their names, in PyTorch's layout."""
    module = module_of(node.name)
    if node.op_type == "Gather" and (table := graph.array(node.input[0])).ndim == 2:
        yield f"{module}.weight", table
    elif node.op_type in ("Conv", "ConvTranspose") and ".stft" not in module:
        yield f"{module}.weight", graph.array(node.input[1])
    elif node.op_type == "MatMul":
        yield f"{module}.weight", graph.array(node.input[1]).T
    elif node.op_type == "LSTM":
        yield from _lstm(module, *(graph.array(name) for name in node.input[1:4]))


def _lstm(module: str, inward: Array, recurrent: Array, bias: Array) -> Iterator[tuple[str, Array]]:
    """The weights of a bidirectional LSTM; the arrays have a row for each direction."""
    for direction, suffix in enumerate(("", "_reverse")):
        yield f"{module}.weight_ih_l0{suffix}", _gates(inward[direction])
        yield f"{module}.weight_hh_l0{suffix}", _gates(recurrent[direction])
        for kind, half in zip(("ih", "hh"), np.split(bias[direction], 2), strict=True):
            yield f"{module}.bias_{kind}_l0{suffix}", _gates(half)


def _gates(array: Array) -> Array:
    """In PyTorch's order."""
    return array.reshape(4, -1, *array.shape[1:])[list(GATES)].reshape(array.shape)


def module_of(node: str) -> str:
    """The module that a node of the export belongs to.

    `/encoder/F0.1/conv1/Conv` -> `predictor.F0.1.conv1`. A list's path is there twice, as `cnn.0/cnn.0.1`; a
    layer that is applied again has a number at its end.
    """
    side, *path = node.rpartition("/")[0].strip("/").split("/")
    if side == "encoder" and path and path[0].partition(".")[0] in PREDICTOR:
        path.insert(0, "predictor")
    parts: list[str] = []
    for part in path:
        if parts and part.startswith(f"{parts[-1]}."):
            parts.pop()
        parts.append(part)
    name = ".".join(parts)
    return re.sub(r"_\d+$", "", name) if ".albert_layers." in name else name


def build(state: State) -> torch.nn.Module:
    """A `KModel` with these weights. Raises BackendUnavailableError when they do not fit it."""
    kmodel = _kmodel_class()
    with warnings.catch_warnings(action="ignore"):  # old weight norm; dropout in LSTMs of one layer
        model = kmodel(repo_id="hexgrad/Kokoro-82M", config=dict(CONFIG), model=_no_weights()).eval()
        for module in model.modules():
            if hasattr(module, "weight_g"):
                torch.nn.utils.remove_weight_norm(module)
    _check(state, {name: tensor.shape for name, tensor in model.state_dict().items()})
    model.load_state_dict(state, strict=False)
    return model.requires_grad_(False)


def _check(state: State, wanted: Mapping[str, torch.Size]) -> None:
    """Every weight is there and has its shape: KModel itself would go on without those that do not fit."""
    wrong = [f"{name} is missing" for name in wanted if name not in state and not UNUSED.fullmatch(name)]
    for name, tensor in state.items():
        if name in wanted and tensor.shape != wanted[name]:
            wrong.append(f"{name} has the shape {tuple(tensor.shape)}, not {tuple(wanted[name])}")
        elif name not in wanted and not SUPERFLUOUS.fullmatch(name):
            wrong.append(f"{name} is not known")
    if wrong:
        some = ", ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else "")
        raise BackendUnavailableError(f"the weights are not those of Kokoro v1.0: {some}")


def _no_weights() -> io.BytesIO:
    """A checkpoint without anything: KModel insists on one, and downloads it where there is none."""
    file = io.BytesIO()
    torch.save({}, file)
    file.seek(0)
    return file


def _kmodel_class() -> Any:
    """`KModel`, without what its package imports beside it. Raises ImportError.

    The package's own `__init__` wants misaki and spaCy, which turn text into phonemes, and takes all sinks
    from everybody's loguru. So a bare package stands in its place while the module is imported, no longer.
    """
    if "kokoro.model" in sys.modules:
        return sys.modules["kokoro.model"].KModel
    from loguru import logger

    spec = importlib.util.find_spec("kokoro")
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError("No module named 'kokoro'", name="kokoro")
    bare = types.ModuleType("kokoro")
    bare.__path__ = list(spec.submodule_search_locations)
    sys.modules["kokoro"] = bare
    try:
        module = importlib.import_module("kokoro.model")
    finally:
        del sys.modules["kokoro"]
    logger.disable("kokoro")
    return module.KModel


def main() -> int:
    """What the process does; its last line on standard error says what went wrong."""
    end_with_parent()
    try:
        arrays = from_export(sys.stdin.buffer.read())
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    write_arrays(Path(sys.argv[1]) / CONVERTED, arrays)
    return 0


if __name__ == "__main__":
    sys.exit(main())
