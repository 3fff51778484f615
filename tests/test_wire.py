"""Frames are read with bounds, and written so that any client can read them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wyoming.event import Event, async_read_event

from wyoming_tts.errors import ProtocolError
from wyoming_tts.wire import FrameReader, HungUpError, Limits, encode

SMALL = Limits(line_bytes=200, data_bytes=100, payload_bytes=100, nesting=4)


async def read(raw: bytes, limits: Limits = SMALL, *, eof: bool = True) -> list[Event]:
    """All events in `raw`."""
    stream = asyncio.StreamReader(limit=limits.line_bytes)
    stream.feed_data(raw)
    if eof:
        stream.feed_eof()
    frames, events = FrameReader(stream, limits), []
    while (event := await frames.read()) is not None:
        events.append(event)
    return events


def line(**header: Any) -> bytes:
    """A header line."""
    return json.dumps(header).encode() + b"\n"


async def test_frames_of_every_shape_are_read() -> None:
    """Data may be in the line, behind it, in both or absent, and a payload is read past."""
    raw = (
        line(type="a")
        + line(type="b", data={"x": 1}, version="1.0", new="field")
        + line(type="c", data={"x": 1, "y": 1}, data_length=7)
        + b'{"y":2}'
        + line(type="d", data=None, data_length=None, payload_length=None)
        + line(type="e", data_length=2, payload_length=100)
        + b"{}"
        + b"\n" * 100
        + line(type="f", data_length=0, payload_length=0)
    )
    events = await read(raw)
    assert [(event.type, event.data) for event in events] == [
        ("a", {}),
        ("b", {"x": 1}),
        ("c", {"x": 1, "y": 2}),
        ("d", {}),
        ("e", {}),
        ("f", {}),
    ]
    assert all(event.payload is None for event in events)


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"\n", "not JSON"),
        (b"GET / HTTP/1.1\r\n", "not JSON"),
        (b'{"type": "ping"', "in the middle"),
        (b"\xff\xfe{}\n", "not UTF-8"),
        (b"\xef\xbb\xbf{}\n", "not JSON"),
        (b"[1]\n", "must be a JSON object, not a list"),
        (b"null\n", "must be a JSON object, not null"),
        (b"7\n", "must be a JSON object, not a number"),
        (b"9" * 150 + b"\n", "must be a JSON object"),
        (line(), '"type"'),
        (line(type=None), '"type"'),
        (line(type=""), '"type"'),
        (line(type=["ping"]), '"type"'),
        (line(type="a", data=[]), '"data" must be a JSON object, not a list'),
        (line(type="a", data=""), '"data" must be a JSON object, not a string'),
        (line(type="a", data_length=-1), '"data_length".*-1'),
        (line(type="a", data_length=1.0), '"data_length".*1.0'),
        (line(type="a", data_length=True), '"data_length".*True'),
        (line(type="a", data_length="2"), '"data_length".*a string'),
        (line(type="a", data_length={}), '"data_length".*an object'),
        (line(type="a", data_length=101), "at most 100 bytes"),
        (line(type="a", data_length=10**30), "at most 100 bytes"),
        (line(type="a", payload_length=-1), '"payload_length".*-1'),
        (line(type="a", payload_length=False), '"payload_length".*False'),
        (line(type="a", payload_length=101), "at most 100 bytes"),
        (b'{"type": "a", "data_length": 1e400}\n', '"data_length".*inf'),
        (b'{"type": "a", "data_length": NaN}\n', '"data_length".*nan'),
        (line(type="a", data_length=5) + b"{}", "in the middle"),
        (line(type="a", data_length=4) + b"true", "not a truth value"),
        (line(type="a", data_length=4) + b'"\xc3("', "not UTF-8"),
        (line(type="a", payload_length=5) + b"1234", "in the middle"),
        (line(type="a", x=[[[[1]]]]), "nested more than 4"),
        (line(type="a", data_length=90) + b"[" * 90, "not JSON|nested"),
        (line(type="a", data_length=14) + b'{"a":"\\uD8bc"}', "unpaired surrogate"),
        (b'{"type":"' + b"a" * 200 + b'"}\n', "longer than 200 bytes"),
        (b"a" * 1000, "longer than 200 bytes"),
    ],
)
async def test_anything_else_is_refused_with_what_would_be_right(raw: bytes, complaint: str) -> None:
    """A frame that breaks a rule raises ProtocolError naming the rule."""
    with pytest.raises(ProtocolError, match=complaint):
        await read(raw)


async def test_deep_nesting_is_refused_whatever_its_size() -> None:
    """Brackets up to the size limit neither exhaust the stack nor pass."""
    limits = Limits()
    for raw in (b"[" * 1_000_000, b"[" * 500_000 + b"]" * 500_000, b'{"a":' * 200_000):
        with pytest.raises(ProtocolError, match=r"nested more than 32|not JSON"):
            await read(line(type="a", data_length=len(raw)) + raw, limits)


async def test_paired_surrogates_are_characters() -> None:
    """An emoji that JSON spells as two escapes is one character."""
    assert (await read(b'{"type":"a","data":{"x":"\\ud83d\\ude00"}}\n'))[0].data == {"x": "\U0001f600"}


async def test_a_complaint_does_not_quote_the_text() -> None:
    """What is wrong with a frame is said without repeating the frame, which may hold private text."""
    with pytest.raises(ProtocolError) as caught:
        await read(b'{"type": "synthesize", "data": {"text": "secret words}}\n')
    assert "secret" not in str(caught.value)


async def test_a_frame_must_be_complete_in_time() -> None:
    """A peer that starts a frame and drips, or stops, is refused."""
    limits = Limits(frame_seconds=0.05)
    for raw in (b"{", line(type="a", data_length=5), line(type="a", payload_length=5) + b"123"):
        with pytest.raises(ProtocolError, match=r"not complete 0\.05 seconds"):
            await read(raw, limits, eof=False)


async def test_a_silent_peer_is_refused_unless_it_is_waiting_for_us() -> None:
    """The idle time ends a connection, and does not while there is something to do for it."""
    stream = asyncio.StreamReader()
    answers = [True, True, False]
    frames = FrameReader(stream, Limits(idle_seconds=0.02), lambda: answers.pop(0))
    with pytest.raises(ProtocolError, match=r"Nothing was received for 0\.02 seconds"):
        await frames.read()
    assert not answers


async def test_a_broken_connection_is_no_frame() -> None:
    """A reset or a time-out of the operating system means that the peer is gone."""
    for error in (ConnectionResetError("reset"), TimeoutError("timed out")):
        stream = asyncio.StreamReader()
        stream.set_exception(error)
        with pytest.raises(HungUpError):
            await FrameReader(stream, Limits(), lambda: True).read()


async def test_data_is_never_in_the_header_line() -> None:
    """However large the data, the line stays below what clients read as a line."""
    raw = encode(Event("info", {"x": "é" * 100_000}))
    header = json.loads(raw[: raw.index(b"\n")])
    assert "data" not in header
    assert header["data_length"] == len(raw) - raw.index(b"\n") - 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.text(min_size=1), st.dictionaries(st.text(), json_values, max_size=4), st.binary(max_size=50))
async def test_every_event_of_a_real_client_is_read(kind: str, data: dict[str, Any], payload: bytes) -> None:
    """What the wyoming library writes is read as it was meant."""
    limits = Limits(line_bytes=10_000)
    event = (await read(encode(Event(kind, data, payload)), limits))[0]
    assert (event.type, event.data) == (kind, data)


@settings(deadline=None)
@given(st.binary(max_size=300))
async def test_any_bytes_give_events_or_a_refusal(raw: bytes) -> None:
    """Nothing else than ProtocolError comes out of unexpected bytes."""
    with contextlib.suppress(ProtocolError):
        assert all(isinstance(event.data, dict) for event in await read(raw))


@settings(deadline=None)
@given(st.text(min_size=1), st.dictionaries(st.text(), json_values, max_size=4), st.binary(max_size=50))
async def test_a_real_client_reads_what_is_written(kind: str, data: dict[str, Any], payload: bytes) -> None:
    """The wyoming library reads what we write."""
    stream = asyncio.StreamReader()
    stream.feed_data(encode(Event(kind, data, payload)))
    stream.feed_eof()
    event = await async_read_event(stream)
    assert event is not None
    assert (event.type, event.data, event.payload or b"") == (kind, data, payload)
