"""Text that remembers where in the caller's text each of its characters comes from."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal[
    "phonemes", "characters", "digits", "cardinal", "ordinal", "date", "time", "telephone", "verbatim"
]
"""What is known of a stretch of text: its `phonemes`, how it is to be read (SSML's `say-as`), or that it is
to be left as it is (`verbatim`)."""

Replacement = str | Callable[[re.Match[str]], str | None]
"""What stands in place of a match (literally, no escapes); None from the function leaves the match alone."""

Rule = tuple[re.Pattern[str], Replacement]

_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Characters of scripts without spaces: each is compared by itself."""

_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Mark:
    """What a caller or a lexicon said of a stretch of text; rules leave it alone."""

    start: int
    """Index of its first character in the aligned text."""

    end: int
    """Index behind its last character."""

    kind: Kind
    """What `value` is."""

    value: str = ""
    """The phonemes; of a date or time its format (`mdy`); else empty."""


@dataclass(frozen=True, slots=True)
class AlignedText:
    """A text on its way from the caller to the voice; immutable.

    Characters of a replacement come from all of what was replaced.
    """

    text: str
    """The text as it is now."""

    starts: tuple[int, ...]
    """For each character, the offset of the first of the caller's characters it stands for."""

    ends: tuple[int, ...]
    """For each character, the offset behind the last of them."""

    marks: tuple[Mark, ...] = ()
    """In order, not overlapping."""

    @classmethod
    def of(cls, text: str, offset: int = 0) -> AlignedText:
        """The caller's text itself, from `offset` on."""
        starts = tuple(range(offset, offset + len(text)))
        return cls(text, starts, tuple(start + 1 for start in starts))

    def __len__(self) -> int:
        return len(self.text)

    def __getitem__(self, part: slice) -> AlignedText:
        """A stretch (step one) with the marks that are wholly in it."""
        start, end, _ = part.indices(len(self.text))
        marks = tuple(
            replace(mark, start=mark.start - start, end=mark.end - start)
            for mark in self.marks
            if start <= mark.start and mark.end <= end
        )
        return AlignedText(self.text[start:end], self.starts[start:end], self.ends[start:end], marks)

    def __add__(self, other: AlignedText) -> AlignedText:
        shift = len(self.text)
        marks = tuple(replace(mark, start=mark.start + shift, end=mark.end + shift) for mark in other.marks)
        return AlignedText(
            self.text + other.text, self.starts + other.starts, self.ends + other.ends, self.marks + marks
        )

    def source(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the caller's text of what [start, end) stands for; of nothing, those of where it is."""
        if start < end:
            return min(self.starts[start:end]), max(self.ends[start:end])
        if start < len(self.text):
            return self.starts[start], self.starts[start]
        return (self.ends[-1], self.ends[-1]) if self.ends else (0, 0)

    def stripped(self) -> AlignedText:
        """Without space around it."""
        start = len(self.text) - len(self.text.lstrip())
        return self[start : max(start, len(self.text.rstrip()))]

    def marked(self, start: int, end: int, kind: Kind, value: str = "") -> AlignedText:
        """With a mark on [start, end); older marks that overlap it go."""
        others = [mark for mark in self.marks if mark.end <= start or mark.start >= end]
        marks = sorted([*others, Mark(start, end, kind, value)], key=lambda mark: mark.start)
        return replace(self, marks=tuple(marks))

    def sub(self, pattern: re.Pattern[str], replacement: Replacement) -> AlignedText:
        """Replace every match that no mark overlaps."""
        edits = []
        for match in pattern.finditer(self.text):
            if any(mark.start < match.end() and match.start() < mark.end for mark in self.marks):
                continue
            new = replacement if isinstance(replacement, str) else replacement(match)
            if new is not None and new != match[0]:
                edits.append((match.start(), match.end(), new))
        return self.edited(edits)

    def edited(self, edits: Iterable[tuple[int, int, str]]) -> AlignedText:
        """With each [start, end) replaced by a text; edits come in order and do not overlap.

        A mark inside an edit goes; one that only touches it stays.
        """
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        marks = list(self.marks)
        kept = shift = 0
        for start, end, new in edits:
            pieces += (self.text[kept:start], new)
            first, last = self.source(start, end)
            starts += (*self.starts[kept:start], *([first] * len(new)))
            ends += (*self.ends[kept:start], *([last] * len(new)))
            marks = [
                mark
                for mark in marks
                if mark.end <= start + shift or mark.start >= end + shift or start == end
            ]
            change = len(new) - (end - start)
            marks = [
                replace(mark, start=mark.start + change, end=mark.end + change)
                if mark.start >= end + shift
                else mark
                for mark in marks
            ]
            kept, shift = end, shift + change
        if not pieces:
            return self
        pieces.append(self.text[kept:])
        starts += self.starts[kept:]
        ends += self.ends[kept:]
        return AlignedText("".join(pieces), tuple(starts), tuple(ends), tuple(marks))

    def rewritten(self, text: str) -> AlignedText:
        """As somebody else rewrote it: what is the same keeps its place and its marks.

        Other words come from those that they stand in place of, and from none where they were put in.
        """
        return self if text == self.text else self.edited(_differences(self.text, text))

    def apply(self, rules: Iterable[Rule]) -> AlignedText:
        """One rule after the other, each everywhere."""
        text = self
        for pattern, replacement in rules:
            text = text.sub(pattern, replacement)
        return text


def _differences(old: str, new: str) -> Iterator[tuple[int, int, str]]:
    """The edits, whole words each, that make one text of another."""
    tokens = [[*_TOKEN.finditer(text)] for text in (old, new)]
    words = [[token[0] for token in side] for side in tokens]
    places = [[token.start() for token in side] for side in tokens]
    places[0].append(len(old))
    places[1].append(len(new))
    # Spaces are the same everywhere, which says nothing of what stands for what.
    matcher = difflib.SequenceMatcher(str.isspace, words[0], words[1], autojunk=False)
    for kind, start, end, first, last in matcher.get_opcodes():
        if kind != "equal":
            yield places[0][start], places[0][end], new[places[1][first] : places[1][last]]
