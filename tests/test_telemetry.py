"""Nothing tells anybody that the server is used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LOAD = "import wyoming_tts, onnxruntime; onnxruntime.SessionOptions()"


def test_onnx_runtime_reports_nothing(tmp_path: Path) -> None:
    """Its reports are turned off before it is loaded: it makes itself no identity to report under."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")
    }
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", LOAD], env=environment, check=True, timeout=60)
    assert not list(tmp_path.rglob("*"))
