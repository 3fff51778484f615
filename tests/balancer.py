"""HAProxy as docker/scale has it, between clients and server processes on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CONFIG = Path(__file__).parent.parent / "docker" / "scale" / "haproxy.cfg"
SERVERS = ("one", "two")
"""Their names in that file."""


def find_haproxy() -> str | None:
    """Its program, which is not on everybody's path."""
    return shutil.which("haproxy", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))


@dataclass(frozen=True, slots=True)
class Balancer:
    """A running HAProxy."""

    port: int
    """Wyoming."""

    web_port: int
    """HTTP."""

    socket: Path
    """Where it takes commands."""

    process: subprocess.Popen[bytes]

    async def command(self, text: str) -> str:
        """What it answers to a command."""
        reader, writer = await asyncio.open_unix_connection(str(self.socket))
        writer.write(text.encode() + b"\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer.decode()

    async def servers(self, backend: str = "wyoming") -> Mapping[str, Mapping[str, str]]:
        """What it knows of each server: `status`, `scur` (streams now), `stot` (all), and so on."""
        rows = csv.DictReader((await self.command("show stat")).removeprefix("# ").splitlines())
        return {row["svname"]: row for row in rows if row["pxname"] == backend and row["svname"] in SERVERS}


@contextlib.contextmanager
def balancing(
    directory: Path, ports: Sequence[int], web_ports: Sequence[int], own_ports: tuple[int, int]
) -> Iterator[Balancer]:
    """HAProxy in front of two servers on this machine; `own_ports` are its own two."""
    program = find_haproxy()
    assert program is not None
    socket = directory / "admin.sock"
    socket.unlink(missing_ok=True)  # of one that ran here before
    variables = {
        "HAPROXY_SOCKET": str(socket),
        "WYOMING_BIND": f"127.0.0.1:{own_ports[0]}",
        "WEB_BIND": f"127.0.0.1:{own_ports[1]}",
        **{f"WYOMING_PORT_{number}": str(port) for number, port in enumerate(ports, 1)},
        **{f"WEB_PORT_{number}": str(port) for number, port in enumerate(web_ports, 1)},
    }
    with (directory / "haproxy.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-db", "-f", str(CONFIG)], env={**os.environ, **variables}, stdout=log, stderr=log
        )
    try:
        ends = time.monotonic() + 20
        while not socket.exists():
            assert process.poll() is None, (directory / "haproxy.log").read_text()
            assert time.monotonic() < ends
            time.sleep(0.02)
        yield Balancer(*own_ports, socket, process)
    finally:
        process.kill()
        process.wait()
