"""Times of words as they are spoken become times of words as the caller wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.types import WordTiming

UNSPACED = frozenset({"ja", "zh"})
"""Primary subtags of languages that write no spaces: what a word is, the dictionary says."""

NOTHING = 1 << 60
"""Stands for the place of what does not come any more."""

_WORD, _SOUND = re.compile(r"\S+"), re.compile(r"\w")


class WordTimes:
    """Follows one sentence: takes the words that a voice speaks, gives those that were written.

    "21.5 °C" is spoken as five words and written as two; a written word is given when all of it has been
    spoken, and with the last spoken word all that are left. What is written and not spoken (a dash) has no
    length and stands where it would be heard.
    """

    def __init__(self, cleaned: AlignedText, spoken: AlignedText, source: str, language: str) -> None:
        """`cleaned` is the sentence as written, without markup; `spoken` is what the voice is given.

        `source` is the caller's text that both are aligned to.
        """
        self._spoken, self._source = spoken, source
        self._to_come = _to_come(spoken)
        spaced = language.split("-")[0] not in UNSPACED
        self._written = _spans(cleaned) if spaced else None
        self._held: list[WordTiming] = []
        self._reach = 0
        self._next = 0
        self._end = 0.0

    def feed(self, words: Iterable[WordTiming]) -> list[WordTiming]:
        """Written words that are over with these spoken ones, in order.

        Times are the same clock's; offsets count in the caller's text.
        """
        done: list[WordTiming] = []
        for word in words:
            start, end = self._spoken.source(word.char_start, word.char_end)
            if self._held and start >= self._reach:
                done += self._release()
            self._held.append(replace(word, char_start=start, char_end=end))
            self._reach = max(self._reach, self._extent(end))
            to_come = self._to_come[min(word.char_end, len(self._to_come) - 1)]
            if to_come >= self._reach:
                done += self._release()
            if to_come == NOTHING:
                done += self._silent()
        return done

    def _extent(self, end: int) -> int:
        """The end of the written word that a spoken one ends in."""
        for start, stop in (self._written or [])[self._next :]:
            if start < end <= stop:
                return stop
            if start >= end:
                break
        return end

    def _release(self) -> list[WordTiming]:
        """The written words that the held ones are."""
        held, self._held = self._held, []
        if not held:
            return []
        start, end = min(w.char_start for w in held), max(w.char_end for w in held)
        spans = self._take(start, end) if self._written is not None else [(start, end)] * (start < end)
        if not spans:
            return []
        silent, spans = [span for span in spans if span[1] <= start], [s for s in spans if s[1] > start]
        timed = [self._word(span, held[0].start, held[0].start) for span in silent]
        timed += [self._word(span, part[0].start, part[-1].end) for span, part in _shared(spans, held)]
        self._end = max(self._end, held[-1].end)
        return timed

    def _take(self, start: int, end: int) -> list[tuple[int, int]]:
        """The written words up to `end` that have not been given; the last may begin before `start`."""
        written = self._written or []
        first = self._next
        while self._next < len(written) and written[self._next][0] < end:
            self._next += 1
        return written[first : self._next]

    def _silent(self) -> list[WordTiming]:
        """What is written behind the last word."""
        rest = (self._written or [])[self._next :]
        self._next += len(rest)
        return [self._word(span, self._end, self._end) for span in rest]

    def _word(self, span: tuple[int, int], start: float, end: float) -> WordTiming:
        return WordTiming(self._source[span[0] : span[1]], start, max(start, end), *span)


def _to_come(spoken: AlignedText) -> list[int]:
    """For each place in the spoken text, the first of the caller's characters that is yet to be spoken."""
    places = [NOTHING] * (len(spoken.text) + 1)
    for index in range(len(spoken.text) - 1, -1, -1):
        sounds = _SOUND.match(spoken.text, index)
        places[index] = min(places[index + 1], spoken.starts[index] if sounds else NOTHING)
    return places


def _spans(cleaned: AlignedText) -> list[tuple[int, int]]:
    """Where the written words are in the caller's text; those that share characters are one."""
    spans: list[tuple[int, int]] = []
    for match in _WORD.finditer(cleaned.text):
        start, end = cleaned.source(*match.span())
        if spans and start < spans[-1][1]:
            spans[-1] = (min(start, spans[-1][0]), max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _shared(
    spans: Sequence[tuple[int, int]], held: Sequence[WordTiming]
) -> Iterator[tuple[tuple[int, int], Sequence[WordTiming]]]:
    """Spoken words shared out evenly among the written ones that they stand for together."""
    for number, span in enumerate(spans):
        first = number * len(held) // len(spans)
        stop = max(first + 1, (number + 1) * len(held) // len(spans))
        yield span, held[first:stop]
