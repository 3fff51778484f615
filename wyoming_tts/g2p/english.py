"""English: lexicons, parts of speech, and espeak-ng for the words that no lexicon has."""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.espeak import ipa
from wyoming_tts.g2p.base import Piece
from wyoming_tts.g2p.clauses import Part
from wyoming_tts.g2p.english_words import PRIMARY, VOWELS, Ahead, EnglishWords, stressed
from wyoming_tts.g2p.espeak import VOICES, spoken_form
from wyoming_tts.g2p.homographs import senses
from wyoming_tts.g2p.symbols import from_espeak, in_vocabulary
from wyoming_tts.g2p.tagger import tagger

_CONSONANTS = frozenset("bdfhjklmnpstvwzðŋɡɹɾʃʒʤʧθT")
_DIPHTHONGS = frozenset("AIOQWYʤʧ")
_SENTENCE_ENDS = frozenset(".!?…")
_PAUSES = frozenset(";:,.!?—…")
_CLITIC = re.compile(r"(?i)(.+?)(n't|'(?:s|ll|re|ve|d|m))\Z", re.S)
_PART = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*'?|\d+(?:[.,:]\d+)*(?:st|nd|rd|th|s)?|[&+%@#/=€£$°]", re.I)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z]|[A-Z]+\Z)|(?<=[A-Z]{2})(?=[A-Z][a-z]{2,})")
_DOTTED = re.compile(r"[^\W\d_]{1,2}(?:\.[^\W\d_]{1,2})+\.?\Z")
_SYMBOLS = {
    "&": "and", "+": "plus", "%": "percent", "@": "at", "#": "hash", "=": "equals", "€": "euros",
    "£": "pounds", "$": "dollars", "°": "degrees",
}  # fmt: skip
_ENDINGS = {"'s": "", "'ll": "əl", "'re": "əɹ", "'ve": "əv", "'d": "əd", "'m": "əm", "n't": "ᵊnt"}
_PREFIXES = {"re": "ɹˌi", "de": "dˌi", "pre": "pɹˌi"}
_LETTERS = re.compile(r"[^\W\d_]{2}")


@dataclass(slots=True)
class _Word:
    """What stands between two spaces, or a mark."""

    text: str
    """Without quotes and the like at its ends; of a mark the mark."""

    piece: Piece
    """Where it stands, and its phonemes as soon as there are some."""

    clause: int
    """Number of the part it belongs to."""

    is_mark: bool = False
    """True for a mark."""

    given: bool = False
    """Whether somebody said how it is pronounced."""

    tag: str = ""
    """Part of speech or sense."""


class EnglishReader:
    """Reads American or British English."""

    own_words = False

    def __init__(self, language: str) -> None:
        """`language` is `en-US` or `en-GB`."""
        self._language = language
        self._british = language == "en-GB"
        self._words = EnglishWords(self._british)
        self._tagger = tagger()
        self._guess = functools.lru_cache(maxsize=8192)(self._guessed)
        self._token = functools.lru_cache(maxsize=16384)(self._spoken)

    def read(self, clause: str) -> list[Piece]:
        """One piece for each word between spaces."""
        return self.read_parts([Part(clause, 0, len(clause), is_mark=False)])[0]

    def read_parts(self, parts: Sequence[Part], given: Sequence[str | None] = ()) -> list[list[Piece]]:
        """The pieces of each part, offsets counted from its start; none for marks.

        `given` are the phonemes of those parts whose pronunciation somebody has said, else None.
        """
        words = list(_words(parts, given))
        self._end_given(words, parts)
        self._lower_shouting(words)
        self._tag(words)
        self._speak(words)
        pieces: list[list[Piece]] = [[] for _ in parts]
        for word in words:
            if not word.is_mark:
                pieces[word.clause].append(word.piece)
        return pieces

    def _end_given(self, words: list[_Word], parts: Sequence[Part]) -> None:
        """A possessive ending belongs to the given phonemes that it touches."""
        for before, word in itertools.pairwise(words):
            touches = parts[before.clause].end == parts[word.clause].start + word.piece.start
            if before.given and touches and word.text == "'s":
                stem = before.piece.phonemes
                ending = _as_trained(self._words.possessive(stem)[len(stem) :])
                word.piece, word.given = replace(word.piece, phonemes=ending), True

    def _lower_shouting(self, words: list[_Word]) -> None:
        """Texts in capitals only are read like others, but for their acronyms."""
        spoken = [word for word in words if not word.is_mark]
        if len(spoken) < 2 or any(word.text != word.text.upper() for word in spoken):
            return
        if not any(len(word.text) > 3 and self._words.entry(word.text.lower()) for word in spoken):
            return
        for word in spoken:
            entry = self._words.entry(word.text.lower())
            if word.text != "I" and entry and entry.gold and "-" not in (entry.sounds["DEFAULT"] or "-"):
                word.text = word.text.lower()

    def _tag(self, words: list[_Word]) -> None:
        """Give each word its part of speech or sense, sentence by sentence."""
        sentence: list[_Word] = []
        for word in words:
            sentence.append(word)
            if word.is_mark and word.text in _SENTENCE_ENDS:
                self._tag_sentence(sentence)
                sentence = []
        self._tag_sentence(sentence)

    def _tag_sentence(self, sentence: list[_Word]) -> None:
        tokens: list[str] = []
        places: list[int] = []
        for word in sentence:
            places.append(len(tokens))
            tokens += _tokens(word)
        tags = self._tagger.tag(tokens)
        found = senses([word.text for word in sentence], [tags[place] for place in places], self._readings)
        for place, word in enumerate(sentence):
            word.tag = found[place]
            if word.text in ("a", "A"):
                word.tag = "NN" if _is_letter(place, sentence) else "DT"

    def _readings(self, word: str) -> Collection[str]:
        entry = self._words.entry(word)
        return entry.sounds if entry else ()

    def _speak(self, words: list[_Word]) -> None:
        """From the last word to the first, because small words depend on what follows."""
        ahead = Ahead()
        for word in reversed(words):
            if word.is_mark:
                ahead = Ahead() if word.text in _PAUSES else ahead
                continue
            if not word.given:
                phonemes, known = self._token(word.text, word.tag, ahead)
                word.piece = replace(word.piece, phonemes=phonemes, guessed=not known)
            ahead = _ahead(word.piece.phonemes, ahead)

    def _spoken(self, text: str, tag: str, ahead: Ahead) -> tuple[str, bool]:
        """Phonemes of what stands between two spaces, and whether all of it was in a lexicon."""
        known = self._known(text, tag, ahead)
        if known is not None:
            return _as_trained(known), True
        if any(symbol.isdigit() for symbol in text) and (len(_parts(text)) < 2 or not _LETTERS.search(text)):
            return self._guess(spoken_form(text, self._language)), True
        clitic = _CLITIC.match(text)
        if clitic:
            return self._with_ending(clitic[1], clitic[2].lower(), tag, ahead)
        parts = _parts(text)
        if len(parts) > 1 or (parts and parts[0] != text):
            return self._compound(text, parts, tag, ahead)
        return self._guess(text), not any(symbol.isalpha() for symbol in text)

    def _known(self, text: str, tag: str, ahead: Ahead) -> str | None:
        if text in _SYMBOLS:
            return self._words.word(_SYMBOLS[text])
        if _DOTTED.match(text) and text.isascii():
            return self._words.spelled(text)
        found = self._words.word(text, tag, ahead) if text else None
        if found is None and not text.isascii():
            plain = _plain(text)
            found = self._words.word(plain, tag, ahead) if plain.isascii() and plain != text else None
        return found

    def _with_ending(self, stem: str, ending: str, tag: str, ahead: Ahead) -> tuple[str, bool]:
        phonemes, known = self._spoken(stem, tag, ahead)
        if ending == "'s":
            return _as_trained(self._words.possessive(phonemes)), known
        return phonemes + _ENDINGS[ending], known

    def _compound(self, text: str, parts: list[str], tag: str, ahead: Ahead) -> tuple[str, bool]:
        """Words joined by hyphens, slashes, signs or capitals inside."""
        spoken = [
            self._token(part, tag, ahead if n == len(parts) - 1 else _MIDDLE) for n, part in enumerate(parts)
        ]
        sounds = [phonemes for phonemes, _ in spoken]
        if parts[0].lower() in _PREFIXES and len(parts) > 1:
            sounds[0] = _PREFIXES[parts[0].lower()] + ("ː" if self._british else "")
        apart = any(not (symbol.isalpha() or symbol in "-'’_.") for symbol in text)
        if not apart:
            sounds = _one_stress(parts, sounds)
        return (" " if apart else "").join(filter(None, sounds)), all(known for _, known in spoken)

    def _guessed(self, text: str) -> str:
        """A word by espeak-ng; where that is left out, for its licence, by its letters."""
        try:
            return self._by_espeak(text)
        except BackendUnavailableError:
            letters = "".join(symbol for symbol in _plain(text) if symbol.isascii() and symbol.isalpha())
            return self._words.spelled(letters) if letters else ""

    def _by_espeak(self, text: str) -> str:
        """A word by espeak-ng; letters that it cannot read by their Unicode names."""
        voice = VOICES[self._language]
        if text.isupper() and len(text) > 1:
            text = text.lower()
        phonemes = " ".join(from_espeak(ipa(text, voice), self._language))
        if not phonemes and any(symbol.isalpha() for symbol in text):
            names = [
                unicodedata.name(symbol, "letter").rpartition(" ")[2] for symbol in text if symbol.isalpha()
            ]
            phonemes = " ".join(from_espeak(ipa(" ".join(names).lower(), voice), self._language))
        return phonemes


_MIDDLE = Ahead(vowel=False)


def _words(parts: Sequence[Part], given: Sequence[str | None]) -> Iterator[_Word]:
    for number, part in enumerate(parts):
        phonemes = given[number] if number < len(given) else None
        if part.is_mark:
            yield _Word(part.text, Piece("", 0, 0), number, is_mark=True)
        elif phonemes is not None:
            yield _Word(part.text, Piece(phonemes, 0, len(part.text)), number, given=True)
        else:
            for match in re.finditer(r"\S+", part.text):
                yield _Word(_bare(match.group()), Piece("", *match.span()), number)


def _bare(text: str) -> str:
    """A word without what is no part of it: quotes at its ends, invisible characters."""
    text = unicodedata.normalize("NFC", text).replace("\u200b", "")
    for curly in "’‘ʼ`´":
        text = text.replace(curly, "'")
    if text.lower() in _SHORT_WORDS:
        return text
    start, end = 0, len(text)
    while start < end and not _speakable(text[start]):
        start += 1
    while end > start and not _speakable(text[end - 1]):
        end -= 1
    if text[end : end + 1] == "'" and text[end - 1 : end] in tuple("sS") and start == 0:
        end += 1
    before = text[start - 1 : start] if start < end else ""
    signed = before in ("-", "−") and text[start : start + 1].isdigit()
    if signed or (before == "'" and text[start - 1 : end].lower() in _SHORT_WORDS):
        start -= 1
    return text[start:end]


_SHORT_WORDS = frozenset(
    ["'em", "'tis", "'twas", "'cause", "'til", "'bout", "'n'", "'s", "'ll", "'d", "'ve", "'re", "'m"]
)


def _speakable(symbol: str) -> bool:
    return symbol.isalnum() or symbol in _SYMBOLS or unicodedata.category(symbol)[0] in "MS"


def _tokens(word: _Word) -> list[str]:
    """A word as the tagger knows words; never empty."""
    if word.is_mark:
        return ["." if word.text in _SENTENCE_ENDS else ","]
    clitic = _CLITIC.match(word.text)
    return [clitic[1], clitic[2]] if clitic else [word.text or "-"]


def _is_letter(place: int, sentence: Sequence[_Word]) -> bool:
    """Whether an "a" is the letter: next to another letter, or a capital inside a sentence."""
    behind = sentence[place + 1] if place + 1 < len(sentence) else None
    before = sentence[place - 1] if place else None
    for other in (before, behind):
        if (
            other
            and not other.is_mark
            and len(other.text) == 1
            and other.text.isalpha()
            and other.text != "I"
        ):
            return True
    if sentence[place].text != "A":
        return behind is None or behind.is_mark
    return bool(before and not before.is_mark)


def _parts(text: str) -> list[str]:
    """The words inside a word: "well-known", "AC/DC", "HomeKit", "AT&T"."""
    found = _PART.findall(text)
    return [part for word in found for part in _CAMEL.split(word) if part and part != "/"]


def _plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def _ahead(phonemes: str, ahead: Ahead) -> Ahead:
    first = next((symbol for symbol in phonemes if symbol in VOWELS or symbol in _CONSONANTS), None)
    return ahead if first is None else Ahead(vowel=first in VOWELS)


def _weight(phonemes: str) -> int:
    return sum(2 if symbol in _DIPHTHONGS else 1 for symbol in phonemes)


def _one_stress(parts: Sequence[str], sounds: list[str]) -> list[str]:
    """Weaken the stress of the lighter half of a compound's parts."""
    order = sorted((PRIMARY in sound, _weight(sound), n) for n, sound in enumerate(sounds) if sound)
    if len(order) == 2 and len(parts[order[0][2]]) == 1:
        weak = {order[1][2]}
    elif len(order) < 2 or sum(strong for strong, _, _ in order) <= (len(order) + 1) // 2:
        return sounds
    else:
        weak = {n for _, _, n in order[: len(order) // 2]}
    return [stressed(sound, -0.5) if n in weak else sound for n, sound in enumerate(sounds)]


def _as_trained(phonemes: str) -> str:
    """misaki's symbols as the model knows them."""
    return in_vocabulary(phonemes.replace("ɾ", "T").replace("ʔ", "t"))
