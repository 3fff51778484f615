"""What flows through the command line: text from standard input, audio on its way, and a clock beside it."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import sys
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from typing import Self

from wyoming.audio import AudioChunk

from wyoming_tts.errors import InvalidTextError


async def read_text(descriptor: int) -> AsyncIterator[str]:
    """Text from an open file as it arrives, in any pieces. Raises InvalidTextError if it is not UTF-8."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[bytes | OSError] = asyncio.Queue()

    def pump() -> None:
        piece: bytes | OSError = b"-"
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody reads on
            while piece and not isinstance(piece, OSError):
                try:
                    piece = os.read(descriptor, 4096)
                except OSError as error:
                    piece = error
                loop.call_soon_threadsafe(pieces.put_nowait, piece)

    # A daemon, as nothing can wake a thread that waits for a terminal: Ctrl-C must not wait for it.
    threading.Thread(target=pump, name="standard input", daemon=True).start()
    decoder = codecs.getincrementaldecoder("utf-8")()
    while True:
        piece = await pieces.get()
        if isinstance(piece, OSError):
            raise InvalidTextError(f"cannot read the text: {piece}")
        try:
            if text := decoder.decode(piece, final=not piece):
                yield text
        except UnicodeDecodeError as error:
            raise InvalidTextError("the text is not UTF-8") from error
        if not piece:
            return


async def prefetched(chunks: AsyncIterable[AudioChunk]) -> AsyncGenerator[AudioChunk, None]:
    """The same chunks, fetched as fast as they come: playing them must not slow the measurement down."""
    ready: asyncio.Queue[AudioChunk | None] = asyncio.Queue()

    async def fetch() -> None:
        try:
            async for chunk in chunks:
                ready.put_nowait(chunk)
        finally:
            ready.put_nowait(None)

    fetching = asyncio.create_task(fetch(), name="fetch audio")
    try:
        while (chunk := await ready.get()) is not None:
            yield chunk
        await fetching
    finally:
        fetching.cancel()
        await asyncio.gather(fetching, return_exceptions=True)


class Meter:
    """Times one stream, from its first text to its last audio; a context in which its progress is shown."""

    def __init__(self, *, show: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        """`show` keeps a line on standard error up to date; `clock` returns seconds."""
        self._show, self._clock = show, clock
        self._start: float | None = clock()
        self._first = self._last = 0.0
        self._seconds = 0.0

    def __enter__(self) -> Self:
        self._print(self._progress())
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the line empty for what comes next."""
        self._print(" " * len(self._progress()) + "\r")

    async def text(self, pieces: AsyncIterable[str]) -> AsyncIterator[str]:
        """The same pieces; the clock starts with the first."""
        self._start = None
        async for piece in pieces:
            self._start = self._clock() if self._start is None else self._start
            yield piece

    async def audio(self, chunks: AsyncIterator[AudioChunk]) -> AsyncIterator[AudioChunk]:
        """The same chunks, timed."""
        async for chunk in chunks:
            self._last = self._clock()
            self._first = self._first or self._last
            self._seconds += chunk.seconds
            self._print(self._progress())
            yield chunk

    @property
    def seconds(self) -> float:
        """Audio so far."""
        return self._seconds

    @property
    def first_audio(self) -> float:
        """Seconds from the first text to the first audio; 0 without any."""
        return self._first - (self._first if self._start is None else self._start) if self._first else 0.0

    @property
    def halts(self) -> bool:
        """Whether a listener who plays at once falls silent: what came behind the first took too long."""
        return self._last - self._first > self._seconds

    def summary(self) -> str:
        """One line: time to first audio, seconds of audio, real-time factor."""
        spent = self.first_audio + self._last - self._first
        factor = spent / self._seconds if self._seconds else 0.0
        times = f"first audio after {self.first_audio:.3f} s, {self._seconds:.2f} s of audio"
        return f"{times}, real-time factor {factor:.3f}"

    def _progress(self) -> str:
        return f"{self._seconds:6.1f} s of audio"

    def _print(self, text: str) -> None:
        if self._show:
            print(f"\r{text}", end="", file=sys.stderr, flush=True)
