"""Audio with the time of each word, subtitles, and phonemes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Literal
from xml.sax.saxutils import quoteattr

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from wyoming_tts.encoding import FORMATS
from wyoming_tts.http_events import word_body
from wyoming_tts.http_requests import FormatName, SpeechRequest, VoiceName, query
from wyoming_tts.http_site import Site
from wyoming_tts.http_stream import (
    FILE,
    Responses,
    Speech,
    StreamedAnswer,
    Wanted,
    caller_of,
    check_format,
    coded,
    unless_gone,
    whole_file,
)
from wyoming_tts.phonemes import Phonemes
from wyoming_tts.subtitles import SUBTITLE_FORMATS, cues, written
from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.aloud import read_aloud
from wyoming_tts.types import AudioChunk, Samples, WordTiming

CAPTIONS: Responses = {
    200: {
        "description": "Audio in base64 and its words; with `stream`, JSON lines of them",
        "content": {"application/json": {}, "application/x-ndjson": {}},
    }
}
SUBTITLES: Responses = {
    200: {"description": "The file", "content": {one.media_type: {} for one in SUBTITLE_FORMATS.values()}}
}


class CaptionedRequest(SpeechRequest):
    """Speech with the time of each word."""

    stream: bool = False
    """Whether the answer is JSON lines as they come: `audio` in base64 and the `timestamps` of its words."""

    return_timestamps: bool = True
    """Whether the times of words are wanted."""


class SubtitlesRequest(SpeechRequest):
    """Subtitles for what would be spoken."""

    subtitle_format: Literal["srt", "vtt"] = "srt"
    """SubRip or WebVTT."""


class PhonemizeRequest(BaseModel):
    """A text to be turned into phonemes."""

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True)

    text: str = Field(min_length=1, max_length=10_000)
    """The text."""

    language: str | None = Field(default=None, max_length=40)
    """Language tag or Kokoro's letter; none is that of the voice."""

    voice: VoiceName | None = None
    """Voice that reads it."""


class PhonemesRequest(BaseModel):
    """Phonemes to be spoken."""

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True)

    phonemes: str = Field(min_length=1, max_length=2_000)
    """IPA, as `/dev/phonemize` writes it."""

    voice: VoiceName | None = None
    """Who speaks."""

    response_format: FormatName = "wav"
    """Kind of file."""

    speed: float = Field(default=1.0, ge=0.25, le=4.0)
    """Pace."""


def router(site: Site) -> APIRouter:
    """The routes of captions, subtitles and phonemes."""
    routes = APIRouter(tags=["captions"])

    async def captions(request: Request, body: CaptionedRequest) -> Response:
        check_format(site, body.response_format, body.sample_rate)
        speech = Speech(site, body.wanted(site.voice_names()), caller=caller_of(request))
        if not body.stream:
            return JSONResponse(
                await _captioned(await unless_gone(request.receive, speech.whole()), speech.rate, body)
            )
        first = await unless_gone(request.receive, speech.first())
        lines = _lines(speech, first, body)
        return StreamedAnswer(
            speech, lines, "application/x-ndjson", write_seconds=site.settings.write_seconds
        )

    @routes.post("/v1/audio/captioned", responses=CAPTIONS, response_class=Response)
    async def captioned(request: Request, body: CaptionedRequest) -> Response:
        """Speak a text, and say when each of its words is spoken."""
        return await captions(request, body)

    @routes.post("/dev/captioned_speech", responses=CAPTIONS, response_class=Response)
    async def captioned_speech(request: Request, body: CaptionedRequest) -> Response:
        """The same, by the name that Kokoro-FastAPI has for it."""
        return await captions(request, body)

    @routes.post("/v1/audio/subtitles", responses=SUBTITLES, response_class=Response)
    async def subtitles(request: Request, body: SubtitlesRequest) -> Response:
        """Subtitles for a text as it would be spoken."""
        speech = Speech(site, body.wanted(site.voice_names()), caller=caller_of(request))
        _, words = await unless_gone(request.receive, speech.whole())
        name = body.subtitle_format
        text = "".join(written(cues(words, body.input, speech.seconds), name))
        return PlainTextResponse(text, media_type=SUBTITLE_FORMATS[name].media_type)

    _add_phonemes(routes, site)
    return routes


def _add_phonemes(routes: APIRouter, site: Site) -> None:
    @routes.post("/dev/phonemize")
    async def phonemize(body: PhonemizeRequest) -> dict[str, Any]:
        """Show how a text is put into words and phonemes."""
        read, spoken = await asyncio.to_thread(_read, site, body)
        return {"text": read, "phonemes": spoken.text, "tokens": list(spoken.tokens)}

    @routes.post("/dev/generate_from_phonemes", responses=FILE, response_class=Response)
    async def generate_from_phonemes(request: Request, body: PhonemesRequest) -> Response:
        """Speak phonemes."""
        document = f'<speak><phoneme alphabet="ipa" ph={quoteattr(body.phonemes)}>x</phoneme></speak>'
        voice = query(body.voice, None)
        speech = Speech(site, Wanted(text=document, voice=voice, speed=body.speed, text_format="ssml"))
        pieces, _ = await unless_gone(request.receive, speech.whole())
        data = await asyncio.to_thread(whole_file, pieces, speech.rate, body.response_format)
        return Response(data, media_type=FORMATS[body.response_format].media_type)


async def _captioned(
    spoken: tuple[list[Samples], list[WordTiming]], rate: int, body: CaptionedRequest
) -> dict[str, Any]:
    pieces, words = spoken
    data = await asyncio.to_thread(whole_file, pieces, rate, body.response_format, body.sample_rate)
    return _caption(data, words, body)


async def _lines(speech: Speech, first: AudioChunk, body: CaptionedRequest) -> AsyncGenerator[bytes, None]:
    """A line for each chunk; words may come a line before the end of their audio."""
    async with contextlib.aclosing(coded(speech, first, body.response_format, body.sample_rate)) as pieces:
        async for data, words in pieces:
            yield _line(data, words, body)


def _line(data: bytes, words: Sequence[WordTiming], body: CaptionedRequest) -> bytes:
    return json.dumps(_caption(data, words, body), ensure_ascii=False).encode() + b"\n"


def _caption(data: bytes, words: Sequence[WordTiming], body: CaptionedRequest) -> dict[str, Any]:
    return {
        "audio": base64.b64encode(data).decode(),
        "audio_format": FORMATS[body.response_format].media_type,
        "timestamps": [word_body(word) for word in words] if body.return_timestamps else None,
    }


def _read(site: Site, request: PhonemizeRequest) -> tuple[str, Phonemes]:
    """In a thread: what is read out, and its phonemes."""
    voice = site.catalogue.resolve(query(request.voice, request.language))
    aloud = read_aloud(AlignedText.of(request.text), voice, site.lexicon)
    text = aloud.normalised.text
    return text, site.phonemizer.phonemize(text, voice.language, aloud.pronunciations)
