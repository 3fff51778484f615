"""An event loop in a thread of its own, so that one who has a loop can wait for it as well as one without."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
)
from concurrent.futures import Future
from typing import Any, TypeVar

from wyoming_tts.types import AudioChunk

T = TypeVar("T")

AHEAD = 32
"""Chunks that are made ahead of a caller, who may be playing the one before."""

CLOSED = "the pipeline was closed"

Chunks = AsyncGenerator[AudioChunk, None]


class LoopThread:
    """Starts something on a loop, runs streams over it, and stops it in the end."""

    def __init__(self, start: Callable[[], Awaitable[None]], stop: Callable[[], Awaitable[None]]) -> None:
        """Begins to `start` at once; what that raises, the first stream raises. `stop` is always called."""
        self._start, self._stop = start, stop
        self._loop: Future[asyncio.AbstractEventLoop] = Future()
        self._ended: Future[None] = Future()
        self._streams: set[Stream] = set()
        self._closing = asyncio.Event()
        # A daemon, so that a pipeline that nobody closed does not keep the process.
        self._thread = threading.Thread(target=self._run, name="wyoming_tts", daemon=True)
        self._thread.start()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop; it runs in its own thread."""
        return self._loop.result()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run it on the loop; cancelling the result cancels it. Raises RuntimeError behind the end."""
        if self._closing.is_set():
            coroutine.close()
            raise RuntimeError(CLOSED)
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("the pipeline's own thread cannot wait for the pipeline")
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    async def open(self, chunks: Chunks) -> Stream:
        """A stream, once all is started; on the loop. Raises what starting raised, and RuntimeError."""
        try:
            await asyncio.shield(self._starting)
        except asyncio.CancelledError:
            if self._starting.cancelled():
                raise RuntimeError(CLOSED) from None
            raise
        stream = Stream(chunks)
        self._streams.add(stream)
        return stream

    async def end(self, stream: Stream) -> None:
        """The stream is over, perhaps before its end; on the loop."""
        self._streams.discard(stream)
        await stream.close()

    def close(self) -> Future[None]:
        """End all streams and stop; the result comes when all is over. Any number of times."""
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            self.loop.call_soon_threadsafe(self._closing.set)
        return self._ended

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)

    async def _live(self) -> None:
        self._starting = asyncio.ensure_future(self._start())
        self._starting.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._loop.set_result(asyncio.get_running_loop())
        try:
            await self._closing.wait()
        finally:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
            await asyncio.gather(*(stream.close() for stream in self._streams))
            await self._stop()


class Stream:
    """Chunks that are made ahead; lives on the loop."""

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = _made_ahead(chunks)
        self._lock = asyncio.Lock()
        self._waiting: asyncio.Task[Any] | None = None
        self._closed = False

    async def next(self) -> AudioChunk | None:
        """The next chunk; None behind the last. Raises RuntimeError when the stream is closed meanwhile."""
        async with self._lock:
            self._waiting = asyncio.current_task()
            try:
                return await anext(self._chunks, None)
            except asyncio.CancelledError:
                if self._closed:
                    raise RuntimeError(CLOSED) from None
                raise
            finally:
                self._waiting = None

    async def close(self) -> None:
        """Stop, also one who waits for the next chunk."""
        self._closed = True
        if self._waiting is not None and not self._waiting.cancelling():
            self._waiting.cancel()
        async with self._lock:
            await self._chunks.aclose()


async def _made_ahead(chunks: Chunks) -> Chunks:
    ready: asyncio.Queue[AudioChunk | None] = asyncio.Queue()
    room = asyncio.Semaphore(AHEAD)

    async def make() -> None:
        try:
            async with contextlib.aclosing(chunks):
                async for chunk in chunks:
                    ready.put_nowait(chunk)
                    await room.acquire()
        finally:
            ready.put_nowait(None)

    making = asyncio.create_task(make(), name="speak")
    try:
        while (chunk := await ready.get()) is not None:
            yield chunk
            room.release()
        await making
    finally:
        making.cancel()
        await asyncio.gather(making, return_exceptions=True)


class Feed:
    """Text from anywhere as an async iterator on a loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._pieces: asyncio.Queue[str | Exception | None] = asyncio.Queue()
        self._closed = False

    def close(self) -> None:
        """Nobody reads on: take nothing more."""
        self._closed = True

    def put(self, piece: str | Exception | None) -> None:
        """Add a piece, what came instead of one, or None at the end; from any thread."""
        if not isinstance(piece, str | Exception | None):
            piece = TypeError(f"a piece of text must be a str, not {type(piece).__name__}")
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody reads on
            self._loop.call_soon_threadsafe(self._pieces.put_nowait, piece)

    async def __aiter__(self) -> AsyncIterator[str]:
        while (piece := await self._pieces.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def fill(self, text: str | Iterable[str]) -> None:
        """Put in all there is; what comes piece by piece is waited for in a thread."""
        if isinstance(text, str):
            self.put(text)
            self.put(None)
        else:
            # A daemon, as nothing can wake a thread that waits for somebody else's next piece.
            threading.Thread(target=self._pump, args=(text,), name="text", daemon=True).start()

    def _pump(self, text: Iterable[str]) -> None:
        try:
            for piece in text:
                if self._closed:
                    break
                self.put(piece)
        except Exception as error:  # it is the stream's
            self.put(error)
        else:
            self.put(None)

    async def pump(self, text: AsyncIterable[str]) -> None:
        """The same for text that arrives on the caller's own loop."""
        try:
            async for piece in text:
                self.put(piece)
        except Exception as error:  # it is the stream's
            self.put(error)
        else:
            self.put(None)
