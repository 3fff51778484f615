"""One stream: what a client asked to be spoken, and speaking it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wyoming.audio import AudioChunk as WyomingChunk
from wyoming.audio import AudioStart, AudioStop
from wyoming.event import Event
from wyoming.tts import SynthesizeStopped, SynthesizeTextFormat

from wyoming_tts.audio import to_s16
from wyoming_tts.errors import (
    InvalidTextError,
    RequestError,
    SynthesisError,
    TextTooLongError,
    UnsupportedFormatError,
)
from wyoming_tts.logs import StreamReport
from wyoming_tts.types import MAX_SPEED, MIN_SPEED, AudioChunk, AudioFormat, VoiceQuery
from wyoming_tts.wire import FrameWriter, encode

if TYPE_CHECKING:
    from wyoming_tts.pipeline import Pipeline

_LOGGER = logging.getLogger(__name__)

_WIDTH = 2
"""Bytes of a sample on the wire."""

_NAME_CHARACTERS = 200
"""No voice has a longer name; looking for near matches of a long one takes time."""


class StreamText:
    """The text of one stream while it arrives: an async iterator over what is there, with a bound."""

    def __init__(self, max_characters: int, *, hold: bool = False) -> None:
        """`hold` gives nothing out before the end of the text."""
        self._max = max_characters
        self._hold = hold
        self._pieces: deque[str] = deque()
        self._ready = asyncio.Event()
        self.characters = 0
        """All that has arrived so far."""
        self.waiting = 0
        """What has arrived and was not taken yet."""
        self.finished = False
        """Whether all of the text has arrived."""
        self.began = time.monotonic()
        """Clock reading at the first text; at the stream's start before it."""

    def add(self, piece: str) -> None:
        """Append text. Raises TextTooLongError."""
        if self.characters + len(piece) > self._max:
            raise TextTooLongError(
                f"A stream may have at most {self._max} characters; send less, or several."
            )
        if not piece:
            return
        if not self.characters:
            self.began = time.monotonic()
        self._pieces.append(piece)
        self.characters += len(piece)
        self.waiting += len(piece)
        if not self._hold:
            self._ready.set()

    def finish(self) -> None:
        """Say that no more text comes."""
        self.finished = True
        self._ready.set()

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        await self._ready.wait()
        if not self._pieces:
            raise StopAsyncIteration
        text = "".join(self._pieces)
        self._pieces.clear()
        self.waiting = 0
        if not self.finished:
            self._ready.clear()
        return text


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Stream:
    """What a client asked for."""

    text: StreamText
    """The text, perhaps still arriving."""

    voice: VoiceQuery
    """Who was asked for."""

    text_format: str
    """`text` or `ssml`."""

    speed: float | None
    """Pace that was asked for; None leaves it to the server."""

    streamed: bool
    """Whether the text came in pieces, so that `synthesize-stopped` is due at the end."""


def text_of(event: Event) -> str:
    """The `text` of an event. Raises InvalidTextError."""
    text = event.data.get("text")
    if not isinstance(text, str):
        state = "is missing" if text is None else "is not a string"
        raise InvalidTextError(f'{event.type} needs a string "text", which {state}.')
    return text


def text_format_of(event: Event) -> str:
    """`text` or `ssml`. Raises UnsupportedFormatError."""
    offered = [text_format.value for text_format in SynthesizeTextFormat]
    text_format = event.data.get("text_format")
    if text_format is None:
        return SynthesizeTextFormat.TEXT.value
    if not isinstance(text_format, str) or text_format not in offered:
        raise UnsupportedFormatError(f'"text_format" must be one of {", ".join(offered)}.')
    return text_format


def voice_query_of(event: Event) -> VoiceQuery:
    """Which voice an event asks for; null and empty mean that it asks for none. Raises RequestError."""
    voice = event.data.get("voice")
    if voice is None:
        voice = {}
    if not isinstance(voice, dict):
        raise RequestError('"voice" must be an object such as {"name": "af_heart"}.')
    return VoiceQuery(**{key: _voice_field(voice, key) for key in ("name", "language", "speaker")})


def _voice_field(voice: dict[str, Any], key: str) -> str | None:
    value = voice.get(key)
    if value is not None and not isinstance(value, str):
        raise RequestError(f'The "{key}" of a voice must be a string or null.')
    if value is not None and len(value) > _NAME_CHARACTERS:
        raise RequestError(f'The "{key}" of a voice has at most {_NAME_CHARACTERS} characters.')
    return value or None


def speed_of(event: Event) -> float | None:
    """The `speed` of an event's `context`, if any; its other keys are not ours. Raises RequestError."""
    context = event.data.get("context")
    if context is not None and not isinstance(context, dict):
        raise RequestError('"context" must be an object such as {"speed": 1.2}.')
    speed = (context or {}).get("speed")
    if speed is None:
        return None
    if type(speed) not in (int, float) or not MIN_SPEED <= speed <= MAX_SPEED:  # a bool would pass for an int
        raise RequestError(f'The "speed" of a context must be a number from {MIN_SPEED} to {MAX_SPEED}.')
    return float(speed)


class AudioSender:
    """Cuts the audio of one stream into `audio-chunk` events, with `audio-start` before the first."""

    def __init__(self, writer: FrameWriter, samples_per_chunk: int) -> None:
        """Chunks have `samples_per_chunk` samples, and less where the audio at hand ends."""
        self._writer = writer
        self._size = samples_per_chunk
        self._format: AudioFormat | None = None
        self._sent = 0

    @property
    def seconds(self) -> float:
        """Audio sent so far."""
        return self._sent / self._format.rate if self._format else 0.0

    async def send(self, chunk: AudioChunk) -> None:
        """Send all of a chunk. Raises HungUpError, and SynthesisError when the format has changed."""
        if not len(chunk.samples):
            return
        if self._format is None:
            self._format = chunk.format
            await self._event(
                AudioStart(chunk.format.rate, _WIDTH, chunk.format.channels, timestamp=0).event()
            )
        if chunk.format != self._format:
            raise SynthesisError(f"The audio changed from {self._format} to {chunk.format} within a stream.")
        for start in range(0, len(chunk.samples), self._size):
            piece = chunk.samples[start : start + self._size]
            await self._event(self._chunk_event(chunk.format, to_s16(piece)))
            self._sent += len(piece)

    async def stop(self) -> None:
        """Send `audio-stop`. Raises SynthesisError when nothing was sent: that would be no audio file."""
        if self._format is None:
            raise SynthesisError("The voice made no audio of this text.")
        await self._event(AudioStop(timestamp=self._milliseconds()).event())

    def _chunk_event(self, format_: AudioFormat, audio: bytes) -> Event:
        return WyomingChunk(
            format_.rate, _WIDTH, format_.channels, audio, timestamp=self._milliseconds()
        ).event()

    def _milliseconds(self) -> int:
        return round(1000 * self.seconds)

    async def _event(self, event: Event) -> None:
        await self._writer.send(encode(event))


class _Meter:
    """Measures one stream, for the log."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.first_audio: float | None = None
        """Seconds from the first text to the first audio."""
        self.working = 0.0
        """Seconds spent waiting for the pipeline, and not for the client."""
        self.backends: dict[str, None] = {}
        """Who spoke, in order."""

    async def watch(self, chunks: AsyncIterator[AudioChunk]) -> AsyncGenerator[AudioChunk, None]:
        """Pass the chunks on."""
        asked = time.monotonic()
        async for chunk in chunks:
            now = time.monotonic()
            self.working += now - asked
            if chunk.backend:
                self.backends[chunk.backend] = None
            if self.first_audio is None:
                self.first_audio = now - self._stream.text.began
            yield chunk
            asked = time.monotonic()

    def report(self, outcome: str, seconds: float) -> None:
        """Write the stream's one line of log."""
        voice = self._stream.voice
        wanted = voice.name or voice.language or "default"
        report = StreamReport(
            outcome=outcome.lower(),
            transport="wyoming",
            voice=wanted,
            backend=",".join(self.backends) or None,
            characters=self._stream.text.characters,
            first_audio_seconds=self.first_audio,
            audio_seconds=seconds,
            working_seconds=self.working,
        )
        _LOGGER.info(
            "%s: voice %s%s, %d characters, first audio after %s s, %.2f s of audio, real-time factor %s",
            outcome,
            ascii(wanted),
            f" by {' and '.join(self.backends)}" if self.backends else "",
            self._stream.text.characters,
            "-" if self.first_audio is None else f"{self.first_audio:.3f}",
            seconds,
            f"{self.working / seconds:.3f}" if seconds else "-",
            extra=report.extra(),
        )


async def speak(pipeline: Pipeline, stream: Stream, writer: FrameWriter, samples_per_chunk: int) -> None:
    """Send a stream's audio and its end marks, or raise: after an error there is no end mark.

    Cancelling it closes the pipeline's iterator at once.
    """
    sender, meter = AudioSender(writer, samples_per_chunk), _Meter(stream)
    outcome = "Stopped"
    try:
        chunks = pipeline.synthesize(
            stream.text, voice=stream.voice, speed=stream.speed, text_format=stream.text_format
        )
        async with contextlib.aclosing(chunks), contextlib.aclosing(meter.watch(chunks)) as watched:
            async for chunk in watched:
                await sender.send(chunk)
        await sender.stop()
        if stream.streamed:
            await writer.send(encode(SynthesizeStopped().event()))
        outcome = "Spoken"
    finally:
        meter.report(outcome, sender.seconds)
