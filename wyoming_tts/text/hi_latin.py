"""Latin letters in Hindi text: abbreviations are read by their letters, as espeak often does not."""

from __future__ import annotations

import re

from wyoming_tts.text.aligned import Rule
from wyoming_tts.text.hi_words import cardinal, letters

TERMS = {
    "wifi": "वाई-फ़ाई",
    "wi-fi": "वाई-फ़ाई",
    "a/c": "एसी",
    "on": "ऑन",
    "off": "ऑफ़",
    "ok": "ओके",
    "mp3": "एमपी थ्री",
    "mp4": "एमपी फ़ोर",
    "co2": "सीओ टू",
    "co₂": "सीओ टू",
    "no2": "एनओ टू",
    "no₂": "एनओ टू",
    "so2": "एसओ टू",
    "so₂": "एसओ टू",
    "h2o": "एच टू ओ",
    "h₂o": "एच टू ओ",
    "o3": "ओ थ्री",
    "tvoc": "टीवीओसी",
    "voc": "वीओसी",
    "2g": "टू जी",
    "3g": "थ्री जी",
    "4g": "फ़ोर जी",
    "5g": "फ़ाइव जी",
    "4k": "फ़ोर के",
    "8k": "एट के",
    "3d": "थ्री डी",
    "2d": "टू डी",
    "t20": "टी ट्वेंटी",
    "g20": "जी ट्वेंटी",
    "sim": "सिम",
    "pin": "पिन",
    "ram": "रैम",
    "isro": "इसरो",
    "nasa": "नासा",
    "covid": "कोविड",
    "covid-19": "कोविड उन्नीस",
    "whatsapp": "व्हाट्सऐप",
    "lakh": "लाख",
    "lakhs": "लाख",
    "crore": "करोड़",
    "crores": "करोड़",
}
"""By their lower-case spelling: what is not read as letters and Hindi numbers."""

WORDS = frozenset(
    [
        *("NASA", "ISRO", "UNESCO", "UNICEF", "OPEC", "RAM", "ROM", "SIM", "PIN", "LAN", "WAN", "WLAN"),
        *("NAS", "GIF", "JPEG", "WHO", "IKEA", "FIFA", "NATO", "AIDS", "COVID", "SMART", "AUTO", "ALL"),
        *("AND", "THE", "YES", "NO", "HOME", "NEW", "LOW", "HIGH", "MAX", "MIN", "ECO", "COOL", "HEAT"),
        *("DRY", "FAN", "LIGHT", "OPEN", "STOP", "START"),
    ]
)
"""What is read as a word, capitals or not."""

_TERM = "|".join(re.escape(term) for term in sorted(TERMS, key=len, reverse=True))
_EDGE = r"[\w\u0900-\u0903\u093a-\u094f]"


def _abbreviation(match: re.Match[str]) -> str | None:
    """Two to five capitals, unless they are a word or part of a sentence in capitals."""
    word = match[0]
    return None if word in WORDS or not word.strip("IVX") else letters(word)


def _numeral(match: re.Match[str]) -> str:
    values = [{"I": 1, "V": 5, "X": 10}[letter] for letter in match[2]]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return f"{match[1]} {cardinal(sum(-value if value < after else value for value, after in pairs))}"


def _term(match: re.Match[str]) -> str | None:
    word = match[0]
    if word.lower() in ("on", "off", "ok", "no2", "so2", "ram") and not word.isupper():
        return None
    return TERMS[word.lower()]


TERM_RULES: tuple[Rule, ...] = (
    (re.compile(rf"(?<!\w)(?<![\d.,-])(?:{_TERM})(?!{_EDGE})(?![.,]\d)", re.IGNORECASE), _term),
)
"""Names with digits in them; they come before any rule for numbers."""

_ROMAN = r"X{0,3}(?:IX|IV|VI{0,3}|I{1,3})|X{1,3}"

_NUMBERED = "(?:अध्याय|भाग|खंड|चरण|अंक|प्रकार|चैप्टर|पार्ट|विश्व युद्ध|विश्वयुद्ध|फ़ेज़|फेज|स्तर|वॉल्यूम)"

LETTER_RULES: tuple[Rule, ...] = (
    (re.compile(r"(?<![A-Za-z.@])(?:[A-Z]\.){2,5}(?![A-Za-z])"), lambda m: letters(m[0].replace(".", ""))),
    (
        re.compile(rf"({_NUMBERED})\s({_ROMAN})(?!\w)"),
        _numeral,
    ),
    (re.compile(r"(?<![\w'.@-])(?<![A-Z] )[A-Z]{2,5}(?![\w'@])(?! [A-Z]{2,}\b)"), _abbreviation),
)
"""Abbreviations; after all other rules."""
