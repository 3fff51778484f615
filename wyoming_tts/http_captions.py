"""Audio with the time of each word, subtitles, and phonemes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncGenerator
from typing import Any, Literal
from xml.sax.saxutils import quoteattr

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from wyoming_tts.encoding import encoder
from wyoming_tts.http_site import Site
from wyoming_tts.http_speech import FormatName, SpeechRequest, VoiceName, query, whole_file, word_body
from wyoming_tts.http_stream import Speech, StreamedAnswer, Wanted
from wyoming_tts.phonemes import Phonemes
from wyoming_tts.subtitles import to_srt, to_vtt
from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.aloud import read_aloud
from wyoming_tts.types import AudioChunk, WordTiming


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
    """The routes of captions and phonemes."""
    routes = APIRouter(tags=["captions"])
    caption_responses: dict[int | str, dict[str, Any]] = {
        200: {
            "description": "Audio in base64 and its words; with `stream`, JSON lines of them",
            "content": {"application/json": {}, "application/x-ndjson": {}},
        }
    }
    subtitle_responses: dict[int | str, dict[str, Any]] = {
        200: {"description": "The file", "content": {"application/x-subrip": {}, "text/vtt": {}}}
    }

    async def captions(request: CaptionedRequest) -> Response:
        encoder(request.response_format, site.pipeline.format.rate, request.sample_rate).close()
        speech = Speech(site, request.wanted({voice.name for voice in site.catalogue.voices()}))
        if not request.stream:
            return JSONResponse(await _captioned(speech, request))
        first = await speech.first()
        lines = _lines(speech, first, request)
        return StreamedAnswer(lines, "application/x-ndjson", write_seconds=site.settings.write_seconds)

    @routes.post("/v1/audio/captioned", responses=caption_responses, response_class=Response)
    async def captioned(request: CaptionedRequest) -> Response:
        """Speak a text, and say when each of its words is spoken."""
        return await captions(request)

    @routes.post("/dev/captioned_speech", responses=caption_responses, response_class=Response)
    async def captioned_speech(request: CaptionedRequest) -> Response:
        """The same, by the name that Kokoro-FastAPI has for it."""
        return await captions(request)

    @routes.post("/v1/audio/subtitles", responses=subtitle_responses, response_class=Response)
    async def subtitles(request: SubtitlesRequest) -> Response:
        """Subtitles for a text as it would be spoken."""
        speech = Speech(site, request.wanted({voice.name for voice in site.catalogue.voices()}))
        _, words = await _all_of(speech)
        if request.subtitle_format == "vtt":
            return PlainTextResponse(to_vtt(words, request.input), media_type="text/vtt")
        return PlainTextResponse(to_srt(words, request.input), media_type="application/x-subrip")

    @routes.post("/dev/phonemize")
    async def phonemize(request: PhonemizeRequest) -> dict[str, Any]:
        """Show how a text is put into words and phonemes."""
        read, spoken = await asyncio.to_thread(_read, site, request)
        return {"text": read, "phonemes": spoken.text, "tokens": list(spoken.tokens)}

    @routes.post("/dev/generate_from_phonemes", responses=subtitle_responses, response_class=Response)
    async def generate_from_phonemes(request: PhonemesRequest) -> Response:
        """Speak phonemes."""
        document = f'<speak><phoneme alphabet="ipa" ph={quoteattr(request.phonemes)}>x</phoneme></speak>'
        speech = Speech(
            site,
            Wanted(text=document, voice=query(request.voice, None), speed=request.speed, text_format="ssml"),
        )
        pieces, _ = await _all_of(speech)
        data = await asyncio.to_thread(whole_file, pieces, speech.rate, request.response_format)
        return Response(data, media_type=_media_type(request.response_format))

    return routes


def _media_type(name: str) -> str:
    from wyoming_tts.encoding import FORMATS

    return FORMATS[name].media_type


async def _all_of(speech: Speech) -> tuple[list[Any], list[WordTiming]]:
    pieces, words = [], []
    async with contextlib.aclosing(speech.__aiter__()) as chunks:  # type: ignore[type-var]
        async for chunk in chunks:
            pieces.append(chunk.samples)
            words += chunk.words
    return pieces, words


async def _captioned(speech: Speech, request: CaptionedRequest) -> dict[str, Any]:
    pieces, words = await _all_of(speech)
    data = await asyncio.to_thread(
        whole_file, pieces, speech.rate, request.response_format, request.sample_rate
    )
    return {
        "audio": base64.b64encode(data).decode(),
        "audio_format": _media_type(request.response_format),
        "timestamps": [word_body(word) for word in words] if request.return_timestamps else None,
    }


async def _lines(speech: Speech, first: AudioChunk, request: CaptionedRequest) -> AsyncGenerator[bytes, None]:
    """A line for each chunk; words may come a line before the end of their audio."""
    coder = encoder(request.response_format, speech.rate, request.sample_rate)
    kind, timed = _media_type(request.response_format), request.return_timestamps
    try:
        yield _line(await asyncio.to_thread(coder.feed, first.samples), first.words, kind, timed)
        async for chunk in speech:
            yield _line(await asyncio.to_thread(coder.feed, chunk.samples), chunk.words, kind, timed)
        if data := coder.finish():
            yield _line(data, (), kind, timed)
    finally:
        coder.close()
        await speech.close()


def _line(data: bytes, words: tuple[WordTiming, ...], kind: str, timed: bool) -> bytes:
    body = {
        "audio": base64.b64encode(data).decode(),
        "audio_format": kind,
        "timestamps": [word_body(word) for word in words] if timed else None,
    }
    return json.dumps(body, ensure_ascii=False).encode() + b"\n"


def _read(site: Site, request: PhonemizeRequest) -> tuple[str, Phonemes]:
    """In a thread: what is read out, and its phonemes."""
    voice = site.catalogue.resolve(query(request.voice, request.language))
    aloud = read_aloud(AlignedText.of(request.text), voice, site.lexicon)
    text = aloud.normalised.text
    return text, site.phonemizer.phonemize(text, voice.language, aloud.pronunciations)
