"""Stretches of raw text in which nothing is cut: emphasis, code, tags, links, addresses, fenced blocks.

Every function takes `final`: whether the text is known to end here. If it is not, and more text
would decide, MoreText is raised.
"""

from __future__ import annotations

import re

from wyoming_tts.text import boundaries
from wyoming_tts.text.boundaries import MoreText

_EMPHASIS = (
    re.compile(r"(\*{1,3}|_{1,2}|~~)(?=[^\s*_~])[^\n]{0,120}?(?<=[^\s*_~])\1"),
    re.compile(r"(?:\*{1,3}|_{1,2}|~{1,2}|(?:\*{1,3}|_{1,2}|~~)[^\s*_~][^\n]{0,121})\Z"),
)
_CODE = (re.compile(r"(`{1,3})[^`\n]{1,120}\1"), re.compile(r"`{1,3}(?:[^`\n]{1,120}`{0,2})?\Z"))
_TAG = (
    re.compile(r"<[/!?]?[A-Za-z][\w:-]{0,30}(?:[ \t/][^<>\n]{0,200})?>|<!--[^\n]{0,200}?-->"),
    re.compile(r"<(?:!-(?:-[^\n]{0,202})?|[/!?])?(?:[A-Za-z][\w:-]{0,30}(?:[ \t/][^<>\n]{0,200})?)?\Z"),
)
_LINK = (
    re.compile(r"\[[^\]\n]{1,120}\](?:\([^)\n]{1,240}\)|\[[^\]\n]{0,80}\])"),
    re.compile(r"\[(?:[^\]\n]{0,120}|[^\]\n]{1,120}\](?:\([^)\n]{0,240}|\[[^\]\n]{0,80})?)\Z"),
)
_SPANS = {"*": _EMPHASIS, "_": _EMPHASIS, "~": _EMPHASIS, "`": _CODE, "<": _TAG, "[": _LINK}
OPENERS = frozenset(_SPANS)
"""Characters that may open a stretch."""

_EMPHASISED_STOP = re.compile(rf"[{boundaries.STOPS}{boundaries.WIDE_STOPS}]+[\"'”’»)]*[*_~]{{1,3}}\Z")

_ADDRESS = re.compile(r"://[!-~]{0,200}?(?=[.,;:!?\"')\]}*_]{0,8}(?:[^!-~]|\Z))")
_ADDRESS_PART = re.compile(r":(?:/(?:/[!-~]{0,208})?)?\Z")

_ENTITY_BEFORE = re.compile(r"&#?[A-Za-z0-9]{2,10}\Z")

_FENCE = re.compile(r"(`{3,8}|~{3,8})[^`\n]{0,80}\n")
_FENCE_PART = re.compile(r"(?:`{1,8}|~{1,8}|(?:`{3,8}|~{3,8})[^`\n]{1,80})\Z")
_FENCE_CLOSE = {"`": re.compile(r"\n[ \t]{0,12}`{3,8}"), "~": re.compile(r"\n[ \t]{0,12}~{3,8}")}
FENCE_CLOSE_LENGTH = 21
"""Characters that a closing fence and the line end before it have at most."""
_FENCE_ROW = re.compile(r"`{3,8}|~{3,8}")
_INSIDE_FENCES = re.compile(
    r"(?:(?:`{3,8}|~{3,8})[^`\n]{0,80}(?:\n|\Z))?(.*?)(?:(?:^|\n|(?<=\n))[ \t]*+(?:`{3,8}|~{3,8}))?\Z",
    re.DOTALL,
)


def span_end(text: str, index: int, final: bool) -> tuple[int, int]:
    """The end of the stretch that opens at `index`, and where its last sentence's stop is; 0 if none."""
    whole, part = _SPANS[text[index]]
    match = whole.match(text, index)
    if match:
        stop = _EMPHASISED_STOP.search(match[0]) if whole is _EMPHASIS[0] else None
        return match.end(), index + stop.start() if stop else 0
    if not final and part.match(text, index):
        raise MoreText
    return 0, 0


def address(text: str, head: int, index: int, final: bool) -> tuple[int, int] | None:
    """The URL whose `://` is at `index`, without marks behind it; it starts at `head` or later."""
    if not final and _ADDRESS_PART.match(text, index):
        raise MoreText
    match = _ADDRESS.match(text, index)
    if not match:
        return None
    start = index
    while start > head and not text[start - 1].isspace() and index - start < 24:
        start -= 1
    return start, match.end()


def ends_entity(text: str, head: int, index: int) -> bool:
    """Whether the semicolon at `index` is the end of an HTML entity."""
    return bool(_ENTITY_BEFORE.search(text, max(head, index - 12), index))


def opens_fence(text: str, index: int, final: bool) -> bool:
    """Whether a fenced block begins at `index`."""
    if _FENCE.match(text, index):
        return True
    if not final and _FENCE_PART.match(text, index):
        raise MoreText
    return False


def fence_close(text: str, head: int, scanned: int, limit: int, mark: str, only_closing: bool) -> int:
    """The end of the row of `mark` that closes the block at `head`; 0 if there is none up to `limit`.

    Of the text up to `scanned` it is known that none begins there; `only_closing` tells that one may
    stand at the head itself, as the rest of the block was released.
    """
    row = _FENCE_ROW.match(text, head) if only_closing else None
    if row and row[0][0] == mark:
        return row.end()
    close = _FENCE_CLOSE[mark].search(text, scanned, limit + FENCE_CLOSE_LENGTH)
    return close.end() if close and close.start() < limit else 0


def inside_fences(block: str) -> tuple[int, int]:
    """Where in a fenced block, or a part of one, its lines of code are."""
    inside = _INSIDE_FENCES.match(block)
    return inside.span(1) if inside else (0, len(block))
