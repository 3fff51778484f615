"""What the doctor finds on this machine's disk: the model, the voices, and the household's own files."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from wyoming_tts.backends.kokoro_engine import PROVIDERS
from wyoming_tts.backends.kokoro_onnx import (
    KokoroOptions,
    bearable_integers,
    choose_provider,
    recipe_of,
)
from wyoming_tts.backends.kokoro_prepare import FILES
from wyoming_tts.backends.kokoro_ranges import Integers
from wyoming_tts.catalogue import LiveCatalogue
from wyoming_tts.config import Settings
from wyoming_tts.doctor_findings import Finding, Patient, failed, ok, warning
from wyoming_tts.errors import BackendUnavailableError, ConfigError
from wyoming_tts.models import RELEASES, weights_here
from wyoming_tts.phonemes import missing_extra
from wyoming_tts.prepared import is_prepared
from wyoming_tts.presets import FILE_NAME as PRESETS_FILE
from wyoming_tts.presets import check_presets
from wyoming_tts.prices import FILE_NAME as PRICES_FILE
from wyoming_tts.prices import PriceTable
from wyoming_tts.text.lexicon import FILE_NAME as LEXICON_FILE
from wyoming_tts.text.lexicon import Lexicon
from wyoming_tts.voices import load_catalogue, load_pack, voices_directory

MEGABYTE = 10**6
LITTLE_SPACE, NO_SPACE = 500 * MEGABYTE, 20 * MEGABYTE
"""Free bytes below which a disk is a warning, and below which nothing can be kept."""

SHOWN = 3
"""Problems of one file that are told; the log has them all."""


def model(options: KokoroOptions, settings: Settings) -> Finding:
    """Whether Kokoro's weights are here and whole, and the graphs made of them."""
    name, release = options.model, RELEASES.get(options.model)
    try:
        weights, refused = weights_here(name, data_dir=settings.data_dir, download_dir=settings.download_dir)
    except BackendUnavailableError as error:
        return failed(str(error), f"correct --model: {', '.join(RELEASES)}, or the path of a model")
    if weights is None and refused:
        return failed("; ".join(refused), "do that, then start the server again")
    if weights is None:
        assert release is not None
        target = settings.download_dir / release.file
        how = f"put {release.url} at {target}"
        if settings.offline:
            return failed(f"the {name} weights ({release.megabytes} MB) are not on this machine", how)
        how = f"start the server once with a network, which downloads them, or {how}"
        return warning(f"the {name} weights ({release.megabytes} MB) are not on this machine yet", how)
    source = "installed packages" if weights.source.startswith("installed packages") else weights.source
    where = f"{name} from {source}, checksum right" if release else f"{source} is there"
    if refused:
        return warning(f"{where}; passed over: {'; '.join(refused)}", "do that")
    recipe = recipe_of(_integers(options, settings))
    if is_prepared(weights, recipe=recipe, names=FILES, data_dir=settings.data_dir):
        return ok(f"{where}; prepared graphs whole")
    return warning(f"{where}; its graphs are not prepared", "start the server once: that takes a minute more")


def provider(options: KokoroOptions, settings: Settings) -> Finding:
    """What really computes, and in what."""
    import onnxruntime

    available = onnxruntime.get_available_providers()
    try:
        chosen = choose_provider(options.provider, available)
    except ConfigError as error:
        return failed(str(error), "pip install the build of onnxruntime that has it, or set --provider auto")
    active = PROVIDERS[chosen] if chosen == "cpu" else _active(PROVIDERS[chosen])
    if active != PROVIDERS[chosen]:
        return warning(
            f"{chosen} is there and cannot be used: {active} computes in its place",
            f"install the driver and the libraries of {chosen}, or set --provider cpu",
        )
    version = f"{active.removesuffix('ExecutionProvider')} on ONNX Runtime {onnxruntime.__version__}"
    if integers := _integers(options, settings):
        return ok(f"{version}, in integers with weights of {integers.bits} bits")
    return ok(f"{version}, in floats: {_why_floats(options, chosen)}")


def _integers(options: KokoroOptions, settings: Settings) -> Integers | None:
    import onnxruntime

    chosen = choose_provider(options.provider, onnxruntime.get_available_providers())
    return bearable_integers(options, chosen, settings.voices_dir or voices_directory())


def _why_floats(options: KokoroOptions, chosen: str) -> str:
    if options.precision != "auto":
        return "precision is float"
    if options.model != "int8":
        return "integers are for the int8 weights"
    return "this processor is no faster at integers" if chosen == "cpu" else "integers are for the CPU"


def _active(long_name: str) -> str:
    """The provider that a graph really gets: where libraries are missing, ONNX Runtime takes the CPU."""
    import onnx
    import onnxruntime

    ports = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy"]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Abs", ["x"], ["y"])], "probe", ports[:1], ports[1:]
    )
    probe = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 4
    session = onnxruntime.InferenceSession(probe.SerializeToString(), quiet, [long_name])
    return str(session.get_providers()[0])


def voices(settings: Settings) -> Finding:
    """Whether the folder of voices is whole."""
    folder = settings.voices_dir or voices_directory()
    damaged, known = [], load_catalogue(folder).known
    for voice in known:
        try:
            load_pack(voice.name, folder)
        except BackendUnavailableError as error:
            damaged.append(str(error))
    if damaged:
        how = "install wyoming-tts again" if settings.voices_dir is None else "put the files there again"
        return failed(_some(damaged), f"{how} (pip install --force-reinstall --no-deps wyoming-tts)")
    return ok(f"{len(known)} in {folder}, each one whole")


def extras(settings: Settings) -> Finding:
    """Whether each language that there are voices for can be read."""
    known = load_catalogue(settings.voices_dir).known
    counts = Counter(extra for voice in known if (extra := missing_extra(voice.language)))
    if not counts:
        return ok("all languages can be read")
    missing = ", ".join(f"{count} voices of {extra}" for extra, count in counts.items())
    install = f"{sys.executable} -m pip install 'wyoming-tts[{','.join(counts)}]'"
    return warning(f"{missing} cannot be read", f"if they are wanted: {install}")


def directories(settings: Settings) -> Finding:
    """Whether something can be kept."""
    found = [_directory(path) for path in dict.fromkeys((settings.data_dir, settings.download_dir))]
    order = ("failed", "warning", "ok")
    return min(found, key=lambda finding: order.index(finding.state))


def _directory(path: Path) -> Finding:
    there = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    choose = "choose another with --data-dir (and --download-dir)"
    try:
        if there == path:
            tempfile.TemporaryFile(dir=path).close()
        elif not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            return failed(f"{path} cannot be made in {there}", f"make it for this user, or {choose}")
    except OSError as error:
        why = error.strerror or error
        return failed(f"{path} cannot be written: {why}", f'chown -R "$USER" {path}, or {choose}')
    free = shutil.disk_usage(there).free
    told = f"{path} {'can be written' if there == path else 'will be made'}, {free / MEGABYTE:,.0f} MB free"
    if free < NO_SPACE:
        return failed(told, f"free some space, or {choose}")
    return warning(told, f"free some space, or {choose}") if free < LITTLE_SPACE else ok(told)


def own_files(patient: Patient) -> Finding:
    """What is wrong with `voices.toml`, `lexicon.toml` and `prices.toml`."""
    folder = patient.settings.data_dir
    there = [name for name in (PRESETS_FILE, LEXICON_FILE, PRICES_FILE) if (folder / name).exists()]
    try:
        PriceTable.load(folder)
    except ConfigError as error:
        return failed(str(error), f"correct {folder / PRICES_FILE}: the server does not start with it")
    problems = [f"{LEXICON_FILE}: {problem}" for problem in Lexicon(folder / LEXICON_FILE).problems]
    if PRESETS_FILE in there:
        catalogue = patient.built.catalogue if patient.built else None
        problems += [f"{PRESETS_FILE}: {one}" for one in _preset_problems(folder / PRESETS_FILE, catalogue)]
    if problems:
        return warning(_some(problems), f"correct it in {folder}; the server need not be started again")
    return ok(f"{', '.join(there)}: nothing is wrong" if there else f"no files of your own in {folder}")


def _preset_problems(path: Path, catalogue: LiveCatalogue | None) -> list[str]:
    try:
        presets, problems = check_presets(path)
    except (OSError, ValueError) as error:
        return [str(error)]
    names = {voice.name for voice in catalogue.voices()} if catalogue else set(presets)
    lost = (name for name in presets if name not in names)
    return problems + [f"{name}: there is no voice {presets[name].voice!r}" for name in lost]


def _some(problems: list[str]) -> str:
    more = len(problems) - SHOWN
    return "; ".join(problems[:SHOWN]) + (f"; and {more} more" if more > 0 else "")
