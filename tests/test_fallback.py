"""The chain: who is asked, in which order, how long; going on in a sentence; level and rate; chaos."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import PATIENCE, ScriptedBackend, Step, until
from tests.remote import collect, elevenlabs, joined, openai, seconds
from tests.upstream import FAULTS, RATE, ElevenLabs, Fault, OpenAI, Upstream
from wyoming_tts.backends.base import BackendOptions
from wyoming_tts.backends.circuit import Circuit, Cooldown
from wyoming_tts.backends.fallback import FallbackBackend
from wyoming_tts.backends.members import Member
from wyoming_tts.errors import (
    BackendAuthError,
    BackendError,
    BackendOverloadedError,
    BackendQuotaError,
    BackendTimeoutError,
    BackendUnavailableError,
    ConfigError,
    InvalidTextError,
    ServerBusyError,
    SynthesisError,
)
from wyoming_tts.loudness import block_powers, loudness
from wyoming_tts.types import AudioChunk, AudioFormat, Samples, SynthesisRequest, Voice, WordTiming

Script = Callable[[SynthesisRequest], Iterable[Step]]
TEXT = "one two three four"
OUTAGE = BackendUnavailableError("it burns")


def voice_of(backend: str, language: str = "en-US", **more: Any) -> Voice:
    return Voice(name=f"{backend}-voice", language=language, backend=backend, description=backend, **more)


def speaks(request: SynthesisRequest) -> Iterable[Step]:
    """A tenth of a second for each word, with its time."""
    return [word_chunk(number, request.text) for number in range(len(request.text.split()))]


def word_chunk(number: int, text: str, size: int = 2_400) -> AudioChunk:
    words = text.split()
    start = len(" ".join(words[:number])) + (number > 0) + (len(text) - len(text.lstrip()))
    timing = WordTiming(
        words[number], number * size / RATE, (number + 1) * size / RATE, start, start + len(words[number])
    )
    return AudioChunk(np.full(size, 0.1 * (number + 1), np.float32), words=(timing,))


def fails(error: Exception) -> Script:
    return lambda request: [error]


def member(name: str, script: Script = speaks, *, backend: Any = None, **options: Any) -> Member:
    backend = backend or ScriptedBackend(script, [voice_of(name)], name)
    return Member(backend, BackendOptions(**options), Circuit(cooldowns={BackendError: Cooldown(0.05, 0.2)}))


@contextlib.asynccontextmanager
async def chain(*members: Member, **more: Any) -> AsyncIterator[FallbackBackend]:
    backend = FallbackBackend(members, level=False, **more)
    await backend.start()
    try:
        yield backend
    finally:
        await backend.stop()


async def said(
    backend: FallbackBackend, text: str = TEXT, voice: Voice | None = None, **more: Any
) -> list[AudioChunk]:
    request = SynthesisRequest(text=text, voice=voice or backend.voices()[0], **more)
    async with contextlib.aclosing(backend.synthesize(request)) as chunks:
        return [chunk async for chunk in chunks]


def requests(member: Member) -> list[SynthesisRequest]:
    assert isinstance(member.backend, ScriptedBackend)
    return member.backend.requests


async def test_the_first_speaks() -> None:
    """Where all is well nobody else is asked, and nothing of the audio changes."""
    one, two = member("one"), member("two")
    async with chain(one, two) as backend:
        chunks = await said(backend)
    expected = [chunk for chunk in speaks(requests(one)[0]) if isinstance(chunk, AudioChunk)]
    np.testing.assert_array_equal(joined(chunks), joined(expected))
    assert [word.word for chunk in chunks for word in chunk.words] == TEXT.split()
    assert {chunk.backend for chunk in chunks} == {"one"}
    assert not requests(two)


async def test_a_named_voice_is_its_backends() -> None:
    """A request for a voice of the second backend goes there first."""
    one, two = member("one"), member("two", fails(OUTAGE))
    async with chain(one, two) as backend:
        chunks = await said(backend, voice=voice_of("two"))
    assert len(requests(two)) == 1
    assert {chunk.backend for chunk in chunks} == {"one"}
    assert requests(one)[0].voice.name == "one-voice"


@pytest.mark.parametrize(
    "error",
    [
        OUTAGE,
        BackendTimeoutError("late"),
        BackendOverloadedError("busy"),
        BackendQuotaError("used up"),
        BackendAuthError("wrong key"),
        SynthesisError("odd"),
    ],
)
async def test_another_speaks_for_one_that_fails(error: BackendError) -> None:
    """Whatever kind of failure it is, the sentence is spoken, whole."""
    one, two = member("one", fails(error)), member("two")
    async with chain(one, two) as backend:
        chunks = await said(backend)
    assert seconds(chunks) == pytest.approx(0.4)
    assert requests(two)[0].text == TEXT


@pytest.mark.parametrize("error", [InvalidTextError("no"), ServerBusyError("full")])
async def test_what_another_could_not_mend_is_passed_on(error: Exception) -> None:
    """The caller's mistake, and too many listeners, are not tried elsewhere."""
    one, two = member("one", fails(error)), member("two")
    async with chain(one, two) as backend:
        with pytest.raises(type(error)):
            await said(backend)
    assert not requests(two)
    assert one.circuit.state == "closed"


async def test_all_fail() -> None:
    """The first one's error is the sentence's; all were tried, also those that are left alone."""
    one, two = member("one", fails(OUTAGE)), member("two", fails(BackendQuotaError("broke")))
    async with chain(one, two) as backend:
        for _ in range(2):
            with pytest.raises(BackendUnavailableError, match="it burns"):
                await said(backend)
    assert len(requests(one)) == len(requests(two)) == 2


async def test_who_failed_is_left_alone_until_a_probe_says_otherwise() -> None:
    """The next sentence does not ask it; once it answers a probe, the one after that does."""
    broken = [True]

    class Backend(ScriptedBackend):
        probes = 0

        async def probe(self) -> None:
            Backend.probes += 1
            if broken[0]:
                raise OUTAGE

    own = Backend(lambda request: [OUTAGE] if broken[0] else speaks(request), [voice_of("one")], "one")
    one, two = member("one", backend=own), member("two")
    async with chain(one, two) as backend:
        await said(backend)
        await said(backend)
        assert len(own.requests) == 1
        await until(lambda: Backend.probes >= 2)
        broken[0] = False
        await until(lambda: one.circuit.state == "half-open")
        assert {chunk.backend for chunk in await said(backend)} == {"one"}
        assert one.circuit.state == "closed"


async def test_half_open_lets_one_through() -> None:
    """While one sentence tries it, others go to the next."""
    gate = asyncio.Event()
    one = member("one", lambda request: [gate, *speaks(request)])
    two = member("two")
    async with chain(one, two) as backend:
        one.circuit.fail(OUTAGE)
        one.circuit.probed(None)
        trial = asyncio.create_task(said(backend))
        await until(lambda: bool(requests(one)))
        assert {chunk.backend for chunk in await said(backend)} == {"two"}
        gate.set()
        assert {chunk.backend for chunk in await trial} == {"one"}


async def test_who_hangs_is_left_in_time() -> None:
    """The next is asked when the first one's time is up."""
    one, two = member("one", lambda request: [asyncio.Event()], first_audio_timeout=0.2), member("two")
    async with chain(one, two) as backend:
        began = time.monotonic()
        chunks = await said(backend)
        assert 0.2 <= time.monotonic() - began < PATIENCE
    assert {chunk.backend for chunk in chunks} == {"two"}
    assert one.backend.running == 0  # type: ignore[attr-defined]
    assert isinstance(one.circuit.reason, BackendTimeoutError)


async def test_hedging_asks_a_second_one() -> None:
    """With hedging the next is asked beside a late one; whoever is first speaks, and the other is stopped."""
    gate = asyncio.Event()
    one, two = member("one", lambda request: [gate, *speaks(request)]), member("two")
    async with chain(one, two, hedge_after=0.05) as backend:
        assert {chunk.backend for chunk in await said(backend)} == {"two"}
        assert one.backend.running == 0  # type: ignore[attr-defined]
        assert one.circuit.state == "closed"  # it was late, not broken
        gate.set()
        assert {chunk.backend for chunk in await said(backend)} == {"one"}
    assert len(requests(two)) == 1


async def test_the_rest_is_spoken_by_another() -> None:
    """Lost in a sentence whose words are known: the next goes on behind the last complete word."""

    def half(request: SynthesisRequest) -> Iterable[Step]:
        return [word_chunk(0, request.text), word_chunk(1, request.text), OUTAGE]

    one, two = member("one", half), member("two")
    async with chain(one, two) as backend:
        chunks = await said(backend)
    assert requests(two)[0].text.strip() == "three four"
    words = [word for chunk in chunks for word in chunk.words]
    assert [word.word for word in words] == TEXT.split()
    assert [TEXT[word.char_start : word.char_end] for word in words] == TEXT.split()
    assert [word.start for word in words] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert [chunk.backend for chunk in chunks if chunk.words] == ["one", "one", "two", "two"]


async def test_a_word_that_was_begun_is_begun_again() -> None:
    """Half a word is no word: it is not lost."""

    def half(request: SynthesisRequest) -> Iterable[Step]:
        second = word_chunk(1, request.text)
        return [word_chunk(0, request.text), AudioChunk(second.samples[:1000], words=second.words), OUTAGE]

    two = member("two")
    async with chain(member("one", half), two) as backend:
        await said(backend)
    assert requests(two)[0].text.strip() == "two three four"


async def test_without_times_it_ends_in_an_error() -> None:
    """Where nobody knows what was said, the sentence ends honestly, and nothing is said twice."""
    two = member("two")
    async with chain(member("one", lambda request: [1000, OUTAGE]), two) as backend:
        with pytest.raises(BackendUnavailableError):
            await said(backend)
    assert not requests(two)


async def test_lost_a_second_time() -> None:
    """When the second breaks off, too, what the first has said does not count for it."""

    def half(request: SynthesisRequest) -> Iterable[Step]:
        return [word_chunk(0, request.text), OUTAGE]

    three = member("three")
    async with chain(member("one", half), member("two", half), three) as backend:
        chunks = await said(backend)
    assert [word.word for chunk in chunks for word in chunk.words] == TEXT.split()
    assert requests(three)[0].text.strip() == "three four"
    mute = member("two", lambda request: [1000, OUTAGE])
    async with chain(member("one", half), mute, member("three")) as backend:
        with pytest.raises(BackendUnavailableError):
            await said(backend)


async def test_lost_behind_the_last_word() -> None:
    """When all words were out nothing is missing."""
    two = member("two")
    async with chain(member("one", lambda request: [*speaks(request), OUTAGE]), two) as backend:
        assert seconds(await said(backend)) == pytest.approx(0.4)
    assert not requests(two)


async def test_who_stalls_is_left() -> None:
    """Nothing more for too long is a failure, too."""
    one = member("one", lambda request: [word_chunk(0, request.text), asyncio.Event()], stall_timeout=0.1)
    async with chain(one, member("two")) as backend:
        chunks = await said(backend)
    assert [word.word for chunk in chunks for word in chunk.words] == TEXT.split()


async def test_a_break_does_not_click() -> None:
    """What was said before a break fades out."""
    loud = AudioChunk(np.full(2_400, 0.9, np.float32))
    async with chain(member("one", lambda request: [loud, OUTAGE])) as backend:
        request = SynthesisRequest(text=TEXT, voice=backend.voices()[0])
        chunks: list[AudioChunk] = []
        with pytest.raises(BackendUnavailableError):
            await collect(backend.synthesize(request), chunks)
    samples = joined(chunks)
    assert len(samples) == 2_400
    assert abs(samples[-1]) < 0.01
    assert np.abs(np.diff(samples)).max() < 0.02


async def test_no_sound_is_no_success() -> None:
    """A backend that finds nothing to say in a text gives way; when all do, there is nothing to say."""
    one, two = member("one", lambda request: []), member("two")
    async with chain(one, two) as backend:
        assert {chunk.backend for chunk in await said(backend)} == {"two"}
        assert one.circuit.state == "closed"
    async with chain(member("one", lambda request: [])) as backend:
        assert await said(backend) == []


async def test_fallbacks_of_the_voice_come_first() -> None:
    """A voice that names who stands in for it gets that one."""
    one, two, three = member("one", fails(OUTAGE)), member("two"), member("three")
    async with chain(one, two, three) as backend:
        wanted = voice_of("one", fallbacks=("three-voice", "two-voice"))
        assert {chunk.backend for chunk in await said(backend, voice=wanted)} == {"three"}


async def test_a_blend_is_spoken_as_such() -> None:
    """Whoever has the voices of a blend speaks it; who has not gives one of his own."""
    blend = Voice(
        name="a(2)+b(1)", language="en-US", backend="one", description="", gender="male", blend=True
    )
    both = [dataclasses.replace(voice_of("one"), name=name) for name in "ab"]
    also = [dataclasses.replace(one, backend="two") for one in both]
    one = member("one", backend=ScriptedBackend(fails(OUTAGE), both, "one"))
    two = member("two", backend=ScriptedBackend(fails(OUTAGE), also, "two"))
    three = member("three")
    async with chain(one, two, three) as backend:
        await said(backend, voice=blend)
    asked = [requests(each)[0].voice for each in (one, two, three)]
    assert [voice.name for voice in asked] == ["a(2)+b(1)", "a(2)+b(1)", "three-voice"]
    assert [voice.backend for voice in asked] == ["one", "two", "three"]


async def test_the_language_decides() -> None:
    """Nobody speaks a language for which he has no voice."""
    one = member("one", fails(OUTAGE))
    german = ScriptedBackend(speaks, [voice_of("two", "de")], "two")
    french = ScriptedBackend(speaks, [voice_of("three", "fr")], "three")
    async with chain(one, member("two", backend=german), member("three", backend=french)) as backend:
        wanted = voice_of("one", "fr")
        assert {chunk.backend for chunk in await said(backend, voice=wanted)} == {"three"}
        with pytest.raises(SynthesisError, match="no backend has a voice"):
            await said(backend, voice=voice_of("nobody", "ja"))


class Tones(ScriptedBackend):
    """Says everything as a tone, at its own rate and level."""

    def __init__(self, name: str, rate: int, level: float) -> None:
        self.rate, self.level = rate, level
        super().__init__(self._tone, [voice_of(name)], name)
        self.format = AudioFormat(rate)

    def _tone(self, request: SynthesisRequest) -> Iterable[Step]:
        samples = np.sin(2 * np.pi * 440 * np.arange(2 * self.rate) / self.rate).astype(np.float32)
        samples *= np.float32(self.level)
        for start in range(0, len(samples), 5_000):
            yield AudioChunk(samples[start : start + 5_000], self.format)


@pytest.mark.parametrize("level", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100])
async def test_another_voice_is_as_loud_and_as_fast(rate: int, level: float) -> None:
    """A stand-in's audio has the announced rate and the level of the first backend, without a seam."""
    first, second = Tones("one", RATE, 0.1), Tones("two", rate, level)
    backend = FallbackBackend([member("one", backend=first), member("two", backend=second)])
    await backend.start()
    chunks = await said(backend)
    expected = heard_loudness(joined(chunks))
    chunks = await said(backend, voice=voice_of("two"))
    await backend.stop()
    samples = joined(chunks)
    assert abs(len(samples) / RATE - 2) < 0.01
    assert abs(heard_loudness(samples) - expected) < 0.5 or level == 0.02  # 12 dB are the most
    assert heard_loudness(samples) <= expected + 0.5
    middle = samples[2_000:-2_000]
    assert abs(np.argmax(np.abs(np.fft.rfft(middle))) * RATE / len(middle) - 440) < 2
    assert np.abs(np.diff(middle)).max() < 1.2 * np.abs(middle).max() * 2 * np.pi * 440 / RATE


def heard_loudness(samples: Samples) -> float:
    found = loudness(block_powers(samples, RATE))
    assert found is not None
    return found


async def test_start_needs_one() -> None:
    """One that cannot start is left alone; when none can, that is the start's error."""

    class Dead(ScriptedBackend):
        async def start(self) -> None:
            raise OUTAGE

        async def probe(self) -> None:
            raise OUTAGE

    dead = member("one", backend=Dead(fails(OUTAGE), [voice_of("one")], "one"))
    async with chain(dead, member("two")) as backend:
        assert not dead.circuit.usable
        assert seconds(await said(backend)) > 0
    lonely = FallbackBackend([member("one", backend=Dead(name="one"))])
    with pytest.raises(BackendUnavailableError):
        await lonely.start()
    await lonely.stop()


async def test_a_wrong_setting_ends_the_start() -> None:
    """A mistake in the configuration is not something to fall back from."""

    class Wrong(ScriptedBackend):
        async def start(self) -> None:
            raise ConfigError("no such model")

    backend = FallbackBackend([member("one"), member("two", backend=Wrong(name="two"))])
    with pytest.raises(ConfigError):
        await backend.start()
    await backend.stop()


async def test_leaving_stops_everything() -> None:
    """A listener that goes away leaves no attempt behind, at whatever moment."""
    gate = asyncio.Event()
    one = member("one", lambda request: [gate])
    two = member("two", lambda request: [1000, gate])
    async with chain(one, two, hedge_after=0.02) as backend:
        chunks = backend.synthesize(SynthesisRequest(text=TEXT, voice=backend.voices()[0]))
        await anext(chunks)
        await chunks.aclose()
        waiting = asyncio.create_task(said(backend, voice=voice_of("one")))
        await until(lambda: len(requests(one)) == 2)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await until(lambda: one.backend.running == two.backend.running == 0)  # type: ignore[attr-defined]


# Chaos: real backends, real HTTP, every fault.

SENTENCES = 200
WORDS = 5
STEP = 16
"""Distance between two tags, in units of s16."""


def tagged(text: str) -> bytes:
    """Each word `wN` as a third of a second of samples of the value N."""
    return b"".join(np.full(7_200, STEP * int(word[1:]), "<i2").tobytes() for word in text.split())


def heard(samples: Samples) -> list[int]:
    """The words that are there from beginning to end, in order, however often each."""
    values = np.rint(samples * 32_768 / STEP).astype(int)
    runs = np.split(values, np.flatnonzero(np.diff(values)) + 1) if len(values) else []
    return [int(run[0]) for run in runs if run[0] > 0 for _ in range(round(len(run) / 7_200))]


async def test_chaos(tmp_path: Path) -> None:
    """Whatever the three do, in 200 sentences no word is said twice, and none is lost while one is up.

    A sentence may end in an error where its backend broke off and tells no times, or where all three fail.
    """
    lots = random.Random(5)
    limits: dict[str, Any] = {"first_audio_timeout": 0.4, "stall_timeout": 0.4, "connect_timeout": 0.4}
    contracts: list[Any] = [ElevenLabs(make=tagged), OpenAI(make=tagged), OpenAI(make=tagged)]
    threads = threading.active_count()
    async with contextlib.AsyncExitStack() as stack:
        ups = [await stack.enter_async_context(Upstream(contract)) for contract in contracts]
        backends = [
            elevenlabs(ups[0].url, tmp_path, **limits),
            openai(ups[1].url, "two", voice_names=("nova",), response_format="pcm", **limits),
            openai(ups[2].url, "three", voice_names=("nova",), response_format="pcm", **limits),
        ]
        members = [
            Member(one, BackendOptions(first_audio_timeout=0.5, stall_timeout=0.5), Circuit(cooldowns=QUICK))
            for one in backends
        ]
        async with chain(*members) as backend:
            for first in range(0, SENTENCES, 8):
                await asyncio.gather(*(
                    one_sentence(backend, number, contracts, lots) for number in range(first, first + 8)
                ))  # fmt: skip
        await until(lambda: not any(up.connections for up in ups))
    await until(lambda: threading.active_count() <= threads)
    assert [path.name for path in tmp_path.iterdir()] == ["elevenlabs"]  # noqa: ASYNC240 - it is over


QUICK = {BackendError: Cooldown(0.02, 0.1)}
BREAKS_OFF = {"hang_mid_body", "break_mid_body", "slow_drip", "truncated_wav"}


async def one_sentence(
    backend: FallbackBackend, number: int, contracts: list[Any], lots: random.Random
) -> None:
    """Speak one while each backend may fail in any way; what must hold of it is asserted."""
    first = 100 + number * WORDS  # tags that are loud enough to be heard
    words = list(range(first, first + WORDS))
    for contract in contracts:
        fault: Fault | None = FAULTS[lots.choice(list(FAULTS))] if lots.random() < 0.5 else None
        contract.faults.append(fault)
        if isinstance(contract, ElevenLabs):
            contract.broken_after = lots.choice([None, None, 2, 3])
    request = SynthesisRequest(text=" ".join(f"w{word}" for word in words), voice=backend.voices()[0])
    chunks: list[AudioChunk] = []
    error: BackendError | None = None
    try:
        async with asyncio.timeout(PATIENCE):
            await collect(backend.synthesize(request), chunks)
    except BackendError as failure:
        error = failure
    found = heard(joined(chunks))
    if error is None:
        assert found == words, (number, found)
    else:
        assert found == words[: len(found)], (number, found, error)
