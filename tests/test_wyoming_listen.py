"""Where the Wyoming server listens: tcp, unix and stdio, and addresses that cannot be had."""

from __future__ import annotations

import asyncio
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


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
async def test_ipv6_addresses_are_written_in_brackets() -> None:
    """`[::1]` is an IPv6 address, and `[::]` is every address, IPv4 too."""
    async with serving(uri="tcp://[::1]:0") as server, connected(server, "::1") as client:
        await client.write_event(Describe().event())
        assert await client.read_event() is not None
    async with serving(uri="tcp://[::]:0") as server:
        for host in ("::1", "127.0.0.1"):
            async with connected(server, host) as client:
                await client.write_event(Describe().event())
                assert await client.read_event() is not None


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
