"""Sentences in memory, as many as fit; the one that was not used for the longest time goes first."""

from __future__ import annotations

from collections import OrderedDict

from wyoming_tts.backends.cache_sentence import Sentence

LARGEST_PART = 0.25
"""A sentence that takes more than this part of the store would drive out too many others."""


class MemoryStore:
    """Bounded in bytes."""

    def __init__(self, limit: int) -> None:
        """`limit` in bytes; 0 keeps nothing."""
        self._limit = limit
        self._sentences: OrderedDict[bytes, Sentence] = OrderedDict()
        self.bytes = 0
        """What is kept now."""
        self.evictions = 0
        """Sentences that made room for others so far."""

    def __len__(self) -> int:
        return len(self._sentences)

    def get(self, key: bytes) -> Sentence | None:
        """A sentence, which is thereby used."""
        sentence = self._sentences.get(key)
        if sentence is not None:
            self._sentences.move_to_end(key)
        return sentence

    def put(self, key: bytes, sentence: Sentence) -> None:
        """Keep a sentence unless it is too large."""
        if sentence.bytes > LARGEST_PART * self._limit:
            return
        if key in self._sentences:
            self.bytes -= self._sentences.pop(key).bytes
        self._sentences[key] = sentence
        self.bytes += sentence.bytes
        while self.bytes > self._limit:
            _, oldest = self._sentences.popitem(last=False)
            self.bytes -= oldest.bytes
            self.evictions += 1
