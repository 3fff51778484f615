"""Builds the HTTP server out of what speaks, where it is wanted and what it takes is installed."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from wyoming_tts.access import Access, AllowList, ApiKeys, read_keys
from wyoming_tts.assembly import Assembly
from wyoming_tts.config import Settings
from wyoming_tts.errors import ConfigError
from wyoming_tts.overview import costs_of, statuses_of
from wyoming_tts.voices import voices_directory

if TYPE_CHECKING:
    from wyoming_tts.http_server import HttpServer

_LOGGER = logging.getLogger(__name__)


class HttpSide:
    """The HTTP server of a process, built beside everything else: importing what it takes needs a while."""

    def __init__(self, settings: Settings, built: Assembly, connections: Callable[[], int] = int) -> None:
        """Loads nothing yet. `connections` are those of the Wyoming server, which the studio shows.

        Raises ConfigError for keys that cannot be read.
        """
        self._settings, self._built, self._access = settings, built, access_of(settings)
        self._connections = connections
        self._server: HttpServer | None = None

    async def start(self) -> None:
        """Listen, unless it is off or what it takes is not installed, which is said.

        Raises ConfigError for an address that cannot be had, if somebody chose it: with the usual one two
        servers may share a machine, and the second has no HTTP.
        """
        settings = self._settings
        if not settings.http or settings.uri.startswith("stdio"):
            return
        try:
            server = await asyncio.to_thread(_server, settings, self._built, self._access, self._connections)
            await server.start(settings.http_uri)
        except ImportError as error:
            _LOGGER.warning("No HTTP: %s; pip install 'wyoming-tts[http]', or --no-http", error)
        except ConfigError as error:
            if "http_uri" in settings.model_fields_set:
                raise
            _LOGGER.warning("No HTTP: %s", error)
        else:
            self._server = server
            _LOGGER.info("HTTP and the studio on %s", settings.http_uri)

    async def stop(self, grace_seconds: float) -> None:
        """See `HttpServer.stop`."""
        if self._server:
            await self._server.stop(grace_seconds)


def access_of(settings: Settings) -> Access:
    """Who may use the HTTP server. Raises ConfigError for keys that cannot be read."""
    keys = {name: key.get_secret_value() for name, key in settings.api_keys.items()}
    try:
        if settings.api_keys_file:
            keys |= read_keys(settings.api_keys_file)
        return Access(
            allow=AllowList.of(settings.allow),
            keys=ApiKeys(keys),
            hosts=settings.http_hosts,
            origins=settings.cors,
            body_bytes=settings.max_body_bytes,
            body_seconds=settings.frame_timeout,
        )
    except (OSError, ValueError) as error:
        raise ConfigError(f"the API keys cannot be read: {error}") from None


def _server(
    settings: Settings, built: Assembly, access: Access, connections: Callable[[], int]
) -> HttpServer:
    from wyoming_tts.http_server import HttpServer
    from wyoming_tts.http_site import HttpSettings, Site
    from wyoming_tts.metrics import Metrics

    statuses = functools.partial(statuses_of, built.chain)
    costs = functools.partial(costs_of, built.chain)
    metrics = Metrics(statuses, costs, lambda: built.plugins.failures)
    built.pipeline.observe(metrics.observe)
    limits = HttpSettings(
        access=access,
        max_text=settings.max_text,
        max_requests=settings.max_requests,
        max_connections=settings.max_connections,
        write_seconds=settings.write_timeout,
    )
    return HttpServer(
        Site(
            pipeline=built.pipeline,
            catalogue=built.catalogue,
            lexicon=built.lexicon,
            data_dir=settings.data_dir,
            voices_dir=settings.voices_dir or voices_directory(),
            statuses=statuses,
            metrics=metrics,
            costs=costs,
            connections=connections,
            wyoming_uri=settings.uri,
            settings=limits,
        )
    )
