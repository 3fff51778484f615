"""Where the Wyoming server listens: tcp, unix and stdio, and addresses that cannot be had."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import sys
from pathlib import Path

import pytest
from wyoming.client import AsyncUnixClient
from wyoming.info import Describe
from wyoming.tts import Synthesize

from tests.fakes import (
    PATIENCE,
    SPOKEN,
    ScriptedBackend,
    answers,
    assert_serves,
    connected,
    frame,
    serving,
    types_of,
    wait_for,
)
from wyoming_tts.errors import ConfigError
from wyoming_tts.wyoming_server import WyomingServer
from wyoming_tts.zeroconf import listening_on


async def test_a_port_of_the_systems_choice_is_known() -> None:
    """With port 0 the server says which port it got."""
    async with serving() as server:
        assert server.port
        assert [sock.getsockname()[1] for sock in server.sockets] == [server.port]
        await assert_serves(server)


async def test_a_port_in_use_is_named() -> None:
    """A port that another program has is a ConfigError with its number."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"Port {port} .*in use"):
            async with serving(uri=f"tcp://127.0.0.1:{port}"):
                pass


async def assert_answers(server: WyomingServer, *hosts: str) -> None:
    """The server is reached under each of these addresses of this machine."""
    for host in hosts:
        async with connected(server, host) as client:
            await client.write_event(Describe().event())
            assert await client.read_event() is not None


def has_ipv6() -> bool:
    """Whether this machine can reach itself by IPv6."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return socket.has_dualstack_ipv6()


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


@needs_ipv6
async def test_ipv6_addresses_are_written_in_brackets() -> None:
    """`[::1]` is an IPv6 address, and not an IPv4 one."""
    async with serving(uri="tcp://[::1]:0") as server:
        await assert_answers(server, "::1")
        with pytest.raises(ConnectionRefusedError):
            await assert_answers(server, "127.0.0.1")


@needs_ipv6
@pytest.mark.parametrize("every", ["0.0.0.0", "[::]"])
async def test_every_address_is_also_every_ipv6_address(every: str) -> None:
    """`0.0.0.0` and `[::]` take both IP versions on one port, are announced as both, and give both back."""
    async with serving(uri=f"tcp://{every}:0") as server:
        port = server.port
        await assert_answers(server, "::1", "127.0.0.1")
        hosts, announced = listening_on(server.sockets)
        assert (sorted(hosts), announced) == (["0.0.0.0", "::"], port)
    async with serving(uri=f"tcp://{every}:{port}") as again:
        assert again.port == port
        await assert_answers(again, "::1", "127.0.0.1")


@needs_ipv6
@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")])
async def test_every_address_needs_the_port_in_both_versions(family: int, host: str) -> None:
    """A port that another program has for IPv4 or for IPv6 alone is in use."""
    with socket.create_server((host, 0), family=family) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"Port {port} .*in use"):
            async with serving(uri=f"tcp://0.0.0.0:{port}"):
                pass


@needs_ipv6
async def test_a_stop_ends_clients_of_both_versions() -> None:
    """Idle clients are closed at the stop, whichever address they came by, and new ones are refused."""
    async with serving(uri="tcp://0.0.0.0:0") as server:
        port = server.port
        async with connected(server, "::1") as six, connected(server) as four:
            for client in (six, four):
                await client.write_event(Describe().event())
                assert await client.read_event() is not None
            await server.stop(PATIENCE)
            assert [await client.read_event() for client in (six, four)] == [None, None]
    for host in ("::1", "127.0.0.1"):
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(host, port)


@pytest.mark.parametrize("has_dualstack", [False, True])
async def test_without_ipv6_every_address_is_every_ipv4_address(
    monkeypatch: pytest.MonkeyPatch, has_dualstack: bool
) -> None:
    """Where there is no IPv6, in the kernel or in the network, the server listens on IPv4 alone."""

    def refuse(*_: object, **__: object) -> socket.socket:
        raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")

    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: has_dualstack)
    monkeypatch.setattr(socket, "create_server", refuse)
    async with serving(uri="tcp://0.0.0.0:0") as server:
        await assert_answers(server, "127.0.0.1")
        assert listening_on(server.sockets) == (["0.0.0.0"], server.port)


@pytest.mark.parametrize(
    "uri",
    ["tcp://localhost", "tcp://:1", "tcp://h:99999", "tcp://[::1", "http://h:1", "unix://", "10200", ""],
)
async def test_an_address_that_is_none_is_refused(uri: str) -> None:
    """Whatever else is given as an address is a ConfigError that shows the right forms."""
    with pytest.raises(ConfigError, match="tcp://HOST:PORT, unix://PATH or stdio://"):
        async with serving(uri=uri):
            pass


async def test_an_address_of_another_machine_is_refused() -> None:
    """An address that cannot be listened on is a ConfigError naming it."""
    with pytest.raises(ConfigError, match=r"203\.0\.113\.1 cannot be listened on"):
        async with serving(uri="tcp://203.0.113.1:0"):
            pass


async def test_a_unix_socket_is_served_and_removed(tmp_path: Path) -> None:
    """A client is served over the file, and the file is gone after the stop."""
    path = tmp_path / "s"
    async with serving(uri=f"unix://{path}") as server:
        assert server.port is None
        async with AsyncUnixClient(path, read_timeout=PATIENCE) as client:
            await client.write_event(Synthesize("Hello.").event())
            events = [await client.read_event() for _ in range(2)]
            assert [event.type for event in events if event] == ["audio-start", "audio-chunk"]
    assert not path.exists()


async def test_a_stale_socket_file_is_replaced(tmp_path: Path) -> None:
    """A file that a killed server left does not keep the next one from starting."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with serving(uri=f"unix://{path}"), AsyncUnixClient(path, read_timeout=PATIENCE) as client:
        await client.write_event(Describe().event())
        assert await client.read_event() is not None


async def test_a_socket_file_in_use_is_left_alone(tmp_path: Path) -> None:
    """A second server on the same file is refused, and the first one goes on."""
    path = tmp_path / "s"
    async with serving(uri=f"unix://{path}"):
        with pytest.raises(ConfigError, match="in use"):
            async with serving(uri=f"unix://{path}"):
                pass
        async with AsyncUnixClient(path, read_timeout=PATIENCE) as client:
            await client.write_event(Describe().event())
            assert await client.read_event() is not None


async def test_an_ordinary_file_is_left_alone(tmp_path: Path) -> None:
    """A file that is no socket is never replaced."""
    path = tmp_path / "notes"
    path.write_text("keep me")
    with pytest.raises(ConfigError, match="is no socket"):
        async with serving(uri=f"unix://{path}"):
            pass
    assert path.read_text() == "keep me"


async def test_stdio_is_served_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests on standard input are answered on standard output, all of them, then the server has ended."""
    (in_read, in_write), (out_read, out_write) = os.pipe(), os.pipe()
    monkeypatch.setattr(sys, "stdin", os.fdopen(in_read, "rb"))
    monkeypatch.setattr(sys, "stdout", os.fdopen(out_write, "wb"))
    os.write(
        in_write, frame("describe") + frame("synthesize", text="One.") + frame("synthesize", text="Two.")
    )
    os.close(in_write)
    gate = asyncio.Event()
    backend = ScriptedBackend(lambda request: [100, gate, 100])
    async with serving(backend, uri="stdio://") as server:
        asyncio.get_running_loop().call_later(0.3, gate.set)  # long after the end of input was seen
        await wait_for(server.ended)
    stream = asyncio.StreamReader()
    with os.fdopen(out_read, "rb") as output:
        stream.feed_data(output.read())
    stream.feed_eof()
    assert types_of(await answers(stream)) == ["info", *SPOKEN, *SPOKEN]
