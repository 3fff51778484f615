"""Upstream speech services as real HTTP servers over sockets, with their contracts and their faults."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

RATE = 24_000
WORD_SECONDS = 0.3

Handler = Callable[["Exchange"], Awaitable[None]]
Fault = Callable[["Exchange", bytes], Awaitable[None]]


def words_of(text: str) -> list[str]:
    return text.split()


def speech(text: str, rate: int = RATE) -> bytes:
    """s16 of a text: a hum for each word, so that one sees what was said and when."""
    seconds = np.arange(round(WORD_SECONDS * rate)) / rate
    hums = [0.3 * np.sin(2 * np.pi * (200 + 20 * (len(word) % 10)) * seconds) for word in words_of(text)]
    return (np.concatenate(hums) * 32767).astype("<i2").tobytes()


def wav(pcm: bytes, rate: int = RATE, channels: int = 1, size: int | None = None) -> bytes:
    """A WAV file; `size` is what its header says of the samples."""
    size = len(pcm) if size is None else size
    head = struct.pack("<HHIIHH", 1, channels, rate, rate * 2 * channels, 2 * channels, 16)
    return (
        b"RIFF" + struct.pack("<I", min(36 + size, 0xFFFFFFFF)) + b"WAVEfmt " + struct.pack("<I", 16) + head
    ) + b"data" + struct.pack("<I", size) + pcm  # fmt: skip


@dataclass
class Exchange:
    """One request, and the way to answer it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    ended: bool = False
    chunked: bool = False

    def json_body(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.body.decode()).items()}

    async def head(
        self,
        status: int = 200,
        kind: str = "audio/pcm",
        length: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.chunked = length is None
        lines.append("Transfer-Encoding: chunked" if self.chunked else f"Content-Length: {length}")
        await self.raw("\r\n".join([*lines, "", ""]).encode())

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def write(self, data: bytes) -> None:
        if data:
            await self.raw(f"{len(data):x}\r\n".encode() + data + b"\r\n" if self.chunked else data)

    async def end(self) -> None:
        self.ended = True
        if self.chunked:
            await self.raw(b"0\r\n\r\n")

    async def answer(
        self,
        body: bytes,
        status: int = 200,
        kind: str = "audio/pcm",
        pieces: int = 1,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """A whole answer, in so many pieces."""
        await self.head(status, kind, headers=headers)
        size = max(1, -(-len(body) // pieces))
        for start in range(0, len(body), size):
            await self.write(body[start : start + size])
        await self.end()

    async def json(self, found: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        await self.answer(json.dumps(found).encode(), status, "application/json", headers=headers)


@dataclass
class Upstream:
    """A server; `handler` answers what comes, `exchanges` is what came."""

    handler: Handler
    exchanges: list[Exchange] = field(default_factory=list)
    connections: int = 0
    total_connections: int = 0
    port: int = 0
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has left an exchange that was not ended."""
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        return [exchange.path for exchange in self.exchanges]

    async def __aenter__(self) -> Upstream:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """As if its machine was switched off."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.total_connections += 1
        try:
            while (exchange := await _read(reader, writer)) is not None:
                self.exchanges.append(exchange)
                await self._answer(exchange)
                if not exchange.ended:
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.connections -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, exchange: Exchange) -> None:
        """Until the handler is done, or the client has gone."""
        handling = asyncio.ensure_future(self.handler(exchange))
        gone = asyncio.ensure_future(exchange.reader.read(1))
        try:
            await asyncio.wait({handling, gone}, return_when=asyncio.FIRST_COMPLETED)
            if handling.done():
                handling.result()
            else:
                self.hung_up.set()
        finally:
            for task in (handling, gone):
                task.cancel()
            await asyncio.gather(handling, gone, return_exceptions=True)


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Exchange | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    parts = urlsplit(target)
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    return Exchange(method, unquote(parts.path), query, headers, body, reader, writer)


async def forever() -> None:
    await asyncio.Event().wait()


# Faults: what a service may do instead of speaking.


async def hang_before_headers(x: Exchange, pcm: bytes) -> None:
    await forever()


async def hang_after_headers(x: Exchange, pcm: bytes) -> None:
    await x.head()
    await forever()


async def hang_mid_body(x: Exchange, pcm: bytes) -> None:
    await x.head()
    await x.write(pcm[: len(pcm) // 2])
    await forever()


async def break_mid_body(x: Exchange, pcm: bytes) -> None:
    await x.head()
    await x.write(pcm[: len(pcm) // 2])


async def unauthorised(x: Exchange, pcm: bytes) -> None:
    await x.json({"error": {"code": "invalid_api_key", "message": "wrong key"}}, 401)


async def unpaid(x: Exchange, pcm: bytes) -> None:
    await x.json({"error": {"message": "pay first"}}, 402)


async def used_up(x: Exchange, pcm: bytes) -> None:
    await x.json({"error": {"code": "insufficient_quota", "message": "you exceeded your quota"}}, 429)


async def too_many(x: Exchange, pcm: bytes) -> None:
    await x.json(
        {"error": {"code": "rate_limit_exceeded", "message": "slow down"}}, 429, {"Retry-After": "7"}
    )


async def broken(x: Exchange, pcm: bytes) -> None:
    await x.answer(b"<html>oops</html>", 500, "text/html")


async def web_page(x: Exchange, pcm: bytes) -> None:
    await x.answer(b"<html>please log in</html>" * 10, 200, "text/html")


async def truncated_wav(x: Exchange, pcm: bytes) -> None:
    whole = wav(pcm)
    await x.answer(whole[: len(whole) // 2], kind="audio/wav")


async def wrong_rate(x: Exchange, pcm: bytes) -> None:
    await x.answer(wav(pcm, rate=3), kind="audio/wav")


async def slow_drip(x: Exchange, pcm: bytes) -> None:
    await x.head()
    for start in range(0, len(pcm), 20):
        await x.write(pcm[start : start + 20])
        await asyncio.sleep(0.05)


async def redirected(x: Exchange, pcm: bytes) -> None:
    await x.answer(b"", 307, "text/plain", headers={"Location": "http://elsewhere.invalid/v1/audio/speech"})


async def hangs_up(x: Exchange, pcm: bytes) -> None:
    """As a server does whose kept connection has timed out: the request is read by nobody."""


async def silence(x: Exchange, pcm: bytes) -> None:
    await x.answer(bytes(len(pcm)))


async def nothing(x: Exchange, pcm: bytes) -> None:
    await x.answer(b"")


FAULTS: Mapping[str, Fault] = {
    fault.__name__: fault
    for fault in (
        *(hang_before_headers, hang_after_headers, hang_mid_body, break_mid_body, unauthorised, unpaid),
        *(used_up, too_many, broken, web_page, truncated_wav, wrong_rate, slow_drip, redirected, hangs_up),
        *(silence, nothing),
    )
}


# Contracts.


class OpenAI:
    """`/v1/audio/speech` and what belongs to it; `faults` happen to the next requests, one each."""

    def __init__(
        self, *, kind: str = "pcm", voices: Any = None, make: Callable[[str], bytes] = speech
    ) -> None:
        self.kind, self.voices, self.make = kind, voices, make
        self.faults: list[Fault | None] = []
        self.models: Any = {"object": "list", "data": [{"id": "tts-1"}, {"id": "gpt-4o-mini-tts"}]}
        self.refused: tuple[str, ...] = ()
        self.pieces = 8
        self.key = ""

    async def __call__(self, x: Exchange) -> None:
        if self.key and x.headers.get("authorization") != f"Bearer {self.key}":
            return await unauthorised(x, b"")
        if x.path == "/v1/models":
            return await x.json(self.models)
        if x.path == "/v1/audio/voices" and self.voices is not None:
            return await x.json(self.voices)
        if x.path != "/v1/audio/speech" or x.method != "POST":
            return await x.json({"error": {"message": f"no such thing as {x.path}"}}, 404)
        await self._speak(x)

    async def _speak(self, x: Exchange) -> None:
        asked = x.json_body()
        pcm = self.make(asked["input"])
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            return await fault(x, pcm)
        wanted = asked.get("response_format", "mp3")
        if wanted in self.refused:
            return await x.json({"error": {"message": f"{wanted} is not supported"}}, 400)
        body, kind = (wav(pcm, size=0xFFFFFFFF), "audio/wav") if self.kind == "wav" else (pcm, "audio/pcm")
        await x.answer(body, kind=kind, pieces=self.pieces)


class ElevenLabs:
    """Voices, credit, and streaming with the times of characters."""

    def __init__(self, *, make: Callable[[str], bytes] = speech) -> None:
        self.make = make
        self.faults: list[Fault | None] = []
        self.credit: Any = {"character_count": 10, "character_limit": 1000}
        self.requests = 0
        self.broken_after: int | None = None
        self.relative = False

    async def __call__(self, x: Exchange) -> None:
        if x.path == "/v1/user/subscription":
            return await x.json(self.credit)
        if x.path == "/v1/voices":
            return await x.json({"voices": [
                {"voice_id": "id1", "name": "Rachel", "labels": {"gender": "female", "accent": "american"}},
                {"voice_id": "id2", "name": "Adam", "labels": {"gender": "male", "language": "de"}},
            ]})  # fmt: skip
        fault = self.faults.pop(0) if self.faults else None
        text = x.json_body()["text"]
        if fault is not None:
            return await fault(x, self.make(text))
        self.requests += 1
        await x.head(kind="application/json", headers={"request-id": f"request-{self.requests}"})
        for number, line in enumerate(self.lines(text)):
            if self.broken_after == number:
                return None
            await x.write(line)
        await x.end()

    def lines(self, text: str) -> list[bytes]:
        """One JSON object for each word, as the service sends one for each of its chunks."""
        pcm, lines, begin, seconds = self.make(text), [], 0, 0.0
        words = words_of(text)
        step = len(pcm) // max(1, len(words)) // 2 * 2
        for number, word in enumerate(words):
            end = text.index(word, begin) + len(word)
            end = len(text) if number == len(words) - 1 else min(end + 1, len(text))
            characters = list(text[begin:end])
            offset = 0.0 if self.relative else seconds
            length = step / 2 / RATE
            each = length / len(characters)
            lines.append(json.dumps({
                "audio_base64": base64.b64encode(pcm[number * step : (number + 1) * step]).decode(),
                "alignment": {
                    "characters": characters,
                    "character_start_times_seconds": [offset + i * each for i in range(len(characters))],
                    "character_end_times_seconds": [offset + (i + 1) * each for i in range(len(characters))],
                },
            }).encode() + b"\n")  # fmt: skip
            begin, seconds = end, seconds + length
        return lines


class AllTalk:
    """Version 1 or 2, streaming or not."""

    def __init__(
        self, version: int = 2, *, streaming: bool = True, make: Callable[[str], bytes] = speech
    ) -> None:
        self.version, self.streaming, self.make = version, streaming, make
        self.faults: list[Fault | None] = []
        self.ready = "Ready"
        self.files: dict[str, bytes] = {}
        self.running = self.most_running = 0

    async def __call__(self, x: Exchange) -> None:
        self.running += 1
        self.most_running = max(self.most_running, self.running if x.path.startswith("/api/tts") else 0)
        try:
            await self._answer(x)
        finally:
            self.running -= 1

    async def _answer(self, x: Exchange) -> None:
        if x.path == "/api/ready":
            return await x.answer(self.ready.encode(), kind="text/plain")
        if x.path == "/api/reload":
            self.ready = "Ready"
            return await x.json({"status": "model-success"})
        if x.path == "/api/voices":
            status = {"status": "success"} if self.version == 2 else {}
            return await x.json({**status, "voices": ["female_01.wav", "male_01.wav"]})
        if x.path == "/api/currentsettings" and self.version == 2:
            return await x.json({"streaming_capable": self.streaming, "current_engine_loaded": "xtts"})
        if x.path == "/api/stop-generation":
            return await x.json({"message": "Generation stopped"})
        if x.path.startswith("/audio/"):
            return await x.answer(self.files[x.path], kind="audio/wav", pieces=4)
        await self._speak(x)

    async def _speak(self, x: Exchange) -> None:
        asked = (
            x.query
            if x.method == "GET"
            else x.form()
            if "form" in x.headers["content-type"]
            else x.json_body()
        )
        text = asked.get("text") or asked.get("text_input") or asked["input"]
        if len(text) > 2000:
            return await x.json({"error": "text_input too long"}, 400)
        pcm = self.make(text)
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            return await fault(x, pcm)
        if x.path == "/api/tts-generate":
            path = f"/audio/{asked['output_file_name']}.wav"
            self.files[path] = wav(pcm, 22_050)
            host = "" if self.version == 2 else "http://127.0.0.1:7851"
            return await x.json({"status": "generate-success", "output_file_url": host + path})
        size = 0 if x.path.endswith("streaming") else None
        await x.answer(wav(pcm, size=size), kind="audio/wav", pieces=8)


@contextlib.asynccontextmanager
async def running(handler: Handler) -> AsyncIterator[Upstream]:
    async with Upstream(handler) as upstream:
        yield upstream
