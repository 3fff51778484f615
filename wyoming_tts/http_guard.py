"""What stands before every HTTP request: addresses, names, keys, sizes, and headers for browsers."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wyoming_tts.access import Access
from wyoming_tts.http_errors import answer

_LOGGER = logging.getLogger(__name__)

OPEN_PATHS = ("/health", "/ready")
"""What whoever watches the server may ask without a key."""

PAGE_PATHS = ("/", "/web/")
"""The page itself, which asks for a key and then uses it."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": (
        "default-src 'self'; media-src 'self' blob:; img-src 'self' data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
}
"""What browsers are told; nothing is loaded from elsewhere."""

FILES = ("/web/", "/docs-files/")
"""What browsers may keep, if they ask whether it is still the same."""

LOCAL_ENDINGS = (".local", ".localhost", ".lan", ".home", ".home.arpa", ".internal")
"""Of names that nobody can buy."""

CLOSING = {"Connection": "close"}
"""Whoever is refused may still be sending a body that nobody reads."""

DOCS = ("/docs", "/redoc")
"""Pages that FastAPI makes; their scripts come from this server, and one stands in the page itself."""


class Guard:
    """An ASGI app in front of another: refuses what may not pass, and adds headers to what does."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        """Asks for this machine's name once."""
        self._app, self._access = app, access
        name = socket.gethostname().lower()
        self._hosts = {"localhost", name, name.partition(".")[0], *map(str.lower, access.hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Of HTTP alone: nothing else is offered."""
        if scope["type"] != "http":
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            refusal.headers.update(CLOSING)
            await refusal(scope, receive, _with_headers(send, scope["path"]))
            return
        bounded = _Bounded(receive, self._access)
        try:
            await self._app(scope, bounded, _with_headers(send, scope["path"]))
        except asyncio.CancelledError:
            # The server stops and has waited long enough. uvicorn would print a traceback; the end of this
            # task without an answer's end closes the connection as well.
            _LOGGER.debug("An HTTP answer was cut off: the server stops")

    def _refusal(self, scope: Scope) -> Any:
        """The answer to a request that may not pass; None for one that may."""
        headers = Headers(scope=scope)
        client = scope.get("client")
        if not self._access.allow.admits(client[0] if client else None):
            return answer(403, "This address is not let in; the setting allow names those that are.")
        if not self._knows(headers.get("host", "")):
            return answer(
                421, "The server does not know itself by this name; add it to the setting http_hosts."
            )
        if scope["method"] not in ("GET", "HEAD", "OPTIONS") and not self._trusts(headers):
            return answer(
                403, "A page of another site may not do this; the setting cors names those that may."
            )
        if _length(headers) > self._access.body_bytes:
            return answer(413, f"A request may have at most {self._access.body_bytes} bytes.")
        if not self._has_key(scope, headers):
            return answer(
                401,
                "This needs an API key: Authorization: Bearer KEY.",
                code="invalid_api_key",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return None

    def _knows(self, host: str) -> bool:
        """Whether it is this server's: a page elsewhere could give its own name this machine's address."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        name = name.rstrip(".")
        if name in self._hosts or name.endswith(LOCAL_ENDINGS):
            return True
        if (
            name and "." not in name and ":" not in name
        ):  # of a container or a router: no site elsewhere has one
            return True
        try:
            ipaddress.ip_address(name.partition("%")[0])
        except ValueError:
            return False
        return True

    def _trusts(self, headers: Headers) -> bool:
        """Whether no browser sends it for a page of another site."""
        origin = headers.get("origin")
        if origin is None or origin in self._access.origins:
            return True
        return urlsplit(origin).netloc == headers.get("host", "")

    def _has_key(self, scope: Scope, headers: Headers) -> bool:
        path = scope["path"]
        is_open = path in OPEN_PATHS or path == PAGE_PATHS[0] or path.startswith(PAGE_PATHS[1])
        if not self._access.keys or is_open or scope["method"] == "OPTIONS":
            return True
        kind, _, key = headers.get("authorization", "").partition(" ")
        given = key.strip() if kind.lower() == "bearer" else headers.get("x-api-key", "")
        name = self._access.keys.name_of(given) if given else None
        scope.setdefault("state", {})["caller"] = name
        return name is not None


class _Bounded:
    """A request's body, of which no more than a bound is read, whatever its header says, and not for ever."""

    def __init__(self, receive: Receive, access: Access) -> None:
        self._receive, self._left = receive, access.body_bytes
        self._seconds: float | None = access.body_seconds

    async def __call__(self) -> Message:
        try:
            async with asyncio.timeout(self._seconds):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "The body did not arrive in time", headers=CLOSING) from None
        self._left -= len(message.get("body", b""))
        if not message.get("more_body"):
            self._seconds = None  # what is waited for now is the client's leaving
        if self._left < 0:
            raise HTTPException(413, "The body is too long", headers=CLOSING)
        return message


def _with_headers(send: Send, path: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if path.startswith(DOCS):
                headers["Content-Security-Policy"] = _docs_policy()
            headers.setdefault("Cache-Control", "no-cache" if path.startswith(FILES) else "no-store")
        await send(message)

    return sending


def _docs_policy() -> str:
    return HEADERS["Content-Security-Policy"].replace(
        "default-src 'self'",
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'",
    )


def _length(headers: Headers) -> int:
    try:
        return int(headers.get("content-length", "0"))
    except ValueError:
        return 0
