"""Runs: stretches of text that are spoken in one style, and what ends between them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from wyoming_tts.text.aligned import AlignedText, Mark
from wyoming_tts.text.ssml_style import LONGEST_PAUSE, Style

Boundary = Literal["none", "sentence", "paragraph"]
"""What ends behind a run."""

_LEVELS: dict[Boundary, int] = {"none": 0, "sentence": 1, "paragraph": 2}
_LAYOUT = str.maketrans(dict.fromkeys("\n\r\v\f\x85\u2028\u2029", " "))
_MORE_SPACE = re.compile(r"(?<=[ \t])[ \t]+")
_SPACE = " \t"


@dataclass(frozen=True, slots=True)
class Run:
    """Text in one style; text of the same style goes on in the next run unless something ends between.

    Where text was cut into runs depends on how it arrived, even inside a word; all of them joined do not.
    """

    text: AlignedText
    """The words, with offsets in the document as it was sent; may be empty where something ends."""

    style: Style
    """How they are to be spoken."""

    pause: float = 0.0
    """Seconds of silence behind it; words on either side do not belong together."""

    boundary: Boundary = "none"
    """What ends behind it."""


class Runs:
    """Joins what is spoken in one style, and ends a sentence or a pause once."""

    def __init__(self) -> None:
        self.layout = False
        """Whether line breaks and runs of space only lay the document out."""
        self._pieces: list[AlignedText] = []
        self._style = Style()
        self._done: list[Run] = []
        self._spaced = True
        self._ended = _LEVELS["paragraph"]
        self._paused = 0.0

    @property
    def midway(self) -> bool:
        """Whether there were words since something ended."""
        return self._ended == 0 and not self._paused

    def add(self, text: AlignedText, style: Style) -> None:
        """Say more; space in front belongs to what was said before."""
        if self.layout:
            text = self._laid_out(text)
        space = len(text) - len(text.text.lstrip())
        if space < len(text):
            self._ended, self._paused = 0, 0.0
            if style != self._style:
                self._pieces.append(text[:space])
                self.cut()
                text, self._style = text[space:], style
        if text.text:
            self._pieces.append(text)
            self._spaced = text.text[-1] in _SPACE

    def end(self, boundary: Boundary) -> None:
        """A sentence or a paragraph ends here, unless nothing was said since one did."""
        if _LEVELS[boundary] > self._ended:
            self._ended = _LEVELS[boundary]
            self._finish_run(0.0, boundary)

    def pause(self, seconds: float) -> None:
        """Be silent, but never for longer than LONGEST_PAUSE between two words."""
        seconds = min(seconds, LONGEST_PAUSE - self._paused)
        if seconds > 0:
            self._paused += seconds
            self._finish_run(seconds, "none")

    def take(self) -> list[Run]:
        """All runs so far; they are forgotten here."""
        self.cut()
        done, self._done = self._done, []
        return done

    def cut(self) -> None:
        """End a run without ending anything that is spoken."""
        if any(piece.text for piece in self._pieces):
            self._done.append(Run(joined(self._pieces), self._style))
        self._pieces = []

    def _finish_run(self, pause: float, boundary: Boundary) -> None:
        self._done.append(Run(joined(self._pieces), self._style, pause, boundary))
        self._pieces = []
        self._spaced = True

    def _laid_out(self, text: AlignedText) -> AlignedText:
        text = replace(text, text=text.text.translate(_LAYOUT)).sub(_MORE_SPACE, "")
        return text[len(text) - len(text.text.lstrip(_SPACE)) :] if self._spaced else text


def joined(pieces: Iterable[AlignedText]) -> AlignedText:
    """Texts one behind the other, in linear time."""
    pieces = list(pieces)
    if len(pieces) == 1:
        return pieces[0]
    shifts = itertools.accumulate((len(piece) for piece in pieces), initial=0)
    return AlignedText(
        "".join(piece.text for piece in pieces),
        tuple(itertools.chain.from_iterable(piece.starts for piece in pieces)),
        tuple(itertools.chain.from_iterable(piece.ends for piece in pieces)),
        tuple(
            Mark(mark.start + shift, mark.end + shift, mark.kind, mark.value)
            for piece, shift in zip(pieces, shifts, strict=False)
            for mark in piece.marks
        ),
    )


def spanning(text: str, start: int, end: int) -> AlignedText:
    """A text that stands as a whole for a stretch of the document."""
    return AlignedText(text, (start,) * len(text), (end,) * len(text))
