"""A spoken sentence as it is kept: 16-bit PCM and the times of its words."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from wyoming_tts.types import WordTiming

WORD_BYTES = 200
"""What one word's times take in memory, about."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """All of one sentence."""

    pcm: bytes
    """Signed 16-bit little-endian samples."""

    words: tuple[WordTiming, ...]
    """Its words, in order; times from its first sample."""

    @property
    def bytes(self) -> int:
        """What it takes in memory, about."""
        return len(self.pcm) + WORD_BYTES * len(self.words)

    def words_json(self) -> str:
        """The words as text."""
        return json.dumps([dataclasses.astuple(word) for word in self.words])


def words_from_json(text: str) -> tuple[WordTiming, ...]:
    """The words of `Sentence.words_json`. Raises ValueError or TypeError for anything else."""
    rows: list[list[Any]] = json.loads(text)
    return tuple(WordTiming(*row) for row in rows)
