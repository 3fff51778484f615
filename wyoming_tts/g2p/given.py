"""Phonemes that somebody wrote by hand, in the symbols of the model, and in their place among the clauses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wyoming_tts.g2p.clauses import IGNORED, Part, cut
from wyoming_tts.g2p.symbols import MARKS, in_vocabulary
from wyoming_tts.types import Pronunciation

_SPELLINGS = {
    "\u0361": "", "\u035c": "", "'": "ˈ", "′": "ˈ", "ʼ": "", ":": "ː", "g": "ɡ", "ɫ": "l", "ﬁ": "fi",
}  # fmt: skip
"""What dictionaries write otherwise than the model does, in every language."""

_DIPHTHONGS = {"eɪ": "A", "aɪ": "I", "aʊ": "W", "ɔɪ": "Y", "tʃ": "ʧ", "dʒ": "ʤ"}
_ENGLISH = {
    "r": "ɹ", "ɚ": "əɹ", "ɝ": "ɜɹ", "l\u0329": "ᵊl", "n\u0329": "ᵊn", "m\u0329": "ᵊm", "ɻ": "ɹ",
    "x": "k", "ɬ": "l", "ʍ": "w", "y": "j",
}  # fmt: skip
_AMERICAN = {"oʊ": "O", "əʊ": "O", "ɛə": "ɛɹ", "ɜː": "ɜɹ", "ɜɹɹ": "ɜɹ", "ɒ": "ɑ", "ɾ": "T", "ʔ": "t", "ː": ""}
_BRITISH = {"oʊ": "Q", "əʊ": "Q", "O": "Q", "eə": "ɛː", "ɛə": "ɛː", "æ": "a", "ɜɹ": "ɜː"}
_OTHERS = {"oʊ": "O", "əʊ": "Q", "ts": "ʦ", "dz": "ʣ"}
_EAST_ASIAN = {"tɕ": "ʨ", "dʑ": "ʥ", "tʂ": "ꭧ", "ts": "ʦ", "dz": "ʣ"}
_DROPPED = str.maketrans("", "", "".join(MARKS - {":"}) + "/[]")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A clause, a mark, or a stretch of text whose phonemes are given."""

    part: Part
    """What it is, and where."""

    phonemes: str | None = None
    """The given phonemes."""


def from_ipa(phonemes: str, language: str) -> str:
    """IPA, or the model's own symbols, as the voices of a language know them.

    What they do not know is left out, with syllable dots, brackets and slashes. "" where nothing is left.
    """
    text = unicodedata.normalize("NFD", phonemes).translate(_DROPPED)
    for old, new in (_SPELLINGS | _table(language)).items():
        text = text.replace(old, new)
    text = in_vocabulary(unicodedata.normalize("NFC", text))
    return re.sub(r"\s+", " ", text).strip() if any(symbol.isalpha() for symbol in text) else ""


def _table(language: str) -> dict[str, str]:
    if not language.startswith("en"):
        return (_EAST_ASIAN if language in ("ja", "zh-CN") else {}) | (
            _DIPHTHONGS | _OTHERS if language not in ("ja", "zh-CN") else {}
        )
    if language == "en-GB":
        return _DIPHTHONGS | {"eə": "ɛː", "e": "ɛ"} | _BRITISH | _ENGLISH
    return {"aɪ": "I", "aʊ": "W"} | _DIPHTHONGS | {"e": "ɛ"} | _ENGLISH | _AMERICAN


def stretches(cleaned: str, pronunciations: Sequence[Pronunciation], language: str) -> Iterator[Stretch]:
    """Clauses and marks of a cleaned text, parted where phonemes are given.

    Of pronunciations that overlap the first counts; one without a symbol that the voice knows does not.
    """
    known = list(_usable(pronunciations, language, len(cleaned)))
    masked = cleaned
    for start, end, _ in known:  # so that no mark inside cuts the stretch
        masked = masked[:start] + "x" * (end - start) + masked[end:]
    done = 0
    for part in cut(masked) if known else cut(cleaned):
        if part.is_mark:
            yield Stretch(part)
            continue
        for start, end, phonemes in known:
            if part.start <= start < part.end:
                yield from _clause(cleaned, max(part.start, done), start)
                yield Stretch(Part(cleaned[start:end], start, end, is_mark=False), phonemes)
                done = end
        yield from _clause(cleaned, max(part.start, done), part.end)


def _usable(
    pronunciations: Sequence[Pronunciation], language: str, size: int
) -> Iterator[tuple[int, int, str]]:
    done = 0
    for given in sorted(pronunciations, key=lambda given: given.start):
        phonemes = from_ipa(given.phonemes, language)
        start, end = given.start, min(given.end, size)
        if done <= start < end and phonemes:
            yield start, end, phonemes
            done = end


def _clause(cleaned: str, start: int, end: int) -> Iterator[Stretch]:
    text = cleaned[start:end]
    bare = text.strip(f" {IGNORED}")
    if bare:
        start += text.index(bare)
        yield Stretch(Part(bare, start, start + len(bare), is_mark=False))
