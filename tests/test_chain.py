"""Building the chain that the settings describe."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from wyoming_tts.backends.cache import CachedBackend
from wyoming_tts.backends.remote import RemoteOptions
from wyoming_tts.chain import GROUP, backend_types, build_chain
from wyoming_tts.config import Settings
from wyoming_tts.errors import ConfigError
from wyoming_tts.voices import load_catalogue

VOICES = load_catalogue().voices()


def settings(tmp_path: Path, chain: str, backends: Any = None, **more: Any) -> Settings:
    return Settings(data_dir=tmp_path, chain=chain, backends=backends or {}, **more)  # type: ignore[arg-type]


def test_the_order_is_the_settings(tmp_path: Path) -> None:
    """As named, each with its own options; two of one type under two names."""
    tables = {
        "box": {"type": "openai", "base_url": "http://box/v1", "first_audio_timeout": 2},
        "openai": {"model": "tts-1"},
    }
    chain = build_chain(settings(tmp_path, "box,openai,espeak", tables), VOICES)
    assert [member.name for member in chain.members] == ["box", "openai", "espeak"]
    assert [member.options.first_audio_timeout for member in chain.members] == [2, 4, 30]
    assert {voice.backend for voice in chain.voices()} == {"box", "openai", "espeak"}


def test_settings_of_the_server_are_kokoros_too(tmp_path: Path) -> None:
    """What a flag says of the model holds, unless its table says otherwise."""
    one = settings(tmp_path, "kokoro", threads=3)
    two = settings(tmp_path, "kokoro", {"kokoro": {"threads": 1}}, threads=3)
    assert [build_chain(each, VOICES).max_concurrency for each in (one, two)] == [3, 1]


@pytest.mark.parametrize(
    ("chain", "tables", "message"),
    [
        ("opnai", {}, r"backends\.opnai: there is no backend 'opnai'; did you mean openai\?; there are"),
        ("box", {"box": {"type": "nothing"}}, r"backends\.box: there is no backend 'nothing'"),
        ("openai", {"openai": {"modle": "x"}}, r"backends\.openai\.modle is no option; did you mean model\?"),
        ("openai", {"openai": {"pcm_rate": 1}}, r"backends\.openai\.pcm_rate: Input should be greater"),
        ("openai", {"openai": {"base_url": "x"}}, r"backends\.openai\.base_url: 'x' is no address"),
        ("espeak", {"espeak": {"daily_budget": -1}}, r"backends\.espeak\.daily_budget"),
    ],
)
def test_mistakes_are_named(chain: str, tables: Any, message: str, tmp_path: Path) -> None:
    """The key that is wrong, and what would be right."""
    with pytest.raises(ConfigError, match=message):
        build_chain(settings(tmp_path, chain, tables), VOICES)


def test_a_wrong_key_is_not_repeated(tmp_path: Path) -> None:
    """What is wrong about a key is said without the key."""
    with pytest.raises(ConfigError) as caught:
        build_chain(settings(tmp_path, "openai", {"openai": {"api_key": ["sk-secret"]}}), VOICES)
    assert "api_key" in str(caught.value)
    assert "sk-secret" not in str(caught.value)


def test_keys_are_found_where_people_keep_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the service's own variable, unless the table has one."""
    monkeypatch.setenv("OPENAI_API_KEY", "from the environment")
    one = build_chain(settings(tmp_path, "openai"), VOICES).members[0].options
    two = build_chain(settings(tmp_path, "openai", {"openai": {"api_key": "own"}}), VOICES).members[0].options
    assert isinstance(one, RemoteOptions)
    assert isinstance(two, RemoteOptions)
    assert [one.key(), two.key()] == ["from the environment", "own"]


def test_caching_is_each_backends_own(tmp_path: Path) -> None:
    """So that what a stand-in said is never taken for the other's."""
    with_cache = build_chain(settings(tmp_path, "kokoro,espeak"), VOICES)
    assert all(isinstance(member.backend, CachedBackend) for member in with_cache.members)
    without = build_chain(settings(tmp_path, "kokoro,espeak", cache_memory=0), VOICES)
    assert not any(isinstance(member.backend, CachedBackend) for member in without.members)


def test_all_types_come_through_one_door() -> None:
    """Each type of backend is an entry point, ours as well as strangers'."""
    assert set(backend_types()) == {entry.name for entry in entry_points(group=GROUP)}
    for entry in backend_types().values():
        kind = entry.load()
        assert isinstance(kind.own_turns, bool)
        assert all(field.description for field in kind.Options.model_fields.values()), entry.name
        kind.Options()  # all options have defaults
