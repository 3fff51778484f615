"""English as it is written and as it is read out: a list of sentences, and words that sound two ways."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from wyoming_tts.phonemes import Phonemizer
from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.markup import clean
from wyoming_tts.text.normalise import normalise

CASES = Path(__file__).parent / "cases"
GROUP = re.compile(r"\{([^{}]*)\}")
"""`{a/b/}`: any of the three, the last one nothing; groups nest."""


def rows(name: str) -> list[list[str]]:
    lines = (CASES / name).read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines if line]


def expanded(reading: str) -> list[str]:
    """Every reading that a line of the list allows."""
    group = GROUP.search(reading)
    if group is None:
        return [reading]
    heads = (reading[: group.start()] + choice + reading[group.end() :] for choice in group[1].split("/"))
    return list(itertools.chain.from_iterable(map(expanded, heads)))


def heard(text: str) -> str:
    """The words alone: no case, no marks, no hyphens."""
    return " ".join(re.findall(r"\w+", re.sub("['’]", "", text).casefold().replace("_", " _ ")))


def read_out(text: str) -> str:
    return normalise(clean(AlignedText.of(text)), "en-US").text


NORMALISE = rows("newsreader_en.tsv")
HOMOGRAPHS = rows("homographs_en.tsv")


@pytest.mark.parametrize(
    ("written", "readings"),
    [row[1:] for row in NORMALISE],
    ids=[f"{category}: {written}" for category, written, _ in NORMALISE],
)
def test_written_english_is_read_as_people_read_it(written: str, readings: str) -> None:
    """What is read out is one of the readings a good newsreader would choose."""
    said = read_out(written)
    accepted = {heard(reading) for line in readings.split(" | ") for reading in expanded(line)}
    assert heard(said) in accepted, f"{written!r} is read as {said!r}"


@pytest.mark.parametrize("written", [row[1] for row in NORMALISE])
def test_reading_english_twice_changes_nothing(written: str) -> None:
    """What is read out needs no further reading out."""
    once = read_out(written)
    assert normalise(AlignedText.of(once), "en-US").text == once


@pytest.fixture(scope="module")
def phonemizer() -> Phonemizer:
    """One for all sentences."""
    return Phonemizer()


@pytest.mark.parametrize(
    ("sentence", "word", "pattern", "note"),
    HOMOGRAPHS,
    ids=[f"{word} ({note}): {sentence}" for sentence, word, _, note in HOMOGRAPHS],
)
def test_a_homograph_sounds_as_it_is_meant(
    phonemizer: Phonemizer, sentence: str, word: str, pattern: str, note: str
) -> None:
    """A word that sounds two ways has the phonemes of what it means in its sentence."""
    result = phonemizer.phonemize(sentence, "en-US")
    spans = [span for span in result.words if span.word.strip(".,!?").casefold() == word.casefold()]
    assert len(spans) == 1, "the list names a word that its sentence has once"
    phonemes = result.text[spans[0].token_start : spans[0].token_end]
    assert re.search(pattern, phonemes), f"{word} ({note}) sounds {phonemes!r}, not {pattern!r}"


def test_every_list_is_well_formed() -> None:
    """Three columns for what is read out, four for homographs, and no line twice."""
    assert {len(row) for row in NORMALISE} == {3}
    assert {len(row) for row in HOMOGRAPHS} == {4}
    assert len({row[1] for row in NORMALISE}) == len(NORMALISE)
    assert len({row[0] for row in HOMOGRAPHS}) == len(HOMOGRAPHS)
    assert not [row for row in NORMALISE for line in row[2].split(" | ") if "{" in expanded(line)[0]]
