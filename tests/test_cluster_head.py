"""A Ray cluster whose head dies: the server lives on, and joins the head that comes in its place."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.fakes import PATIENCE, until
from tests.remote import said, seconds
from tests.soak import free_port
from tests.test_ray import TEXT, pool
from wyoming_tts.backends import ray_cluster
from wyoming_tts.errors import BackendUnavailableError

ROOT = Path(__file__).parent.parent


@contextlib.contextmanager
def head(directory: Path, port: int) -> Iterator[None]:
    """The head of a cluster, in processes of its own; it has gone at the end, by SIGKILL."""
    command = [
        *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", f"--port={port}"),
        *("--num-cpus=2", "--include-dashboard=false", "--object-store-memory=100000000"),
        *("--node-ip-address=127.0.0.1", f"--temp-dir={directory}"),
    ]
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(ROOT)}
    directory.mkdir()
    with (directory.parent / f"{directory.name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
    family = [psutil.Process(process.pid)]
    try:
        deadline = time.monotonic() + PATIENCE
        while b"started" not in (directory.parent / f"{directory.name}.log").read_bytes():
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield
    finally:
        family += family[0].children(recursive=True)
        for member in reversed(family):
            with contextlib.suppress(psutil.Error):
                member.send_signal(signal.SIGKILL)
        process.wait()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of what Ray leaves to be collected
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(sys.platform != "linux", reason="heads are tried on Linux alone")
async def test_a_lost_head_is_an_outage_of_the_pool_alone(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its head the pool cannot speak and says why; with another one at the address it can again."""
    for name, value in ray_cluster.WISHES.items():
        monkeypatch.setenv(name, value)
    ray = pytest.importorskip("ray", reason="Ray is not installed: script/setup ray")
    if ray.is_initialized():  # another test's cluster, and a process is in one at most
        again = [sys.executable, "-m", "pytest", "-q", __file__]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        await asyncio.to_thread(subprocess.run, again, check=True, timeout=300, env=clean)
        return
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setattr(ray_cluster, "LOOK_SECONDS", 0.5)
    directory, port = tmp_path_factory.mktemp("r"), free_port()
    backend = pool(directory, workers=1, address=f"127.0.0.1:{port}")
    with pytest.raises(BackendUnavailableError, match="no Ray cluster answers"):
        await backend.start()
    with head(directory / "1", port):
        await backend.start()
        assert seconds(await said(backend, TEXT)) > 2
    async with asyncio.timeout(60):
        await until(lambda: not backend._cluster.is_joined)
    with pytest.raises(BackendUnavailableError, match=r"head of its cluster|in no cluster|no Ray cluster"):
        await said(backend, TEXT)
    with head(directory / "2", port):
        async with asyncio.timeout(120):
            await until(lambda: bool(backend._hands))
        assert seconds(await said(backend, TEXT)) > 2
        await backend.stop()
        ray.shutdown()
