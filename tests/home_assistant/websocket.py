"""As much of a WebSocket client (RFC 6455) as Home Assistant's API takes, and the API's way of asking."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class ApiError(Exception):
    """Home Assistant refuses."""


class Api:
    """One connection to Home Assistant's WebSocket API, for one question at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._number = 0

    async def ask(self, kind: str, **fields: Any) -> Any:
        """The result of a command. Raises ApiError."""
        number = await self._command(kind, fields)
        while True:
            answer = await self._receive()
            if answer.get("id") == number and answer["type"] == "result":
                return _result(answer)

    async def events(self, kind: str, **fields: Any) -> AsyncIterator[Any]:
        """The events of a command that goes on; whoever has enough of them stops. Raises ApiError."""
        number = await self._command(kind, fields)
        while True:
            answer = await self._receive()
            if answer.get("id") != number:
                continue
            if answer["type"] == "result":
                _result(answer)
            else:
                yield answer["event"]

    async def _command(self, kind: str, fields: dict[str, Any]) -> int:
        self._number += 1
        await self._send({"id": self._number, "type": kind, **fields})
        return self._number

    async def log_in(self, token: str) -> None:
        """As a browser does. Raises ApiError."""
        await self._receive()
        await self._send({"type": "auth", "access_token": token})
        if (await self._receive())["type"] != "auth_ok":
            raise ApiError("not let in")

    async def _send(self, message: dict[str, Any]) -> None:
        await self._frame(TEXT, json.dumps(message).encode())

    async def _frame(self, kind: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2, "big")
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self._writer.write(bytes([0x80 | kind]) + length + mask + masked)
        await self._writer.drain()

    async def _receive(self) -> dict[str, Any]:
        text = b""
        while True:
            first, second = await self._reader.readexactly(2)
            size = second & 0x7F
            if size > 125:
                size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8), "big")
            payload = await self._reader.readexactly(size)
            kind = first & 0x0F
            if kind == PING:
                await self._frame(PONG, payload)
            elif kind == CLOSE:
                raise ApiError("Home Assistant closes the connection")
            elif kind != PONG:
                text += payload
                if first & 0x80:
                    return json.loads(text)


def _result(answer: dict[str, Any]) -> Any:
    if not answer["success"]:
        raise ApiError(f"{answer['error']['code']}: {answer['error']['message']}")
    return answer["result"]


@contextlib.asynccontextmanager
async def connect(url: str, token: str) -> AsyncIterator[Api]:
    """A connection that is logged in. Raises OSError and ApiError."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port, limit=1 << 24)
    try:
        key = base64.b64encode(os.urandom(16)).decode()
        lines = ["GET /api/websocket HTTP/1.1", f"Host: {place.netloc}", "Upgrade: websocket"]
        lines += ["Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.partition(b"\r\n")[0]:
            raise ApiError(head.decode(errors="replace"))
        api = Api(reader, writer)
        await api.log_in(token)
        yield api
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
