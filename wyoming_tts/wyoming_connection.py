"""One client of the Wyoming server: its events in, its audio out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wyoming.error import Error
from wyoming.event import Event
from wyoming.ping import Ping, Pong

from wyoming_tts.access import AllowList
from wyoming_tts.errors import InvalidTextError, ProtocolError, RequestError, ServerBusyError, WyomingTtsError
from wyoming_tts.wire import FrameReader, FrameWriter, HungUpError, Limits, encode
from wyoming_tts.wyoming_info import InfoFrame
from wyoming_tts.wyoming_stream import (
    Stream,
    StreamText,
    speak,
    speed_of,
    text_format_of,
    text_of,
    voice_query_of,
)

if TYPE_CHECKING:
    from wyoming_tts.pipeline import Pipeline

_LOGGER = logging.getLogger(__name__)

_LINGER_SECONDS = 2.0
"""How long a client has for reading its `error` before the connection is taken from it."""

_CANCEL_SECONDS = 0.5
"""How long a cancelled task has before it is cancelled again."""

_MESSAGE_CHARACTERS = 1000
"""An error's text is for people; what it quotes of a request must not make it a load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WyomingSettings:
    """How the server treats its clients."""

    limits: Limits = field(default_factory=Limits)
    """What a client may send."""

    streaming: bool = True
    """Speak while text still arrives; otherwise streamed text is spoken when it is complete."""

    samples_per_chunk: int = 1024
    """Samples in one `audio-chunk`."""

    max_text_characters: int = 100_000
    """Longest text of a stream, and most text that waits on one connection."""

    max_queued: int = 16
    """Requests that may wait on one connection, the one being spoken included."""

    allow: AllowList = field(default_factory=AllowList)
    """Addresses that are let in."""

    max_connections: int = 64
    """Clients at once: Home Assistant takes one for each request and one for its poll."""

    write_seconds: float = 60.0
    """How long a client may read nothing while audio waits for it."""

    write_buffer_bytes: int = 64 * 1024
    """Audio that waits in memory for a slow client, beside what the system buffers."""


class Connection:
    """One client: reading never stops while speaking; requests are spoken one after the other."""

    def __init__(
        self,
        pipeline: Pipeline,
        info: InfoFrame,
        settings: WyomingSettings,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        finish_on_eof: bool = False,
    ) -> None:
        """`finish_on_eof`: the end of input ends the requests, not the listening (a pipe has no hang-up)."""
        self._pipeline = pipeline
        self._info = info
        self._settings = settings
        self._reader = reader
        self._frames = FrameReader(reader, settings.limits, self._busy)
        self._writer = FrameWriter(
            writer, write_seconds=settings.write_seconds, buffer_bytes=settings.write_buffer_bytes
        )
        self._finish_on_eof = finish_on_eof
        self._finishing = False
        self._open: Stream | None = None
        self._unspoken: list[Stream] = []
        self._queue: asyncio.Queue[Stream | None] = asyncio.Queue()
        self._handlers: dict[str, Callable[[Event], bytes | None]] = {
            "describe": lambda event: self._info.frame(),
            "ping": self._on_ping,
            "select-program": self._on_select_program,
            "synthesize": self._on_synthesize,
            "synthesize-start": self._on_start,
            "synthesize-chunk": self._on_chunk,
            "synthesize-stop": self._on_stop,
        }

    async def run(self) -> None:
        """Serve until the client leaves, makes a mistake, or `finish` was called and all is spoken."""
        try:
            await self._converse()
        except HungUpError as error:
            _LOGGER.debug("Client gone: %s", error)
        except asyncio.CancelledError:
            self._writer.abort()
            raise
        except Exception as error:  # what failed for this client must not fail for others
            await self._end_with(error)
        finally:
            await self._writer.close()

    async def refuse(self, error: WyomingTtsError) -> None:
        """Say why this client is not served, and close."""
        await self._end_with(error)
        await self._writer.close()

    def finish(self) -> None:
        """Close when what was asked for so far is spoken."""
        if not self._finishing:
            self._finishing = True
            self._queue.put_nowait(None)

    async def _converse(self) -> None:
        reading = asyncio.create_task(self._read_all(), name="wyoming read")
        speaking = asyncio.create_task(self._speak_all(), name="wyoming speak")
        try:
            done, _ = await asyncio.wait((reading, speaking), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if self._finish_on_eof and self._open is None:
                self.finish()
                await speaking
        finally:
            await _end(reading, speaking)

    async def _end_with(self, error: Exception) -> None:
        frame = encode(wire_error(error).event())
        with contextlib.suppress(HungUpError):
            await self._writer.send(frame)
            await self._writer.linger(self._reader, _LINGER_SECONDS)

    def _busy(self) -> bool:
        """Whether the client is waiting for us, and not we for it."""
        return any(stream.text.finished for stream in self._unspoken)

    async def _read_all(self) -> None:
        while await self._handle(await self._frames.read()):
            pass

    async def _handle(self, event: Event | None) -> bool:
        """Act on one event; False at the end of input."""
        if event is None:
            return False
        handler = self._handlers.get(event.type)
        if handler is None:
            _LOGGER.debug("Ignored an event of type %.40r", event.type)
        elif (reply := handler(event)) is not None:
            await self._writer.reply(reply)
        await asyncio.sleep(0)  # a flood of frames is read without waiting: let others run too
        return True

    def _on_ping(self, event: Event) -> bytes:
        text = event.data.get("text")
        if text is not None and not isinstance(text, str):
            raise InvalidTextError(f'The "text" of {Ping().event().type} must be a string or null.')
        return encode(Pong(text).event())

    def _on_select_program(self, event: Event) -> None:
        programs = self._info.programs()
        if event.data.get("name") not in programs:
            raise RequestError(f"There is no such program; this server has {', '.join(programs)}.")

    def _on_synthesize(self, event: Event) -> None:
        if self._open is not None:
            return  # sent for servers that do not stream: this text has come in pieces
        stream = self._stream(event, streamed=False)
        self._add(stream, event)
        stream.text.finish()
        self._enqueue(stream)

    def _on_start(self, event: Event) -> None:
        if self._open is not None:
            raise ProtocolError("synthesize-start came twice; end a stream with synthesize-stop.")
        stream = self._stream(event, streamed=True)
        self._enqueue(stream)
        self._open = stream

    def _on_chunk(self, event: Event) -> None:
        self._add(self._opened(event), event)

    def _on_stop(self, event: Event) -> None:
        self._opened(event).text.finish()
        self._open = None

    def _opened(self, event: Event) -> Stream:
        if self._open is None:
            raise ProtocolError(f"{event.type} came without a synthesize-start before it.")
        return self._open

    def _stream(self, event: Event, *, streamed: bool) -> Stream:
        text = StreamText(self._settings.max_text_characters, hold=not self._settings.streaming)
        return Stream(
            text=text,
            voice=voice_query_of(event),
            text_format=text_format_of(event),
            speed=speed_of(event),
            streamed=streamed,
        )

    def _add(self, stream: Stream, event: Event) -> None:
        text = text_of(event)
        stream.text.add(text)
        waiting = sum(other.text.waiting for other in self._unspoken if other is not stream)
        if waiting + stream.text.waiting > self._settings.max_text_characters:
            raise ServerBusyError("Too much text is waiting on this connection; wait for its audio.")

    def _enqueue(self, stream: Stream) -> None:
        if len(self._unspoken) >= self._settings.max_queued:
            raise ServerBusyError(f"{len(self._unspoken)} requests are waiting; wait for their audio.")
        self._unspoken.append(stream)
        self._queue.put_nowait(stream)

    async def _speak_all(self) -> None:
        while (stream := await self._queue.get()) is not None:
            await speak(self._pipeline, stream, self._writer, self._settings.samples_per_chunk)
            self._unspoken.remove(stream)


async def _end(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks until they have ended, and hear their exceptions; the first one was told already.

    Once is not always enough: up to Python 3.11, `asyncio.wait_for` swallows a cancellation that comes
    at the moment of its result.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCEL_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)


def wire_error(error: Exception) -> Error:
    """What a client is told about an error, and the one place where errors are logged."""
    if not isinstance(error, WyomingTtsError):
        _LOGGER.error("A client's request failed unexpectedly", exc_info=error)
        return Error("The server failed unexpectedly; its log says more.", WyomingTtsError.code)
    _LOGGER.warning("A client got an error (%s): %.300s", error.code, error)
    return Error((str(error) or type(error).__name__)[:_MESSAGE_CHARACTERS], error.code)
