"""Text to the phonemes and tokens that Kokoro reads, and which of them belong to which word."""

from __future__ import annotations

import importlib.util
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from wyoming_tts.errors import SynthesisError
from wyoming_tts.g2p.base import ContextReader, Piece, Reader
from wyoming_tts.g2p.clauses import clean
from wyoming_tts.g2p.espeak import VOICES, EspeakReader
from wyoming_tts.g2p.given import Stretch, stretches
from wyoming_tts.g2p.symbols import MARKS, VOCABULARY
from wyoming_tts.types import Pronunciation

__all__ = ["LANGUAGES", "VOCABULARY", "Phonemes", "Phonemizer", "WordSpan", "missing_extra"]

LANGUAGES = (*VOICES, "ja", "zh-CN")
"""BCP 47 tags of the languages that have a phonemiser."""

EXTRAS = {"ja": ("haqumei",), "zh": ("pypinyin", "rjieba")}
"""Extra of the package (`wyoming-tts[ja]`), named as the language it is for -> the packages it brings."""

_OPENING = frozenset("(“")
_PAUSES = frozenset(";:,.!?—…")


def missing_extra(language: str) -> str | None:
    """The extra to be installed before the language (a BCP 47 tag) can be read; imports nothing."""
    extra = language.lower().replace("_", "-").split("-")[0]
    found = all(importlib.util.find_spec(package) for package in EXTRAS.get(extra, ()))
    return None if found else extra


@dataclass(frozen=True, slots=True)
class WordSpan:
    """Where one word is, in the text and in the tokens."""

    word: str
    """The word as it stands in the text."""

    char_start: int
    """Offset of its first character in the text."""

    char_end: int
    """Offset behind its last character."""

    token_start: int
    """Index of its first token in `Phonemes.tokens`."""

    token_end: int
    """Index behind its last token; equal to `token_start` for a word that is not spoken."""


@dataclass(frozen=True, slots=True)
class Phonemes:
    """A text as the model reads it."""

    text: str
    """The phonemes, each one symbol of `VOCABULARY`."""

    tokens: tuple[int, ...]
    """The token of each symbol, without the model's padding; empty when there is nothing to say."""

    words: tuple[WordSpan, ...]
    """The words in order, their ranges never overlapping: what stands between spaces, or in Chinese and
    Japanese, which write none, the words of the dictionary."""

    unknown: tuple[str, ...] = ()
    """The words that were in no lexicon and so were guessed, or whose letters have no sound."""


class Phonemizer:
    """Phonemes in every language Kokoro speaks, from any number of threads."""

    def __init__(self) -> None:
        """Loads nothing: a language is loaded when it is first asked for."""
        self._readers: dict[str, Reader] = {}
        self._loading = threading.RLock()

    def phonemize(self, text: str, language: str, pronunciations: Sequence[Pronunciation] = ()) -> Phonemes:
        """Phonemes of any text; `language` is one of `LANGUAGES`, `pronunciations` are those somebody gave.

        Raises BackendUnavailableError when the language's phonemiser cannot be loaded, SynthesisError for a
        language that has none.
        """
        reader = self._reader(language)
        cleaned = clean(text)
        line = _Line(parted=reader.own_words)
        clauses = list(stretches(cleaned, pronunciations, language))
        for clause, pieces in zip(clauses, _read(reader, clauses), strict=True):
            part = clause.part
            if part.is_mark:
                before, behind = (
                    cleaned[max(part.start - 1, 0) : part.start],
                    cleaned[part.end : part.end + 1],
                )
                line.add_mark(part.text, before, behind)
            else:
                line.add_clause(pieces, part.start)
        spoken = line.finish()
        words = _pieces_as_words(text, line) if reader.own_words else _words(text, line)
        tokens = tuple(VOCABULARY[symbol] for symbol in spoken)
        return Phonemes(spoken, tokens, words, _unknown(text, line, words))

    def _reader(self, language: str) -> Reader:
        with self._loading:
            reader = self._readers.get(language)
            if reader is None:
                reader = self._readers[language] = self._load(language)
            return reader

    def _load(self, language: str) -> Reader:
        if language.startswith("en") and language in VOICES:
            return _english(language)
        if language in VOICES:
            return EspeakReader(language)
        if language == "ja":
            return _japanese()
        if language == "zh-CN":
            return _mandarin(self._reader("en-US"))
        raise SynthesisError(f"there is no phonemiser for {language!r}; languages: {', '.join(LANGUAGES)}")


def _read(reader: Reader, clauses: Sequence[Stretch]) -> list[list[Piece]]:
    """The pieces of each clause; a reader that wants to see the whole text does."""
    if isinstance(reader, ContextReader):
        return reader.read_parts([clause.part for clause in clauses], [clause.phonemes for clause in clauses])
    pieces: list[list[Piece]] = []
    for clause in clauses:
        part = clause.part
        if clause.phonemes is not None:
            pieces.append([Piece(clause.phonemes, 0, part.end - part.start)])
        else:
            pieces.append([] if part.is_mark else reader.read(part.text))
    return pieces


def _english(language: str) -> Reader:
    from wyoming_tts.g2p.english import EnglishReader

    return EnglishReader(language)


def _japanese() -> Reader:
    from wyoming_tts.g2p.japanese import JapaneseReader

    return JapaneseReader()


def _mandarin(latin: Reader) -> Reader:
    from wyoming_tts.g2p.mandarin import MandarinReader

    return MandarinReader(latin)


@dataclass(slots=True)
class _Line:
    """The phonemes as they are put together."""

    parted: bool
    """Whether pieces that touch in the text have a space between them all the same."""

    symbols: list[str] = field(default_factory=list)
    """What there is so far, one symbol each."""

    spans: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Of every piece: first and last offset in the text, first and last token."""

    guessed: list[tuple[int, int]] = field(default_factory=list)
    """First and last offset of the pieces that were guessed."""

    spoken: bool = False
    """Whether there is anything but marks."""

    space: bool = False
    """Whether a space is due before the next piece."""

    def add_clause(self, pieces: list[Piece], start: int) -> None:
        """Append words; `start` is the offset of their clause in the text."""
        for piece in pieces:
            self.space = self.space and (self.parted or not self._touches(piece.start + start))
            if piece.guessed:
                self.guessed.append((piece.start + start, piece.end + start))
            first = self._append(piece.phonemes) if piece.phonemes else len(self.symbols)
            self.spans.append((piece.start + start, piece.end + start, first, len(self.symbols)))
            self.space = self.space or bool(piece.phonemes)

    def add_mark(self, mark: str, before: str, behind: str) -> None:
        """Append a mark, spaced as in print; `before` and `behind` are its neighbours in the text."""
        if mark in _OPENING or (mark == '"' and not before.strip() and behind.strip()):
            self._append(mark)
            self.space = False
        elif self.spoken and not (mark in _PAUSES and self.symbols[-1] in _PAUSES | _OPENING):
            self.symbols.append(mark)
            self.space = mark != "—" or not behind.strip()
        elif self.spoken and mark in "!?" and self.symbols[-1] in ".,;:…":
            self.symbols[-1] = mark

    def finish(self) -> str:
        """The phonemes as one string; "" when nothing is spoken."""
        while self.symbols and self.symbols[-1] in _OPENING:
            self.symbols.pop()
        if not self.spoken:
            self.symbols.clear()
        while self.symbols and self.symbols[-1] == " ":
            self.symbols.pop()
        return "".join(self.symbols)

    def _touches(self, start: int) -> bool:
        """Whether the piece before is spoken and ends where this one begins, inside a word."""
        if not self.spans:
            return False
        _, end, first, last = self.spans[-1]
        return end == start and first < last == len(self.symbols)

    def _append(self, symbols: str) -> int:
        """Append after a space where one is due; returns where it begins."""
        if self.space and self.symbols:
            self.symbols.append(" ")
        first = len(self.symbols)
        self.symbols.extend(symbols)
        self.spoken = self.spoken or any(symbol not in MARKS for symbol in symbols)
        return first


def _unknown(text: str, line: _Line, words: Sequence[WordSpan]) -> tuple[str, ...]:
    """The words that were guessed, and those whose letters are silent, without the marks around them."""
    silent = [
        (word.char_start, word.char_end)
        for word in words
        if word.token_start == word.token_end and any(symbol.isalpha() for symbol in word.word)
    ]
    found = (text[start:end] for start, end in sorted(line.guessed + silent))
    return tuple(dict.fromkeys(re.sub(r"^[\W_]+|[\W_]+$", "", word) or word for word in found))


def _pieces_as_words(text: str, line: _Line) -> tuple[WordSpan, ...]:
    return tuple(
        WordSpan(text[start:end], start, end, first, last)
        for start, end, first, last in _clipped(line)
        if end > start
    )


def _words(text: str, line: _Line) -> tuple[WordSpan, ...]:
    """What stands between spaces, with the tokens of all pieces inside it."""
    spans = _clipped(line)
    words: list[WordSpan] = []
    place = token = 0
    for match in re.finditer(r"\S+", text):
        first = last = token
        while place < len(spans) and spans[place][0] < match.end():
            first = spans[place][2] if first == last else first
            last = max(last, spans[place][3])
            place += 1
        first = min(first, last)
        words.append(WordSpan(match.group(), *match.span(), first, last))
        token = last
    return tuple(words)


def _clipped(line: _Line) -> list[tuple[int, int, int, int]]:
    """The spans, none reaching behind the last token."""
    size = len(line.symbols)
    return [(start, end, min(first, size), min(last, size)) for start, end, first, last in line.spans]
