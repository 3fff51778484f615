"""Wyoming frames on a connection, with bounds on everything that a peer decides.

A frame is a line with a JSON object (`type`, and perhaps `data`, `data_length`,
`payload_length`), then `data_length` bytes with a JSON object that is merged over `data`,
then `payload_length` bytes of payload.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wyoming.event import Event, write_event

from wyoming_tts.errors import ProtocolError

_DISCARD_BYTES = 65_536
"""How much of a payload nobody needs is held at a time."""

_REPLIES_FACTOR = 16
"""Replies may wait for a slow reader up to this many write buffers, so that reading goes on meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a peer may send, and how slowly."""

    line_bytes: int = 64 * 1024
    """Longest header line."""

    data_bytes: int = 1024 * 1024
    """Longest `data` behind the header line."""

    payload_bytes: int = 1024 * 1024
    """Longest payload; it is read and thrown away, since nothing that is sent to a voice has one."""

    nesting: int = 32
    """How deep objects and lists may be nested."""

    idle_seconds: float = 600.0
    """How long a connection may be silent while nothing is being done for it."""

    frame_seconds: float = 30.0
    """How long a frame may take from its first byte to its last."""


class HungUpError(Exception):
    """The peer is gone, or has not read for too long: there is nobody to tell."""


class FrameReader:
    """Reads events; at most one frame is held at a time."""

    def __init__(
        self, reader: asyncio.StreamReader, limits: Limits, busy: Callable[[], bool] = lambda: False
    ) -> None:
        """While `busy()` is true, the idle time does not end the connection."""
        self._reader = reader
        self._limits = limits
        self._busy = busy

    async def read(self) -> Event | None:
        """The next event, without its payload; None when the peer has closed the connection.

        Raises ProtocolError for anything else than a frame, and HungUpError when the
        connection broke. Nothing can be read after an error.
        """
        try:
            first = await self._first_byte()
            return await self._frame_in_time(first) if first else None
        except OSError as error:
            raise HungUpError(str(error)) from error

    async def _first_byte(self) -> bytes:
        while True:
            try:
                async with asyncio.timeout(self._limits.idle_seconds) as deadline:
                    return await self._reader.read(1)
            except TimeoutError:
                if not deadline.expired():
                    raise  # the operating system's time-out: the connection is broken
                if not self._busy():
                    raise ProtocolError(
                        f"Nothing was received for {self._limits.idle_seconds:g} seconds; "
                        "connect again for the next request."
                    ) from None

    async def _frame_in_time(self, first: bytes) -> Event:
        try:
            async with asyncio.timeout(self._limits.frame_seconds) as deadline:
                return await self._frame(first)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise ProtocolError(
                f"A frame was not complete {self._limits.frame_seconds:g} seconds after its first byte."
            ) from None
        except asyncio.IncompleteReadError:
            raise ProtocolError("The connection was closed in the middle of a frame.") from None

    async def _frame(self, first: bytes) -> Event:
        header = _parse_object(await self._line(first), "The header line", self._limits.nesting)
        event_type = _event_type(header)
        data_length = _length(header, "data_length", self._limits.data_bytes)
        payload_length = _length(header, "payload_length", self._limits.payload_bytes)
        data = header.get("data")
        if data is None:
            data = {}
        if not isinstance(data, dict):
            raise ProtocolError(f'"data" must be a JSON object, not {_kind(data)}.')
        if data_length:
            raw = await self._reader.readexactly(data_length)
            data |= _parse_object(raw, f"The data of {event_type[:40]!r}", self._limits.nesting)
        await self._discard(payload_length)
        return Event(type=event_type, data=data)

    async def _line(self, first: bytes) -> bytes:
        """The header line that starts with `first`, with its newline."""
        if first == b"\n":
            return first
        with contextlib.suppress(asyncio.LimitOverrunError):
            line = first + await self._reader.readuntil(b"\n")
            if len(line) <= self._limits.line_bytes:
                return line
        raise ProtocolError(
            f"The header line is longer than {self._limits.line_bytes} bytes; "
            'put the data behind it and its size in "data_length".'
        )

    async def _discard(self, length: int) -> None:
        while length > 0:
            length -= len(await self._reader.readexactly(min(length, _DISCARD_BYTES)))


class FrameWriter:
    """Writes encoded frames; what waits for a slow reader is bounded in bytes and in time."""

    def __init__(self, writer: asyncio.StreamWriter, *, write_seconds: float, buffer_bytes: int) -> None:
        """`write_seconds`: how long a peer may read nothing while something waits for it."""
        self._writer = writer
        self._seconds = write_seconds
        self._reply_bytes = buffer_bytes * _REPLIES_FACTOR
        writer.transport.set_write_buffer_limits(high=buffer_bytes)

    async def send(self, frame: bytes) -> None:
        """Write a frame of a stream, and wait until the peer keeps up. Raises HungUpError."""
        self._writer.write(frame)
        await self._drain()
        await asyncio.sleep(0)  # a peer that reads quickly never makes `drain` wait: let others run too

    async def reply(self, frame: bytes) -> None:
        """Write an answer; waits only when many answers are unread. Raises HungUpError."""
        self._writer.write(frame)
        if self._writer.transport.get_write_buffer_size() > self._reply_bytes:
            await self._drain()

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self._writer.drain()
        except OSError as error:
            self.abort()
            raise HungUpError(str(error) or "the peer does not read") from error

    async def linger(self, reader: asyncio.StreamReader, seconds: float) -> None:
        """Say that nothing follows, and let the peer read its last frame: read on until it closes.

        Closing a socket with unread bytes resets it, and the peer could lose what it was sent last.
        """
        with contextlib.suppress(OSError):
            if self._writer.can_write_eof():
                self._writer.write_eof()
            async with asyncio.timeout(seconds):
                while await reader.read(_DISCARD_BYTES):
                    pass

    async def close(self) -> None:
        """Close behind what is still to be sent, as long as the peer reads it."""
        self._writer.close()
        try:
            async with asyncio.timeout(self._seconds):
                await self._writer.wait_closed()
        except OSError:
            self.abort()

    def abort(self) -> None:
        """Close at once; what was not sent is lost."""
        self._writer.transport.abort()


def encode(event: Event) -> bytes:
    """The bytes of a frame; the data always behind the header line, whatever its size."""
    buffer = io.BytesIO()
    write_event(event, buffer)
    return buffer.getvalue()


def _parse_object(raw: bytes, what: str, nesting: int) -> dict[str, Any]:
    """A JSON object out of `raw`; ProtocolError names `what` and what is wrong, not the text itself."""
    try:
        value = json.loads(raw.decode())
    except UnicodeDecodeError as error:
        raise ProtocolError(f"{what} is not UTF-8 (at byte {error.start}).") from None
    except RecursionError:
        raise ProtocolError(f"{what} is nested more than {nesting} levels deep.") from None
    except ValueError as error:
        raise ProtocolError(f"{what} is not JSON: {error}. A frame starts with a JSON object.") from None
    if not isinstance(value, dict):
        raise ProtocolError(f"{what} must be a JSON object, not {_kind(value)}.")
    if _deeper_than(value, nesting):
        raise ProtocolError(f"{what} is nested more than {nesting} levels deep.")
    _refuse_lone_surrogates(raw, value, what)
    return value


def _deeper_than(value: object, levels: int) -> bool:
    layer = [value]
    for _ in range(levels):
        layer = [
            child
            for item in layer
            for child in (item.values() if isinstance(item, dict) else item)  # type: ignore[attr-defined]
            if isinstance(child, dict | list)
        ]
        if not layer:
            return False
    return True


def _refuse_lone_surrogates(raw: bytes, value: object, what: str) -> None:
    """JSON can spell half a character (`\\ud800`), which nothing behind us could encode again."""
    if b"\\ud" not in raw.lower():
        return
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ProtocolError(f"{what} has an unpaired surrogate (\\ud800 to \\udfff).") from None


def _event_type(header: dict[str, Any]) -> str:
    event_type = header.get("type")
    if not isinstance(event_type, str) or not event_type:
        raise ProtocolError('The header line needs a "type", a string such as "describe".')
    return event_type


def _length(header: dict[str, Any], key: str, limit: int) -> int:
    """A size in bytes; absent and null mean 0."""
    value = header.get(key)
    if value is None:
        return 0
    if type(value) is not int or value < 0:  # not isinstance: true is an int
        shown = value if type(value) in (int, float, bool) else _kind(value)
        raise ProtocolError(f'"{key}" must be a whole number of bytes from 0 on, not {shown}.')
    if value > limit:
        raise ProtocolError(f'"{key}" is {value}, and at most {limit} bytes are accepted.')
    return value


_KINDS = {dict: "an object", list: "a list", str: "a string", bool: "a truth value", type(None): "null"}


def _kind(value: object) -> str:
    """What JSON calls the kind of `value`, with its article."""
    return _KINDS.get(type(value), "a number")
