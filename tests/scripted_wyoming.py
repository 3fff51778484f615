"""A Wyoming server on loopback that answers as a test scripts it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import Attribution, Info, TtsProgram, TtsVoice
from wyoming.server import AsyncEventHandler, AsyncServer

CLOSE = object()
"""In a script: hang up."""

Script = Mapping[str, Sequence[Event | bytes | object]]
"""What to send for each type of event; bytes go out as they are."""

RATE = 24_000


def tone(samples: int = 240, rate: int = RATE) -> Event:
    return AudioChunk(rate=rate, width=2, channels=1, audio=b"\x01\x02" * samples).event()


def start() -> Event:
    return AudioStart(rate=RATE, width=2, channels=1).event()


def stop() -> Event:
    return AudioStop().event()


def voice(name: str, language: str, description: str) -> TtsVoice:
    return TtsVoice(
        name=name,
        languages=[language],
        description=description,
        attribution=Attribution(name="Test", url="https://example.org"),
        installed=True,
        version="1",
    )


def info(*, streaming: bool = True, installed: bool = True) -> Event:
    program = TtsProgram(
        name="scripted",
        description="A scripted server",
        attribution=Attribution(name="Test", url="https://example.org"),
        installed=installed,
        version="1.2.3",
        voices=[
            voice("af_heart", "en-US", "Heart, US English, female"),
            voice("bf_emma", "en-GB", "Emma, British English, female"),
            voice("pf_dora", "pt-BR", "Dora, Brazilian Portuguese, female"),
        ],
        supports_synthesize_streaming=streaming,
    )
    return Info(tts=[program]).event()


class ScriptedServer:
    """What a test knows of a running server."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.received: list[Event] = []
        self.hung_up = asyncio.Event()

    def types(self) -> list[str]:
        return [event.type for event in self.received]

    def only(self, kind: str) -> Event:
        (event,) = (event for event in self.received if event.type == kind)
        return event


class _Handler(AsyncEventHandler):
    def __init__(self, server: ScriptedServer, script: Script, *streams) -> None:
        super().__init__(*streams)
        self._server, self._script = server, script

    async def run(self) -> None:
        with contextlib.suppress(ConnectionError):  # the client has left: tests see it by `hung_up`
            await super().run()

    async def handle_event(self, event: Event) -> bool:
        self._server.received.append(event)
        for answer in self._script.get(event.type, ()):
            if answer is CLOSE:
                return False
            if isinstance(answer, bytes):
                self.writer.write(answer)
            elif isinstance(answer, Event):
                await self.write_event(answer)
        return True

    async def disconnect(self) -> None:
        self._server.hung_up.set()


@contextlib.asynccontextmanager
async def scripted(script: Script, socket: Path | None = None) -> AsyncIterator[ScriptedServer]:
    """Run a server on a free port, or on a Unix socket, until the block ends."""
    server = AsyncServer.from_uri(f"unix://{socket}" if socket else "tcp://127.0.0.1:0")
    known = ScriptedServer(f"unix://{socket}")
    await server.start(lambda *streams: _Handler(known, script, *streams))
    listening = server._server  # type: ignore[attr-defined]  # the library tells the port nowhere else
    if socket is None:
        known.uri = f"tcp://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield known
    finally:
        handlers = list(server._handlers)
        await server.stop()
        await asyncio.gather(*handlers, return_exceptions=True)
