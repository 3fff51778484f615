"""The user's lexicon: how names and words are said that are otherwise said wrong."""

from __future__ import annotations

import functools
import itertools
import logging
import re
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from wyoming_tts.files import read_bounded, signature_of
from wyoming_tts.text.aligned import AlignedText, Mark
from wyoming_tts.text.lexicon_file import MOST_BYTES, Contents, Entry, LexiconError, parse

FILE_NAME = "lexicon.toml"
"""Name of the lexicon in the data directory."""

CHECK_SECONDS = 1.0
"""How often at most the file is looked at."""

_LOGGER = logging.getLogger(__name__)
_LOGGED = 20
_UNSPACED = (  # scripts without spaces between words; there each character can begin one
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)


class Lexicon:
    """A lexicon file, read again when it has changed; safe to be used from several threads."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the file, which need not be there. Raises nothing: what is wrong is said in the log."""
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._signature: tuple[int, ...] | None = None
        self._loaded = _Loaded(Contents())
        self._checked = clock()
        self._refresh()

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the file as it is now, each with its line."""
        return self._current().contents.problems

    @property
    def path(self) -> Path:
        """The file; there need not be one."""
        return self._path

    @property
    def entries(self) -> int:
        """How many there are."""
        return len(self._current().contents.entries)

    def refresh(self) -> None:
        """Look at the file now: somebody has just written it."""
        with self._lock:
            self._refresh()

    def apply(self, text: AlignedText, language: str, voice: str) -> AlignedText:
        """With what is in the lexicon for a language (a BCP 47 tag) and a voice said in place of the words.

        Longest words come first; what is marked already stays, and what was replaced is not looked at again.
        """
        loaded = self._current()
        if not loaded.contents.entries:
            return text
        return _replaced(text, loaded.words(language, voice.casefold()))

    def _current(self) -> _Loaded:
        if self._clock() - self._checked >= CHECK_SECONDS and self._lock.acquire(blocking=False):
            try:
                self._checked = self._clock()
                self._refresh()
            finally:
                self._lock.release()
        return self._loaded

    def _refresh(self) -> None:
        """Read the file if it is another one than last time; one that cannot be used changes no entry."""
        before = self._loaded.contents
        try:
            signature = signature_of(self._path)
            if signature == self._signature:
                return
            self._signature = signature
            contents = self._read() if signature else Contents()
            if before.entries or contents.entries:
                _LOGGER.info("%s: %d entries", self._path, len(contents.entries))
        except LexiconError as error:
            contents = replace(before, problems=(f"{error}; what was read before is still used",))
        except OSError as error:
            self._signature = ()
            contents = replace(before, problems=(f"it cannot be read: {error.strerror or error}",))
        if contents != before:
            self._report([problem for problem in contents.problems if problem not in before.problems])
            self._loaded = _Loaded(contents)

    def _read(self) -> Contents:
        try:
            data = read_bounded(self._path, MOST_BYTES)
        except ValueError as error:
            raise LexiconError(str(error)) from None
        return parse(data)

    def _report(self, problems: list[str]) -> None:
        for problem in problems[:_LOGGED]:
            _LOGGER.warning("%s: %s", self._path, problem)
        if len(problems) > _LOGGED:
            _LOGGER.warning("%s: and %d more problems", self._path, len(problems) - _LOGGED)


@dataclass(slots=True)
class _Words:
    """What may come after some words, and what is known of these words themselves."""

    after: dict[str, _Words] = field(default_factory=dict)
    known: list[tuple[tuple[str, ...], Entry]] = field(default_factory=list)

    def add(self, text: str, entry: Entry) -> None:
        """Later additions come before earlier ones."""
        tokens = _tokens(text)
        words = self
        for number, token in enumerate(tokens):
            words = words.after.setdefault(token.key if number else token.key.lstrip(), _Words())
        words.known.insert(0, (tuple(token.written for token in tokens), entry))


class _Loaded:
    """The contents of a file, ready for any language and voice."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self._languages = {language for entry in contents.entries for language in entry.languages}
        self._voices = {voice for entry in contents.entries for voice in entry.voices}
        self._words: dict[tuple[frozenset[str], str], _Words] = {}

    def words(self, language: str, voice: str) -> _Words:
        """All words that a language and a voice have entries for."""
        tag = language.lower().replace("_", "-")
        languages = frozenset(one for one in self._languages if f"{tag}-".startswith(f"{one}-"))
        key = (languages, voice if voice in self._voices else "")
        if key not in self._words:
            self._words[key] = self._gathered(*key)
        return self._words[key]

    def _gathered(self, languages: frozenset[str], voice: str) -> _Words:
        def rank(entry: Entry) -> tuple[bool, int, bool]:
            near = max((len(one) for one in entry.languages if one in languages), default=0)
            return bool(entry.voices), near, entry.case_sensitive

        words = _Words()
        fitting = (entry for entry in self.contents.entries if _fits(entry, languages, voice))
        for entry in sorted(fitting, key=rank):
            for text in entry.texts:
                words.add(text, entry)
        return words


def _fits(entry: Entry, languages: frozenset[str], voice: str) -> bool:
    return (not entry.languages or not languages.isdisjoint(entry.languages)) and (
        not entry.voices or voice in entry.voices
    )


class _Token(NamedTuple):
    """A word or a sign."""

    start: int
    end: int
    written: str
    """As it is written, one spelling for an accent or an apostrophe."""

    key: str
    """In no case, and with a space in front if it is written with one."""


def _tokens(text: str) -> list[_Token]:
    tokens = []
    last = 0
    plain = text.isascii()
    for match in _token_pattern().finditer(text):
        start, end = match.span()
        written = match[0] if plain else unicodedata.normalize("NFC", match[0].replace("’", "'"))
        key = written.casefold()
        tokens.append(_Token(start, end, written, f" {key}" if start > last else key))
        last = end
    return tokens


@functools.cache
def _token_pattern() -> re.Pattern[str]:
    """Words (with their vowel signs and an n't), characters of scripts without spaces, or single signs."""
    marks = "".join(_combining())
    letter = rf"[^\W{_UNSPACED}]"
    return re.compile(rf"{letter}(?:{letter}++|[{marks}])*+(?:['’][tT](?!{letter}))?|\S[{marks}]*+")


def _combining() -> Iterator[str]:
    """Ranges of characters that belong to the one before them, the joiners of Indic scripts too."""
    yield "\u200c\u200d"
    signs = [unicodedata.category(chr(code)).startswith("M") for code in range(0x10000)]
    begin = 0
    for sign, codes in itertools.groupby(signs):
        end = begin + len(list(codes))
        if sign:
            yield f"{chr(begin)}-{chr(end - 1)}"
        begin = end


def _replaced(text: AlignedText, words: _Words) -> AlignedText:
    tokens = _tokens(text.text)
    marked = bytearray(len(text))
    for mark in text.marks:
        marked[mark.start : mark.end] = b"\1" * (mark.end - mark.start)
    edits: list[tuple[int, int, str]] = []
    marks: list[Mark] = []
    index = shift = 0
    while index < len(tokens):
        length, entry = _longest(tokens, index, words, marked)
        if entry:
            start, end = tokens[index].start, tokens[index + length - 1].end
            if entry.say is None:
                marks.append(Mark(start + shift, end + shift, "phonemes", entry.phonemes or ""))
            else:
                edits.append((start, end, entry.say))
                shift += len(entry.say) - (end - start)
        index += max(length, 1)
    edited = text.edited(edits)
    return replace(edited, marks=tuple(sorted((*edited.marks, *marks), key=lambda mark: mark.start)))


def _longest(tokens: list[_Token], index: int, words: _Words, marked: bytearray) -> tuple[int, Entry | None]:
    """How many words from here on the lexicon knows best, and what it says of them."""
    found: tuple[int, Entry | None] = (0, None)
    for place in range(index, len(tokens)):
        token = tokens[place]
        after = words.after.get(token.key if place > index else token.key.lstrip())
        if after is None or any(marked[token.start : token.end]):
            break
        words = after
        if words.known:
            written = tuple(one.written for one in tokens[index : place + 1])
            for exact, entry in words.known:
                if not entry.case_sensitive or exact == written:
                    found = place + 1 - index, entry
                    break
    return found
