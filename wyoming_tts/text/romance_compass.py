"""Compass points in Romance languages: "viento del NO" is north-west, "no" elsewhere."""

from __future__ import annotations

import re
from functools import partial

from wyoming_tts.text.aligned import Rule
from wyoming_tts.text.romance_grammar import Compass

WRITTEN = re.compile(r"(?<!\w)[NSEOWL](?:-?[NSEOWL]){0,2}(?!\w)")
"""What may be one; a text without it needs no rules."""

_ENDS_ALONE = re.compile(r" ?(?:$|[,.;:()\d]|(?:con|com|avec|y|et?|ou?|sopla|à|a) |(?:[aà]|da) \d)")
_FARTHEST = 40  # characters between the wind and where it comes from


def rules(compass: Compass) -> list[Rule]:
    """The rule for text in which `WRITTEN` occurs."""
    pattern = rf"(\b(?:{compass.context})\b[^.!?]{{0,{_FARTHEST}}}?(?<![\w.]))({WRITTEN.pattern})"
    return [(re.compile(pattern), partial(_point, compass))]


def _point(compass: Compass, match: re.Match[str]) -> str | None:
    letters = match[2].replace("-", "")
    said = compass.points.get(letters)
    if said is None or (len(letters) == 1 and not _ENDS_ALONE.match(match.string, match.end())):
        return None
    return match[1] + said
