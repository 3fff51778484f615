"""Backends behind HTTP and what they say, for tests."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.speech import surroundings
from wyoming_tts.backends.alltalk import AllTalkBackend, AllTalkOptions
from wyoming_tts.backends.base import Backend
from wyoming_tts.backends.elevenlabs import ElevenLabsBackend, ElevenLabsOptions
from wyoming_tts.backends.openai import OpenAIBackend, OpenAIOptions
from wyoming_tts.types import AudioChunk, Samples, SynthesisRequest, Voice
from wyoming_tts.voices import load_catalogue

TEXT = "The light in the kitchen is on"


NOWHERE = Path(os.devnull)
"""A data directory in which nothing can be kept."""


def openai(url: str, name: str = "openai", data_dir: Path = NOWHERE, **options: Any) -> OpenAIBackend:
    around = surroundings(data_dir, load_catalogue().voices(), name=name)
    return OpenAIBackend(OpenAIOptions(base_url=f"{url}/v1", **options), around)


def elevenlabs(url: str, data_dir: Path, name: str = "elevenlabs", **options: Any) -> ElevenLabsBackend:
    return ElevenLabsBackend(ElevenLabsOptions(base_url=url, **options), surroundings(data_dir, name=name))


def alltalk(url: str, name: str = "alltalk", data_dir: Path = NOWHERE, **options: Any) -> AllTalkBackend:
    return AllTalkBackend(AllTalkOptions(base_url=url, **options), surroundings(data_dir, name=name))


@contextlib.asynccontextmanager
async def started(backend: Any) -> AsyncIterator[Any]:
    await backend.start()
    try:
        yield backend
    finally:
        await backend.stop()


def request_for(
    backend: Backend, text: str = TEXT, voice: Voice | None = None, **more: Any
) -> SynthesisRequest:
    return SynthesisRequest(text=text, voice=voice or backend.voices()[0], **more)


async def said(
    backend: Backend, text: str = TEXT, voice: Voice | None = None, **more: Any
) -> list[AudioChunk]:
    chunks = backend.synthesize(request_for(backend, text, voice, **more))
    async with contextlib.aclosing(chunks):  # type: ignore[type-var]
        return [chunk async for chunk in chunks]


async def collect(stream: AsyncIterator[AudioChunk], chunks: list[AudioChunk]) -> None:
    """Add what comes, so that it is there when the stream ends in an error."""
    async for chunk in stream:
        chunks.append(chunk)


def joined(chunks: list[AudioChunk]) -> Samples:
    return np.concatenate([np.zeros(0, np.float32), *(chunk.samples for chunk in chunks)])


def seconds(chunks: list[AudioChunk]) -> float:
    return sum(chunk.seconds for chunk in chunks)


def with_language(voice: Voice, language: str) -> Voice:
    return dataclasses.replace(voice, language=language)
