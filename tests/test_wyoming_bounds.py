"""Bounds on what clients take, clients that leave, and stopping the server."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import sys
from collections.abc import Iterator

import pytest
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Describe
from wyoming.tts import Synthesize

from tests.fakes import (
    PATIENCE,
    SPOKEN,
    ScriptedBackend,
    answers_to,
    assert_serves,
    connected,
    endless,
    frame,
    raw,
    read_all,
    read_until,
    serving,
    types_of,
    wait_for,
)
from wyoming_tts.access import AllowList
from wyoming_tts.wire import Limits
from wyoming_tts.wyoming_connection import WyomingSettings
from wyoming_tts.wyoming_server import WyomingServer


async def test_addresses_that_are_not_let_in() -> None:
    """They are hung up on without a word; others are served."""
    elsewhere = WyomingSettings(allow=AllowList.of(["10.0.0.0/8"]))
    async with serving(settings=elsewhere) as server, raw(server) as (reader, _):
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
    async with serving(settings=WyomingSettings(allow=AllowList.of(["127.0.0.1"]))) as server:
        await assert_serves(server)


async def test_text_is_bounded() -> None:
    """One character more than a stream may have is `text-too-long`, in one piece or in many."""
    bounds = WyomingSettings(max_text_characters=12)
    async with serving(settings=bounds) as server:
        events = await answers_to(server, frame("synthesize", text="Hello there.!"))
        assert [event.data.get("code") for event in events] == ["text-too-long"]
        chunks = frame("synthesize-start") + frame("synthesize-chunk", text="a") * 13
        events = await answers_to(server, chunks)
        assert events[-1].data.get("code") == "text-too-long"
        async with connected(server) as client:
            await client.write_event(Synthesize("Hello there.").event())
            assert types_of(await read_until(client, "audio-stop")) == SPOKEN


async def test_waiting_requests_are_bounded() -> None:
    """Too many requests on one connection, or too much text in them, are `server-busy`."""
    gate = asyncio.Event()
    backend = ScriptedBackend(lambda request: [gate])
    bounds = WyomingSettings(max_queued=3, max_text_characters=50)
    async with serving(backend, bounds) as server:
        events = await answers_to(server, frame("synthesize", text="Hello.") * 4)
        assert [event.data["code"] for event in events] == ["server-busy"]
        events = await answers_to(server, frame("synthesize", text="Hello. " * 7) * 3)
        assert [event.data["code"] for event in events] == ["server-busy"]


async def test_connections_are_bounded() -> None:
    """The client that is one too many gets `server-busy` and a close, and a place is free again later."""
    async with serving(settings=WyomingSettings(max_connections=1)) as server:
        async with connected(server) as first:
            await first.write_event(Describe().event())
            await read_until(first, "info")
            events = await answers_to(server, frame("describe"))
            assert [event.data.get("code") for event in events] == ["server-busy"]
            await first.write_event(Synthesize("Hello.").event())
            assert types_of(await read_until(first, "audio-stop")) == SPOKEN
        async with asyncio.timeout(PATIENCE):  # that the first client has left is known in a moment
            while not [event for event in await describe_or_be_refused(server) if event.type == "info"]:
                pass


async def describe_or_be_refused(server: WyomingServer) -> list[Event]:
    """The answer to `describe`; nothing where the server has no time even for a refusal."""
    try:
        return await answers_to(server, frame("describe"), last="info")
    except ConnectionError:
        return []


async def test_refused_connections_are_bounded_too() -> None:
    """However many come beyond the bound, the server goes on serving the one it has."""
    async with serving(settings=WyomingSettings(max_connections=1)) as server, connected(server) as first:
        await first.write_event(Describe().event())
        await read_until(first, "info")
        async with contextlib.AsyncExitStack() as crowd:
            for _ in range(5):
                await crowd.enter_async_context(raw(server))
            await first.write_event(Synthesize("Hello.").event())
            assert types_of(await read_until(first, "audio-stop")) == SPOKEN


async def test_a_silent_client_is_let_go_but_a_listening_one_is_not() -> None:
    """The idle time counts while nothing is being done for a client, and not while it is spoken to."""
    gate = asyncio.Event()
    backend = ScriptedBackend(lambda request: [100, gate, 100])
    impatient = WyomingSettings(limits=Limits(idle_seconds=0.1))
    async with serving(backend, impatient) as server, connected(server) as client:
        await client.write_event(Synthesize("Hello.").event())
        await asyncio.sleep(0.5)
        gate.set()
        events = await read_all(client)
    assert types_of(events) == [*SPOKEN, "error"]
    assert "Nothing was received for 0.1 seconds" in events[-1].data["text"]


async def test_a_dripping_client_is_let_go() -> None:
    """A frame that is begun and not completed in time ends the connection."""
    async with serving(settings=WyomingSettings(limits=Limits(frame_seconds=0.1))) as server:
        events = await answers_to(server, b'{"type":')
    assert "not complete" in events[0].data["text"]


@contextlib.contextmanager
def deaf_client(server: WyomingServer) -> Iterator[socket.socket]:
    """A client that asks and never reads."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", server.port))
        yield sock


async def test_a_client_that_does_not_read_holds_the_voice_back() -> None:
    """Nothing is made for a listener beyond what the buffers on the way hold, and others are served."""
    backend = ScriptedBackend(endless)
    async with serving(backend) as server:
        with deaf_client(server) as sock:
            sock.sendall(frame("synthesize", text="Hello."))
            before = -1
            async with asyncio.timeout(PATIENCE):
                while backend.chunks != before:
                    before = backend.chunks
                    await asyncio.sleep(0.3)
            assert 0 < backend.chunks * 48_000 < 16 * 2**20
            await assert_serves(server)


async def test_a_client_that_does_not_read_is_let_go() -> None:
    """After the write time-out its stream is closed."""
    backend = ScriptedBackend(endless)
    async with serving(backend, WyomingSettings(write_seconds=0.3)) as server:
        with deaf_client(server) as sock:
            sock.sendall(frame("synthesize", text="Hello."))
            await wait_for(backend.closed)
            await assert_serves(server)


async def test_answers_that_nobody_reads_are_bounded() -> None:
    """A client that asks without end and never reads is let go as well."""
    async with serving(settings=WyomingSettings(write_seconds=0.3)) as server:
        with deaf_client(server) as sock:
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            with pytest.raises(OSError) as caught:  # noqa: PT012, PT011 - which error depends on the moment
                async with asyncio.timeout(PATIENCE):
                    while True:
                        await loop.sock_sendall(sock, frame("describe") * 1000)
            assert caught.value.errno in (errno.ECONNRESET, errno.EPIPE)
            await assert_serves(server)


async def test_a_client_that_hangs_up_stops_its_stream() -> None:
    """The pipeline's iterator is closed when the client leaves, by a close or by a reset."""
    for linger in (None, (1).to_bytes(4, sys.byteorder) + (0).to_bytes(4, sys.byteorder)):
        backend = ScriptedBackend(lambda request: [100, asyncio.Event()])
        async with serving(backend) as server:
            async with connected(server) as client:
                await client.write_event(Synthesize("Hello.").event())
                await read_until(client, "audio-chunk")
                if linger:
                    assert client._writer is not None
                    sock = client._writer.get_extra_info("socket")
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            await wait_for(backend.closed)


async def test_a_client_that_hangs_up_leaves_no_waiting_request() -> None:
    """What was queued behind the running request is never begun."""
    backend = ScriptedBackend(lambda request: [100, asyncio.Event()])
    async with serving(backend) as server:
        async with connected(server) as client:
            for _ in range(3):
                await client.write_event(Synthesize("Hello.").event())
            await read_until(client, "audio-chunk")
        await wait_for(backend.closed)
        await assert_serves(server)
    assert len(backend.requests) == 1


# Stopping


async def test_a_running_stream_is_finished_at_the_stop() -> None:
    """Within the grace time a stream is spoken to its end, while new clients find nobody."""
    gate = asyncio.Event()
    backend = ScriptedBackend(lambda request: [100, gate, 100])
    async with serving(backend) as server, connected(server) as client:
        await client.write_event(Synthesize("Hello.").event())
        await read_until(client, "audio-chunk")
        port = server.port
        stopping = asyncio.create_task(server.stop(PATIENCE))
        await asyncio.sleep(0.05)
        with pytest.raises(OSError, match="Connect"):
            await AsyncClient.from_uri(f"tcp://127.0.0.1:{port}").connect()
        gate.set()
        assert types_of(await read_all(client)) == ["audio-chunk", "audio-stop"]
        await stopping
        assert server.ended.is_set()


async def test_a_stream_that_does_not_end_is_cut_off_at_the_stop() -> None:
    """After the grace time the connection is closed, without `audio-stop`."""
    backend = ScriptedBackend(lambda request: [100, asyncio.Event()])
    async with serving(backend) as server, connected(server) as client, connected(server) as idle:
        await client.write_event(Synthesize("Hello.").event())
        await read_until(client, "audio-chunk")
        await server.stop(0.05)
        assert await read_all(client) == []
        assert await read_all(idle) == []
        assert backend.closed.is_set()
