"""What the doctor finds in the network, when all is well and when it is not."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from tests.doctor import bad, bare, found, not_ok, patient_of, settings_of
from tests.fakes import ScriptedBackend, serving
from tests.http import http_serving
from tests.scripted_wyoming import info, scripted
from tests.test_zeroconf import on_loopback
from wyoming_tts import doctor_network
from wyoming_tts.doctor_findings import Patient, ok
from wyoming_tts.zeroconf import Advertisement, LocalAddress, pack_properties

__all__ = ["bare"]  # a fixture of every test here


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
