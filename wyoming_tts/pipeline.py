"""From text that arrives to audio that leaves: sentences, voice, backend, pauses, timings."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import dataclasses
import itertools
import logging
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, Self

import numpy as np

from wyoming_tts.audio import louder
from wyoming_tts.backends.base import Backend, closable
from wyoming_tts.errors import UnknownVoiceError, UnsupportedFormatError, WyomingTtsError
from wyoming_tts.pipeline_stream import Guarded, Observer, SpokenStream
from wyoming_tts.plugin_streams import StreamPlugins
from wyoming_tts.text.aloud import Aloud, read_aloud
from wyoming_tts.text.language import detect_language, detector_is_loaded
from wyoming_tts.text.lexicon import Lexicon
from wyoming_tts.text.sentences import Sentence, SentenceReader, Step
from wyoming_tts.text.ssml import Style
from wyoming_tts.text.words import WordTimes
from wyoming_tts.types import (
    MAX_SPEED,
    MIN_SPEED,
    AudioChunk,
    AudioFormat,
    BackgroundPlayhead,
    Playhead,
    SynthesisRequest,
    Voice,
    VoiceQuery,
)

TEXT_FORMATS = ("text", "ssml")

ANY_VOICE = VoiceQuery()
"""Nothing was asked: the default voice, or one for the language of the text."""

NOTHING_TO_SAY = 0.25
"""Seconds of silence that answer a text without words: a player needs some audio to end properly."""

AMPLE_LEAD = 2.0
"""Seconds of sound in store from which on a short sentence may wait for its neighbour."""

_LOGGER = logging.getLogger(__name__)

Chunks = AsyncGenerator[AudioChunk, None]


class Catalogue(Protocol):
    """The voices there are, now."""

    @property
    def default(self) -> Voice:
        """Who speaks when nothing was asked for."""

    def resolve(self, query: VoiceQuery) -> Voice:
        """The voice a request means. Raises UnknownVoiceError."""

    def best_for_language(self, tag: str) -> Voice | None:
        """The voice for a language; None where there is none."""

    def natural_languages(self) -> Sequence[str]:
        """BCP 47 tags of what is spoken well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineSettings:
    """How the pipeline speaks when the caller does not say."""

    speed: float = 1.0
    """Pace; 1 is the voice's own."""

    sentence_silence: float = 0.35
    """Seconds of silence behind a sentence."""

    clause_silence: float = 0.15
    """Seconds of silence where a long sentence was cut at a comma or the like."""

    detect_language: bool = True
    """Whether to choose the voice by the text's language when the caller named none."""

    quiet_seconds: float = 0.3
    """After this long without new text, a sentence that ends in a stop is spoken without waiting for more."""


class Pipeline:
    """Speaks texts through one backend; any number of streams at the same time."""

    def __init__(
        self,
        backend: Backend,
        catalogue: Catalogue,
        settings: PipelineSettings | None = None,
        observers: Sequence[Observer] = (),
        lexicon: Lexicon | None = None,
        plugins: StreamPlugins | None = None,
    ) -> None:
        """The backend may itself hold others; it is started and stopped by whoever made it."""
        self._lexicon, self._plugins = lexicon, plugins
        self._backend = backend
        self._catalogue = catalogue
        self._settings = settings or PipelineSettings()
        self._observers = tuple(observers)
        self._counter = itertools.count(1)

    @property
    def format(self) -> AudioFormat:
        """The format of every chunk."""
        return self._backend.format

    @property
    def backend(self) -> Backend:
        """What speaks."""
        return self._backend

    @property
    def settings(self) -> PipelineSettings:
        """How it speaks when the caller does not say."""
        return self._settings

    def altered(self, *, backend: Backend | None = None, settings: PipelineSettings | None = None) -> Self:
        """The same pipeline with another backend, perhaps one around its own, or other settings."""
        changed = copy.copy(self)
        changed._backend, changed._settings = backend or self._backend, settings or self._settings
        return changed

    def observe(self, observer: Observer) -> None:
        """Tell one more of every stream from now on; one that raises is logged and told nothing more."""
        self._observers += (Guarded(observer),)

    async def synthesize(
        self,
        text: AsyncIterable[str],
        *,
        voice: VoiceQuery = ANY_VOICE,
        speed: float | None = None,
        text_format: str = "text",
        playhead: Playhead | None = None,
        on_progress: Observer | None = None,
        normalise: bool = True,
        options: Mapping[str, Any] | None = None,
    ) -> Chunks:
        """Speak text while it arrives; close the iterator to stop.

        Word times count from the start of the stream, word offsets in the text as it arrived, its tags
        and markup included. Text with nothing to say gives a short silence. `playhead` is the listener's
        clock, where it is not the usual one; `on_progress` gets this stream's `Progress`. Without
        `normalise` numbers and units are not put into words; `options` are for backends that know them, such
        as `instructions`. Raises WyomingTtsError.
        """
        if text_format not in TEXT_FORMATS:
            offered = " and ".join(TEXT_FORMATS)
            raise UnsupportedFormatError(f"text format {text_format!r} is unknown; there are {offered}")
        chosen = self._catalogue.resolve(voice)
        undecided = self._settings.detect_language and voice == ANY_VOICE
        stream = self._stream(chosen, speed, playhead, on_progress)
        stream.normalise, stream.options = normalise, options or {}
        made = self._made(text, SentenceReader(ssml=text_format == "ssml"), stream, chosen, undecided)
        try:
            async with contextlib.aclosing(stream.hooks.stream(made) if stream.hooks else made) as chunks:
                async for chunk in chunks:
                    yield chunk
                    stream.sent(chunk)
            if not stream.audio_seconds:
                yield self._silence(NOTHING_TO_SAY)
            stream.report(finished=True)
        finally:
            stream.playhead.ended, stream.playhead.characters_left = True, 0

    def _stream(
        self, voice: Voice, speed: float | None, playhead: Playhead | None, on_progress: Observer | None
    ) -> SpokenStream:
        identity = str(next(self._counter))
        return SpokenStream(
            identity=identity,
            playhead=playhead or Playhead(),
            speed=speed or self._settings.speed,
            observers=self._observers + (() if on_progress is None else (on_progress,)),
            hooks=self._plugins.open(identity, voice, self.format) if self._plugins else None,
        )

    async def _made(
        self,
        text: AsyncIterable[str],
        reader: SentenceReader,
        stream: SpokenStream,
        voice: Voice,
        undecided: bool,
    ) -> Chunks:
        """Sentence by sentence; the first one decides on the language where nobody else has."""
        async with contextlib.aclosing(self._steps(text, reader, stream)) as steps:
            async for step in steps:
                if undecided and isinstance(step, Sentence):
                    voice, undecided = await self._detect(step.text.text, voice), False
                async with contextlib.aclosing(self._take(step, voice, stream, reader)) as chunks:
                    async for chunk in chunks:
                        yield chunk
                        stream.made_seconds += chunk.seconds

    async def _steps(
        self, text: AsyncIterable[str], reader: SentenceReader, stream: SpokenStream
    ) -> AsyncGenerator[Step, None]:
        """Sentences as early as they are known; reading goes on while the consumer speaks."""
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        pump = asyncio.create_task(_pump(text, pieces))
        piece: str | None = ""
        try:
            while True:
                waits = reader.pending and (piece or reader.queued)
                piece = await _next_piece(pieces, self._settings.quiet_seconds if waits else None)
                if piece is None:
                    break
                reader.queued = stream.playhead.lead() > AMPLE_LEAD
                steps = reader.feed(piece) if piece else reader.flush()
                if not steps:
                    self._backend.wake()  # the rest of the sentence is still being written
                for step in steps:
                    if pump.done() and pieces.qsize() <= 1:
                        stream.total = len(reader.source)
                    yield step
            stream.total = len(reader.source)
            await pump  # its error, if it had one, is the stream's
            for step in reader.finish():
                yield step
        finally:
            pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([pump])

    async def warm_up(self, texts: Sequence[str]) -> None:
        """Speak texts to nobody, so that a cache has them; everybody else comes first."""
        for number, text in enumerate(texts, 1):
            try:
                async with contextlib.aclosing(
                    self.synthesize(at_once(text), playhead=BackgroundPlayhead())
                ) as chunks:
                    async for _ in chunks:
                        pass
            except WyomingTtsError as error:
                _LOGGER.warning("Text %d of the warm-up cannot be spoken: %s", number, error)

    async def _detect(self, text: str, default: Voice) -> Voice:
        """The voice for the text's language where that is sure and not the default's, else the default."""
        known = [default.language, *self._catalogue.natural_languages()]
        if detector_is_loaded():
            language = detect_language(text, known)
        else:  # only shortly after the start: everybody else is served meanwhile
            language = await asyncio.to_thread(detect_language, text, known)
        return default if language is None else self._voice_for(language, default)

    def _voice_for(self, language: str, default: Voice) -> Voice:
        """The best voice of a language, or the default where that speaks it or nobody does."""
        if language.split("-")[0].lower() == default.language.split("-")[0]:
            return default
        return self._catalogue.best_for_language(language) or default

    def _styled(self, voice: Voice, style: Style) -> Voice:
        """The voice that a document names, or the stream's where that is unknown."""
        if style.voice:
            try:
                return self._catalogue.resolve(VoiceQuery(name=style.voice))
            except UnknownVoiceError as error:
                _LOGGER.warning("SSML: %s", error)
        return self._voice_for(style.language, voice) if style.language else voice

    def _take(
        self, step: Step, voice: Voice, stream: SpokenStream, reader: SentenceReader
    ) -> AsyncGenerator[AudioChunk, None]:
        if isinstance(step, Sentence):
            return self._speak(step, self._styled(voice, step.style), stream, reader.source)
        return self._wait(step.seconds)

    async def _wait(self, seconds: float) -> AsyncGenerator[AudioChunk, None]:
        yield self._silence(seconds)

    async def _speak(
        self, sentence: Sentence, voice: Voice, stream: SpokenStream, source: str
    ) -> AsyncGenerator[AudioChunk, None]:
        """One sentence and the pause behind it, with times from the start of the stream."""
        aloud = await self._read(sentence, voice, stream)
        stream.begin(len(sentence.text), source)
        if not aloud.is_speakable:
            return
        stream.sentences += 1
        stream.backend, stream.voice, stream.wanted_backend = voice.backend, voice.name, voice.backend
        request = SynthesisRequest(
            text=aloud.normalised.text,
            pronunciations=aloud.pronunciations,
            voice=voice.speaker,
            speed=float(np.clip(stream.speed * sentence.style.rate * voice.speed, MIN_SPEED, MAX_SPEED)),
            playhead=stream.playhead,
            options=MappingProxyType(dict(stream.options)),
        )
        times = WordTimes(aloud.cleaned, aloud.normalised, source, voice.language)
        began, spoken = stream.made_seconds, False
        volume = sentence.style.volume * 10 ** (voice.gain / 20)
        async with contextlib.aclosing(self._spoken(request, stream)) as chunks:
            async for chunk in chunks:
                spoken = True
                stream.advance(chunk, stream.made_seconds - began)
                words = times.feed(word.later(began) for word in chunk.words)
                yield louder(dataclasses.replace(chunk, words=tuple(words)), volume)
        if spoken and (pause := self._pause(sentence, aloud, stream.speed)):
            yield self._silence(pause)

    async def _read(self, sentence: Sentence, voice: Voice, stream: SpokenStream) -> Aloud:
        if stream.hooks:
            return await stream.hooks.read_aloud(sentence.text, voice, self._lexicon, stream.normalise)
        return read_aloud(sentence.text, voice, self._lexicon, spell_out=stream.normalise)

    def _spoken(self, request: SynthesisRequest, stream: SpokenStream) -> Chunks:
        chunks = closable(self._backend.synthesize(request))
        return stream.hooks.sentence(chunks) if stream.hooks else chunks

    def _pause(self, sentence: Sentence, aloud: Aloud, speed: float) -> float:
        """Seconds of silence behind a sentence; none where the cut is not at a mark."""
        if sentence.kind == "clause":
            seconds = 0.0 if aloud.cleaned.text[-1:].isalnum() else self._settings.clause_silence
        else:
            seconds = self._settings.sentence_silence
        return seconds * (2 if sentence.kind == "paragraph" else 1) / speed

    def _silence(self, seconds: float) -> AudioChunk:
        return AudioChunk(np.zeros(round(seconds * self.format.rate), np.float32), self.format)


async def at_once(text: str) -> AsyncGenerator[str, None]:
    """A text that arrives at once."""
    yield text


async def _pump(text: AsyncIterable[str], pieces: asyncio.Queue[str | None]) -> None:
    """Move text into the queue, and always an end mark behind it."""
    try:
        async for piece in text:
            if piece:
                pieces.put_nowait(piece)
    finally:
        pieces.put_nowait(None)


async def _next_piece(pieces: asyncio.Queue[str | None], quiet: float | None) -> str | None:
    """The next text; "" when none came for `quiet` seconds; None at the end."""
    try:
        async with asyncio.timeout(quiet):  # wait_for may swallow a cancellation up to Python 3.11
            return await pieces.get()
    except TimeoutError:
        return ""
