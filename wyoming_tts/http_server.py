"""The HTTP server: OpenAI's API, this project's own, and the studio, in the event loop of all the rest."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from wyoming_tts import (
    __version__,
    http_captions,
    http_errors,
    http_speech,
    http_status,
    http_studio,
    http_voices,
)
from wyoming_tts.errors import ConfigError
from wyoming_tts.http_guard import Guard
from wyoming_tts.http_site import Site
from wyoming_tts.listen import TcpAddress, bind_tcp

_LOGGER = logging.getLogger(__name__)

TITLE = "wyoming-tts"
BACKLOG = 128


def build_app(site: Site) -> ASGIApp:
    """Everything that is served, behind the guard."""
    app = FastAPIOffline(
        title=TITLE,
        version=__version__,
        description="Speech for people and programs: OpenAI's API, and some more.",
        redoc_url=None,
        static_url="/docs-files",
    )
    http_errors.install(app)
    for module in (http_speech, http_captions, http_voices, http_status):
        app.include_router(module.router(site))
    http_studio.mount(app, site)
    _document_errors(app)
    inner: ASGIApp = app
    if site.settings.access.origins:
        inner = CORSMiddleware(
            app,
            allow_origins=site.settings.access.origins,
            allow_methods=["DELETE", "GET", "POST", "PUT"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key"],
        )
    return Guard(inner, site.settings.access)


def _document_errors(app: FastAPI) -> None:
    """Say in the OpenAPI document what errors look like, in the place of FastAPI's own."""
    made = app.openapi

    def openapi() -> dict[str, object]:
        if app.openapi_schema:
            return app.openapi_schema
        document = made()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        body = http_errors.ErrorBody.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas["Error"] = {"type": "object", "properties": {"error": body}, "required": ["error"]}
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
        for operation in (one for path in document["paths"].values() for one in path.values()):
            responses = operation["responses"]
            responses.pop("422", None)
            for status, text in http_errors.DOCUMENTED.items():
                responses.setdefault(str(status), {"description": text, "content": content})
        app.openapi_schema = document
        return document

    app.openapi = openapi  # type: ignore[method-assign]


class HttpServer:
    """Serves a site on an address."""

    def __init__(self, site: Site) -> None:
        """Listens on nothing yet."""
        self._app, self._most = build_app(site), site.settings.max_connections
        self._socket: socket.socket | None = None
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def port(self) -> int | None:
        """The TCP port; None before `start`."""
        return self._socket.getsockname()[1] if self._socket else None

    @property
    def connections(self) -> Collection[object]:
        """Those that are open."""
        return self._server.server_state.connections if self._server else ()

    async def start(self, uri: str) -> None:
        """Listen on http://HOST:PORT. Raises ConfigError when that address cannot be had."""
        parts = urlsplit(uri)
        assert parts.hostname is not None
        assert parts.port is not None
        try:
            self._socket = bind_tcp(TcpAddress(parts.hostname, parts.port))
            self._socket.listen(BACKLOG)
        except OSError as error:
            used = error.errno == errno.EADDRINUSE
            reason = "is in use by another program" if used else f"cannot be had: {error.strerror or error}"
            raise ConfigError(f"The HTTP address {uri} {reason}; choose another with --http-uri.") from error
        config = uvicorn.Config(
            self._app, http="h11", ws="none", lifespan="off", log_config=None, access_log=False,
            server_header=False, limit_concurrency=self._most, timeout_keep_alive=30,
            h11_max_incomplete_event_size=64 * 1024,
        )  # fmt: skip
        _quieten()
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve([self._socket]), name="http server")

    async def stop(self, grace_seconds: float = 0.0) -> None:
        """Accept nobody any more, let answers be finished for `grace_seconds`, then cut them off."""
        if self._server is None or self._serving is None:
            return
        self._server.config.timeout_graceful_shutdown = max(1, round(grace_seconds)) if grace_seconds else 1
        self._server.should_exit = True
        await asyncio.wait([self._serving], timeout=grace_seconds + 3)
        self._serving.cancel()
        await asyncio.gather(self._serving, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()


class _Server(uvicorn.Server):
    """Leaves signals to whoever owns the event loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None."""
        yield


class _Known(logging.Filter):
    """Drops what uvicorn says of answers that were broken off on purpose: that was said already."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "without completing response" not in record.getMessage()


def _quieten() -> None:
    logger = logging.getLogger("uvicorn.error")
    logger.setLevel(logging.WARNING)
    if not any(isinstance(one, _Known) for one in logger.filters):
        logger.addFilter(_Known())
