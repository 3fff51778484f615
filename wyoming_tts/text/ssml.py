"""SSML as it arrives, to runs of text that are spoken in one style each.

Expat judges the tags, and is given nothing else: no declaration reaches it, nothing is expanded or
fetched. Text that is no SSML any more is spoken from there on as the text that it is.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal
from xml.parsers import expat

from wyoming_tts.text.aligned import AlignedText, Kind
from wyoming_tts.text.ssml_runs import Boundary, Run, Runs, joined, spanning
from wyoming_tts.text.ssml_scan import LIMIT, Scanner, Token, for_xml
from wyoming_tts.text.ssml_strip import SsmlStripper
from wyoming_tts.text.ssml_style import Style, attributes_of, pause_of, said_as, styled

__all__ = ["Boundary", "Run", "SsmlReader", "Style"]

DEEPEST = 32
"""Elements inside each other."""

MOST_ATTRIBUTES = 16
"""Attributes of one element."""

LONGEST_VALUE = 1024
"""Characters of an attribute's value."""

_LOGGER = logging.getLogger(__name__)
_BOUNDARIES: dict[str, Boundary] = {
    "speak": "sentence",
    "s": "sentence",
    "sentence": "sentence",
    "br": "sentence",
    "li": "sentence",
    "div": "sentence",
    "p": "paragraph",
    "paragraph": "paragraph",
}
_DOCUMENT = frozenset(["speak", "p", "s"])
_UNSPOKEN = frozenset(["desc", "metadata", "meta", "lexicon"])


class _BadSsml(Exception):
    """Why this is no SSML that is obeyed; says nothing of the text itself."""


class SsmlReader:
    """Reads one text, which may arrive in any pieces; raises nothing, loses nothing, says nothing twice.

    From the first error on, words are taken without their tags, in the style of the document; the log
    says so. What an element that is read as a whole (`sub`, `say-as`, `phoneme`) holds waits for its end.
    """

    def __init__(self) -> None:
        """Begin a text."""
        self._scanner = Scanner()
        self._tags = _Tags()
        self._runs = Runs()
        self._styles = [Style()]
        self._held: _Held | None = None
        self._rest: _Rest | None = None
        self._base = Style()
        self._place = _Place()

    def feed(self, text: str) -> list[Run]:
        """Take the next piece; returns the runs that are certain with it."""
        if self._rest:
            self._runs.add(self._rest.feed(text), self._base)
        else:
            self._read(self._scanner.feed(text))
        return self._runs.take()

    def finish(self) -> list[Run]:
        """The text ends here; returns what is left."""
        if not self._rest:
            self._read(self._scanner.finish())
        if not self._rest and len(self._styles) > 1:
            self._fail("an element without an end", self._scanner.offset)
        if self._rest:
            self._runs.add(self._rest.finish(), self._base)
        return self._runs.take()

    def _read(self, tokens: Iterator[Token]) -> None:
        for token in tokens:
            try:
                self._take(token)
            except _BadSsml as error:
                self._fail(str(error), token.start)
                return
            self._place.go_on(token)

    def _take(self, token: Token) -> None:
        if token.kind == "bad":
            raise _BadSsml(token.value)
        if token.kind == "stray":
            self._place.warn_of_stray()
        held = self._held
        if held:
            held.check(token)
        if token.kind == "tag":
            self._element(token)
        elif not held and token.kind != "unspoken":
            self._runs.add(_aligned(token), self._styles[-1])
        if held and held is self._held:
            held.add(token)

    def _element(self, token: Token) -> None:
        for name, attributes in self._tags.read(token.source):
            if attributes is None:
                self._close(name, token)
            else:
                self._open(name, attributes, token)

    def _open(self, name: str, attributes: dict[str, str], token: Token) -> None:
        if len(self._styles) > DEEPEST:
            raise _BadSsml(f"more than {DEEPEST} elements inside each other")
        style = self._styles[-1]
        if not self._held:
            style = styled(style, name, attributes)
            self._act(name, attributes, style, token)
            self._held = _held(name, attributes, style, token, len(self._styles))
        self._styles.append(style)

    def _act(self, name: str, attributes: dict[str, str], style: Style, token: Token) -> None:
        if name == "speak" and len(self._styles) == 1:
            self._base = style
        self._runs.layout = self._runs.layout or name in _DOCUMENT
        if name == "break":
            self._break(pause_of(attributes), style, token)
        self._runs.end(_BOUNDARIES.get(name, "none"))

    def _break(self, seconds: float, style: Style, token: Token) -> None:
        """Silence, or at least two words instead of one."""
        if seconds:
            self._runs.pause(seconds)
        else:
            self._runs.add(spanning(" ", token.start, token.start + len(token.source)), style)

    def _close(self, name: str, token: Token) -> None:
        self._styles.pop()
        held = self._held
        if held and held.depth == len(self._styles):
            self._held = None
            self._runs.add(held.text(token.start + len(token.source)), held.style)
        elif not held:
            self._runs.end(_BOUNDARIES.get(name, "none"))

    def _fail(self, why: str, start: int) -> None:
        """From `start` on, and from where an element begins that was held, there is only text."""
        _LOGGER.warning(
            "SSML is not understood from %s on (%s): the rest is spoken without its tags",
            str(self._place),
            why,
        )
        held, self._held = self._held, None
        before = "".join(held.sources) if held else ""
        self._rest = _Rest(start - len(before), self._runs.layout, self._runs.midway)
        self._runs.layout = False
        self._runs.add(self._rest.feed(before + self._scanner.rest(start)), self._base)


class _Tags:
    """Expat, which is told of nothing but tags."""

    def __init__(self) -> None:
        self._events: list[tuple[str, dict[str, str] | None]] = []
        events = self._events
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = lambda name, attributes: events.append((name, attributes))
        self._parser.EndElementHandler = lambda name: events.append((name, None))
        self._parser.Parse(b"<text>", False)  # a document without one element around it is one, too
        events.clear()

    def read(self, tag: str) -> list[tuple[str, dict[str, str] | None]]:
        """Elements a tag opens, with their attributes, and closes, without. Raises _BadSsml."""
        self._events.clear()
        try:
            self._parser.Parse(for_xml(tag), False)
        except expat.ExpatError as error:
            raise _BadSsml(expat.errors.messages[error.code]) from None
        return [(_plain(name), self._bounded(attributes)) for name, attributes in self._events]

    def _bounded(self, attributes: dict[str, str] | None) -> dict[str, str] | None:
        if attributes is None:
            return None
        if len(attributes) > MOST_ATTRIBUTES:
            raise _BadSsml(f"more than {MOST_ATTRIBUTES} attributes")
        if any(len(value) > LONGEST_VALUE for value in attributes.values()):
            raise _BadSsml(f"an attribute of more than {LONGEST_VALUE} characters")
        return attributes_of(attributes)


def _plain(name: str) -> str:
    return name.rpartition(":")[2].lower()


@dataclass(slots=True)
class _Held:
    """An element whose words wait for its end; what is inside it is words and nothing else."""

    what: Kind | Literal["sub", "unspoken"]
    value: str
    style: Style
    start: int
    depth: int
    sources: list[str]
    pieces: list[AlignedText] = field(default_factory=list)
    size: int = 0

    def check(self, token: Token) -> None:
        """Raise _BadSsml if a token more is too much."""
        if self.size + len(token.source) > LIMIT:
            raise _BadSsml(f"more than {LIMIT} characters in an element that is read as a whole")

    def add(self, token: Token) -> None:
        """Take what is inside."""
        self.size += len(token.source)
        self.sources.append(token.source)
        if token.kind in ("text", "stray"):
            self.pieces.append(_aligned(token))

    def text(self, end: int) -> AlignedText:
        """What is to be said of it, now that it ends at an offset of the document."""
        if self.what == "unspoken":
            return AlignedText.of("")
        text = joined(self.pieces)
        first = len(text) - len(text.text.lstrip())
        last = len(text.text.rstrip())
        if self.what == "sub":
            words = text.source(first, last) if first < last else (self.start, end)
            return spanning(self.value, *words)
        if first < last:
            return text.marked(first, last, self.what, self.value)
        if self.what != "phonemes":
            return text
        return spanning(self.value, self.start, end).marked(0, len(self.value), self.what, self.value)


def _held(name: str, attributes: dict[str, str], style: Style, token: Token, depth: int) -> _Held | None:
    """What is to be done with an element as a whole, if anything is."""
    if name in _UNSPOKEN:
        return _Held("unspoken", "", style, token.start, depth, [token.source])
    if name == "sub" and "alias" in attributes:
        return _Held("sub", attributes["alias"], style, token.start, depth, [token.source])
    if name == "phoneme" and attributes.get("ph") and attributes.get("alphabet", "ipa").lower() == "ipa":
        return _Held("phonemes", attributes["ph"], style, token.start, depth, [token.source])
    if name == "say-as" and (kind := said_as(attributes)):
        return _Held(kind[0], kind[1], style, token.start, depth, [token.source])
    return None


class _Rest:
    """The words of what is left, without tags, each with where it was."""

    def __init__(self, start: int, document: bool, midway: bool) -> None:
        """Go on at an offset, maybe inside a document, and maybe in the middle of a sentence."""
        self._stripper = _Recorder()
        self._stripper.feed(("<speak>" if document else "") + ("-" if midway else ""))
        self._stripper.bits.clear()
        self._offset = start

    def feed(self, text: str) -> AlignedText:
        """Take the next piece; returns the words that are certain with it."""
        self._stripper.feed(text)
        return self._taken()

    def finish(self) -> AlignedText:
        """The text ends here; returns what is left."""
        self._stripper.finish()
        return self._taken()

    def _taken(self) -> AlignedText:
        pieces = []
        for plain, length, literal in self._stripper.bits:
            end = self._offset + length
            of = AlignedText.of(plain, self._offset) if literal else spanning(plain, self._offset, end)
            pieces.append(of)
            self._offset = end
        self._stripper.bits.clear()
        return joined(pieces)


class _Recorder(SsmlStripper):
    """Keeps how many characters each bit of plain text stands for, and whether it begins with them."""

    def __init__(self) -> None:
        super().__init__()
        self.bits: list[tuple[str, int, bool]] = []

    def _next(self, index: int) -> tuple[str, int]:
        plain, end = super()._next(index)
        literal = self._buffer[index] not in "<&" or plain == self._buffer[index:end]
        self.bits.append((plain, end - index, literal))
        return plain, end

    def _raw_text(self, index: int) -> tuple[str, int]:
        plain, end = super()._raw_text(index)
        self.bits.append((plain, end - index, True))
        return plain, end


class _Place:
    """Where in the document the next token is, for a person."""

    def __init__(self) -> None:
        self._line = 1
        self._offset = 0
        self._line_start = 0
        self._warned = False

    def __str__(self) -> str:
        return f"line {self._line}, column {self._offset - self._line_start + 1}"

    def go_on(self, token: Token) -> None:
        """Behind a token."""
        if lines := token.source.count("\n"):
            self._line += lines
            self._line_start = token.start + token.source.rfind("\n") + 1
        self._offset = token.start + len(token.source)

    def warn_of_stray(self) -> None:
        """Say once that a character should not stand here as it is."""
        if not self._warned:
            self._warned = True
            _LOGGER.warning("SSML has a bare & or < at %s: it is spoken; write &amp; or &lt;", str(self))


def _aligned(token: Token) -> AlignedText:
    if token.value == token.source:
        return AlignedText.of(token.value, token.start)
    return spanning(token.value, token.start, token.start + len(token.source))
