"""Japanese and Chinese are read by packages that not everybody installs."""

from __future__ import annotations

import sys

import pytest

from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.phonemes import EXTRAS, LANGUAGES, Phonemizer, missing_extra

PACKAGES = [(extra, package) for extra, packages in EXTRAS.items() for package in packages]
TAGS = {"ja": "ja", "zh": "zh-CN"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_missing_where_all_is_installed(language: str) -> None:
    """With every package there, no language asks for an extra."""
    assert missing_extra(language) is None


@pytest.mark.parametrize(("extra", "package"), PACKAGES)
def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, extra: str, package: str) -> None:
    """Without one of its packages a language, however its tag is written, names its extra; others do not."""
    monkeypatch.setitem(sys.modules, package, None)
    for language in {*LANGUAGES, "ja-JP", "zh", "zh_TW", "ZH-Hans-CN"}:
        expected = extra if language[:2].lower() == extra else None
        assert missing_extra(language) == expected


def test_asking_imports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is found without loading a package."""
    for _, package in PACKAGES:
        monkeypatch.delitem(sys.modules, package, raising=False)
    for language in LANGUAGES:
        missing_extra(language)
    assert not [package for _, package in PACKAGES if package in sys.modules]


@pytest.mark.parametrize(("extra", "package"), PACKAGES)
def test_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, extra: str, package: str) -> None:
    """A text in a language whose package is missing is refused with the command that installs it."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BackendUnavailableError, match=rf"pip install 'wyoming-tts\[{extra}\]'"):
        Phonemizer().phonemize("一", TAGS[extra])


def test_other_languages_do_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """English is spoken where neither extra is installed."""
    for _, package in PACKAGES:
        monkeypatch.setitem(sys.modules, package, None)
    assert Phonemizer().phonemize("water", "en-US").tokens
