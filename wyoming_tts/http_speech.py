"""Speech as OpenAI's API offers it, and this project's own way: `/v1/audio/speech`, `/tts`, `/tts/stream`."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from wyoming_tts.encoding import FORMATS
from wyoming_tts.http_events import openai_events, own_events
from wyoming_tts.http_requests import SpeechRequest, StreamRequest, TtsRequest
from wyoming_tts.http_site import Site
from wyoming_tts.http_stream import (
    FILE,
    Responses,
    Speech,
    StreamedAnswer,
    Wanted,
    caller_of,
    check_format,
    encoded,
    unless_gone,
    whole_file,
)


def router(site: Site) -> APIRouter:
    """The routes of speech."""
    routes = APIRouter(tags=["speech"])
    kinds = FILE[200]["content"] | {"text/event-stream": {}}
    streamed: Responses = {200: {"content": kinds, "description": "The file, or events with pieces"}}

    async def speak(request: Request, body: SpeechRequest) -> Response:
        wanted, kind = body.wanted(site.voice_names()), (body.response_format, body.sample_rate)
        if body.stream_format == "sse":
            return await openai_events(site, request, wanted, *kind)
        return await _file(site, request, wanted, *kind, stream=body.stream)

    @routes.post("/v1/audio/speech", responses=streamed, response_class=Response)
    async def speech(request: Request, body: SpeechRequest) -> Response:
        """Speak a text, as OpenAI's API does it."""
        return await speak(request, body)

    @routes.post("/audio/speech", include_in_schema=False)
    async def speech_without_version(request: Request, body: SpeechRequest) -> Response:
        """For clients whose base address has no `/v1`."""
        return await speak(request, body)

    @routes.post("/tts", responses=FILE, response_class=Response)
    async def tts(request: Request, body: TtsRequest) -> Response:
        """Speak a text into one file, which comes when it is complete."""
        return await _file(site, request, body.wanted(), body.format, body.sample_rate, stream=False)

    @routes.post("/tts/stream", responses=streamed, response_class=Response)
    async def tts_stream(request: Request, body: StreamRequest) -> Response:
        """Speak a text; the file leaves while it is made."""
        if body.events:
            return await own_events(site, request, body.wanted())
        return await _file(site, request, body.wanted(), body.format, body.sample_rate, stream=True)

    return routes


async def _file(
    site: Site, request: Request, wanted: Wanted, name: str, rate: int | None, *, stream: bool
) -> Response:
    check_format(site, name, rate)
    headers = {"Content-Disposition": f'inline; filename="speech{FORMATS[name].extension}"'}
    speech = Speech(site, wanted, caller=caller_of(request))
    if not stream:
        samples, _ = await unless_gone(request.receive, speech.whole())
        data = await asyncio.to_thread(whole_file, samples, speech.rate, name, rate)
        return Response(data, media_type=FORMATS[name].media_type, headers=headers)
    first = await unless_gone(request.receive, speech.first())
    body = encoded(speech, first, name, rate)
    return StreamedAnswer(
        speech, body, FORMATS[name].media_type, headers=headers, write_seconds=site.settings.write_seconds
    )
