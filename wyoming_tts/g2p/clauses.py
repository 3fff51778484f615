"""Cuts a text into clauses and the marks between them, so that no phonemiser has to know punctuation."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_CLAUSE = 240
"""Characters; what is longer is cut at a space, so that work grows no faster than the text."""

_SPELLINGS = {
    ".": ".。．｡।॥۔", ",": ",，、､،", "!": "!！", "?": "?？؟", ";": ";；؛", ":": ":：", "…": "…‥⋯",
    "—": "—―〜～", "“": "“„«「『《〈｢", "”": "”»」』》〉｣", "(": "([（【〔［", ")": ")]）】〕］",
    '"': '"＂',
}  # fmt: skip
"""Mark of the model -> the marks of all languages that mean it."""

_MARKS = {spelling: mark for mark, spellings in _SPELLINGS.items() for spelling in spellings}
_ALWAYS = "".join(re.escape(spelling) for spelling in _MARKS if spelling not in ".,:!?")
_MARK = re.compile(
    rf"(?P<ellipsis>\.{{2,}})|(?P<dash>--+|(?<!\S)[-–](?=\s))|(?P<mark>[{_ALWAYS}]"
    r"|\.(?!\w)|[!?](?![A-Za-z0-9])|(?<!\d),|,(?!\d)|(?<!\d):(?!//)|:(?![\d/]))"
)

_BLANK = frozenset("*_`|\\^~{}")
"""Said aloud by name otherwise ("asterisk")."""

IGNORED = "\u200b"
"""What a character becomes that has no sound but does not part a word either."""

_SHORT = re.compile(
    r"(?:(?:^|[\s(])(?i:dr|mr|mrs|ms|prof|st|vs|approx|sr|sra|dra|mme|sig|dott)"
    r"|\b\w(?:\.\w)+|[A-Z][a-z]+ [A-HJ-Z])$"
)
"""A title, an acronym with dots, or a name with an initial, in front of a full stop."""

_NUMBER_SIGN = re.compile(r"(?:^|\s)no$", re.I)


@dataclass(frozen=True, slots=True)
class Part:
    """A clause without marks inside, or one mark."""

    text: str
    """The clause, or the mark as the model knows it."""

    start: int
    """Offset of its first character in the text."""

    end: int
    """Offset behind its last character."""

    is_mark: bool
    """True for a mark."""


def clean(text: str) -> str:
    """The text, character for character, without what no phonemiser should see."""
    return text if text.isascii() and text.isalpha() else "".join(map(_clean, text))


@functools.lru_cache(maxsize=8192)
def _clean(symbol: str) -> str:
    category = unicodedata.category(symbol)
    if category in ("Cf", "Me") or "\ufe00" <= symbol <= "\ufe0f" or symbol in "¿¡":
        return IGNORED
    if category[0] in "CZ" or symbol in _BLANK or (category in ("So", "Sk") and symbol >= "\u2190"):
        return " "
    if "\uff10" <= symbol <= "\uff5a" and symbol.isalnum():
        return unicodedata.normalize("NFKC", symbol)
    return symbol


def cut(text: str) -> Iterator[Part]:
    """Clauses and marks of a cleaned text, in order; blanks at the ends of clauses are left out."""
    end = 0
    for match in _MARK.finditer(text):
        if match.group() == "." and _is_abbreviation(text, match.start()):
            continue
        yield from _clauses(text, end, match.start())
        mark = "…" if match["ellipsis"] else "—" if match["dash"] else _MARKS[match.group()]
        yield Part(mark, *match.span(), is_mark=True)
        end = match.end()
    yield from _clauses(text, end, len(text))


def _is_abbreviation(text: str, dot: int) -> bool:
    """Whether a full stop only ends a short form, as in "Dr. Smith", "U.S. Army", "No. 5"."""
    behind = text[dot + 1 : dot + 4].lstrip()
    if not behind or not text[dot + 1].isspace() or not behind[0].isalnum():
        return False
    before = text[max(dot - 12, 0) : dot]
    return bool(_NUMBER_SIGN.search(before) if behind[0].isdigit() else _SHORT.search(before))


def _clauses(text: str, start: int, end: int) -> Iterator[Part]:
    while end - start > LONGEST_CLAUSE:
        space = text.rfind(" ", start + 1, start + LONGEST_CLAUSE)
        stop = space if space > 0 else start + LONGEST_CLAUSE
        yield from _clauses(text, start, stop)
        start = stop
    clause = text[start:end]
    if clause.strip(f" {IGNORED}"):
        start += len(clause) - len(clause.lstrip())
        yield Part(clause.strip(), start, start + len(clause.strip()), is_mark=False)
