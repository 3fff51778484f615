"""Builds the HTTP server out of what speaks, where it is wanted and what it takes is installed."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

from wyoming_tts.access import Access, AllowList, ApiKeys, parse_keys
from wyoming_tts.assembly import Assembly
from wyoming_tts.config import Settings
from wyoming_tts.errors import ConfigError
from wyoming_tts.overview import costs_of, statuses_of
from wyoming_tts.voices import voices_directory

if TYPE_CHECKING:
    from wyoming_tts.http_server import HttpServer

_LOGGER = logging.getLogger(__name__)


def build_http(settings: Settings, built: Assembly) -> HttpServer | None:
    """None where it is off, or what it takes is not installed, which is said. Raises ConfigError."""
    access = access_of(settings)
    if not settings.http or settings.uri.startswith("stdio"):
        return None
    try:
        return _server(settings, built, access)
    except ImportError as error:
        _LOGGER.warning("No HTTP: %s; pip install 'wyoming-tts[http]', or --no-http", error)
        return None


async def start_http(server: HttpServer, settings: Settings) -> None:
    """Listen. A port that is taken is a mistake only where somebody chose it: two may share a machine."""
    try:
        await server.start(settings.http_uri)
    except ConfigError as error:
        if "http_uri" in settings.model_fields_set:
            raise
        _LOGGER.warning("No HTTP: %s", error)
    else:
        _LOGGER.info("HTTP and the studio on %s", settings.http_uri)


def access_of(settings: Settings) -> Access:
    """Who may use the HTTP server. Raises ConfigError for keys that cannot be read."""
    keys = {name: key.get_secret_value() for name, key in settings.api_keys.items()}
    try:
        if settings.api_keys_file:
            keys |= parse_keys(settings.api_keys_file.expanduser().read_text(encoding="utf-8"))
        return Access(
            allow=AllowList.of(settings.allow),
            keys=ApiKeys(keys),
            hosts=settings.http_hosts,
            origins=settings.cors,
            body_bytes=settings.max_body_bytes,
        )
    except (OSError, ValueError) as error:
        raise ConfigError(f"the API keys cannot be read: {error}") from None


def _server(settings: Settings, built: Assembly, access: Access) -> HttpServer:
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
            wyoming_uri=settings.uri,
            settings=limits,
        )
    )
