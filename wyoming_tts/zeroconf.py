"""Announces the server in the local network (DNS-SD over multicast DNS)."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib
import logging
import os
import re
import secrets
import socket
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from wyoming_tts.types import Voice

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

SERVICE_TYPE = "_wyoming._tcp.local."
PROGRAM = "wyoming-tts"
DEFAULT_PORT = 10200
NAME_FILE = "instance-name"
TXT_STRING_LIMIT = 255
"""Bytes of one `key=value`, set by its length byte."""
TXT_LIMIT = 1200
"""Bytes of all TXT strings: with the other records they still fit one packet of 1460 bytes."""
FAMILY_LIMIT = 8
"""Most addresses announced of one IP version, for the same reason."""
STOP_TIMEOUT = 3.0
"""Seconds that withdrawing may take; its three goodbyes need a quarter of a second."""

_HOST_ONLY = ("docker", "br-", "veth", "virbr", "vnet", "cni", "flannel", "podman", "lxc", "lxd")
"""Names of bridges to this machine's own containers, whose addresses mean nothing to others."""

_logger = logging.getLogger(__name__)

Open = Callable[[Sequence[str]], "AsyncZeroconf"]
"""Opens multicast DNS on the interfaces with these addresses."""


@dataclass(frozen=True, slots=True)
class LocalAddress:
    """An address of this machine."""

    interface: str
    """Name of the network interface, such as `eth0`."""

    address: str
    """IPv4 or IPv6, without scope."""

    index: int = 0
    """The interface's number, which is another one when it is made anew."""


def instance_name(wanted: bool | str, data_dir: Path, port: int) -> str:
    """The name to announce: `wanted` itself, or one kept in `data_dir` since the first start.

    A server on another than the default port gets the port in its name, so that two servers
    of one machine stay apart however they are started.
    """
    if isinstance(wanted, str):
        return wanted
    name = _kept_name(data_dir / NAME_FILE)
    return name if port == DEFAULT_PORT else f"{name}-{port}"


def _kept_name(path: Path) -> str:
    try:
        return _read_name(path) or _keep_name(path, f"{_host_name()}-{secrets.token_hex(3)}")
    except OSError as error:
        _logger.info(
            "cannot keep the server's name in %s (%s); it is made from the hardware address", path, error
        )
        return f"{_host_name()}-{_hardware_id()}"


def _read_name(path: Path) -> str | None:
    try:
        name = path.read_text(encoding="utf-8").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return name if re.fullmatch(r"[A-Za-z0-9-]{1,50}", name) else None


def _keep_name(path: Path, name: str) -> str:
    """Write `name` unless another process was first; return what is kept then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        draft.write_text(name + "\n", encoding="utf-8")
        with contextlib.suppress(OSError):  # it exists, or the file system has no links
            os.link(draft, path)
        if (kept := _read_name(path)) is None:
            os.replace(draft, path)
        return kept or name
    finally:
        draft.unlink(missing_ok=True)


def _host_name() -> str:
    name = re.sub(r"[^A-Za-z0-9]+", "-", socket.gethostname().split(".")[0]).strip("-")
    return name[:40] or "wyoming"


def _hardware_id() -> str:
    node = uuid.getnode()
    invented = bool(node >> 40 & 1)  # no hardware address was found: it differs on every start
    return hashlib.sha256(b"" if invented else node.to_bytes(6, "big")).hexdigest()[:6]


def pack_properties(version: str, default: str, voices: Sequence[Voice]) -> dict[str, str]:
    """TXT strings: who we are, the default voice, then languages and voices as far as they fit.

    A list longer than one string goes on in `voices2`, `voices3` and so on.
    """
    properties = {"program": PROGRAM, "version": version, "voice": default}
    for key, items in (
        ("languages", [voice.language for voice in voices]),
        ("voices", [v.name for v in voices]),
    ):
        room = TXT_LIMIT - sum(_txt_bytes(*pair) for pair in properties.items())
        properties |= _pack_list(key, list(dict.fromkeys(items)), room)
    return properties


def _txt_bytes(key: str, value: str) -> int:
    return 1 + len(f"{key}={value}".encode())


def _pack_list(key: str, items: Sequence[str], room: int) -> dict[str, str]:
    packed: dict[str, str] = {}
    current = key
    for item in items:
        longer = f"{packed[current]},{item}" if current in packed else item
        if _txt_bytes(current, longer) > TXT_STRING_LIMIT + 1:
            current, longer = f"{key}{len(packed) + 1}", item
        others = sum(_txt_bytes(*pair) for pair in packed.items() if pair[0] != current)
        if others + _txt_bytes(current, longer) > room:
            break
        packed[current] = longer
    return packed


def listening_on(sockets: Iterable[socket.socket]) -> tuple[list[str], int]:
    """Addresses and port that listening TCP sockets are bound to; a dual-stack `::` counts as both."""
    hosts, port = [], 0
    for sock in sockets:
        if sock.family not in (socket.AF_INET, socket.AF_INET6):
            continue
        host, port = sock.getsockname()[:2]
        hosts.append(host)
        if host == "::" and not sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
            hosts.append("0.0.0.0")
    return hosts, port


def choose_addresses(
    bound: Sequence[str], local: Sequence[LocalAddress], preferred: Sequence[str] = ()
) -> list[str]:
    """The addresses under which others reach a server that listens on `bound`, best first.

    `0.0.0.0` and `::` stand for every routable address of their IP version in `local`. Never a
    loopback or link-local one: a peer that takes it would call itself, or nobody.
    """
    ours = [entry for entry in local if not entry.interface.startswith(_HOST_ONLY)] or local
    found: list[str] = []
    for host in bound:
        address = ip_address(host.partition("%")[0])
        same = [entry.address for entry in ours if ip_address(entry.address).version == address.version]
        wanted = [entry for entry in same if is_routable(entry)] if address.is_unspecified else [str(address)]
        wanted.sort(key=lambda entry: entry not in preferred)
        found += [entry for entry in wanted[:FAMILY_LIMIT] if is_routable(entry) and entry not in found]
    return sorted(found, key=lambda entry: ip_address(entry).version)


def is_routable(address: str) -> bool:
    """Whether others can reach it: it is neither loopback nor link-local nor a placeholder."""
    ip: IPv4Address | IPv6Address = ip_address(address)
    return not (ip.is_loopback or ip.is_link_local or ip.is_unspecified or ip.is_multicast)


def local_addresses() -> list[LocalAddress]:
    """Every address of this machine. Raises OSError."""
    import ifaddr

    return [
        LocalAddress(adapter.name, ip.ip if isinstance(ip.ip, str) else ip.ip[0], adapter.index or 0)
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    ]


def outgoing_addresses() -> list[str]:
    """The address of this machine on the way to elsewhere, for IPv4 and IPv6 where there is one."""
    found = []
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))  # picks the route; sends nothing
            found.append(probe.getsockname()[0])
    return found


def open_zeroconf(addresses: Sequence[str]) -> AsyncZeroconf:
    """Multicast DNS on the interfaces with `addresses`. Raises OSError, RuntimeError and zeroconf.Error."""
    from zeroconf import IPVersion
    from zeroconf.asyncio import AsyncZeroconf

    four = [address for address in addresses if ":" not in address]
    if len(four) < len(addresses):
        with contextlib.suppress(OSError, RuntimeError):  # IPv6 fails where the kernel has none
            return AsyncZeroconf(interfaces=list(addresses), ip_version=IPVersion.All)
    if not four:
        raise OSError("this machine has no address that others could reach")
    return AsyncZeroconf(interfaces=four, ip_version=IPVersion.V4Only)


class Advertisement:
    """Keeps one server announced from `start` to `stop`, through changes of the network.

    Nothing that goes wrong with it is worse than a warning in the log.
    """

    def __init__(
        self,
        name: str,
        bound: Sequence[str],
        port: int,
        properties: Mapping[str, str],
        *,
        interval: float = 30.0,
        open: Open = open_zeroconf,
        addresses: Callable[[], Sequence[str]] | None = None,
    ) -> None:
        """`bound` are the addresses that the server listens on; `interval` is seconds between two looks
        at this machine's addresses; `addresses` replaces choosing among them."""
        self._name, self._port, self._properties = name, port, dict(properties)
        self._interval, self._open = interval, open
        self._addresses = addresses or (
            lambda: choose_addresses(bound, local_addresses(), outgoing_addresses())
        )
        self._interfaces: frozenset[LocalAddress] = frozenset()
        # Apart from the instance name: under a name conflict two hosts would share address records.
        self._host = f"{PROGRAM}-{secrets.token_hex(4)}.local."
        self._announced: list[str] | None = None
        self._zeroconf: AsyncZeroconf | None = None
        self._info: AsyncServiceInfo | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to announce, in the background; returns at once."""
        self._task = asyncio.create_task(self._run(), name="zeroconf")

    async def stop(self) -> None:
        """Say goodbye to the network and close."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self._withdraw()

    async def _run(self) -> None:
        await asyncio.to_thread(
            importlib.import_module, "zeroconf.asyncio"
        )  # a tenth of a second, not in the loop
        while True:
            try:
                await self._refresh()
            except Exception as error:  # whatever the network does, the server serves on
                _logger.warning(
                    "the server is not announced in the network: %s", error or type(error).__name__
                )
                self._announced = None
                await self._withdraw()
            await asyncio.sleep(self._interval)

    async def _refresh(self) -> None:
        addresses, interfaces = await asyncio.to_thread(self._look)
        if addresses == self._announced and interfaces == self._interfaces:
            return
        known = {one.address for one in self._interfaces}
        if any(one.address in known for one in interfaces - self._interfaces):
            await self._withdraw()  # an interface was made anew: its multicast groups went with the old one
        self._announced, self._interfaces = addresses, interfaces
        if not addresses:
            _logger.warning(
                "the server is not announced in the network: it has no address that others could reach"
            )
            await self._withdraw()
        elif self._info is None:
            await self._register(addresses)
        else:
            await self._update(addresses)

    def _look(self) -> tuple[list[str], frozenset[LocalAddress]]:
        """The addresses to announce, and where they are now."""
        addresses = list(self._addresses())
        return addresses, frozenset(one for one in local_addresses() if one.address in addresses)

    async def _register(self, addresses: list[str]) -> None:
        from zeroconf.asyncio import AsyncServiceInfo

        self._zeroconf = self._open(addresses)
        info = AsyncServiceInfo(
            SERVICE_TYPE,
            f"{self._name}.{SERVICE_TYPE}",
            port=self._port,
            properties=self._properties,
            server=self._host,
            parsed_addresses=addresses,
        )
        announcing = await self._zeroconf.async_register_service(info, allow_name_change=True)
        self._info = info
        if info.get_name() != self._name:
            _logger.warning("another server is announced as %s; this one is %s", self._name, info.get_name())
        await announcing
        _logger.info("announced as %s at %s, port %d", info.get_name(), ", ".join(addresses), self._port)

    async def _update(self, addresses: list[str]) -> None:
        assert self._zeroconf is not None
        assert self._info is not None
        await self._zeroconf.async_update_interfaces(addresses)
        self._info.addresses = [ip_address(address).packed for address in addresses]
        await (await self._zeroconf.async_update_service(self._info))
        _logger.info("announced at %s now", ", ".join(addresses))

    async def _withdraw(self) -> None:
        zeroconf, self._zeroconf, self._info = self._zeroconf, None, None
        if zeroconf is None:
            return
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await zeroconf.async_unregister_all_services()
        except Exception as error:  # leaving goes on without a goodbye
            _logger.debug("no goodbye to the network: %s", error)
        finally:
            await zeroconf.async_close()
