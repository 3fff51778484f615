"""Discovery between machines: network namespaces with a virtual cable between them."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PATIENCE = 20.0
_NUMBERS = itertools.count(1)

ANNOUNCE = """
import asyncio, logging, signal, sys
from wyoming_tts.zeroconf import Advertisement

async def main():
    logging.basicConfig(level="INFO", stream=sys.stderr)
    name, port, interval, bound = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), ["0.0.0.0", "::"]
    announced = Advertisement(name, bound, port, {"program": "wyoming-tts"}, interval=interval)
    await announced.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await announced.stop()

asyncio.run(main())
"""

WATCH = """
import asyncio, json, sys
from zeroconf import DNSQuestionType
from zeroconf.asyncio import AsyncServiceBrowser
from wyoming_tts.zeroconf import SERVICE_TYPE, choose_addresses, local_addresses, open_zeroconf

async def main():
    zeroconf = open_zeroconf(choose_addresses(["0.0.0.0", "::"], local_addresses()))
    tasks = set()

    def changed(*, name, state_change, **_):
        tasks.add(asyncio.create_task(tell(name, state_change.name)))

    async def tell(name, state):
        addresses = []
        if state != "Removed":
            info = await zeroconf.async_get_service_info(SERVICE_TYPE, name, 3000, DNSQuestionType.QM)
            addresses = sorted(f"{one} {info.port}" for one in info.parsed_addresses()) if info else []
        print(json.dumps([name.split(".")[0], state, addresses]), flush=True)

    AsyncServiceBrowser(zeroconf.zeroconf, SERVICE_TYPE, [changed], question_type=DNSQuestionType.QM)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def _may_make_namespaces() -> bool:
    if sys.platform != "linux" or os.geteuid() or not shutil.which("ip"):
        return False
    name = f"wt-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    if made:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return made


pytestmark = pytest.mark.skipif(not _may_make_namespaces(), reason="needs root and ip of iproute2")


def ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (arguments, done.stderr)


@dataclass
class Host:
    """A namespace with one interface, `eth0`."""

    name: str
    directory: Path

    def ip(self, *arguments: str) -> None:
        ip("-n", self.name, *arguments)

    def start(self, program: str, *arguments: str) -> Program:
        log = self.directory / f"{self.name}-{next(_NUMBERS)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.name, sys.executable, "-c", program, *arguments],
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return Program(process, log)


@dataclass
class Program:
    """A process in a namespace, and what it writes."""

    process: subprocess.Popen[bytes]
    log: Path

    def wait_for(self, wanted: str, after: int = 0) -> int:
        """Wait until a line behind some place has this; returns the place behind it."""
        deadline = time.monotonic() + PATIENCE
        while (at := self.log.read_text().find(wanted, after)) < 0:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, f"no {wanted!r} in {self.log.read_text()[after:]!r}"
            time.sleep(0.05)
        return at + len(wanted)


class Network:
    """Two hosts with a cable between them."""

    def __init__(self, directory: Path) -> None:
        number = f"{os.getpid()}-{next(_NUMBERS)}"
        self.hosts = [Host(f"wt{side}-{number}", directory) for side in "ab"]
        self._programs: list[Program] = []

    def plug(self) -> None:
        """Make the hosts and the cable; no address yet, as IPv6 would be ready only after a while."""
        for host in self.hosts:
            ip("netns", "add", host.name)
            host.ip("link", "set", "lo", "up")
        self.connect()

    def connect(self) -> None:
        """Put a cable between the hosts, each end an interface."""
        first, second = self.hosts
        peer = ("peer", "name", "eth0", "netns", second.name)
        ip("link", "add", "eth0", "netns", first.name, "type", "veth", *peer)
        for host in self.hosts:
            host.ip("link", "set", "eth0", "up")

    def address(self, *, four: bool = True, six: bool = False) -> None:
        """Give both an address."""
        for number, host in enumerate(self.hosts, 1):
            if four:
                host.ip("addr", "add", f"10.77.0.{number}/24", "dev", "eth0")
            if six:
                host.ip("-6", "addr", "add", f"fd77::{number}/64", "dev", "eth0", "nodad")

    def announce(self, host: Host, name: str, port: int = 10200, interval: float = 0.3) -> Program:
        self._programs.append(host.start(ANNOUNCE, name, str(port), str(interval)))
        return self._programs[-1]

    def watch(self, host: Host) -> Program:
        self._programs.append(host.start(WATCH))
        return self._programs[-1]

    def unplug(self) -> None:
        for program in self._programs:
            program.process.kill()
            program.process.wait()
        for host in self.hosts:
            subprocess.run(["ip", "netns", "del", host.name], capture_output=True, check=False)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    made = Network(tmp_path)
    with contextlib.ExitStack() as stack:
        stack.callback(made.unplug)
        made.plug()
        yield made


def told(name: str, state: str, *addresses: str) -> str:
    return json.dumps([name, state, sorted(addresses)])


def test_another_host_finds_the_server(network: Network) -> None:
    """A server is found on the other side of a cable, under both its addresses, until it says goodbye."""
    network.address(six=True)
    here, there = network.hosts
    server, watcher = network.announce(here, "kitchen"), network.watch(there)
    place = watcher.wait_for(told("kitchen", "Added", "10.77.0.1 10200", "fd77::1 10200"))
    server.process.terminate()
    watcher.wait_for(told("kitchen", "Removed"), place)
    assert server.process.wait(PATIENCE) == 0


def test_a_network_without_ipv4(network: Network) -> None:
    """Where there is only IPv6, servers are announced and found all the same."""
    network.address(four=False, six=True)
    here, there = network.hosts
    network.announce(here, "six")
    network.watch(there).wait_for(told("six", "Added", "fd77::1 10200"))


def test_two_hosts_of_one_name(network: Network) -> None:
    """The second one takes another name, and each is found at its own address."""
    network.address()
    here, there = network.hosts
    first = network.announce(here, "twin")
    first.wait_for("announced as twin at 10.77.0.1")
    second = network.announce(there, "twin", 10300)
    second.wait_for("another server is announced as twin; this one is twin-2")
    second.wait_for("announced as twin-2 at 10.77.0.2")
    watcher = network.watch(there)
    watcher.wait_for(told("twin", "Added", "10.77.0.1 10200"))
    watcher.wait_for(told("twin-2", "Added", "10.77.0.2 10300"))


def test_an_interface_that_goes_and_comes_back(network: Network) -> None:
    """A server whose only interface went away is announced again when it is back, also at a new address."""
    network.address()
    here, there = network.hosts
    server = network.announce(here, "roamer")
    place = server.wait_for("announced as roamer at 10.77.0.1")
    here.ip("addr", "flush", "dev", "eth0")
    here.ip("link", "set", "eth0", "down")
    place = server.wait_for("no address that others could reach", place)
    here.ip("link", "set", "eth0", "up")
    here.ip("addr", "add", "10.77.0.9/24", "dev", "eth0")
    server.wait_for("announced as roamer at 10.77.0.9", place)
    network.watch(there).wait_for(told("roamer", "Added", "10.77.0.9 10200"))


def test_a_cable_that_is_pulled(network: Network) -> None:
    """Without the addresses changing, who comes behind an interruption finds the server again."""
    network.address()
    here, there = network.hosts
    server = network.announce(here, "cabled")
    server.wait_for("announced as cabled at 10.77.0.1")
    here.ip("link", "set", "eth0", "down")
    time.sleep(1.0)  # some looks at the addresses
    here.ip("link", "set", "eth0", "up")
    network.watch(there).wait_for(told("cabled", "Added", "10.77.0.1 10200"))


def test_an_interface_that_is_made_anew(network: Network) -> None:
    """One that went and came back between two looks, with the address it had, is announced on again."""
    network.address()
    here, there = network.hosts
    server = network.announce(here, "replugged", interval=3.0)
    server.wait_for("announced as replugged at 10.77.0.1")
    here.ip("link", "del", "eth0")
    network.connect()
    network.address()
    network.watch(there).wait_for(told("replugged", "Added", "10.77.0.1 10200"))


def test_a_network_that_comes_after_the_start(network: Network) -> None:
    """A server that starts before the network is announced when there is one."""
    here, there = network.hosts
    server = network.announce(here, "early")
    server.wait_for("no address that others could reach")
    network.address(six=True)
    server.wait_for("announced as early")
    network.watch(there).wait_for('["early", "Added"')
