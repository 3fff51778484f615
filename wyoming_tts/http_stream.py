"""Speech for one HTTP request: what was asked for, chunk by chunk, and the answer that carries it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from wyoming_tts.audio import louder
from wyoming_tts.encoding import FORMATS, WITHOUT_CODEC, encoder, output_rate
from wyoming_tts.errors import InvalidTextError, TextTooLongError, WyomingTtsError
from wyoming_tts.http_site import Site
from wyoming_tts.logs import StreamReport
from wyoming_tts.pipeline import ANY_VOICE, at_once
from wyoming_tts.pipeline_stream import Observer
from wyoming_tts.stretch import TimeStretch
from wyoming_tts.types import MAX_SPEED, MIN_SPEED, AudioChunk, Progress, Samples, VoiceQuery, WordTiming

_LOGGER = logging.getLogger(__name__)

T = TypeVar("T")

Responses = dict[int | str, dict[str, Any]]
"""What a route answers with, for the OpenAPI document."""

FILE: Responses = {
    200: {"description": "The file", "content": {one.media_type: {} for one in FORMATS.values()}}
}
"""Speech in any format."""

WHOLE_TEXT = 20_000
"""Most characters of a text that is answered as a whole: its samples, 130 MB, wait in memory until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a request wants to hear."""

    text: str
    """As the client wrote it."""

    voice: VoiceQuery = ANY_VOICE
    """Who is asked for."""

    speed: float | None = None
    """Pace, 0.25 to 4; None leaves it to the server."""

    volume: float = 1.0
    """Factor of the amplitude."""

    text_format: str = "text"
    """`text` or `ssml`."""

    normalise: bool = True
    """Whether numbers, units and the like are read out as a person would."""

    instructions: str = ""
    """How to speak, for backends that can be told."""

    def check(self, most: int, advice: str = "") -> None:
        """Raises InvalidTextError for an empty text and TextTooLongError for one of more than `most`."""
        if not self.text.strip():
            raise InvalidTextError("The text is empty; send what is to be spoken.")
        if len(self.text) > most:
            raise TextTooLongError(
                f"A text may have at most {most} characters; this has {len(self.text)}{advice}."
            )


class Speech:
    """The speech of one request: an async iterator over its chunks that must be closed."""

    def __init__(
        self, site: Site, wanted: Wanted, on_progress: Observer | None = None, *, caller: str | None = None
    ) -> None:
        """Speaks nothing yet. `on_progress` gets the `Progress` of this stream; `caller` is for the log."""
        self._site, self._wanted, self._observer = site, wanted, on_progress
        self._caller = caller
        self.rate = site.pipeline.format.rate
        """Samples per second."""
        self.samples = 0
        """Handed out so far."""
        self._working = 0.0  # seconds of waiting for the pipeline, and not for the client
        self._chunks = self._spoken()
        self._progress: Progress | None = None

    @property
    def seconds(self) -> float:
        """Handed out so far."""
        return self.samples / self.rate

    async def first(self) -> AudioChunk:
        """The first chunk: what fails before it can still be said in a status. Raises WyomingTtsError."""
        try:
            return await anext(self._chunks)
        except BaseException:
            await self.close()
            raise

    async def whole(self) -> tuple[list[Samples], list[WordTiming]]:
        """All of it, once it is spoken; of a text that is not too long for that. Raises WyomingTtsError."""
        self._wanted.check(min(WHOLE_TEXT, self._site.settings.max_text), "; a longer one can be streamed")
        samples: list[Samples] = []
        words: list[WordTiming] = []
        async with contextlib.aclosing(self._chunks) as chunks:
            async for chunk in chunks:
                samples.append(chunk.samples)
                words += chunk.words
        return samples, words

    def __aiter__(self) -> AsyncIterator[AudioChunk]:
        return self._chunks

    async def close(self) -> None:
        """Stop; nothing of it goes on."""
        await self._chunks.aclose()

    async def _spoken(self) -> AsyncGenerator[AudioChunk, None]:
        wanted = self._wanted
        wanted.check(self._site.settings.max_text)
        began, outcome, first = time.monotonic(), "Stopped", None
        asked = began
        try:
            with self._site.gate.entered():
                async with contextlib.aclosing(self._stretched()) as chunks:
                    async for chunk in chunks:
                        self._working += time.monotonic() - asked
                        first = first or time.monotonic() - began
                        self.samples += len(chunk.samples)
                        yield louder(chunk, wanted.volume)
                        asked = time.monotonic()
            outcome = "Spoken"
        finally:
            self._log(outcome, first, time.monotonic() - began)

    async def _stretched(self) -> AsyncGenerator[AudioChunk, None]:
        """At a pace that no model has: the rest of it is made of the model's audio."""
        wanted = self._wanted
        pace = None if wanted.speed is None else min(MAX_SPEED, max(MIN_SPEED, wanted.speed))
        tempo = 1.0 if pace is None or wanted.speed is None else wanted.speed / pace
        stretch = TimeStretch(self.rate, tempo)
        chunks = self._site.pipeline.synthesize(
            at_once(wanted.text),
            voice=wanted.voice,
            speed=pace,
            text_format=wanted.text_format,
            on_progress=self._note,
            normalise=wanted.normalise,
            options={"instructions": wanted.instructions} if wanted.instructions else None,
        )
        async with contextlib.aclosing(chunks):
            async for chunk in chunks:
                samples = stretch.feed(chunk.samples)
                if len(samples) or chunk.words:
                    words = tuple(_sooner(word, tempo) for word in chunk.words)
                    yield dataclasses.replace(chunk, samples=samples, words=words)
        if len(rest := stretch.finish()):
            yield AudioChunk(rest, self._site.pipeline.format)

    def _note(self, progress: Progress) -> None:
        self._progress = progress
        if self._observer is not None:
            self._observer(progress)

    def _log(self, outcome: str, first: float | None, seconds: float) -> None:
        voice = self._wanted.voice
        asked = (voice.name or voice.language or "default")[:80]
        backend = (self._progress.backend if self._progress else "") or None
        report = StreamReport(
            outcome=outcome.lower(),
            transport="http",
            voice=asked,
            backend=backend,
            characters=len(self._wanted.text),
            first_audio_seconds=first,
            audio_seconds=self.seconds,
            working_seconds=self._working,
            caller=self._caller,
        )
        _LOGGER.info(
            "%s over HTTP%s: voice %s%s, %d characters, first audio after %s s, %.2f s of audio in %.2f s",
            outcome,
            f" for {self._caller}" if self._caller else "",
            ascii(asked),
            f" by {backend}" if backend else "",
            len(self._wanted.text),
            "-" if first is None else f"{first:.3f}",
            self.seconds,
            seconds,
            extra=report.extra(),
        )


def _sooner(word: WordTiming, tempo: float) -> WordTiming:
    return dataclasses.replace(word, start=word.start / tempo, end=word.end / tempo)


def caller_of(request: Request) -> str | None:
    """Whose key a request brought, where keys are asked for."""
    return getattr(request.state, "caller", None)


def check_format(site: Site, name: str, rate: int | None) -> None:
    """Say what is wrong with a format before anybody works. Raises UnsupportedFormatError."""
    output_rate(name, site.pipeline.format.rate, rate)


def whole_file(pieces: Sequence[Samples], rate: int, name: str, sample_rate: int | None = None) -> bytes:
    """Samples that are all there as a file, whose header says how long it is."""
    coder = encoder(name, rate, sample_rate, seconds=sum(map(len, pieces)) / rate)
    try:
        return b"".join([*map(coder.feed, pieces), coder.finish()])
    finally:
        coder.close()


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """The result of some work, which is stopped when the client leaves. Raises ClientDisconnect then."""
    working = asyncio.create_task(work, name="http speech")
    leaving = asyncio.create_task(_gone(receive), name="http client")
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientDisconnect
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def encoded(
    speech: Speech, first: AudioChunk, name: str, sample_rate: int | None
) -> AsyncGenerator[bytes, None]:
    """The bytes of a file as they come, for speech whose first chunk is there already."""
    async with contextlib.aclosing(coded(speech, first, name, sample_rate)) as pieces:
        async for data, _ in pieces:
            if data:
                yield data


async def coded(
    speech: Speech, first: AudioChunk, name: str, sample_rate: int | None
) -> AsyncGenerator[tuple[bytes, Sequence[WordTiming]], None]:
    """The same with the words of each chunk; the bytes of one may come with the next."""
    coder = encoder(name, speech.rate, sample_rate)
    apart = name not in WITHOUT_CODEC
    try:
        yield await _coded(coder.feed, first.samples, apart), first.words
        async for chunk in speech:
            yield await _coded(coder.feed, chunk.samples, apart), chunk.words
        if data := coder.finish():
            yield data, ()
    finally:
        coder.close()
        await speech.close()


async def _coded(feed: Callable[[Samples], bytes], samples: Samples, apart: bool) -> bytes:
    """Encode in a thread what takes long enough for others to notice."""
    return await asyncio.to_thread(feed, samples) if apart else feed(samples)


class StreamedAnswer(Response):
    """An answer whose body comes piece by piece: it ends when the client leaves, and breaks when it fails.

    A body that failed is not ended quietly: the connection is closed in the middle, which every client
    takes for what it is.
    """

    def __init__(
        self,
        speech: Speech,
        body: AsyncGenerator[bytes, None],
        media_type: str,
        *,
        headers: Mapping[str, str] | None = None,
        write_seconds: float = 60.0,
    ) -> None:
        """The body, made of the speech, is closed in any case, and so is the speech, if nobody has begun."""
        super().__init__(None, 200, headers, media_type)
        del self.headers["content-length"]
        self._speech, self._body, self._write_seconds = speech, body, write_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        try:
            await unless_gone(receive, self._send(send))
        except ClientDisconnect:
            pass
        except Exception as error:  # whatever it is, an answer that has begun can only break off
            _tell(error)
        finally:
            await self._body.aclose()
            await self._speech.close()  # a generator that nobody has asked for anything closes nothing

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for data in self._body:
            async with asyncio.timeout(self._write_seconds):
                await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _tell(error: Exception) -> None:
    if isinstance(error, WyomingTtsError):
        _LOGGER.warning("Speech over HTTP broke off (%s): %.300s", error.code, error)
    elif isinstance(error, TimeoutError):
        _LOGGER.warning("An HTTP client took nothing of its speech for too long")
    else:
        _LOGGER.error("Speech over HTTP broke off unexpectedly", exc_info=error)
