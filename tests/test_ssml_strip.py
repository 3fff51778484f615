"""SSML becomes the text that is to be spoken."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.text.ssml_strip import HELD_BACK, SsmlStripper, strip_ssml

CASES = [
    ("<speak>Hello <emphasis level='strong'>big</emphasis> world</speak>", "Hello big world"),
    ("<?xml version='1.0'?><speak version=\"1.1\">Hi</speak>", "Hi"),
    ("Salt &amp; pepper, 3 &lt; 4, it&#39;s &#x41;&quot;", "Salt & pepper, 3 < 4, it's A\""),
    ("&amp;lt; stays", "&lt; stays"),
    ("AT&T & co; &unknown; &;", "AT&T & co; &unknown; &;"),
    ("a < b and c > d", "a < b and c > d"),
    ("x<y and z>2", "x<y and z>2"),
    ("I <3 you", "I <3 you"),
    ("<sub alias='World Wide Web'>WWW</sub> is old", "World Wide Web is old"),
    ('<sub alias="a &amp; b"><b>x</b></sub>', "a & b"),
    ("<sub alias='never closed'>WWW is old", "WWW is old"),
    ("<sub>WWW</sub>", "WWW"),
    ("One<!-- <b>not said</b> & > -->two", "Onetwo"),
    ("One<![CDATA[ <b> & &amp; ]] ]]>two", "One <b> & &amp; ]] two"),
    ("<![CDATA[never closed]", "never closed]"),
    ("<!DOCTYPE speak>Hi", "Hi"),
    ("<speak>The light\n  is on</speak>", "The light   is on"),
    ("The light\nis on", "The light\nis on"),
    ("<break time=500ms/>Hi<mark name='x'/>", "Hi"),
    ("one<break strength='none'/>two", "one two"),
    ("<say-as interpret-as=\"date\" format='mdy'>1/2/2026</say-as>", "1/2/2026"),
    ("<phoneme alphabet='ipa' ph='a>b'>word</phoneme>", "word"),
    ("<unfinished attribute='", "<unfinished attribute='"),
    ("</p", "</p"),
    ("<", "<"),
    ("&am", "&am"),
    ("", ""),
]


@pytest.mark.parametrize(("ssml", "words"), CASES)
def test_speaks_the_words(ssml: str, words: str) -> None:
    """Tags go, entities are decoded once, and what is not markup stays as it is."""
    assert strip_ssml(ssml).strip() == words


@pytest.mark.parametrize(
    ("ssml", "lines"),
    [
        ("<speak><p>One.</p><p>Two.</p></speak>", ["One.", "", "Two."]),
        ("<speak><s>One</s><s>Two</s></speak>", ["One", "Two"]),
        ("<speak>One<break time='1s'/>Two</speak>", ["One", "Two"]),
        ("One<br/>Two", ["One", "Two"]),
    ],
)
def test_structure_becomes_line_breaks(ssml: str, lines: list[str]) -> None:
    """The end of a sentence or a break gives a new line, the end of a paragraph a blank one."""
    assert strip_ssml(ssml).strip().splitlines() == lines


def test_entities_of_a_document_type_are_never_expanded() -> None:
    """A document type declaration is dropped whole and defines nothing."""
    bomb = '<!DOCTYPE s [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    assert strip_ssml(f"{bomb}<speak>&b; &f;</speak>").strip() == "&b; &f;"


def test_an_endless_tag_is_text_in_the_end() -> None:
    """A tag that is not finished within the bound is released as text before the stream ends."""
    stripper = SsmlStripper()
    assert stripper.feed("Hi <a b='") == "Hi "
    released = "".join(stripper.feed("x" * 100) for _ in range(HELD_BACK // 100 + 1))
    assert released.startswith("<a b='xxx")


def test_plain_text_is_not_held_back() -> None:
    """Text that cannot be markup comes out with the piece it came in."""
    stripper = SsmlStripper()
    assert stripper.feed("a < b, x<y and z") == "a < b, x<y and z"


_MARKUP = (
    "<speak> </speak> <p> </sub> <!-- --> <![CDATA[ ]]> ] &amp; & &#65; ; < > /> <? ?> <!D [ ' \" = word é"
)
_PIECES = st.lists(st.sampled_from([*_MARKUP.split(), "<sub alias='a b'>", " ", "\n"]), max_size=30).map(
    "".join
)


@given(_PIECES, st.lists(st.integers(0, 200), max_size=12))
def test_pieces_do_not_matter(text: str, cuts: list[int]) -> None:
    """Any chunking of the same text gives the same result."""
    stripper = SsmlStripper()
    borders = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(borders)]
    assert "".join(map(stripper.feed, pieces)) + stripper.finish() == strip_ssml(text)


@given(_PIECES)
def test_character_by_character_is_the_same(text: str) -> None:
    """The smallest pieces give the same result as the whole."""
    stripper = SsmlStripper()
    assert "".join(map(stripper.feed, text)) + stripper.finish() == strip_ssml(text)


@given(st.text())
def test_any_text_is_survived(text: str) -> None:
    """No text raises, and text without markup characters is left alone."""
    stripped = strip_ssml(text)
    assert stripped == text or "<" in text or "&" in text


@pytest.mark.parametrize(
    "unit", ["<", "<a ", "<a b='", "<sub alias='x'>", "<!--", "<!D ", "<![CDATA[", "&#1", "<?", " "]
)
def test_long_nonsense_keeps_its_words(unit: str) -> None:
    """A long run of broken markup is worked through to the word at its end."""
    assert strip_ssml(unit * 5000 + "> --> end").endswith("end")
