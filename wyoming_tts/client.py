"""A client of any Wyoming text-to-speech server: what it offers, and speech as it is made."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator, Mapping
from typing import Any

from wyoming.audio import AudioChunk, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)

from wyoming_tts.errors import (
    BackendError,
    BackendTimeoutError,
    BackendUnavailableError,
    ConfigError,
    WyomingTtsError,
)
from wyoming_tts.types import VoiceQuery


class WyomingTtsClient:
    """Speaks to one server; every call has a connection of its own, so calls may run side by side."""

    def __init__(self, uri: str, *, connect_timeout: float = 5.0, timeout: float = 120.0) -> None:
        """`uri` is tcp://HOST:PORT or unix://PATH, else ConfigError.

        `timeout` is how many seconds the server may be silent while it owes something.
        """
        if uri.startswith("stdio:"):
            raise ConfigError(f"{uri!r} is no server to connect to; use tcp://HOST:PORT or unix://PATH")
        try:
            AsyncClient.from_uri(uri)
        except ValueError as error:
            raise ConfigError(f"{uri!r} is wrong, it should be tcp://HOST:PORT or unix://PATH") from error
        self.uri = uri
        self._connect_timeout = connect_timeout
        self._timeout = timeout

    async def info(self) -> Info:
        """What the server says about itself. Raises WyomingTtsError."""
        async with self._connected() as connection:
            return await self._describe(connection)

    async def speak(
        self,
        text: str | AsyncIterable[str],
        *,
        voice: VoiceQuery | None = None,
        speed: float | None = None,
        text_format: str | None = None,
    ) -> AsyncGenerator[AudioChunk, None]:
        """The speech of `text`, as it arrives; all chunks have one rate, width and number of channels.

        Text that comes as a stream is sent as a stream where the server can take it. `speed`
        goes as `context.speed`, which servers that do not know it ignore. Raises WyomingTtsError,
        also when the connection ends before the speech does.
        """
        options = _options(voice or VoiceQuery(), speed, text_format)
        async with self._connected() as connection:
            if not isinstance(text, str) and not _can_stream(await self._describe(connection)):
                text = "".join([piece async for piece in text])
            end = AudioStop if isinstance(text, str) else SynthesizeStopped
            sender = asyncio.create_task(_send(connection, text, options), name="send text")
            try:
                async with contextlib.aclosing(self._receive(connection, sender, end)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            finally:
                sender.cancel()
                await asyncio.gather(sender, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncClient]:
        connection = AsyncClient.from_uri(self.uri)
        try:
            async with asyncio.timeout(self._connect_timeout):
                await connection.connect()
        except TimeoutError as error:
            raise BackendTimeoutError(
                f"no connection to {self.uri} within {self._connect_timeout:g} s"
            ) from error
        except OSError as error:
            raise BackendUnavailableError(
                f"no connection to {self.uri}: {error.strerror or error}"
            ) from error
        try:
            yield connection
        finally:
            with contextlib.suppress(OSError):  # it is broken already, or takes no more text
                async with asyncio.timeout(1.0):
                    await connection.disconnect()

    async def _describe(self, connection: AsyncClient) -> Info:
        with _strangers_errors(self.uri):
            await connection.write_event(Describe().event())
            while True:
                async with asyncio.timeout(self._timeout):
                    event = self._checked(await connection.read_event())
                if Info.is_type(event.type):
                    return Info.from_event(event)

    async def _receive(
        self, connection: AsyncClient, sender: asyncio.Task[None], end: type[AudioStop | SynthesizeStopped]
    ) -> AsyncGenerator[AudioChunk, None]:
        first: AudioChunk | None = None
        while True:
            event = self._checked(await self._read(connection, sender))
            if end.is_type(event.type):
                return
            if not AudioChunk.is_type(event.type):
                continue
            with _strangers_errors(self.uri):
                chunk = AudioChunk.from_event(event)
            first = first or chunk
            if (chunk.rate, chunk.width, chunk.channels) != (first.rate, first.width, first.channels):
                raise BackendError(f"{self.uri} changed the audio format in the middle")
            yield chunk

    async def _read(self, connection: AsyncClient, sender: asyncio.Task[None]) -> Event | None:
        """The next event; the clock runs only once all text is sent, as the text may be slow to come."""
        reading = asyncio.ensure_future(connection.read_event())
        try:
            if not sender.done():
                await asyncio.wait((reading, sender), return_when=asyncio.FIRST_COMPLETED)
            if not reading.done() and _broke_off(sender):
                sender.result()
            with _strangers_errors(self.uri):
                async with asyncio.timeout(self._timeout):
                    return await reading
        finally:
            reading.cancel()

    def _checked(self, event: Event | None) -> Event:
        if event is None:
            raise BackendError(f"{self.uri} closed the connection before the end")
        if Error.is_type(event.type):
            raise error_from_event(event)
        return event


def error_from_event(event: Event) -> WyomingTtsError:
    """Our error for a server's `error` event: the class that has its code, else BackendError."""
    text = str(event.data.get("text") or "the server failed without saying why")
    code = event.data.get("code")
    kind = next((kind for kind in _descendants(WyomingTtsError) if kind.code == code), None)
    if kind is not None:
        return kind(text)
    return BackendError(f"{text} (code: {code})" if code else text)


def _descendants(kind: type[WyomingTtsError]) -> Iterator[type[WyomingTtsError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _descendants(child)


@contextlib.contextmanager
def _strangers_errors(uri: str) -> Iterator[None]:
    """Turn what goes wrong on the wire into our errors."""
    try:
        yield
    except TimeoutError as error:
        raise BackendTimeoutError(f"no answer from {uri} in time") from error
    except (OSError, EOFError) as error:
        raise BackendError(f"the connection to {uri} broke: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BackendError(f"{uri} does not answer as a Wyoming server") from error


def _can_stream(info: Info) -> bool:
    program = next((program for program in info.tts if program.installed), None)
    return program is not None and program.supports_synthesize_streaming


def _options(voice: VoiceQuery, speed: float | None, text_format: str | None) -> Mapping[str, Any]:
    wanted = SynthesizeVoice(name=voice.name, language=voice.language, speaker=voice.speaker)
    return {
        "voice": wanted if wanted.to_dict() else None,
        "text_format": text_format,
        "context": None if speed is None else {"speed": speed},
    }


async def _send(connection: AsyncClient, text: str | AsyncIterable[str], options: Mapping[str, Any]) -> None:
    if isinstance(text, str):
        await connection.write_event(Synthesize(text=text, **options).event())
        return
    await connection.write_event(SynthesizeStart(**options).event())
    async for piece in text:
        await connection.write_event(SynthesizeChunk(text=piece).event())
    await connection.write_event(SynthesizeStop().event())


def _broke_off(sender: asyncio.Task[None]) -> bool:
    """Whether the source of the text failed; what the wire did to the sender shows on the reading side."""
    error = sender.exception() if sender.done() and not sender.cancelled() else None
    return error is not None and not isinstance(error, OSError)
