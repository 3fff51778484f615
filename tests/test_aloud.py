"""From written text to phonemes: nothing fails, nothing is lost, from any number of threads."""

from __future__ import annotations

import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wyoming_tts.phonemes import Phonemizer
from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.aloud import read_aloud
from wyoming_tts.text.normalise import normalise
from wyoming_tts.types import Voice

LANGUAGES = ("en-US", "en-GB", "es", "fr-FR", "it", "pt-BR", "hi", "ja", "zh-CN")

FORMS = (
    *(
        "the",
        "Dr.",
        "kitchen",
        "St.",
        "IV",
        "a.m.",
        "no",
        "TV",
        "x",
        "m",
        "C#",
        "e.g.",
        "état",
        "ñu",
        "घर",
        "台所",
    ),
    *("21.5", "-3", "1,234.5", "7:05", "2026-11-21", "11/21/2026", "1/2", "3½", "0420", "1980s", "2nd", "+1"),
    *(
        "°C",
        "%",
        "km/h",
        "kWh",
        "µg/m³",
        "MB",
        "$",
        "€",
        "£3",
        "¥",
        "₹",
        "~",
        "±",
        "×",
        "=",
        "&",
        "@",
        "#5",
        "/",
    ),
    *(
        "https://example.com/a?b=c",
        "john@example.com",
        "192.168.1.10",
        "sensor.living_room",
        "v2.5.1",
        "(555)",
    ),
    *(
        "**bold**",
        "_x_",
        "`code`",
        "[a](b)",
        "[word](/fəˈnim/)",
        "<b>",
        "&amp;",
        "😀",
        "- ",
        "## ",
        "\n",
        "|",
    ),
    *(
        ".",
        ",",
        "!",
        "?",
        "…",
        "—",
        "(",
        ")",
        '"',
        "'",
        "。",
        "、",
        "؟",
        "।",
        "¿",
        "\u200b",
        "\xa0",
        "\u202f",
    ),
)


@cache
def phonemizer() -> Phonemizer:
    return Phonemizer()


def voice(language: str) -> Voice:
    return Voice(name="someone", language=language, backend="none", description="")


def assert_nothing_is_lost(text: str, language: str) -> None:
    """Every word as written is in what is read out, and every word that is read out has a sound."""
    aloud = read_aloud(AlignedText.of(text), voice(language))
    spoken = aloud.normalised
    heard: set[int] = set()
    for index, symbol in enumerate(spoken.text):
        if symbol.isalnum():
            heard.update(range(*spoken.source(index, index + 1)))
    for word in _words(aloud.cleaned):
        assert heard & set(word), f"{text!r}: {text[word.start : word.stop]!r} is not in {spoken.text!r}"
    phonemes = phonemizer().phonemize(spoken.text, language, aloud.pronunciations)
    if any(symbol.isascii() and symbol.isalpha() for symbol in spoken.text):
        assert phonemes.tokens
    assert all(0 <= word.char_start < word.char_end <= len(spoken.text) for word in phonemes.words)


def _words(cleaned: AlignedText) -> list[range]:
    """Where in the caller's text the runs of letters and digits are."""
    words, start = [], None
    for index, symbol in enumerate(f"{cleaned.text} "):
        inside = symbol.isascii() and symbol.isalnum()
        if inside and start is None:
            start = index
        elif not inside and start is not None:
            words.append(range(*cleaned.source(start, index)))
            start = None
    return words


mixed = st.lists(
    st.tuples(st.sampled_from(FORMS), st.sampled_from(["", " ", " ", " "])), min_size=1, max_size=10
).map(lambda parts: "".join(form + space for form, space in parts))


@settings(max_examples=10_000, deadline=None)
@given(text=st.one_of(mixed, mixed, st.text(max_size=40)))
def test_nothing_is_lost_in_english(text: str) -> None:
    """Whatever is written, English loses no word of it and raises nothing."""
    assert_nothing_is_lost(text, "en-US")


@pytest.mark.parametrize("language", LANGUAGES[1:])
@settings(max_examples=500, deadline=None)
@example(text="B\ua717")
@example(text="B\uaa4c")
@example(text="B\u10d0")
@given(text=st.one_of(mixed, st.text(max_size=40)))
def test_nothing_is_lost(language: str, text: str) -> None:
    """The same in every other language."""
    assert_nothing_is_lost(text, language)


def blocks() -> list[str]:
    """One short text from each 128 characters of Unicode that hold assigned ones."""
    texts = []
    for start in range(0, sys.maxunicode + 1, 128):
        assigned = [
            chr(code)
            for code in range(start, start + 128)
            if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")
        ]
        if assigned:
            texts.append("".join(assigned[:: max(1, len(assigned) // 8)]))
    return texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_of_unicode(language: str) -> None:
    """Characters from everywhere in Unicode, between words, are no trouble."""
    for sample in blocks():
        assert_nothing_is_lost(f"one {sample} two", language)


def test_eight_threads() -> None:
    """Eight threads at once get what one gets alone."""
    texts = [
        (f"{number} doors at {number % 12 + 1}:05 are {number / 7:.1f} °C; ask Dr. Zyx{number}.", language)
        for number in range(40)
        for language in LANGUAGES
    ]

    def read(item: tuple[str, str]) -> tuple[str, str]:
        aloud = read_aloud(AlignedText.of(item[0]), voice(item[1]))
        phonemes = phonemizer().phonemize(aloud.normalised.text, item[1], aloud.pronunciations)
        return aloud.normalised.text, phonemes.text

    alone = [read(item) for item in texts]
    with ThreadPoolExecutor(8) as pool:
        together = [list(results) for results in (pool.map(read, texts), pool.map(read, reversed(texts)))]
    assert together[0] == alone
    assert together[1] == alone[::-1]


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=200, deadline=None)
@given(text=mixed.filter(lambda text: "](/" not in text))
def test_reading_twice_changes_nothing(language: str, text: str) -> None:
    """What is read out is read out as it is."""
    once = read_aloud(AlignedText.of(text), voice(language)).normalised.text
    assert normalise(AlignedText.of(once), language).text == once
