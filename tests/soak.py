"""A soak: a real server process, mixed real clients, and whether memory, threads and descriptors stay flat.

    python -m tests.soak --minutes 30

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
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import psutil
from wyoming.event import Event, async_read_event

from tests.fakes import frame

PATIENCE = 120.0
"""Seconds after which a client counts as not served; a busy machine needs some."""

POLL_SECONDS = 30.0
"""How often Home Assistant asks `describe`."""

WORDS = (
    *("the", "light", "in", "kitchen", "is", "on", "and", "window", "still", "open", "while", "outside"),
    *("21.5°C", "7:05", "washing machine", "<b>", "https://example.org/a?b=c", "№ 7", "half past nine,"),
)

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes a close a reset."""


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


class Crowd:
    """Clients of all kinds, each again and again until it is told to stop."""

    def __init__(self, server: Server, rng: random.Random, pause: float, report: Report) -> None:
        """`pause` is the mean of seconds between two requests of one client."""
        self._server, self._rng, self._pause, self._report = server, rng, pause, report

    async def run(self, seconds: float) -> None:
        """All clients, for so long."""
        kinds: list[Callable[[], Awaitable[None]]] = [
            *(self.one_shot, self.one_shot, self.streamed, self.cancelled, self.reset, self.slow),
            *(self.broken, self.half_closed, self.over_http, self.watched),
        ]
        poll = self._pause * 4
        deadline = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            for kind in kinds:
                group.create_task(self._again(kind, self._pause, deadline))
            group.create_task(self._again(self.describe, poll, deadline))
            group.create_task(self._polling(poll, deadline))

    async def _again(self, kind: Callable[[], Awaitable[None]], pause: float, deadline: float) -> None:
        name = kind.__name__
        while time.monotonic() < deadline:
            try:
                async with asyncio.timeout(PATIENCE):
                    await kind()
                self._report.done[name] += 1
            except Exception as error:  # the soak tells it and goes on
                self._report.failures.append(f"{name}: {type(error).__name__}: {error}"[:300])
            await asyncio.sleep(self._rng.uniform(0.5, 1.5) * pause)

    def _text(self, words: int) -> str:
        return " ".join(self._rng.choices(WORDS, k=words)) + "."

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def one_shot(self) -> None:
        """Home Assistant without streaming; half of the texts come again."""
        text = self._text(8) if self._rng.random() < 0.5 else f"The washing machine {self._rng.randrange(9)}."
        async with self._connected() as (reader, writer):
            writer.write(frame("synthesize", text=text))
            await until(reader, "audio-stop")

    async def streamed(self) -> None:
        """Text in pieces, as a language model writes it."""
        async with self._connected() as (reader, writer):
            writer.write(frame("synthesize-start"))
            for _ in range(6):
                writer.write(frame("synthesize-chunk", text=self._text(3) + " "))
                await asyncio.sleep(0.02)
            writer.write(frame("synthesize-stop"))
            await until(reader, "synthesize-stopped")

    async def cancelled(self) -> None:
        """One that leaves while it is spoken to."""
        async with self._connected() as (reader, writer):
            writer.write(frame("synthesize", text=self._text(40)))
            await until(reader, "audio-chunk")

    async def reset(self) -> None:
        """The same, as a machine that is switched off and on again does it."""
        async with self._connected() as (reader, writer):
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.write(frame("synthesize", text=self._text(40)))
            await until(reader, "audio-chunk")

    async def slow(self) -> None:
        """One that reads slowly and writes a byte at a time."""
        async with self._connected() as (reader, writer):
            for byte in frame("synthesize", text=self._text(5)):
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.002)
            await until(reader, "audio-stop", pause=0.01)

    async def broken(self) -> None:
        """One that sends what is no frame, and reads what is wrong with it."""
        wrong = self._rng.choice(
            (b"GET / HTTP/1.1\r\n\r\n", b'{"type":1}\n', b"\xff\n", b'{"type":"x","data_length":-1}\n')
        )
        async with self._connected() as (reader, writer):
            writer.write(wrong)
            await until(reader, "error")

    async def half_closed(self) -> None:
        """One that shuts its writing side in the middle of a request, and one that sends nothing."""
        async with self._connected() as (reader, writer):
            if self._rng.random() < 0.5:
                writer.write(frame("synthesize", text=self._text(10))[: self._rng.randrange(40)])
            writer.write_eof()
            while await reader.read(65536):
                pass

    async def describe(self) -> None:
        """A poll with a connection of its own, as Home Assistant does it."""
        async with self._connected() as (reader, writer):
            writer.write(frame("describe"))
            await until(reader, "info")

    async def _polling(self, pause: float, deadline: float) -> None:
        """Polls on one connection that stays."""
        async with self._connected() as (reader, writer):
            while time.monotonic() < deadline:
                writer.write(frame("describe"))
                writer.write(frame("ping", text="x"))
                await until(reader, "pong")
                self._report.done["polling"] += 1
                await asyncio.sleep(pause)

    async def over_http(self) -> None:
        """OpenAI's API, in one of the formats."""
        kind = self._rng.choice(("pcm", "wav", "mp3", "opus", "flac"))
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self._server.http_port}", timeout=PATIENCE
        ) as client:
            body = {"input": self._text(6), "response_format": kind}
            async with client.stream("POST", "/v1/audio/speech", json=body) as answer:
                answer.raise_for_status()
                async for _ in answer.aiter_bytes():
                    if self._rng.random() < 0.02:  # leaves in the middle
                        return

    async def watched(self) -> None:
        """Who watches the server."""
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self._server.http_port}", timeout=PATIENCE
        ) as client:
            for path in ("/health", "/ready", "/metrics", "/v1/audio/voices"):
                (await client.get(path)).raise_for_status()


async def read(reader: asyncio.StreamReader) -> Event:
    """The next event; the server may not close yet."""
    event = await async_read_event(reader)
    if event is None:
        raise ConnectionError("the server closed")
    return event


async def until(reader: asyncio.StreamReader, kind: str, *, pause: float = 0.0) -> None:
    """Read up to an event of this type, with a pause behind each."""
    while (event := await read(reader)).type != kind:
        await asyncio.sleep(pause)
        if event.type == "error":
            raise RuntimeError(event.data.get("text"))


async def soak(server: Server, seconds: float, *, pause: float, seed: int, every: float) -> Report:
    """Let the clients at the server for so long, and look at it once in `every` seconds."""
    report = Report()
    began = time.monotonic()
    crowd = asyncio.create_task(Crowd(server, random.Random(seed), pause, report).run(seconds))
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


async def full_run(minutes: float, pause: float, seed: int, megabytes: float) -> int:
    """A soak with its report on standard output; returns the exit status."""
    with (
        tempfile.TemporaryDirectory() as name,
        # Small caches are full before the first third is over.
        started(Path(name), "--cache-memory", "4", "--cache-disk", "8", "--log-level", "debug") as server,
    ):
        await soak(server, 20.0, pause=pause, seed=seed, every=5.0)
        before = await quiet(server)
        report = await soak(server, minutes * 60, pause=pause, seed=seed + 1, every=max(1.0, minutes / 6))
        after = await settled(server, before)
        alive = server.process.poll() is None
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
    options = parser.parse_args()
    return asyncio.run(full_run(options.minutes, options.pause, options.seed, options.megabytes))


if __name__ == "__main__":
    sys.exit(main())
