"""A stream of text becomes sentences: each is released as soon as it is sure where it ends.

How a text is divided never depends on the pieces it arrived in (`flush` apart), costs time in
proportion to its length, and holds back a few hundred characters at most, a code block apart.

What is held back until more is known: `21.` (a decimal?), `Dr.`, an open `**` or backtick, `<tag`.

Fenced code is noise to the ear: it is left out, unless nothing else was said by the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, TypedDict

from wyoming_tts.text import boundaries, spans
from wyoming_tts.text.boundaries import MoreText, peek, spoken_length

Kind = Literal["clause", "sentence", "paragraph"]

FIRST_CLAUSE = 24
"""A clause this long (in Latin letters; ten Han characters) goes ahead of the rest of its sentence."""

SHORT_SENTENCE = 25
"""While audio is queued, a sentence shorter than this waits for the next one on its line and goes with it."""

SHORTEST_REST = 10
"""No sentence is cut so that less than this is left over."""

CODE_BLOCK_LIMIT = 4096
"""Characters of a fenced code block that are kept in one piece."""

_MARKS = re.compile(
    f"[{boundaries.STOPS}{boundaries.WIDE_STOPS}{boundaries.NEWLINES}{boundaries.WIDE_CLAUSES}"
    f"{re.escape(boundaries.NARROW_CLAUSES)}`*_~<\\[]"
)
_CLAUSES = frozenset(boundaries.NARROW_CLAUSES + boundaries.WIDE_CLAUSES)


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of text to be spoken in one go."""

    text: str
    """The text from `start` to `end`, without space around it."""

    start: int
    """Offset of its first character in the text that was fed, in code points."""

    end: int
    """Offset behind its last character."""

    kind: Kind
    """What it ends with: a `clause` (the sentence goes on), a `sentence` or a `paragraph`."""


class _Options(TypedDict):
    """How a splitter was made."""

    first_limit: int
    limit: int
    first_clause: bool


class Splitter:
    """Divides one text, which may arrive in any pieces, into segments worth speaking one by one.

    The sooner the first segment ends, the sooner a listener hears something: it may be a clause and
    is at most `first_limit` long. One that is over in a moment ("Sure!") leaves the next one in its
    place. The segment after it is at most half-way between the limits, as the listener has little
    audio in store by then; all others are whole sentences of up to `limit`.

    `queued` is the caller's to set: whether the listener still has audio to hear. Short sentences then
    wait to be joined to the next one, as they sound better together; when it is False again, the
    next call releases them.
    """

    def __init__(self, *, first_limit: int = 80, limit: int = 220, first_clause: bool = True) -> None:
        """Lengths are what the ear counts, in Latin letters: a digit or Han character counts for more.

        Raises ValueError unless 3 * SHORTEST_REST <= first_limit <= limit.
        """
        if not 3 * SHORTEST_REST <= first_limit <= limit:
            raise ValueError(f"limits must rise from {3 * SHORTEST_REST}: {first_limit}, {limit}")
        self._limits = (first_limit, (first_limit + limit) // 2, limit)
        self._first_clause = first_clause
        self._stage = 0
        self._heard = 0.0
        self._buffer = ""
        self._offset = 0
        self._options = _Options(first_limit=first_limit, limit=limit, first_clause=first_clause)
        self.queued = False
        self._code: list[Segment] = []
        self._spoken = False
        self._final = False
        self._fence = ""
        self._fresh = True
        self._start_at(0)

    @property
    def pending(self) -> bool:
        """Whether text is held back that is not only space."""
        return bool(self._buffer) and not self._buffer.isspace()

    def feed(self, text: str) -> list[Segment]:
        """Take the next piece of the text; returns the segments that are complete with it."""
        self._buffer += text
        return self._release()

    def flush(self) -> list[Segment]:
        """Release what ends in a stop, as nothing has come for a while; the rest is kept.

        A number with a full stop is kept too: its decimals may follow.
        """
        segments = self._release()
        held = self._buffer[self._head :]
        opened = self._buffer[self._scan : self._scan + 1] in spans.OPENERS
        if self._fence or opened or not held.strip() or not boundaries.stop_is_sure(held):
            return segments
        return segments + self._release_all()

    def finish(self) -> list[Segment]:
        """The text ends here; returns all that is left of it."""
        segments = self._release_all()
        code, self._code = self._code, []
        if not self._spoken:
            for block in code:
                segments += self._lines_of(block)
        return segments

    def _release_all(self) -> list[Segment]:
        self._final = True
        try:
            return self._release()
        finally:
            self._final = False

    def _release(self) -> list[Segment]:
        segments = []
        try:
            while self._skip_space():
                if self._in_fence():
                    self._take_code(self._fence_end())
                else:
                    segments += self._take(*self._next_end())
        except MoreText:
            pass
        self._forget()
        return segments

    def _skip_space(self) -> bool:
        """Move an untouched head to the next segment's first character; False at the end of the buffer."""
        if self._scan == self._head:
            head = self._head
            while self._buffer[head : head + 1].isspace():
                head += 1
            self._start_at(head)
        return self._head < len(self._buffer)

    def _start_at(self, head: int) -> None:
        self._head = self._scan = head
        self._joined = 0
        self._length = 0.0
        self._spans: list[tuple[int, int]] = []
        self._clause: tuple[int, float] | None = None

    def _take(self, end: int, kind: Kind) -> list[Segment]:
        segment = self._segment(end, kind)
        self._note_heard(segment.text)
        self._fresh = kind != "clause"
        self._start_at(end)
        if not self._code:
            return [segment]
        self._code.append(segment)  # says nothing: it keeps its place behind the code
        return []

    def _take_code(self, end: int) -> None:
        """Keep a code block for the case that nothing else is said."""
        if not self._spoken:
            self._code.append(self._segment(end, "paragraph"))
        self._fresh = True
        self._start_at(end)

    def _segment(self, end: int, kind: Kind) -> Segment:
        text = self._buffer[self._head : end].rstrip()
        start = self._offset + self._head
        return Segment(text, start, start + len(text), kind)

    def _lines_of(self, block: Segment) -> list[Segment]:
        """What is between the fences of a code block, divided like any text."""
        splitter, (start, end) = Splitter(**self._options), spans.inside_fences(block.text)
        offset = block.start + start
        return [
            replace(line, start=line.start + offset, end=line.end + offset)
            for line in [*splitter.feed(block.text[start:end]), *splitter.finish()]
        ]

    def _note_heard(self, text: str) -> None:
        if not re.search(r"\w", text):
            return
        self._spoken = True
        self._code.clear()
        self._heard += spoken_length(text, 0, len(text))
        if self._stage or self._heard >= FIRST_CLAUSE:
            self._stage = min(self._stage + 1, 2)

    def _forget(self) -> None:
        """Drop what has been released."""
        dropped, self._head = self._head, 0
        self._buffer = self._buffer[dropped:]
        self._offset += dropped
        self._scan -= dropped
        self._joined = max(self._joined - dropped, 0)
        self._spans = [(start - dropped, end - dropped) for start, end in self._spans]
        if self._clause:
            self._clause = (self._clause[0] - dropped, self._clause[1])

    @property
    def _protected(self) -> int:
        """The end of the last emphasis, code, tag or link that was seen."""
        return self._spans[-1][1] if self._spans else 0

    def _next_end(self) -> tuple[int, Kind]:
        """Where the segment at the head ends, and how; raises MoreText."""
        while True:
            if self._joined and not self.queued:
                return self._joined, "sentence"
            mark = self._next_mark()
            if cut := self._move_to(mark):
                return self._cut_at(cut)
            if mark == len(self._buffer):
                peek(self._buffer, mark, self._final)
                return mark, "sentence"
            position, kind = self._judge(mark)
            if kind == "sentence" and self._waits_for_next(position):
                self._joined = position
            elif kind:
                return position, kind
            if cut := self._move_to(position):
                return self._cut_at(cut)

    def _cut_at(self, index: int) -> tuple[int, Kind]:
        return (index, "sentence") if index == self._joined else (index, "clause")

    @property
    def _sentence(self) -> int:
        """Where the sentence that is looked at begins: behind the head if short ones wait there."""
        return self._joined or self._head

    def _waits_for_next(self, end: int) -> bool:
        """Whether the sentence that ends at `end` is joined to the next one on its line; raises MoreText."""
        if not self.queued or not self._stage:
            return False
        if self._length + spoken_length(self._buffer, self._scan, end) >= SHORT_SENTENCE:
            return False
        following = boundaries.next_character(self._buffer, end, self._final)
        return bool(following) and not following.isspace() and following not in "`~"

    def _in_fence(self) -> bool:
        """Whether the head is in a code block; raises MoreText."""
        return bool(self._fence) or (
            self._scan == self._head and spans.opens_fence(self._buffer, self._head, self._final)
        )

    def _next_mark(self) -> int:
        # No farther than the limit lets the scan go: else a long text without marks is searched many times.
        end = min(len(self._buffer), self._scan + self._limits[2] + 2)
        match = _MARKS.search(self._buffer, self._scan, end)
        return match.start() if match else end

    def _move_to(self, index: int) -> int:
        """Move the scan to `index`; returns where the segment must be cut on the way, or 0."""
        length = self._length + spoken_length(self._buffer, self._scan, index)
        if self._clause and length >= self._clause[1] + SHORTEST_REST:
            return self._clause[0]
        if length > self._limits[self._stage]:
            return self._joined or self._cut()
        self._scan, self._length = index, length
        return 0

    def _cut(self) -> int:
        """Where to cut the segment at the head, which is over its limit."""
        limit, head = self._limits[self._stage], self._head
        text = self._buffer[head : head + limit + 1]
        text = text[: boundaries.index_over(text, 0, limit)]
        floor = boundaries.index_over(text, 0, limit * 0.4)
        ceiling = max(floor, boundaries.index_over(text, 0, limit - SHORTEST_REST) - 1)
        spans = [(start - head, end - head) for start, end in self._spans]
        crossed = [end for start, end in spans if start < len(text) < end <= self._limits[2]]
        if crossed:
            text = self._buffer[head : head + crossed[0]]
        return head + boundaries.best_cut(text, floor, ceiling, spans)

    def _judge(self, index: int) -> tuple[int, Kind | None]:
        """Look at the mark at `index`: the end of the segment and its kind, or where to go on and None."""
        mark = self._buffer[index]
        if mark in boundaries.NEWLINES:
            return self._judge_newline(index)
        if mark in spans.OPENERS:
            return self._judge_span(index)
        if mark == ":" and (end := self._address_end(index)):
            return end, None
        if mark in _CLAUSES:
            return self._judge_clause(index), None
        return self._judge_stop(index)

    def _judge_newline(self, index: int) -> tuple[int, Kind | None]:
        if boundaries.is_list_mark(self._buffer[self._sentence : index].strip()):
            return index + 1, None
        return index, self._pause(index)

    def _judge_stop(self, index: int) -> tuple[int, Kind | None]:
        buffer, head = self._buffer, self._sentence
        in_row = self._fresh and buffer[self._head] == "|"  # a table's row is said in one go
        end = 0 if in_row else boundaries.sentence_end(buffer, head, index, self._final, self._fresh)
        if end and end >= self._protected and re.search(r"\w", buffer[head:end]):
            return end, self._pause(end)
        return boundaries.stop_run_end(self._buffer, index), None

    def _pause(self, end: int) -> Kind:
        blank = boundaries.pause_kind(self._buffer, end, self._final)
        return "paragraph" if blank == "paragraph" else "sentence"

    def _judge_clause(self, index: int) -> int:
        if not self._first_clause or self._stage or self._clause:
            return index + 1
        end = (
            0
            if self._buffer[index] == ";" and spans.ends_entity(self._buffer, self._head, index)
            else self._clause_end(index)
        )
        if end:
            length = self._length + spoken_length(self._buffer, index, end)
            if FIRST_CLAUSE <= length <= self._limits[0] - SHORTEST_REST:
                self._clause = (end, length)
        return end or index + 1

    def _clause_end(self, index: int) -> int:
        """The end of the clause whose mark is at `index`; 0 if none ends there."""
        buffer, end = self._buffer, index + 1
        mark, following = buffer[index], peek(buffer, end, self._final)
        if mark in ",;:" and following and following in "\"'”’»":
            end += 1
            following = peek(buffer, end, self._final)
        spaced = following.isspace()
        if spaced:
            peek(buffer, end + 1, self._final)
        if boundaries.between_digits(buffer, index, end + spaced, self._head):
            return 0
        if mark in "-–":
            spaced = spaced and index > self._head and buffer[index - 1].isspace()
        return end if spaced or mark in boundaries.WIDE_CLAUSES or mark == "—" else 0

    def _judge_span(self, index: int) -> tuple[int, Kind | None]:
        """Step over emphasis, code, a tag or a link that opens at `index`; nothing is cut inside."""
        buffer, mark = self._buffer, self._buffer[index]
        before = buffer[index - 1] if index > self._head else " "
        if (
            index < self._protected
            or before == mark
            or (mark in "*_~" and before.isalnum() and not boundaries.is_wide(before))
        ):
            return index + 1, None
        if mark == "`" and index > self._head and spans.opens_fence(buffer, index, self._final):
            return index, "sentence"
        end, stop = spans.span_end(buffer, index, self._final)
        if not end:
            return index + 1, None
        self._spans.append((index, end))
        return stop or end, None

    def _address_end(self, index: int) -> int:
        """The end of the URL whose `://` is at `index`, without marks behind it; 0 if there is none."""
        address = spans.address(self._buffer, self._head, index, self._final)
        if not address:
            return 0
        self._spans.append(address)
        return address[1]

    def _fence_end(self) -> int:
        """The end of the code block at the head, or of as much of it as is kept in one piece."""
        buffer, head = self._buffer, self._head
        limit = head + CODE_BLOCK_LIMIT
        only_closing = bool(self._fence) and self._scan == head
        mark = self._fence or buffer[head]
        if close := spans.fence_close(buffer, head, self._scan, limit, mark, only_closing):
            peek(buffer, close, self._final)
            self._fence = ""
            return close
        self._fence = mark
        if len(buffer) >= limit + spans.FENCE_CLOSE_LENGTH:
            return max(buffer.rfind("\n", head + CODE_BLOCK_LIMIT // 2, limit), 0) or limit
        self._scan = max(self._scan, len(buffer) - spans.FENCE_CLOSE_LENGTH, head + 1)
        peek(buffer, len(buffer), self._final)
        self._fence = ""
        return len(buffer)
