"""Frames straight into the reader."""

from __future__ import annotations

import asyncio
import json
import random

from wyoming.event import Event

from tests.fuzz.grammar import Frame, Grammar
from wyoming_tts.errors import ProtocolError
from wyoming_tts.wire import FrameReader, Limits

LIMITS = Limits(line_bytes=4096, data_bytes=4096, payload_bytes=2048, nesting=12)
"""Small, so that what is too much is not much."""

BATCH = 12
"""Frames on one connection, unless one is refused before."""


async def batch(seed: str) -> int:
    """One connection's frames; how many were judged. Raises AssertionError where one was judged wrongly."""
    rng = random.Random(seed)
    grammar = Grammar(rng, LIMITS)
    frames = [grammar.frame() for _ in range(BATCH)]
    raw = b"".join(frame.raw for frame in frames)
    if rng.random() < 0.15:
        raw = raw[: rng.randrange(len(raw) + 1)]
    certain, end = [], 0
    for frame in frames:  # behind a frame that may be anything, nothing is certain
        end += len(frame.raw)
        if frame.verdict == "either" or end > len(raw):
            break
        certain.append(frame)
    return await judged(raw, certain, rng)


async def judged(raw: bytes, certain: list[Frame], rng: random.Random) -> int:
    """Read until the end or a refusal, and compare with what is certain; how many frames were judged."""
    stream = asyncio.StreamReader(limit=LIMITS.line_bytes)
    feeding = feed(stream, raw, rng)
    reader, count = FrameReader(stream, LIMITS), 0
    try:
        while True:
            expected = certain[count] if count < len(certain) else None
            event = await event_or_refusal(reader)
            if isinstance(event, ProtocolError):
                assert expected is None or expected.verdict == "refused", (expected, event)
                assert 10 < len(str(event)) < 6000
                return count + 1
            if event is None:
                assert expected is None, expected
                return count
            check(event, expected)
            count += 1
    finally:
        if feeding:
            feeding.cancel()


async def event_or_refusal(reader: FrameReader) -> Event | ProtocolError | None:
    """What a reader makes of the next bytes."""
    try:
        return await reader.read()
    except ProtocolError as error:
        return error


def check(event: Event, expected: Frame | None) -> None:
    """An event is well formed, and what was expected where that is certain."""
    assert isinstance(event.type, str)
    assert event.type
    assert isinstance(event.data, dict)
    assert event.payload is None
    json.dumps(event.data, ensure_ascii=False).encode()  # can be written again
    if expected is not None:
        assert expected.verdict == "event", (expected, event)
        assert (event.type, repr(event.data)) == (expected.type, repr(expected.data))


def feed(stream: asyncio.StreamReader, raw: bytes, rng: random.Random) -> asyncio.Handle | None:
    """Give a stream its bytes at once, or in pieces while it is read."""
    if rng.random() < 0.8:
        stream.feed_data(raw)
        stream.feed_eof()
        return None
    loop, pieces, at = asyncio.get_running_loop(), [], 0
    while at < len(raw):
        size = rng.choice((1, 3, 50, 1000, 5000))
        pieces.append(raw[at : at + size])
        at += size

    def give() -> None:
        if pieces:
            stream.feed_data(pieces.pop(0))
            loop.call_soon(give)
        else:
            stream.feed_eof()

    return loop.call_soon(give)
