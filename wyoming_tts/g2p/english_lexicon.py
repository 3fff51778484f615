"""The English words whose phonemes are known: misaki's lists, and the program's own words before them."""

from __future__ import annotations

import functools
import gzip
import importlib.resources
from dataclasses import dataclass

Sounds = dict[str, str | None]
"""Part of speech or sense -> phonemes, with a DEFAULT; None means letter by letter."""

SPELLED = "-"
"""Stands in the tables for "letter by letter"."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a lexicon says of a word."""

    sounds: Sounds
    """Phonemes in the symbols of misaki."""

    gold: bool
    """False for words of the longer list, which was not checked by hand."""

    def sound(self, *tags: str) -> str | None:
        """Phonemes of the first tag there are any for."""
        for tag in tags:
            if tag in self.sounds:
                return self.sounds[tag]
        return self.sounds["DEFAULT"]


class EnglishLexicon:
    """Words of one accent. The table stays one string of bytes, which is searched: a dict is ten times it."""

    def __init__(self, british: bool) -> None:
        """Load the tables that come with the program."""
        data = importlib.resources.files("wyoming_tts.g2p").joinpath("data")
        table = data.joinpath(f"english_{'gb' if british else 'us'}.tsv.gz").read_bytes()
        self._table = gzip.decompress(table)
        self._own = _own_words(data.joinpath("english.tsv").read_text("utf-8"), british)
        self._cached = functools.lru_cache(maxsize=16384)(self._entry)

    def entry(self, word: str) -> Entry | None:
        """What is known of a word as it is spelled; capitals matter but for the first letter."""
        return self._cached(word)

    def _entry(self, word: str) -> Entry | None:
        own = self._own.get(word) or self._own.get(word.lower())
        if own:
            return own
        found = self._find(word)
        if found is None and len(word) > 1:
            if word == word.lower():
                found = self._find(word.capitalize())
            elif word == word.lower().capitalize():
                found = self._find(word.lower())
        return None if found is None else Entry(_sounds(found.removeprefix("~")), found[:1] != "~")

    def _find(self, word: str) -> str | None:
        """Binary search: the lines of the table are in order."""
        table, wanted = self._table, word.encode("utf-8", "replace")
        low, high = 0, len(table)
        while low < high:
            start = table.rfind(b"\n", low, (low + high) // 2) + 1 or low
            tab = table.index(b"\t", start)
            key = table[start:tab]
            if key == wanted:
                return table[tab + 1 : table.index(b"\n", tab)].decode()
            if key < wanted:
                low = table.index(b"\n", tab) + 1
            else:
                high = start
        return None


def _sounds(text: str) -> Sounds:
    if "=" not in text:
        return {"DEFAULT": None if text == SPELLED else text}
    pairs = (part.split("=") for part in text.split(" "))
    return {tag: None if sound == SPELLED else sound for tag, sound in pairs}


def _own_words(text: str, british: bool) -> dict[str, Entry]:
    words = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            word, american, *other = line.split("\t")
            words[word] = Entry(_sounds(other[0] if british and other else american), gold=True)
    return words
