"""English: a sentence as it is read out.

Each topic has its rules in a module of its own; here is their order. What is special comes first,
so that `192.168.1.10` is an address before it is a decimal, and plain numbers come last.
"""

from __future__ import annotations

import functools
import re
import unicodedata

from wyoming_tts.text.aligned import AlignedText, Kind
from wyoming_tts.text.en_abbreviations import ABBREVIATIONS, ACRONYMS, SHORT_WORDS
from wyoming_tts.text.en_addresses import ADDRESSES
from wyoming_tts.text.en_counts import FRACTIONS, NUMBERS, ORDINALS, SIGNS, SIZES, SUMS
from wyoming_tts.text.en_dates import DATES, NAMES, YEARS
from wyoming_tts.text.en_identifiers import CODES, HASHTAGS, MODELS, ROMANS, TELEPHONES, VERSIONS
from wyoming_tts.text.en_money import COMMAS, MONEY
from wyoming_tts.text.en_places import POINTS, STREETS, TRAVEL
from wyoming_tts.text.en_say_as import say
from wyoming_tts.text.en_time import TIMES
from wyoming_tts.text.en_units import BARE_UNITS, UNITS
from wyoming_tts.text.en_words import English, EnglishRule, rewrite, rule

_ALIKE = {
    "µ": "μ",
    "−": "-",
    "‐": "-",
    "‑": "-",
    "℃": "°C",
    "℉": "°F",
    "K": "K",
    "Å": "Å",
    "Ω": "Ω",
    "㎡": "m²",
    "㎥": "m³",
    "º": "°",
    "˚": "°",
    "⁄": "/",
    "∕": "/",
    "∙": "⋅",
    "㎞": "km",
    "㎏": "kg",
}
_PREPARE = (
    rule("[" + "".join(_ALIKE) + "]", lambda match, english: _ALIKE[match[0]]),
    rule("[₀-₉]", lambda match, english: str(unicodedata.digit(match[0]))),
    rule(r"(?![0-9])\d", lambda match, english: str(unicodedata.decimal(match[0]))),
)
_PASSES = 5  # what one rule writes may complete what another looks for; the second pass rarely finds anything
_DIGIT = re.compile("[0-9½⅓⅔¼¾⅕-⅞]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_Stage = tuple[re.Pattern[str], tuple[EnglishRule, ...]]
_STAGES: tuple[_Stage, ...] = (
    (_NOT_ASCII, _PREPARE),
    (re.compile(r"[.:/\\@_]\S|[-:][0-9A-Fa-f]{2}"), ADDRESSES),
    (_DIGIT, (*TELEPHONES, *VERSIONS, *TIMES[:2], *DATES, *TIMES[2:])),
    (re.compile(r"\.|(?:Dr|St) [A-Z]|vs |№"), ABBREVIATIONS),
    (re.compile(r"\b[NSEW]{1,3}\b"), POINTS),
    (
        re.compile(
            r" (?:St|Ave?|Rd|Blvd|Ln|Hwy|Pkwy|Sq|Dr|Ct|Pl|Ter|Cir)\b|\b(?:Hwy|Rte?|[Aa]pt|Ste|Bldg|Rm)\b|"
            r", [A-Z]{2}\b|[A-Z] [0-9]{5}"
        ),
        STREETS,
    ),
    (re.compile(r"[#@]"), HASHTAGS),
    (_DIGIT, (*TRAVEL, *CODES, *COMMAS, MONEY[0], *SIGNS, *SIZES, *MONEY[1:], *FRACTIONS, *ORDINALS, *UNITS)),
    (re.compile("[$€£¥%°¢]|[A-Z]|per|[a-z]/|m[²³]"), (*MONEY[-1:], *BARE_UNITS)),
    (re.compile(r"[IVX]|WW"), ROMANS),
    (
        re.compile(
            r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|"
            r"Oct|Nov|Dec)\w?\w?\b|[a-z]\s?[-–—]\s?[A-Z]"
        ),
        NAMES,
    ),
    (_DIGIT, (*YEARS, *MODELS)),
    (re.compile(r"[/&]|M[rs]|AA|Ctrl|\+\s?[A-Za-z]"), SHORT_WORDS),
    (re.compile(r"[²³^√+*×÷=<>≠≤≥≈→&@§∞π™®©x]"), SUMS),
    (re.compile(r"[0-9²³]"), NUMBERS),
    (re.compile(r"[A-Z]{2}|[a-z][A-Z]"), ACRONYMS),
)


@functools.cache
def _english(language: str) -> English:
    region = language.lower().replace("_", "-").split("-")[1:]
    return English(british=bool({"gb", "uk", "ie", "au", "nz", "in", "za"} & set(region)))


def normalise(text: AlignedText, language: str) -> AlignedText:
    """One sentence without markup, as it is read out; marks and what they cover stay as they are."""
    english = _english(language)
    for _ in range(_PASSES):
        before = text.text
        for gate, rules in _STAGES:
            if gate.search(text.text):
                text = rewrite(text, rules, english)
        if text.text == before:
            break
    return text


def say_as(text: str, kind: Kind, form: str, language: str) -> str | None:
    """`text` read as SSML's `say-as` wants; None where it cannot be read so."""
    english = _english(language)
    said = say(text.strip(), kind, form, english)
    return said if said is None else normalise(AlignedText.of(said), language).text
