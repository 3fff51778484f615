"""Markup becomes words, and plain text stays as it is."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.work import calls_of
from wyoming_tts.text.aligned import AlignedText, Mark
from wyoming_tts.text.markup import clean

_ESCAPE = re.compile(r"\\(?:n|u([0-9a-f]{4}))")


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else "\n", text)


def _cases() -> list[tuple[str, ...]]:
    lines = (Path(__file__).parent / "cases" / "markup.tsv").read_text(encoding="utf-8").splitlines()
    return [tuple(map(_unescaped, line.split("\t"))) for line in lines if "\t" in line]


CASES = _cases()
PLAIN = [written for written, spoken in CASES if written == spoken]


def cleaned(text: str) -> str:
    return clean(AlignedText.of(text)).text


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_markup_is_not_heard(written: str, spoken: str) -> None:
    """Each text is cleaned as the table says."""
    assert cleaned(written) == spoken


@pytest.mark.parametrize("plain", PLAIN)
def test_plain_text_stays_in_any_surroundings(plain: str) -> None:
    """What is no markup alone is none within a sentence either, whatever markup stands beside it."""
    assert cleaned(f"We see {plain} here") == f"We see {plain} here"
    assert cleaned(f"**We** see {plain} here") == f"We see {plain} here"


def test_there_are_plenty_of_cases() -> None:
    """The table covers both what is markup and what is not."""
    assert len(CASES) >= 80
    assert len(PLAIN) >= 40


def test_phonemes_by_hand_are_a_mark_on_their_words() -> None:
    """`[word](/sounds/)` marks the word, and only it, with the sounds."""
    text = clean(AlignedText.of("**Say** [word](/fəˈnim/), [two *words*](/tu wɝdz/) or [no](/docs/a)."))
    assert text.text == "Say word, two words or no."
    assert text.marks == (Mark(4, 8, "phonemes", "fəˈnim"), Mark(10, 19, "phonemes", "tu wɝdz"))
    assert text.source(4, 8) == (9, 13)


def test_marks_of_the_caller_stay_with_their_text() -> None:
    """What is marked already is left as it is, and the marks move with it."""
    text = AlignedText.of("**Say** a*b*c 😀 or *d*").marked(8, 13, "verbatim").marked(14, 15, "characters")
    done = clean(text)
    assert done.text == "Say a*b*c 😀 or d"
    assert done.marks == (Mark(4, 9, "verbatim"), Mark(10, 11, "characters"))


@pytest.mark.parametrize(
    ("written", "word", "where"),
    [
        ("**Kitchen:** 21.5 °C", "21.5", "21.5"),
        ("See [the docs](http://a.b) now", "docs", "docs"),
        ("See [the docs](http://a.b) now", "now", "now"),
        ("1. Turn on", "Turn", "Turn"),
        ("Done ✅ all off", "all", "all"),
        ("| Room | Temp |", "Temp", "Temp"),
        ("cafe\u0301 latte", "café", "cafe\u0301"),
        ("fish &amp; chips", "&", "&amp;"),
        ("１２ lamps", "12", "１２"),
        ("<b>big</b> lamp", "big", "big"),
        ("`light.turn_on` it", "light.turn_on", "light.turn_on"),
        ("wor\u00add", "word", "wor\u00add"),
    ],
)
def test_words_point_at_what_was_written(written: str, word: str, where: str) -> None:
    """A word of the cleaned text comes from that word of the caller's text."""
    text = clean(AlignedText.of(written, offset=100))
    at = text.text.index(word)
    start = written.index(where) + 100
    assert text.source(at, at + len(word)) == (start, start + len(where))


_MARKUP = [
    *(
        "*",
        "**",
        "***",
        "_",
        "__",
        "~~",
        "==",
        "`",
        "```",
        "```\n",
        "~~~\n",
        "# ",
        "- ",
        "1. ",
        "> ",
        "| ",
        "|",
    ),
    *("[", "](", "](/ab/)", "](http://a.b)", "][", "]", "![", "(", ")", "[^1]", "[1]", "[ ] ", "---\n", "\n"),
    *("<b>", "</b>", "<br>", "<x>", "<", ">", "<!--", "-->", "<sub alias='x'>", "</sub>", "<img alt='p'>"),
    *("&amp;", "&lt;", "&", ";", "\\", "😀", "✅", "1\ufe0f\u20e3", "→", ":)", "→ ", "\u200d", "\u0301"),
    *("①", "２", "ﾃﾞ", "℃", "²", "₂", "漢字", "हिन्दी", "’", "“", "\u00a0", "\u200b", "\ue000", "\U000f0000"),
    *(
        "word",
        "Lamp",
        "a",
        "7",
        "21.5",
        " ",
        " ",
        "  ",
        ".",
        ", ",
        "!",
        "http://a.b/c_d_e",
        "a@b.c",
        "\ud800",
    ),
]
_TEXT = st.one_of(st.text(), st.lists(st.sampled_from(_MARKUP), max_size=40).map("".join))


@settings(max_examples=400, deadline=None)
@given(_TEXT)
@example("[a](/b/)" * 3)
@example("[ ](/b/)")
def test_any_text_is_cleaned_soundly(text: str) -> None:
    """No text raises; what comes out has no stand-ins, no space around it, and points into the text."""
    done = clean(AlignedText.of(text))
    assert done.text == done.text.strip()
    assert not re.search("[\ue000-\uf8ff\U000f0000-\U0010ffff\ud800-\udfff]", done.text)
    assert len(done.text) == len(done.starts) == len(done.ends)
    assert all(0 <= start <= end <= len(text) for start, end in zip(done.starts, done.ends, strict=True))
    assert all(0 <= mark.start < mark.end <= len(done.text) for mark in done.marks)


@settings(max_examples=300, deadline=None)
@given(_TEXT)
def test_words_come_in_order(text: str) -> None:
    """Nothing is moved: each character comes from behind, or the same place as, the one before."""
    starts = clean(AlignedText.of(text)).starts
    assert list(starts) == sorted(starts)


_WORDS = st.text(string.ascii_letters + string.digits + "äéñçßøЖщ漢字かなहन", min_size=1, max_size=8)
_PLAIN_MARKS = st.sampled_from(
    [" ", " ", " ", ", ", ". ", "? ", " - ", " & ", " + ", " = ", " / ", " * ", " _ ", "%"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(_WORDS, _PLAIN_MARKS), max_size=20))
def test_letters_and_digits_survive(parts: list[tuple[str, str]]) -> None:
    """Text without markup keeps each letter and digit, and each points at itself."""
    text = "Yes " + "".join(word + mark for word, mark in parts)
    done = clean(AlignedText.of(text))
    kept = [(character, done.starts[at]) for at, character in enumerate(done.text) if character.isalnum()]
    assert kept == [(character, at) for at, character in enumerate(text) if character.isalnum()]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(_WORDS, st.sampled_from(_MARKUP[:44])), max_size=20))
def test_words_survive_markup(parts: list[tuple[str, str]]) -> None:
    """Each word between marks of Markdown outside code is still there, unless it is an address."""
    text = "".join(
        f" {word} {mark}"
        for word, mark in parts
        if "]" not in mark and "```" not in mark and "~~~" not in mark and "<" not in mark
    )
    words = cleaned(text)
    assert all(word in words for word, _ in parts if f" {word} " in text)


_ADVERSARIES = [
    *("1", " ", ".", "a-", "*", "**a ", "*a* ", "_a", "`", "``a` ", "[", "[a](", "[a](b) ", "![", "]("),
    *("<", "<a ", "<a b='", "<!--", "<script>", "&amp;", "| a ", "|\n", "\n", "- ", "1. a\n", "😀 ", "a → "),
    *("~~~\n", "```a\n", "http://a ", "[^a", "[1]", "e\u0301", "Abc > ", "\x00", "\\*"),
]


@pytest.mark.parametrize("unit", _ADVERSARIES)
def test_work_grows_with_the_text_only(unit: str) -> None:
    """Twice as much of any nonsense takes about twice the work."""
    short, long = (AlignedText.of((unit * size)[:size]) for size in (2000, 4000))
    assert calls_of(lambda: clean(long)) <= 2.5 * calls_of(lambda: clean(short)) + 200


def test_a_megabyte_is_cleaned() -> None:
    """A text far beyond any segment is cleaned whole."""
    assert cleaned("**a** [b](c) `d` 😀 " * 55_000).endswith("a b d")
