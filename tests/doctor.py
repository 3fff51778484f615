"""What the tests of the doctor share: a quick server to be looked at, and a world without settings."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.test_app import free_port
from wyoming_tts import doctor, doctor_network
from wyoming_tts.config import Settings
from wyoming_tts.doctor_findings import Finding, Patient

KEY = "sk-very-secret-key-4711"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No settings of this machine, and no thread that outlives its test."""
    for name in [*Settings.model_fields, "backends"]:
        monkeypatch.delenv(f"WYOMING_TTS_{name.upper()}", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setenv("WYOMING_TTS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(doctor_network, "LOOK_SECONDS", 1.0)
    monkeypatch.setattr(doctor_network, "ANSWER_SECONDS", 0.5)
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        if not thread.name.startswith("asyncio_"):  # those of the test's own loop
            thread.join(5)
            assert not thread.is_alive(), thread.name


def settings_of(tmp_path: Path, **values: Any) -> Settings:
    """A quick server that nobody else sees: espeak-ng alone, on a free port."""
    usual: dict[str, Any] = {
        "data_dir": tmp_path / "data",
        "chain": ("espeak",),
        "uri": f"tcp://127.0.0.1:{free_port()}",
        "http_uri": f"http://127.0.0.1:{free_port()}",
        "zeroconf": False,
    }
    return Settings(**{**usual, **values})


async def found(settings: Settings, most: float | None = None) -> dict[str, Finding]:
    async with contextlib.aclosing(doctor.examine(settings, most)) as examined:
        return {finding.check: finding async for finding in examined}


def patient_of(settings: Settings, **more: Any) -> Patient:
    return Patient(settings=settings, built=None, **more)


def not_ok(findings: Mapping[str, Finding]) -> dict[str, str]:
    return {name: finding.state for name, finding in findings.items() if finding.state != "ok"}


def bad(finding: Finding, state: str, told: str, remedy: str) -> None:
    assert finding.state == state, finding
    assert told in finding.found
    assert remedy in finding.remedy
