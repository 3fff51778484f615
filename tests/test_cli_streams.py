from __future__ import annotations

import asyncio
import os
import threading

import pytest
from wyoming.audio import AudioChunk

from wyoming_tts.cli_streams import Meter, prefetched, read_text
from wyoming_tts.errors import InvalidTextError


async def close(descriptor: int) -> None:
    """Close what `read_text` has read, once its thread cannot meet the number again in another file."""
    for thread in threading.enumerate():
        if thread.name == "standard input":
            await asyncio.to_thread(thread.join)
    os.close(descriptor)


async def test_text_may_be_cut_anywhere(monkeypatch):
    """Characters of several bytes survive being torn apart by the pipe."""
    reading, writing = os.pipe()
    text = read_text(reading)
    pieces = []
    for byte in "né €😀":
        os.write(writing, byte.encode()[:1])
        os.write(writing, byte.encode()[1:]) if byte.encode()[1:] else None
    os.close(writing)
    async for piece in text:
        pieces.append(piece)
    await close(reading)
    assert "".join(pieces) == "né €😀"


@pytest.mark.parametrize("content", [b"\xff", b"caf\xc3"])
async def test_text_that_is_not_utf_8_is_refused(content):
    """Bytes that are no text are an error, also at the very end."""
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    with pytest.raises(InvalidTextError, match="UTF-8"):
        assert not [piece async for piece in read_text(reading)]
    await close(reading)


async def test_text_that_cannot_be_read_is_refused(tmp_path):
    """A standard input that fails is an error, not an empty text."""
    directory = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(InvalidTextError, match="directory"):
        assert not [piece async for piece in read_text(directory)]
    await close(directory)


async def chunks(*counts: int):
    for count in counts:
        yield AudioChunk(rate=100, width=2, channels=1, audio=b"\0\0" * count)


async def test_the_meter_measures():
    """The factor is the time from the start to the last audio over the seconds of audio."""
    times = iter([10.0, 10.5, 12.0])
    meter = Meter(clock=lambda: next(times))
    assert len([chunk async for chunk in meter.audio(chunks(100, 200))]) == 2
    assert meter.summary() == "first audio after 0.500 s, 3.00 s of audio, real-time factor 0.667"


async def test_the_clock_starts_with_the_text():
    """For text that comes as a stream, the time before its first piece does not count."""
    times = iter([10.0, 20.0, 20.25])

    async def text():
        yield "a"
        yield "b"

    meter = Meter(clock=lambda: next(times))
    assert [piece async for piece in meter.text(text())] == ["a", "b"]
    assert [chunk async for chunk in meter.audio(chunks(100))]
    assert meter.summary().startswith("first audio after 0.250 s")


async def test_prefetching_runs_ahead_and_passes_errors_on():
    """All chunks are fetched while the first is still being played; an error comes after them."""
    fetched = []

    async def source():
        async for chunk in chunks(1, 2):
            fetched.append(chunk)
            yield chunk
        raise InvalidTextError("broken")

    ahead = prefetched(source())
    await anext(ahead)
    assert len(fetched) == 2
    await anext(ahead)
    with pytest.raises(InvalidTextError, match="broken"):
        await anext(ahead)


async def test_progress_is_shown_on_a_terminal(capsys):
    """On a terminal the seconds of audio count up in one line, which is empty again in the end."""
    with Meter(show=True) as meter:
        assert capsys.readouterr().err == "\r   0.0 s of audio"
        assert [chunk async for chunk in meter.audio(chunks(100, 100))]
        assert capsys.readouterr().err == "\r   1.0 s of audio\r   2.0 s of audio"
    assert capsys.readouterr().err == "\r" + " " * 17 + "\r"
    assert meter.summary().startswith("first audio")
