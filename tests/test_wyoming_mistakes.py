"""Mistakes of clients and of backends: an `error`, a close, and nobody else notices."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wyoming.tts import Synthesize

from tests.fakes import (
    ScriptedBackend,
    Step,
    answers,
    answers_to,
    assert_serves,
    connected,
    frame,
    raw,
    read_all,
    serving,
    types_of,
)
from wyoming_tts.types import AudioChunk, AudioFormat
from wyoming_tts.wyoming_connection import WyomingSettings


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
        (frame("synthesize", text="a", context=[]), "bad-request", '"context" must be an object'),
        *(
            (frame(kind, text="a", context={"speed": speed}), "bad-request", "a number from 0.5 to 2.0")
            for kind in ("synthesize", "synthesize-start")
            for speed in (0.49, 2.01, 0, -1, float("nan"), float("inf"), 10**400, "1", True, [1])
        ),
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
