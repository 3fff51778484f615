"""What the hooks of plugins do to a stream."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.fakes import VOICES, ScriptedBackend, Step, voice
from tests.plugged import (
    RATE,
    Delay,
    joined,
    listen,
    make,
    plugin,
    ramp,
    word_by_word,
    words_of,
)
from wyoming_tts import PluginStream, Samples
from wyoming_tts.pipeline import Pipeline
from wyoming_tts.plugins import HOOKS, Plugins
from wyoming_tts.types import AudioChunk, SynthesisRequest, WordTiming
from wyoming_tts.voices import VoiceCatalogue


async def test_without_plugins_there_is_no_thread_and_no_hook(plugins: Plugins) -> None:
    """Who has no plugin pays for none."""
    before = threading.active_count()
    assert plugins.streams.open("1", VOICES[0], ScriptedBackend.format) is None
    assert len(await listen(make(plugins))) == 1
    assert threading.active_count() == before


async def test_every_hook_of_a_stream_is_called_where_the_picture_says(plugins: Plugins) -> None:
    """Written text, text in words, a sentence's audio, audio with pauses; and what each may know."""
    seen: list[tuple[str, Any, str, bool]] = []

    def note(name: str) -> Any:
        def hook(given: Any, stream: PluginStream) -> None:
            assert stream.rate == RATE
            what = given if isinstance(given, str) else len(given)
            seen.append((name, what, stream.language, stream.last))

        return hook

    names = list(HOOKS[:4])
    arguments = {name: "text" if "text" in name else "audio" for name in names}
    hooks: dict[str, Any] = {}
    for name in names:
        scope: dict[str, Any] = {"hook": note(name)}
        exec(f"def it({arguments[name]}, stream): return hook({arguments[name]}, stream)", scope)
        hooks[name] = scope["it"]
    plugins.add([("all", plugin(**hooks))])
    backend = ScriptedBackend(lambda request: [240, 480])
    await listen(make(plugins, backend, sentence_silence=0.1), "It is 5 **km**.")
    assert seen == [
        ("pre_process_text", "It is 5 **km**.", "en-US", False),
        ("post_process_text", "It is five kilometers.", "en-US", False),
        ("pre_process_audio", 240, "en-US", False),
        ("post_process_audio", 240, "en-US", False),
        ("pre_process_audio", 480, "en-US", False),
        ("post_process_audio", 480, "en-US", False),
        ("pre_process_audio", 0, "en-US", True),
        ("post_process_audio", RATE // 10, "en-US", False),
        ("post_process_audio", 0, "en-US", True),
    ]


async def test_hooks_never_run_on_the_event_loop(plugins: Plugins) -> None:
    """They are in a thread, and the loop goes on while one of them computes."""
    threads: list[threading.Thread] = []

    def pre_process_text(text: str) -> None:
        threads.append(threading.current_thread())
        time.sleep(0.05)

    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    plugins.add([("slow", plugin(pre_process_text=pre_process_text))])
    ticking = asyncio.ensure_future(tick())
    await listen(make(plugins))
    ticking.cancel()
    assert threads[0] is not threading.current_thread()
    assert threads[0].daemon
    assert ticks >= 3


async def test_text_hooks_change_what_is_said(plugins: Plugins) -> None:
    """One before the text is read, so that what it says is read too; one behind that, in words."""

    def pre_process_text(text: str) -> str:
        return text.replace("temp", "21 °C")

    def post_process_text(text: str) -> str:
        return text.replace("twenty-one", "about twenty")

    plugins.add([("both", plugin(pre_process_text=pre_process_text, post_process_text=post_process_text))])
    backend = ScriptedBackend()
    await listen(make(plugins, backend), "It is temp.")
    assert backend.texts == "It is about twenty degrees Celsius."


async def test_a_text_hook_may_silence_a_sentence(plugins: Plugins) -> None:
    """Nothing is left to say of it; the others are said."""
    plugins.add([("censor", plugin(pre_process_text=lambda text: "" if "secret" in text else None))])
    backend = ScriptedBackend()
    text = "The first sentence is here. This one is a secret one. And the third one is not."
    await listen(make(plugins, backend), text)
    assert "secret" not in backend.texts
    assert "third" in backend.texts


async def test_words_keep_their_places_behind_text_hooks(plugins: Plugins) -> None:
    """Times and offsets belong to the words that were sent, however a hook rewrote them."""

    def pre_process_text(text: str) -> str:
        return "Well, " + text.replace("Bob", "Robert the Great").replace("very ", "")

    def post_process_text(text: str) -> str:
        return text.replace("nice", "extremely kind")

    plugins.add([("both", plugin(pre_process_text=pre_process_text, post_process_text=post_process_text))])
    backend, text = ScriptedBackend(word_by_word), "My friend Bob is very nice today."
    chunks = await listen(make(plugins, backend), text)
    assert backend.texts == "Well, My friend Robert the Great is extremely kind today."
    words = words_of(chunks)
    assert [word.word for word in words] == text.split()
    assert all(text[word.char_start : word.char_end] == word.word for word in words)
    times = {word.word: (word.start, word.end) for word in words}
    assert times["My"] == (0.5, 1.0)
    assert times["Bob"] == (1.5, 3.0)
    assert times["nice"] == (3.5, 4.5)
    assert times["today."] == (4.5, 5.0)
    assert times["very"][0] == times["very"][1]


@pytest.mark.parametrize("text", ["今日は晴れです。", "ボブは親切です。"])
async def test_words_without_spaces_keep_their_places(text: str, plugins: Plugins) -> None:
    """Japanese is compared character by character, and what is put in gets no word of its own."""
    plugins.add([("put in", plugin(pre_process_text=lambda text: "ねえ" + text))])

    def characters(request: SynthesisRequest) -> Iterator[Step]:
        for number, character in enumerate(request.text):
            timing = WordTiming(character, number / 10, (number + 1) / 10, number, number + 1)
            yield AudioChunk(np.zeros(RATE // 10, np.float32) + 0.1, words=(timing,))

    tokyo = voice("tokyo", "ja")
    pipeline = Pipeline(
        ScriptedBackend(characters, [tokyo]), VoiceCatalogue((tokyo,), tokyo), plugins=plugins.streams
    )
    words = words_of(await listen(pipeline, text))
    assert all(word.word == text[word.char_start : word.char_end] for word in words)
    assert "".join(word.word for word in words) == text
    assert words[0].start == pytest.approx(0.2)


async def test_audio_hooks_are_chained(plugins: Plugins) -> None:
    """Each gets what the one before gave; None leaves it, and what goes too far is clipped at the end."""
    plugins.add(
        [
            ("louder", plugin(pre_process_audio=lambda audio: audio * np.float32(8))),
            ("looks on", plugin(pre_process_audio=lambda audio: None)),
            ("softer", plugin(pre_process_audio=lambda audio: audio / np.float32(4))),
            ("too loud", plugin(post_process_audio=lambda audio: audio * np.float32(3))),
        ]
    )
    assert set(joined(await listen(make(plugins)))) == {1.0}
    assert not plugins.failures


async def test_a_hook_cannot_spoil_what_is_kept(plugins: Plugins) -> None:
    """It may write into its samples, which are its own; those of the backend, perhaps in a cache, stay."""
    kept = AudioChunk(np.full(100, 0.25, np.float32))

    def pre_process_audio(audio: Samples) -> Samples:
        audio *= 0
        return audio

    plugins.add([("in place", plugin(pre_process_audio=pre_process_audio))])
    assert not joined(await listen(make(plugins, ScriptedBackend(lambda request: [kept])))).any()
    assert set(kept.samples) == {0.25}


async def test_a_filter_with_a_memory_has_no_seam(plugins: Plugins) -> None:
    """What is held back comes with the next chunk and at the end, so that all is there, in order."""
    plugins.add([("one", Delay), ("two", Delay())])
    lengths = (1000, 20, 1, 3000, 5)
    chunks = await listen(make(plugins, ScriptedBackend(ramp(*lengths))))
    expected = np.arange(sum(lengths), dtype=np.float32) / 100_000
    np.testing.assert_array_equal(joined(chunks), expected)
    assert all(len(chunk.samples) for chunk in chunks)


async def test_the_end_of_a_sentence_comes_before_its_pause(plugins: Plugins) -> None:
    """A filter of sentences gives what it holds at the end of each."""
    plugins.add([("of sentences", plugin(pre_process_audio=Delay().post_process_audio))])
    backend = ScriptedBackend(lambda request: [1000, 1000])
    chunks = await listen(make(plugins, backend, sentence_silence=0.5), "The first sentence. The second one.")
    assert [len(chunk.samples) for chunk in chunks] == [300, 1000, 700, 12000, 300, 1000, 700, 12000]


def longer(audio: Samples) -> Samples:
    return np.repeat(audio, 2)


def chime(audio: Samples, stream: PluginStream) -> Samples | None:
    """A second of sound in front of the stream."""
    if stream.state.setdefault("rung", False):
        return None
    stream.state["rung"] = True
    return np.concatenate([np.full(RATE, 0.1, np.float32), audio])


@pytest.mark.parametrize("hook", ["pre_process_audio", "post_process_audio"])
async def test_words_keep_with_audio_that_is_longer(hook: str, plugins: Plugins) -> None:
    """Twice as long, each word comes twice as late, in every sentence."""
    plugins.add([("slow", plugin(**{hook: longer}))])
    text = "All is well. It is late now."
    chunks = await listen(make(plugins, ScriptedBackend(word_by_word)), text)
    assert sum(chunk.seconds for chunk in chunks) == 7
    assert [(word.word, word.start, word.end) for word in words_of(chunks)] == [
        (word, number, number + 1) for number, word in enumerate(text.split())
    ]


async def test_words_keep_with_audio_that_begins_later(plugins: Plugins) -> None:
    """From the second chunk on, words are as much later as the audio is."""
    plugins.add([("chime", plugin(post_process_audio=chime))])
    words = words_of(await listen(make(plugins, ScriptedBackend(word_by_word)), "All is well. It is late."))
    assert [word.start for word in words[1:]] == [1.5, 2.0, 2.5, 3.0, 3.5]


async def test_words_of_audio_that_is_held_back_are_not_lost(plugins: Plugins) -> None:
    """A hook may keep all audio until the end; the words then come with it."""

    def post_process_audio(audio: Samples, stream: PluginStream) -> Samples:
        held = stream.state.setdefault("held", [])
        held.append(audio)
        return np.concatenate(held) if stream.last else audio[:0]

    plugins.add([("all at once", plugin(post_process_audio=post_process_audio))])
    (chunk,) = await listen(make(plugins, ScriptedBackend(word_by_word)), "All is well.")
    assert [word.word for word in chunk.words] == ["All", "is", "well."]
    assert chunk.seconds == 1.5


async def test_streams_do_not_see_each_other(plugins: Plugins) -> None:
    """Each has a state of its own in each plugin, with many streams at the same time."""

    def post_process_audio(audio: Samples, stream: PluginStream) -> Samples:
        stream.state["count"] = stream.state.get("count", 0) + 1
        time.sleep(0.001)
        return np.full(len(audio), stream.state["count"] / 100, np.float32)

    plugins.add([("one", plugin(post_process_audio=post_process_audio))])
    pipeline = make(plugins, ScriptedBackend(lambda request: [100] * 10))
    for chunks in await asyncio.gather(*(listen(pipeline) for _ in range(12))):
        assert [round(100 * float(chunk.samples[0])) for chunk in chunks] == list(range(1, 11))


async def test_a_hook_sees_the_voice_of_the_sentence(plugins: Plugins) -> None:
    """The language is that of what is spoken now, also when a document changes it."""
    seen: list[str] = []

    def post_process_text(text: str, stream: PluginStream) -> None:
        seen.append(f"{stream.voice.name} {stream.language}")

    plugins.add([("looks", plugin(post_process_text=post_process_text))])
    text = '<speak>Hello there. <voice name="siwis">Bonjour tout le monde.</voice></speak>'
    await listen(make(plugins), text, text_format="ssml")
    assert seen == ["heart en-US", "siwis fr-FR"]
