"""What Home Assistant needs of a Wyoming speech server, and what other servers got wrong.

The two listeners below read as Home Assistant does: the format from the place where it takes it, the end
where it sees it, and nothing more.
"""

from __future__ import annotations

import asyncio
import dataclasses
import string
from collections.abc import Sequence

import numpy as np
import pytest
from wyoming.audio import AudioChunk as WyomingChunk
from wyoming.audio import AudioStart
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)

from tests.fakes import (
    SAMPLES_PER_CHARACTER,
    ScriptedBackend,
    Step,
    connected,
    pcm_of,
    pipeline_of,
    read_all,
    read_until,
    samples_in,
    serving,
    types_of,
    voice,
)
from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.types import AudioChunk
from wyoming_tts.wyoming_connection import WyomingSettings


@dataclasses.dataclass
class Heard:
    """What a listener has at the end."""

    rate: int
    width: int
    channels: int
    audio: bytes


class HomeAssistantError(Exception):
    """What the user sees."""


async def one_shot(client: AsyncTcpClient, text: str, wanted: SynthesizeVoice | None = None) -> Heard:
    """Home Assistant's way without streaming: the format of the first chunk, then all up to `audio-stop`."""
    await client.write_event(Synthesize(text, wanted).event())
    heard: Heard | None = None
    while (event := await client.read_event()) is not None:
        if event.type == "error":
            raise HomeAssistantError(Error.from_event(event).text)
        if event.type == "audio-stop":
            assert heard is not None, "no audio: an undecodable file"
            return heard
        if event.type == "audio-chunk":
            chunk = WyomingChunk.from_event(event)
            heard = heard or Heard(chunk.rate, chunk.width, chunk.channels, b"")
            heard.audio += chunk.audio
    raise HomeAssistantError("connection lost")


async def streamed(
    client: AsyncTcpClient, pieces: Sequence[str], wanted: SynthesizeVoice | None = None
) -> Heard:
    """Home Assistant's way with a server that streams: it writes and reads at the same time."""

    async def write() -> None:
        await client.write_event(SynthesizeStart(wanted).event())
        for piece in pieces:
            await client.write_event(SynthesizeChunk(piece).event())
        await client.write_event(Synthesize("".join(pieces), wanted).event())
        await client.write_event(SynthesizeStop().event())

    writing = asyncio.create_task(write())
    try:
        return await _until_stopped(client)
    finally:
        await asyncio.gather(writing, return_exceptions=True)


async def _until_stopped(client: AsyncTcpClient) -> Heard:
    heard: Heard | None = None
    while (event := await client.read_event()) is not None:
        if event.type == "error":
            raise HomeAssistantError(Error.from_event(event).text)
        if event.type == "audio-start" and heard is None:
            start = AudioStart.from_event(event)
            heard = Heard(start.rate, start.width, start.channels, b"")
        elif event.type == "audio-chunk":
            assert heard is not None, "audio before audio-start: dropped"
            heard.audio += WyomingChunk.from_event(event).audio
        elif event.type == "synthesize-stopped":
            assert heard is not None, "no audio: an undecodable file"
            return heard
    raise HomeAssistantError("connection lost")


def length_of(text: str) -> int:
    """Bytes of audio that the scripted backend makes of one sentence."""
    return 2 * SAMPLES_PER_CHARACTER * len(text)


# What Home Assistant sends, and what it reads back


async def test_one_shot_is_heard_whole() -> None:
    """The format is in the first chunk, and all audio comes before `audio-stop`."""
    async with serving() as server, connected(server) as client:
        heard = await one_shot(client, "Hello there.")
    assert (heard.rate, heard.width, heard.channels) == (24_000, 2, 1)
    assert len(heard.audio) == length_of("Hello there.")


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_stream_is_heard_once(streaming: bool) -> None:
    """The whole text that follows the pieces for other servers' sake is not spoken as well."""
    async with serving(settings=WyomingSettings(streaming=streaming)) as server, connected(server) as client:
        heard = await streamed(client, ["Hello there."])
    assert (heard.rate, heard.width, heard.channels) == (24_000, 2, 1)
    assert len(heard.audio) == length_of("Hello there.")


async def test_a_stream_in_tokens_is_the_text() -> None:
    """A first piece and then one token at a time is spoken like the text in one piece."""
    text = "Here is the first sentence, which is long enough to be sent. And then a second one follows. Done."
    spoken = []
    for pieces in ([text], [text[:60], *text[60:]], list(text)):
        backend = ScriptedBackend()
        async with serving(backend) as server, connected(server) as client:
            await streamed(client, pieces)
        spoken.append(backend.texts)
    assert spoken == [text] * 3


async def test_no_voice_is_the_default_voice() -> None:
    """Home Assistant names no voice and no language unless the user chose one."""
    backend = ScriptedBackend()
    async with serving(backend) as server:
        for wanted in (None, SynthesizeVoice(name="adam"), SynthesizeVoice(name="adam", speaker="adam")):
            async with connected(server) as client:
                await streamed(client, ["Hello."], wanted)
            async with connected(server) as client:
                await one_shot(client, "Hello.", wanted)
    assert [r.voice.name for r in backend.requests] == ["heart", "heart", "adam", "adam", "adam", "adam"]


async def test_fields_of_later_versions_are_ignored() -> None:
    """`context` and what is yet to come does no harm."""
    async with serving() as server, connected(server) as client:
        await client.write_event(Event("synthesize", {"text": "Hello.", "context": {"a": 1}, "new": [2]}))
        assert types_of(await read_until(client, "audio-stop"))[-1] == "audio-stop"


async def test_a_voice_that_does_not_exist_is_a_visible_error() -> None:
    """Any string arrives as a voice; the user reads which one was meant."""
    async with serving() as server:
        for speak in (one_shot, lambda client, text, wanted: streamed(client, [text], wanted)):
            async with connected(server) as client:
                with pytest.raises(HomeAssistantError, match="adam"):
                    await speak(client, "Hello.", SynthesizeVoice(name="adams"))


async def test_events_come_in_the_order_that_is_read() -> None:
    """One `audio-start`, then audio, then `audio-stop`, `synthesize-stopped` once, and nothing after it."""
    async with serving() as server, connected(server) as client:
        await client.write_event(SynthesizeStart().event())
        for piece in ("One sentence. ", "Another sentence. ", "A third."):
            await client.write_event(SynthesizeChunk(piece).event())
        await client.write_event(SynthesizeStop().event())
        events = await read_until(client, "synthesize-stopped")
        await client.write_event(Describe().event())
        after = await read_until(client, "info")
    assert types_of(events) == ["audio-start", "audio-chunk", "audio-stop", "synthesize-stopped"]
    assert SynthesizeStopped.is_type(events[-1].type)
    assert types_of(after) == ["info"]


async def test_every_chunk_has_the_format_of_the_start() -> None:
    """Rate, width and channels are said everywhere and never change; no chunk is empty."""
    async with serving() as server, connected(server) as client:
        await client.write_event(Synthesize("One sentence. " * 20).event())
        events = await read_until(client, "audio-stop")
    formats = {tuple(e.data[key] for key in ("rate", "width", "channels")) for e in events[:-1]}
    assert formats == {(24_000, 2, 1)}
    chunks = [event for event in events if event.type == "audio-chunk"]
    assert all(chunk.payload for chunk in chunks)
    stamps = [chunk.data["timestamp"] for chunk in chunks]
    assert stamps == sorted(stamps)
    assert len(set(stamps)) > 20


async def test_a_listener_that_goes_on_reading_gets_everything() -> None:
    """A client that sends nothing more is not taken for one that has gone."""
    async with serving() as server, connected(server) as client:
        assert len((await one_shot(client, "One sentence. " * 100)).audio) > 2 * 100 * 1_000


# Nothing to say, and errors


@pytest.mark.parametrize("text", ["", " ", "\n", "...", "🙂"])
async def test_nothing_to_say_is_a_short_silence(text: str) -> None:
    """Both ways end properly and with audio, since a file without audio cannot be played."""
    backend = ScriptedBackend(lambda request: [])
    pipeline = pipeline_of(backend, sentence_silence=0.3)
    async with serving(backend, pipeline=pipeline) as server:
        for speak in (one_shot, lambda client, text: streamed(client, [text])):
            async with connected(server) as client:
                heard = await speak(client, text)
                assert 0 < len(heard.audio) <= 2 * 24_000
                assert not any(heard.audio)


async def test_a_stream_without_any_piece_ends_properly() -> None:
    """Start and stop alone are answered like a blank text: no listener hangs."""
    backend = ScriptedBackend()
    pipeline = pipeline_of(backend, sentence_silence=0.3)
    async with serving(backend, pipeline=pipeline) as server, connected(server) as client:
        assert (await streamed(client, [])).audio


@pytest.mark.parametrize("pieces", [None, ["Hello there."], ["One is said. ", "Two is not."]])
async def test_an_error_before_audio_comes_alone_and_closes(pieces: list[str] | None) -> None:
    """`error`, then the end of the connection: older versions wait for ever otherwise."""
    backend = ScriptedBackend(lambda request: [BackendUnavailableError("the model is not there")])
    async with serving(backend) as server, connected(server) as client:
        if pieces is None:
            await client.write_event(Synthesize("Hello.").event())
        else:
            await client.write_event(SynthesizeStart().event())
            for piece in pieces:
                await client.write_event(SynthesizeChunk(piece).event())
            await client.write_event(SynthesizeStop().event())
        events = await read_all(client)
    assert [event.type for event in events] == ["error"]
    assert events[0].data == {"text": "the model is not there", "code": "backend-unavailable"}


@pytest.mark.parametrize("stream", [True, False])
async def test_an_error_within_audio_is_not_taken_for_success(stream: bool) -> None:
    """After audio has begun too, `error` is the last event: no `audio-stop`, no `synthesize-stopped`."""
    backend = ScriptedBackend(lambda request: [2_000, BackendUnavailableError("gone")])
    async with serving(backend) as server, connected(server) as client:
        if stream:
            await client.write_event(SynthesizeStart().event())
            await client.write_event(SynthesizeChunk("Hello there.").event())
            await client.write_event(SynthesizeStop().event())
        else:
            await client.write_event(Synthesize("Hello there.").event())
        events = await read_all(client)
    assert types_of(events) == ["audio-start", "audio-chunk", "error"]


async def test_requests_behind_an_error_are_not_answered() -> None:
    """What was asked for behind a failed request is cut off with the connection, never mixed up."""
    scripts: list[list[Step]] = [[100], [BackendUnavailableError("gone")], [100]]
    backend = ScriptedBackend(lambda request: scripts.pop(0))
    async with serving(backend) as server, connected(server) as client:
        for text in ("One.", "Two.", "Three."):
            await client.write_event(Synthesize(text).event())
        events = await read_all(client)
    assert types_of(events) == ["audio-start", "audio-chunk", "audio-stop", "error"]


# Faults of other servers


async def test_a_connection_is_as_new_after_a_stream() -> None:
    """One-shot after a stream, a stream after that, and the other way round, on one connection."""
    async with serving() as server, connected(server) as client:
        for _ in range(2):
            assert len((await streamed(client, ["Hello there."])).audio) == length_of("Hello there.")
            assert len((await one_shot(client, "Good morning.")).audio) == length_of("Good morning.")


async def test_nothing_is_loaded_for_a_connection() -> None:
    """The backend is started by whoever built it, never by a client."""
    backend = ScriptedBackend()
    async with serving(backend) as server:
        for _ in range(3):
            async with connected(server) as client:
                await one_shot(client, "Hello.")
    assert backend.starts == 0


async def test_silence_is_audio() -> None:
    """A backend that makes silence is passed on as it is: nothing is scaled by its loudest sample."""
    backend = ScriptedBackend(lambda request: [AudioChunk(np.zeros(2_000, np.float32))])
    async with serving(backend) as server, connected(server) as client:
        assert (await one_shot(client, "Hello.")).audio == bytes(4_000)


async def test_chunks_are_whole_samples_of_bare_pcm() -> None:
    """Odd numbers of samples stay even numbers of bytes, and no container is among them."""
    backend = ScriptedBackend(lambda request: [1, 1_023, 3, 2_049])
    async with serving(backend) as server, connected(server) as client:
        await client.write_event(Synthesize("Hello.").event())
        events = await read_until(client, "audio-stop")
    assert all(len(event.payload or b"") % 2 == 0 for event in events)
    assert samples_in(events) == 1 + 1_023 + 3 + 2_049
    assert pcm_of(events) == (8_192).to_bytes(2, "little") * samples_in(events)


async def test_a_long_text_is_spoken_to_its_end() -> None:
    """Nothing is cut off silently: every sentence of 20,000 characters is spoken."""
    words = [f"{a}osh{b}i" for a in string.ascii_lowercase for b in string.ascii_lowercase]
    text = " ".join(f"This is the sentence that says {word} of many." for word in words[:500])
    for way in ("one-shot", "stream"):
        backend = ScriptedBackend(lambda request: [10])
        async with serving(backend) as server, connected(server) as client:
            await (one_shot(client, text) if way == "one-shot" else streamed(client, [text]))
        assert backend.texts == text


async def test_a_voice_may_have_any_name() -> None:
    """No meaning is read into a voice's name."""
    odd = [voice("joe"), voice("a-b.c", "de-DE"), voice("日本", "ja")]
    backend = ScriptedBackend(voices=odd)
    async with serving(backend) as server:
        for expected in odd:
            async with connected(server) as client:
                await one_shot(client, "Hello.", SynthesizeVoice(name=expected.name))
    assert [request.voice for request in backend.requests] == odd


async def test_a_model_is_shared_by_all_clients() -> None:
    """Several listeners at once are spoken to through the one backend, each with its own audio."""
    backend = ScriptedBackend()
    server_of = serving(backend, pipeline=pipeline_of(backend))
    texts = ["One.", "Three.", "Fifteen.", "A hundred."]

    async with server_of as server:

        async def listen(text: str) -> int:
            async with connected(server) as client:
                return len((await one_shot(client, text)).audio)

        lengths = await asyncio.gather(*(listen(text) for text in texts))
    assert lengths == [length_of(text) for text in texts]
