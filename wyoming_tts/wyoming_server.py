"""The Wyoming server: listens, and gives every client a connection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wyoming.info import Info

from wyoming_tts.errors import ServerBusyError
from wyoming_tts.listen import TcpAddress, UnixAddress, listen_tcp, listen_unix, open_stdio, parse_uri
from wyoming_tts.wyoming_connection import Connection, WyomingSettings
from wyoming_tts.wyoming_info import InfoFrame

if TYPE_CHECKING:
    from socket import socket

    from wyoming_tts.pipeline import Pipeline

_LOGGER = logging.getLogger(__name__)


class WyomingServer:
    """Speaks the Wyoming protocol for one pipeline."""

    def __init__(
        self, pipeline: Pipeline, info: Callable[[], Info], settings: WyomingSettings | None = None
    ) -> None:
        """`info` gives the answer to `describe`, at once; a new object when it has changed."""
        self._pipeline = pipeline
        self._info = InfoFrame(info)
        self._settings = settings or WyomingSettings()
        self._listening: list[asyncio.Server] = []
        self._socket_files: dict[Path, int] = {}
        self._clients: dict[asyncio.Task[None], Connection] = {}
        self._refused: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.ended = asyncio.Event()
        """Set when the server was stopped, and when the client of `stdio://` has left."""

    @property
    def sockets(self) -> tuple[socket, ...]:
        """What is listened on."""
        return tuple(sock for server in self._listening for sock in server.sockets)

    @property
    def connections(self) -> int:
        """Clients that are served now."""
        return len(self._clients)

    @property
    def port(self) -> int | None:
        """The TCP port; None without one."""
        names = (sock.getsockname() for sock in self.sockets)
        return next((name[1] for name in names if isinstance(name, tuple)), None)

    async def start(self, uri: str) -> None:
        """Listen on `tcp://HOST:PORT`, `unix://PATH` or `stdio://`; may be called for several.

        Raises ConfigError when that address cannot be had.
        """
        address, limit = parse_uri(uri), self._settings.limits.line_bytes
        if isinstance(address, TcpAddress):
            self._listening.append(await listen_tcp(address, self._accept, limit))
        elif isinstance(address, UnixAddress):
            self._listening.append(await listen_unix(address, self._accept, limit))
            self._socket_files[address.path] = address.path.stat().st_ino
        else:
            await self._start_stdio(limit)

    async def stop(self, grace_seconds: float = 0.0) -> None:
        """Accept nobody any more, let running streams finish for `grace_seconds`, then cut them off."""
        self._stopping = True
        for server in self._listening:
            server.close()
        self._remove_socket_files()
        for connection in self._clients.values():
            connection.finish()
        await self._wait_for_clients(grace_seconds)
        for server in self._listening:
            await server.wait_closed()
        self._listening.clear()
        self.ended.set()

    async def _wait_for_clients(self, grace_seconds: float) -> None:
        tasks = {*self._clients, *self._refused}
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=grace_seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _remove_socket_files(self) -> None:
        for path, inode in self._socket_files.items():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_ino == inode:  # another server may have put its own there
                    path.unlink()
        self._socket_files.clear()

    async def _start_stdio(self, limit: int) -> None:
        reader, writer, source = await open_stdio(limit)

        def ended(_: asyncio.Task[None]) -> None:
            source.close()
            self.ended.set()

        self._serve(reader, writer, finish_on_eof=True).add_done_callback(ended)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bound = self._settings.max_connections
        if not self._settings.allow.admits(_host_of(writer)):
            _LOGGER.debug("A client's address is not let in")
            writer.transport.abort()
        elif self._stopping or len(self._refused) >= bound:
            writer.transport.abort()
        elif len(self._clients) >= bound:
            self._refuse(reader, writer)
        else:
            self._serve(reader, writer)

    def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, finish_on_eof: bool = False
    ) -> asyncio.Task[None]:
        connection = self._connection(reader, writer, finish_on_eof)
        task = _named(connection.run(), "wyoming client")
        self._clients[task] = connection
        task.add_done_callback(lambda done: self._clients.pop(done, None))
        return task

    def _refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        busy = ServerBusyError(f"{self._settings.max_connections} clients are connected; try again later.")
        task = _named(self._connection(reader, writer, False).refuse(busy), "wyoming refusal")
        self._refused.add(task)
        task.add_done_callback(self._refused.discard)

    def _connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, finish_on_eof: bool
    ) -> Connection:
        return Connection(
            self._pipeline, self._info, self._settings, reader, writer, finish_on_eof=finish_on_eof
        )


def _host_of(writer: asyncio.StreamWriter) -> str | None:
    """A client's address; None of one on a socket file."""
    peer = writer.get_extra_info("peername")
    return peer[0] if isinstance(peer, tuple) else None


def _named(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    return asyncio.get_running_loop().create_task(work, name=name)
