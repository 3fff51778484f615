"""What was said before costs nothing, and what is asked for twice at once is computed once."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wyoming.tts import Synthesize

from tests.fakes import (
    PATIENCE,
    VOICES,
    ScriptedBackend,
    Step,
    connected,
    pcm_of,
    pipeline_of,
    read_until,
    serving,
    wait_for,
)
from wyoming_tts.audio import from_s16, to_s16
from wyoming_tts.backends.cache import CachedBackend, key_of
from wyoming_tts.backends.cache_disk import DiskStore
from wyoming_tts.backends.cache_memory import MemoryStore
from wyoming_tts.backends.cache_sentence import Sentence
from wyoming_tts.errors import SynthesisError
from wyoming_tts.types import (
    AudioChunk,
    AudioFormat,
    Playhead,
    Pronunciation,
    SynthesisRequest,
    Voice,
    WordTiming,
)

FORMAT = AudioFormat()
WORD = WordTiming("hello", 0.5, 0.9, 0, 5)


def request_of(text: str = "Hello.", voice: Voice = VOICES[0], **more) -> SynthesisRequest:
    return SynthesisRequest(text=text, voice=voice, **more)


def noise(request: SynthesisRequest) -> Iterable[Step]:
    """Two seconds of noise with a word in each, other noise for each text."""
    rng = np.random.default_rng(len(request.text))
    for second in range(2):
        word = WordTiming(f"w{second}", second + 0.1, second + 0.5, second, second + 1)
        yield AudioChunk(rng.uniform(-1, 1, 24_000).astype(np.float32), FORMAT, (word,))


def cached(inner: ScriptedBackend, megabytes: float = 10, disk: DiskStore | None = None) -> CachedBackend:
    return CachedBackend(inner, MemoryStore(int(megabytes * 2**20)), disk)


async def spoken(backend: CachedBackend, request: SynthesisRequest | None = None) -> list[AudioChunk]:
    return [chunk async for chunk in backend.synthesize(request or request_of())]


def pcm(chunks: Iterable[AudioChunk]) -> bytes:
    return b"".join(to_s16(chunk.samples) for chunk in chunks)


@settings(deadline=None)
@given(st.binary(max_size=200).filter(lambda data: len(data) % 2 == 0 and b"\x00\x80" not in data))
def test_samples_come_back(data: bytes) -> None:
    """16-bit samples are the same after having been floats."""
    assert to_s16(from_s16(data)) == data


async def test_the_second_time_nothing_is_computed() -> None:
    """The same sentence again has the same samples and words, and does not reach the inner backend."""
    inner = ScriptedBackend(noise)
    backend = cached(inner)
    first, second = await spoken(backend), await spoken(backend)
    assert len(inner.requests) == 1
    assert pcm(first) == pcm(second)
    assert [chunk.words for chunk in first] == [chunk.words for chunk in second]
    assert backend.statistics().hits == 1
    assert backend.statistics().hit_rate == 0.5


async def test_each_word_comes_with_the_chunk_it_begins_in() -> None:
    """A stored sentence is given out a second at a time."""
    backend = cached(ScriptedBackend(noise))
    await spoken(backend)
    for number, chunk in enumerate(await spoken(backend)):
        assert chunk.seconds == 1.0
        assert [word.word for word in chunk.words] == [f"w{number}"]


OTHERS = {
    "text": request_of("Goodbye."),
    "voice": request_of(voice=VOICES[1]),
    "language": request_of(voice=dataclasses.replace(VOICES[0], language="en-GB")),
    "speed": request_of(speed=1.1),
    "pronunciation": request_of(pronunciations=(Pronunciation(0, 5, "hɛˈloʊ"),)),
    "options": request_of(options={"seed": 1}),
}


@pytest.mark.parametrize("name", OTHERS)
async def test_whatever_changes_the_sound_is_another_sentence(name: str) -> None:
    """Text, voice, language, pace, pronunciations and options are told apart."""
    inner = ScriptedBackend(noise)
    backend = cached(inner)
    await spoken(backend)
    await spoken(backend, OTHERS[name])
    assert len(inner.requests) == 2


def test_every_field_of_a_request_is_known() -> None:
    """A new field of requests must be decided upon: does it change the sound?"""
    fields = {field.name for field in dataclasses.fields(SynthesisRequest)}
    assert fields - {"playhead", "allowance"} == {"text", "pronunciations", "voice", "speed", "options"}


def test_the_backend_counts() -> None:
    """Other weights, another recipe or another rate is another sentence."""
    keys = {
        key_of(request_of(), "a", FORMAT),
        key_of(request_of(), "b", FORMAT),
        key_of(request_of(), "a", AudioFormat(16_000)),
    }
    assert len(keys) == 3


@pytest.mark.parametrize(("fingerprint", "options"), [(None, {}), ("x", {"what": object()})])
async def test_what_cannot_be_told_apart_is_not_kept(fingerprint: str | None, options: dict) -> None:
    """Without a fingerprint, or with options that cannot be written down, everything is passed through."""
    inner = ScriptedBackend(noise)
    inner.fingerprint = lambda voice: fingerprint  # type: ignore[method-assign]
    backend = cached(inner)
    for _ in range(2):
        assert len(await spoken(backend, request_of(options=options))) == 2
    assert len(inner.requests) == 2
    assert backend.statistics().entries == 0


async def test_two_at_once_share() -> None:
    """A sentence that is just being computed is computed for both, and both get all of it."""
    go_on = asyncio.Event()
    inner = ScriptedBackend(lambda request: [go_on, *noise(request), go_on])
    backend = cached(inner)
    both = [asyncio.create_task(spoken(backend)) for _ in range(2)]
    await asyncio.sleep(0.01)
    go_on.set()
    first, second = await asyncio.gather(*both)
    assert len(inner.requests) == 1
    assert pcm(first) == pcm(second)
    assert (backend.statistics().misses, backend.statistics().shared) == (1, 1)


@pytest.mark.parametrize("leaving", [0, 1])
async def test_who_leaves_takes_nothing_away(leaving: int) -> None:
    """When one of two leaves in the middle, the other gets the whole sentence, and it is stored."""
    go_on = asyncio.Event()
    inner = ScriptedBackend(lambda request: [100, go_on, *noise(request)])
    backend = cached(inner)
    both = [asyncio.create_task(spoken(backend)) for _ in range(2)]
    await asyncio.sleep(0.01)
    both[leaving].cancel()
    await asyncio.wait([both[leaving]])
    go_on.set()
    chunks = await both[1 - leaving]
    assert len(chunks) == 3
    assert backend.statistics().entries == 1


async def test_when_all_have_left_nothing_is_computed() -> None:
    """The inner sentence is closed with its last listener and not stored, and the next one begins anew."""
    never = asyncio.Event()
    inner = ScriptedBackend(lambda request: [100, never])
    backend = cached(inner)
    both = [asyncio.create_task(spoken(backend)) for _ in range(2)]
    await asyncio.sleep(0.01)
    for task in both:
        task.cancel()
    await asyncio.wait(both)
    await wait_for(inner.closed)
    assert inner.running == 0
    assert backend.statistics().entries == 0
    never.set()
    assert await spoken(backend)
    assert len(inner.requests) == 2


async def test_an_error_reaches_everyone_and_is_not_kept() -> None:
    """All who share a sentence that fails get its error; the next request tries again."""
    go_on = asyncio.Event()
    inner = ScriptedBackend(lambda request: [100, go_on, SynthesisError("no voice")])
    backend = cached(inner)
    both = [asyncio.create_task(spoken(backend)) for _ in range(2)]
    await asyncio.sleep(0.01)
    go_on.set()
    for outcome in await asyncio.gather(*both, return_exceptions=True):
        assert isinstance(outcome, SynthesisError)
    with pytest.raises(SynthesisError, match="no voice"):
        await spoken(backend)
    assert len(inner.requests) == 2
    assert backend.statistics().entries == 0


async def test_stop_ends_what_is_computed() -> None:
    """Stopping while a sentence is computed leaves no task behind."""
    never = asyncio.Event()
    backend = cached(ScriptedBackend(lambda request: [100, never]))
    listener = asyncio.create_task(spoken(backend))
    await asyncio.sleep(0.01)
    await backend.stop()
    listener.cancel()
    await asyncio.wait([listener])


async def test_the_most_needy_listener_counts() -> None:
    """A shared sentence is as urgent as its listener with the least in store."""
    go_on = asyncio.Event()
    inner = ScriptedBackend(lambda request: [2400, go_on, 2400])
    backend = cached(inner)
    rich, poor = Playhead(lambda: 10.0), Playhead(lambda: 10.0)
    rich.sent(5.0)
    poor.sent(0.5)
    both = [asyncio.create_task(spoken(backend, request_of(playhead=one))) for one in (rich, poor)]
    await asyncio.sleep(0.01)
    joint = inner.requests[0].playhead
    assert set(joint.streams) == {rich, poor}
    assert joint.lead() == 0.5
    both[1].cancel()
    await asyncio.wait(both[1:])
    assert joint.lead() == 5.0
    go_on.set()
    await both[0]


async def test_what_was_made_counts_before_it_is_played() -> None:
    """Audio on its way to a listener is in store, so that the next chunk is not thought to be urgent."""
    go_on = asyncio.Event()
    inner = ScriptedBackend(lambda request: [24_000, go_on, 24_000])
    backend = cached(inner)
    chunks = backend.synthesize(request_of())
    await anext(chunks)
    await asyncio.sleep(0)
    joint = inner.requests[0].playhead
    assert joint.first_audio is not None
    assert joint.lead() == pytest.approx(1.0)
    go_on.set()
    await chunks.aclose()


def sentence(seconds: float) -> Sentence:
    return Sentence(b"\0\0" * round(24_000 * seconds), (WORD,))


def test_the_oldest_makes_room() -> None:
    """Memory is bounded in bytes; what was not used for the longest time goes first."""
    store = MemoryStore(6 * sentence(1).bytes)
    for number in range(6):
        store.put(bytes([number]), sentence(1))
    assert store.get(b"\0") is not None
    store.put(b"new", sentence(1))
    assert store.get(b"\1") is None
    assert store.get(b"\0") is not None
    assert (store.evictions, len(store)) == (1, 6)
    assert store.bytes == 6 * sentence(1).bytes


def test_a_huge_sentence_drives_nobody_out() -> None:
    """A sentence of more than a quarter of the store is not kept."""
    store = MemoryStore(4 * sentence(1).bytes)
    store.put(b"small", sentence(1))
    store.put(b"huge", sentence(1.1))
    assert store.get(b"huge") is None
    assert store.get(b"small") is not None


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0.01, 0.4)), max_size=60))
def test_memory_never_outgrows_its_bound(puts: list[tuple[int, float]]) -> None:
    """Whatever is put in, the bytes are those of what is there, and within the bound."""
    store = MemoryStore(sentence(1).bytes)
    for key, seconds in puts:
        store.put(bytes([key]), sentence(seconds))
        assert store.bytes <= sentence(1).bytes
    assert store.bytes == sum(one.bytes for key in range(10) if (one := store.get(bytes([key]))))


async def test_on_the_wire_there_is_no_difference() -> None:
    """A client of a real server gets the same bytes from the cache as without it."""
    heard = []
    plain = ScriptedBackend(noise)
    for backend in (plain, cached(ScriptedBackend(noise))):
        async with serving(pipeline=pipeline_of(backend)) as server:  # type: ignore[arg-type]
            for _ in range(2):
                async with connected(server) as client:
                    await client.write_event(Synthesize(text="Hello there.").event())
                    heard.append(pcm_of(await read_until(client, "audio-stop")))
    assert len(heard[0]) == 2 * 2 * 24_000
    assert len(set(heard)) == 1


async def test_warm_up_fills_the_cache() -> None:
    """Texts of the configuration are in store before anybody asks; one that fails stops no other."""

    def script(request: SynthesisRequest) -> Iterable[Step]:
        return [SynthesisError("no")] if "bad" in request.text else [100]

    inner = ScriptedBackend(script)
    backend = cached(inner)
    pipeline = pipeline_of(backend)  # type: ignore[arg-type]
    await pipeline.warm_up(["The door is open.", "A bad one.", "Dinner is ready."])
    assert backend.statistics().entries == 2
    asked = len(inner.requests)
    async with asyncio.timeout(PATIENCE):
        assert await spoken(backend, inner.requests[0])
    assert len(inner.requests) == asked


async def test_a_restart_finds_it_on_disk(tmp_path: Path) -> None:
    """With a store on disk a second server computes nothing that the first one did."""
    first, second = ScriptedBackend(noise), ScriptedBackend(noise)
    heard = []
    for inner in (first, second):
        backend = cached(inner, disk=DiskStore(tmp_path / "cache.sqlite", 2**20))
        await backend.start()
        heard.append(pcm(await spoken(backend)))
        await backend.stop()
    assert (len(first.requests), len(second.requests)) == (1, 0)
    assert heard[0] == heard[1]
    assert backend.statistics().disk_hits == 1
