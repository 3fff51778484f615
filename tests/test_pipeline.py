"""The pipeline: from text that arrives to audio that leaves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable

import numpy as np
import pytest

from tests.fakes import PATIENCE, VOICES, ScriptedBackend, Step, endless, spoken_length, wait_for
from wyoming_tts.errors import SynthesisError, UnknownVoiceError, UnsupportedFormatError
from wyoming_tts.pipeline import NOTHING_TO_SAY, Pipeline, PipelineSettings
from wyoming_tts.types import AudioChunk, Playhead, Progress, SynthesisRequest, VoiceQuery, WordTiming
from wyoming_tts.voices import VoiceCatalogue

RATE = ScriptedBackend.format.rate
LEVEL = np.float32(0.25)
"""Amplitude of all that the scripted backend speaks: what is 0 is a pause."""

FRENCH = "Bonjour, je m'appelle Marie et j'habite à Paris avec ma famille."


def make(backend: ScriptedBackend, *observers, **settings) -> Pipeline:
    catalogue = VoiceCatalogue(tuple(VOICES), VOICES[0])
    settings = {"detect_language": False, "quiet_seconds": 0.01, **settings}
    return Pipeline(backend, catalogue, PipelineSettings(**settings), observers)


async def pieces_of(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text


async def listen(pipeline: Pipeline, *texts: str, **options) -> list[AudioChunk]:
    async with asyncio.timeout(PATIENCE):
        return [chunk async for chunk in pipeline.synthesize(pieces_of(*texts), **options)]


def pauses(chunks: Iterable[AudioChunk]) -> list[float]:
    """Seconds of every silent chunk."""
    return [round(chunk.seconds, 4) for chunk in chunks if not chunk.samples.any()]


@pytest.mark.parametrize("texts", [(), ("",), ("  \n\t ", "\n"), ("", " ", "")])
async def test_blank_text_is_a_short_silence(texts: tuple[str, ...]) -> None:
    """Text with nothing in it gives a short silence and bothers no backend."""
    backend = ScriptedBackend()
    (chunk,) = await listen(make(backend), *texts)
    assert chunk.seconds == NOTHING_TO_SAY
    assert not chunk.samples.any()
    assert chunk.format == backend.format
    assert not backend.requests


async def test_a_backend_that_has_nothing_to_say_gives_no_pause() -> None:
    """Marks without words make no audio; the stream is then one short silence and no pauses."""
    chunks = await listen(make(ScriptedBackend(lambda request: [])), "... !!!")
    assert pauses(chunks) == [NOTHING_TO_SAY]


async def test_pause_behind_each_sentence_and_paragraph() -> None:
    """A sentence is followed by the set silence, a paragraph by twice as much."""
    chunks = await listen(
        make(ScriptedBackend(), sentence_silence=0.4),
        "This is the first sentence of them. Here is another one.\n\nA new paragraph has begun.",
    )
    assert pauses(chunks) == [0.4, 0.8, 0.4]


async def test_pause_behind_a_clause() -> None:
    """Where a sentence is cut behind a mark there is a short pause, and none where there is no mark."""
    backend = ScriptedBackend()
    chunks = await listen(
        make(backend, clause_silence=0.1, sentence_silence=0.5),
        "The weather will be fine tomorrow, " + "with a light wind from the west and then " * 9 + "rain.",
    )
    marked = [request.text[-1] in ",." for request in backend.requests]
    assert marked.count(False) >= 1
    assert marked[0]
    assert pauses(chunks) == [0.1] * (sum(marked) - 1) + [0.5]


async def test_speed_shortens_pauses_and_reaches_the_backend() -> None:
    """Who speaks twice as fast pauses half as long; the caller's speed wins over the setting."""
    backend = ScriptedBackend()
    pipeline = make(backend, sentence_silence=0.4, speed=0.5)
    assert pauses(await listen(pipeline, "Hello there.", speed=2.0)) == [0.2]
    assert pauses(await listen(pipeline, "Hello there.")) == [0.8]
    assert [request.speed for request in backend.requests] == [2.0, 0.5]


async def never() -> AsyncIterator[str]:
    await asyncio.Event().wait()
    yield "never"


async def test_unknown_voice_is_said_before_text_arrives() -> None:
    """The voice is looked up at once: nobody waits for text that could not be spoken."""
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(UnknownVoiceError, match="heart"):
            await anext(make(ScriptedBackend()).synthesize(never(), voice=VoiceQuery(name="haert")))


async def test_unknown_text_format_names_those_there_are() -> None:
    """A text format that is not offered is refused at once."""
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(UnsupportedFormatError, match="text and ssml"):
            await anext(make(ScriptedBackend()).synthesize(never(), text_format="markdown"))


@pytest.mark.parametrize(
    ("detect", "query", "name"),
    [
        (True, VoiceQuery(), "siwis"),
        (False, VoiceQuery(), "heart"),
        (True, VoiceQuery(name="adam"), "adam"),
        (True, VoiceQuery(language="en"), "heart"),
    ],
)
async def test_language_is_detected_only_when_nothing_was_asked(
    detect: bool, query: VoiceQuery, name: str
) -> None:
    """The text's language chooses the voice if the setting is on and the caller asked for none."""
    backend = ScriptedBackend()
    await listen(make(backend, detect_language=detect), FRENCH, voice=query)
    assert {request.voice.name for request in backend.requests} == {name}


async def test_default_voice_stays_for_its_own_language() -> None:
    """English text keeps the default voice where that speaks English, and it stays for the whole stream."""
    backend = ScriptedBackend()
    english = "The weather will be fine tomorrow, with a light wind from the west. "
    await listen(make(backend, detect_language=True), english, FRENCH)
    assert len(backend.requests) >= 2
    assert {request.voice.name for request in backend.requests} == {"heart"}


class OpenText:
    """Text that stays open behind its pieces until told to end; records that it was closed."""

    def __init__(self, *texts: str) -> None:
        self.end, self.closed = asyncio.Event(), asyncio.Event()
        self._texts = texts

    async def __aiter__(self) -> AsyncIterator[str]:
        try:
            for text in self._texts:
                yield text
            await self.end.wait()
        finally:
            self.closed.set()


async def test_quiet_moment_releases_a_finished_sentence() -> None:
    """A sentence is spoken when no text has come for a while, though the text has not ended."""
    backend, text = ScriptedBackend(), OpenText("Hello there.")
    async with asyncio.timeout(PATIENCE), contextlib.aclosing(make(backend).synthesize(text)) as chunks:
        assert (await anext(chunks)).samples.any()
        assert not text.end.is_set()
        text.end.set()
        rest = [chunk async for chunk in chunks]
    assert backend.texts == "Hello there."
    assert pauses(rest) == [0.35]


async def test_text_is_read_on_while_the_backend_speaks() -> None:
    """What comes next is taken from the sender although the first sentence is not over."""
    go_on, read_on = asyncio.Event(), asyncio.Event()

    async def text() -> AsyncIterator[str]:
        yield "This sentence takes its time. Another one "
        read_on.set()
        yield "follows."

    backend = ScriptedBackend(lambda request: [1000, go_on, 1000])
    async with asyncio.timeout(PATIENCE), contextlib.aclosing(make(backend).synthesize(text())) as chunks:
        await anext(chunks)
        await read_on.wait()
        assert len(backend.requests) == 1
        go_on.set()
        async for _ in chunks:
            pass
    assert backend.texts == "This sentence takes its time. Another one follows."


async def test_error_of_the_text_reaches_the_caller() -> None:
    """When the text breaks off with an error, what was complete is spoken and the error is the stream's."""

    async def broken() -> AsyncIterator[str]:
        yield "This sentence is complete. And this one is "
        raise ConnectionResetError("the sender is gone")

    backend = ScriptedBackend()
    chunks = make(backend).synthesize(broken())
    assert (await anext(chunks)).samples.any()
    with pytest.raises(ConnectionResetError, match="the sender is gone"):
        assert [chunk.samples.any() async for chunk in chunks] == [False]
    assert backend.texts == "This sentence is complete."


async def test_error_of_the_backend_reaches_the_caller_and_closes_the_text() -> None:
    """A backend that fails ends the stream with its error, and the text is read no further."""
    text = OpenText("Hello there, my friend. ")
    backend = ScriptedBackend(lambda request: [100, SynthesisError("out of breath")])
    with pytest.raises(SynthesisError, match="out of breath"):
        async for _ in make(backend).synthesize(text):
            pass
    await wait_for(text.closed)


async def test_closing_ends_the_backend_and_the_reader() -> None:
    """Who closes the stream stops the backend's work and the reading of the text."""
    backend, text = ScriptedBackend(endless), OpenText("Hello there, my friend. And ")
    chunks = make(backend).synthesize(text)
    async with asyncio.timeout(PATIENCE):
        await anext(chunks)
        await chunks.aclose()
        await text.closed.wait()
    assert backend.closed.is_set()
    assert (backend.running, backend.chunks) == (0, 1)


async def test_progress_is_reported_after_every_chunk() -> None:
    """Observers see each stream grow chunk by chunk, and its end exactly once."""
    reports: list[Progress] = []
    pipeline = make(ScriptedBackend(), reports.append, detect_language=False)
    text = "This is the first sentence. This is the second one."
    chunks = await listen(pipeline, text)
    assert len(reports) == len(chunks) + 1
    assert [report.finished for report in reports] == [False] * len(chunks) + [True]
    for field in ("characters", "audio_seconds", "elapsed_seconds"):
        values = [getattr(report, field) for report in reports]
        assert values == sorted(values)
    last = reports[-1]
    assert last.audio_seconds == pytest.approx(sum(chunk.seconds for chunk in chunks))
    assert last.characters == len(text) - 1
    assert (last.fraction, last.backend) == (1.0, "scripted")
    assert len({report.first_audio_seconds for report in reports}) == 1

    await listen(pipeline, "Hello.")
    assert reports[-1].stream != last.stream


async def test_progress_tells_the_part_that_is_done() -> None:
    """Once the whole text is known the fraction grows to 1, by what the backend says of itself or by time."""
    for told in (True, False):
        reports: list[Progress] = []

        def script(request: SynthesisRequest, told: bool = told) -> Iterable[Step]:
            silence = np.zeros(RATE // 2, np.float32)
            return [AudioChunk(silence, fraction=part if told else None) for part in (0.25, 0.5, 1.0)]

        pipeline = make(ScriptedBackend(script), detect_language=False)
        text = "This is the first sentence, and it is long enough. This is the second one, and so is this."
        async for _ in pipeline.synthesize(pieces_of(text), on_progress=reports.append):
            pass
        fractions = [report.fraction for report in reports if report.fraction is not None]
        assert len(fractions) >= len(reports) - 1
        assert fractions == sorted(fractions)
        assert 0 < fractions[0] < 0.5
        assert fractions[-1] == 1
        assert reports[-1].sentences >= 2


async def test_progress_names_who_spoke() -> None:
    """Where a chain chose, it is the one that it chose."""
    reports: list[Progress] = []
    script = [AudioChunk(np.zeros(RATE, np.float32), backend="other")]
    await listen(make(ScriptedBackend(lambda _: script), reports.append), "Hello.")
    assert {report.backend for report in reports} == {"other"}


async def test_blank_text_is_reported_as_finished() -> None:
    """A stream with nothing to say ends for its observers too."""
    reports: list[Progress] = []
    await listen(make(ScriptedBackend(), reports.append), " ")
    assert [(report.finished, report.characters, report.first_audio_seconds) for report in reports] == [
        (True, 0, None)
    ]


async def test_playhead_is_one_for_the_stream() -> None:
    """Backends see what the listener has been sent: all chunks and pauses of the stream so far."""
    sent: list[float] = []

    def script(request: SynthesisRequest) -> Iterable[Step]:
        sent.append(request.playhead.seconds_sent)
        return [RATE // 2]

    await listen(make(ScriptedBackend(script), sentence_silence=0.25), "The first sentence. The second one.")
    assert sent == pytest.approx([0.0, 0.75])


@pytest.mark.parametrize(
    "texts",
    [
        ("<speak>Hello <b>there</b>, my friend.</speak>",),
        ("<spe", "ak>Hello <", "b>there</b>, my fri", "end.</speak>"),
    ],
)
async def test_ssml_tags_are_not_spoken(texts: tuple[str, ...]) -> None:
    """The tags of SSML are taken away, wherever the pieces were cut."""
    backend = ScriptedBackend()
    await listen(make(backend), *texts, text_format="ssml")
    assert backend.texts == "Hello there, my friend."


async def test_plain_text_keeps_what_looks_like_a_comparison() -> None:
    """Without SSML nothing is taken from the text."""
    backend = ScriptedBackend()
    await listen(make(backend), "Is 3 < 5 and 7 > 6?")
    assert backend.texts == "Is three less than five and seven greater than six?"


def word_by_word(request: SynthesisRequest) -> Iterable[Step]:
    """A chunk a word, half a second each, with its timing from the sentence's start."""
    at = 0
    for number, word in enumerate(request.text.split()):
        at = request.text.index(word, at)
        timing = WordTiming(word, number / 2, number / 2 + 0.5, at, at + len(word))
        yield AudioChunk(np.full(RATE // 2, LEVEL), words=(timing,))
        at += len(word)


async def test_words_are_timed_in_the_stream() -> None:
    """A word's times point into the stream's audio, its offsets into the text as it was sent."""
    sent = "  The first sentence is here.   And then the second one,\n\nnot the last word."
    pipeline = make(ScriptedBackend(word_by_word), sentence_silence=0.3, clause_silence=0.1)
    chunks = await listen(pipeline, sent[:11], sent[11:40], sent[40:])
    words, now = [], 0.0
    for chunk in chunks:
        for word in chunk.words:
            assert word.start == pytest.approx(now)
            assert word.end == pytest.approx(now + 0.5)
            assert sent[word.char_start : word.char_end] == word.word
        words += [word.word for word in chunk.words]
        now += chunk.seconds
    assert words == sent.split()


async def test_any_iterator_will_do_as_a_backend() -> None:
    """A backend may hand out an iterator that cannot be closed."""

    class Bare(ScriptedBackend):
        def synthesize(self, request: SynthesisRequest):
            return _Bare(spoken_length(request))

    chunks = await listen(make(Bare()), "Hello there.")
    assert len(chunks[0].samples) > 0


class _Bare(AsyncIterable[AudioChunk]):
    def __init__(self, lengths: Iterable[Step]) -> None:
        self._lengths = iter(lengths)

    def __aiter__(self) -> _Bare:
        return self

    async def __anext__(self) -> AudioChunk:
        for length in self._lengths:
            assert isinstance(length, int)
            return AudioChunk(np.full(length, LEVEL))
        raise StopAsyncIteration


async def test_the_clock_knows_how_much_text_is_left() -> None:
    """Text that has arrived and is not yet spoken counts; however it ends, the stream is then over."""
    backend = ScriptedBackend()
    playhead = Playhead()
    text = "This is the first sentence of all. And here is another one that is long."
    chunks = make(backend).synthesize(pieces_of(text), playhead=playhead)
    await anext(chunks)
    assert 0 < playhead.characters_left < len(text)
    assert not playhead.ended
    await chunks.aclose()
    assert playhead.ended
    playhead = Playhead()
    await listen(make(backend), text, playhead=playhead)
    assert (playhead.characters_left, playhead.ended) == (0, True)


async def test_a_sentence_that_is_still_being_written_wakes_the_backend() -> None:
    """A backend that was unloaded is told as soon as text arrives, before there is a sentence for it."""
    backend = ScriptedBackend()
    chunks = make(backend).synthesize(slowly("This is only the begin", "ning."))
    first = asyncio.ensure_future(anext(chunks))
    await asyncio.sleep(0.02)
    assert backend.wakes
    assert not backend.requests
    await first
    await chunks.aclose()


async def slowly(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text
        await asyncio.sleep(0.05)
