"""Plugins are found, put in order, and asked at the start."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from tests.fakes import PATIENCE, ScriptedBackend, voice
from tests.plugged import (
    LIMIT,
    listen,
    make,
    plugin,
    raises,
)
from wyoming_tts import hookimpl
from wyoming_tts.assembly import assemble
from wyoming_tts.backends.base import BackendOptions
from wyoming_tts.config import Settings
from wyoming_tts.pipeline import Pipeline, PipelineSettings
from wyoming_tts.plugin_loading import FOLDER, GROUP, load_plugins
from wyoming_tts.plugins import HOOKS, Plugins, TTSHookSpec
from wyoming_tts.types import Progress, Voice


def says(letter: str) -> Any:
    def pre_process_text(text: str) -> str:
        return f"{text} {letter}"

    return pre_process_text


async def test_the_order_is_that_of_the_list_but_for_first_and_last(plugins: Plugins) -> None:
    """`tryfirst` is called before the others, `trylast` behind them."""
    plugins.add(
        [
            ("a", plugin(pre_process_text=hookimpl(trylast=True)(says("a")))),
            ("b", plugin(pre_process_text=says("b"))),
            ("c", plugin(pre_process_text=hookimpl(says("c")))),
            ("d", plugin(pre_process_text=hookimpl(tryfirst=True)(says("d")))),
        ]
    )
    backend = ScriptedBackend()
    await listen(make(plugins, backend), "Order")
    assert backend.texts == "Order d b c a"
    assert plugins.names == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (plugin(pre_process_text=lambda txt: txt), "txt"),
        (plugin(pre_proces_text=hookimpl(lambda text: text)), "did you mean pre_process_text"),
        (plugin(pre_process_text=hookimpl(wrapper=True)(lambda text: (yield))), "wrappers"),
        (type("Broken", (), {"__init__": lambda self: 1 / 0}), "division by zero"),
    ],
)
async def test_a_plugin_that_is_wrong_is_left_out(
    bad: Any, message: str, plugins: Plugins, caplog: pytest.LogCaptureFixture
) -> None:
    """It is named with what is wrong, and the others are used."""
    plugins.add([("bad", bad), ("good", plugin(pre_process_text=says("good")))])
    assert "Plugin bad is left out" in caplog.text
    assert message in caplog.text
    assert plugins.names == ("good",)
    backend = ScriptedBackend()
    await listen(make(plugins, backend), "This is")
    assert backend.texts == "This is good"


def test_two_of_one_name_are_one(plugins: Plugins, caplog: pytest.LogCaptureFixture) -> None:
    """The second is named and left out, and the first stays."""
    plugins.add([("a", plugin(pre_process_text=says("1")))])
    plugins.add([("a", plugin(pre_process_text=says("2")))])
    assert "another one of that name" in caplog.text
    assert len(plugins.streams.hooks["pre_process_text"]) == 1


def test_a_plugin_without_hooks_is_named(plugins: Plugins, caplog: pytest.LogCaptureFixture) -> None:
    """Which is most likely a slip, so the hooks that there are are listed."""
    plugins.add([("empty", plugin(process_text=says("x")))])
    assert "Plugin empty has no hooks; there are pre_process_text" in caplog.text


def test_every_hook_is_described() -> None:
    """Each hook of the specification has a docstring, and is known by name."""
    specified = {name: value for name, value in vars(TTSHookSpec).items() if not name.startswith("_")}
    assert set(specified) == set(HOOKS)
    assert all(value.__doc__ for value in specified.values())


# Where they come from


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(0o644)
    return path


def install(folder: Path, name: str, entries: str, **modules: str) -> None:
    """What an installer leaves behind of a package."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{entries}")
    for module, source in modules.items():
        (folder / f"{module}.py").write_text(source)


def adds(letter: str) -> str:
    return f"def pre_process_text(text):\n    return text + ' {letter}'\n"


async def test_packages_come_first_then_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Both by name; modules, classes and objects; a package that cannot be imported is named and left out."""
    install(
        tmp_path / "site",
        "some-plugins",
        "zebra = some_plugins_z\nant = some_plugins_a:Ant\nbroken = some_plugins_b\n",
        some_plugins_z=adds("zebra"),
        some_plugins_a="class Ant:\n    def pre_process_text(self, text):\n        return text + ' ant'\n",
        some_plugins_b="import there_is_no_such_module",
    )
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    write(tmp_path / FOLDER, "b.py", adds("b"))
    write(tmp_path / FOLDER, "a.py", adds("a"))
    with caplog.at_level(logging.INFO):
        plugins = load_plugins(tmp_path, LIMIT)
    backend = ScriptedBackend()
    await listen(make(plugins, backend), "Animals")
    plugins.close()
    assert backend.texts == "Animals ant zebra a b"
    assert "Plugins: ant, zebra, a.py, b.py" in caplog.text
    assert "broken (some_plugins_b) cannot be loaded: ModuleNotFoundError" in caplog.text


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def pre_process_text(text:", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(1)", "SystemExit"),
        ("import nothing_like_that", "ModuleNotFoundError"),
        ("def pre_process_text(words): return words", "words"),
    ],
)
def test_a_broken_file_is_named(
    source: str, message: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With its error, and the other files are used."""
    write(tmp_path / FOLDER, "bad.py", source)
    write(tmp_path / FOLDER, "good.py", adds("good"))
    plugins = load_plugins(tmp_path)
    assert plugins.names == ("good.py",)
    assert "bad.py" in caplog.text
    assert message in caplog.text
    assert "wyoming_tts_plugin_good" in sys.modules


def test_files_that_others_could_write_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that anybody may write to is not run, nor is any in such a folder."""
    write(tmp_path / FOLDER, "good.py", adds("good"))
    write(tmp_path / FOLDER, "open.py", "raise AssertionError('it was run')").chmod(0o666)
    write(tmp_path / FOLDER, "_helper.py", "raise AssertionError('it was run')")
    assert load_plugins(tmp_path).names == ("good.py",)
    assert "open.py cannot be loaded: PermissionError('anybody may write to it" in caplog.text
    (tmp_path / FOLDER).chmod(0o777)
    assert load_plugins(tmp_path).names == ()
    assert "No plugin of" in caplog.text


def test_files_of_others_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files belong to whoever runs the server, or to root."""
    path = write(tmp_path / FOLDER, "a.py", adds("a"))
    owner = path.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    assert load_plugins(tmp_path).names == (("a.py",) if owner == 0 else ())
    monkeypatch.setattr("os.geteuid", lambda: owner)
    assert load_plugins(tmp_path).names == ("a.py",)


def test_files_may_use_what_modules_use(tmp_path: Path) -> None:
    """Dataclasses with annotations as text look their module up."""
    source = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass A:\n    x: int = 1\n\ndef pre_process_text(text): return text + str(A().x)\n"
    )
    write(tmp_path / FOLDER, "uses.py", source)
    assert load_plugins(tmp_path).names == ("uses.py",)


# At the start


class Echo(ScriptedBackend):
    """A backend that a plugin brings."""

    class Options(BackendOptions):
        greeting: str = "hello"
        """What it says."""

    own_turns = False

    def __init__(self, options: BaseModel, surroundings: Any) -> None:
        super().__init__(voices=[voice("echo")], name=surroundings.name)
        self.options = options


def settings(tmp_path: Path, **more: Any) -> Settings:
    return Settings(data_dir=tmp_path, plugin_timeout=LIMIT, cache_memory=0, **more)


def granny() -> list[Voice]:
    return [
        Voice(name="granny", language="en-GB", backend="kokoro", description="Granny"),
        Voice(name="af_heart", language="en-US", backend="kokoro", description="Taken"),
    ]


async def test_backends_and_voices_of_plugins_are_in_the_chain(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A backend with options of its own; a voice for a network of the catalogue; no name twice."""
    brings = plugin(register_backends=lambda: {"echo": Echo, "espeak": Echo}, register_voices=granny)
    chosen = settings(tmp_path, chain="echo,kokoro", backends={"echo": {"greeting": "hi"}})
    built = assemble(chosen, [("brings", brings), ("too", plugin(register_backends=lambda: {"echo": Echo}))])
    assert built.chain.members[0].options.greeting == "hi"  # type: ignore[attr-defined]
    assert {"echo", "granny", "af_heart"} <= {one.name for one in built.catalogue.voices()}
    assert "Plugin brings: there is a backend espeak already" in caplog.text
    assert "Plugin too: there is a backend echo already" in caplog.text
    assert "Plugin brings: there is a voice af_heart already" in caplog.text
    chunks = await listen(built.pipeline)
    assert chunks[0].backend == "echo"
    await built.chain.stop()
    built.plugins.close()


BAD_STARTS = [
    *(("register_backends", bad) for bad in (raises, lambda: 5, lambda: {"x": 5}, lambda: {"x": int})),
    *(("register_voices", bad) for bad in (raises, lambda: 5, lambda: ["x"])),
    *(("customize_pipeline", bad) for bad in (lambda pipeline: raises(), lambda pipeline: 5)),
]


@pytest.mark.parametrize(("name", "bad"), BAD_STARTS)
async def test_what_goes_wrong_at_the_start_stops_nothing(
    name: str, bad: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is named and counted, and the server is built without it."""
    built = assemble(settings(tmp_path), [("bad", plugin(**{name: bad}))])
    assert f"Plugin bad: {name} r" in caplog.text
    assert built.plugins.failures == {("bad", name): 1}
    built.plugins.close()


def test_what_hangs_at_the_start_is_left_behind(
    plugins: Plugins, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After its time the server goes on."""
    go_on = threading.Event()
    plugins.add([("hangs", plugin(register_voices=lambda: go_on.wait(PATIENCE)))])
    call_now = plugins.streams.caller.call_now
    monkeypatch.setattr(plugins.streams.caller, "call_now", lambda name, ask: call_now(name, ask, 0.05))
    assert plugins.voices() == ()
    assert "register_voices took longer than 0.05 s" in caplog.text
    go_on.set()


async def test_a_plugin_may_customise_the_pipeline(plugins: Plugins) -> None:
    """It may observe it, give it other settings, and put something around its backend."""
    reports: list[Progress] = []
    inner, outer = ScriptedBackend(), ScriptedBackend()

    def customize_pipeline(pipeline: Pipeline) -> Pipeline:
        assert pipeline.backend is inner
        pipeline.observe(reports.append)
        pipeline.observe(raises)
        return pipeline.altered(settings=PipelineSettings(speed=1.5), backend=outer)

    plugins.add([("mine", plugin(customize_pipeline=customize_pipeline)), ("looks", plugin(
        customize_pipeline=lambda pipeline: None))])  # fmt: skip
    pipeline = plugins.customize(make(plugins, inner))
    assert pipeline.settings.speed == 1.5
    await listen(pipeline)
    assert not inner.requests
    assert outer.requests[0].speed == 1.5
    assert reports[-1].finished


def test_plugins_can_be_left_out(tmp_path: Path) -> None:
    """`--no-plugins` runs none, not even a file's first line."""
    write(tmp_path / FOLDER, "bad.py", "import os; os._exit(3)")
    built = assemble(settings(tmp_path, plugins=False))
    assert built.plugins.names == ()
    built.plugins.close()


def test_the_time_limit_is_a_setting(tmp_path: Path) -> None:
    """And reaches the calls."""
    built = assemble(settings(tmp_path))
    assert built.plugins.streams.caller.seconds == LIMIT
    built.plugins.close()
