"""The doctor as a whole: what it prints, and that no check can break or stop it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from pathlib import Path

import pytest

from tests.doctor import KEY, bad, bare, found, not_ok, settings_of
from tests.test_app import free_port
from tests.upstream import forever
from wyoming_tts import doctor, doctor_files, doctor_network
from wyoming_tts.cli import main
from wyoming_tts.config import Settings
from wyoming_tts.doctor_findings import Check, Finding, Patient, in_thread, ok

__all__ = ["bare"]  # a fixture of every test here


async def test_a_server_in_good_health(tmp_path: Path, model_data: Path) -> None:
    """With the real model everything is well, each check in its place, and the sentence has its times."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "prepared").symlink_to(model_data / "prepared")
    findings = await found(settings_of(tmp_path, chain=("kokoro", "espeak")))
    speech = findings.pop("speech")
    assert speech.state in ("ok", "warning"), speech  # a machine that is busy is slower than speech
    assert "first audio after " in speech.found
    assert "real-time factor " in speech.found
    model = findings.pop("model")  # what other versions prepared is prepared again
    assert model.state in ("ok", "warning"), model
    assert "checksum right" in model.found
    assert not_ok(findings) == {}
    assert list(findings) == [
        *("settings", "provider", "voices", "languages", "data directory", "own files", "port", "http"),
        *("discovery", "backend kokoro", "backend espeak", "describe"),
    ]
    assert "CPU" in findings["backend kokoro"].found
    assert "54 of 54 voices ready" in findings["describe"].found


async def test_the_command_prints_a_line_for_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """State, check, finding and remedy; flags, variables and file are the server's; status 0."""
    monkeypatch.setenv("WYOMING_TTS_CHAIN", "espeak")
    data = tmp_path / "data"
    data.mkdir()
    (data / "config.toml").write_text("zeroconf = false\nvoice = 'espeak/en-gb'\n")
    (data / "lexicon.toml").write_text("[[entry]]\ntext = 'x'\n")
    flags = ["--uri", f"tcp://127.0.0.1:{free_port()}", "--no-http"]
    assert await asyncio.to_thread(main, ["doctor", *flags]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ok       settings         chain espeak; default voice espeak/en-gb"
    (own,) = (line for line in lines if "own files" in line)
    assert own.startswith("warning  own files        lexicon.toml: line 1: ")
    assert f" → correct it in {data}" in own
    assert "ok       http             off" in lines
    assert lines[-1].startswith("ok       speech           first audio after ")


async def test_json_and_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For programs: one document with every field of every check; a check that failed is status 1."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        uri = f"tcp://127.0.0.1:{stranger.getsockname()[1]}"
        flags = ["--chain", "espeak", "--no-zeroconf", "--no-http", "--uri", uri]
        assert await asyncio.to_thread(main, ["doctor", "--json", "--limit", "20", *flags]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    checks = {check["check"]: check for check in report["checks"]}
    assert set(checks["port"]) == {"state", "found", "remedy", "check", "seconds"}
    assert checks["port"]["state"] == "failed"
    assert checks["speech"]["state"] == "ok"


@pytest.mark.parametrize("flags", [["--sped", "1"], ["--limit", "0"], ["extra"]])
def test_wrong_flags_are_status_2(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What is no flag of the doctor and none of the server is wrong usage."""
    assert main(["doctor", *flags]) == 2
    assert capsys.readouterr().err.startswith("wyoming-tts: ")


def test_wrong_settings_are_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A settings' file that cannot be read is what the doctor is there for."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "config.toml").write_text("sped = 1\n")
    assert main(["doctor", "--json"]) == 1
    (check,) = json.loads(capsys.readouterr().out)["checks"]
    assert (check["check"], check["state"]) == ("settings", "failed")
    assert "sped is no setting; did you mean speed?" in check["found"]


async def test_settings_that_cannot_work_together(tmp_path: Path) -> None:
    """They are one finding, and what does not depend on them is looked at all the same."""
    findings = await found(settings_of(tmp_path, chain=("espeak", "espeek")))
    bad(findings["settings"], "failed", "there is no backend 'espeek'; did you mean espeak?", "correct it")
    assert findings["voices"].state == "ok"
    assert findings["port"].state == "ok"
    bad(findings["speech"], "failed", "nothing to ask", "settings")


async def test_a_check_that_breaks_or_hangs_is_one_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its message is the finding, the others go on, and none takes longer than it may."""

    async def broken(patient: Patient) -> Finding:
        raise RuntimeError(f"it's the {KEY}")

    ends = threading.Event()

    def hangs(settings: Settings) -> Finding:
        ends.wait(20)
        return ok("late")

    monkeypatch.setattr(doctor_network, "port", broken)
    monkeypatch.setattr(doctor_files, "voices", hangs)
    findings = await found(settings_of(tmp_path, api_keys={"me": KEY}), most=3.0)
    ends.set()
    bad(findings["port"], "failed", "RuntimeError: it's the ***", "--debug")
    bad(findings["voices"], "failed", "did not end within 3 s", "look again")
    assert 3 <= findings["voices"].seconds < 10
    assert not_ok(findings) == {"port": "failed", "voices": "failed"}


async def test_a_check_is_bounded_by_its_own_time() -> None:
    """A coroutine that hangs is cancelled; what it raised by itself is told as it is."""

    async def raises() -> Finding:
        raise TimeoutError("of its own")

    late = await doctor._done(Check("x", 0.05, forever), None, [])  # type: ignore[arg-type]
    assert "did not end within 0.05 s" in late.found
    own = await doctor._done(Check("x", 5, raises), None, [])
    assert own.found == "TimeoutError: of its own"


async def test_a_thread_that_hangs_keeps_nobody() -> None:
    """It is a daemon, its result comes if it is waited for, and its error too."""
    assert await in_thread(lambda a: a + 1, 1) == 2
    with pytest.raises(ValueError, match="wrong"):
        await in_thread(int, "wrong")
