"""A plugin that fails is never in the way of speech."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import PATIENCE, ScriptedBackend, until
from tests.plugged import (
    LIMIT,
    Delay,
    joined,
    listen,
    make,
    once,
    plugin,
    raises,
    ramp,
)
from wyoming_tts import Samples
from wyoming_tts.errors import SynthesisError
from wyoming_tts.plugins import HOOKS, Plugins


def exits(*_: Any) -> Any:
    raise SystemExit(3)


async def asynchronous(*_: Any) -> str:
    return "text"


def of(function: Any, argument: str) -> Any:
    """A hook with the one argument of a name."""
    scope: dict[str, Any] = {"function": function}
    exec(f"def hook({argument}): return function({argument})", scope)
    return scope["hook"]


BAD_TEXTS = (raises, exits, asynchronous, lambda text: 5, lambda text: b"bytes", lambda text: "x" * 20_000)
BAD_AUDIO = (
    *(raises, exits, asynchronous, lambda audio: "text", lambda audio: audio.tolist()),
    *(lambda audio: audio.astype(np.float64), lambda audio: audio[:, None], lambda audio: audio * np.nan),
)
BAD = [
    *((name, bad) for name in HOOKS[:2] for bad in BAD_TEXTS),
    *((name, bad) for name in HOOKS[2:4] for bad in BAD_AUDIO),
]


@pytest.mark.parametrize(("name", "bad"), BAD)
async def test_a_bad_hook_is_named_counted_and_skipped(
    name: str, bad: Any, plugins: Plugins, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever it does, speech is what it would be without it, once named a stream; no text is logged."""
    calls = 0

    def counted(value: Any) -> Any:
        nonlocal calls
        calls += 1
        return bad(value)

    argument = "text" if "text" in name else "audio"
    plugins.add([("bad", plugin(**{name: of(counted, argument)}))])
    backend = ScriptedBackend(ramp(1000, 500))
    pipeline = make(plugins, backend)
    text = "The first sentence is here. This is the second one."
    with caplog.at_level(logging.INFO):
        chunks = await listen(pipeline, text)
    assert len(joined(chunks)) == 3000
    assert backend.texts == text
    assert plugins.failures == {("bad", name): 1}
    assert calls == 1
    (line,) = [record.message for record in caplog.records]
    assert line.startswith(f"Plugin bad: {name} r")
    assert "what the user said" not in line
    await listen(pipeline, text)
    assert plugins.failures == {("bad", name): 2}
    assert calls == 2


async def test_what_was_raised_is_told_to_who_debugs(
    plugins: Plugins, caplog: pytest.LogCaptureFixture
) -> None:
    """The line names type and place; with debug there is the traceback."""
    plugins.add([("bad", plugin(pre_process_text=raises_in_text))])
    with caplog.at_level(logging.DEBUG, "wyoming_tts"):
        await listen(make(plugins))
    assert "raised KeyError (test_plugins_failing.py, line " in caplog.text
    assert "what the user said" in caplog.text


def raises_in_text(text: str) -> str:
    raise KeyError("what the user said")


async def test_the_other_hooks_of_a_plugin_go_on(plugins: Plugins) -> None:
    """One hook that fails is left out, and those before and behind it are not."""
    plugins.add(
        [
            ("a", plugin(pre_process_text=lambda text: text.replace("there", "dear"))),
            ("b", plugin(pre_process_text=of(raises, "text"), post_process_text=lambda text: text + " B!")),
            ("c", plugin(pre_process_text=lambda text: text + " C.")),
        ]
    )
    backend = ScriptedBackend()
    await listen(make(plugins, backend))
    assert backend.texts == "Hello dear. C. B!"


class Hanging:
    """A plugin that hangs until it is let go."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.calls = 0

    def pre_process_audio(self, audio: Samples) -> Samples:
        self.calls += 1
        self.go_on.wait(PATIENCE)
        return audio * 0

    def post_process_text(self, text: str) -> str:
        return "Hooked."


async def test_a_hook_that_hangs_is_left_behind(plugins: Plugins, caplog: pytest.LogCaptureFixture) -> None:
    """Speech goes on without its plugin, in new streams too, until its call is over."""
    hanging = Hanging()
    plugins.add([("hangs", hanging)])
    backend = ScriptedBackend()
    pipeline = make(plugins, backend)
    began = time.monotonic()
    assert joined(await listen(pipeline)).all()
    assert LIMIT <= time.monotonic() - began < LIMIT + 1
    assert f"Plugin hangs: pre_process_audio took longer than {LIMIT:g} s" in caplog.text
    began = time.monotonic()
    for _ in range(5):
        assert joined(await listen(pipeline)).all()
    assert time.monotonic() - began < LIMIT * 5
    assert hanging.calls == 1
    assert backend.requests[1].text == "Hello there."
    assert caplog.text.count("is not called, an earlier call still runs") == 5
    assert plugins.failures == {("hangs", "pre_process_audio"): 1, ("hangs", "post_process_text"): 5}
    hanging.go_on.set()
    await until(lambda: not plugins.streams.caller.hangs("hangs"))
    assert not joined(await listen(pipeline)).any()


async def test_hanging_hooks_use_up_nothing(plugins: Plugins) -> None:
    """Other plugins are called as before while many calls of one hang, and closing waits for none."""
    hanging = Hanging()
    plugins.add([("hangs", hanging), ("well", plugin(pre_process_audio=lambda audio: audio / np.float32(5)))])
    pipeline = make(plugins)
    for chunks in await asyncio.gather(*(listen(pipeline) for _ in range(8))):
        assert np.allclose(joined(chunks), 0.05)
    began = time.monotonic()
    plugins.close()
    assert time.monotonic() - began < 0.5
    hanging.go_on.set()


def test_a_hanging_hook_does_not_keep_the_process(tmp_path: Path) -> None:
    """A program whose plugin hangs for ever ends all the same."""
    import subprocess

    program = (
        "import asyncio, time\n"
        "from wyoming_tts.plugin_calls import Caller, HookError\n"
        "caller = Caller(0.05)\n"
        "try: asyncio.run(caller.call('x', lambda: time.sleep(1e6)))\n"
        "except HookError as error: print(error)\n"
        "caller.close()\n"
    )
    command = [sys.executable, "-c", program]
    output = subprocess.check_output(command, text=True, timeout=PATIENCE, cwd=Path(__file__).parent.parent)
    assert output == "took longer than 0.05 s\n"


async def test_a_listener_who_leaves_in_a_hook_is_gone_at_once(plugins: Plugins) -> None:
    """Cancelling does not wait for the hook; the backend's iterator is closed."""
    hanging = Hanging()
    plugins.add([("hangs", hanging)])
    backend = ScriptedBackend()
    task = asyncio.ensure_future(listen(make(plugins, backend)))
    await until(lambda: hanging.calls == 1)
    began = time.monotonic()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert time.monotonic() - began < LIMIT / 2
    await until(lambda: backend.running == 0)
    hanging.go_on.set()


async def test_closing_a_stream_closes_the_backend_through_the_hooks(plugins: Plugins) -> None:
    """As without plugins, and what filters still hold is not asked for."""
    lasts: list[bool] = []
    plugins.add([("looks", plugin(post_process_audio=lambda audio, stream: lasts.append(stream.last)))])
    backend = ScriptedBackend(lambda request: [100] * 100)
    chunks = make(plugins, backend).synthesize(once("Hello there."))
    await anext(chunks)
    await chunks.aclose()
    assert backend.running == 0
    assert lasts == [False]


async def test_an_error_of_the_backend_is_the_streams(plugins: Plugins) -> None:
    """Plugins do not hide it."""
    plugins.add([("delay", Delay)])
    backend = ScriptedBackend(lambda request: [1000, SynthesisError("out of breath")])
    with pytest.raises(SynthesisError, match="out of breath"):
        await listen(make(plugins, backend))


async def test_threads_end_with_the_plugins() -> None:
    """Nothing is left running behind `close`."""
    plugins = Plugins(LIMIT)
    plugins.add([("one", plugin(post_process_audio=lambda audio: time.sleep(0.005)))])
    pipeline = make(plugins)
    await asyncio.gather(*(listen(pipeline) for _ in range(10)))
    assert any(thread.name == "plugins" for thread in threading.enumerate())
    plugins.close()
    await until(lambda: not any(thread.name == "plugins" for thread in threading.enumerate()))
