"""A soak: a real server process, mixed real clients, and whether memory, threads and descriptors stay flat.

    python -m tests.soak --minutes 30
    python -m tests.soak --minutes 30 --chain kokoro --data-dir DIRECTORY

The report is JSON; the exit status is 1 when something grew, somebody was not served, or the log has errors.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from tests.crowd import PATIENCE, Crowd

POLL_SECONDS = 30.0
"""How often Home Assistant asks `describe`."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server's process has at a moment."""

    seconds: float
    rss: int
    threads: int
    descriptors: int


@dataclass(frozen=True, slots=True)
class Trend:
    """How a figure went: robustly, so that one burst does not decide."""

    median: float
    per_hour: float
    growth: float
    """What the slope makes of the time that was watched."""


def trend(times: Iterable[float], values: Iterable[float]) -> Trend:
    """The Theil-Sen line: the median of the slopes between all pairs of samples."""
    when, what = np.fromiter(times, float), np.fromiter(values, float)
    first, second = np.triu_indices(len(when), 1)
    slope = float(np.median((what[second] - what[first]) / (when[second] - when[first])))
    return Trend(float(np.median(what)), slope * 3600, slope * float(when[-1] - when[0]))


@dataclass
class Report:
    """What came of a soak."""

    samples: list[Sample] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def watched(self) -> list[Sample]:
        """Without the first third, in which caches fill and threads are made."""
        return self.samples[len(self.samples) // 3 :]

    def trends(self) -> dict[str, Trend]:
        """How memory in megabytes, threads and descriptors went."""
        watched = self.watched()
        times = [sample.seconds for sample in watched]
        return {
            "rss_mb": trend(times, [sample.rss / 2**20 for sample in watched]),
            "threads": trend(times, [sample.threads for sample in watched]),
            "descriptors": trend(times, [sample.descriptors for sample in watched]),
        }

    def verdict(self, megabytes: float) -> list[str]:
        """What is wrong: growth of more than so much memory or one thread or descriptor, and failures."""
        bounds = {"rss_mb": megabytes, "threads": 1.0, "descriptors": 1.0}
        wrong = [
            f"{name} grew by {one.growth:.2f} (of {one.median:.1f})"
            for name, one in self.trends().items()
            if one.growth > bounds[name]
        ]
        return wrong + self.failures


@dataclass
class Server:
    """The process that is looked at."""

    process: subprocess.Popen[bytes]
    port: int
    http_port: int
    log: Path

    def sample(self, began: float) -> Sample:
        """How it is now."""
        process = psutil.Process(self.process.pid)
        with process.oneshot():
            memory, threads = process.memory_info().rss, process.num_threads()
        return Sample(time.monotonic() - began, memory, threads, process.num_fds())


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextlib.contextmanager
def started(directory: Path, *flags: str, chain: str = "espeak", offline: bool = True) -> Iterator[Server]:
    """A server as a user starts it, that can speak; its data and its log are in `directory`."""
    port, http_port, log = free_port(), free_port(), directory / "log"
    command = [
        *(sys.executable, "-m", "wyoming_tts", "--chain", chain, "--no-zeroconf"),
        *("--uri", f"tcp://127.0.0.1:{port}", "--http-uri", f"http://127.0.0.1:{http_port}"),
        *("--data-dir", str(directory / "data"), *(["--offline"] if offline else []), *flags),
    ]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    server = Server(process, port, http_port, log)
    try:
        wait_for_log(server, "Ready")
        wait_for_log(server, "HTTP and the studio")
        yield server
    finally:
        process.kill()
        process.wait()


def wait_for_log(server: Server, text: str) -> None:
    """Wait until the log has some text."""
    deadline = time.monotonic() + PATIENCE
    while text not in server.log.read_text(errors="replace"):
        assert server.process.poll() is None, server.log.read_text(errors="replace")
        assert time.monotonic() < deadline, server.log.read_text(errors="replace")
        time.sleep(0.05)


async def soak(
    server: Server, seconds: float, *, pause: float, seed: int, every: float, slow: bool = False
) -> Report:
    """Let the clients at the server for so long, and look at it once in `every` seconds."""
    report = Report()
    began = time.monotonic()
    crowd = asyncio.create_task(Crowd(server, random.Random(seed), pause, report, slow=slow).run(seconds))
    while not crowd.done():
        report.samples.append(server.sample(began))
        await asyncio.wait([crowd], timeout=every)
    await crowd
    trouble = ("Traceback", " ERROR ", "never retrieved", "Unclosed", "ResourceWarning")
    report.failures += [
        f"in the log: {line[:300]}"
        for line in server.log.read_text(errors="replace").splitlines()
        if any(word in line for word in trouble)
    ]
    return report


async def settled(server: Server, wanted: int) -> int:
    """Descriptors when nobody is connected any more; waits a while until they are no more than `wanted`."""
    deadline = time.monotonic() + 30
    while (now := server.sample(0).descriptors) > wanted and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    return now


async def quiet(server: Server) -> int:
    """Descriptors once there have been as many for two seconds."""
    same, last = 0, -1
    while same < 10:
        await asyncio.sleep(0.2)
        now = server.sample(0).descriptors
        same, last = same + 1 if now == last else 0, now
    return last


@contextlib.contextmanager
def prepared_in(data_dir: Path | None) -> Iterator[Path]:
    """A new directory for a server, whose model may have been prepared elsewhere already."""
    with tempfile.TemporaryDirectory() as name:
        if data_dir is not None:
            (Path(name) / "data").mkdir()
            (Path(name) / "data" / "prepared").symlink_to((data_dir / "prepared").resolve())
        yield Path(name)


async def full_run(
    minutes: float, pause: float, seed: int, megabytes: float, *, chain: str, data_dir: Path | None
) -> int:
    """A soak with its report on standard output; returns the exit status."""
    with (
        prepared_in(data_dir) as directory,
        # Small caches are full before the first third is over, and go on losing what is oldest.
        started(
            directory, "--cache-memory", "4", "--cache-disk", "8", "--log-level", "debug", chain=chain
        ) as server,
    ):
        slow = chain != "espeak"
        await soak(server, 60.0 if slow else 20.0, pause=pause, seed=seed, every=5.0, slow=slow)
        before = await quiet(server)
        every = max(1.0, minutes / 6)
        report = await soak(server, minutes * 60, pause=pause, seed=seed + 1, every=every, slow=slow)
        after = await settled(server, before)
        alive = server.process.poll() is None
        kept = sum(path.stat().st_size for path in (directory / "data").glob("cache.sqlite*"))
        server.process.terminate()
        await asyncio.to_thread(server.process.wait, PATIENCE)
        cached = [line for line in server.log.read_text(errors="replace").splitlines() if "The cache" in line]
    wrong = report.verdict(megabytes)
    if after > before:
        wrong.append(f"{after} descriptors are open when nobody is there, {before} before")
    summary = {
        "minutes": minutes,
        "requests": dict(sorted(report.done.items())),
        "requests_in_all": report.done.total(),
        "home_assistant_hours": round(report.done["describe"] * POLL_SECONDS / 3600, 2),
        "samples": len(report.samples),
        "trends": {
            name: {"median": round(one.median, 2), "per_hour": round(one.per_hour, 3),
                   "growth_while_watched": round(one.growth, 3)}
            for name, one in report.trends().items()
        },
        "descriptors_idle_before_and_after": [before, after],
        "rss_mb_by_tenths": [
            round(sample.rss / 2**20, 1) for sample in report.samples[:: max(1, len(report.samples) // 10)]
        ],
        "cache_on_disk_mb": round(kept / 2**20, 1),
        "caches": [line.partition("The cache of ")[2] for line in cached],
        "alive": alive,
        "wrong": wrong,
    }  # fmt: skip
    print(json.dumps(summary, indent=2, ensure_ascii=False), flush=True)
    return int(bool(wrong) or not alive)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--pause", type=float, default=1.5, help="mean seconds between a client's requests")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--megabytes", type=float, default=8.0, help="growth of memory that is too much")
    parser.add_argument("--chain", default="espeak", help="backends, as the server takes them")
    parser.add_argument("--data-dir", type=Path, help="where a model was prepared already")
    options = parser.parse_args()
    return asyncio.run(
        full_run(options.minutes, options.pause, options.seed, options.megabytes,
                 chain=options.chain, data_dir=options.data_dir)
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
