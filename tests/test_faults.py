"""What must stay whole when a process is killed, a disk is full or read-only, or the clock jumps."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from wyoming.event import async_read_event

from tests.fakes import frame, raw_to
from tests.soak import Server, started, wait_for_log
from tests.test_cache_disk import ROUNDS, key, opened, sentence
from wyoming_tts.ledger import Ledger, read_ledger
from wyoming_tts.prices import Cost

COST = Cost(0.001, "USD")

SPENDER = """
import asyncio, sys
from pathlib import Path
from tests.test_faults import COST
from wyoming_tts.ledger import Ledger

async def main():
    ledger = Ledger(Path(sys.argv[1]))
    await ledger.open()
    for number in range(100_000):
        ledger.add("openai", "tts-1", COST, 7, 0.5)
        await asyncio.wrap_future(ledger._executor.submit(int))  # it is written
        print("x", end="", flush=True)

asyncio.run(main())
"""


def kill_after(command: list[str], seconds: float) -> bytes:
    """Start a process, and kill it so long after its first output; what it wrote."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    first = process.stdout.read(1)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read()
    process.wait()
    process.stdout.close()
    return first + rest


async def test_a_killed_process_loses_no_costs(tmp_path: Path) -> None:
    """Over kills at any moment, each sentence that was counted on disk stays counted, once."""
    path, rng, told = tmp_path / "costs.sqlite", random.Random(1), 0
    for _ in range(ROUNDS):
        command = [sys.executable, "-c", SPENDER, str(path)]
        told += len(await asyncio.to_thread(kill_after, command, rng.uniform(0.0, 0.2)))
    (row,) = read_ledger(path)
    assert told <= row.sentences <= told + ROUNDS  # the last of each may be counted and not told
    assert row.characters == 7 * row.sentences
    ledger = Ledger(path)
    await ledger.open()
    assert ledger.month("openai") == pytest.approx(0.001 * row.sentences)
    await ledger.close()


@contextlib.contextmanager
def small_disk(directory: Path, size: str) -> Iterator[Path]:
    """A file system of its own; skips where none may be mounted."""
    if sys.platform != "linux" or os.geteuid():
        pytest.skip("only root mounts file systems")
    directory.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(directory)]
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)


def remount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)


async def said(server: Server, text: str) -> str:
    """The type of the last event that a request is answered with."""
    last = "nothing"
    async with raw_to(server.port) as (reader, writer):
        writer.write(frame("synthesize", text=text))
        while last not in ("audio-stop", "error") and (event := await async_read_event(reader)) is not None:
            last = event.type
    return last


@contextlib.asynccontextmanager
async def ledger_of(path: Path) -> AsyncIterator[Ledger]:
    ledger = Ledger(path)
    await ledger.open()
    try:
        yield ledger
    finally:
        await ledger.close()


async def test_a_full_disk_costs_the_cache_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What is no room for is not kept, and that is said; what was kept stays whole; with room it goes on."""
    with small_disk(tmp_path / "data", "600k") as disk:
        store = await opened(disk / "cache.sqlite", 8 << 20)
        for number in range(60):
            store.put(key(number), sentence(number))
            if (kept := await store.get(key(number))) is not None:
                assert kept == sentence(number)
        assert "is passed over" in caplog.text
        await store.close()
        caplog.clear()
        remount(disk, "size=32m")
        store = await opened(disk / "cache.sqlite", 8 << 20)
        assert await store.get(key(0)) == sentence(0)
        store.put(key(1000), sentence(7))
        assert await store.get(key(1000)) == sentence(7)
        await store.close()
        assert not caplog.text


async def test_a_server_on_a_full_disk(tmp_path: Path) -> None:
    """Without a byte of room in the data directory, a server starts and speaks."""
    with small_disk(tmp_path / "data", "64k") as disk:
        with contextlib.suppress(OSError):
            (disk / "filler").write_bytes(b"x" * 65_536)
        with started(tmp_path, "--cache-disk", "8") as server:
            assert await said(server, "Hello there.") == "audio-stop"
            assert "Traceback" not in server.log.read_text()


async def test_costs_on_a_full_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be written is still counted in memory, and said in the log; the file stays whole."""
    with small_disk(tmp_path / "data", "64k") as disk:
        async with ledger_of(disk / "costs.sqlite") as ledger:
            ledger.add("openai", "tts-1", COST, 7, 0.5)
            await asyncio.wrap_future(ledger._executor.submit(int))
            with contextlib.suppress(OSError):
                (disk / "filler").write_bytes(b"x" * 65_536)
            for number in range(20):
                ledger.add("openai", f"model-{number}" * 50, COST, 7, 0.5)
            await asyncio.wrap_future(ledger._executor.submit(int))
            assert ledger.day("openai") == pytest.approx(0.021)
        assert "cannot be written" in caplog.text
        assert sum(row.sentences for row in read_ledger(disk / "costs.sqlite")) >= 1


async def test_a_data_directory_that_is_read_only(tmp_path: Path) -> None:
    """The server starts, speaks and stops; what it cannot keep is a warning."""
    with small_disk(tmp_path / "data", "1m") as disk:
        remount(disk, "ro")
        with started(tmp_path, "--cache-disk", "8") as server:
            assert await said(server, "Hello there.") == "audio-stop"
            server.process.terminate()
            assert await asyncio.to_thread(server.process.wait, 30) == 0
            assert "are not kept on disk" in server.log.read_text()
            assert "Traceback" not in server.log.read_text()


async def test_a_killed_server_starts_again(tmp_path: Path) -> None:
    """After kills while it speaks, a server starts on the same data without a complaint."""
    log = ""
    for number in range(3):
        with started(tmp_path, "--cache-disk", "8") as server:
            for count in range(5):
                assert await said(server, f"Sentence {number} {count}.") == "audio-stop"
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
            log += server.log.read_text()
    assert "begun anew" not in log
    assert "damaged" not in log
    with started(tmp_path, "--cache-disk", "8") as server:
        wait_for_log(server, "Ready")
        assert await said(server, "Sentence 0 0.") == "audio-stop"


async def test_files_that_may_not_grow(tmp_path: Path) -> None:
    """Where a limit of the system stops a file from growing, that is no more than a warning either."""
    with started(tmp_path, "--cache-disk", "8", "--cache-memory", "0") as server:
        if sys.platform == "linux":
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (300_000, 300_000))
        for number in range(8):
            assert await said(server, f"The washing machine number {number} is done by now.") == "audio-stop"
        assert server.process.poll() is None


async def test_a_clock_that_jumps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the time of day does, the cache stays within its bound, and keeps what was stored last."""
    store = await opened(tmp_path / "cache.sqlite", 200_000)
    for now in (1e9, 4e9, 0.0, -5.0, 1e9, 2e9, 1.0):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        for number in range(30):
            store.put(key(number), sentence(number))
        assert await store.get(key(29)) == sentence(29)
        store.put(key(1000), sentence(7))
        store.put(key(1001), sentence(8))
        assert await store.get(key(1000)) == sentence(7)
    await store.close()


async def test_a_day_that_comes_twice(tmp_path: Path) -> None:
    """Costs belong to the day that the clock says, also when it goes back, and are added up."""
    days = [datetime.date(2026, 11, 27), datetime.date(2031, 1, 1), datetime.date(1970, 1, 1)]
    clock = [days[0]]
    ledger = Ledger(tmp_path / "costs.sqlite", lambda: clock[0])
    await ledger.open()
    for day in (*days, *days):
        clock[0] = day
        ledger.add("openai", "tts-1", COST, 7, 0.5)
    clock[0] = days[0]
    assert ledger.day("openai") == pytest.approx(0.002)
    await ledger.close()
    assert [(row.day, row.sentences) for row in read_ledger(tmp_path / "costs.sqlite")] == [
        (day, 2) for day in sorted(days)
    ]
