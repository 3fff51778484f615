"""English readings that a caller asks for, as SSML's `say-as` does."""

from __future__ import annotations

import re
from collections.abc import Callable

from wyoming_tts.text.en_dates import MONTHS, date
from wyoming_tts.text.en_identifiers import roman
from wyoming_tts.text.en_time import clock, duration
from wyoming_tts.text.en_words import SIGNS, English

_SYMBOLS = {
    **SIGNS,
    "€": "euro",
    "£": "pound",
    "'": "apostrophe",
    '"': "quote",
    "(": "open parenthesis",
    ")": "close parenthesis",
    ";": "semicolon",
    "°": "degree",
}


def say(text: str, kind: str, form: str, english: English) -> str | None:
    """The reading of `text` as one kind of thing; None where it is no such thing."""
    reader = _READERS.get(kind)
    return reader(text, form.lower(), english) if reader and text else None


def _characters(text: str, form: str, english: English) -> str | None:
    said = [
        english.digits(char)
        if char.isdecimal()
        else _SYMBOLS.get(char, char.upper() if char.isalnum() else "")
        for char in text
    ]
    return " ".join(word for word in said if word) or None


def _digits(text: str, form: str, english: English) -> str | None:
    groups = [english.digits(group) for group in re.findall(r"\d+", text)]
    return ", ".join(groups) if groups and not re.search(r"[^\W\d_]", text) else None


def _cardinal(text: str, form: str, english: English) -> str | None:
    match = re.fullmatch(r"([-−+]?)\s*([0-9][0-9,]*(?:\.[0-9]+)?)", text)
    if match:
        sign = {"": "", "+": "plus "}.get(match[1], "minus ")
        whole, _, fraction = match[2].partition(".")
        stripped = whole.replace(",", "").lstrip("0") or "0"
        return sign + english.number(f"{stripped}.{fraction}" if fraction else stripped)
    return english.cardinal(roman(text)) if roman(text) else None


def _ordinal(text: str, form: str, english: English) -> str | None:
    match = re.fullmatch(r"([0-9][0-9,]{0,17})(?:st|nd|rd|th)?\.?", text, re.IGNORECASE)
    number = int(match[1].replace(",", "")) if match else roman(text)
    return english.ordinal(number) if match or number else None


def _telephone(text: str, form: str, english: English) -> str | None:
    groups = re.findall(r"\+?[0-9]+|[A-Z]+", text)
    if not re.search(r"[0-9]", text):
        return None
    return ", ".join(
        ("plus " if group[0] == "+" else "") + english.digits(group)
        if group[-1].isdecimal()
        else " ".join(group)
        for group in groups
    )


def _date(text: str, form: str, english: English) -> str | None:
    parts = re.findall(r"[0-9]+|[A-Za-z]{3,}", text)
    if form in ("ymd", "ydm", "dmy", "mdy") and len(parts) == 1 and len(text) == 8 and text.isdecimal():
        widths = [4 if letter == "y" else 2 for letter in form]
        parts = [text[: widths[0]], text[widths[0] : widths[0] + widths[1]], text[widths[0] + widths[1] :]]
    order = form or _order(parts, english)
    if len(order) != len(parts) or set(order) - set("ymd"):
        return None
    fields = dict(zip(order, (_field(part) for part in parts), strict=True))
    if any(not value and part.isalpha() for value, part in zip(fields.values(), parts, strict=True)):
        return None
    return _said(fields, english)


def _order(parts: list[str], english: English) -> str:
    if len(parts) == 3 and len(parts[0]) == 4:
        return "ymd"
    if len(parts) > 1 and parts[0].isalpha():
        return "mdy"[: len(parts)]
    if len(parts) > 1 and parts[1].isalpha():
        return "dmy"[: len(parts)]
    return {3: "dmy" if english.british else "mdy", 1: "y"}.get(len(parts), "dm" if english.british else "md")


def _field(part: str) -> int:
    if part.isdecimal():
        return int(part[:9])
    short = [month[:3].lower() for month in MONTHS]
    return short.index(part[:3].lower()) + 1 if part[:3].lower() in short else 0


def _said(fields: dict[str, int], english: English) -> str | None:
    year, month, day = fields.get("y"), fields.get("m"), fields.get("d")
    if year is not None and year < 100:
        year += 2000 if year < 70 else 1900
    if month == 0 or day == 0:
        return None
    if month and day:
        return date(year, month, day, english)
    if month:
        if month > 12:
            return None
        return MONTHS[month - 1] + (f" {english.year(year)}" if year is not None else "")
    return english.ordinal(day) if day else english.year(year) if year is not None else None


def _time(text: str, form: str, english: English) -> str | None:
    match = re.fullmatch(
        r"([0-9]{1,2})(?:[:.h]([0-9]{2}))?(?:[:.]([0-9]{2}))?\s*(?:([AaPp])\.?\s?[Mm]?\.?)?", text
    )
    if not match:
        return _length(text, english)
    hour, minute, second = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    if hour > 24 or minute > 59 or second > 59 or not (match[2] or match[4] or form):
        return None
    said = clock(hour, minute, match[4] or "", english)
    return said + (f" and {english.cardinal(second)} second{'' if second == 1 else 's'}" if second else "")


def _length(text: str, english: English) -> str | None:
    match = re.fullmatch(r"(?:([0-9]{1,4})['′])?\s*(?:([0-9]{1,4})(?:\"|″|''))?", text)
    if not match or not match[0]:
        return None
    return duration([(int(match[1] or 0), "minute"), (int(match[2] or 0), "second")], english)


_Reader = Callable[[str, str, English], str | None]
_READERS: dict[str, _Reader] = {
    "characters": _characters,
    "digits": _digits,
    "cardinal": _cardinal,
    "ordinal": _ordinal,
    "date": _date,
    "time": _time,
    "telephone": _telephone,
}
