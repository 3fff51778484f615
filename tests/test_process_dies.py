"""The one process beside the server's own, which prepares a model: killed, or left by a killed server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.crowd import PATIENCE
from tests.soak import Server, free_port, quiet, settled, started, wait_for_log
from tests.test_faults import said

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and processes as Linux has them")


def preparing() -> list[psutil.Process]:
    """Processes that prepare a model for a server of this test."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("TEST_OF") == str(os.getpid()) and "kokoro_prepare" in " ".join(
                process.cmdline()
            ):
                found.append(process)
    return found


@contextlib.contextmanager
def first_one_killed(times: int = 1) -> Iterator[list[int]]:
    """Kill so many processes that prepare a model, each when it has worked for a while."""
    killed: list[int] = []
    ended = threading.Event()

    def watch() -> None:
        while len(killed) < times and not ended.wait(0.1):
            for process in preparing():
                if process.pid not in killed:
                    time.sleep(1.0)
                    with contextlib.suppress(psutil.Error):
                        process.kill()
                        killed.append(process.pid)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield killed
    finally:
        ended.set()
        thread.join()


def children(server: Server) -> list[str]:
    """What the server has started and not buried."""
    return [child.status() for child in psutil.Process(server.process.pid).children(recursive=True)]


async def test_a_killed_preparation_is_begun_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next backend speaks meanwhile; then the model does, and neither process nor descriptor is left."""
    monkeypatch.setenv("TEST_OF", str(os.getpid()))
    with first_one_killed() as killed, started(tmp_path, chain="kokoro,espeak") as server:
        await asyncio.to_thread(wait_for_log, server, "ended by signal 9")
        assert await said(server, "Hello there.") == "audio-stop"
        deadline = time.monotonic() + 120
        while "Prepared in" not in server.log.read_text():
            assert time.monotonic() < deadline
            assert await said(server, "The light is on.") == "audio-stop"
            await asyncio.sleep(0.5)
        assert len(killed) == 1
        assert await said(server, "The door is open.") == "audio-stop"
        assert children(server) == []
        idle = await quiet(server)
        for number in range(5):
            assert await said(server, f"Number {number}.") == "audio-stop"
        assert await settled(server, idle) <= idle
        assert "Traceback" not in server.log.read_text()
    kept = {path.name for path in (tmp_path / "data" / "prepared").iterdir()} - {"lock"}
    assert len(kept) == 1
    assert not any(name.endswith((".tmp", ".old")) for name in kept)


def test_a_killed_server_takes_it_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing writes on into a directory that the next server prepares its model in."""
    monkeypatch.setenv("TEST_OF", str(os.getpid()))
    command = [
        *(sys.executable, "-m", "wyoming_tts", "--chain", "kokoro", "--no-zeroconf", "--offline"),
        *("--uri", f"tcp://127.0.0.1:{free_port()}", "--http-uri", f"http://127.0.0.1:{free_port()}"),
        *("--data-dir", str(tmp_path)),
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=Path(__file__).parent.parent) as server:
        try:
            deadline = time.monotonic() + PATIENCE
            while not preparing():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            time.sleep(1.0)
        finally:
            server.kill()
    deadline = time.monotonic() + 5
    while preparing():
        assert time.monotonic() < deadline
        time.sleep(0.05)
