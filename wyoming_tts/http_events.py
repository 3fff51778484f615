"""Speech as server-sent events: OpenAI's, and this project's own with words and progress."""

from __future__ import annotations

import base64
import contextlib
import json
import math
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from wyoming_tts.audio import to_s16
from wyoming_tts.http_site import Site
from wyoming_tts.http_stream import (
    Speech,
    StreamedAnswer,
    Wanted,
    caller_of,
    check_format,
    encoded,
    unless_gone,
)
from wyoming_tts.types import AudioChunk, Progress, WordTiming


async def openai_events(
    site: Site, request: Request, wanted: Wanted, name: str, rate: int | None
) -> StreamedAnswer:
    """`speech.audio.delta` with pieces of the file, then `speech.audio.done`."""
    check_format(site, name, rate)
    speech = Speech(site, wanted, caller=caller_of(request))
    first = await unless_gone(request.receive, speech.first())
    return _answer(site, speech, _openai(speech, first, name, rate, wanted.text))


async def own_events(site: Site, request: Request, wanted: Wanted) -> StreamedAnswer:
    """`start`, then `words`, `audio` and `progress` in turn, then `done`."""
    latest = _Latest()
    speech = Speech(site, wanted, latest.note, caller=caller_of(request))
    first = await unless_gone(request.receive, speech.first())
    return _answer(site, speech, _own(speech, first, latest))


def _answer(site: Site, speech: Speech, body: AsyncGenerator[bytes, None]) -> StreamedAnswer:
    headers = {"X-Accel-Buffering": "no"}  # nginx would collect them
    return StreamedAnswer(
        speech, body, "text/event-stream", headers=headers, write_seconds=site.settings.write_seconds
    )


@dataclass(slots=True)
class _Latest:
    progress: Progress | None = None

    def note(self, progress: Progress) -> None:
        self.progress = progress


def event(body: Any, name: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(body, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


async def _openai(
    speech: Speech, first: AudioChunk, name: str, rate: int | None, text: str
) -> AsyncGenerator[bytes, None]:
    async with contextlib.aclosing(encoded(speech, first, name, rate)) as pieces:
        async for data in pieces:
            yield event({"type": "speech.audio.delta", "audio": base64.b64encode(data).decode()})
    yield event({"type": "speech.audio.done", "usage": usage_of(text, speech.seconds)})


CHARACTERS_A_TOKEN = 4
AUDIO_TOKENS_A_SECOND = 20
"""What OpenAI's models use about; nothing here has tokens of that kind."""


def usage_of(text: str, seconds: float) -> dict[str, int]:
    """Tokens as OpenAI would about count them."""
    given, made = math.ceil(len(text) / CHARACTERS_A_TOKEN), math.ceil(seconds * AUDIO_TOKENS_A_SECOND)
    return {"input_tokens": given, "output_tokens": made, "total_tokens": given + made}


async def _own(speech: Speech, first: AudioChunk, latest: _Latest) -> AsyncGenerator[bytes, None]:
    try:
        yield event({"rate": speech.rate, "channels": 1, "width": 2}, "start")
        for piece in _chunk_events(first, latest):
            yield piece
        async for chunk in speech:
            for piece in _chunk_events(chunk, latest):
                yield piece
        if latest.progress:
            yield event(progress_body(latest.progress), "progress")
        yield event({"seconds": speech.seconds}, "done")
    finally:
        await speech.close()


def _chunk_events(chunk: AudioChunk, latest: _Latest) -> Iterator[bytes]:
    if chunk.words:
        yield event([word_body(word) for word in chunk.words], "words")
    if len(chunk.samples):
        yield event(base64.b64encode(to_s16(chunk.samples)).decode(), "audio")
    if latest.progress:
        yield event(progress_body(latest.progress), "progress")


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
