"""SSML to plain text, as it arrives: tags go, entities are decoded, breaks become line ends.

No XML parser is involved: nothing is expanded, nothing is fetched, nothing is ever refused. What is
not well-formed is spoken as the text that it is.
"""

from __future__ import annotations

import html
import re

HELD_BACK = 4096
"""Characters of an unfinished tag that are waited for; what is unfinished then is text."""

_NAME = r"[A-Za-z_][\w:.-]*+"
_BARE = r"[^\s\"'<>=/]++"
_ATTRIBUTE = rf"\s++{_NAME}\s*+=\s*+(?:\"[^\"<]*+\"|'[^'<]*+'|{_BARE})"
_TAG = re.compile(rf"</?({_NAME})((?:{_ATTRIBUTE})*+)\s*+/?>")
_TAG_PART = re.compile(
    rf"</?(?:{_NAME}(?:{_ATTRIBUTE})*+(?:\s*+/?|\s++(?:{_NAME}\s*+(?:=\s*+(?:\"[^\"<]*+|'[^'<]*+)?)?)?))?\Z"
)
_OTHER = (
    (re.compile(r"<!--"), re.compile(r"-->")),
    (re.compile(r"<\?"), re.compile(r"\?>")),
    (re.compile(r"<![A-Za-z][^<>\[]*+\["), re.compile(r"\]\s*>")),
    (re.compile(r"<![A-Za-z](?=[^<>\[]*+>)"), re.compile(r">")),
)
"""How comments, processing instructions and declarations begin and end; they are never spoken."""
_OTHER_PART = re.compile(r"<!(?:-|[A-Za-z][^<>\[]*+)?\Z|<\Z")
_CDATA = "<![CDATA["
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_ENTITY_PART = re.compile(r"&(?:#[0-9]{0,7}|#[xX][0-9a-fA-F]{0,6}|[A-Za-z][A-Za-z0-9]{0,30})?\Z")
_SPECIAL = re.compile(r"[<&]")
_SUB_END = re.compile(r"</sub\s*>")
_ALIAS = re.compile(r"\salias\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_HARDLY_A_BREAK = re.compile(r"strength\s*=\s*[\"']?(?:none|x-weak|weak)\b")
_LINE_ENDS = {"p": 2, "s": 1, "break": 1, "speak": 1, "br": 1, "li": 1, "div": 1}
_DOCUMENT = frozenset({"speak", "p", "s"})
_LAYOUT = str.maketrans(dict.fromkeys("\n\r\v\f\x85\u2028\u2029", " "))


class _MoreText(Exception):
    """Only what comes next can tell what this is."""


def strip_ssml(text: str) -> str:
    """The words of an SSML document, or of what was meant to be one; never raises."""
    stripper = SsmlStripper()
    return stripper.feed(text) + stripper.finish()


class SsmlStripper:
    """Strips the SSML of one text, which may arrive in any pieces; they do not change the result.

    Inside a document (once a `speak`, `p` or `s` tag was seen) line breaks of the source are mere
    layout; the end of a sentence, a paragraph or a break gives a new line.
    """

    def __init__(self) -> None:
        """Begin a text."""
        self._buffer = ""
        self._final = False
        self._document = False
        self._raw = False
        self._line_ends = 2

    def feed(self, text: str) -> str:
        """Take the next piece; returns the plain text that is certain with it."""
        self._buffer += text
        return self._convert()

    def finish(self) -> str:
        """The text ends here; returns what is left, an unfinished tag as the text it is."""
        self._final = True
        return self._convert()

    def _convert(self) -> str:
        parts: list[str] = []
        index = 0
        try:
            while index < len(self._buffer):
                plain, index = self._raw_text(index) if self._raw else self._next(index)
                parts.append(plain)
                if plain and not plain.isspace():
                    self._line_ends = 0
        except _MoreText as held:
            index = held.args[0]
        self._buffer = self._buffer[index:]
        return "".join(parts)

    def _next(self, index: int) -> tuple[str, int]:
        """Plain text for what stands at `index`, and where to go on."""
        match = _SPECIAL.search(self._buffer, index)
        special = match.start() if match else len(self._buffer)
        if special > index:
            return self._layout(self._buffer[index:special]), special
        return self._entity(index) if self._buffer[index] == "&" else self._markup(index)

    def _layout(self, text: str) -> str:
        return text.translate(_LAYOUT) if self._document else text

    def _entity(self, index: int) -> tuple[str, int]:
        if match := _ENTITY.match(self._buffer, index):
            return html.unescape(match[0]), match.end()
        if not self._final and _ENTITY_PART.match(self._buffer, index):
            raise _MoreText(index)
        return "&", index + 1

    def _markup(self, index: int) -> tuple[str, int]:
        limit = index + HELD_BACK
        if match := _TAG.match(self._buffer, index, limit):
            return self._tag(match, limit)
        if self._buffer.startswith(_CDATA, index):
            self._raw = True
            return "", index + len(_CDATA)
        for start, end in _OTHER:
            if match := start.match(self._buffer, index, limit):
                return self._unspoken(match.end(), end, index)
        parts = (_TAG_PART.match(self._buffer, index), _OTHER_PART.match(self._buffer, index))
        if any(parts) or _CDATA.startswith(self._buffer[index : index + len(_CDATA)]):
            self._wait(index)
        return "<", index + 1

    def _wait(self, index: int) -> None:
        """Raise _MoreText while what begins at `index` may still turn out to be markup."""
        if not self._final and len(self._buffer) < index + HELD_BACK:
            raise _MoreText(index)

    def _unspoken(self, begun: int, end: re.Pattern[str], index: int) -> tuple[str, int]:
        if match := end.search(self._buffer, begun, index + HELD_BACK):
            return "", match.end()
        self._wait(index)
        return "<", index + 1

    def _tag(self, match: re.Match[str], limit: int) -> tuple[str, int]:
        name = match[1].lower().rpartition(":")[2]
        self._document = self._document or name in _DOCUMENT
        alias = _ALIAS.search(match[2]) if name == "sub" else None
        if alias:
            return self._substitute(match, html.unescape(alias[1] or alias[2] or ""), limit)
        if name == "break" and _HARDLY_A_BREAK.search(match[2]):
            return " ", match.end()
        return self._line_end(_LINE_ENDS.get(name, 0)), match.end()

    def _line_end(self, wanted: int) -> str:
        """Line ends, as many as are missing behind the last word; none before the first one."""
        missing = max(0, wanted - self._line_ends)
        self._line_ends += missing
        return "\n" * missing

    def _substitute(self, match: re.Match[str], alias: str, limit: int) -> tuple[str, int]:
        """The alias in place of what the `sub` element holds, if it is closed in time."""
        if end := _SUB_END.search(self._buffer, match.end(), limit):
            return self._layout(alias), end.end()
        self._wait(match.start())
        return "", match.end()

    def _raw_text(self, index: int) -> tuple[str, int]:
        """Text inside CDATA, up to its end or to where that may begin."""
        end = self._buffer.find("]]>", index)
        if end >= 0:
            self._raw = False
            return self._layout(self._buffer[index:end]), end + 3
        held = (
            0 if self._final else 2 if self._buffer.endswith("]]") else 1 if self._buffer.endswith("]") else 0
        )
        end = len(self._buffer) - held
        if end <= index:
            raise _MoreText(index)
        return self._layout(self._buffer[index:end]), end
