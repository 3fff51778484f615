"""Which `*`, `_`, `~` and `=` are marks of emphasis, and which belong to the text."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

_RUN = re.compile(r"\*++|_++|~~++|==++")
_LINE = re.compile(r"[^\n]++")
_LONGEST = 3
_OPENING = "([{\"'“‘«¿¡"
_CLOSING = ".,;:!?…)]}\"'”’»。，！？"


@dataclass(slots=True)
class _Run:
    """A row of equal marks, of which `start` to `end` has not found its counterpart."""

    start: int
    end: int
    mark: str
    before: str
    after: str

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def inside(self) -> bool:
        """Whether a word goes on before it: what it opens must then close at the word's end."""
        return _in_word(self.before)

    def opens(self) -> bool:
        """Whether emphasis may begin here."""
        if not self.after.strip() or self.before in tuple(")]}%"):
            return False
        if not self.inside:
            return True
        return self.mark == "*" and self.length > 1 and _letters(self.before, self.after)

    def closes(self) -> bool:
        """Whether emphasis may end here."""
        if not self.before.strip():
            return False
        return not _in_word(self.after) or (self.mark == "*" and _letters(self.before, self.after))

    def pairs_with(self, closer: _Run) -> bool:
        """Whether what it opens ends at `closer`."""
        if self.mark in "~=" and self.length != closer.length:
            return False
        return not (self.inside and _in_word(closer.after))

    def is_stray(self) -> bool:
        """Whether it is what is left of emphasis that began or ended in another segment."""
        opens = self.before.strip() in ("", *_OPENING) and bool(self.after.strip())
        closes = self.after.strip() in ("", *_CLOSING) and bool(self.before.strip())
        if self.mark == "*" and self.length > 1:
            return opens or closes
        return self.mark != "=" and ((opens and self.after.isalpha()) or (closes and self.before.isalpha()))


def emphasis_edits(text: str) -> list[tuple[int, int, str]]:
    """Edits that take marks of emphasis away, pairs and what is left of pairs, line by line."""
    edits: list[tuple[int, int, str]] = []
    for line in _LINE.finditer(text):
        runs = [_run(text, *match.span()) for match in _RUN.finditer(text, *line.span())]
        edits += _line_edits([run for run in runs if run.length <= _LONGEST])
    return sorted(edits)


def _run(text: str, start: int, end: int) -> _Run:
    return _Run(start, end, text[start], text[start - 1 : start], text[end : end + 1])


def _line_edits(runs: list[_Run]) -> list[tuple[int, int, str]]:
    edits: list[tuple[int, int, str]] = []
    opened: list[_Run] = []
    waiting: Counter[str] = Counter()
    for run in runs:
        if run.closes():
            while run.length and waiting[run.mark] and _close(run, opened, waiting, edits):
                pass
        if run.length and run.opens():
            opened.append(run)
            waiting[run.mark] += 1
    edits += [(run.start, run.end, "") for run in runs if run.length and run.is_stray()]
    return edits


def _close(
    closer: _Run, opened: list[_Run], waiting: Counter[str], edits: list[tuple[int, int, str]]
) -> bool:
    """Pair `closer` with the last row of its kind, and forget those that opened in between."""
    while opened[-1].mark != closer.mark:
        waiting[opened.pop().mark] -= 1
    opener = opened[-1]
    if not opener.pairs_with(closer):
        return False
    length = min(opener.length, closer.length)
    edits += [(opener.end - length, opener.end, ""), (closer.start, closer.start + length, "")]
    opener.end -= length
    closer.start += length
    if not opener.length:
        waiting[opened.pop().mark] -= 1
    return True


def _in_word(character: str) -> bool:
    """Whether a character is of a word, in a script that parts words by spaces."""
    if not character or character >= "\u2e80":
        return False
    return character == "_" or unicodedata.category(character)[0] in "LNM"


def _letters(*characters: str) -> bool:
    return not any(character.isdigit() or character == "_" for character in characters)
