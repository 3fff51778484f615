"""kokoro-pi, installed into an environment of its own: it wants other versions of what is used here.

Its models are built by its own code from the weights that this server has, given as the float export that it
would download. That takes some minutes and is kept.
"""

from __future__ import annotations

import asyncio
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


async def installed(folder: Path, weights: bytes, voices: Path, log: Path) -> tuple[Path, Path]:
    """Its Python and the folder of its models; raises BenchmarkError where it cannot be had."""
    python, models = folder / "environment" / "bin" / "python", folder / "models"
    if not (models / DONE).exists():
        await asyncio.to_thread(_install, folder, weights, voices, log)
    return python, models


def _install(folder: Path, weights: bytes, voices: Path, log: Path) -> None:
    from wyoming_tts.onnx_graph import load_float

    models = folder / "models"
    models.mkdir(parents=True, exist_ok=True)
    venv.create(folder / "environment", with_pip=True, clear=True)
    python = str(folder / "environment" / "bin" / "python")
    _run([python, "-m", "pip", "install", "--quiet", f"kokoro-pi=={VERSION}"], log)
    (models / EXPORT).write_bytes(load_float(weights).SerializeToString())
    (models / VOICES).write_bytes(voices.read_bytes())
    _run([python, "-c", BUILD, str(models)], log)


def _run(command: list[str], log: Path) -> None:
    with log.open("ab") as file:
        done = subprocess.run(command, stdout=file, stderr=file, check=False)
    if done.returncode:
        tail = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise BenchmarkError(f"kokoro-pi {VERSION} cannot be had here: {' '.join(tail)}")
