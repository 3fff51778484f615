"""Sentences of a house in Spanish, French, Italian and Portuguese, as written and as read out."""

from __future__ import annotations

import itertools
import re
from functools import cache
from pathlib import Path

import pytest

from wyoming_tts.phonemes import Phonemizer
from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.markup import clean
from wyoming_tts.text.normalise import normalise

CASES = Path(__file__).parent / "cases"
LANGUAGES = {"es": "es-ES", "fr": "fr-FR", "it": "it-IT", "pt": "pt-BR"}
PHONEMES = {"es": "es", "fr": "fr-FR", "it": "it", "pt": "pt-BR"}
GROUP = re.compile(r"\{([^{}]*)\}")
"""`{a/b/}`: any of the three, the last one nothing; groups nest."""


def expanded(reading: str) -> list[str]:
    """Every reading that a line of the list allows."""
    group = GROUP.search(reading)
    if group is None:
        return [reading]
    heads = (reading[: group.start()] + choice + reading[group.end() :] for choice in group[1].split("/"))
    return list(itertools.chain.from_iterable(map(expanded, heads)))


def heard(text: str) -> str:
    """The words alone, without case, marks and hyphens; a sign that was left unread shows."""
    return " ".join(re.findall(r"[\w%°€$+=<>&@#/²³µ]+", re.sub("['’]", " ", text).casefold()))


def read_out(text: str, language: str) -> str:
    return normalise(clean(AlignedText.of(text)), LANGUAGES[language]).text


def rows() -> list[tuple[str, str, str]]:
    lines = [
        (language, line.split("\t"))
        for language in LANGUAGES
        for line in (CASES / f"heldout_{language}.tsv").read_text("utf-8").splitlines()
    ]
    return [(language, written, readings) for language, (_, written, readings) in lines]


ROWS = rows()


@pytest.mark.parametrize(
    ("language", "written", "readings"), ROWS, ids=[f"{row[0]}: {row[1]}" for row in ROWS]
)
def test_written_text_is_read_as_people_read_it(language: str, written: str, readings: str) -> None:
    """What is read out is one of the readings a good newsreader of that language would choose."""
    said = read_out(written, language)
    accepted = {heard(reading) for line in readings.split(" | ") for reading in expanded(line)}
    assert heard(said) in accepted, f"{written!r} is read as {said!r}"


@pytest.mark.parametrize(("language", "written"), [row[:2] for row in ROWS])
def test_reading_twice_changes_nothing(language: str, written: str) -> None:
    """What has been read out once has nothing left to read."""
    once = read_out(written, language)
    assert read_out(once, language) == once


def sounds(text: str, language: str) -> list[str]:
    """The phonemes of each word, without stress and what a neighbour does to them."""
    said = phonemizer().phonemize(text, PHONEMES[language])
    return [
        re.sub("[ˈˌ .,()]", "", said.text[word.token_start : word.token_end]).translate(
            str.maketrans("ðβɣ", "dbɡ")
        )
        for word in said.words
    ]


@cache
def phonemizer() -> Phonemizer:
    return Phonemizer()


@pytest.mark.parametrize(("language", "written"), [row[:2] for row in ROWS])
def test_every_word_has_a_sound(language: str, written: str) -> None:
    """What is read out is words that sound on their own too, with no figure or sign among them."""
    silent = [
        word
        for word in read_out(written, language).split()
        if word.strip("—–-:;,.") and not sounds(word, language)[0]
    ]
    assert silent == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("acronym", ["USB", "UV", "IP", "HDMI", "TV", "CO", "GPS", "PDF", "CD", "UE", "DNI"])
def test_acronyms_by_their_letters(language: str, acronym: str) -> None:
    """What is no word in the language is said letter by letter, behind an article and with a hyphen too."""
    letters = "".join(sounds(".".join(acronym), language))
    assert sounds(acronym, language) == [letters]
    assert sounds(f"la {acronym}, (PC)", language)[1] == letters


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("acronym", ["OTAN", "ONU", "NASA", "LED", "PIN", "OVNI", "UNESCO", "SON", "NO"])
def test_acronyms_that_are_words(language: str, acronym: str) -> None:
    """What can be said as a word is, and so are words in capitals."""
    assert sounds(acronym, language) == sounds(acronym.lower(), language)
