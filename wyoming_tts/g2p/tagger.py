"""Parts of speech of English words: a greedy averaged perceptron (Matthew Honnibal's) with its Penn tags."""

from __future__ import annotations

import functools
import importlib.resources
import io
import zlib
from collections.abc import Sequence

import numpy as np

_START = ("-START-", "-START2-")
_END = ("-END-", "-END2-")


class Tagger:
    """Tags sentences; immutable once loaded, so any number of threads may share it."""

    def __init__(self) -> None:
        """Load the weights that come with the program."""
        content = importlib.resources.files("wyoming_tts.g2p").joinpath("data/tagger.npz").read_bytes()
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            self._tags: list[str] = [tag.decode() for tag in file["tags"].tolist()]
            only = zip(file["words"].tolist(), file["word_tags"].tolist(), strict=True)
            self._only = {word.decode(): self._tags[tag] for word, tag in only}
            self._features = file["features"]
            # One row a feature, and one of zeros for the features nobody has seen.
            self._weights = np.zeros((len(self._features) + 1, len(self._tags)), np.int16)
            rows = np.repeat(np.arange(len(self._features)), file["counts"])
            self._weights[rows, file["columns"]] = file["weights"]

    def tag(self, words: Sequence[str]) -> list[str]:
        """The tag of each word of one sentence; marks count as words, contractions as two ("do", "n't")."""
        context = [*_START, *map(_normalised, words), *_END]
        tags: list[str] = []
        before, before_that = _START
        for place, word in enumerate(words):
            tag = self._only.get(word) or self._guess(_keys(word, context, place + 2, before, before_that))
            tags.append(tag)
            before, before_that = tag, before
        return tags

    def _guess(self, keys: list[int]) -> str:
        wanted = np.array(keys, np.uint32)
        places = np.searchsorted(self._features, wanted).clip(max=len(self._features) - 1)
        places[self._features[places] != wanted] = len(self._features)
        scores = self._weights[places].sum(0, dtype=np.int32)
        best = len(scores) - 1 - int(scores[::-1].argmax())  # of equals the last, as it was trained
        return self._tags[best]


@functools.cache
def tagger() -> Tagger:
    """The one tagger of this process."""
    return Tagger()


def _normalised(word: str) -> str:
    if "-" in word and word[0] != "-":
        return "!HYPHEN"
    if word.isdigit() and len(word) == 4:
        return "!YEAR"
    return "!DIGITS" if word[:1].isdigit() else word.lower()


def _keys(word: str, context: Sequence[str], place: int, before: str, before_that: str) -> list[int]:
    """CRC-32 of each feature of a word; the spelling of the features belongs to the weights."""
    this, last, next_ = context[place], context[place - 1], context[place + 1]
    features = (
        "bias",
        f"i suffix {word[-3:]}",
        f"i pref1 {word[:1]}",
        f"i-1 tag {before}",
        f"i-2 tag {before_that}",
        f"i tag+i-2 tag {before} {before_that}",
        f"i word {this}",
        f"i-1 tag+i word {before} {this}",
        f"i-1 word {last}",
        f"i-1 suffix {last[-3:]}",
        f"i-2 word {context[place - 2]}",
        f"i+1 word {next_}",
        f"i+1 suffix {next_[-3:]}",
        f"i+2 word {context[place + 2]}",
    )
    return [zlib.crc32(feature.encode("utf-8", "replace")) for feature in features]
