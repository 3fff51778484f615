"""Finds Wyoming servers in the local network (DNS-SD over multicast DNS)."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from wyoming_tts.zeroconf import (
    SERVICE_TYPE,
    Open,
    choose_addresses,
    is_routable,
    local_addresses,
    open_zeroconf,
)

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncZeroconf

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DiscoveredServer:
    """A Wyoming server found in the network; it need not speak."""

    name: str
    """Instance name, without the service type."""

    uris: tuple[str, ...]
    """Where to connect to, likeliest first."""

    program: str | None = None
    """What the server says it is; `wyoming-tts` is one of ours."""


async def discover(
    seconds: float,
    *,
    until: Callable[[DiscoveredServer], bool] = lambda server: False,
    open: Open = open_zeroconf,
) -> list[DiscoveredServer]:
    """Wyoming servers that answer within `seconds`, sorted by name; ends early when `until` holds.

    Empty where there is no network.
    """
    await asyncio.to_thread(importlib.import_module, "zeroconf.asyncio")
    from zeroconf import Error

    try:
        zeroconf = open(choose_addresses(["0.0.0.0", "::"], local_addresses()))
    except (OSError, RuntimeError, Error) as error:
        _logger.debug("no discovery: %s", error)
        return []
    try:
        return await _browse(zeroconf, seconds, until)
    finally:
        await zeroconf.async_close()


async def _browse(
    zeroconf: AsyncZeroconf, seconds: float, until: Callable[[DiscoveredServer], bool]
) -> list[DiscoveredServer]:
    from zeroconf import DNSQuestionType, ServiceStateChange
    from zeroconf.asyncio import AsyncServiceBrowser

    answers: asyncio.Queue[DiscoveredServer] = asyncio.Queue()
    resolving: set[asyncio.Task[None]] = set()

    def changed(*, name: str, state_change: ServiceStateChange, **_: object) -> None:
        if state_change is ServiceStateChange.Added:
            resolving.add(asyncio.create_task(_resolve(zeroconf, name, seconds, answers)))

    found: list[DiscoveredServer] = []
    # A unicast answer to a shared port may reach another program of this machine; everyone hears a multicast.
    multicast = DNSQuestionType.QM
    browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE_TYPE, [changed], question_type=multicast)
    try:
        async with asyncio.timeout(seconds):
            while not found or not until(found[-1]):
                found.append(await answers.get())
    except TimeoutError:
        pass
    finally:
        await browser.async_cancel()
        await _end(resolving)
    return sorted(found, key=lambda server: server.name)


async def _resolve(
    zeroconf: AsyncZeroconf, name: str, seconds: float, answers: asyncio.Queue[DiscoveredServer]
) -> None:
    from zeroconf import DNSQuestionType

    info = await zeroconf.async_get_service_info(SERVICE_TYPE, name, int(seconds * 1000), DNSQuestionType.QM)
    if info is not None and (uris := _uris(info.parsed_addresses(), info.port)):
        answers.put_nowait(DiscoveredServer(info.get_name(), uris, info.decoded_properties.get("program")))


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            _logger.debug("a server was found but not understood: %r", result)


def _uris(addresses: Sequence[str], port: int | None) -> tuple[str, ...]:
    """What to try in turn: routable addresses before others, IPv4 before IPv6."""
    ranked = sorted(addresses, key=lambda entry: (not is_routable(entry), ip_address(entry).version))
    return tuple(
        f"tcp://[{entry}]:{port}" if ":" in entry else f"tcp://{entry}:{port}" for entry in ranked if port
    )
