"""What a plugin may do, and the plugins there are."""

from __future__ import annotations

import difflib
import inspect
import logging
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, TypeVar

import pluggy

from wyoming_tts.backends.base import Backend
from wyoming_tts.pipeline import Pipeline
from wyoming_tts.plugin_calls import Caller, HookError
from wyoming_tts.plugin_streams import STREAM_HOOKS, Hook, PluginStream, StreamPlugins
from wyoming_tts.types import Samples, Voice

_LOGGER = logging.getLogger(__name__)

PROJECT = "wyoming_tts"
TIMEOUT = 0.5
"""Seconds that a hook may take, unless a setting says otherwise."""

T = TypeVar("T")

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class TTSHookSpec:
    """The hooks: a plugin defines functions of these names, and leaves arguments out as it likes.

    Those of text and audio run in threads beside the event loop, in those of several streams at the same
    time; what they remember of a stream belongs into `stream.state`. Each is given what the one before
    returned; None changes nothing. `@hookimpl` is needed for `tryfirst` and `trylast` alone.
    """

    @hookspec
    def pre_process_text(self, text: str, stream: PluginStream) -> str | None:
        """A sentence as it was sent, markup included, before it is read: another text for it."""

    @hookspec
    def post_process_text(self, text: str, stream: PluginStream) -> str | None:
        """A sentence as it will be read out, in words, before it becomes sounds: another text for it."""

    @hookspec
    def pre_process_audio(self, audio: Samples, stream: PluginStream) -> Samples | None:
        """Some of a sentence's samples as the backend makes them, float32; `last` behind each sentence."""

    @hookspec
    def post_process_audio(self, audio: Samples, stream: PluginStream) -> Samples | None:
        """Some of the samples that go out, pauses included; `last` at the end of the stream."""

    @hookspec
    def customize_pipeline(self, pipeline: Pipeline) -> Pipeline | None:
        """Once, at the start: `pipeline.observe` it, or return what takes its place (`pipeline.altered`)."""

    @hookspec
    def register_backends(self) -> Mapping[str, type[Backend]]:  # type: ignore[empty-body]
        """Once: further types of backends (see `backends.base.BackendType`) by the name for the chain."""

    @hookspec
    def register_voices(self) -> Sequence[Voice]:  # type: ignore[empty-body]
        """Once: further voices; the `backend` of each is the network that speaks it, such as `kokoro`."""


HOOKS = (*STREAM_HOOKS, "customize_pipeline", "register_backends", "register_voices")


class Plugins:
    """All plugins of a server: added first, then used, closed at the end."""

    def __init__(self, seconds: float = TIMEOUT) -> None:
        """A hook of text or audio may take so many seconds."""
        self._manager = _Manager(PROJECT)
        self._manager.add_hookspecs(TTSHookSpec)
        self._caller = Caller(seconds)
        self._streams: StreamPlugins | None = None

    def add(self, plugins: Sequence[tuple[str, object]]) -> None:
        """Add some, called in this order and before those added earlier; a wrong one is named in the log."""
        for name, plugin in reversed(plugins):  # pluggy calls the last one first
            if self._manager.has_plugin(name):
                _LOGGER.warning("Plugin %s is left out: there is another one of that name", name)
                continue
            try:
                self._add(name, plugin() if inspect.isclass(plugin) else plugin)
            except Exception as error:  # whatever a stranger's class raises
                _LOGGER.warning("Plugin %s is left out: %s", name, error)
                if self._manager.has_plugin(name):
                    self._manager.unregister(name=name)

    @property
    def names(self) -> Sequence[str]:
        """The plugins that are in use, in the order in which they are called."""
        return tuple(reversed([name for name, _ in self._manager.list_name_plugin()]))

    @property
    def streams(self) -> StreamPlugins:
        """The hooks that streams go through; what is added later is not among them."""
        if self._streams is None:
            self._streams = StreamPlugins({name: self._hooks(name) for name in STREAM_HOOKS}, self._caller)
        return self._streams

    @property
    def failures(self) -> Mapping[tuple[str, str], int]:
        """How often a hook failed, by plugin and hook, in streams once each."""
        return self.streams.failures

    def backends(self, taken: Container[str] = ()) -> Mapping[str, type[Any]]:
        """The types of backends that plugins bring; a name that is `taken` is left out with a warning."""
        found: dict[str, type[Any]] = {}
        none: Mapping[str, type[Any]] = {}
        for hook in self._hooks("register_backends"):
            for name, kind in self._asked(hook, _backends, none).items():
                if name in taken or name in found:
                    _LOGGER.warning("Plugin %s: there is a backend %s already", hook.plugin, name)
                else:
                    found[name] = kind
        return found

    def voices(self, taken: Container[str] = ()) -> Sequence[Voice]:
        """The voices that plugins bring; one whose name is `taken` is left out with a warning."""
        found: dict[str, Voice] = {}
        none: Sequence[Voice] = ()
        for hook in self._hooks("register_voices"):
            for voice in self._asked(hook, _voices, none):
                if voice.name in taken or voice.name in found:
                    _LOGGER.warning("Plugin %s: there is a voice %s already", hook.plugin, voice.name)
                else:
                    found[voice.name] = voice
        return tuple(found.values())

    def customize(self, pipeline: Pipeline) -> Pipeline:
        """The pipeline as the plugins want it."""
        for hook in self._hooks("customize_pipeline"):
            pipeline = self._asked(hook, _pipeline, pipeline, pipeline)
        return pipeline

    def close(self) -> None:
        """End the threads; one that hangs is left behind and holds up nothing."""
        self._caller.close()

    def _add(self, name: str, plugin: object) -> None:
        self._manager.register(plugin, name)
        callers = self._manager.get_hookcallers(plugin) or []
        impls = [impl for caller in callers for impl in caller.get_hookimpls() if impl.plugin is plugin]
        for caller in callers:
            if not caller.has_spec():
                near = difflib.get_close_matches(caller.name, HOOKS, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise ValueError(f"there is no hook {caller.name}{hint}")
        if any(impl.wrapper or impl.hookwrapper for impl in impls):
            raise ValueError("hooks are called one behind the other, and have no wrappers")
        if not impls:
            _LOGGER.warning("Plugin %s has no hooks; there are %s", name, ", ".join(HOOKS))

    def _hooks(self, name: str) -> Sequence[Hook]:
        impls = reversed(getattr(self._manager.hook, name).get_hookimpls())
        return tuple(Hook(impl.plugin_name, name, impl.function, tuple(impl.argnames)) for impl in impls)

    def _asked(self, hook: Hook, use: Callable[[Any], T], instead: T, *given: object) -> T:
        """What a hook says at the start; `instead` where that is nothing, or nothing that can be used."""
        arguments = given[: len(hook.arguments)]

        def ask() -> T:
            result = hook.function(*arguments)
            return instead if result is None else use(result)

        try:
            return self._caller.call_now(hook.plugin, ask)
        except HookError as error:
            self.streams.failures[hook.plugin, hook.name] += 1
            why = f": {error.__cause__}" if error.__cause__ else ""
            _LOGGER.warning("Plugin %s: %s %s%s; it is left out", hook.plugin, hook.name, error, why)
            return instead


class _Manager(pluggy.PluginManager):
    """Takes a function with the name of a hook for one, marked or not: a forgotten mark is no riddle."""

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> Any:
        """See pluggy."""
        options = super().parse_hookimpl_opts(plugin, name)
        if options is None and name in HOOKS and inspect.isroutine(getattr(plugin, name)):
            return {}
        return options


def _backends(result: Any) -> Mapping[str, type[Any]]:
    if not isinstance(result, Mapping):
        raise HookError(f"returned {type(result).__name__}, not types of backends by name")
    for name, kind in result.items():
        lacking = [part for part in ("Options", "own_turns", "synthesize") if not hasattr(kind, part)]
        if not isinstance(name, str) or not inspect.isclass(kind) or lacking:
            raise HookError(f"returned {kind!r} as {name!r}, which is no class of backends")
    return result


def _voices(result: Any) -> Sequence[Voice]:
    if not isinstance(result, Sequence) or not all(isinstance(voice, Voice) for voice in result):
        raise HookError(f"returned {type(result).__name__}, not a list of Voice")
    return result


def _pipeline(result: Any) -> Pipeline:
    if not isinstance(result, Pipeline):
        raise HookError(f"returned {type(result).__name__}, not a Pipeline")
    return result
