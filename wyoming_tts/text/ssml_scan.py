"""The tokens of an SSML text, as it arrives: words, references and tags, each with where it stands.

Only a tag is worth waiting for: what cannot be one any more is known at once, in linear time.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

LIMIT = 4096
"""Characters of a tag or a comment; a longer one is an error."""

_GAP_LIMIT = 256
"""Characters between two attribute values, which is more than any name and space need."""
_NAME = r"[^\s\"'<>=/&]++"
_SPECIAL = re.compile(r"[<&]")
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_REFERENCE_PART = re.compile(r"&(?:#[0-9]{0,7}|#[xX][0-9a-fA-F]{0,6}|[A-Za-z][A-Za-z0-9]{0,30})?\Z")
_ANY_REFERENCE = re.compile(rf"{_REFERENCE.pattern}|&")
_TAG_START = re.compile(r"</?[^\W\d]")
_FIRST_GAP = re.compile(rf"</?{_NAME}(?:\s++(?:{_NAME}\s*+(?:=\s*+)?)?)?/?\Z")
_GAP = re.compile(rf"\s*+(?:{_NAME}\s*+(?:=\s*+)?)?/?\Z")
_DELIMITER = re.compile(r"[\"'<>]")
_XML = re.compile(r"<\?xml\s[^<>?]{0,200}+\?>")
_XML_PART = re.compile(r"<(?:\?(?:x(?:m(?:l(?:\s[^<>?]{0,200}+\??)?)?)?)?)?\Z")
_BLANK = "\ufeff \t\r\n"
_COMMENT, _COMMENT_END = "<!--", "-->"
_CDATA, _CDATA_END = "<![CDATA[", "]]>"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text."""

    kind: Literal["text", "stray", "tag", "unspoken", "bad"]
    """`stray` is a character of text that should have been written as a reference, `bad` where SSML ends."""

    start: int
    """Offset in the whole text."""

    source: str
    """The piece as it was sent; of a `bad` one nothing."""

    value: str = ""
    """What a text says; why a token is bad."""


class _MoreText(Exception):
    """Only what comes next can tell what this is."""


class Scanner:
    """Cuts one text into tokens; the pieces it arrives in only change where a text token is cut in two."""

    def __init__(self) -> None:
        """Begin a text."""
        self._buffer = ""
        self._base = 0
        self._index = 0
        self._final = False
        self._raw = False
        self._begun = False
        self._tag = _TagEnd()

    @property
    def offset(self) -> int:
        """Offset in the whole text of what is not yet in a token."""
        return self._base + self._index

    def feed(self, text: str) -> Iterator[Token]:
        """Take the next piece; yields the tokens that are certain with it, none behind a bad one."""
        self._buffer = self._buffer[self._index :] + text
        self._base, self._index = self._base + self._index, 0
        try:
            while self._index < len(self._buffer):
                token = self._cdata(self._index) if self._raw else self._next(self._index)
                self._index += len(token.source)
                self._begun = self._begun or token.kind != "text" or bool(token.value.strip(_BLANK))
                yield token
                if token.kind == "bad":
                    return
        except _MoreText:
            return

    def finish(self) -> Iterator[Token]:
        """The text ends here; yields what is left."""
        self._final = True
        return self.feed("")

    def rest(self, start: int) -> str:
        """What came from an offset in the last piece on."""
        return self._buffer[start - self._base :]

    def _token(self, kind: Literal["text", "stray", "unspoken", "tag"], start: int, end: int) -> Token:
        source = self._buffer[start:end]
        return Token(kind, self._base + start, source, source if kind in ("text", "stray") else "")

    def _bad(self, start: int, why: str) -> Token:
        return Token("bad", self._base + start, "", why)

    def _next(self, index: int) -> Token:
        match = _SPECIAL.search(self._buffer, index)
        special = match.start() if match else len(self._buffer)
        if special > index:
            return self._token("text", index, special)
        if self._buffer[index] == "&":
            return self._reference(index)
        after = self._buffer[index + 1 : index + 2]
        if after == "!":
            return self._declaration(index)
        if after == "?":
            return self._instruction(index)
        return self._tag_or_text(index, after)

    def _reference(self, index: int) -> Token:
        if match := _REFERENCE.match(self._buffer, index):
            said = html.unescape(match[0])
            kind: Literal["text", "stray"] = "stray" if said == match[0] else "text"
            return Token(kind, self._base + index, match[0], said)
        self._wait(bool(_REFERENCE_PART.match(self._buffer, index)))
        return self._token("stray", index, index + 1)

    def _declaration(self, index: int) -> Token:
        if self._buffer.startswith(_CDATA, index):
            self._raw = True
            return self._token("unspoken", index, index + len(_CDATA))
        if self._buffer.startswith(_COMMENT, index):
            return self._comment(index)
        part = self._buffer[index : index + len(_CDATA)]
        self._wait(_COMMENT.startswith(part) or _CDATA.startswith(part))
        return self._bad(index, "declarations such as DOCTYPE are refused")

    def _comment(self, index: int) -> Token:
        end = self._buffer.find(_COMMENT_END, index + len(_COMMENT), index + LIMIT)
        if end >= 0:
            return self._token("unspoken", index, end + len(_COMMENT_END))
        self._wait(len(self._buffer) - index < LIMIT)
        return self._bad(index, "a comment without an end")

    def _instruction(self, index: int) -> Token:
        if not self._begun:
            if match := _XML.match(self._buffer, index):
                return self._token("unspoken", index, match.end())
            self._wait(bool(_XML_PART.match(self._buffer, index)))
        return self._bad(index, "processing instructions are refused")

    def _tag_or_text(self, index: int, after: str) -> Token:
        if not _TAG_START.match(self._buffer, index):
            self._wait(after in ("", "/") and len(self._buffer) - index == 1 + len(after))
            return self._token("stray", index, index + 1)
        end, why = self._tag.find(self._buffer, index)
        if why or end is not None:
            self._tag = _TagEnd()
            return self._bad(index, why) if end is None else self._token("tag", index, end)
        self._wait(True)
        return self._bad(index, "a tag without an end")

    def _cdata(self, index: int) -> Token:
        """Text up to its end or to where that may begin."""
        end = self._buffer.find(_CDATA_END, index)
        if end == index:
            self._raw = False
            return self._token("unspoken", index, index + len(_CDATA_END))
        if end < 0:
            tail = self._buffer[max(index, len(self._buffer) - 2) :]
            held = 0 if self._final else 2 if tail == "]]" else 1 if tail.endswith("]") else 0
            end = len(self._buffer) - held
        if end == index:
            raise _MoreText
        return self._token("text", index, end)

    def _wait(self, more: bool) -> None:
        """Raise _MoreText if more text could make a difference, and there may be more."""
        if more and not self._final:
            raise _MoreText


class _TagEnd:
    """Looks for the end of one tag, and looks at each of its characters once."""

    def __init__(self) -> None:
        self._done = 1
        self._gap = 0
        self._quote = ""

    def find(self, buffer: str, start: int) -> tuple[int | None, str]:
        """Where the tag at `start` ends, if it does, and else what is wrong with it, if anything is."""
        end = self._end(buffer, start)
        if isinstance(end, str):
            return None, end
        if (len(buffer) if end is None else end) - start > LIMIT:
            return None, "a tag that is too long"
        return end, ""

    def _end(self, buffer: str, start: int) -> int | str | None:
        while self._done < len(buffer) - start:
            if self._quote:
                wrong = self._value(buffer, start)
            else:
                found = _DELIMITER.search(buffer, start + self._done)
                if (found.start() if found else len(buffer)) - start - self._gap > _GAP_LIMIT:
                    return "not a tag"
                if found and found[0] == ">":
                    return found.end()
                wrong = self._between(buffer, start, found)
            if wrong:
                return wrong
        return None

    def _value(self, buffer: str, start: int) -> str:
        end = buffer.find(self._quote, start + self._done)
        if buffer.find("<", start + self._done, end if end >= 0 else len(buffer)) >= 0:
            return "a < in the value of an attribute"
        if end >= 0:
            self._quote, self._gap = "", end + 1 - start
        self._done = end + 1 - start if end >= 0 else len(buffer) - start
        return ""

    def _between(self, buffer: str, start: int, found: re.Match[str] | None) -> str:
        """Whether what stands outside of quotes may be part of a tag; "" if so."""
        gap = buffer[start + self._gap : found.start() if found else len(buffer)]
        possible = _GAP if self._gap else _FIRST_GAP
        if not possible.match(gap) or (found and (found[0] == "<" or not gap.rstrip().endswith("="))):
            return "not a tag"
        self._quote = found[0] if found else ""
        self._done = (found.end() if found else len(buffer)) - start
        return ""


def for_xml(tag: str) -> bytes:
    """A tag as an XML parser takes it: HTML's references are resolved, and an `&` may stand for itself."""

    def resolved(match: re.Match[str]) -> str:
        return "".join(f"&#{ord(character)};" for character in html.unescape(match[0]))

    return _ANY_REFERENCE.sub(resolved, tag).encode("utf-8", "replace")
