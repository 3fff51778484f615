"""Where the documentation is tried: a folder with nothing in it but what is shown, and a server."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.documents import ROOT
from tests.http import decoded
from tests.test_app import PATIENCE, Server, free_port

UNIT = ROOT / "docker/systemd/wyoming-tts.service"


@dataclass(frozen=True)
class Stand:
    """Where commands are run: a folder with nothing in it but them, and a server."""

    folder: Path
    server: Server
    http: str

    @property
    def environment(self) -> dict[str, str]:
        """As a user has it who has installed the package, with the server where it is."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("WYOMING_TTS_")},
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": f"{self.folder / 'lib'}:{ROOT}",
            "WYOMING_TTS_DATA_DIR": str(self.folder / "data"),
            "WYOMING_TTS_OFFLINE": "true",
            "WYOMING_TTS_ZEROCONF": "false",
            "WYOMING_TTS_URI": self.server.uri,
            "WYOMING_TTS_HTTP_URI": self.http,
            "SERVER": self.server.uri,
        }

    def moved(self, text: str) -> str:
        """A command as it is written, but for places that may be in use on the machine of the test."""
        text = text.replace("http://127.0.0.1:8880", self.http).replace(
            "unix:///run/", f"unix://{self.folder}/"
        )
        text = re.sub(r"(?<=:)10200\b", lambda _: str(free_port()), text)
        return re.sub(r"^script/run\b", "wyoming-tts", text)

    def shell(self, text: str) -> subprocess.CompletedProcess[bytes]:
        """Run it; it has to succeed."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", self.moved(text)],
            cwd=self.folder / "here",
            env=self.environment,
            input=b"It is 7:05 PM.\n",
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout.decode()}\n{done.stderr.decode()}"
        return done


def seconds_of(path: Path) -> float:
    return len(decoded(path.read_bytes())) / 24_000


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def exists(*where: str) -> None:
    """These tests and scripts are there."""
    for one in where:
        path, _, name = one.partition("::")
        assert not name or re.search(rf"^(async )?def {name}\(", read(path), re.MULTILINE), one
        assert (ROOT / path).exists(), one
