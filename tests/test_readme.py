"""The README, and the pages behind it, tell what the code does."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import ScriptedBackend
from tests.plugged import listen, make
from wyoming_tts import PluginStream
from wyoming_tts.backends.base import BackendOptions
from wyoming_tts.catalogue import LiveCatalogue
from wyoming_tts.chain import backend_types, build_chain
from wyoming_tts.cli import COMMANDS
from wyoming_tts.config import Settings
from wyoming_tts.config_load import load_settings, settings_table
from wyoming_tts.models import RELEASES
from wyoming_tts.plugin_loading import load_plugins
from wyoming_tts.plugins import HOOKS, TTSHookSpec
from wyoming_tts.presets import Presets, read_presets
from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.lexicon import FILE_NAME, Lexicon
from wyoming_tts.voices import load_catalogue

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
CATALOGUE = load_catalogue()


def section_of(title: str, page: str = README) -> str:
    """What stands below a heading."""
    section = page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert section, title
    return section


def examples_in(title: str, language: str, page: str = README) -> list[str]:
    """The blocks of a language that a section shows."""
    return re.findall(rf"```{language}\n(.*?)```", section_of(title, page), re.DOTALL)


def example_in(title: str, page: str = README) -> str:
    """The TOML file that a section shows."""
    return examples_in(title, "toml", page)[0]


def test_the_example_of_a_chain_is_right(tmp_path: Path) -> None:
    """The example is a chain that can be built, with each option one that its backend has."""
    (tmp_path / "config.toml").write_text(example_in("Never silent"))
    settings = load_settings(["--config", str(tmp_path / "config.toml"), "--data-dir", str(tmp_path)])
    chain = build_chain(settings, CATALOGUE.voices())
    assert [member.name for member in chain.members] == list(settings.chain)
    assert set(settings.backends) <= set(settings.chain)


def test_the_example_of_own_voices_is_right(tmp_path: Path) -> None:
    """Every voice of the example is one."""
    (tmp_path / "voices.toml").write_text(example_in("Voices of your own"))
    presets = read_presets(tmp_path / "voices.toml")
    live = LiveCatalogue(CATALOGUE.voices, "af_heart", Presets(tmp_path / "voices.toml"))
    assert {"night", "butler"} <= set(presets) <= {voice.name for voice in live.voices()}


def test_every_backend_is_in_the_table() -> None:
    """Each type of backend has its row, in the README too, and its own options are named."""
    section = section_of("All backends", DOCS["backends.md"])
    for name, entry in backend_types().items():
        assert f"\n| `{name}` |" in section
        assert f"\n| `{name}` |" in section_of("Never silent")
        for option in set(entry.load().Options.model_fields) - set(BackendOptions.model_fields):
            assert f"`{option}`" in section, (name, option)


def test_the_settings_are_all_there() -> None:
    """The table of settings is the one that the code makes."""
    assert f"\n\n{settings_table()}\n" in README


def test_the_toml_example_is_right(tmp_path: Path) -> None:
    """The example is a file that the server accepts, and one that changes something."""
    example = example_in("Settings")
    (tmp_path / "config.toml").write_text(example)
    settings = load_settings(["--config", str(tmp_path / "config.toml")])
    assert settings.model_dump(exclude={"config"}) != Settings().model_dump(exclude={"config"})


def test_the_example_of_warm_up_is_right(tmp_path: Path) -> None:
    """The example is a list of texts that the server accepts."""
    example = example_in("Phrases that come again", DOCS["running.md"])
    (tmp_path / "config.toml").write_text(example)
    settings = load_settings(["--config", str(tmp_path / "config.toml")])
    assert len(settings.warm_up) == 2


@pytest.mark.parametrize(
    ("title", "page"), [("What is read out", README), ("Your own lexicon", DOCS["reading.md"])]
)
def test_the_lexicon_example_is_right(title: str, page: str, tmp_path: Path) -> None:
    """The example of a lexicon has nothing to complain of, and is used."""
    example = example_in(title, page)
    (tmp_path / FILE_NAME).write_text(example)
    lexicon = Lexicon(tmp_path / FILE_NAME)
    assert not lexicon.problems
    assert lexicon.apply(AlignedText.of("Ask Nguyen."), "en-US", "af_heart").text == "Ask win."


async def test_the_example_of_a_plugin_is_right(tmp_path: Path) -> None:
    """As a file in the directory it does what it says, in at most fifteen lines."""
    (example,) = examples_in("Plugins", "python")
    assert len(example.splitlines()) <= 15
    (tmp_path / "plugins").mkdir(mode=0o755)
    (tmp_path / "plugins" / "quiet.py").write_text(example)
    (tmp_path / "plugins" / "quiet.py").chmod(0o644)
    plugins, backend = load_plugins(tmp_path), ScriptedBackend()
    (chunk, *_) = await listen(make(plugins, backend), "Come here!")
    plugins.close()
    assert backend.texts == "Come here."
    assert float(chunk.samples[0]) in (0.25, np.float32(0.25) * np.float32(0.3))
    assert not plugins.failures


def test_every_hook_is_in_the_picture_and_in_the_table() -> None:
    """Each with its arguments, and with what it takes and gives."""
    section = section_of("Hooks", DOCS["plugins.md"])
    (picture,) = examples_in("Plugins", "text")
    for name in HOOKS:
        arguments = list(inspect.signature(getattr(TTSHookSpec, name)).parameters)[1:]
        assert f"{name}({', '.join(arguments)})" in picture
        assert f"\n| `{name}` |" in section
    for field in dataclasses.fields(PluginStream):
        assert f"`{field.name}`" in section


@pytest.mark.parametrize("number", range(3))
async def test_the_examples_of_the_library_run(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As cells of a notebook, which has a loop that runs; with espeak-ng, which needs no loading."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WYOMING_TTS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("WYOMING_TTS_CHAIN", "espeak")
    examples = examples_in("In a program or a notebook", "python")
    examples += examples_in("Pipelines", "python", DOCS["library.md"])
    assert len(examples) == 3
    assert len(examples[0].replace("\n\n", "\n").splitlines()) == 3
    names: dict[str, Any] = {}
    code = compile(examples[number], "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    running = eval(code, names)
    if inspect.iscoroutine(running):
        await running
    assert names["speech"].seconds > 0.5
    assert (tmp_path / "dinner.wav").exists() == (number == 0)


@pytest.mark.parametrize("language", sorted({voice.language for voice in CATALOGUE.voices()}))
def test_a_language_is_in_the_table_of_voices(language: str) -> None:
    """Each language has its row, with the number of its voices and the best one."""
    best = CATALOGUE.best_for_language(language)
    assert best is not None
    count = sum(voice.language == language for voice in CATALOGUE.voices())
    name = best.description.split(", ")[1]
    assert f"\n| {name} | `{language}` | {count} | `{best.name}` |\n" in README


def test_the_numbers_of_voices_and_languages_are_right() -> None:
    """The first paragraph counts voices and languages."""
    languages = {voice.language.split("-")[0] for voice in CATALOGUE.voices()}
    assert f"{len(CATALOGUE.voices())} voices in {len(languages)} languages" in " ".join(README.split())


def test_aliases_that_nobody_would_guess_are_listed() -> None:
    """An alias that is not the voice's own bare name stands beside its voice."""
    for voice in CATALOGUE.voices():
        for alias in set(voice.aliases) - {voice.name.split("_")[1]}:
            assert f"`{alias}` is `{voice.name}`" in README


def test_models_and_their_sizes_are_listed() -> None:
    """Each model that can be chosen by name is in the table with its size."""
    for name, release in RELEASES.items():
        assert re.search(rf"\n\| `{name}`[^|]* \| {release.megabytes} MB \|", DOCS["running.md"])


def test_scripts_and_files_are_listed() -> None:
    """Every script and every module is named, and nothing is that is not there."""
    scripts = {path.name for path in (ROOT / "script").iterdir() if not path.suffix}
    assert set(re.findall(r"\bscript/([\w-]+)", README)) == scripts
    table = README.partition("Where things are, in")[2].partition("|---|")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([\w/]+(?:\.py|/))`", table))
    package = ROOT / "wyoming_tts"
    modules = {path.name for path in package.glob("*.py") if not path.name.startswith("_")}
    folders = {f"{path.name}/" for path in package.iterdir() if (path / "__init__.py").exists()}
    assert named == modules | folders | {"base.py", "voices/"}


def test_commands_are_shown() -> None:
    """Each command of the command line has an example."""
    for command in COMMANDS:
        assert f"\nwyoming-tts {command}" in README
