"""The Wyoming server over real sockets: addresses, requests, mistakes, bounds, stopping."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wyoming.client import AsyncClient, AsyncUnixClient
from wyoming.event import Event, async_read_event
from wyoming.info import Describe, Info, SelectProgram
from wyoming.ping import Ping
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeVoice

from tests.fakes import (
    PATIENCE,
    SAMPLES_PER_CHARACTER,
    ScriptedBackend,
    Step,
    connected,
    info_of,
    pcm_of,
    pipeline_of,
    read_all,
    read_until,
    samples_in,
    serving,
    types_of,
)
from wyoming_tts.errors import ConfigError, SynthesisError
from wyoming_tts.types import AudioChunk, AudioFormat, SynthesisRequest
from wyoming_tts.wire import Limits, encode
from wyoming_tts.wyoming_connection import WyomingSettings
from wyoming_tts.wyoming_info import InfoFrame
from wyoming_tts.wyoming_server import WyomingServer

SPOKEN = ["audio-start", "audio-chunk", "audio-stop"]
STREAMED = [*SPOKEN, "synthesize-stopped"]


@contextlib.asynccontextmanager
async def raw(server: WyomingServer) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def answers(reader: asyncio.StreamReader, last: str = "") -> list[Event]:
    """Everything until the server closes, or until an event of this type."""
    events: list[Event] = []
    async with asyncio.timeout(PATIENCE):
        while (event := await async_read_event(reader)) is not None:
            events.append(event)
            if event.type == last:
                break
    return events


async def answers_to(server: WyomingServer, data: bytes, last: str = "") -> list[Event]:
    """What the server says to some bytes until it closes, or until `last`; our end stays open."""
    async with raw(server) as (reader, writer):
        writer.write(data)
        return await answers(reader, last)


async def assert_serves(server: WyomingServer) -> None:
    """Another client is served as if nothing had been."""
    async with connected(server) as client:
        await client.write_event(Describe().event())
        assert (await read_until(client, "info"))[-1].type == "info"


def frame(kind: str, **data: Any) -> bytes:
    """A frame as a client would send it."""
    return encode(Event(kind, data))


async def wait_for(event: asyncio.Event) -> None:
    """Wait, but not for ever."""
    async with asyncio.timeout(PATIENCE):
        await event.wait()


def endless(request: SynthesisRequest) -> Iterable[Step]:
    """Speech that never ends, a second at a time."""
    while True:
        yield 24_000


# Addresses


async def test_a_port_of_the_systems_choice_is_known() -> None:
    """With port 0 the server says which port it got."""
    async with serving() as server:
        assert server.port
        assert [sock.getsockname()[1] for sock in server.sockets] == [server.port]
        await assert_serves(server)


async def test_a_port_in_use_is_named() -> None:
    """A port that another program has is a ConfigError with its number."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"Port {port} .*in use"):
            async with serving(uri=f"tcp://127.0.0.1:{port}"):
                pass


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
async def test_ipv6_addresses_are_written_in_brackets() -> None:
    """`[::1]` is an IPv6 address, and `[::]` is every address, IPv4 too."""
    async with serving(uri="tcp://[::1]:0") as server, connected(server, "::1") as client:
        await client.write_event(Describe().event())
        assert await client.read_event() is not None
    async with serving(uri="tcp://[::]:0") as server:
        for host in ("::1", "127.0.0.1"):
            async with connected(server, host) as client:
                await client.write_event(Describe().event())
                assert await client.read_event() is not None


@pytest.mark.parametrize(
    "uri",
    ["tcp://localhost", "tcp://:1", "tcp://h:99999", "tcp://[::1", "http://h:1", "unix://", "10200", ""],
)
async def test_an_address_that_is_none_is_refused(uri: str) -> None:
    """Whatever else is given as an address is a ConfigError that shows the right forms."""
    with pytest.raises(ConfigError, match="tcp://HOST:PORT, unix://PATH or stdio://"):
        async with serving(uri=uri):
            pass


async def test_an_address_of_another_machine_is_refused() -> None:
    """An address that cannot be listened on is a ConfigError naming it."""
    with pytest.raises(ConfigError, match=r"203\.0\.113\.1 cannot be listened on"):
        async with serving(uri="tcp://203.0.113.1:0"):
            pass


async def test_a_unix_socket_is_served_and_removed(tmp_path: Path) -> None:
    """A client is served over the file, and the file is gone after the stop."""
    path = tmp_path / "s"
    async with serving(uri=f"unix://{path}") as server:
        assert server.port is None
        async with AsyncUnixClient(path, read_timeout=PATIENCE) as client:
            await client.write_event(Synthesize("Hello.").event())
            events = [await client.read_event() for _ in range(2)]
            assert [event.type for event in events if event] == ["audio-start", "audio-chunk"]
    assert not path.exists()


async def test_a_stale_socket_file_is_replaced(tmp_path: Path) -> None:
    """A file that a killed server left does not keep the next one from starting."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with serving(uri=f"unix://{path}"), AsyncUnixClient(path, read_timeout=PATIENCE) as client:
        await client.write_event(Describe().event())
        assert await client.read_event() is not None


async def test_a_socket_file_in_use_is_left_alone(tmp_path: Path) -> None:
    """A second server on the same file is refused, and the first one goes on."""
    path = tmp_path / "s"
    async with serving(uri=f"unix://{path}"):
        with pytest.raises(ConfigError, match="in use"):
            async with serving(uri=f"unix://{path}"):
                pass
        async with AsyncUnixClient(path, read_timeout=PATIENCE) as client:
            await client.write_event(Describe().event())
            assert await client.read_event() is not None


async def test_an_ordinary_file_is_left_alone(tmp_path: Path) -> None:
    """A file that is no socket is never replaced."""
    path = tmp_path / "notes"
    path.write_text("keep me")
    with pytest.raises(ConfigError, match="is no socket"):
        async with serving(uri=f"unix://{path}"):
            pass
    assert path.read_text() == "keep me"


async def test_stdio_is_served_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests on standard input are answered on standard output, all of them, then the server has ended."""
    (in_read, in_write), (out_read, out_write) = os.pipe(), os.pipe()
    monkeypatch.setattr(sys, "stdin", os.fdopen(in_read, "rb"))
    monkeypatch.setattr(sys, "stdout", os.fdopen(out_write, "wb"))
    os.write(
        in_write, frame("describe") + frame("synthesize", text="One.") + frame("synthesize", text="Two.")
    )
    os.close(in_write)
    gate = asyncio.Event()
    backend = ScriptedBackend(lambda request: [100, gate, 100])
    async with serving(backend, uri="stdio://") as server:
        asyncio.get_running_loop().call_later(0.3, gate.set)  # long after the end of input was seen
        await wait_for(server.ended)
    stream = asyncio.StreamReader()
    with os.fdopen(out_read, "rb") as output:
        stream.feed_data(output.read())
    stream.feed_eof()
    assert types_of(await answers(stream)) == ["info", *SPOKEN, *SPOKEN]


# Requests


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


# Mistakes


@pytest.mark.parametrize(
    ("sent", "code", "text"),
    [
        (frame("synthesize"), "invalid-text", 'synthesize needs a string "text", which is missing'),
        (frame("synthesize", text=None), "invalid-text", "is missing"),
        (frame("synthesize", text=["a"]), "invalid-text", "is not a string"),
        (frame("synthesize", text="a", voice="heart"), "bad-request", '"voice" must be an object'),
        (frame("synthesize", text="a", voice={"name": 3}), "bad-request", 'The "name" of a voice'),
        (frame("synthesize", text="a", voice={"speaker": []}), "bad-request", 'The "speaker" of'),
        (frame("synthesize", text="a", voice={"name": "x" * 201}), "bad-request", "at most 200"),
        (frame("synthesize", text="a", voice={"name": "hart"}), "unknown-voice", "heart"),
        (frame("synthesize", text="a", voice={"language": "xx"}), "unknown-voice", "fr-FR"),
        (frame("synthesize", text="a", text_format="html"), "unsupported-format", "text, ssml"),
        (frame("synthesize", text="a", text_format={}), "unsupported-format", "text, ssml"),
        (frame("synthesize-start", voice=[]), "bad-request", '"voice" must be an object'),
        (frame("synthesize-chunk", text="a"), "invalid-frame", "synthesize-chunk came without"),
        (frame("synthesize-stop"), "invalid-frame", "synthesize-stop came without"),
        (frame("synthesize-start") * 2, "invalid-frame", "synthesize-start came twice"),
        (frame("synthesize-start") + frame("synthesize-chunk", text=1), "invalid-text", "not a string"),
        (frame("select-program", name="piper"), "bad-request", "this server has wyoming-tts"),
        (frame("select-program"), "bad-request", "this server has wyoming-tts"),
        (frame("ping", text=1), "invalid-text", "ping"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "invalid-frame", "not JSON"),
        (b'{"type":"describe","data_length":99999999}\n', "invalid-frame", "at most 1048576"),
        (b"x" * 70_000, "invalid-frame", "longer than 65536"),
    ],
)
async def test_a_mistake_is_explained_and_ends_the_connection(sent: bytes, code: str, text: str) -> None:
    """The one answer is an `error` that says what is wrong; then the server closes; others are served."""
    async with serving() as server:
        events = await answers_to(server, sent)
        assert [event.type for event in events] == ["error"]
        assert events[0].data["code"] == code
        assert text in events[0].data["text"]
        await assert_serves(server)


async def test_the_last_words_are_not_lost_in_a_flood() -> None:
    """A client that is still sending when it gets its `error` can read it."""
    flood = frame("synthesize-start") + frame("synthesize-chunk", text="x" * 2_000) * 500
    async with serving(settings=WyomingSettings(max_text_characters=100)) as server:
        events = await answers_to(server, flood)
    assert events[-1].data["code"] == "text-too-long"


async def test_what_nobody_foresaw_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    """A bug gives `internal-error` without its details, a traceback in the log, and harms nobody else."""
    backend = ScriptedBackend(lambda request: [100, ZeroDivisionError("in /secret/path")])
    async with serving(backend) as server, connected(server) as client:
        await client.write_event(Synthesize("Hello.").event())
        events = await read_all(client)
        assert types_of(events) == ["audio-start", "audio-chunk", "error"]
        assert events[-1].data["code"] == "internal-error"
        assert "secret" not in events[-1].data["text"]
        await assert_serves(server)
    assert "ZeroDivisionError: in /secret/path" in caplog.text


@pytest.mark.parametrize("script", [[], [AudioChunk(np.zeros(0, np.float32))]])
async def test_a_voice_without_audio_is_an_error(script: list[Step]) -> None:
    """A backend that makes nothing of a text is not taken for success; an error is no log of success."""

    class Silent:
        format = AudioFormat()

        async def synthesize(self, text: Any, **_: Any) -> AsyncIterator[AudioChunk]:
            for chunk in script:
                assert isinstance(chunk, AudioChunk)
                yield chunk

    async with serving(pipeline=Silent()) as server:  # type: ignore[arg-type]
        events = await answers_to(server, frame("synthesize", text="Hello."))
    assert [event.data.get("code") for event in events] == ["synthesis-failed"]


async def test_audio_of_another_rate_is_never_sent() -> None:
    """A change of format in a stream is an error, since a listener would play it at the wrong speed."""
    other = AudioChunk(np.zeros(100, np.float32), AudioFormat(22_050))
    async with serving(ScriptedBackend(lambda request: [100, other])) as server:
        events = await answers_to(server, frame("synthesize", text="Hello."))
    assert types_of(events) == ["audio-start", "audio-chunk", "error"]


frames_of_any_kind = st.builds(
    lambda header, rest: json.dumps(header).encode() + b"\n" + rest,
    st.dictionaries(
        st.sampled_from(["type", "data", "data_length", "payload_length", "version", "x"]),
        st.sampled_from(["synthesize", "synthesize-start", "synthesize-chunk", "describe", "ping", "a"])
        | st.none()
        | st.integers(-2, 40)
        | st.dictionaries(st.sampled_from(["text", "voice", "name"]), st.text(max_size=5) | st.integers()),
        max_size=4,
    ),
    st.binary(max_size=60),
)
good_frames = st.sampled_from(
    [
        frame("describe"),
        frame("synthesize", text="Hello. How are you?"),
        frame("synthesize-start"),
        frame("synthesize-chunk", text="Hello. "),
        frame("synthesize-stop"),
    ]
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Good frames with some bytes changed."""
    data = bytearray(b"".join(draw(st.lists(good_frames, min_size=1, max_size=4))))
    for place, value in draw(
        st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), max_size=4)
    ):
        data[place] = value
    return bytes(data)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.binary(max_size=80) | frames_of_any_kind | damaged(), max_size=4))
async def test_whatever_bytes_arrive(parts: list[bytes]) -> None:
    """Any bytes get answers, an `error` or a close; nothing stays behind, and another client is served."""
    async with serving() as server:
        async with raw(server) as (reader, writer):
            writer.write(b"".join(parts))
            writer.write_eof()
            kinds = [event.type for event in await answers(reader)]
        assert "error" not in kinds[:-1]
        await assert_serves(server)


# Bounds


async def test_text_is_bounded() -> None:
    """One character more than a stream may have is `text-too-long`, in one piece or in many."""
    bounds = WyomingSettings(max_text_characters=12)
    async with serving(settings=bounds) as server:
        events = await answers_to(server, frame("synthesize", text="Hello there.!"))
        assert [event.data.get("code") for event in events] == ["text-too-long"]
        chunks = frame("synthesize-start") + frame("synthesize-chunk", text="a") * 13
        events = await answers_to(server, chunks)
        assert events[-1].data.get("code") == "text-too-long"
        async with connected(server) as client:
            await client.write_event(Synthesize("Hello there.").event())
            assert types_of(await read_until(client, "audio-stop")) == SPOKEN


async def test_waiting_requests_are_bounded() -> None:
    """Too many requests on one connection, or too much text in them, are `server-busy`."""
    gate = asyncio.Event()
    backend = ScriptedBackend(lambda request: [gate])
    bounds = WyomingSettings(max_queued=3, max_text_characters=50)
    async with serving(backend, bounds) as server:
        events = await answers_to(server, frame("synthesize", text="Hello.") * 4)
        assert [event.data["code"] for event in events] == ["server-busy"]
        events = await answers_to(server, frame("synthesize", text="Hello. " * 7) * 3)
        assert [event.data["code"] for event in events] == ["server-busy"]


async def test_connections_are_bounded() -> None:
    """The client that is one too many gets `server-busy` and a close, and a place is free again later."""
    async with serving(settings=WyomingSettings(max_connections=1)) as server:
        async with connected(server) as first:
            await first.write_event(Describe().event())
            await read_until(first, "info")
            events = await answers_to(server, frame("describe"))
            assert [event.data.get("code") for event in events] == ["server-busy"]
            await first.write_event(Synthesize("Hello.").event())
            assert types_of(await read_until(first, "audio-stop")) == SPOKEN
        async with asyncio.timeout(PATIENCE):  # that the first client has left is known in a moment
            while not [event for event in await describe_or_be_refused(server) if event.type == "info"]:
                pass


async def describe_or_be_refused(server: WyomingServer) -> list[Event]:
    """The answer to `describe`; nothing where the server has no time even for a refusal."""
    try:
        return await answers_to(server, frame("describe"), last="info")
    except ConnectionError:
        return []


async def test_refused_connections_are_bounded_too() -> None:
    """However many come beyond the bound, the server goes on serving the one it has."""
    async with serving(settings=WyomingSettings(max_connections=1)) as server, connected(server) as first:
        await first.write_event(Describe().event())
        await read_until(first, "info")
        async with contextlib.AsyncExitStack() as crowd:
            for _ in range(5):
                await crowd.enter_async_context(raw(server))
            await first.write_event(Synthesize("Hello.").event())
            assert types_of(await read_until(first, "audio-stop")) == SPOKEN


async def test_a_silent_client_is_let_go_but_a_listening_one_is_not() -> None:
    """The idle time counts while nothing is being done for a client, and not while it is spoken to."""
    gate = asyncio.Event()
    backend = ScriptedBackend(lambda request: [100, gate, 100])
    impatient = WyomingSettings(limits=Limits(idle_seconds=0.1))
    async with serving(backend, impatient) as server, connected(server) as client:
        await client.write_event(Synthesize("Hello.").event())
        await asyncio.sleep(0.5)
        gate.set()
        events = await read_all(client)
    assert types_of(events) == [*SPOKEN, "error"]
    assert "Nothing was received for 0.1 seconds" in events[-1].data["text"]


async def test_a_dripping_client_is_let_go() -> None:
    """A frame that is begun and not completed in time ends the connection."""
    async with serving(settings=WyomingSettings(limits=Limits(frame_seconds=0.1))) as server:
        events = await answers_to(server, b'{"type":')
    assert "not complete" in events[0].data["text"]


@contextlib.contextmanager
def deaf_client(server: WyomingServer) -> Iterator[socket.socket]:
    """A client that asks and never reads."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", server.port))
        yield sock


async def test_a_client_that_does_not_read_holds_the_voice_back() -> None:
    """Nothing is made for a listener beyond what the buffers on the way hold, and others are served."""
    backend = ScriptedBackend(endless)
    async with serving(backend) as server:
        with deaf_client(server) as sock:
            sock.sendall(frame("synthesize", text="Hello."))
            before = -1
            async with asyncio.timeout(PATIENCE):
                while backend.chunks != before:
                    before = backend.chunks
                    await asyncio.sleep(0.3)
            assert 0 < backend.chunks * 48_000 < 16 * 2**20
            await assert_serves(server)


async def test_a_client_that_does_not_read_is_let_go() -> None:
    """After the write time-out its stream is closed."""
    backend = ScriptedBackend(endless)
    async with serving(backend, WyomingSettings(write_seconds=0.3)) as server:
        with deaf_client(server) as sock:
            sock.sendall(frame("synthesize", text="Hello."))
            await wait_for(backend.closed)
            await assert_serves(server)


async def test_answers_that_nobody_reads_are_bounded() -> None:
    """A client that asks without end and never reads is let go as well."""
    async with serving(settings=WyomingSettings(write_seconds=0.3)) as server:
        with deaf_client(server) as sock:
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            with pytest.raises(OSError) as caught:  # noqa: PT012, PT011 - which error depends on the moment
                async with asyncio.timeout(PATIENCE):
                    while True:
                        await loop.sock_sendall(sock, frame("describe") * 1000)
            assert caught.value.errno in (errno.ECONNRESET, errno.EPIPE)
            await assert_serves(server)


async def test_a_client_that_hangs_up_stops_its_stream() -> None:
    """The pipeline's iterator is closed when the client leaves, by a close or by a reset."""
    for linger in (None, (1).to_bytes(4, sys.byteorder) + (0).to_bytes(4, sys.byteorder)):
        backend = ScriptedBackend(lambda request: [100, asyncio.Event()])
        async with serving(backend) as server:
            async with connected(server) as client:
                await client.write_event(Synthesize("Hello.").event())
                await read_until(client, "audio-chunk")
                if linger:
                    assert client._writer is not None
                    sock = client._writer.get_extra_info("socket")
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            await wait_for(backend.closed)


async def test_a_client_that_hangs_up_leaves_no_waiting_request() -> None:
    """What was queued behind the running request is never begun."""
    backend = ScriptedBackend(lambda request: [100, asyncio.Event()])
    async with serving(backend) as server:
        async with connected(server) as client:
            for _ in range(3):
                await client.write_event(Synthesize("Hello.").event())
            await read_until(client, "audio-chunk")
        await wait_for(backend.closed)
        await assert_serves(server)
    assert len(backend.requests) == 1


# Stopping


async def test_a_running_stream_is_finished_at_the_stop() -> None:
    """Within the grace time a stream is spoken to its end, while new clients find nobody."""
    gate = asyncio.Event()
    backend = ScriptedBackend(lambda request: [100, gate, 100])
    async with serving(backend) as server, connected(server) as client:
        await client.write_event(Synthesize("Hello.").event())
        await read_until(client, "audio-chunk")
        port = server.port
        stopping = asyncio.create_task(server.stop(PATIENCE))
        await asyncio.sleep(0.05)
        with pytest.raises(OSError, match="Connect"):
            await AsyncClient.from_uri(f"tcp://127.0.0.1:{port}").connect()
        gate.set()
        assert types_of(await read_all(client)) == ["audio-chunk", "audio-stop"]
        await stopping
        assert server.ended.is_set()


async def test_a_stream_that_does_not_end_is_cut_off_at_the_stop() -> None:
    """After the grace time the connection is closed, without `audio-stop`."""
    backend = ScriptedBackend(lambda request: [100, asyncio.Event()])
    async with serving(backend) as server, connected(server) as client, connected(server) as idle:
        await client.write_event(Synthesize("Hello.").event())
        await read_until(client, "audio-chunk")
        await server.stop(0.05)
        assert await read_all(client) == []
        assert await read_all(idle) == []
        assert backend.closed.is_set()


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
