"""One large file over HTTP: resumed, checked, and named only when it is whole."""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.files import locked, publish, sha256_of

_LOGGER = logging.getLogger(__name__)

_TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as dead."""

_ATTEMPTS = 4
"""Tries in a row that bring nothing new before giving up: with doubling pauses about ten seconds."""

_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")

Progress = Callable[[int, int | None], None]
"""Called with bytes so far and in all (None: unknown); raising ends the download, to be resumed later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """What to fetch, where to, and what it must be."""

    url: str
    """Where it is; redirects are followed."""

    target: Path
    """The file to make; `.part` and `.lock` files lie beside it."""

    sha256: str
    """What the file must hash to."""

    limit: int
    """Bytes beyond which it cannot be the right file."""

    retry_pause: float = 1.0
    """Seconds before the second try; doubled for each one after it."""

    @property
    def part(self) -> Path:
        """What has arrived so far."""
        return self.target.with_name(self.target.name + ".part")

    def run(self, progress: Progress) -> None:
        """Make `target`, or return at once where another process has. Raises BackendUnavailableError."""
        try:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            with locked(self.target.with_name(self.target.name + ".lock")):
                if not (self.target.is_file() and sha256_of([self.target]) == self.sha256):
                    self._fetch_checked(progress)
        except OSError as error:
            reason = error.strerror or str(error)
            raise BackendUnavailableError(f"Cannot download {self.url} to {self.target}: {reason}") from error

    def _fetch_checked(self, progress: Progress) -> None:
        resumed = _size(self.part) > 0
        with httpx.Client(follow_redirects=True, timeout=_TIMEOUT) as client:
            self._fetch(client, progress)
            if resumed and sha256_of([self.part]) != self.sha256:
                _LOGGER.warning("%s was damaged: starting again", self.part)
                self.part.unlink()
                self._fetch(client, progress)
        if (actual := sha256_of([self.part])) != self.sha256:
            self.part.unlink()
            raise BackendUnavailableError(
                f"{self.url} is damaged and not used: its SHA-256 is {actual}, not {self.sha256}"
            )
        publish(self.part, self.target)

    def _fetch(self, client: httpx.Client, progress: Progress) -> None:
        """Complete the part file, going on where a connection broke."""
        failures = 0
        while True:
            before = _size(self.part)
            try:
                return self._fetch_once(client, progress)
            except httpx.HTTPError as error:
                failures = failures + 1 if _size(self.part) <= before else 1
                if failures >= _ATTEMPTS or not _may_pass(error):
                    reason = _describe(error)
                    raise BackendUnavailableError(
                        f"Cannot download {self.url} to {self.target}: {reason}"
                    ) from error
                _LOGGER.info("Download interrupted (%s), trying again", _describe(error))
            time.sleep(self.retry_pause * 2 ** (failures - 1))

    def _fetch_once(self, client: httpx.Client, progress: Progress) -> None:
        have = _size(self.part)
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with client.stream("GET", self.url, headers=headers) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and have:
                return  # nothing is left to send: the checksum tells whether that is right
            response.raise_for_status()
            self._receive(response, _first_byte(response, have), progress)

    def _receive(self, response: httpx.Response, done: int, progress: Progress) -> None:
        length = response.headers.get("Content-Length", "")
        total = done + int(length) if length.isdigit() else None
        with self.part.open("ab") as file:
            file.truncate(done)
            for block in response.iter_raw():
                done += len(block)
                if done > self.limit:
                    file.truncate(0)
                    raise BackendUnavailableError(
                        f"{self.url} is not the right file: more than {self.limit} bytes"
                    )
                file.write(block)
                progress(done, total)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _first_byte(response: httpx.Response, have: int) -> int:
    """Where the body belongs in the file: 0 from a server without ranges."""
    if response.status_code != httpx.codes.PARTIAL_CONTENT:
        return 0
    match = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
    if match is None or int(match[1]) > have:
        raise httpx.RemoteProtocolError("the server sent another range than it was asked for")
    return int(match[1])


def _may_pass(error: httpx.HTTPError) -> bool:
    """Whether the same request may succeed a little later."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= 500 or error.response.status_code in (408, 429)
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol)


def _describe(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"the server answered {error.response.status_code} {error.response.reason_phrase}".rstrip()
    return str(error) or type(error).__name__


@contextlib.contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """A line on standard error that follows a download; on anything but a terminal it draws nothing."""
    drawn_at = None

    def draw(done: int, total: int | None) -> None:
        nonlocal drawn_at
        now = time.monotonic()
        if sys.stderr.isatty() and (drawn_at is None or now - drawn_at > 0.2 or done == total):
            drawn_at = now
            share = f" {done / total:4.0%} of {total / 1e6:.0f} MB" if total else f" {done / 1e6:.0f} MB"
            print(f"\r{label}{share} ", end="", file=sys.stderr, flush=True)

    try:
        yield draw
    finally:
        if drawn_at is not None:
            print(file=sys.stderr)
