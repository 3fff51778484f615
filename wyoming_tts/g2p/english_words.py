"""One English word to phonemes: lexicon, endings, letters. After the rules of misaki 0.9.4 (Apache-2.0)."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from wyoming_tts.g2p.english_lexicon import EnglishLexicon, Entry

VOWELS = frozenset("AIOQWYaiuæɑɒɔəɛɜɪʊʌᵻɐ")
"""The symbols that begin a word with a vowel."""

PRIMARY, SECONDARY = "ˈ", "ˌ"
_FLAPPING = frozenset("AIOWYiuæɑəɛɪɹʊʌ")
"""After these an American t between vowels is a flap."""

_DOUBLED = re.compile(r"([bcdgklmnprstvxz])\1ing$|cking$")
_LETTER_NAME = re.compile(r"[A-Za-z]")
_UNSTRESSED, _LIGHT, _STRONG = -1.0, 0.5, 2.0
_SHOUTED_FROM = 6
"""Letters of a word in capitals from which on it is taken for a word, not for an acronym."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is known of what follows a word."""

    vowel: bool | None = None
    """Whether it begins with a vowel; None at the end of a clause."""


def stressed(phonemes: str, amount: float | None) -> str:
    """Change the stress of a word: -2 none, -1 weaker, 0.5 at least light, 2 strong, None as it is."""
    has_strong, has_light = PRIMARY in phonemes, SECONDARY in phonemes
    if amount is None:
        return phonemes
    if amount < -1:
        return phonemes.replace(PRIMARY, "").replace(SECONDARY, "")
    if amount == -1 or (amount in (0, -0.5) and has_strong):
        return phonemes.replace(SECONDARY, "").replace(PRIMARY, SECONDARY)
    if amount in (0, 0.5, 1) and not has_strong and not has_light:
        return _before_vowel(phonemes, SECONDARY)
    if amount >= 1 and has_light and not has_strong:
        return phonemes.replace(SECONDARY, PRIMARY)
    if amount > 1 and not has_strong and not has_light:
        return _before_vowel(phonemes, PRIMARY)
    return phonemes


def _before_vowel(phonemes: str, mark: str) -> str:
    place = next((place for place, symbol in enumerate(phonemes) if symbol in VOWELS), None)
    return phonemes if place is None else phonemes[:place] + mark + phonemes[place:]


def parent_tag(tag: str) -> str:
    """The part of speech as the lexicons name it."""
    for start, parent in (("VB", "VERB"), ("NN", "NOUN"), ("RB", "ADV"), ("JJ", "ADJ")):
        if tag.startswith(start):
            return parent
    return tag


class EnglishWords:
    """Phonemes of the words of one accent that a lexicon knows, with or without an ending."""

    def __init__(self, british: bool) -> None:
        """Load the lexicon of the accent."""
        self._british = british
        self._lexicon = EnglishLexicon(british)
        self._cached = functools.lru_cache(maxsize=16384)(self._word)

    def word(self, word: str, tag: str = "", ahead: Ahead = Ahead()) -> str | None:
        """Phonemes of a word of letters and apostrophes; None for one that no lexicon has."""
        return self._cached(word, tag, ahead)

    def entry(self, word: str) -> Entry | None:
        """What the lexicon has for exactly this word."""
        return self._lexicon.entry(word)

    def spelled(self, word: str) -> str:
        """The names of a word's letters, the last one stressed."""
        names = [self._letter(letter) for letter in _LETTER_NAME.findall(word)]
        parts = stressed("".join(names), 0).rsplit(SECONDARY, 1)
        return PRIMARY.join(parts)

    def possessive(self, phonemes: str) -> str:
        """With the ending of plurals and possessives."""
        return self._s(phonemes)

    def _letter(self, letter: str) -> str:
        entry = self._lexicon.entry(letter.upper())
        return (entry.sound() if entry else None) or ""

    def _word(self, word: str, tag: str, ahead: Ahead) -> str | None:
        amount = None if word == word.lower() else _STRONG if word == word.upper() else _LIGHT
        return self._small_word(word, tag, ahead) or self._known(word, tag, amount, ahead)

    def _small_word(self, word: str, tag: str, ahead: Ahead) -> str | None:
        """The words that sound otherwise before a vowel, before "to" or at the end of a clause."""
        lower = word.lower()
        if word == "I":  # without a stress, the model swallows it at the start of a sentence
            return "ˈI" if ahead.vowel is None else "ˌI"
        if lower in ("a", "an"):
            return "ˈA" if lower == "a" and tag != "DT" else "ɐ" if lower == "a" else "ɐn"
        if lower == "the":
            return "ði" if ahead.vowel else "ðə"
        if lower == "to" and ahead.vowel is not None:
            return "tʊ" if ahead.vowel else "tə"
        if lower == "in" and word != "IN":
            return "ˈɪn" if ahead.vowel is None or tag != "IN" else "ɪn"
        if word == "am" and ahead.vowel is not None:
            return "ɐm"
        if lower == "by" and parent_tag(tag) == "ADV":
            return "bˈI"
        return None

    def _known(self, word: str, tag: str, amount: float | None, ahead: Ahead) -> str | None:
        """The word itself, or without its possessive, plural, past or -ing ending."""
        if self._is_known(word):
            return self._look_up(word, tag, amount, ahead)
        if word.endswith("s'") and self._is_known(word[:-1]):
            return self._look_up(word[:-1], tag, amount, ahead)
        if word.endswith("'") and len(word) > 1:
            return self._known(word[:-1], tag, amount, ahead)
        for form in dict.fromkeys((word, word.lower())):
            found = self._ending(form, tag, amount, ahead)
            if found:
                return found
        return None

    def _ending(self, word: str, tag: str, amount: float | None, ahead: Ahead) -> str | None:
        for stems, ending in ((_s_stems, self._s), (_ed_stems, self._ed), (_ing_stems, self._ing)):
            stem = next((stem for stem in stems(word) if self._is_known(stem)), None)
            phonemes = self._look_up(stem, tag, amount, ahead) if stem else None
            if stem and phonemes:
                linked = self._british and ending == self._ing and re.search("re?$", stem)
                return ending(phonemes + "ɹ" if linked else phonemes)
        return None

    def _is_known(self, word: str) -> bool:
        if self._lexicon.entry(word):
            return True
        if not (word.isascii() and word.isalpha()):
            return False
        if len(word) > 1 and word.isupper() and self._gold(word.lower()):
            return True
        return len(word) == 1 or (word[1:].isupper() and not self._shouted(word))

    def _shouted(self, word: str) -> bool:
        return len(word) >= _SHOUTED_FROM and len(re.findall("[AEIOUY]", word)) * 4 >= len(word)

    def _gold(self, word: str) -> bool:
        entry = self._lexicon.entry(word)
        return entry is not None and entry.gold

    def _look_up(self, word: str, tag: str, amount: float | None, ahead: Ahead) -> str:
        entry, name = self._lexicon.entry(word), False
        if word == word.upper() and not (entry and entry.gold):
            entry, name = self._lexicon.entry(word.lower()), tag == "NNP"
        if entry is None or (name and not entry.gold):
            return self.spelled(word)
        at_end = ("None",) if ahead.vowel is None and "None" in entry.sounds else ()
        phonemes = entry.sound(*at_end, tag, parent_tag(tag))
        if phonemes is None or (name and PRIMARY not in phonemes):
            return self.spelled(word)
        return stressed(phonemes, amount)

    def _s(self, stem: str) -> str:
        if stem[-1:] in tuple("ptkfθ"):
            return stem + "s"
        if stem[-1:] in tuple("szʃʒʧʤ"):
            return stem + ("ɪ" if self._british else "ᵻ") + "z"
        return stem + "z"

    def _ed(self, stem: str) -> str:
        if stem[-1:] in tuple("pkfθʃsʧ"):
            return stem + "t"
        if stem[-1:] == "d":
            return stem + ("ɪ" if self._british else "ᵻ") + "d"
        if stem[-1:] != "t":
            return stem + "d"
        if self._british or len(stem) < 2:
            return stem + "ɪd"
        return stem[:-1] + "ɾᵻd" if stem[-2] in _FLAPPING else stem + "ᵻd"

    def _ing(self, stem: str) -> str:
        if not self._british and stem[-1:] == "t" and stem[-2:-1] in _FLAPPING:
            return stem[:-1] + "ɾɪŋ"
        return stem + "ɪŋ"


def _s_stems(word: str) -> list[str]:
    if len(word) < 3 or not word.endswith("s") or word.endswith("ss"):
        return []
    stems = [word[:-1]]
    if word.endswith("'s") or (len(word) > 4 and word.endswith("es") and not word.endswith("ies")):
        stems.append(word[:-2])
    if len(word) > 4 and word.endswith("ies"):
        stems.append(word[:-3] + "y")
    return stems


def _ed_stems(word: str) -> list[str]:
    if len(word) < 4 or not word.endswith("d"):
        return []
    stems = [] if word.endswith("dd") else [word[:-1]] if word.endswith("ed") else []
    if len(word) > 4 and word.endswith("ed") and not word.endswith("eed"):
        stems.append(word[:-2])
    if len(word) > 4 and word.endswith("ied"):
        stems.append(word[:-3] + "y")
    if len(word) > 5 and re.search(r"([bdgklmnprtvz])\1ed$", word):
        stems.append(word[:-3])
    return stems


def _ing_stems(word: str) -> list[str]:
    if len(word) < 5 or not word.endswith("ing"):
        return []
    stems = [word[:-3]] if len(word) > 5 else []
    stems.append(word[:-3] + "e")
    if len(word) > 5 and _DOUBLED.search(word):
        stems.append(word[:-4])
    return stems
