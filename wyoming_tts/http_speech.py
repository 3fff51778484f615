"""Speech as OpenAI's API offers it, and this project's own way: `/v1/audio/speech`, `/tts`, `/tts/stream`."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import math
from collections.abc import AsyncGenerator, Collection
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from wyoming_tts.audio import to_s16
from wyoming_tts.encoding import FORMATS, encoder
from wyoming_tts.http_site import Site
from wyoming_tts.http_stream import Speech, StreamedAnswer, Wanted, encoded
from wyoming_tts.types import AudioChunk, Progress, VoiceQuery, WordTiming

FormatName = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]

LOWEST_RATE, HIGHEST_RATE = 8_000, 48_000

KOKORO_LANGUAGES = {
    "a": "en-US", "b": "en-GB", "e": "es", "f": "fr-FR", "h": "hi", "i": "it", "j": "ja", "p": "pt-BR",
    "z": "zh-CN",
}  # fmt: skip
"""Letters that Kokoro's own tools call languages by."""


class VoiceId(BaseModel):
    """A voice as an object, as OpenAI's own voices of one's own are given."""

    id: str = Field(min_length=1, max_length=400)
    """Its name."""


class NormalizationOptions(BaseModel):
    """How a text is read out."""

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True)

    normalize: bool = True
    """Whether numbers, units, times and the like are put into words; markup goes in any case."""


VoiceName = Annotated[str, Field(max_length=400)]


class SpeechRequest(BaseModel):
    """What OpenAI's `POST /v1/audio/speech` takes, and some more."""

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True)

    input: str
    """The text to speak."""

    model: str = Field(default="kokoro", max_length=200)
    """A name of `GET /v1/models`. That of a backend looks for the voice there; others change nothing."""

    voice: VoiceName | VoiceId | None = None
    """A voice, one of OpenAI's names, or a blend such as `af_bella(2)+af_sky(1)`; none is the default one."""

    instructions: str = Field(default="", max_length=4096)
    """How to speak, for backends that can be told."""

    response_format: FormatName = "mp3"
    """Kind of file: `mp3`, `opus` (in Ogg), `aac`, `flac`, `wav`, or `pcm`: 16 bits, mono, no header."""

    speed: float = Field(default=1.0, ge=0.25, le=4.0)
    """Pace; 1 is the voice's own."""

    stream_format: Literal["audio", "sse"] = "audio"
    """The file itself, or events with pieces of it."""

    stream: bool = True
    """Whether bytes leave as soon as they are there; otherwise the answer has a length."""

    lang_code: str | None = Field(default=None, max_length=40)
    """Language tag (`en-GB`, or Kokoro's letter `b`): whose voice speaks where none is named."""

    sample_rate: int | None = Field(default=None, ge=LOWEST_RATE, le=HIGHEST_RATE)
    """Samples per second of the file; none is the voice's own, 24,000."""

    volume: float = Field(
        default=1.0, ge=0, le=4, validation_alias=AliasChoices("volume", "volume_multiplier")
    )
    """Factor of the amplitude."""

    normalization_options: NormalizationOptions = NormalizationOptions()
    """How the text is read out."""

    text_format: Literal["text", "ssml"] = "text"
    """Whether the text is plain (with markdown and the like) or SSML."""

    def wanted(self, known: Collection[str] = ()) -> Wanted:
        """For the pipeline; `known` are the names of voices, which `model` may choose from."""
        asked = query(self.voice, self.lang_code)
        if f"{self.model}/{asked.name}" in known:
            asked = VoiceQuery(name=f"{self.model}/{asked.name}")
        return Wanted(
            text=self.input,
            voice=asked,
            speed=None if self.speed == 1 else self.speed,
            volume=self.volume,
            text_format=self.text_format,
            normalise=self.normalization_options.normalize,
            instructions=self.instructions,
        )


class TtsRequest(BaseModel):
    """What this project's own `POST /tts` takes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    text: str
    """The text to speak."""

    voice: VoiceName | None = None
    """A voice or a blend; none is the default one, or one for the text's language."""

    language: str | None = Field(default=None, max_length=40)
    """Language tag, where no voice is named."""

    speed: float | None = Field(default=None, ge=0.25, le=4.0)
    """Pace; none is the server's."""

    format: FormatName = "wav"
    """Kind of file."""

    sample_rate: int | None = Field(default=None, ge=LOWEST_RATE, le=HIGHEST_RATE)
    """Samples per second of the file."""

    volume: float = Field(default=1.0, ge=0, le=4)
    """Factor of the amplitude."""

    text_format: Literal["text", "ssml"] = "text"
    """Whether the text is plain or SSML."""

    normalise: bool = True
    """Whether numbers, units, times and the like are put into words."""

    def wanted(self) -> Wanted:
        """For the pipeline."""
        return Wanted(
            text=self.text,
            voice=query(self.voice, self.language),
            speed=self.speed,
            volume=self.volume,
            text_format=self.text_format,
            normalise=self.normalise,
        )


class StreamRequest(TtsRequest):
    """What `POST /tts/stream` takes."""

    events: bool = False
    """Answer with server-sent events: audio, words and progress as they come. The audio is PCM then."""


def query(voice: str | VoiceId | None, language: str | None) -> VoiceQuery:
    """Which voice is meant."""
    name = voice.id if isinstance(voice, VoiceId) else voice
    name = (name or "").strip()
    tag = (language or "").strip()
    return VoiceQuery(name=name or None, language=KOKORO_LANGUAGES.get(tag.lower(), tag) or None)


def router(site: Site) -> APIRouter:
    """The routes of speech."""
    routes = APIRouter(tags=["speech"])
    audio = {"content": {one.media_type: {} for one in FORMATS.values()}, "description": "The file"}
    responses: dict[int | str, dict[str, Any]] = {200: audio}

    async def speak(request: SpeechRequest) -> Response:
        wanted = request.wanted({voice.name for voice in site.catalogue.voices()})
        if request.stream_format == "sse":
            return await _events(site, wanted, _openai_events, request.response_format, request.sample_rate)
        return await _file(site, wanted, request.response_format, request.sample_rate, request.stream)

    @routes.post("/v1/audio/speech", responses=responses, response_class=Response)
    async def speech(request: SpeechRequest) -> Response:
        """Speak a text, as OpenAI's API does it."""
        return await speak(request)

    @routes.post("/audio/speech", include_in_schema=False)
    async def speech_without_version(request: SpeechRequest) -> Response:
        """For clients whose base address has no `/v1`."""
        return await speak(request)

    @routes.post("/tts", responses=responses, response_class=Response)
    async def tts(request: TtsRequest) -> Response:
        """Speak a text into one file, which comes when it is complete."""
        return await _file(site, request.wanted(), request.format, request.sample_rate, stream=False)

    @routes.post("/tts/stream", responses=responses, response_class=Response)
    async def tts_stream(request: StreamRequest) -> Response:
        """Speak a text; the file leaves while it is made."""
        if request.events:
            return await _events(site, request.wanted(), _own_events, "pcm", request.sample_rate)
        return await _file(site, request.wanted(), request.format, request.sample_rate, stream=True)

    return routes


async def _file(site: Site, wanted: Wanted, name: str, rate: int | None, stream: bool) -> Response:
    encoder(name, site.pipeline.format.rate, rate).close()  # a wrong rate is said before anybody works
    speech = Speech(site, wanted)
    if not stream:
        return await _complete(speech, name, rate)
    first = await speech.first()
    return StreamedAnswer(
        encoded(speech, first, name, rate),
        FORMATS[name].media_type,
        headers={"Content-Disposition": f'inline; filename="speech.{FORMATS[name].extension}"'},
        write_seconds=site.settings.write_seconds,
    )


async def _complete(speech: Speech, name: str, rate: int | None) -> Response:
    """A file with a length: what is known of it beforehand stands in its header."""
    async with contextlib.aclosing(speech.__aiter__()) as chunks:  # type: ignore[type-var]
        pieces = [chunk.samples async for chunk in chunks]
    data = await asyncio.to_thread(whole_file, pieces, speech.rate, name, rate)
    extension = FORMATS[name].extension
    return Response(
        data,
        media_type=FORMATS[name].media_type,
        headers={"Content-Disposition": f'inline; filename="speech.{extension}"'},
    )


def whole_file(pieces: list[Any], rate: int, name: str, sample_rate: int | None = None) -> bytes:
    """Samples that are all there as a file."""
    coder = encoder(name, rate, sample_rate, seconds=sum(map(len, pieces)) / rate)
    try:
        return b"".join([*map(coder.feed, pieces), coder.finish()])
    finally:
        coder.close()


async def _events(site: Site, wanted: Wanted, write: Any, name: str, rate: int | None) -> Response:
    encoder(name, site.pipeline.format.rate, rate).close()
    latest: list[Progress] = []
    speech = Speech(site, wanted, lambda progress: latest.__setitem__(slice(None), [progress]))
    first = await speech.first()
    body = write(speech, first, name, rate, latest, wanted)
    return StreamedAnswer(
        body,
        "text/event-stream",
        headers={"X-Accel-Buffering": "no"},
        write_seconds=site.settings.write_seconds,
    )


def event(body: Any, name: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(body, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


async def _openai_events(
    speech: Speech, first: AudioChunk, name: str, rate: int | None, latest: list[Progress], wanted: Wanted
) -> AsyncGenerator[bytes, None]:
    async with contextlib.aclosing(encoded(speech, first, name, rate)) as pieces:
        async for data in pieces:
            yield event({"type": "speech.audio.delta", "audio": base64.b64encode(data).decode()})
    usage = usage_of(wanted.text, speech.seconds)
    yield event({"type": "speech.audio.done", "usage": usage})


CHARACTERS_A_TOKEN = 4
AUDIO_TOKENS_A_SECOND = 20
"""What OpenAI's models use about; nothing here has tokens of that kind."""


def usage_of(text: str, seconds: float) -> dict[str, int]:
    """Tokens as OpenAI would about count them."""
    given, made = math.ceil(len(text) / CHARACTERS_A_TOKEN), math.ceil(seconds * AUDIO_TOKENS_A_SECOND)
    return {"input_tokens": given, "output_tokens": made, "total_tokens": given + made}


async def _own_events(
    speech: Speech, first: AudioChunk, name: str, rate: int | None, latest: list[Progress], wanted: Wanted
) -> AsyncGenerator[bytes, None]:
    """`start`, then `audio`, `words` and `progress` in turn, then `done`."""
    try:
        yield event({"rate": speech.rate, "channels": 1, "width": 2}, "start")
        for event_ in _chunk_events(first, latest):
            yield event_
        async for chunk in speech:
            for event_ in _chunk_events(chunk, latest):
                yield event_
        for progress in latest:
            yield event(progress_body(progress), "progress")
        yield event({"seconds": speech.seconds}, "done")
    finally:
        await speech.close()


def _chunk_events(chunk: AudioChunk, latest: list[Progress]) -> list[bytes]:
    found = []
    if chunk.words:
        found.append(event([word_body(word) for word in chunk.words], "words"))
    if len(chunk.samples):
        found.append(event(base64.b64encode(to_s16(chunk.samples)).decode(), "audio"))
    found += [event(progress_body(progress), "progress") for progress in latest]
    return found


def word_body(word: WordTiming) -> dict[str, Any]:
    """A word as JSON: seconds, and offsets in the text that was sent."""
    return {
        "word": word.word,
        "start_time": round(word.start, 4),
        "end_time": round(word.end, 4),
        "start_char": word.char_start,
        "end_char": word.char_end,
    }


def progress_body(progress: Progress) -> dict[str, Any]:
    """Progress as JSON."""
    return {
        "backend": progress.backend,
        "sentences": progress.sentences,
        "characters": progress.characters,
        "audio_seconds": round(progress.audio_seconds, 4),
        "elapsed_seconds": round(progress.elapsed_seconds, 4),
        "first_audio_seconds": progress.first_audio_seconds and round(progress.first_audio_seconds, 4),
        "fraction": progress.fraction and round(progress.fraction, 4),
        "finished": progress.finished,
    }
