"""Hindi for the ear: "21.5 °C" to "इक्कीस दशमलव पाँच डिग्री सेल्सियस"."""

from __future__ import annotations

import re

from wyoming_tts.text import hi_words as say
from wyoming_tts.text.aligned import AlignedText, Kind
from wyoming_tts.text.hi_dates import DATE_RULES, TIME_RULES, read_date, read_time
from wyoming_tts.text.hi_latin import LETTER_RULES, TERM_RULES
from wyoming_tts.text.hi_quantities import SIGNS, quantity_rules, unit_rules
from wyoming_tts.text.hi_rules import (
    ABBREVIATIONS,
    ADDRESSES,
    CODES,
    DIGITS,
    NUMBER,
    groups,
)

_NUMERAL = re.compile(r"[\d½¼¾⅓⅔⅛]")
_LATIN = re.compile(r"[A-Za-z]")
_SIGN = re.compile(r"[^\w\s.,!?।\u0900-\u094f-]|[²³]")

_UNSETTLED = re.compile(r"[A-Za-z\d²³½=+°%@&/×÷±<>≤≥~≈]|किमी|[\u0904-\u094d][.\u0970]")
_ROUNDS = 4
"""Almost always one; more for nonsense that grows into sense."""


def normalise(text: AlignedText, language: str) -> AlignedText:
    """One sentence as a Hindi speaker reads it out; marks and what they cover stay as they are."""
    for _ in range(_ROUNDS):
        before, text = text.text, _once(text)
        if text.text == before or not _UNSETTLED.search(text.text):
            break
    return text


def _once(text: AlignedText) -> AlignedText:
    text = text.apply(ABBREVIATIONS)
    latin = bool(_LATIN.search(text.text))
    if latin:
        text = text.apply(ADDRESSES).apply(TERM_RULES)
    if _NUMERAL.search(text.text):
        text = text.apply(DIGITS).apply(CODES).apply(DATE_RULES)
        if ":" in text.text or latin or "बजे" in text.text:
            text = text.apply(TIME_RULES)
        text = text.apply(quantity_rules())
    if _SIGN.search(text.text):
        text = text.apply(SIGNS)
    return text.apply(unit_rules()).apply(LETTER_RULES) if latin or "°" in text.text else text


def say_as(text: str, kind: Kind, form: str, language: str) -> str | None:
    """`text` as SSML's `say-as` of a kind wants it; None where it cannot be read so."""
    plain = AlignedText.of(text.strip()).apply(DIGITS).text
    match kind:
        case "characters":
            return say.characters(plain) or None
        case "digits" | "telephone":
            return groups(plain) if re.search(r"\d", plain) else None
        case "cardinal":
            return say.spoken(plain) if re.fullmatch(rf"[-−–+]?{NUMBER}", plain) else None
        case "ordinal":
            number = re.fullmatch(r"(\d{1,15})(?:\D{1,4})?", plain)
            return say.ordinal(int(number[1])) if number else None
        case "date":
            return read_date(plain, form)
        case "time":
            return read_time(plain)
    return None
