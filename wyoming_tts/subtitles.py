"""The words of speech, with when they are spoken, as subtitles: SRT and WebVTT."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from wyoming_tts.text.boundaries import NARROW_CLAUSES, STOPS, WIDE_CLAUSES, WIDE_STOPS, is_wide, sentence_end
from wyoming_tts.types import WordTiming

COLUMNS = 42
"""Latin letters in a line at most; a Chinese or Japanese one takes the place of two."""

LONGEST, SHORTEST = 6.0, 0.7
"""Seconds that a cue is shown at most, and at least where there is room."""

PAUSE = 1.5
"""Seconds of silence that no cue goes on over."""

NOTHING, CLAUSE, SENTENCE = range(3)
"""What may end with a word."""

_STOP = re.compile(f"[{STOPS}{WIDE_STOPS}]+")
_CLOSING = "\"'”’»)]}」』）】》〉"
_OPENING = re.compile(r"[(\[{“‘«‹„¿¡「『（【《〈]*\Z")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n|\u2029")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_UNSPOKEN = re.compile(r"<[^<>]*>|[*_~`#|\0]+")
"""Marks of SSML and Markdown between two words: nobody hears them, nobody need read them."""


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown at a time."""

    start: float
    """Seconds from the start of the audio, to the millisecond; not before the end of the cue before."""

    end: float
    """Seconds, after `start`."""

    text: str
    """One line or two with `\\n` between, as in the source; never blank."""

    words: tuple[WordTiming, ...]
    """The words in it."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word with its punctuation."""

    word: WordTiming
    text: str
    spaced: bool
    """Whether a space stands before it."""
    ends: int
    """NOTHING, CLAUSE or SENTENCE."""


class Subtitles:
    """Makes cues of one text while its words are being spoken.

    A word that has nothing to be shown may be left out; every other is in one cue, in order.
    """

    def __init__(self, text: str) -> None:
        """`text` is what the offsets of the words count in."""
        self._text = _LINK.sub(_only_label, text)
        self._pieces: list[_Piece] = []
        self._last: WordTiming | None = None
        self._opening, self._spaced = "", False
        self._begin = self._place = 0
        """Where the last word begins in the text, and where it ends."""
        self._head = 0
        """Where its sentence begins."""
        self._end = 0
        """When the last cue is over, in milliseconds."""

    def feed(self, words: Iterable[WordTiming]) -> list[Cue]:
        """The cues that are finished with these words, which come behind those of the calls before.

        A cue is finished with the word behind it.
        """
        made: list[Cue] = []
        for word in words:
            begin = max(self._place, word.char_start)
            closing, opening, spaced = _divided(self._text[self._place : begin])
            if self._last is not None:
                made += self._add(self._piece(self._last, closing, begin), word.start)
            self._last, self._opening, self._spaced = word, opening, spaced
            self._begin, self._place = begin, max(begin, word.char_end)
        return made

    def finish(self, seconds: float = math.inf) -> list[Cue]:
        """The rest; `seconds` is the length of the audio, behind which nothing is shown."""
        if self._last is None:
            return []
        closing, _, _ = _divided(self._text[self._place :])
        made = self._add(self._piece(self._last, closing, len(self._text)), seconds)
        self._last = None
        return made + self._show(len(self._pieces), seconds)

    def _piece(self, word: WordTiming, closing: str, following: int) -> _Piece:
        """The word that is over; `following` is where the next one begins."""
        shown = _printable(self._opening + self._text[self._begin : self._place] + closing)
        ends = self._ends(shown, following)
        if ends == SENTENCE:
            self._head = following
        return _Piece(word, shown, self._spaced, ends)

    def _ends(self, shown: str, following: int) -> int:
        """What ends in front of `following`."""
        stops = list(_STOP.finditer(self._text, self._begin, following))
        gap = self._text[self._place : following]
        if stops and sentence_end(self._text, self._head, stops[-1].start(), True, False):
            return SENTENCE
        if len(gap.splitlines()) > 1:
            return SENTENCE if _BLANK_LINE.search(gap) else CLAUSE
        last = shown.rstrip(_CLOSING)[-1:]
        narrow = last in NARROW_CLAUSES and any(map(str.isspace, gap))  # not the hyphen inside a word
        return CLAUSE if last and (last in WIDE_CLAUSES or narrow) else NOTHING

    def _add(self, piece: _Piece, following: float) -> list[Cue]:
        """What is finished with one piece more, behind which the next begins at `following` seconds."""
        made: list[Cue] = []
        while self._pieces and not _fits([*self._pieces, piece]):
            pause = piece.word.start - self._pieces[-1].word.end > PAUSE
            count = len(self._pieces) if pause else _best_cut(self._pieces)
            rest = self._pieces[count:]
            made += self._show(count, rest[0].word.start if rest else piece.word.start)
        self._pieces.append(piece)
        if piece.ends == SENTENCE and following - self._pieces[0].word.start >= SHORTEST:
            made += self._show(len(self._pieces), following)
        return made

    def _show(self, count: int, following: float) -> list[Cue]:
        """The first pieces as a cue, over before `following` seconds; nothing if there is nothing to see."""
        pieces, self._pieces = self._pieces[:count], self._pieces[count:]
        text = "\n".join(line for line in _lines(pieces) or () if line)
        if not text:
            return []
        words = tuple(piece.word for piece in pieces)
        start = max(self._end, _milliseconds(words[0].start))
        end = max(_milliseconds(max(word.end for word in words)), start + _milliseconds(SHORTEST))
        if math.isfinite(following):
            end = min(end, _milliseconds(following))
        self._end = max(end, start + 1)  # a cue that takes no time is no cue
        return [Cue(start / 1000, self._end / 1000, text, words)]


def cues(words: Iterable[WordTiming], text: str, seconds: float = math.inf) -> Iterator[Cue]:
    """The cues of a text, each as soon as the word behind it has come; `seconds` is as in `finish`."""
    subtitles = Subtitles(text)
    for word in words:
        yield from subtitles.feed([word])
    yield from subtitles.finish(seconds)


@dataclass(frozen=True, slots=True)
class SubtitleFormat:
    """How cues are written."""

    media_type: str
    """For the `Content-Type`; the text is UTF-8."""

    extension: str
    """Of a file name, with its dot."""

    head: str
    """What the file begins with."""

    write: Callable[[int, Cue], str]
    """The text of a cue with its number, which counts from 1; blank lines are between them."""


def srt_cue(number: int, cue: Cue) -> str:
    """A cue of SRT, which cannot quote: an arrow like the one between times becomes another."""
    text = cue.text.replace("-->", "→")
    return f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{text}\n\n"


def webvtt_cue(number: int, cue: Cue) -> str:
    """A cue of WebVTT."""
    text = cue.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"{number}\n{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{text}\n\n"


SUBTITLE_FORMATS: Mapping[str, SubtitleFormat] = MappingProxyType(
    {
        "srt": SubtitleFormat("application/x-subrip", ".srt", "", srt_cue),
        "vtt": SubtitleFormat("text/vtt", ".vtt", "WEBVTT\n\n", webvtt_cue),
    }
)
"""Names that a request may give -> what they are."""


def written(finished: Iterable[Cue], name: str) -> Iterator[str]:
    """A file of one of `SUBTITLE_FORMATS`, its head first and then cue by cue."""
    kind = SUBTITLE_FORMATS[name]
    yield kind.head
    for number, cue in enumerate(finished, 1):
        yield kind.write(number, cue)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _clock(seconds: float, point: str) -> str:
    """`00:01:02.345`."""
    rest, milliseconds = divmod(_milliseconds(seconds), 1000)
    return f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}{point}{milliseconds:03}"


def _divided(gap: str) -> tuple[str, str, bool]:
    """What stands between two words: what closes the first, what opens the second, and if there is space."""
    marks = _UNSPOKEN.sub("", gap)
    parts = marks.split()
    spaced = any(map(str.isspace, gap))
    if not spaced or not parts:
        opening = _OPENING.search(marks)
        cut = opening.start() if opening else len(marks)
        return _before_words(marks[:cut].strip()), _behind_words(marks[cut:].strip()), spaced
    opens = _behind_words(parts.pop()) if not marks[-1].isspace() else ""
    closes = _before_words(parts.pop(0)) if parts and not marks[0].isspace() else ""
    if any(re.search(r"\w", part) for part in parts):
        parts = []  # code, and else what nobody says, is no subtitle
    return " ".join([closes, *parts]), opens, spaced


def _only_label(link: re.Match[str]) -> str:
    """A link of Markdown with what is not read of it marked as such; as long as it was."""
    begin, end = (link.start(1) - link.start(), link.end() - link.end(1))
    return "\0" * begin + link[1] + "\0" * end


def _before_words(marks: str) -> str:
    return re.split(r"\w", marks, maxsplit=1)[0]


def _behind_words(marks: str) -> str:
    return re.split(r"\w", marks)[-1]


def _printable(text: str) -> str:
    """Text in one line, without control characters."""
    line = " ".join(text.split())
    return "".join(character for character in line if unicodedata.category(character) != "Cc").strip()


def _columns(text: str) -> int:
    """How wide a line is, in Latin letters."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _joined(pieces: Sequence[_Piece]) -> str:
    return "".join(f" {piece.text}" if piece.spaced else piece.text for piece in pieces).strip()


def _fits(pieces: Sequence[_Piece]) -> bool:
    """Whether pieces can be one cue."""
    first, before, last = pieces[0].word, pieces[-2].word, pieces[-1].word
    in_time = last.end - first.start <= LONGEST and last.start - before.end <= PAUSE
    return in_time and _lines(pieces) is not None


def _lines(pieces: Sequence[_Piece]) -> list[str] | None:
    """One line, or two of about the same length, if possible divided at a clause; None for more."""
    whole = _joined(pieces)
    if _columns(whole) <= COLUMNS or len(pieces) == 1:
        return [whole]
    best: tuple[int, list[str]] | None = None
    for cut in range(1, len(pieces)):
        lines = [_joined(pieces[:cut]), _joined(pieces[cut:])]
        first, second = map(_columns, lines)
        if max(first, second) > COLUMNS:
            continue
        cost = abs(first - second) - 12 * min(pieces[cut - 1].ends, CLAUSE) + 30 * (not _parts(pieces, cut))
        if best is None or cost < best[0]:
            best = cost, lines
    return None if best is None else best[1]


def _parts(pieces: Sequence[_Piece], cut: int) -> bool:
    """Whether a line may end in front of a piece: not inside what is written together."""
    before = pieces[cut - 1].text
    return pieces[cut].spaced or not before or is_wide(before[-1])


def _best_cut(pieces: Sequence[_Piece]) -> int:
    """How many pieces go into a cue that no other fits into: to the end of a sentence, or a clause."""
    long_enough = _columns(_joined(pieces)) / 3
    cuts = [cut for cut in range(1, len(pieces)) if _parts(pieces, cut)] + [len(pieces)]
    sensible = [cut for cut in cuts if _columns(_joined(pieces[:cut])) >= long_enough]
    return max(sensible, key=lambda cut: (pieces[cut - 1].ends, cut))
