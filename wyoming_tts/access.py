"""Who may talk to the server: addresses that are let in, and keys for HTTP."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse_network(text: str) -> Network:
    """A network such as `192.168.1.0/24`, or a single address. Raises ValueError."""
    return ipaddress.ip_network(text.strip(), strict=False)


@dataclass(frozen=True, slots=True)
class AllowList:
    """Networks whose machines are let in; an empty one lets everybody in."""

    networks: tuple[Network, ...] = ()
    """IPv4 and IPv6."""

    @classmethod
    def of(cls, texts: Iterable[str]) -> AllowList:
        """Of networks and addresses as people write them. Raises ValueError."""
        return cls(tuple(map(parse_network, texts)))

    def admits(self, host: str | None) -> bool:
        """Whether a peer's address is let in; None is a local socket, which has its own permissions."""
        if not self.networks or host is None:
            return True
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)  # IPv4 on a socket for both looks like ::ffff:10.0.0.1
        return any((mapped or address) in network for network in self.networks)


class ApiKeys:
    """Keys by the name of who has them; without any, nobody needs one."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        """Keeps digests alone. Raises ValueError for an empty key."""
        if empty := [name for name, key in keys.items() if not key.strip()]:
            raise ValueError(f"the key {empty[0]} is empty")
        self._digests = {name: _digest(key.strip()) for name, key in keys.items()}

    def __bool__(self) -> bool:
        return bool(self._digests)

    def name_of(self, key: str) -> str | None:
        """Whose key it is; None when it is nobody's. All are compared, however soon one fits."""
        given = _digest(key)
        found = None
        for name, digest in self._digests.items():
            if hmac.compare_digest(given, digest):
                found = name
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may use the HTTP server."""

    allow: AllowList = field(default_factory=AllowList)
    """Addresses that are let in."""

    keys: ApiKeys = field(default_factory=lambda: ApiKeys({}))
    """Keys, one of which every request must bring if there are any."""

    hosts: tuple[str, ...] = ()
    """Names, beside those of this machine, under which browsers may find the server."""

    origins: tuple[str, ...] = ()
    """Other sites whose scripts may use it."""

    body_bytes: int = 1024 * 1024
    """Longest body of a request."""

    body_seconds: float = 30.0
    """How long each piece of it may take to arrive."""


def parse_keys(text: str) -> dict[str, str]:
    """Keys as they stand in a variable or a file: `phone=KEY`, divided by commas or lines.

    A line that begins with # is a remark. Raises ValueError, without what it cannot read.
    """
    keys: dict[str, str] = {}
    for number, line in enumerate(text.replace(",", "\n").splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, key = (part.strip() for part in line.partition("="))
        if not equals:  # one key alone needs no name
            name, key = f"key-{number}", line
        if not name or not key or name in keys:
            raise ValueError(f"entry {number} is no NAME=KEY, or its name is there twice")
        keys[name] = key
    return keys


def read_keys(path: Path) -> dict[str, str]:
    """The same of a file. Raises OSError and ValueError."""
    return parse_keys(path.expanduser().read_text(encoding="utf-8"))


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
