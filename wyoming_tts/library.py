"""Speech for programs and notebooks, without a server: `process_text("Hello.")`, or a pipeline to keep."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import AsyncGenerator, AsyncIterable, Coroutine, Iterable, Iterator, Sequence
from typing import Any, Self, TypeVar

from pydantic import ValidationError

from wyoming_tts.assembly import Assembly, assemble
from wyoming_tts.backends.base import Backend
from wyoming_tts.config import Settings
from wyoming_tts.errors import ConfigError, RequestError
from wyoming_tts.library_loop import Feed, LoopThread, Stream
from wyoming_tts.pipeline_stream import Observer
from wyoming_tts.speech import Speech
from wyoming_tts.strategies import GenerationStrategy, SpeechOptions, StreamingStrategy, WholeFileStrategy
from wyoming_tts.types import MAX_SPEED, MIN_SPEED, AudioChunk, Voice, VoiceQuery

T = TypeVar("T")


class TTSPipeline:
    """Speaks texts, in any thread, with an event loop or without one; close it, or use it as a context.

    It has a thread of its own, where its model begins to load at once. Each method takes a text with the
    wishes of `SpeechOptions`; `voice` is a name, `language` a tag that a voice is found for. Raises
    WyomingTtsError.
    """

    def __init__(self, built: Assembly, strategy: GenerationStrategy) -> None:
        """Starts the chain, and stops it and the plugins in the end."""
        self._built, self._strategy = built, strategy

        async def stop() -> None:
            await built.chain.stop()
            built.plugins.close()

        self._thread = LoopThread(built.chain.start, stop)
        # For who forgets to close it; not at the end of the process, where no thread can be waited for.
        weakref.finalize(self, self._thread.close).atexit = False

    @property
    def strategy(self) -> GenerationStrategy:
        """How audio is handed out."""
        return self._strategy

    def voices(self) -> Sequence[Voice]:
        """Who can speak."""
        return self._built.catalogue.voices()

    def process(self, text: str | Iterable[str], **options: Any) -> Speech:
        """A text, spoken to its end."""
        return Speech.of(self.stream(text, **options))

    async def process_async(self, text: str | AsyncIterable[str], **options: Any) -> Speech:
        """The same for one who has an event loop."""
        return Speech.of([chunk async for chunk in self.stream_async(text, **options)])

    def stream(self, text: str | Iterable[str], **options: Any) -> Iterator[AudioChunk]:
        """Audio as the strategy hands it out, of a text that may come in pieces, while it comes."""
        feed = Feed(self._thread.loop)
        stream = _result(self._thread, self._opened(feed, _options(**options)))
        feed.fill(text)
        try:
            while (chunk := _result(self._thread, stream.next())) is not None:
                yield chunk
        finally:
            feed.close()
            with contextlib.suppress(RuntimeError):  # the pipeline was closed, and the stream with it
                _result(self._thread, self._thread.end(stream))

    async def stream_async(
        self, text: str | AsyncIterable[str], **options: Any
    ) -> AsyncGenerator[AudioChunk, None]:
        """The same for one who has an event loop."""
        feed = Feed(self._thread.loop)
        stream = await self._here(self._opened(feed, _options(**options)))
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._end, stream)
            if isinstance(text, str):
                feed.fill(text)
            else:
                stack.push_async_callback(_cancelled, asyncio.create_task(feed.pump(text), name="text"))
            while (chunk := await self._here(stream.next())) is not None:
                yield chunk

    def close(self) -> None:
        """End what is being spoken, unload the model, and end the thread."""
        self._thread.close().result()

    async def aclose(self) -> None:
        """The same for one who has an event loop."""
        await asyncio.wrap_future(self._thread.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _opened(self, feed: Feed, options: SpeechOptions) -> Stream:
        return await self._thread.open(self._strategy.generate(self._built.pipeline, feed, options))

    async def _end(self, stream: Stream) -> None:
        with contextlib.suppress(RuntimeError):  # the same
            await self._here(self._thread.end(stream))

    async def _here(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Wait on the caller's loop for what runs on ours."""
        return await asyncio.wrap_future(self._thread.submit(coroutine))


def create_streaming_pipeline(
    *, backend: Backend | None = None, own_plugins: Sequence[object] = (), **settings: Any
) -> TTSPipeline:
    """A pipeline that hands out audio as it comes, from the first words of a text on.

    `settings` are those of the server, such as `voice`, `speed`, `chain`, `data_dir`, `plugins`; variables
    hold, too. `backend` speaks instead of the chain, and `own_plugins` are called before installed ones.
    Raises ConfigError.
    """
    return _created(StreamingStrategy(), backend, own_plugins, settings)


def create_whole_file_pipeline(
    *, backend: Backend | None = None, own_plugins: Sequence[object] = (), **settings: Any
) -> TTSPipeline:
    """A pipeline that hands out a text's audio as one; otherwise as `create_streaming_pipeline`."""
    return _created(WholeFileStrategy(), backend, own_plugins, settings)


def process_text(
    text: str | Iterable[str],
    voice: str | VoiceQuery | None = None,
    speed: float | None = None,
    *,
    language: str | None = None,
    text_format: str = "text",
    on_progress: Observer | None = None,
    **settings: Any,
) -> Speech:
    """Speak one text. Each call loads the model anew: for several, keep a pipeline. Raises WyomingTtsError.

    `settings` are those of `create_whole_file_pipeline`.
    """
    with create_whole_file_pipeline(**settings) as pipeline:
        return pipeline.process(
            text,
            voice=voice,
            speed=speed,
            language=language,
            text_format=text_format,
            on_progress=on_progress,
        )


async def process_text_async(
    text: str | AsyncIterable[str],
    voice: str | VoiceQuery | None = None,
    speed: float | None = None,
    *,
    language: str | None = None,
    text_format: str = "text",
    on_progress: Observer | None = None,
    **settings: Any,
) -> Speech:
    """The same for one who has an event loop."""
    async with create_whole_file_pipeline(**settings) as pipeline:
        return await pipeline.process_async(
            text,
            voice=voice,
            speed=speed,
            language=language,
            text_format=text_format,
            on_progress=on_progress,
        )


def _created(
    strategy: GenerationStrategy, backend: Backend | None, own: Sequence[object], settings: dict[str, Any]
) -> TTSPipeline:
    try:
        checked = Settings(**settings)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ConfigError("; ".join(faults)) from None
    named = [(getattr(plugin, "__name__", type(plugin).__name__), plugin) for plugin in own]
    return TTSPipeline(assemble(checked, named, backend), strategy)


def _options(
    *,
    voice: str | VoiceQuery | None = None,
    language: str | None = None,
    speed: float | None = None,
    **more: Any,
) -> SpeechOptions:
    """Raises RequestError for what cannot be wished."""
    if speed is not None and not MIN_SPEED <= speed <= MAX_SPEED:
        raise RequestError(f"speed must be from {MIN_SPEED} to {MAX_SPEED}")
    query = voice if isinstance(voice, VoiceQuery) else VoiceQuery(name=voice, language=language)
    return SpeechOptions(voice=query, speed=speed, **more)


def _result(thread: LoopThread, coroutine: Coroutine[Any, Any, T]) -> T:
    """Wait in the caller's thread; who breaks that off stops what was waited for."""
    future = thread.submit(coroutine)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
