"""Where the Wyoming server listens: `tcp://`, `unix://` and `stdio://`."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wyoming_tts.errors import ConfigError

Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]
"""Called in the event loop for every connection."""

_EVERY_HOST = ("0.0.0.0", "::")
_FORMS = "tcp://HOST:PORT, unix://PATH or stdio://"


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A host and a port; port 0 lets the system choose."""

    host: str
    """Name or address, without brackets."""

    port: int
    """0 to 65535."""


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A socket in the file system."""

    path: Path
    """Where its file is."""


@dataclass(frozen=True, slots=True)
class StdioAddress:
    """Standard input and output: one client."""


Address = TcpAddress | UnixAddress | StdioAddress


def parse_uri(uri: str) -> Address:
    """What a URI names. Raises ConfigError."""
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"{uri!r} is not an address ({error}); write {_FORMS}.") from None
    if parts.scheme == "tcp" and host and port is not None:
        return TcpAddress(host, port)
    if parts.scheme == "unix" and (path := parts.netloc + parts.path):
        return UnixAddress(Path(path))
    if parts.scheme == "stdio":
        return StdioAddress()
    raise ConfigError(f"{uri!r} is not an address; write {_FORMS}, such as tcp://0.0.0.0:10200.")


async def listen_tcp(address: TcpAddress, accept: Accept, limit: int) -> asyncio.Server:
    """Accept connections; `limit` bounds what a reader buffers. Raises ConfigError naming the port.

    `0.0.0.0` and `::` both mean every address of this machine: with one socket for IPv4 and IPv6, so that
    the port is the same, where there is IPv6.
    """
    with _explained(f"Port {address.port} of {address.host}"):
        if address.host in _EVERY_HOST and (both := _every_address(address.port)) is not None:
            return await asyncio.start_server(accept, sock=both, limit=limit)
        return await asyncio.start_server(accept, address.host, address.port, limit=limit)


def bind_tcp(address: TcpAddress) -> socket.socket:
    """A socket at an address, on which nobody listens yet; `0.0.0.0` as above. Raises OSError."""
    if address.host in _EVERY_HOST and (both := _every_address(address.port)) is not None:
        return both
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    return socket.create_server((address.host, address.port), family=family)


def _every_address(port: int) -> socket.socket | None:
    """A socket for IPv4 and IPv6; None where there is no IPv6. Raises OSError when the port cannot be had."""
    if not socket.has_dualstack_ipv6():
        return None
    try:
        return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    except OSError as error:
        if error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):  # the kernel can, this machine may not
            return None
        raise


async def listen_unix(address: UnixAddress, accept: Accept, limit: int) -> asyncio.Server:
    """Accept connections on a socket file; a file that a dead server left is replaced. Raises ConfigError."""
    with _explained(f"The socket {address.path}"):
        if address.path.exists():
            if not stat.S_ISSOCK(address.path.stat().st_mode):
                raise ConfigError(f"{address.path} is there and is no socket; name another file.")
            if await _answers(address.path):
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        return await asyncio.start_unix_server(accept, address.path, limit=limit)


async def _answers(path: Path) -> bool:
    """Whether a server listens on a socket file."""
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except ConnectionRefusedError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def open_stdio(limit: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, asyncio.ReadTransport]:
    """Standard input and output as streams, and what closes the input. Raises ConfigError for files."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit)
    with _explained("Standard input or output"):
        try:
            source, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
            transport, protocol = await loop.connect_write_pipe(
                lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), sys.stdout
            )
        except ValueError as error:
            raise OSError(f"stdio:// needs pipes ({error})") from error
    return reader, asyncio.StreamWriter(transport, protocol, None, loop), source


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    """Say of `what` why it cannot be listened on."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(f"{what} is in use by another program; choose another with --uri.") from error
        if error.errno == errno.EACCES:
            raise ConfigError(f"{what} may not be used by this user; choose another with --uri.") from error
        raise ConfigError(f"{what} cannot be listened on: {error.strerror or error}.") from error
