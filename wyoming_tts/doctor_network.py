"""What the doctor finds in the network: the ports, a server that runs, HTTP, and whether others see it."""

from __future__ import annotations

import asyncio
import errno
import importlib
import importlib.util
import secrets
import socket
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from wyoming_tts.access import AllowList
from wyoming_tts.client import WyomingTtsClient
from wyoming_tts.config import Settings
from wyoming_tts.discovery import DiscoveredServer, discover
from wyoming_tts.doctor_findings import Finding, Patient, Running, failed, in_thread, ok, warning
from wyoming_tts.errors import WyomingTtsError
from wyoming_tts.listen import StdioAddress, TcpAddress, UnixAddress, bind_tcp, parse_uri
from wyoming_tts.zeroconf import (
    PROGRAM,
    choose_addresses,
    local_addresses,
    open_zeroconf,
    outgoing_addresses,
)

ANSWER_SECONDS = 2.0
"""How long a server on this machine may take to say what it is."""

LOOK_SECONDS = 3.0
"""How long an announcement may take to be seen."""

PROBE_TYPE = "_wyoming-doctor._tcp.local."
"""What is announced to see whether it is seen: not what Home Assistant looks for."""

EVERYWHERE = ("0.0.0.0", "::")
HTTP_PACKAGES = ("av", "fastapi", "fastapi_offline", "prometheus_client", "tomlkit", "uvicorn")


async def find_running(settings: Settings) -> Running | None:
    """The server of ours at the configured address; None where somebody else answers, or nobody."""
    for uri in _uris(settings.uri):
        client = WyomingTtsClient(uri, connect_timeout=ANSWER_SECONDS, timeout=ANSWER_SECONDS)
        try:
            info = await client.info()
        except WyomingTtsError:
            continue
        if any(program.name == PROGRAM for program in info.tts):
            return Running(uri, info, await _health(settings) if settings.http else None)
    return None


def _uris(uri: str) -> Iterator[str]:
    """Where to reach from here what listens on an address."""
    address = parse_uri(uri)
    if isinstance(address, UnixAddress):
        yield uri
    elif isinstance(address, TcpAddress):
        hosts = ("127.0.0.1", "::1") if address.host in EVERYWHERE else (address.host,)
        yield from (f"tcp://{_bracketed(host)}:{address.port}" for host in hosts)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


async def port(patient: Patient) -> Finding:
    """Whether the server could listen where it should, or does already."""
    settings, address = patient.settings, parse_uri(patient.settings.uri)
    if patient.running:
        version = next(one.version for one in patient.running.info.tts if one.name == PROGRAM)
        return ok(f"{settings.uri}: our own server answers, {PROGRAM} {version}")
    if isinstance(address, StdioAddress):
        return ok("standard input and output need no port")
    if isinstance(address, UnixAddress):
        return await _socket_file(address.path)
    try:
        await in_thread(_bind, address)
    except OSError as error:
        return _taken(settings, address, error)
    return ok(f"{settings.uri} is free")


def _bind(address: TcpAddress) -> None:
    bind_tcp(address).close()


def _taken(settings: Settings, address: TcpAddress, error: OSError) -> Finding:
    if error.errno == errno.EADDRINUSE:
        other = f"tcp://{_bracketed(address.host)}:{address.port + 1}"
        hint = f"stop it (ss -ltnp 'sport = :{address.port}' names it), or choose another with --uri {other}"
        return failed(f"port {address.port} is taken by another program", hint + _unless_shut_out(settings))
    if error.errno == errno.EACCES:
        how = "choose one from 1024 on, such as --uri tcp://0.0.0.0:10200"
        return failed(f"port {address.port} may not be used by this user", how)
    how = "name an address of this machine with --uri, or every one: tcp://0.0.0.0:10200"
    return failed(f"{settings.uri} cannot be listened on: {error.strerror or error}", how)


def _unless_shut_out(settings: Settings) -> str:
    """What to think of where a server of ours would not talk to us."""
    shut_out = not AllowList.of(settings.allow).admits("127.0.0.1")
    return "; should it be our own server: --allow does not let this machine in" if shut_out else ""


async def _socket_file(path: Path) -> Finding:
    found = await in_thread(_file_in_the_way, path)
    if found is not None:
        return found
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except FileNotFoundError:
        return ok(f"{path} is free")
    except ConnectionRefusedError:
        return ok(f"{path} was left by a server that is gone; the next one replaces it")
    writer.close()
    return failed(f"{path} is taken by another program", "stop it, or name another file with --uri")


def _file_in_the_way(path: Path) -> Finding | None:
    if not path.parent.is_dir():
        return failed(f"there is no directory {path.parent}", f"mkdir -p {path.parent}")
    if path.exists() and not stat.S_ISSOCK(path.stat().st_mode):
        how = f"remove it (rm {path}), or name another file with --uri"
        return failed(f"{path} is there and is no socket", how)
    return None


async def http(patient: Patient) -> Finding:
    """Whether HTTP answers, or could."""
    settings = patient.settings
    if not settings.http or isinstance(parse_uri(settings.uri), StdioAddress):
        return ok("off")
    missing = [name for name in HTTP_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        install = f"{sys.executable} -m pip install 'wyoming-tts[http]'"
        return warning(f"off: {', '.join(missing)} is not installed", f"{install}, or set --no-http")
    health = patient.running.health if patient.running else await _health(settings)
    return _healthy(settings.http_uri, health) if health else await _http_port(patient)


def _healthy(uri: str, health: Mapping[str, Any]) -> Finding:
    told = f"{uri}/health: {health['status']}, {health['engine'] or 'nothing speaks'}"
    if health["status"] == "healthy":
        return ok(told)
    how = "see the lines of the backends"
    return warning(told, how) if health["status"] == "degraded" else failed(told, how)


async def _http_port(patient: Patient) -> Finding:
    settings, parts = patient.settings, urlsplit(patient.settings.http_uri)
    assert parts.hostname is not None
    assert parts.port is not None
    other = f"http://{_bracketed(parts.hostname)}:{parts.port + 1}"
    try:
        await in_thread(_bind, TcpAddress(parts.hostname, parts.port))
    except OSError as error:
        used = error.errno == errno.EADDRINUSE
        told = "is taken by another program" if used else f"cannot be had: {error.strerror or error}"
        how = f"choose another with --http-uri {other}, or set --no-http" + _unless_shut_out(settings)
        chosen = "http_uri" in settings.model_fields_set  # else the server starts without HTTP
        return (failed if chosen else warning)(f"{settings.http_uri} {told}", how)
    if patient.running:
        told = f"the server runs, and nobody answers at {settings.http_uri}"
        return warning(told, "its log says why (No HTTP); then start it again, or set --no-http")
    return ok(f"{settings.http_uri} is free")


async def _health(settings: Settings) -> Mapping[str, Any] | None:
    """What our own HTTP server says; None where somebody else answers, or nobody."""
    import httpx

    parts = urlsplit(settings.http_uri)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(parts.hostname or "", parts.hostname or "")
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_SECONDS) as client:
            found = (await client.get(f"http://{_bracketed(host)}:{parts.port}/health")).json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None
    ours = isinstance(found, dict) and {"status", "engine", "backends", "wyoming"} <= set(found)
    return found if ours else None


async def discovery(patient: Patient) -> Finding:
    """Whether others in the network see the server, by looking from a second place."""
    settings, address = patient.settings, parse_uri(patient.settings.uri)
    if not settings.zeroconf:
        return ok("off; clients are given the address by hand")
    if not isinstance(address, TcpAddress):
        return ok(f"nothing to announce: {settings.uri} is for this machine alone")
    bound = EVERYWHERE if address.host in EVERYWHERE else await in_thread(_resolved, address.host)
    local = await in_thread(local_addresses)
    addresses = choose_addresses(bound, local, await in_thread(outgoing_addresses))
    if not addresses:
        return _no_address(bound, [entry.address for entry in local])
    told, seen = f"{', '.join(addresses)}, port {address.port}", False
    try:
        looking = _server_seen if patient.running else _probe_seen
        seen = await looking(addresses, address.port)
    except Exception as error:  # whatever the network does: the server serves on
        told = f"{told} ({error or type(error).__name__})"
    if seen:
        return ok(f"announced and seen from a second socket: {told}")
    return warning(
        f"not seen from a second socket: {told}",
        "let multicast through (UDP port 5353, address 224.0.0.251; in a container: --network host), or add "
        f"the server in Home Assistant by hand, with {addresses[0]} and port {address.port}",
    )


def _resolved(host: str) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def _no_address(bound: Sequence[str], local: Sequence[str]) -> Finding:
    if any(host in EVERYWHERE for host in bound):
        told = f"no address that others could reach; there are only {', '.join(local) or 'none'}"
        return warning(told, "connect this machine to the network; it is looked for again every half minute")
    told = f"nothing is announced: the server listens on {', '.join(bound)} alone"
    return warning(told, "for others in the network: --uri tcp://0.0.0.0:10200; else set --no-zeroconf")


async def _server_seen(addresses: Sequence[str], port: int) -> bool:
    """Whether the server that runs is announced, as anybody would look for it."""

    def ours(one: DiscoveredServer) -> bool:
        places = ((parts.hostname, parts.port) for parts in map(urlsplit, one.uris))
        return one.program == PROGRAM and any(host in addresses and port == at for host, at in places)

    return any(map(ours, await discover(LOOK_SECONDS, until=ours, open=open_zeroconf)))


async def _probe_seen(addresses: Sequence[str], port: int) -> bool:
    """Whether something that one socket announces is heard by another."""
    await in_thread(importlib.import_module, "zeroconf.asyncio")
    from zeroconf import DNSQuestionType
    from zeroconf.asyncio import AsyncServiceInfo

    name = secrets.token_hex(6)
    info = AsyncServiceInfo(
        PROBE_TYPE,
        f"{name}.{PROBE_TYPE}",
        port=port,
        server=f"{PROGRAM}-{name}.local.",
        parsed_addresses=list(addresses),
    )
    speaker = open_zeroconf(addresses)
    try:
        listener = open_zeroconf(addresses)
        try:
            await (await speaker.async_register_service(info))
            multicast = DNSQuestionType.QM
            milliseconds = int(1000 * LOOK_SECONDS)
            return bool(await listener.async_get_service_info(PROBE_TYPE, info.name, milliseconds, multicast))
        finally:
            await listener.async_close()
    finally:
        await speaker.async_unregister_all_services()
        await speaker.async_close()
