"""What SSML's elements ask for: a style, a pause, or a way to read what they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from wyoming_tts.text.aligned import Kind

LONGEST_PAUSE = 10.0
"""Seconds of silence between two words at most, however many breaks ask for more."""

SLOWEST, FASTEST = 0.25, 4.0
"""Bounds of a rate."""

LOUDEST = 4.0
"""Bound of a volume, as a linear gain."""

RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.5}
"""By name: how many times as fast as usual."""

VOLUMES = {
    "silent": 0.0,
    "x-soft": 0.25,
    "soft": 0.5,
    "medium": 1.0,
    "default": 1.0,
    "loud": 1.5,
    "x-loud": 2.0,
}
"""By name: linear gain."""

STRENGTHS = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.2}
"""By name: seconds of a break."""

KINDS: Mapping[str, Kind] = {
    "characters": "characters",
    "character": "characters",
    "spell-out": "characters",
    "spell": "characters",
    "letters": "characters",
    "verbatim": "characters",
    "digits": "digits",
    "digit": "digits",
    "number_digit": "digits",
    "cardinal": "cardinal",
    "number": "cardinal",
    "ordinal": "ordinal",
    "date": "date",
    "time": "time",
    "telephone": "telephone",
    "phone": "telephone",
}
"""By `interpret-as`: how to read; what is not here is read as any other text."""

_NUMBER = re.compile(r"([+-]?)(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})\s*(%|dB|ms|s)?", re.ASCII | re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8}){0,4}")


@dataclass(frozen=True, slots=True)
class Style:
    """How a stretch of SSML is to be spoken."""

    voice: str | None = None
    """Name of the voice that was asked for, as it was written."""

    language: str | None = None
    """BCP 47 tag that was asked for; a voice named without a language speaks its own."""

    rate: float = 1.0
    """Times as fast as usual, SLOWEST to FASTEST."""

    volume: float = 1.0
    """Linear gain, 0 to LOUDEST."""


def attributes_of(written: Mapping[str, str]) -> dict[str, str]:
    """Attributes without prefixes, names in lower case, values without space around them."""
    return {name.rpartition(":")[2].lower(): value.strip() for name, value in written.items()}


def styled(style: Style, name: str, attributes: Mapping[str, str]) -> Style:
    """The style inside an element that stands in another style; what makes no sense changes nothing."""
    if name == "voice":
        style = _voiced(style, attributes)
    if name == "prosody":
        style = replace(
            style,
            rate=_rate(attributes.get("rate", ""), style.rate),
            volume=_volume(attributes.get("volume", ""), style.volume),
        )
    language = attributes.get("lang") or attributes.get("language" if name in ("voice", "lang") else "", "")
    return replace(style, language=language) if _LANGUAGE.fullmatch(language) else style


def _voiced(style: Style, attributes: Mapping[str, str]) -> Style:
    """A voice by name speaks its own language; one by language alone is none in particular."""
    if name := attributes.get("name"):
        return replace(style, voice=name, language=None)
    named = _LANGUAGE.fullmatch(attributes.get("lang") or attributes.get("language", ""))
    return replace(style, voice=None) if named else style


def pause_of(attributes: Mapping[str, str]) -> float:
    """Seconds of a `break`; its time counts before its strength, and without either it is a medium one."""
    match = _NUMBER.fullmatch(attributes.get("time", ""))
    if match and match[1] != "-" and (match[3] or "").lower() in ("s", "ms"):
        seconds = float(match[2]) * (0.001 if match[3].lower() == "ms" else 1.0)
        return min(seconds, LONGEST_PAUSE)
    return STRENGTHS.get(attributes.get("strength", "").lower(), STRENGTHS["medium"])


def said_as(attributes: Mapping[str, str]) -> tuple[Kind, str] | None:
    """How `say-as` wants its text read, and the format of a date or time; None where that is not known."""
    asked, _, form = attributes.get("interpret-as", "").lower().rpartition("vxml:")[2].partition(":")
    form = form or attributes.get("format", "").lower()
    if asked == "number" and form in KINDS:
        asked = form
    kind = KINDS.get(asked)
    return None if kind is None else (kind, form if kind in ("date", "time") else "")


def _rate(value: str, now: float) -> float:
    """Signed values change what is, others are of the usual rate; no per cent at all means no change."""
    if value.lower() in RATES:
        return RATES[value.lower()]
    match = _NUMBER.fullmatch(value)
    if not match or match[3] not in (None, "%") or float(match[2]) == 0:
        return now
    amount = float(match[1] + match[2]) / (100 if match[3] else 1)
    return min(max(now * (1 + amount) if match[1] else amount, SLOWEST), FASTEST)


def _volume(value: str, now: float) -> float:
    """Decibels and signed values change what is; other numbers are per cent of the usual volume."""
    if value.lower() in VOLUMES:
        return VOLUMES[value.lower()]
    match = _NUMBER.fullmatch(value)
    if not match or (unit := (match[3] or "").lower()) not in ("", "%", "db"):
        return now
    amount = float(match[1] + match[2])
    if unit == "db":
        gain = now * 10 ** (min(max(amount, -120), 120) / 20)
    elif match[1]:
        gain = now * (1 + amount / 100) if unit else now + amount / 100
    else:
        gain = amount / 100
    return min(max(gain, 0.0), LOUDEST)
