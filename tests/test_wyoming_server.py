"""Requests over real sockets: what is answered, what is spoken, what is logged."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import numpy as np
import pytest
from wyoming.event import Event, async_read_event
from wyoming.info import Describe, Info, SelectProgram
from wyoming.ping import Ping
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeVoice

from tests.fakes import (
    SAMPLES_PER_CHARACTER,
    SPOKEN,
    ScriptedBackend,
    answers,
    answers_to,
    connected,
    frame,
    info_of,
    pcm_of,
    pipeline_of,
    raw,
    read_until,
    samples_in,
    serving,
    types_of,
)
from wyoming_tts.errors import SynthesisError
from wyoming_tts.types import AudioChunk
from wyoming_tts.wyoming_connection import WyomingSettings
from wyoming_tts.wyoming_info import InfoFrame
from wyoming_tts.wyoming_server import WyomingServer

STREAMED = [*SPOKEN, "synthesize-stopped"]


async def test_audio_is_the_samples_that_were_made() -> None:
    """PCM is the float samples scaled and clipped, whole, whatever the chunk size."""
    ramp = np.linspace(-1.5, 1.5, 2_501, dtype=np.float32)
    backend = ScriptedBackend(lambda request: [AudioChunk(ramp)])
    for size in (1, 7, 1024, 100_000):
        async with (
            serving(backend, WyomingSettings(samples_per_chunk=size)) as server,
            connected(server) as client,
        ):
            await client.write_event(Synthesize("Hello.").event())
            events = await read_until(client, "audio-stop")
        expected = np.rint(np.clip(ramp, -1, 1) * 32_767).astype("<i2").tobytes()
        assert pcm_of(events) == expected
        sizes = [len(event.payload or b"") // 2 for event in events if event.type == "audio-chunk"]
        assert sizes[:-1] == [size] * (len(sizes) - 1)
        assert 0 < sizes[-1] <= size


async def test_the_first_audio_leaves_at_once() -> None:
    """Audio smaller than a chunk is sent while the rest is still being made."""
    gate = asyncio.Event()
    backend = ScriptedBackend(lambda request: [3, gate, 5_000])
    async with serving(backend) as server, connected(server) as client:
        await client.write_event(Synthesize("Hello.").event())
        assert samples_in(await read_until(client, "audio-chunk")) == 3
        gate.set()
        assert samples_in(await read_until(client, "audio-stop")) == 5_000


async def test_timestamps_are_milliseconds_of_audio() -> None:
    """Each chunk says where it starts, and the stop where all ends."""
    backend = ScriptedBackend(lambda request: [2_400, 2_400])
    async with serving(backend) as server, connected(server) as client:
        await client.write_event(Synthesize("Hello.").event())
        events = await read_until(client, "audio-stop")
    stamps = [event.data["timestamp"] for event in events]
    assert stamps == [0, 0, 43, 85, 100, 143, 185, 200]


@pytest.mark.parametrize(
    ("context", "speed"),
    [
        ({"speed": 0.5}, 0.5),
        ({"speed": 2}, 2.0),
        ({"speed": 1.25, "room": "kitchen"}, 1.25),
        ({"speed": None}, 1.0),
        ({"room": {"speed": 2}}, 1.0),
        ({}, 1.0),
        (None, 1.0),
    ],
)
async def test_the_speed_of_the_context_is_spoken(context: Any, speed: float) -> None:
    """`context.speed` is the pace of its own request, streamed or not; its other keys change nothing."""
    backend = ScriptedBackend()
    one = frame("synthesize", text="Hello.", context=context)
    pieces = frame("synthesize-chunk", text="Hello.") + frame("synthesize-stop")
    streamed = frame("synthesize-start", context=context) + pieces
    plain = frame("synthesize-start") + pieces
    async with serving(backend) as server, raw(server) as (reader, writer):
        writer.write(one + streamed + plain)
        for last in ("audio-stop", "synthesize-stopped", "synthesize-stopped"):
            assert (await answers(reader, last))[-1].type == last
    assert [request.speed for request in backend.requests] == [speed, speed, 1.0]


async def test_requests_on_one_connection_wait_for_each_other() -> None:
    """Several requests at once are spoken in order, one at a time."""
    backend = ScriptedBackend()
    async with serving(backend) as server, connected(server) as client:
        for text in ("One.", "Three.", "Fifteen."):
            await client.write_event(Synthesize(text).event())
        lengths = [samples_in(await read_until(client, "audio-stop")) for _ in range(3)]
    assert lengths == [SAMPLES_PER_CHARACTER * len(text) for text in ("One.", "Three.", "Fifteen.")]
    assert backend.most_running == 1


async def test_a_connection_is_read_while_it_is_spoken_to() -> None:
    """`describe` and `ping` are answered in the middle of a sentence."""
    gate = asyncio.Event()
    backend = ScriptedBackend(lambda request: [100, gate, 100])
    async with serving(backend) as server, connected(server) as client:
        await client.write_event(Synthesize("Hello.").event())
        await read_until(client, "audio-chunk")
        await client.write_event(Describe().event())
        assert types_of(await read_until(client, "info")) == ["info"]
        await client.write_event(Ping("still there?").event())
        assert (await read_until(client, "pong"))[0].data == {"text": "still there?"}
        gate.set()
        assert types_of(await read_until(client, "audio-stop")) == ["audio-chunk", "audio-stop"]


async def test_speaking_starts_while_text_still_arrives() -> None:
    """The first sentence is heard before the second was sent."""
    async with serving() as server, connected(server) as client:
        await client.write_event(SynthesizeStart().event())
        await client.write_event(SynthesizeChunk("The first sentence is here. And the").event())
        assert types_of(await read_until(client, "audio-chunk")) == ["audio-start", "audio-chunk"]
        await client.write_event(SynthesizeChunk(" second one is later.").event())
        await client.write_event(SynthesizeStop().event())
        assert types_of(await read_until(client, "synthesize-stopped"))[-2:] == STREAMED[-2:]


async def test_without_streaming_a_stream_is_spoken_when_complete() -> None:
    """A client that streams to a server that does not offer it gets the same events, once, at the end."""
    backend = ScriptedBackend()
    async with serving(backend, WyomingSettings(streaming=False)) as server, connected(server) as client:
        await client.write_event(SynthesizeStart().event())
        await client.write_event(SynthesizeChunk("The first sentence. ").event())
        await client.write_event(Ping().event())
        await read_until(client, "pong")
        assert not backend.requests
        await client.write_event(SynthesizeChunk("The second.").event())
        await client.write_event(Synthesize("The first sentence. The second.").event())
        await client.write_event(SynthesizeStop().event())
        assert types_of(await read_until(client, "synthesize-stopped")) == STREAMED
    assert backend.texts == "The first sentence. The second."


async def test_ping_without_a_text_is_answered_without_one() -> None:
    """`text` is optional, and comes back as it was."""
    async with serving() as server, raw(server) as (reader, writer):
        writer.write(b'{"type":"ping"}\n' + frame("ping", text=None))
        for _ in range(2):
            event = await async_read_event(reader)
            assert event is not None
            assert (event.type, event.data) == ("pong", {"text": None})


async def test_the_program_may_be_selected() -> None:
    """The name that `info` gives is taken, and speaking goes on as before."""
    async with serving() as server, connected(server) as client:
        await client.write_event(SelectProgram("wyoming-tts").event())
        await client.write_event(Synthesize("Hello.").event())
        assert types_of(await read_until(client, "audio-stop")) == SPOKEN


async def test_a_voice_is_asked_for_in_every_way() -> None:
    """Name, language and speaker are honoured; null, empty and absent ask for nothing."""
    cases: list[tuple[Any, str]] = [
        (None, "heart"),
        ({}, "heart"),
        ({"name": None, "language": ""}, "heart"),
        ({"name": "adam"}, "adam"),
        ({"name": "adam", "language": "fr-FR"}, "adam"),
        ({"language": "fr"}, "siwis"),
        ({"name": "siwis", "speaker": "siwis", "new": 1}, "siwis"),
    ]
    backend = ScriptedBackend()
    async with serving(backend) as server, connected(server) as client:
        for voice, _ in cases:
            await client.write_event(Event("synthesize", {"text": "Hello.", "voice": voice}))
            await read_until(client, "audio-stop")
    assert [request.voice.name for request in backend.requests] == [name for _, name in cases]


async def test_ssml_is_spoken_without_its_tags() -> None:
    """With `text_format` ssml, tags are not spoken; one-shot and streamed."""
    backend = ScriptedBackend()
    async with serving(backend) as server, connected(server) as client:
        text = "<speak>Hello <b>there</b>.</speak>"
        await client.write_event(Synthesize(text, text_format="ssml").event())
        await read_until(client, "audio-stop")
        await client.write_event(SynthesizeStart(text_format="ssml").event())
        await client.write_event(SynthesizeChunk(text).event())
        await client.write_event(SynthesizeStop().event())
        await read_until(client, "synthesize-stopped")
    assert [request.text.strip() for request in backend.requests] == ["Hello there."] * 2


async def test_unknown_events_are_ignored() -> None:
    """Events of other services, or of later versions, do no harm."""
    async with serving() as server, raw(server) as (reader, writer):
        writer.write(frame("transcribe", x=1) + frame("audio-stop") + frame("\n\0?") + frame("describe"))
        event = await async_read_event(reader)
        assert event is not None
        assert event.type == "info"


# Information and log


def test_info_is_encoded_once_per_change() -> None:
    """The same answer is the same bytes, and a new description is seen at once."""
    backend = ScriptedBackend()
    said = [info_of(backend)]
    cached = InfoFrame(lambda: said[0])
    first = cached.frame()
    assert cached.frame() is first
    said[0] = info_of(backend)
    assert cached.frame() is first
    changed = info_of(backend)
    changed.tts[0].description = "now on the GPU"
    said[0] = changed
    assert b"now on the GPU" in cached.frame()


async def test_info_follows_its_source() -> None:
    """What `describe` is answered with is asked for every time."""
    backend = ScriptedBackend()
    info = info_of(backend)

    def ask() -> Info:
        return info

    server = WyomingServer(pipeline_of(backend), ask)
    await server.start("tcp://127.0.0.1:0")
    async with connected(server) as client:
        for engine in ("loading", "ready"):
            info = info_of(backend)
            info.tts[0].description = engine
            await client.write_event(Describe().event())
            event = (await read_until(client, "info"))[0]
            assert event.data["tts"][0]["description"] == engine
    await server.stop()


async def test_a_stream_is_one_line_of_log_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    """Voice, characters, first audio and real-time factor are logged; what was said is not."""
    with caplog.at_level(logging.DEBUG, logger="wyoming_tts"):
        async with serving() as server, connected(server) as client:
            await client.write_event(Synthesize("Secret words.", SynthesizeVoice(name="adam")).event())
            await read_until(client, "audio-stop")
            await client.write_event(Describe().event())
            await read_until(client, "info")
    records = [record for record in caplog.records if record.levelno > logging.DEBUG]
    assert [record.levelno for record in records] == [logging.INFO]
    line = records[0].getMessage()
    assert "'adam', 13 characters, first audio after 0." in line
    assert "real-time factor" in line
    assert "Secret" not in " ".join(record.getMessage() for record in records)


async def test_errors_of_a_backend_are_told_with_their_code(caplog: pytest.LogCaptureFixture) -> None:
    """A backend that fails gives the code of its error, and a warning in the log."""
    async with serving(ScriptedBackend(lambda request: [SynthesisError("no luck")])) as server:
        events = await answers_to(server, frame("synthesize", text="Hello."))
    assert [event.data for event in events] == [{"text": "no luck", "code": "synthesis-failed"}]
    assert [record.levelname for record in caplog.records if "no luck" in record.getMessage()] == ["WARNING"]
