"""What every phonemiser is: something that reads a clause and says which phonemes each of its words has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from wyoming_tts.g2p.clauses import Part


@dataclass(frozen=True, slots=True)
class Piece:
    """The phonemes of a word, and where the word stands."""

    phonemes: str
    """Symbols of `VOCABULARY` only; empty where the word is silent or a neighbour speaks for it."""

    start: int
    """Offset of the word's first character in the clause."""

    end: int
    """Offset behind its last character."""

    guessed: bool = False
    """Whether no lexicon had the word."""


class Reader(Protocol):
    """Phonemes of one language. Safe to use from several threads."""

    own_words: bool
    """True where its pieces are the words of the text, because the language writes no spaces."""

    def read(self, clause: str) -> list[Piece]:
        """Pieces in the order of the text; in `clause` are no clause marks, controls or surrogates."""


@runtime_checkable
class ContextReader(Reader, Protocol):
    """A reader that has to see more than a clause at a time."""

    def read_parts(self, parts: Sequence[Part], given: Sequence[str | None] = ()) -> list[list[Piece]]:
        """The pieces of each part of a text, offsets counted from its start; none for marks.

        `given` are the phonemes of those parts whose pronunciation somebody has said, else None.
        """
