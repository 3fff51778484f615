"""Sentences of a house in Hindi, Japanese and Chinese, judged as a listener would judge them."""

from __future__ import annotations

import itertools
import re
import unicodedata
from pathlib import Path

import pytest

from wyoming_tts.g2p.japanese import from_kana
from wyoming_tts.phonemes import Phonemizer
from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.markup import clean
from wyoming_tts.text.normalise import normalise

CASES = Path(__file__).parent / "cases"
HINDI_SPELLINGS = {
    "\u093c": "",
    "न्द": "ंद",
    "म्ब": "ंब",
    "ण्ट": "ंट",
    "छः": "छह",
    "रुपए": "रुपये",
    "निन्यानबे": "निन्यानवे",
}
"""Spellings that sound alike, as one."""

GROUP = re.compile(r"\{([^{}]*)\}")
"""`{a/b/}`: any of the three, the last one nothing; groups nest."""


def lines(language: str) -> list[tuple[str, ...]]:
    text = (CASES / f"heldout_{language}.tsv").read_text("utf-8")
    return [tuple(line.split("\t")) for line in text.splitlines()]


def read(text: str, language: str) -> str:
    return normalise(clean(AlignedText.of(text)), language).text


def expanded(readings: str) -> list[str]:
    """Every reading that a column of the list allows."""
    return list(itertools.chain.from_iterable(map(_expanded, readings.split(" | "))))


def _expanded(reading: str) -> list[str]:
    group = GROUP.search(reading)
    if group is None:
        return [reading]
    heads = (reading[: group.start()] + choice + reading[group.end() :] for choice in group[1].split("/"))
    return list(itertools.chain.from_iterable(map(_expanded, heads)))


def heard(text: str) -> str:
    """Without case, spaces and marks; a sign that was left unread shows."""
    return re.sub(r"[^\w%°℃€$+=<>&@#/²³µ~½]|_", "", text.casefold())


def heard_in_hindi(text: str) -> str:
    """Words apart, without case and marks, and every sound spelt in one way."""
    text = unicodedata.normalize("NFD", text.casefold())
    for spelling, other in HINDI_SPELLINGS.items():
        text = text.replace(spelling, other)
    return " ".join(re.findall(r"[\w%°℃€$+=<>&@#/²³µ~½₹\u0900-\u0963]+", text))


@pytest.fixture(scope="module")
def phonemizer() -> Phonemizer:
    return Phonemizer()


def sound(phonemes: str) -> str:
    """Without spaces and marks, the nasals alike."""
    return re.sub("[mnŋɲɴ](?![aeiouɨɯj])", "N", re.sub(r"[\s.,:()“”—…]", "", phonemes))


@pytest.mark.parametrize(("category", "written", "readings"), lines("hi"))
def test_hindi(category: str, written: str, readings: str) -> None:
    """Hindi is read in one of the ways in which speakers read it."""
    assert heard_in_hindi(read(written, "hi")) in map(heard_in_hindi, expanded(readings)), category


@pytest.mark.parametrize(("category", "written", "readings"), lines("hi"))
def test_hindi_words_have_phonemes(
    phonemizer: Phonemizer, category: str, written: str, readings: str
) -> None:
    """As many words are spoken as there are."""
    said = re.findall(r"[^\W_](?:[^\W_]|[\u0900-\u0963-])*", read(written, "hi"))
    assert len(phonemizer.phonemize(read(written, "hi"), "hi").text.split()) >= len(said), category


@pytest.mark.parametrize(("category", "written", "readings"), lines("zh"))
def test_chinese(category: str, written: str, readings: str) -> None:
    """Chinese is read in one of the ways in which speakers read it."""
    assert heard(read(written, "zh-CN")) in map(heard, expanded(readings)), category


@pytest.mark.parametrize(("category", "written", "readings", "kana"), lines("ja"))
def test_japanese(category: str, written: str, readings: str, kana: str) -> None:
    """Japanese is made into one of the written forms that are read right."""
    assert heard(read(written, "ja")) in map(heard, expanded(readings)), category


@pytest.mark.parametrize(("category", "written", "readings", "kana"), lines("ja"))
def test_japanese_sound(
    phonemizer: Phonemizer, category: str, written: str, readings: str, kana: str
) -> None:
    """Japanese sounds as a listener expects it."""
    said = sound(phonemizer.phonemize(read(written, "ja"), "ja").text)
    assert said in [sound(from_kana(one)) for one in expanded(kana)], category
