"""kokoro-pi, installed into an environment of its own: it wants other versions of what is used here.

Its models are built by its own code from the weights that this server has, given as the float export that it
would download. That takes some minutes and is kept.
"""

from __future__ import annotations

import shutil
import subprocess
import venv
from pathlib import Path

from tests.benchmarks.listener import BenchmarkError

VERSION = "1.2.0"
EXPORT, VOICES, DONE = "kokoro-v1.0.fp16.onnx", "voices-v1.0.bin", "models.json"
"""Files that it downloads, and the one that it writes last."""

BUILD = """
import pathlib, sys
from kokoro_pi import assets, build
models = pathlib.Path(sys.argv[1])
assets.fetch_all = lambda _: {name: models / name for name in assets.UPSTREAM}
build.main(["--models", str(models), "--threads", "2"])
"""
"""What `kokoro-pi build` does, with the files that are there instead of downloads."""


def places(folder: Path) -> tuple[Path, Path]:
    """Its Python and the folder of its models."""
    return folder / "environment" / "bin" / "python", folder / "models"


def is_installed(folder: Path) -> bool:
    """Whether `install` came to its end."""
    return (places(folder)[1] / DONE).exists()


def install(folder: Path, export: Path, voices: Path, log: Path) -> None:
    """Install it and build its models from a float export; raises BenchmarkError where it cannot be had."""
    python, models = places(folder)
    models.mkdir(parents=True, exist_ok=True)
    venv.create(folder / "environment", with_pip=True, clear=True)
    _run([str(python), "-m", "pip", "install", "--quiet", f"kokoro-pi=={VERSION}"], log)
    shutil.copyfile(export, models / EXPORT)
    shutil.copyfile(voices, models / VOICES)
    _run([str(python), "-c", BUILD, str(models)], log)


def _run(command: list[str], log: Path) -> None:
    with log.open("ab") as file:
        done = subprocess.run(command, stdout=file, stderr=file, check=False)
    if done.returncode:
        tail = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise BenchmarkError(f"kokoro-pi {VERSION} cannot be had here: {' '.join(tail)}")
