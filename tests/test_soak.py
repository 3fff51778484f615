"""The soak in short: the same clients and the same judge as `python -m tests.soak --minutes 30`."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from wyoming.event import async_read_event

from tests.crowd import PATIENCE
from tests.fakes import frame, raw_to
from tests.soak import Report, Sample, quiet, settled, soak, started, trend, wait_for_log

linux = pytest.mark.skipif(sys.platform != "linux", reason="counts descriptors")


def test_growth_is_told_from_noise() -> None:
    """A burst is no growth, and a slow leak under noise is."""
    rng, times = np.random.default_rng(1), np.arange(100.0)
    noise = rng.normal(0, 2, 100)
    burst = np.where((times > 40) & (times < 55), 80.0, 0.0)
    assert abs(trend(times, 100 + noise + burst).growth) < 2
    assert 8 < trend(times, 100 + noise + burst + 0.1 * times).growth < 12


def test_a_leak_is_told() -> None:
    """Memory, threads and descriptors that grow are each named, and so is a client that was not served."""
    flat = [Sample(float(n), 100 << 20, 5, 9) for n in range(60)]
    assert Report(flat).verdict(8.0) == []
    grown = [Sample(float(n), (100 + n) << 20, 5 + n // 10, 9 + n // 10) for n in range(60)]
    told = Report(grown, failures=["one_shot: TimeoutError"]).verdict(8.0)
    assert [line.split()[0] for line in told] == ["rss_mb", "threads", "descriptors", "one_shot:"]


@linux
async def test_a_short_soak_leaves_nothing_behind(tmp_path: Path) -> None:
    """Every kind of client is served, the log has no error, and afterwards no descriptor is left open."""
    with started(tmp_path, "--cache-memory", "1", "--cache-disk", "1") as server:
        await soak(server, 2.0, pause=0.1, seed=1, every=0.2)
        before = await quiet(server)
        report = await soak(server, 5.0, pause=0.1, seed=2, every=0.2)
        assert await settled(server, before) <= before
        assert server.process.poll() is None
    assert not report.failures
    assert len(report.done) == 11


class Many:
    """Clients that are all connected at the same time."""

    def __init__(self, port: int, count: int) -> None:
        self._port = port
        self._together = asyncio.Barrier(count)
        self._count = count

    async def answers(self) -> list[str]:
        """What each is told, or "nothing" where the server closed or reset."""
        async with asyncio.timeout(PATIENCE):
            return await asyncio.gather(*(self._one() for _ in range(self._count)))

    async def _one(self) -> str:
        async with raw_to(self._port) as (reader, writer):
            await self._together.wait()
            told = await self._told(reader, writer)
            await self._together.wait()  # nobody makes room for one whom the server has not seen yet
            return told

    async def _told(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        try:
            writer.write(frame("describe"))
            event = await async_read_event(reader)
        except ConnectionError:
            return "nothing"
        return "nothing" if event is None else str(event.data.get("code", event.type))


@linux
async def test_a_thousand_connections(tmp_path: Path) -> None:
    """A thousand clients at once are answered, be it that there is no room, and leave nothing behind."""
    with started(tmp_path, "--max-connections", "600") as server:
        before = server.sample(0).descriptors
        answers = Counter(await Many(server.port, 1000).answers())
        assert answers == {"info": 600, "server-busy": 400}
        assert await settled(server, before) <= before
        assert await Many(server.port, 1).answers() == ["info"]


@linux
async def test_more_connections_than_descriptors(tmp_path: Path) -> None:
    """A server that may open no more files waits until some are closed, and serves then."""
    with started(tmp_path, "--max-connections", "1000") as server:
        before = server.sample(0).descriptors
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (before + 30, before + 30))
        async with contextlib.AsyncExitStack() as crowd:
            for _ in range(100):
                _, writer = await asyncio.open_connection("127.0.0.1", server.port)
                crowd.callback(writer.close)
            wait_for_log(server, "out of system resource")
        assert await settled(server, before) <= before
        assert await Many(server.port, 1).answers() == ["info"]
