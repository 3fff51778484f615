"""The plugins of one stream: its text and its audio go through their hooks, one behind the other."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import logging
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from wyoming_tts.plugin_calls import Caller, HookError
from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.aloud import Aloud, read_aloud, read_written
from wyoming_tts.text.lexicon import Lexicon
from wyoming_tts.types import AudioChunk, AudioFormat, Samples, Voice, WordTiming

_LOGGER = logging.getLogger(__name__)

T = TypeVar("T")

TEXT_HOOKS = ("pre_process_text", "post_process_text")
AUDIO_HOOKS = ("pre_process_audio", "post_process_audio")
STREAM_HOOKS = (*TEXT_HOOKS, *AUDIO_HOOKS)

MOST_CHARACTERS = 10_000
"""A sentence that a hook returns is not longer."""

REMEMBERED = 64
"""Changes of length that are remembered: words are told at most some chunks behind their sound."""


@dataclass(slots=True, eq=False)
class PluginStream:
    """What a hook may know of the stream it works for; each plugin has one of its own for each stream."""

    voice: Voice
    """Who speaks the sentence that is spoken now."""

    rate: int
    """Samples per second of the audio."""

    state: dict[str, Any] = field(default_factory=dict)
    """The plugin's own: what it has to remember from one call to the next of this stream."""

    last: bool = False
    """For audio: nothing follows; the samples are empty, and what a filter still holds is to be returned."""

    @property
    def language(self) -> str:
        """BCP 47 tag of what the voice speaks, such as `en-US`."""
        return self.voice.language


@dataclass(frozen=True, slots=True)
class Hook:
    """One function of one plugin."""

    plugin: str
    """The plugin's name."""

    name: str
    """Which hook it is."""

    function: Callable[..., Any]
    """What the plugin wrote."""

    arguments: tuple[str, ...]
    """What it wants to know: it need not take everything."""

    def __call__(self, value: str | Samples, stream: PluginStream) -> Any:
        """What the plugin makes of a text or of samples."""
        return self.function(*(stream if name == "stream" else value for name in self.arguments))


class StreamPlugins:
    """The hooks that streams go through, and how often each could not be used."""

    def __init__(self, hooks: Mapping[str, Sequence[Hook]], caller: Caller) -> None:
        """`hooks` in the order in which they are called, by name."""
        self.hooks, self.caller = hooks, caller
        self.failures: Counter[tuple[str, str]] = Counter()
        """How often a hook raised, was late or returned nonsense, by plugin and hook; once a stream."""

    def open(self, stream: str, voice: Voice, format_: AudioFormat) -> StreamHooks | None:
        """The hooks for a new stream; None, which costs nothing, where no plugin has any."""
        return StreamHooks(self, stream, voice, format_) if any(self.hooks.values()) else None


class StreamHooks:
    """Leads one stream through the hooks; one that fails is left out for the rest of it."""

    def __init__(self, plugins: StreamPlugins, stream: str, voice: Voice, format_: AudioFormat) -> None:
        self._plugins, self._name = plugins, stream
        self._voice, self._format = voice, format_
        self._streams: dict[str, PluginStream] = {}
        self._left_out: set[tuple[str, str]] = set()

    async def read_aloud(
        self, text: AlignedText, voice: Voice, lexicon: Lexicon | None, spell_out: bool = True
    ) -> Aloud:
        """What `text.aloud.read_aloud` makes of a sentence, with the text hooks before and behind it."""
        self._voice = voice
        given = await self._text("pre_process_text", text)
        aloud = read_aloud(given, voice, lexicon, spell_out=spell_out)
        said = (await self._text("post_process_text", aloud.normalised)).stripped()
        return Aloud(aloud.cleaned if given is text else read_written(text), said)

    def sentence(self, chunks: AsyncGenerator[AudioChunk, None]) -> AsyncGenerator[AudioChunk, None]:
        """A sentence's audio behind `pre_process_audio`."""
        return self._audio("pre_process_audio", chunks)

    def stream(self, chunks: AsyncGenerator[AudioChunk, None]) -> AsyncGenerator[AudioChunk, None]:
        """All audio of the stream behind `post_process_audio`."""
        return self._audio("post_process_audio", chunks)

    async def _text(self, name: str, text: AlignedText) -> AlignedText:
        for hook in self._plugins.hooks.get(name, ()):
            text = await self._through(hook, text, _rewritten)
        return text

    def _audio(self, name: str, chunks: AsyncGenerator[AudioChunk, None]) -> AsyncGenerator[AudioChunk, None]:
        if not self._plugins.hooks.get(name):
            return chunks
        return self._filtered(self._plugins.hooks[name], chunks)

    async def _filtered(
        self, hooks: Sequence[Hook], chunks: AsyncGenerator[AudioChunk, None]
    ) -> AsyncGenerator[AudioChunk, None]:
        """Audio behind some hooks, and behind its end what they still hold."""
        pace, chunk = _Pace(self._format.rate), AudioChunk(_NOTHING, self._format)
        async with contextlib.aclosing(chunks):
            async for chunk in chunks:
                samples = await self._samples(hooks, chunk.samples)
                if made := pace.kept(chunk, samples):
                    yield made
        rest = await self._rest(hooks)
        if made := pace.kept(dataclasses.replace(chunk, samples=_NOTHING, words=()), rest, last=True):
            yield made

    async def _samples(self, hooks: Iterable[Hook], samples: Samples) -> Samples:
        for hook in hooks:
            if not len(samples):
                break
            samples = await self._through(hook, samples, _resounded)
        return samples

    async def _rest(self, hooks: Iterable[Hook]) -> Samples:
        """What the hooks hold back; each gets what those before it held."""
        rest = _NOTHING
        for hook in hooks:
            before = await self._samples([hook], rest)
            rest = np.concatenate([before, await self._through(hook, _NOTHING, _resounded, last=True)])
        return rest

    async def _through(
        self, hook: Hook, value: T, use: Callable[[Hook, T, PluginStream], T], last: bool = False
    ) -> T:
        """What a hook makes of something; that itself where the hook is left out or fails."""
        if (hook.plugin, hook.name) in self._left_out:
            return value
        caller = self._plugins.caller
        stream = self._stream_of(hook.plugin, last)
        try:
            if caller.hangs(hook.plugin):
                raise HookError("is not called, an earlier call still runs", hangs=True)
            return await caller.call(hook.plugin, lambda: use(hook, value, stream))
        except HookError as error:
            self._leave_out(hook, error)
            return value

    def _stream_of(self, plugin: str, last: bool) -> PluginStream:
        stream = self._streams.get(plugin)
        if stream is None:
            stream = self._streams[plugin] = PluginStream(self._voice, self._format.rate)
        stream.voice, stream.last = self._voice, last
        return stream

    def _leave_out(self, hook: Hook, error: HookError) -> None:
        """For the rest of the stream; all of the plugin where a call of it goes on."""
        self._left_out |= {(hook.plugin, name) for name in (STREAM_HOOKS if error.hangs else (hook.name,))}
        self._plugins.failures[hook.plugin, hook.name] += 1
        _LOGGER.warning(
            "Plugin %s: %s %s; stream %s goes on without it", hook.plugin, hook.name, error, self._name
        )
        if error.__cause__:
            _LOGGER.debug("Plugin %s: %s", hook.plugin, hook.name, exc_info=error.__cause__)


class _Pace:
    """Keeps words with their sound where hooks make audio longer or shorter."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._points = deque([(0.0, 0.0)], REMEMBERED)
        """Seconds that came in, and seconds that there were then, behind each chunk."""
        self._changed = False
        self._words: list[WordTiming] = []

    def kept(self, chunk: AudioChunk, samples: Samples, *, last: bool = False) -> AudioChunk | None:
        """A chunk with what became of its samples; None where nothing has, yet: its words then wait."""
        self._note(len(chunk.samples) / self._rate, len(samples) / self._rate)
        self._words += (self._moved(word) for word in chunk.words)
        if not len(samples) and not (last and self._words):
            return None
        words, self._words = tuple(self._words), []
        return dataclasses.replace(chunk, samples=np.clip(samples, -1, 1), words=words)

    def _note(self, came: float, went: float) -> None:
        before = self._points[-1]
        self._changed |= came != went
        self._points.append((before[0] + came, before[1] + went))

    def _moved(self, word: WordTiming) -> WordTiming:
        if not self._changed:
            return word
        start, end = self._place(word.start), self._place(word.end)
        return dataclasses.replace(word, start=start, end=max(start, end))

    def _place(self, seconds: float) -> float:
        """Where a moment is now: between two points in proportion, beyond them as far off as they are."""
        came, went = zip(*self._points, strict=True)
        if seconds <= came[0] or seconds >= came[-1]:
            near = 0 if seconds <= came[0] else -1
            return max(0.0, float(seconds + went[near] - came[near]))
        return float(np.interp(seconds, came, went))


_NOTHING = np.zeros(0, np.float32)


def _rewritten(hook: Hook, text: AlignedText, stream: PluginStream) -> AlignedText:
    """A text as a hook rewrites it, word for word where it can be told. Raises HookError."""
    result = hook(text.text, stream)
    if result is None:
        return text
    if not isinstance(result, str):
        raise _wrong(result, "a text")
    if len(result) > MOST_CHARACTERS:
        raise HookError(f"returned {len(result)} characters, more than {MOST_CHARACTERS}")
    return text.rewritten(result)


def _resounded(hook: Hook, samples: Samples, stream: PluginStream) -> Samples:
    """What a hook makes of samples; neither side sees what the other does to its own. Raises HookError."""
    result = hook(samples.copy(), stream)
    if result is None:
        return samples
    if not isinstance(result, np.ndarray) or result.dtype != np.float32 or result.ndim != 1:
        raise _wrong(result, "float32 samples of shape (samples,)")
    if not np.isfinite(result).all():
        raise HookError("returned samples that are not finite")
    return np.array(result)


def _wrong(result: object, wanted: str) -> HookError:
    if inspect.iscoroutine(result):
        result.close()
    what = type(result).__name__
    if isinstance(result, np.ndarray):
        what = f"{result.dtype} of shape {result.shape}"
    return HookError(f"returned {what}, not {wanted}")
