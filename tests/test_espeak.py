"""The last resort: espeak-ng's own voice."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from pathlib import Path

import numpy as np

from tests.fakes import until
from tests.remote import joined, request_for, said, seconds, started
from tests.speech import surroundings
from wyoming_tts import espeak
from wyoming_tts.backends.espeak import EspeakBackend, EspeakOptions

TEXT = "The light in the kitchen is on, and the window is open."


def backend() -> EspeakBackend:
    return EspeakBackend(EspeakOptions(), surroundings(Path("unused"), name="espeak"))


async def test_it_speaks_with_words() -> None:
    """Sound of a sentence's length, each word in its place, times in order."""
    async with started(backend()) as speaker:
        voice = next(voice for voice in speaker.voices() if voice.name == "espeak/en-us")
        chunks = await said(speaker, TEXT, voice)
    assert 2 < seconds(chunks) < 6
    assert len(chunks) > 3
    assert 0.05 < np.sqrt(np.square(joined(chunks)).mean()) < 0.5
    words = [word for chunk in chunks for word in chunk.words]
    assert [word.word for word in words] == re.findall(r"\w+", TEXT)
    assert [word.start for word in words] == sorted(word.start for word in words)
    assert all(0 <= word.start <= word.end <= seconds(chunks) + 0.01 for word in words)


async def test_it_has_every_language() -> None:
    """A woman's and a man's voice for each, with tags that are BCP 47."""
    voices = backend().voices()
    tags = {voice.language for voice in voices}
    assert {"en-US", "en-GB", "de", "fr-FR", "es", "it", "pt-BR", "hi", "ja", "zh-CN", "pl", "ru"} <= tags
    assert all(re.fullmatch(r"[a-z]{2,3}(-([A-Z]{2}|\d{3}))?", tag) for tag in tags)
    assert all(voice.last_resort for voice in voices)
    assert {voice.gender for voice in voices if voice.language == "de"} == {"female", "male"}
    assert len({voice.name for voice in voices}) == len(voices)


async def test_every_language_makes_a_sound() -> None:
    """No voice that is offered is mute."""
    async with started(backend()) as speaker:
        for voice in speaker.voices():
            chunks = await said(speaker, "1 2 3, a o u", voice)
            assert np.abs(joined(chunks)).max() > 0.05, voice.name


async def test_pace() -> None:
    """Half as fast is about twice as long."""
    async with started(backend()) as speaker:
        slow, fast = [seconds(await said(speaker, TEXT, speed=speed)) for speed in (0.5, 1.0)]
    assert 1.5 < slow / fast < 2.5


async def test_leaving_ends_it() -> None:
    """A listener that goes away leaves no thread behind."""
    async with started(backend()) as speaker:
        chunks = speaker.synthesize(request_for(speaker, TEXT * 200))
        await anext(chunks)
        await chunks.aclose()
        await until(lambda: not any(thread.name == "espeak-ng" for thread in threading.enumerate()))


async def test_phonemes_and_speech_do_not_disturb_each_other() -> None:
    """The library has one state for all: what it reads is the same while it speaks."""
    before = espeak.ipa("the kitchen", "en-us")
    async with started(backend()) as speaker:
        de = next(voice for voice in speaker.voices() if voice.language == "de")
        alone = joined(await said(speaker, TEXT, de))
        speaking = [asyncio.create_task(said(speaker, TEXT, de)) for _ in range(4)]
        read = [await asyncio.to_thread(espeak.ipa, "the kitchen", "en-us") for _ in range(40)]
        with contextlib.suppress(asyncio.CancelledError):
            heard = [joined(chunks) for chunks in await asyncio.gather(*speaking)]
    assert set(read) == {before}
    for one in heard:
        assert abs(len(one) / len(alone) - 1) < 0.02  # the library draws lots for its pauses
