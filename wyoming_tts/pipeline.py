"""From text that arrives to audio that leaves: sentences, voice, backend, pauses, timings."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from wyoming_tts.backends.base import Backend, closable
from wyoming_tts.errors import UnknownVoiceError, UnsupportedFormatError, WyomingTtsError
from wyoming_tts.text.aloud import Aloud, read_aloud
from wyoming_tts.text.language import detect_language
from wyoming_tts.text.lexicon import Lexicon
from wyoming_tts.text.sentences import Sentence, SentenceReader, Step
from wyoming_tts.text.ssml import Style
from wyoming_tts.text.words import WordTimes
from wyoming_tts.types import (
    CHARACTERS_PER_SECOND,
    MAX_SPEED,
    MIN_SPEED,
    AudioChunk,
    AudioFormat,
    BackgroundPlayhead,
    Playhead,
    Progress,
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


Observer = Callable[[Progress], None]
"""Called after every chunk, on the event loop: must return at once."""


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


@dataclass(slots=True)
class _Stream:
    """What the pipeline keeps for one listener."""

    playhead: Playhead
    speed: float
    began: float
    identity: str
    observers: tuple[Observer, ...]
    characters: int = 0
    """Of the sentences before the one that is spoken now."""
    sentence: int = 0
    """Characters of that one."""
    sentences: int = 0
    audio_seconds: float = 0.0
    backend: str = ""
    voice: str = ""
    wanted_backend: str = ""
    total: int | None = None
    """Characters of the whole text, once it is known."""
    fraction: float | None = None

    def advance(self, done: float) -> None:
        """Note which part of the sentence is done."""
        if self.total:
            fraction = min(1.0, (self.characters + done * self.sentence) / self.total)
            self.fraction = max(self.fraction or 0.0, fraction)


class Pipeline:
    """Speaks texts through one backend; any number of streams at the same time."""

    def __init__(
        self,
        backend: Backend,
        catalogue: Catalogue,
        settings: PipelineSettings | None = None,
        observers: Sequence[Observer] = (),
        lexicon: Lexicon | None = None,
    ) -> None:
        """The backend may itself hold others; it is started and stopped by whoever made it."""
        self._lexicon = lexicon
        self._backend = backend
        self._catalogue = catalogue
        self._settings = settings or PipelineSettings()
        self._observers = tuple(observers)
        self._counter = itertools.count(1)

    def observe(self, observer: Observer) -> None:
        """Call an observer for every stream from now on."""
        self._observers += (observer,)

    @property
    def format(self) -> AudioFormat:
        """The format of every chunk."""
        return self._backend.format

    async def synthesize(
        self,
        text: AsyncIterable[str],
        *,
        voice: VoiceQuery = ANY_VOICE,
        speed: float | None = None,
        text_format: str = "text",
        playhead: Playhead | None = None,
        on_progress: Observer | None = None,
    ) -> Chunks:
        """Speak text while it arrives; close the iterator to stop.

        Word times count from the start of the stream, word offsets in the text as it arrived, its tags
        and markup included. Text with nothing to say gives a short silence. `playhead` is the listener's
        clock, where it is not the usual one; `on_progress` gets this stream's `Progress`. Raises
        WyomingTtsError.
        """
        if text_format not in TEXT_FORMATS:
            offered = " and ".join(TEXT_FORMATS)
            raise UnsupportedFormatError(f"text format {text_format!r} is unknown; there are {offered}")
        chosen = self._catalogue.resolve(voice)
        undecided = self._settings.detect_language and voice == ANY_VOICE
        stream = _Stream(
            playhead or Playhead(),
            speed or self._settings.speed,
            time.monotonic(),
            str(next(self._counter)),
            self._observers + (() if on_progress is None else (on_progress,)),
        )
        reader = SentenceReader(ssml=text_format == "ssml")
        try:
            async with contextlib.aclosing(self._steps(text, reader, stream)) as steps:
                async for step in steps:
                    if undecided and isinstance(step, Sentence):
                        chosen, undecided = self._detect(step.text.text, chosen), False
                    async with contextlib.aclosing(self._take(step, chosen, stream, reader)) as chunks:
                        async for chunk in chunks:
                            yield chunk
                            self._note(stream, chunk)
            if not stream.audio_seconds:
                yield self._silence(NOTHING_TO_SAY)
            self._report(stream, finished=True)
        finally:
            stream.playhead.ended, stream.playhead.characters_left = True, 0

    async def _steps(
        self, text: AsyncIterable[str], reader: SentenceReader, stream: _Stream
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
                    self.synthesize(_whole(text), playhead=BackgroundPlayhead())
                ) as chunks:
                    async for _ in chunks:
                        pass
            except WyomingTtsError as error:
                _LOGGER.warning("Text %d of the warm-up cannot be spoken: %s", number, error)

    def _detect(self, text: str, default: Voice) -> Voice:
        """The voice for the text's language where that is sure and not the default's, else the default."""
        language = detect_language(text, [default.language, *self._catalogue.natural_languages()])
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
        self, step: Step, voice: Voice, stream: _Stream, reader: SentenceReader
    ) -> AsyncGenerator[AudioChunk, None]:
        if isinstance(step, Sentence):
            return self._speak(step, self._styled(voice, step.style), stream, reader.source)
        return self._wait(step.seconds)

    async def _wait(self, seconds: float) -> AsyncGenerator[AudioChunk, None]:
        yield self._silence(seconds)

    async def _speak(
        self, sentence: Sentence, voice: Voice, stream: _Stream, source: str
    ) -> AsyncGenerator[AudioChunk, None]:
        """One sentence and the pause behind it, with times from the start of the stream."""
        aloud = read_aloud(sentence.text, voice, self._lexicon)
        stream.characters, stream.sentence = stream.characters + stream.sentence, len(sentence.text)
        stream.playhead.characters_left = max(0, len(source) - stream.characters - stream.sentence)
        if not aloud.is_speakable:
            return
        stream.backend, stream.sentences = voice.backend, stream.sentences + 1
        stream.voice, stream.wanted_backend = voice.name, voice.backend
        request = SynthesisRequest(
            text=aloud.normalised.text,
            pronunciations=aloud.pronunciations,
            voice=voice.speaker,
            speed=float(np.clip(stream.speed * sentence.style.rate * voice.speed, MIN_SPEED, MAX_SPEED)),
            playhead=stream.playhead,
        )
        times = WordTimes(aloud.cleaned, aloud.normalised, source, voice.language)
        began, spoken = stream.audio_seconds, False
        volume = sentence.style.volume * 10 ** (voice.gain / 20)
        async with contextlib.aclosing(closable(self._backend.synthesize(request))) as chunks:
            async for chunk in chunks:
                spoken = True
                stream.backend = chunk.backend or stream.backend
                stream.advance(_done(chunk, stream.audio_seconds - began, stream.sentence))
                words = times.feed(word.later(began) for word in chunk.words)
                yield _louder(dataclasses.replace(chunk, words=tuple(words)), volume)
        if spoken and (pause := self._pause(sentence, aloud, stream.speed)):
            yield self._silence(pause)

    def _pause(self, sentence: Sentence, aloud: Aloud, speed: float) -> float:
        """Seconds of silence behind a sentence; none where the cut is not at a mark."""
        if sentence.kind == "clause":
            seconds = 0.0 if aloud.cleaned.text[-1].isalnum() else self._settings.clause_silence
        else:
            seconds = self._settings.sentence_silence
        return seconds * (2 if sentence.kind == "paragraph" else 1) / speed

    def _silence(self, seconds: float) -> AudioChunk:
        return AudioChunk(np.zeros(round(seconds * self.format.rate), np.float32), self.format)

    def _note(self, stream: _Stream, chunk: AudioChunk) -> None:
        """The chunk was taken by the listener's side: move its clock on and tell the observers."""
        stream.playhead.sent(chunk.seconds)
        stream.audio_seconds += chunk.seconds
        self._report(stream, finished=False)

    def _report(self, stream: _Stream, finished: bool) -> None:
        if not stream.observers:
            return
        first = stream.playhead.first_audio
        progress = Progress(
            stream=stream.identity,
            backend=stream.backend,
            characters=stream.characters + stream.sentence,
            sentences=stream.sentences,
            audio_seconds=stream.audio_seconds,
            elapsed_seconds=time.monotonic() - stream.began,
            first_audio_seconds=None if first is None else first - stream.began,
            fraction=1.0 if finished else stream.fraction,
            finished=finished,
            voice=stream.voice,
            wanted_backend=stream.wanted_backend,
            underruns=stream.playhead.underruns,
        )
        for observer in stream.observers:
            observer(progress)


def _done(chunk: AudioChunk, seconds: float, characters: int) -> float:
    """Part of a sentence that is done with a chunk: as the backend says, else about."""
    if chunk.fraction is not None:
        return chunk.fraction
    return min(0.95, (seconds + chunk.seconds) * CHARACTERS_PER_SECOND / max(1, characters))


def _louder(chunk: AudioChunk, gain: float) -> AudioChunk:
    if gain == 1:
        return chunk
    return dataclasses.replace(chunk, samples=np.clip(chunk.samples * np.float32(gain), -1, 1))


async def _whole(text: str) -> AsyncGenerator[str, None]:
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
