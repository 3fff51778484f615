"""The symbols Kokoro was trained on, and how to write espeak's phonemes with them."""

from __future__ import annotations

import re
import unicodedata

from wyoming_tts.espeak import TIE

# The table is part of the model (Kokoro-82M by hexgrad, Apache-2.0).
# fmt: off
VOCABULARY: dict[str, int] = {
    ";": 1, ":": 2, ",": 3, ".": 4, "!": 5, "?": 6, "—": 9, "…": 10, '"': 11, "(": 12, ")": 13, "“": 14,
    "”": 15, " ": 16, "\u0303": 17, "ʣ": 18, "ʥ": 19, "ʦ": 20, "ʨ": 21, "ᵝ": 22, "ꭧ": 23, "A": 24,
    "I": 25, "O": 31, "Q": 33, "S": 35, "T": 36, "W": 39, "Y": 41, "ᵊ": 42, "a": 43, "b": 44, "c": 45,
    "d": 46, "e": 47, "f": 48, "h": 50, "i": 51, "j": 52, "k": 53, "l": 54, "m": 55, "n": 56, "o": 57,
    "p": 58, "q": 59, "r": 60, "s": 61, "t": 62, "u": 63, "v": 64, "w": 65, "x": 66, "y": 67, "z": 68,
    "ɑ": 69, "ɐ": 70, "ɒ": 71, "æ": 72, "β": 75, "ɔ": 76, "ɕ": 77, "ç": 78, "ɖ": 80, "ð": 81, "ʤ": 82,
    "ə": 83, "ɚ": 85, "ɛ": 86, "ɜ": 87, "ɟ": 90, "ɡ": 92, "ɥ": 99, "ɨ": 101, "ɪ": 102, "ʝ": 103, "ɯ": 110,
    "ɰ": 111, "ŋ": 112, "ɳ": 113, "ɲ": 114, "ɴ": 115, "ø": 116, "ɸ": 118, "θ": 119, "œ": 120, "ɹ": 123,
    "ɾ": 125, "ɻ": 126, "ʁ": 128, "ɽ": 129, "ʂ": 130, "ʃ": 131, "ʈ": 132, "ʧ": 133, "ʊ": 135, "ʋ": 136,
    "ʌ": 138, "ɣ": 139, "ɤ": 140, "χ": 142, "ʎ": 143, "ʒ": 147, "ʔ": 148, "ˈ": 156, "ˌ": 157, "ː": 158,
    "ʰ": 162, "ʲ": 164, "↓": 169, "→": 171, "↗": 172, "↘": 173, "ᵻ": 177,
}
# fmt: on
"""Symbol -> token of Kokoro v1.0 (114 symbols; 0 is the padding around a sentence)."""

MARKS = frozenset(';:,.!?—…"()“”')
"""The symbols that are punctuation."""

_LANGUAGE_SWITCH = re.compile(r"\([\^a-z-]+\)")
_SYLLABIC = "\u0329"

_DIPHTHONGS = {"a^ɪ": "I", "a^ʊ": "W", "e^ɪ": "A", "o^ʊ": "O", "ə^ʊ": "Q", "ɔ^ɪ": "Y", "t^ʃ": "ʧ", "d^ʒ": "ʤ"}
_AFFRICATES = {"t^s": "ʦ", "d^z": "ʣ", "s^s": "S"}
_ENGLISH = {
    "e^ə": "ɛː",
    f"ʔˌn{_SYLLABIC}": "ʔn",
    f"ʔn{_SYLLABIC}": "ʔn",
    "ə^l": "ᵊl",
    "ɚɹ": "əɹ",
    "ɚ": "əɹ",
    "ʲo": "jo",
    "ʲə": "jə",
    "ʲ": "",
    "r": "ɹ",
    "x": "k",
    "ç": "k",
    "ɬ": "l",
    "\u0303": "",
}
"""What the training text of the English voices wrote otherwise than espeak does, in both accents."""


def from_espeak(ipa: str, language: str) -> list[str]:
    """espeak's IPA (tied with `TIE`) as words of vocabulary symbols; `language` is a BCP 47 tag."""
    ipa = _LANGUAGE_SWITCH.sub("", ipa)
    if language.startswith("en"):
        words = [_english(word, british=language == "en-GB") for word in ipa.split()]
    else:
        words = [
            _replaced(word, _DIPHTHONGS | _AFFRICATES) for word in ipa.split()
        ]  # ties and hyphens drop out below
    return [word for word in map(in_vocabulary, words) if word]


def in_vocabulary(phonemes: str) -> str:
    """The phonemes without what the model has no symbol for (ties, hyphens); marked letters lose the mark."""
    if all(symbol in VOCABULARY for symbol in phonemes):
        return phonemes
    parts = (symbol if symbol in VOCABULARY else unicodedata.normalize("NFD", symbol) for symbol in phonemes)
    return "".join(symbol for symbol in "".join(parts) if symbol in VOCABULARY)


def _english(word: str, british: bool) -> str:
    word = _replaced(word, _ENGLISH | _DIPHTHONGS)
    word = re.sub(rf"(\S){_SYLLABIC}", r"ᵊ\1", word).replace(TIE, "")
    word = word.replace("e", "A")
    word = word.replace("iə", "ɪə") if british else _american(word)
    if word == "ɐ":  # the article "a"
        return word
    return word.replace("ɐ", "ə").replace("o", "ɔ")


def _american(word: str) -> str:
    word = re.sub("ɜːɹ?", "ɜɹ", word).replace("ɪə", "iə").replace("ː", "")
    return word.replace("ɾ", "T").replace("ʔ", "t")


def _replaced(word: str, table: dict[str, str]) -> str:
    for old, new in table.items():
        word = word.replace(old, new)
    return word
