"""What every backend behind HTTP shares: one pooled client, time limits, and errors told apart."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from urllib.parse import unquote, urljoin, urlsplit

from pydantic import Field, SecretStr

from wyoming_tts import __version__
from wyoming_tts.backends.base import BackendOptions
from wyoming_tts.errors import (
    BackendAuthError,
    BackendError,
    BackendOverloadedError,
    BackendQuotaError,
    BackendTimeoutError,
    BackendUnavailableError,
    ConfigError,
    SynthesisError,
)

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

MOST_REDIRECTS = 3
ERROR_BYTES = 4096
"""How much of an error's body is read."""

JSON_BYTES = 8 * 2**20
"""Longest JSON that is accepted: a list of thousands of voices."""

CODINGS = ("", "identity", "gzip", "deflate")
"""How an answer may be packed. None is asked for; each other one, or two at once, may unpack to any size."""

SHORTEST_SECRET = 8
"""Characters of a header's word from which on it may be a key; `Bearer` is none."""

QUOTA_WORDS = ("quota", "insufficient", "billing", "credit", "payment", "balance", "hard_limit")
"""What the codes of used-up credit have in them, whatever the status."""


class RemoteOptions(BackendOptions):
    """Options of a backend behind HTTP."""

    KEY_VARIABLE: ClassVar[str] = ""
    """Environment variable in which people keep the service's key."""

    base_url: str
    """Where the service is."""

    api_key: SecretStr | None = None
    """The key; better in a variable, or in a file of its own."""

    api_key_file: Path | None = None
    """A file that holds nothing but the key."""

    ca_file: Path | None = None
    """Certificates that the service's own may be signed with; none are those of the system."""

    first_audio_timeout: float = Field(default=4.0, gt=0, allow_inf_nan=False)
    """Seconds in which a sentence's first audio must come; then the next backend is asked."""

    stall_timeout: float = Field(default=4.0, gt=0, allow_inf_nan=False)
    """Seconds in which more audio must follow, once there was some."""

    connect_timeout: float = Field(default=2.0, gt=0, allow_inf_nan=False)
    """Seconds in which the service must accept a connection."""

    total_timeout: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    """Seconds that one sentence may take in all."""

    max_concurrency: int = Field(default=4, ge=1)
    """Sentences that are asked for at the same time."""

    @property
    def paid(self) -> bool:
        """Whether the service asks for money, so that it is counted."""
        return False

    def key(self) -> str | None:
        """The key, from wherever it is. Raises ConfigError when its file cannot be read."""
        if self.api_key is not None:
            return self.api_key.get_secret_value().strip() or None
        if self.api_key_file is None:
            return None
        try:
            return self.api_key_file.expanduser().read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeError) as error:
            raise ConfigError(f"cannot read the key in {self.api_key_file}: {error}") from None


class Remote:
    """An HTTP service. What goes wrong is raised as BackendError; headers and keys never reach a message."""

    def __init__(self, name: str, options: RemoteOptions, headers: Mapping[str, str]) -> None:
        """`headers` go with every request, the key among them. Raises ConfigError for a wrong base URL."""
        parts = urlsplit(options.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            shown = _public(options.base_url)
            raise ConfigError(f"backends.{name}.base_url: {shown!r} is no address such as http://HOST:PORT")
        self.name, self._options = name, options
        self.host = parts.netloc.rpartition("@")[2]
        """Its host and port."""
        self.base_url = _public(options.base_url).rstrip("/") + "/"
        """Without a name and a password, which httpx would write to the log with every request."""
        self._login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self._headers = {"User-Agent": f"wyoming-tts/{__version__}", "Accept-Encoding": "identity", **headers}
        self._secrets = _secrets_in(headers, self._login)
        self._client: httpx.AsyncClient | None = None

    def url(self, path: str) -> str:
        """The address of a path, or of an address on the service's own host that it calls something else.

        Raises BackendUnavailableError for one that leads elsewhere all the same.
        """
        parts = urlsplit(path)
        if parts.netloc:  # servers know themselves as 127.0.0.1 or by a name inside a container
            path = parts._replace(scheme="", netloc="").geturl()
        return self._at_home(urljoin(self.base_url, path), "names an address on")

    async def close(self) -> None:
        """Close all connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def json(self, method: str, path: str, **arguments: Any) -> Any:
        """A small JSON answer."""
        body = await self.body(method, path, **arguments)
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise SynthesisError(f"{self.name} answered {path} with something that is not JSON") from error

    async def body(self, method: str, path: str, limit: int = JSON_BYTES, **arguments: Any) -> bytes:
        """A small answer, whole."""
        return await self.in_time(self._body(method, path, limit, arguments), self._options.total_timeout)

    async def _body(self, method: str, path: str, limit: int, arguments: Mapping[str, Any]) -> bytes:
        body = bytearray()
        async with self.answer(method, path, **arguments) as response:
            async for piece in self.pieces(response, limit):
                body += piece
        return bytes(body)

    @contextlib.asynccontextmanager
    async def answer(
        self, method: str, path: str, *, check: bool = True, **arguments: Any
    ) -> AsyncIterator[httpx.Response]:
        """An answer, its body still to be read; without `check` its status may be any."""
        response = await self._sent(method, self.url(path), arguments)
        try:
            if check:
                await self.check(response)
            yield response
        finally:
            await response.aclose()

    async def check(self, response: httpx.Response) -> None:
        """Raise what the answer's status means, unless it is a success."""
        if not response.is_success:
            raise await self._error_of(response)

    async def pieces(self, response: httpx.Response, limit: int) -> AsyncGenerator[bytes, None]:
        """The body as it arrives. Raises SynthesisError when there is more than `limit` bytes."""
        import httpx

        if (coding := response.headers.get("content-encoding", "identity").lower()) not in CODINGS:
            raise SynthesisError(f"{self.name} packed its answer as {_short(coding)!r}, unasked")
        total = 0
        try:
            async with contextlib.aclosing(response.aiter_bytes()) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    total += len(piece)
                    if total > limit:
                        raise SynthesisError(
                            f"{self.name} sent more than the {limit} bytes that could be right"
                        )
                    yield piece
        except httpx.HTTPError as error:
            raise self._failure(error) from error

    async def in_time(self, work: Awaitable[T], seconds: float) -> T:
        """The result of some work, or BackendTimeoutError."""
        try:
            async with asyncio.timeout(seconds):
                return await work
        except TimeoutError:
            raise BackendTimeoutError(f"{self.name} did not answer in {seconds:g} s") from None

    async def _sent(self, method: str, url: str, arguments: Mapping[str, Any]) -> httpx.Response:
        """The answer to a request, behind redirects that stay on the host."""
        for _ in range(MOST_REDIRECTS + 1):
            response = await self._sent_once(method, url, arguments)
            if not response.is_redirect:
                return response
            await response.aclose()
            url = self._redirected(url, response)
            if response.status_code == 303:
                method, arguments = "GET", {}
        raise BackendUnavailableError(f"{self.name} redirects in a circle")

    def _redirected(self, url: str, response: httpx.Response) -> str:
        return self._at_home(urljoin(url, response.headers.get("location", "")), "redirects to")

    def _at_home(self, url: str, said: str) -> str:
        """The address, if it is one of the configured service: that alone gets texts and keys."""
        import httpx

        try:
            here, there = (httpx.URL(one) for one in (self.base_url, url))
        except httpx.InvalidURL as error:
            raise BackendUnavailableError(f"{self.name} {said} what is no address: {error}") from error
        if (here.scheme, here.host, here.port) == (there.scheme, there.host, there.port):
            return url
        host = f"{there.scheme}://{there.netloc.rpartition(b'@')[2].decode()}"
        raise BackendUnavailableError(
            f"{self.name} {said} another host, {host}, which is not followed: the text and the key are meant "
            "for the configured one"
        )

    async def _sent_once(self, method: str, url: str, arguments: Mapping[str, Any]) -> httpx.Response:
        """Sent a second time only when a kept connection turned out to be closed before any answer."""
        import httpx

        client = self._opened()
        for last in (False, True):
            try:
                request = client.build_request(method, url, **arguments)
                return await client.send(request, stream=True)
            except (httpx.RemoteProtocolError, httpx.WriteError) as error:
                if last:
                    raise self._failure(error) from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise self._failure(error) from error
        raise AssertionError("unreachable")

    def _opened(self) -> httpx.AsyncClient:
        import httpx

        if self._client is None:
            options = self._options
            seconds = max(options.first_audio_timeout, options.stall_timeout)
            self._client = httpx.AsyncClient(
                headers=self._headers,
                auth=self._login,
                verify=_context(options.ca_file),
                timeout=httpx.Timeout(seconds, connect=options.connect_timeout),
                limits=httpx.Limits(max_connections=2 * options.max_concurrency, keepalive_expiry=30),
            )
        return self._client

    def _failure(self, error: Exception) -> BackendError:
        """What went wrong below HTTP."""
        import httpx

        if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
            return BackendUnavailableError(
                f"{self.name} cannot be reached at {self.base_url}: {_text(error)}"
            )
        if isinstance(error, httpx.TimeoutException):
            return BackendTimeoutError(f"{self.name} sent nothing in time")
        return BackendUnavailableError(f"the connection to {self.name} broke: {_text(error)}")

    async def _error_of(self, response: httpx.Response) -> BackendError:
        """What an error status means, with what the service says of it."""
        body = bytearray()
        with contextlib.suppress(BackendError):
            async for piece in self.pieces(response, ERROR_BYTES):
                body += piece
        for secret in self._secrets:  # some services repeat what they were sent
            body = body.replace(secret.encode(), b"***")
        code, message = _explanation(bytes(body))
        return error_for(self.name, response.status_code, code, message, _retry_after(response))


def _public(url: str) -> str:
    """An address without a name and a password."""
    return re.sub(r"//[^/]*@", "//", url, count=1)


def _secrets_in(headers: Mapping[str, str], login: tuple[str, str] | None) -> list[str]:
    """What must not come back in a message: keys in headers, and a password in either form."""
    words = [word for value in headers.values() for word in value.split() if len(word) >= SHORTEST_SECRET]
    if login:
        words += [base64.b64encode(":".join(login).encode()).decode()]
        words += [login[1]] if len(login[1]) >= SHORTEST_SECRET // 2 else []
    return sorted(words, key=len, reverse=True)


def error_for(
    name: str, status: int, code: str = "", message: str = "", retry_after: float | None = None
) -> BackendError:
    """The error that an HTTP status means, together with the code in the body."""
    said = " ".join(filter(None, (f"{name} answered {status}", code and f"({code})"))) + (
        f": {message}" if message else ""
    )
    if status == 402 or any(word in code.lower() for word in QUOTA_WORDS):
        return BackendQuotaError(said, retry_after=retry_after)
    if status in (401, 403):
        return BackendAuthError(f"{said}; is the key right?")
    if status in (429, 503):
        return BackendOverloadedError(said, retry_after=retry_after)
    if status in (408, 504):
        return BackendTimeoutError(said)
    if status >= 500:
        return BackendUnavailableError(said)
    return SynthesisError(said)


def _explanation(body: bytes) -> tuple[str, str]:
    """Code and message in the body of an error, as OpenAI, ElevenLabs, AllTalk and FastAPI write them."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return "", _short(body.decode("utf-8", "replace"))
    for key in ("error", "detail"):
        if isinstance(found, dict) and found.get(key):
            found = found[key]
            break
    if isinstance(found, list) and found and isinstance(found[0], dict):  # FastAPI
        return "", _short("; ".join(str(fault.get("msg")) for fault in found))
    if not isinstance(found, dict):
        return "", _short(str(found))
    code = next((str(found[key]) for key in ("code", "status", "type") if found.get(key)), "")
    return code, _short(str(found.get("message", "")))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 200 else f"{text[:200]}…"


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds, from either way to write the header."""
    value = response.headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        import datetime

        when = parsedate_to_datetime(value)
        return max(0.0, (when - datetime.datetime.now(when.tzinfo)).total_seconds())
    except (TypeError, ValueError):
        return None


def _context(ca_file: Path | None) -> Any:
    """How TLS is verified; it always is."""
    import ssl

    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca_file.expanduser()))
    except (OSError, ssl.SSLError) as error:
        raise BackendUnavailableError(f"cannot use the certificates in {ca_file}: {error}") from error
