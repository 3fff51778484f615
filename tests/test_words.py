"""From the times of spoken words to those of written ones."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.words import WordTimes
from wyoming_tts.types import WordTiming


def spoken_words(text: AlignedText) -> list[WordTiming]:
    """Every word of the spoken text takes a second."""
    matches = re.finditer(r"\S+", text.text)
    return [WordTiming(m[0], float(n), n + 1.0, *m.span()) for n, m in enumerate(matches)]


def times(source: str, rules: list[tuple[str, str]], markup: str = "", one_by_one: bool = True):
    cleaned = AlignedText.of(source)
    if markup:
        cleaned = cleaned.sub(re.compile(markup), "")
    spoken = cleaned.apply([(re.compile(pattern), new) for pattern, new in rules])
    mapping = WordTimes(cleaned, spoken, source, "en-US")
    words = spoken_words(spoken)
    found = [w for word in words for w in mapping.feed([word])] if one_by_one else mapping.feed(words)
    return [(w.word, w.start, w.end) for w in found]


def test_words_that_are_spoken_as_written() -> None:
    """Without any change every word keeps its own time."""
    assert times("All is well", []) == [("All", 0, 1), ("is", 1, 2), ("well", 2, 3)]


def test_one_written_word_is_many_spoken_ones() -> None:
    """A number lasts from the first to the last of its words."""
    found = times("It is 21.5°C now", [(r"21\.5°C", "twenty-one point five degrees Celsius")])
    assert found == [("It", 0, 1), ("is", 1, 2), ("21.5°C", 2, 7), ("now", 7, 8)]


def test_two_written_words_are_one_expression() -> None:
    """What stands together for several written words is shared out among them, in order."""
    found = times("Add 21.5 °C.", [(r"21\.5 °C", "twenty-one point five degrees Celsius")])
    assert found == [("Add", 0, 1), ("21.5", 1, 3), ("°C.", 3, 6)]


def test_more_written_than_spoken_words() -> None:
    """Written words that are spoken as one share its time."""
    assert times("a b c", [("a b c", "alphabet")]) == [("a", 0, 1), ("b", 0, 1), ("c", 0, 1)]


def test_parts_of_a_written_word() -> None:
    """A written word of which each part is spoken by itself lasts through all of them."""
    assert times("The A/C is on", [("/", " ")])[1:3] == [("A/C", 1, 3), ("is", 3, 4)]


def test_a_word_is_given_at_once() -> None:
    """A written word does not wait for the next one."""
    text = AlignedText.of("All 21 doors").sub(re.compile("21"), "twenty one")
    mapping = WordTimes(AlignedText.of("All 21 doors"), text, "All 21 doors", "en")
    given = [[word.word for word in mapping.feed([word])] for word in spoken_words(text)]
    assert given == [["All"], [], ["21"], ["doors"]]


def test_markup_is_no_part_of_a_word() -> None:
    """A word's place is that of what is left of it without its markup."""
    assert times("This is **bold** text", [], markup=r"\*\*")[2] == ("bold", 2, 3)


def test_what_is_not_spoken_has_no_length() -> None:
    """A dash between words, or at the end, is a moment; it comes with its neighbours."""
    found = times("Wait – no –", [("–", "")])
    assert found == [("Wait", 0, 1), ("–", 1, 1), ("no", 1, 2), ("–", 2, 2)]


def test_languages_without_spaces() -> None:
    """Where no spaces are written, the words are those the voice says, and a number is one."""
    cleaned = AlignedText.of("今21度です")
    spoken = cleaned.sub(re.compile("21"), "二十一")
    words = [
        WordTiming("", start, start + 1.0, a, b)
        for start, (a, b) in enumerate([(0, 1), (1, 3), (3, 4), (4, 5), (5, 7)])
    ]
    found = WordTimes(cleaned, spoken, "今21度です", "ja").feed(words)
    assert [(w.word, w.start, w.end) for w in found] == [
        ("今", 0, 1),
        ("21", 1, 3),
        ("度", 3, 4),
        ("です", 4, 5),
    ]


@given(
    words=st.lists(st.sampled_from(["one", "21.5", "°C", "–", "**x**", "$3", "a b"]), max_size=12),
    split=st.integers(1, 4),
)
def test_every_word_once_and_in_order(words: list[str], split: int) -> None:
    """Whatever is replaced, every written word comes once, in order, and in its own place."""
    source = " ".join(words)
    cleaned = AlignedText.of(source).sub(re.compile(r"\*\*"), "")
    rules = [
        (re.compile(r"21\.5 °C"), "a b c d"),
        (re.compile("–"), ""),
        (re.compile(r"\$3"), "three dollars"),
    ]
    spoken = cleaned.apply(rules)
    mapping = WordTimes(cleaned, spoken, source, "en")
    said = spoken_words(spoken)
    found = [w for n in range(0, len(said), split) for w in mapping.feed(said[n : n + split])]
    assert [w.word for w in found] == (cleaned.text.split() if said else [])
    assert all(source[w.char_start : w.char_end] == w.word and w.start <= w.end for w in found)
    assert [w.start for w in found] == sorted(w.start for w in found)


@pytest.mark.parametrize("text", ["", "...", "–"])
def test_nothing_spoken(text: str) -> None:
    """A sentence of which nothing is spoken gives no times."""
    assert times(text, [(re.escape(text), "")]) == []


@given(st.text("ab ,.は日", min_size=1, max_size=12), st.text("ab ,.は日", max_size=12))
def test_a_rewritten_text_keeps_the_places_of_what_is_the_same(old: str, new: str) -> None:
    """It is the new text, with places that are the old one's and go forward; the same text is itself."""
    text = AlignedText.of(old, 5).rewritten(new)
    assert text.text == new
    assert list(text.starts) == sorted(text.starts)
    assert all(5 <= start <= end <= 5 + len(old) for start, end in zip(text.starts, text.ends, strict=True))
    assert text.rewritten(new) is text


@pytest.mark.parametrize(
    ("old", "new", "stands_for"),
    [
        ("Ask Bob now", "Ask Robert Smith now", {"Robert": "Bob", "Smith": "Bob", "now": "now"}),
        ("a b c", "x y", {"x": "a b c", "y": "a b c"}),
        ("It is nice", "It is very nice", {"very": "", "nice": "nice"}),
        ("今日は", "今晩は", {"晩": "日", "は": "は"}),
    ],
)
def test_a_rewritten_word_comes_from_what_it_stands_for(
    old: str, new: str, stands_for: dict[str, str]
) -> None:
    """Words are compared, and single characters where no spaces are written."""
    text = AlignedText.of(old).rewritten(new)
    for word, written in stands_for.items():
        start, end = text.source(new.index(word), new.index(word) + len(word))
        assert old[start:end] == written
