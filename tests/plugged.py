"""Pipelines with plugins, for their tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.fakes import PATIENCE, VOICES, ScriptedBackend, Step
from wyoming_tts import PluginStream, Samples
from wyoming_tts.pipeline import Pipeline, PipelineSettings
from wyoming_tts.plugins import Plugins
from wyoming_tts.types import AudioChunk, SynthesisRequest, WordTiming
from wyoming_tts.voices import VoiceCatalogue

RATE = ScriptedBackend.format.rate
LIMIT = 1.0
"""Seconds that a hook may take here: enough for a busy machine."""


def make(plugins: Plugins, backend: ScriptedBackend | None = None, **settings: Any) -> Pipeline:
    settings = {"detect_language": False, "quiet_seconds": 0.01, "sentence_silence": 0.0, **settings}
    catalogue = VoiceCatalogue(tuple(VOICES), VOICES[0])
    return Pipeline(
        backend or ScriptedBackend(),
        catalogue,
        PipelineSettings(clause_silence=0.0, **settings),
        plugins=plugins.streams,
    )


async def once(text: str) -> AsyncIterator[str]:
    yield text


async def listen(pipeline: Pipeline, text: str = "Hello there.", **options: Any) -> list[AudioChunk]:
    async with asyncio.timeout(PATIENCE):
        return [chunk async for chunk in pipeline.synthesize(once(text), **options)]


def joined(chunks: list[AudioChunk]) -> Samples:
    return np.concatenate([chunk.samples for chunk in chunks])


def words_of(chunks: list[AudioChunk]) -> list[WordTiming]:
    return [word for chunk in chunks for word in chunk.words]


def plugin(**hooks: Any) -> SimpleNamespace:
    return SimpleNamespace(**hooks)


def ramp(*lengths: int) -> Any:
    """A script whose samples count up, so that each has its place."""

    def script(request: SynthesisRequest) -> Iterator[Step]:
        at = 0
        for length in lengths:
            yield AudioChunk((np.arange(at, at + length) / 100_000).astype(np.float32))
            at += length

    return script


def word_by_word(request: SynthesisRequest) -> Iterator[Step]:
    """A chunk a word, half a second each."""
    at = 0
    for number, word in enumerate(request.text.split()):
        at = request.text.index(word, at)
        timing = WordTiming(word, number / 2, number / 2 + 0.5, at, at + len(word))
        yield AudioChunk(np.full(RATE // 2, 0.25, np.float32), words=(timing,))
        at += len(word)


class Delay:
    """Holds the last samples back until more come, and gives them at the end."""

    held = 700

    def post_process_audio(self, audio: Samples, stream: PluginStream) -> Samples:
        all_ = np.concatenate([stream.state.get("held", np.zeros(0, np.float32)), audio])
        split = len(all_) if stream.last else max(0, len(all_) - self.held)
        stream.state["held"] = all_[split:]
        return all_[:split]


def raises(*_: Any) -> Any:
    raise KeyError("what the user said")
