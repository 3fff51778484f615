"""espeak-ng: Spanish, French, Hindi, Italian, Portuguese, and the English words that no lexicon has."""

from __future__ import annotations

import functools
import re
import unicodedata

from wyoming_tts.espeak import ipa
from wyoming_tts.g2p.acronyms import spelled_out
from wyoming_tts.g2p.align import align
from wyoming_tts.g2p.base import Piece
from wyoming_tts.g2p.symbols import from_espeak

VOICES = {
    "en-US": "en-us",
    "en-GB": "en",  # nearer to what the British voices were trained on than espeak's en-gb-x-rp
    "es": "es",
    "fr-FR": "fr",
    "hi": "hi",
    "it": "it",
    "pt-BR": "pt-br",
}
"""BCP 47 tag -> the espeak-ng voice that reads it."""

MINUS = {"es": "menos ", "fr-FR": "moins ", "hi": "माइनस "}
"""Where espeak passes over the sign of a negative number."""

LATIN_END = "\u0250"
"""Behind the last letter of Latin alphabets."""

DECIMAL_COMMA = frozenset({"es", "fr-FR", "it", "pt-BR"})
"""Where "21.5" is read right only as "21,5"."""


class EspeakReader:
    """Reads one language through espeak-ng."""

    own_words = False

    def __init__(self, language: str) -> None:
        """`language` is a key of `VOICES`."""
        self._language = language
        self._word = functools.lru_cache(maxsize=8192)(self._phonemes)

    def read(self, clause: str) -> list[Piece]:
        """One piece for each word between spaces."""
        words = list(re.finditer(r"\S+", clause))
        texts = [self._known(spoken_form(word.group(), self._language)) for word in words]
        spoken = self._phonemes(" ".join(texts))
        groups = align(spoken, [self._word(text) for text in texts])
        return [Piece(group, *word.span()) for group, word in zip(groups, words, strict=True)]

    def _known(self, word: str) -> str:
        """The word; of one that espeak passes over for a letter it does not know, the letters it knows."""
        if not word or self._word(word):
            return word
        known = [symbol for symbol in word if not _is_letter(symbol) or self._word(symbol)]
        latin = [symbol for symbol in known if symbol < LATIN_END]  # it may know each and not all in one
        return next((said for said in ("".join(known), "".join(latin)) if self._word(said)), "".join(known))

    def _phonemes(self, text: str) -> tuple[str, ...]:
        return tuple(from_espeak(ipa(text, VOICES[self._language]), self._language)) if text.strip() else ()


def _is_letter(symbol: str) -> bool:
    """Whether it is a letter or a mark upon one."""
    return unicodedata.category(symbol)[0] in "LM"


def spoken_form(word: str, language: str) -> str:
    """A word as espeak reads it right: signs, decimals, ranges; never with an end of a clause in it."""
    word = re.sub(r"[\u200b\ufeff]", "", word).replace("’", "'")
    word = re.sub(r"(?<=\d)[-–](?=\d)", " ", word)
    word = re.sub(r"^[-−](?=\d)", MINUS.get(language, "-"), word)
    if language in DECIMAL_COMMA:
        word = re.sub(r"(?<![\d.,])(\d+)\.(\d{1,2}|\d{4,})(?![\d.,])", r"\1,\2", word)
    word = spelled_out(word, language)
    return word if "." in word[:-1] else word.rstrip(".")
