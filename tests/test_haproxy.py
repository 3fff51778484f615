"""Several servers behind HAProxy, with the configuration of docker/scale: real processes of everything."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from wyoming.client import AsyncTcpClient
from wyoming.info import Describe
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop

from tests.balancer import Balancer, balancing, find_haproxy
from tests.fakes import PATIENCE, SPOKEN, read_until, samples_in, types_of
from tests.test_app import Server, free_port, listening, running

PROGRAM = find_haproxy()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no haproxy: apt install haproxy")

CHECKED = 2.0 + 0.5 * 2 + 2.0
"""Seconds in which a server must be known to be gone: an interval of checks, two quick ones, and to spare."""

TEXT = "The light in the kitchen is on."


@dataclass(frozen=True)
class Stand:
    """A balancer and the servers behind it, by their names."""

    balancer: Balancer
    servers: Mapping[str, Server]

    async def statuses(self, backend: str = "wyoming") -> dict[str, str]:
        return {name: row["status"] for name, row in (await self.balancer.servers(backend)).items()}

    async def served(self, of: str = "stot") -> dict[str, int]:
        return {name: int(row[of]) for name, row in (await self.balancer.servers()).items()}

    async def until(self, holds: Callable[[dict[str, str]], bool], backend: str = "wyoming") -> float:
        """Wait for the statuses of the servers; returns the seconds it took."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.timeout(PATIENCE):
            while not holds(await self.statuses(backend)):  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.05)
        return loop.time() - began

    async def until_up(self) -> None:
        for backend in ("wyoming", "web"):
            await self.until(lambda found: set(found.values()) == {"UP"}, backend)


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    """Two servers that speak with espeak-ng, which needs no model."""
    ports = [free_port() for _ in range(6)]
    with contextlib.ExitStack() as stack:
        servers = {}
        for name, port, web_port in zip(("one", "two"), ports[:2], ports[2:4], strict=True):
            (tmp_path / name).mkdir()
            flags = ("--chain", "espeak", "--http-uri", f"http://127.0.0.1:{web_port}")
            uri = f"tcp://127.0.0.1:{port}"
            servers[name] = stack.enter_context(running(tmp_path / name, tmp_path / name, *flags, uri=uri))
        for server in servers.values():
            listening(server).wait_for_log("Ready")
        own = (ports[4], ports[5])
        yield Stand(stack.enter_context(balancing(tmp_path, ports[:2], ports[2:4], own)), servers)


@contextlib.asynccontextmanager
async def client(stand: Stand) -> AsyncIterator[AsyncTcpClient]:
    one = AsyncTcpClient("127.0.0.1", stand.balancer.port, connect_timeout=PATIENCE, read_timeout=PATIENCE)
    await one.connect()
    try:
        yield one
    finally:
        with contextlib.suppress(OSError):
            await one.disconnect()


async def spoken(stand: Stand) -> int:
    """Samples of a text."""
    async with client(stand) as one:
        await one.write_event(Synthesize(text=TEXT).event())
        events = await read_until(one, "audio-stop")
    assert types_of(events) == SPOKEN
    return samples_in(events)


@contextlib.asynccontextmanager
async def stream(stand: Stand) -> AsyncIterator[AsyncTcpClient]:
    """A listener in the middle of a text that still arrives."""
    async with client(stand) as one:
        await one.write_event(SynthesizeStart().event())
        await one.write_event(SynthesizeChunk(text=f"{TEXT} ").event())
        await one.write_event(SynthesizeChunk(text=f"{TEXT} ").event())
        await read_until(one, "audio-chunk")
        yield one


async def end(one: AsyncTcpClient) -> list[str]:
    """Send the rest of the text; the types of what is still answered."""
    await one.write_event(SynthesizeChunk(text=TEXT).event())
    await one.write_event(SynthesizeStop().event())
    return types_of(await read_until(one, "synthesize-stopped"))


async def test_listeners_spread(stand: Stand) -> None:
    """Listeners who are there together are divided evenly, and all hear everything."""
    await stand.until_up()
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(6):
            await stack.enter_async_context(stream(stand))
        assert await stand.served("scur") == {"one": 3, "two": 3}
    heard = await asyncio.gather(*(spoken(stand) for _ in range(6)))
    assert max(heard) < 1.01 * min(heard)  # espeak-ng differs by a few samples
    before = await stand.served()
    async with client(stand) as one:
        await one.write_event(Describe().event())
        assert (await read_until(one, "info"))[-1].type == "info"
    assert sum((await stand.served()).values()) == sum(before.values()) + 1


async def test_a_killed_server_is_left(stand: Stand) -> None:
    """Its listener hears of it at once, newcomers are served by the other, checks find out in time."""
    await stand.until_up()
    async with stream(stand) as listener:
        busy = max((await stand.served("scur")).items(), key=lambda item: item[1])[0]
        stand.servers[busy].process.kill()
        async with asyncio.timeout(PATIENCE):
            assert await listener.read_event() is None or "audio-stop" not in await end_of(listener)
        assert all(await asyncio.gather(*(spoken(stand) for _ in range(10))))
    assert await stand.until(lambda found: found[busy] == "DOWN") < CHECKED
    assert all([await spoken(stand) for _ in range(4)])


async def end_of(one: AsyncTcpClient) -> list[str]:
    try:
        return types_of(await read_until(one))
    except OSError:
        return []


async def test_draining(stand: Stand) -> None:
    """A running stream ends as it should, nobody new comes, and then the server serves nobody."""
    await stand.until_up()
    async with stream(stand) as listener:
        leaving = max((await stand.served("scur")).items(), key=lambda item: item[1])[0]
        await stand.balancer.command(f"set server wyoming/{leaving} state drain")
        assert (await stand.statuses())[leaving].startswith("DRAIN")
        before = (await stand.served())[leaving]
        assert all(await asyncio.gather(*(spoken(stand) for _ in range(6))))
        assert (await stand.served())[leaving] == before
        assert (await stand.served("scur"))[leaving] == 1
        assert (await end(listener))[-1] == "synthesize-stopped"
    async with asyncio.timeout(PATIENCE):
        while (await stand.served("scur"))[leaving]:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.02)
    stand.servers[leaving].process.terminate()
    assert stand.servers[leaving].end() == 0
    assert all([await spoken(stand) for _ in range(2)])


async def test_http(stand: Stand) -> None:
    """HTTP takes the same way, with `/ready` as the check."""
    await stand.until_up()
    url = f"http://127.0.0.1:{stand.balancer.web_port}"
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as web:
        request = {"input": TEXT, "response_format": "wav"}
        answers = await asyncio.gather(*(web.post("/v1/audio/speech", json=request) for _ in range(4)))
        assert {answer.status_code for answer in answers} == {200}
        stand.servers["one"].process.kill()
        await stand.until(lambda found: found["one"] == "DOWN", "web")
        assert (await web.get("/ready")).json()["ready"]
    rows = await stand.balancer.servers("web")
    assert all(int(row["stot"]) for row in rows.values())
