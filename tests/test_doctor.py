"""The doctor: what each check says when all is well and when it is not, and that nothing is left running."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import ScriptedBackend, serving
from tests.http import http_serving
from tests.scripted_wyoming import info, scripted
from tests.test_app import free_port
from tests.test_zeroconf import on_loopback
from tests.upstream import ElevenLabs, OpenAI, Upstream, forever
from wyoming_tts import doctor, doctor_files, doctor_network, doctor_speech
from wyoming_tts.assembly import assemble
from wyoming_tts.backends.kokoro_engine import PROVIDERS
from wyoming_tts.backends.kokoro_onnx import KokoroOptions
from wyoming_tts.cli import main
from wyoming_tts.cli_streams import Meter
from wyoming_tts.config import Settings
from wyoming_tts.doctor_findings import Check, Finding, Patient, in_thread, ok
from wyoming_tts.types import AudioChunk, Voice
from wyoming_tts.voices import VoiceCatalogue, voices_directory
from wyoming_tts.zeroconf import Advertisement, LocalAddress, pack_properties

KEY = "sk-very-secret-key-4711"


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
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


# The whole


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


# Files


def test_a_broken_model(tmp_path: Path) -> None:
    """A damaged file of weights is named with how to get rid of it."""
    settings = settings_of(tmp_path)
    settings.data_dir.mkdir()
    damaged = settings.data_dir / "kokoro-v1.0.fp16.onnx"
    damaged.write_bytes(b"not these")
    bad(doctor_files.model(KokoroOptions(model="fp16"), settings), "failed", f"{damaged} is damaged", "again")
    fallen = settings.data_dir / "kokoro-v1.0.int8.onnx"
    fallen.write_bytes(b"nor these")
    bad(
        doctor_files.model(KokoroOptions(), settings),
        "warning",
        f"passed over: {fallen} is damaged",
        "do that",
    )


def test_a_model_that_is_not_here(tmp_path: Path) -> None:
    """It is a warning where it could be fetched, and nothing is; with --offline it is a failure."""
    options = KokoroOptions(model="fp32")
    settings = settings_of(tmp_path)
    bad(doctor_files.model(options, settings), "warning", "not on this machine yet", "start the server once")
    settings = settings_of(tmp_path, offline=True)
    bad(doctor_files.model(options, settings), "failed", "fp32 weights (326 MB)", str(settings.data_dir))
    missing = KokoroOptions(model=str(tmp_path / "none.onnx"))
    bad(doctor_files.model(missing, settings), "failed", "none.onnx", "--model")
    assert not settings.data_dir.exists()


def test_a_model_of_ones_own(tmp_path: Path) -> None:
    """A path is there, or not; its graphs are still to be made."""
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"x")
    finding = doctor_files.model(KokoroOptions(model=str(path)), settings_of(tmp_path))
    bad(finding, "warning", f"{path} is there", "start the server once")


def test_what_computes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider and whether in integers; one that is not installed, and one that does not work."""
    settings = settings_of(tmp_path)
    assert "CPU on ONNX Runtime" in doctor_files.provider(KokoroOptions(), settings).found
    floats = doctor_files.provider(KokoroOptions(precision="float"), settings)
    assert (floats.state, floats.found.endswith("in floats: precision is float")) == ("ok", True)
    coreml = doctor_files.provider(KokoroOptions(provider="coreml"), settings)
    bad(coreml, "failed", "'coreml' is not in the installed onnxruntime", "--provider auto")
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: list(PROVIDERS.values()))
    monkeypatch.setattr(doctor_files, "_active", lambda name: "CPUExecutionProvider")
    bad(
        doctor_files.provider(KokoroOptions(), settings),
        "warning",
        "cuda is there and cannot be used",
        "driver",
    )


def test_the_active_provider_is_asked_of_a_graph() -> None:
    """A real session says what it computes on."""
    assert doctor_files._active("CPUExecutionProvider") == "CPUExecutionProvider"


def test_voices_that_are_damaged(tmp_path: Path) -> None:
    """Each file is read; the missing and the damaged are named."""
    folder = tmp_path / "voices"
    folder.mkdir()
    for path in voices_directory().iterdir():
        (folder / path.name).symlink_to(path)
    settings = settings_of(tmp_path, voices_dir=folder)
    assert doctor_files.voices(settings).found.startswith("54 in ")
    (folder / "af_sky.npz").unlink()
    (folder / "bf_emma.npz").unlink()
    (folder / "bf_emma.npz").write_bytes(b"broken")
    finding = doctor_files.voices(settings)
    bad(finding, "failed", "af_sky.npz cannot be read", "again")
    assert "bf_emma.npz" in finding.found


def test_languages_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Extras that are missing are named with the command that installs them."""
    assert doctor_files.extras(settings_of(tmp_path)).state == "ok"
    monkeypatch.setattr(doctor_files, "missing_extra", lambda tag: {"ja": "ja", "zh-CN": "zh"}.get(tag))
    finding = doctor_files.extras(settings_of(tmp_path))
    bad(
        finding,
        "warning",
        "5 voices of ja, 8 voices of zh",
        f"{sys.executable} -m pip install 'wyoming-tts[ja,zh]'",
    )


def test_a_data_directory_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below a file, on a disk that is read-only, without room; nothing is made where there is none yet."""
    fresh = settings_of(tmp_path)
    assert doctor_files.directories(fresh).state == "ok"
    assert not fresh.data_dir.exists()
    (tmp_path / "file").write_text("")
    below = settings_of(tmp_path, data_dir=tmp_path / "file" / "data")
    bad(doctor_files.directories(below), "failed", "cannot be made in", "--data-dir")
    fresh.data_dir.mkdir()
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(100 * 10**6))
    bad(doctor_files.directories(fresh), "warning", "100 MB free", "free some space")
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(10**6))
    bad(doctor_files.directories(fresh), "failed", "1 MB free", "free some space")

    def read_only(dir: Path) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", read_only)
    bad(doctor_files.directories(fresh), "failed", "cannot be written: Read-only file system", "chown")


@dataclasses.dataclass
class Usage:
    free: int


@pytest.mark.parametrize(
    ("name", "content", "state", "told"),
    [
        ("lexicon.toml", "[[entry]]\ntext = 'x'\n", "warning", "lexicon.toml: line 1"),
        ("lexicon.toml", "[[entry", "warning", "lexicon.toml: "),
        ("voices.toml", "night = { voice = 'espeak/en-gb', sped = 1 }\n", "warning", "night: sped"),
        ("voices.toml", "night = 'nobody'\n", "warning", "night: there is no voice 'nobody'"),
        ("voices.toml", "night = [", "warning", "voices.toml: "),
        ("prices.toml", "[[price]]\ntype = 'openai'\n", "failed", "prices.toml: price"),
    ],
)
async def test_own_files_that_are_wrong(
    name: str, content: str, state: str, told: str, tmp_path: Path
) -> None:
    """What is wrong is told with its place; prices keep a server from starting, the others do not."""
    settings = settings_of(tmp_path)
    settings.data_dir.mkdir()
    (settings.data_dir / name).write_text(content)
    findings = await found(settings)
    bad(findings["own files"], state, told, "correct")
    expected = {"own files": state}
    if state == "failed":
        expected |= dict.fromkeys(("settings", "describe", "speech"), "failed")
    assert not_ok(findings) == expected


async def test_own_files_that_are_right(tmp_path: Path) -> None:
    """They are named."""
    settings = settings_of(tmp_path)
    settings.data_dir.mkdir()
    (settings.data_dir / "voices.toml").write_text("night = { voice = 'espeak/en-gb', gain = -3 }\n")
    assert (await found(settings))["own files"].found == "voices.toml: nothing is wrong"


# The network


async def test_a_port_that_a_stranger_has(tmp_path: Path) -> None:
    """It is said so, with how to find out who and with another address; so for HTTP, if it was chosen."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        settings = settings_of(tmp_path, uri=f"tcp://127.0.0.1:{port}", http_uri=f"http://127.0.0.1:{port}")
        patient = patient_of(settings)
        finding = await doctor_network.port(patient)
        bad(
            finding, "failed", f"port {port} is taken by another program", f"--uri tcp://127.0.0.1:{port + 1}"
        )
        bad(await doctor_network.http(patient), "failed", "is taken by another program", "--http-uri http://")
        usual = patient_of(settings.model_copy(update={"allow": ("10.0.0.0/8",)}))
        usual.settings.model_fields_set.discard("http_uri")
        assert (await doctor_network.http(usual)).state == "warning"
        assert "--allow does not let this machine in" in (await doctor_network.port(usual)).remedy


async def test_a_stranger_that_speaks_wyoming(tmp_path: Path) -> None:
    """Another program's server is none of ours."""
    async with scripted({"describe": [info()]}) as other:
        settings = settings_of(tmp_path, uri=other.uri)
        assert await doctor_network.find_running(settings) is None
        assert (await doctor_network.port(patient_of(settings))).state == "failed"


async def test_addresses_that_cannot_be_had(tmp_path: Path) -> None:
    """An address of another machine, and a name that nobody knows."""
    settings = settings_of(tmp_path, uri="tcp://192.0.2.77:10200")
    bad(await doctor_network.port(patient_of(settings)), "failed", "cannot be listened on", "tcp://0.0.0.0")


async def test_socket_files(tmp_path: Path) -> None:
    """Free, left behind, no socket, taken, and no directory for it; pipes need nothing."""
    path = tmp_path / "s"
    patient = patient_of(settings_of(tmp_path, uri=f"unix://{path}"))
    assert (await doctor_network.port(patient)).found == f"{path} is free"
    path.write_text("")
    bad(await doctor_network.port(patient), "failed", "is no socket", f"rm {path}")
    path.unlink()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        assert "left by a server" in (await doctor_network.port(patient)).found
        listening.listen()
        bad(await doctor_network.port(patient), "failed", "taken by another", "--uri")
    nowhere = patient_of(settings_of(tmp_path, uri=f"unix://{tmp_path}/no/s"))
    bad(await doctor_network.port(nowhere), "failed", "no directory", f"mkdir -p {tmp_path}/no")
    assert (await doctor_network.port(patient_of(settings_of(tmp_path, uri="stdio://")))).state == "ok"


async def test_our_own_server_is_asked(tmp_path: Path) -> None:
    """A server that runs is told from a stranger; it answers and speaks, and no second one is started."""
    backend = ScriptedBackend()
    async with serving(backend) as server, http_serving(tmp_path) as web:
        url = web.url
        findings = await found(settings_of(tmp_path, uri=f"tcp://127.0.0.1:{server.port}", http_uri=url))
    assert not_ok(findings) == {}
    assert findings["port"].found.endswith("our own server answers, wyoming-tts 1.2.3")
    assert findings["http"].found == f"{url}/health: healthy, a script"
    assert findings["describe"].found.startswith("3 of 3 voices ready, told by the server that runs in ")
    assert backend.texts.startswith("The light in the kitchen is on, and the number of today is ")


async def test_a_server_without_http(tmp_path: Path) -> None:
    """Where the server runs and HTTP does not, that is a warning; a chain that is ill is told."""
    async with serving() as server:
        settings = settings_of(tmp_path, uri=f"tcp://127.0.0.1:{server.port}")
        running = await doctor_network.find_running(settings)
        patient = patient_of(settings, running=running)
        bad(await doctor_network.http(patient), "warning", "nobody answers at", "--no-http")
    for status, state in (("degraded", "warning"), ("failing", "failed"), ("healthy", "ok")):
        health: dict[str, Any] = {"status": status, "engine": None, "backends": []}
        assert doctor_network._healthy("http://x", health).state == state


async def test_http_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named; where HTTP is off, nothing is missing."""
    monkeypatch.setattr(doctor_network, "HTTP_PACKAGES", ("asyncio", "no_such_package"))
    bad(await doctor_network.http(patient_of(settings_of(tmp_path))), "warning", "no_such_package", "[http]")
    assert (await doctor_network.http(patient_of(settings_of(tmp_path, http=False)))).found == "off"


def announced(tmp_path: Path, **values: Any) -> Patient:
    return patient_of(settings_of(tmp_path, **{"zeroconf": True, "uri": "tcp://0.0.0.0:10200", **values}))


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with one address, whose multicast is that of the loopback."""
    monkeypatch.setattr(doctor_network, "local_addresses", lambda: [LocalAddress("eth0", "192.168.1.5")])
    monkeypatch.setattr(doctor_network, "outgoing_addresses", list)
    monkeypatch.setattr(doctor_network, "open_zeroconf", on_loopback)


@pytest.mark.usefixtures("at_home")
async def test_an_announcement_is_seen(tmp_path: Path) -> None:
    """What one socket announces another hears; the addresses that others would get are named."""
    finding = await doctor_network.discovery(announced(tmp_path))
    assert finding == ok("announced and seen from a second socket: 192.168.1.5, port 10200")


@pytest.mark.usefixtures("at_home")
async def test_no_multicast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it cannot be opened, and where nothing is heard, the way by hand is told."""

    def closed(addresses: object) -> None:
        raise OSError("no multicast here")

    monkeypatch.setattr(doctor_network, "open_zeroconf", closed)
    by_hand = "192.168.1.5 and port 10200"
    bad(await doctor_network.discovery(announced(tmp_path)), "warning", "(no multicast here)", by_hand)

    async def deaf(addresses: object, port: int) -> bool:
        return False

    monkeypatch.setattr(doctor_network, "_probe_seen", deaf)
    bad(await doctor_network.discovery(announced(tmp_path)), "warning", "not seen from", "UDP port 5353")


@pytest.mark.usefixtures("at_home")
async def test_the_announcement_of_a_server_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server itself is looked for: it is missed while it is not announced, and then seen."""
    async with serving() as server:
        port = server.port
        settings = settings_of(tmp_path, uri=f"tcp://0.0.0.0:{port}", zeroconf=True)
        running = await doctor_network.find_running(settings)
        assert running is not None
        finding = await doctor_network.discovery(patient_of(settings, running=running))
        bad(finding, "warning", "not seen from a second socket", f"port {port}")
        told = pack_properties("1.2", "heart", [])
        there = Advertisement("doctor-test", ["192.168.1.5"], port or 0, told, open=on_loopback)
        await there.start()
        monkeypatch.setattr(doctor_network, "LOOK_SECONDS", 20.0)
        try:
            seen = await doctor_network.discovery(patient_of(settings, running=running))
        finally:
            await there.stop()
    assert seen.state == "ok", seen


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize(
    ("values", "state", "told"),
    [
        ({"zeroconf": False}, "ok", "off"),
        ({"uri": "unix:///run/s"}, "ok", "for this machine alone"),
        ({"uri": "tcp://127.0.0.1:10200"}, "warning", "listens on 127.0.0.1 alone"),
    ],
)
async def test_nothing_to_announce(values: dict[str, Any], state: str, told: str, tmp_path: Path) -> None:
    """Why there is none is said, and it is a warning only where one was wanted."""
    finding = await doctor_network.discovery(announced(tmp_path, **values))
    assert finding.state == state
    assert told in finding.found


async def test_a_machine_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The addresses that there are, and that none of them will do."""
    monkeypatch.setattr(doctor_network, "local_addresses", lambda: [LocalAddress("lo", "127.0.0.1")])
    bad(await doctor_network.discovery(announced(tmp_path)), "warning", "there are only 127.0.0.1", "connect")


# Backends


@contextlib.asynccontextmanager
async def upstream(contract: Any) -> AsyncIterator[Upstream]:
    async with Upstream(contract) as server:
        yield server


def chained(tmp_path: Path, name: str, **table: Any) -> Settings:
    return settings_of(tmp_path, chain=(name, "espeak"), backends={name: table})


async def test_a_key_that_is_refused(tmp_path: Path) -> None:
    """The key is wrong, which is told with where it belongs; neither it nor a password is ever printed."""
    service = OpenAI()
    service.key = "another"
    async with upstream(service) as server:
        settings = chained(tmp_path, "cloud", type="openai", base_url=f"{server.url}/v1", api_key=KEY)
        findings = await found(settings)
        bad(findings["backend cloud"], "failed", "its key is refused: cloud answered 401", "OPENAI_API_KEY")
        bad(findings["speech"], "warning", "not by cloud", "the line of cloud")
        assert KEY not in str(findings)
        service.key = KEY
        assert not_ok(await found(settings)) == {}


async def test_a_service_that_is_away(tmp_path: Path) -> None:
    """Nobody answers at its address, whose password is not told."""
    base = f"http://me:{KEY}@127.0.0.1:{free_port()}/v1"
    findings = await found(chained(tmp_path, "cloud", type="openai", base_url=base))
    bad(findings["backend cloud"], "failed", "cannot be reached at http://me:***@", "backends.cloud.base_url")
    assert KEY not in str(findings)


async def test_a_service_that_repeats_the_key(tmp_path: Path) -> None:
    """What a service says is told without the key in it."""

    async def tells(x: Any) -> None:
        await x.json({"error": {"message": f"incorrect key {KEY}", "code": "invalid_api_key"}}, 401)

    async with upstream(tells) as server:
        settings = chained(tmp_path, "openai", base_url=f"{server.url}/v1", api_key=KEY)
        finding = (await found(settings))["backend openai"]
    assert "incorrect key ***" in finding.found


async def test_credit_that_is_used_up(tmp_path: Path) -> None:
    """It is told from a wrong key and from an outage."""
    service = ElevenLabs()
    service.credit = {"character_count": 1000, "character_limit": 1000}
    async with upstream(service) as server:
        settings = chained(tmp_path, "elevenlabs", base_url=server.url, api_key=KEY)
        finding = (await found(settings))["backend elevenlabs"]
    bad(finding, "failed", "its credit is used up", "take elevenlabs out of --chain")


async def test_a_service_with_too_much_to_do(tmp_path: Path) -> None:
    """That passes by itself."""

    async def busy(x: Any) -> None:
        await x.json({"error": {"message": "slow down"}}, 429)

    async with upstream(busy) as server:
        settings = chained(tmp_path, "openai", base_url=f"{server.url}/v1")
        bad((await found(settings))["backend openai"], "warning", "too much to do", "later")


async def test_a_backend_that_hangs(tmp_path: Path) -> None:
    """It takes no longer than a check may, the others are looked at, and the connection is closed."""

    async def hangs(x: Any) -> None:
        await forever()

    async with upstream(hangs) as server:
        settings = chained(
            tmp_path, "openai", base_url=f"{server.url}/v1", first_audio_timeout=0.5, stall_timeout=60
        )
        began = asyncio.get_running_loop().time()
        findings = await found(settings, most=4.0)
        took = asyncio.get_running_loop().time() - began
        async with asyncio.timeout(5):
            await server.hung_up.wait()
    assert took < 20
    bad(findings["backend openai"], "failed", "did not end within 4 s", "hangs")
    assert not_ok(findings) == {"backend openai": "failed", "speech": "warning"}


async def test_a_model_of_a_server_that_runs_is_not_loaded_again(tmp_path: Path, monkeypatch: Any) -> None:
    """What the server says of it is told: that it speaks, still loads, or cannot."""
    async with serving() as server:
        settings = settings_of(tmp_path, chain=("kokoro", "espeak"), uri=f"tcp://127.0.0.1:{server.port}")
        running = await doctor_network.find_running(settings)
    assert running is not None
    built = assemble(settings)
    member = built.chain.members[0]
    for circuit, loaded, state in (
        ("closed", True, "ok"),
        ("closed", False, "warning"),
        ("open", True, "failed"),
    ):
        status = {
            "name": "kokoro",
            "engine": "K",
            "circuit": circuit,
            "loaded": loaded,
            "reason": "no memory",
        }
        told = dataclasses.replace(running, health={"backends": [status]})
        finding = await doctor_speech.backend(patient_of(settings, running=told), member)
        assert finding.state == state
        assert "says the server that runs" in finding.found
    assert (await doctor_speech.backend(patient_of(settings, running=running), member)).state == "ok"
    await doctor_speech.put_away(built)


async def test_a_sentence_that_another_speaks(tmp_path: Path) -> None:
    """A broken model is named at its backend, and the sentence is spoken by another."""
    garbage = tmp_path / "garbage.onnx"
    garbage.write_bytes(b"no model at all" * 1000)
    settings = settings_of(tmp_path, chain=("kokoro", "espeak"), model=str(garbage))
    findings = await found(settings)
    bad(findings["backend kokoro"], "failed", "is not a model", "out of --chain")
    bad(findings["speech"], "warning", "not by kokoro", "the line of kokoro")


async def test_a_sentence_that_is_late_or_halts_or_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a listener would notice is a warning with what helps; hearing nothing is a failure."""
    async with serving() as server:
        patient = patient_of(settings_of(tmp_path), uri=f"tcp://127.0.0.1:{server.port}")
        assert (await doctor_speech.speech(patient)).state == "ok"
        monkeypatch.setattr(doctor_speech, "LATE_SECONDS", 0.0)
        bad(await doctor_speech.speech(patient), "warning", "which is late", "once the model is loaded")
        monkeypatch.setattr(Meter, "halts", True)
        bad(await doctor_speech.speech(patient), "warning", "slower than it plays", "--threads")
    silence = ScriptedBackend(lambda request: [AudioChunk(np.zeros(2400, np.float32))])
    async with serving(silence) as server:
        patient = patient_of(settings_of(tmp_path), uri=f"tcp://127.0.0.1:{server.port}")
        bad(await doctor_speech.speech(patient), "failed", "nothing was heard", "backends")


def test_a_sentence_is_another_each_time(tmp_path: Path) -> None:
    """No cache knows it, and it is in the language of the default voice."""
    patient = patient_of(settings_of(tmp_path))
    assert len({doctor_speech._sentence(patient) for _ in range(5)}) > 1
    made = assemble(patient.settings)
    for language, sentence in doctor_speech.SENTENCES.items():
        voice = Voice(name="x", language=language, backend="x", description="x")
        catalogue = VoiceCatalogue((voice,), voice)
        built = dataclasses.replace(made, catalogue=catalogue)  # type: ignore[arg-type]
        spoken = doctor_speech._sentence(dataclasses.replace(patient, built=built))
        assert spoken.startswith(sentence.partition("{")[0])
