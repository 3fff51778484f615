"""Files derived from a model once and kept: made atomically, checked at every start, rebuilt when damaged."""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wyoming_tts.errors import BackendUnavailableError, WyomingTtsError
from wyoming_tts.files import flush, locked, sha256_of
from wyoming_tts.models import Weights

_LOGGER = logging.getLogger(__name__)

MANIFEST = "manifest.json"
"""File that says what is in a directory of prepared files, with their checksums."""

_KEPT_SECONDS = 3600.0
"""Files of another recipe that were used this recently stay: an older version may just be loading them."""

_PR_SET_PDEATHSIG = 1
"""What prctl(2) calls the signal that comes when the parent has ended."""

_OURS = re.compile(r"[0-9a-f]{16}-")

Derive = Callable[[bytes, Path], None]
"""Given the model file and an empty directory, writes the derived files into it."""


def run_apart(module: str, arguments: Sequence[str], model: bytes, what: str) -> None:
    """Run a module of ours as a process of its own, the model file on its standard input.

    Raises ValueError with the last line of its standard error when its exit status is not 0, and
    BackendUnavailableError when it is killed while doing `what`.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        input=model,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"status {done.returncode}"]
    if done.returncode < 0:
        raise BackendUnavailableError(f"{what} was ended by signal {-done.returncode}")
    if done.returncode:
        raise ValueError(lines[-1])


def end_with_parent() -> None:
    """For such a process: be killed with the server, and write into nobody's directory afterwards."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class _Plan:
    weights: Weights
    recipe: str
    derive: Derive
    names: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"{self.weights.sha256[:16]}-{self.recipe}"


@contextlib.contextmanager
def prepared(
    weights: Weights, *, recipe: str, derive: Derive, names: Sequence[str], data_dir: Path
) -> Iterator[Path]:
    """The directory with the files `names` that `derive` makes of the weights; load them inside the `with`.

    They are kept under `data_dir/prepared` until `recipe` (letters, digits, dots) changes; where nothing
    can be kept they are made for this run alone, and gone behind the `with`. Blocks while it or another
    process derives. Raises BackendUnavailableError when the weights cannot be read or derived from.
    """
    plan = _Plan(weights, recipe, derive, tuple(names))
    directory = data_dir / "prepared" / plan.key
    try:
        _ensure(plan, directory)
    except OSError as error:
        reason = error.strerror or error
        _LOGGER.warning(
            "Cannot keep the prepared model in %s (%s): preparing it for this run", directory, reason
        )
    else:
        yield directory
        return
    with _temporary_directory() as temporary:
        try:
            _fill(temporary, plan)
        except OSError as error:
            raise BackendUnavailableError(f"Cannot prepare the model in {temporary}: {error}") from error
        yield temporary


def is_prepared(weights: Weights, *, recipe: str, names: Sequence[str], data_dir: Path) -> bool:
    """Whether `prepared` would find its files kept and whole; makes nothing. Blocks for their checksums."""
    plan = _Plan(weights, recipe, lambda model, directory: None, tuple(names))
    return _is_whole(data_dir / "prepared" / plan.key, plan)


@contextlib.contextmanager
def _temporary_directory() -> Iterator[Path]:
    try:
        directory = tempfile.TemporaryDirectory(prefix="wyoming-tts-", ignore_cleanup_errors=True)
    except OSError as error:
        raise BackendUnavailableError(f"No place to prepare the model: {error}") from error
    with directory as name:
        yield Path(name)


def _ensure(plan: _Plan, directory: Path) -> None:
    """Make the directory unless it is there and whole. Raises OSError where it cannot be written."""
    if not _is_whole(directory, plan):
        directory.parent.mkdir(parents=True, exist_ok=True)
        with locked(directory.parent / "lock"):
            _tidy(directory.parent, plan)
            if not _is_whole(directory, plan):  # another process may have made it while this one waited
                _build(plan, directory)
    with contextlib.suppress(
        OSError
    ):  # a read-only directory cannot note when it was used, and is not tidied either
        os.utime(directory / MANIFEST)


def _is_whole(directory: Path, plan: _Plan) -> bool:
    try:
        kept = (directory / MANIFEST).read_bytes()
        return kept == _manifest(directory, plan)
    except OSError:
        return False


def _manifest(directory: Path, plan: _Plan) -> bytes:
    files = {
        name: {"size": (directory / name).stat().st_size, "sha256": sha256_of([directory / name])}
        for name in plan.names
    }
    content = {"source": plan.weights.sha256, "recipe": plan.recipe, "files": files}
    return (json.dumps(content, indent=2) + "\n").encode()


def _build(plan: _Plan, directory: Path) -> None:
    """Derive beside the directory, then give it its name; the lock is held."""
    if directory.exists():
        _LOGGER.warning("The prepared model in %s is damaged: preparing it again", directory)
    temporary = directory.with_name(directory.name + ".tmp")
    try:
        temporary.mkdir()
        _fill(temporary, plan)
        _flush_all(temporary)
        if directory.exists():
            directory.rename(directory.with_name(directory.name + ".old"))
        temporary.rename(directory)
        flush(directory.parent)
    finally:
        _tidy(directory.parent, plan)


def _fill(directory: Path, plan: _Plan) -> None:
    began = time.monotonic()
    data = plan.weights.read()
    _LOGGER.info("Preparing the model from %s in %s", plan.weights.source, directory)
    try:
        plan.derive(data, directory)
    except (OSError, WyomingTtsError):
        raise
    except Exception as error:  # a damaged or foreign model makes onnx raise anything
        reason = f"{type(error).__name__}: {error}"
        raise BackendUnavailableError(
            f"{plan.weights.source} is not a model that can be used ({reason})"
        ) from error
    if missing := [name for name in plan.names if not (directory / name).is_file()]:
        raise RuntimeError(f"recipe {plan.recipe} made no {', '.join(missing)}")
    (directory / MANIFEST).write_bytes(_manifest(directory, plan))
    _LOGGER.info("Prepared in %.1f s", time.monotonic() - began)


def _flush_all(directory: Path) -> None:
    for path in directory.iterdir():
        flush(path)
    flush(directory)


def _tidy(root: Path, plan: _Plan) -> None:
    """Remove what a killed process left and what other recipes made long ago; the lock is held."""
    for path in root.iterdir():
        if not _OURS.match(path.name):
            continue
        if path.suffix in (".tmp", ".old") or _is_outdated(path, plan):
            _remove(path)


def _is_outdated(path: Path, plan: _Plan) -> bool:
    if path.name.partition("-")[2] == plan.recipe:
        return False
    with contextlib.suppress(OSError):
        return time.time() - (path / MANIFEST).stat().st_mtime > _KEPT_SECONDS
    return True  # without a manifest nobody can use it


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()
