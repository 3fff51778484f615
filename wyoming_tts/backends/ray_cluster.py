"""A Ray cluster that is joined, may lose its head, and is joined again.

Left to itself Ray ends the process of whoever has missed the head for a minute, and a client that lost it
keeps a core busy until it is shut down. Here it is told to wait for ever, the head is looked after, and a
pool that has lost it leaves the cluster and joins the one that it finds next.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import re
import socket
from typing import Any

from wyoming_tts.errors import BackendUnavailableError

NOT_INSTALLED = "the pool of workers needs a package that is not installed ({error}). Run: script/setup ray"

OBJECT_STORE = 128 * 2**20
"""Bytes that Ray's own cluster may keep; it would take a third of the memory, and chunks are some 50 KB."""

WISHES = {
    "RAY_USAGE_STATS_ENABLED": "0",  # without this Ray reports to its makers
    "RAY_ENABLE_AUTO_CONNECT": "0",  # no call starts a cluster by itself
    "RAY_gcs_rpc_server_reconnect_timeout_s": "2000000000",  # until it ends this process without a head
}
"""What Ray is told by variables, since it reads no argument for it."""

LOOK_SECONDS, CONNECT_SECONDS, MISSED_LOOKS = 5.0, 2.0, 6
"""How often the head is looked at, how long that may take, and how often it may be missed in a row."""

REPLACED = "WrongClusterID"
"""What Ray says when another head has come to the address of the lost one."""


class Cluster:
    """The one that a pool is in. What blocks is said to be; call it in a thread."""

    def __init__(self, address: str, cores: float) -> None:
        """Join nothing yet: `address` as `ray.init` takes it, empty for one of `cores` that starts here."""
        self._address, self._cores = address, cores
        self._head: tuple[str, int] | None = None
        self.ray: Any = None
        """The package, once it was needed."""
        self.is_joined = False
        self.is_watched = False
        """Whether this one has joined it, and so may leave it: another pool of the process may have."""

    @property
    def _is_own(self) -> bool:
        return self.is_watched and not self._address

    def join(self) -> None:
        """Join it, or start it. Raises BackendUnavailableError. Blocks."""
        for name, value in WISHES.items():
            os.environ.setdefault(name, value)
        try:
            import ray
        except ImportError as error:
            raise BackendUnavailableError(NOT_INSTALLED.format(error=error)) from error
        self.ray = ray
        self.is_watched = not ray.is_initialized()  # else whoever joined it ends it
        if self.is_watched:
            self._initialise()
            host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
            self._head = host.strip("[]"), int(port)
        self.is_joined = True

    def leave(self) -> None:
        """End what was begun here, whether or not there still is a head. Blocks for some seconds."""
        self.is_joined = False
        if self.is_watched:
            with contextlib.suppress(Exception):  # it has no common class for what can go wrong there
                self.ray.shutdown()

    def end(self) -> None:
        """Leave it, if it was started here: the end of the process leaves others. Blocks."""
        if self.is_joined and self._is_own:
            self.leave()
        self.is_joined = False

    async def until_lost(self) -> None:
        """Return when its head has not been there for half a minute."""
        missed = 0
        while missed < MISSED_LOOKS:
            await asyncio.sleep(LOOK_SECONDS)
            missed = 0 if self._head is None or await _accepts(*self._head) else missed + 1

    def _initialise(self) -> None:
        _check_listening(self._address)
        own: dict[str, Any] = {
            "num_cpus": max(1, math.ceil(self._cores)),
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE,
        }
        try:
            self.ray.init(
                address=self._address or "local",
                log_to_driver=False,
                configure_logging=False,
                **({} if self._address else own),
            )
        except Exception as error:  # it has no common class for what can go wrong there
            raise BackendUnavailableError(f"cannot join the Ray cluster {self._address}: {error}") from error


def _check_listening(address: str) -> None:
    """Raise BackendUnavailableError where there is no head to wait for, which Ray would do for long."""
    if not (found := re.fullmatch(r"\[?([^/]+?)\]?:(\d{1,5})", address)):
        return
    try:
        socket.create_connection((found[1], int(found[2])), CONNECT_SECONDS).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise BackendUnavailableError(f"no Ray cluster answers at {address}: {error}") from error


async def _accepts(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
