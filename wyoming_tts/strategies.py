"""How a text becomes audio for a caller of the library: as it comes, or as a whole."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from wyoming_tts.pipeline import ANY_VOICE, Pipeline, at_once
from wyoming_tts.pipeline_stream import Observer
from wyoming_tts.types import AudioChunk, VoiceQuery

Chunks = AsyncGenerator[AudioChunk, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechOptions:
    """What a caller wishes for one text."""

    voice: VoiceQuery = ANY_VOICE
    """Who speaks."""

    speed: float | None = None
    """Pace, 0.5 to 2; None leaves it to the settings."""

    text_format: str = "text"
    """`text` or `ssml`."""

    on_progress: Observer | None = None
    """Is told how far it is, on the pipeline's event loop."""


class GenerationStrategy(Protocol):
    """Decides when a text is spoken, and in which pieces its audio is handed out."""

    def generate(self, pipeline: Pipeline, text: AsyncIterable[str], options: SpeechOptions) -> Chunks:
        """The text's audio, at least one chunk. Raises WyomingTtsError."""


@dataclass(frozen=True, slots=True)
class StreamingStrategy:
    """Speaks while the text arrives, and hands out each chunk as it comes."""

    def generate(self, pipeline: Pipeline, text: AsyncIterable[str], options: SpeechOptions) -> Chunks:
        """See `GenerationStrategy.generate`."""
        return pipeline.synthesize(
            text,
            voice=options.voice,
            speed=options.speed,
            text_format=options.text_format,
            on_progress=options.on_progress,
        )


@dataclass(frozen=True, slots=True)
class WholeFileStrategy:
    """Reads the whole text, speaks it, and hands out one chunk, which is all of it."""

    async def generate(self, pipeline: Pipeline, text: AsyncIterable[str], options: SpeechOptions) -> Chunks:
        """See `GenerationStrategy.generate`."""
        whole = "".join([piece async for piece in text])
        async with contextlib.aclosing(
            StreamingStrategy().generate(pipeline, at_once(whole), options)
        ) as made:
            chunks = [chunk async for chunk in made]
        yield replace(
            chunks[-1],
            samples=np.concatenate([chunk.samples for chunk in chunks]),
            words=tuple(word for chunk in chunks for word in chunk.words),
            backend=" and ".join(dict.fromkeys(chunk.backend for chunk in chunks if chunk.backend)),
            fraction=1.0,
        )
