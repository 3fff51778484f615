"""The ways in which a text becomes audio for a caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

import numpy as np
import pytest

from tests.fakes import PATIENCE, ScriptedBackend, pipeline_of
from tests.plugged import once, word_by_word
from wyoming_tts import (
    AudioChunk,
    Pipeline,
    Progress,
    SpeechOptions,
    StreamingStrategy,
    VoiceQuery,
    WholeFileStrategy,
)
from wyoming_tts.assembly import assemble
from wyoming_tts.config import Settings
from wyoming_tts.library import TTSPipeline
from wyoming_tts.strategies import Chunks, GenerationStrategy

TEXT = "The first sentence is here. This is the second one."
OPTIONS = SpeechOptions()


async def generated(strategy: GenerationStrategy, pipeline: Pipeline, **wishes: Any) -> list[AudioChunk]:
    async with asyncio.timeout(PATIENCE):
        return [one async for one in strategy.generate(pipeline, once(TEXT), SpeechOptions(**wishes))]


async def test_whole_is_streamed_joined() -> None:
    """The same samples and words, in one chunk that says that all is done."""
    pipeline = pipeline_of(ScriptedBackend(word_by_word), sentence_silence=0.3)
    streamed = await generated(StreamingStrategy(), pipeline)
    (whole,) = await generated(WholeFileStrategy(), pipeline)
    np.testing.assert_array_equal(np.concatenate([chunk.samples for chunk in streamed]), whole.samples)
    assert whole.words == tuple(word for chunk in streamed for word in chunk.words)
    assert (whole.fraction, whole.format) == (1.0, streamed[0].format)
    assert len(streamed) > 5


@pytest.mark.parametrize("strategy", [StreamingStrategy(), WholeFileStrategy()])
async def test_wishes_are_obeyed(strategy: GenerationStrategy) -> None:
    """Voice and pace reach the backend, and progress the observer."""
    backend = ScriptedBackend()
    reports: list[Progress] = []
    await generated(
        strategy,
        pipeline_of(backend),
        voice=VoiceQuery(name="adam"),
        speed=1.25,
        on_progress=reports.append,
    )
    assert {(one.voice.name, one.speed) for one in backend.requests} == {("adam", 1.25)}
    assert reports[-1].finished


async def test_whole_waits_for_all_of_the_text() -> None:
    """Nothing is spoken before the last piece is there; streaming speaks at once."""
    for strategy, spoken in ((StreamingStrategy(), True), (WholeFileStrategy(), False)):
        backend, more = ScriptedBackend(), asyncio.Event()

        async def text(more: asyncio.Event = more) -> AsyncIterator[str]:
            yield "The first sentence is here. This is "
            await more.wait()
            yield "the second one."

        chunks = strategy.generate(pipeline_of(backend), text(), OPTIONS)
        first = asyncio.ensure_future(anext(chunks))
        await asyncio.sleep(0.05)
        assert bool(backend.requests) == spoken
        more.set()
        await first
        await chunks.aclose()


async def test_closing_a_whole_stops_the_backend() -> None:
    """Who does not wait for the file costs nothing more."""
    backend = ScriptedBackend(lambda request: [100, asyncio.Event()])
    chunks = WholeFileStrategy().generate(pipeline_of(backend), once(TEXT), OPTIONS)
    waiting = asyncio.ensure_future(anext(chunks))
    await asyncio.sleep(0.05)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert (backend.running, len(backend.requests)) == (0, 1)


async def test_a_strategy_of_ones_own(tmp_path: Any) -> None:
    """Whatever has `generate` is one: here a chunk is a second of sound."""

    class Seconds:
        async def generate(
            self, pipeline: Pipeline, text: AsyncIterable[str], options: SpeechOptions
        ) -> Chunks:
            (whole,) = [one async for one in WholeFileStrategy().generate(pipeline, text, options)]
            rate = whole.format.rate
            for start in range(0, len(whole.samples), rate):
                yield AudioChunk(whole.samples[start : start + rate], whole.format)

    built = assemble(Settings(data_dir=tmp_path), backend=ScriptedBackend(word_by_word))
    async with TTSPipeline(built, Seconds()) as pipeline:
        seconds = [chunk.seconds async for chunk in pipeline.stream_async(TEXT)]
    assert set(seconds[:-1]) == {1.0}
