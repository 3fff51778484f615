from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable

import pytest

from wyoming_tts import zeroconf
from wyoming_tts.discovery import DiscoveredServer, discover
from wyoming_tts.types import Voice
from wyoming_tts.zeroconf import (
    Advertisement,
    LocalAddress,
    choose_addresses,
    instance_name,
    listening_on,
    local_addresses,
    open_zeroconf,
    outgoing_addresses,
    pack_properties,
)

LOCAL = [
    LocalAddress("lo", "127.0.0.1"),
    LocalAddress("lo", "::1"),
    LocalAddress("docker0", "172.17.0.1"),
    LocalAddress("eth0", "169.254.3.4"),
    LocalAddress("wg0", "10.8.0.2"),
    LocalAddress("eth0", "192.168.1.5"),
    LocalAddress("eth0", "fe80::1"),
    LocalAddress("eth0", "fd00::5"),
    LocalAddress("eth0", "2001:db8::5"),
]
ANSWER_TIMEOUT = 20.0
"""Seconds: an upper bound, discovery ends with the answer."""


def on_loopback(_: object = None):
    return open_zeroconf(["127.0.0.1"])


def voices(count: int) -> list[Voice]:
    return [
        Voice(name=f"voice_{n:03}", language=f"en-{n % 7:03}", backend="kokoro", description="x")
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("bound", "wanted"),
    [
        (["0.0.0.0"], ["192.168.1.5", "10.8.0.2"]),
        (["::"], ["fd00::5", "2001:db8::5"]),
        (["::", "0.0.0.0"], ["192.168.1.5", "10.8.0.2", "fd00::5", "2001:db8::5"]),
        (["10.8.0.2"], ["10.8.0.2"]),
        (["2001:db8::5"], ["2001:db8::5"]),
        (["192.168.1.5", "0.0.0.0"], ["192.168.1.5", "10.8.0.2"]),
        (["127.0.0.1"], []),
        (["::1"], []),
        (["fe80::1%eth0"], []),
    ],
)
def test_addresses_that_others_reach(bound, wanted):
    """A wildcard is every routable address of its version, best first; else it is itself or nothing."""
    assert choose_addresses(bound, LOCAL, ["192.168.1.5"]) == wanted


def test_bridges_are_better_than_nothing():
    """The address of a container bridge counts where this machine has no other."""
    assert choose_addresses(["0.0.0.0"], [LOCAL[2]]) == ["172.17.0.1"]


def test_a_machine_with_many_addresses_announces_some():
    """The records stay small enough for one packet, and the best address is among them."""
    many = [LocalAddress("eth0", f"10.0.0.{n}") for n in range(1, 100)]
    chosen = choose_addresses(["0.0.0.0"], many, ["10.0.0.77"])
    assert chosen[0] == "10.0.0.77"
    assert len(chosen) == 8


def test_this_machine_has_addresses():
    """The real interfaces are read, loopback among them, and a way out is one of their addresses."""
    found = {entry.address for entry in local_addresses()}
    assert "127.0.0.1" in found
    assert set(outgoing_addresses()) <= found


def test_a_dual_stack_socket_listens_on_both():
    """`::` that also takes IPv4 is announced as both; `::` for IPv6 alone is not."""
    with socket.create_server(("127.0.0.1", 0)) as four:
        assert listening_on([four]) == (["127.0.0.1"], four.getsockname()[1])
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no dual-stack IPv6")
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as both:
        assert listening_on([both]) == (["::", "0.0.0.0"], both.getsockname()[1])
    with socket.create_server(("::", 0), family=socket.AF_INET6) as six:
        assert listening_on([six])[0] == ["::"]


def test_unix_sockets_are_not_announced(tmp_path):
    """A Unix socket has no address that others could reach."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "s"))
        assert listening_on([sock]) == ([], 0)


def test_properties_say_who_we_are():
    """The TXT strings tell program, version, default voice, the languages and the voices."""
    assert pack_properties("1.2", "voice_001", voices(3)) == {
        "program": "wyoming-tts",
        "version": "1.2",
        "voice": "voice_001",
        "languages": "en-000,en-001,en-002",
        "voices": "voice_000,voice_001,voice_002",
    }


@pytest.mark.parametrize("count", [0, 1, 54, 500])
def test_properties_fit(count):
    """However many voices there are, each string has at most 255 bytes and all together 1300."""
    packed = pack_properties("1.2", "voice_000", voices(count))
    strings = [f"{key}={value}".encode() for key, value in packed.items()]
    assert all(len(string) <= 255 for string in strings)
    assert sum(1 + len(string) for string in strings) <= 1300


def test_voices_that_fit_are_complete():
    """A list that is too long for one string goes on in the next, nothing lost and nothing cut in two."""
    packed = pack_properties("1.2", "voice_000", voices(54))
    named = [name for key, value in packed.items() if key.startswith("voices") for name in value.split(",")]
    assert named == [voice.name for voice in voices(54)]
    assert [key for key in packed if key.startswith("voices")] == ["voices", "voices2", "voices3"]


def test_the_name_stays(tmp_path):
    """The name that is invented at the first start is used at every later one."""
    name = instance_name(True, tmp_path / "data", 10200)
    assert instance_name(True, tmp_path / "data", 10200) == name
    assert instance_name(True, tmp_path / "other", 10200) != name
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["instance-name"]


def test_the_name_outlives_the_host_name(tmp_path, monkeypatch):
    """A host that is renamed, as a container is when it is made anew, keeps its name in the network."""
    name = instance_name(True, tmp_path, 10200)
    monkeypatch.setattr(socket, "gethostname", lambda: "another.example.org")
    assert instance_name(True, tmp_path, 10200) == name


def test_the_name_begins_with_the_host(tmp_path, monkeypatch):
    """The invented name tells which machine it is, without its domain."""
    monkeypatch.setattr(socket, "gethostname", lambda: "my_Küche.local")
    assert instance_name(True, tmp_path, 10200).startswith("my-K-che-")


def test_a_given_name_is_used(tmp_path):
    """`--zeroconf NAME` is the name, and nothing is kept."""
    assert instance_name("kitchen", tmp_path, 10300) == "kitchen"
    assert not list(tmp_path.iterdir())


def test_servers_of_one_machine_stay_apart(tmp_path):
    """Another port than the default is part of the name."""
    assert instance_name(True, tmp_path, 10300) == instance_name(True, tmp_path, 10200) + "-10300"


@pytest.mark.parametrize("damage", [b"", b"two words", b"\xff\xfe", b"x" * 500])
def test_a_damaged_name_is_replaced(damage, tmp_path):
    """A file that holds no name is written anew, once."""
    (tmp_path / "instance-name").write_bytes(damage)
    name = instance_name(True, tmp_path, 10200)
    assert (tmp_path / "instance-name").read_text() == name + "\n"
    assert instance_name(True, tmp_path, 10200) == name


def test_who_comes_second_takes_the_first_name(tmp_path):
    """Of two processes that start at once, both use the name that was kept first."""
    path = tmp_path / "instance-name"
    path.write_text("first-1\n")
    assert zeroconf._keep_name(path, "second-2") == "first-1"
    assert os.listdir(tmp_path) == ["instance-name"]


def test_a_directory_that_cannot_be_written_gives_the_same_name_too(tmp_path):
    """Where nothing can be kept, the name comes from the hardware and is the same again."""
    blocked = tmp_path / "file"
    blocked.touch()
    assert instance_name(True, blocked / "data", 1) == instance_name(True, blocked / "data", 1)


def advertisement(name: str = "kitchen", *, addresses=lambda: ["192.0.2.7"], port: int = 10200, **options):
    options.setdefault("open", on_loopback)
    return Advertisement(name, ["0.0.0.0"], port, {"program": "wyoming-tts"}, addresses=addresses, **options)


async def found_as(name: str) -> DiscoveredServer:
    servers = await discover(ANSWER_TIMEOUT, until=lambda server: server.name == name, open=on_loopback)
    (server,) = (server for server in servers if server.name == name)
    return server


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(ANSWER_TIMEOUT):
        while not condition():  # noqa: ASYNC110  # what happens in the log sets no event
            await asyncio.sleep(0.01)


async def test_a_server_is_found_until_it_stops():
    """An announced server is found with its addresses and program, and not any more after `stop`."""
    announced = advertisement(addresses=lambda: ["192.0.2.7", "2001:db8::7"])
    await announced.start()
    try:
        server = await found_as("kitchen")
    finally:
        await announced.stop()
    assert server == DiscoveredServer(
        "kitchen", ("tcp://192.0.2.7:10200", "tcp://[2001:db8::7]:10200"), "wyoming-tts"
    )
    gone = await discover(1.5, until=lambda server: server.name == "kitchen", open=on_loopback)
    assert "kitchen" not in [server.name for server in gone]


async def test_a_goodbye_is_said():
    """Who has seen the server learns that it stops, at once."""
    from zeroconf import ServiceStateChange
    from zeroconf.asyncio import AsyncServiceBrowser

    seen: asyncio.Queue[ServiceStateChange] = asyncio.Queue()
    listener, announced = on_loopback(), advertisement("leaving")

    def changed(*, name, state_change, **_):
        if name.startswith("leaving."):
            seen.put_nowait(state_change)

    browser = AsyncServiceBrowser(listener.zeroconf, zeroconf.SERVICE_TYPE, [changed])
    try:
        await announced.start()
        async with asyncio.timeout(ANSWER_TIMEOUT):
            while await seen.get() is not ServiceStateChange.Added:
                pass
            await announced.stop()
            while await seen.get() is not ServiceStateChange.Removed:
                pass
    finally:
        await announced.stop()
        await browser.async_cancel()
        await listener.async_close()


async def test_two_servers_of_one_name_are_both_found(caplog):
    """A name that is taken gets a number, which is said in the log; each keeps its own address."""
    first, second = advertisement("twin"), advertisement("twin", addresses=lambda: ["192.0.2.8"], port=10201)
    with caplog.at_level(logging.WARNING, "wyoming_tts"):
        await first.start()
        try:
            assert (await found_as("twin")).uris == ("tcp://192.0.2.7:10200",)
            await second.start()
            assert (await found_as("twin-2")).uris == ("tcp://192.0.2.8:10201",)
            assert (await found_as("twin")).uris == ("tcp://192.0.2.7:10200",)
        finally:
            await second.stop()
            await first.stop()
    assert "another server is announced as twin; this one is twin-2" in caplog.text


async def test_a_new_address_is_announced():
    """When this machine's addresses change, the announcement follows, under the same name."""
    current = ["192.0.2.7"]
    announced = advertisement(
        "mover", addresses=lambda: list(current), interval=0.05, open=_ignoring_interfaces
    )
    await announced.start()
    try:
        assert (await found_as("mover")).uris == ("tcp://192.0.2.7:10200",)
        current[:] = ["192.0.2.9"]
        async with asyncio.timeout(ANSWER_TIMEOUT):
            while (await found_as("mover")).uris != ("tcp://192.0.2.9:10200",):
                pass
    finally:
        await announced.stop()


def _ignoring_interfaces(_):
    """Loopback also after the addresses changed, as the addresses of these tests exist nowhere."""
    opened = on_loopback()
    update = opened.async_update_interfaces
    opened.async_update_interfaces = lambda _: update(["127.0.0.1"])
    return opened


async def test_a_network_that_comes_later_is_used(caplog):
    """Without an address there is a warning and no failure; the server is announced when it gets one."""
    current: list[str] = []
    announced = advertisement("late", addresses=lambda: list(current), interval=0.05)
    with caplog.at_level(logging.WARNING, "wyoming_tts"):
        await announced.start()
        try:
            await eventually(lambda: "no address that others could reach" in caplog.text)
            current.append("192.0.2.7")
            assert (await found_as("late")).uris == ("tcp://192.0.2.7:10200",)
        finally:
            await announced.stop()


async def test_a_port_that_cannot_be_opened_is_a_warning(caplog):
    """Multicast DNS that fails is said in the log, tried again, and stops nothing."""
    tries = 0

    def failing(_):
        nonlocal tries
        tries += 1
        raise OSError("Address already in use")

    announced = advertisement("never", open=failing, interval=0.01)
    with caplog.at_level(logging.WARNING, "wyoming_tts"):
        await announced.start()
        await eventually(lambda: tries >= 2)
        await announced.stop()
    assert "not announced in the network: Address already in use" in caplog.text


async def test_stopping_at_once_is_safe():
    """A server that stops while it is being announced, or was never started, leaves nothing behind."""
    announced = advertisement("hasty")
    await announced.stop()
    await announced.start()
    await asyncio.sleep(0.2)
    await announced.stop()


async def test_no_network_finds_nothing():
    """Discovery without multicast is an empty answer at once, not a failure."""

    def failing(_):
        raise OSError("Network is unreachable")

    assert await discover(ANSWER_TIMEOUT, open=failing) == []
