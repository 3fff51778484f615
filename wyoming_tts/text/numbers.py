"""Numbers in words, in every language that is spoken, with CLDR's rules."""

from __future__ import annotations

import functools
import re
from decimal import Decimal

RULESETS = {
    "en": ("spellout-cardinal", "spellout-cardinal", "spellout-ordinal", "spellout-ordinal"),
    "es": (
        "spellout-cardinal-masculine",
        "spellout-cardinal-feminine",
        "spellout-ordinal-masculine",
        "spellout-ordinal-feminine",
    ),
    "fr": (
        "spellout-cardinal-masculine",
        "spellout-cardinal-feminine",
        "spellout-ordinal-masculine",
        "spellout-ordinal-feminine",
    ),
    "it": (
        "spellout-cardinal-masculine",
        "spellout-cardinal-feminine",
        "spellout-ordinal-masculine",
        "spellout-ordinal-feminine",
    ),
    "pt": (
        "spellout-cardinal-masculine",
        "spellout-cardinal-feminine",
        "spellout-ordinal-masculine",
        "spellout-ordinal-feminine",
    ),
    "hi": (
        "spellout-cardinal",
        "spellout-cardinal",
        "spellout-ordinal-masculine",
        "spellout-ordinal-feminine",
    ),
    "ja": ("spellout-cardinal", "spellout-cardinal", "spellout-ordinal", "spellout-ordinal"),
    "zh": ("spellout-cardinal", "spellout-cardinal", "spellout-ordinal", "spellout-ordinal"),
}
"""By language: rule sets for cardinals (masculine, feminine) and ordinals (masculine, feminine)."""

LARGEST = 10**15
"""Numbers from here on are read digit by digit."""

_SOFT = re.compile("[\u00ad\u200b]")


@functools.cache
def _engine(language: str):  # type: ignore[no-untyped-def]  # the package has no public types for it
    from unicode_rbnf import RbnfEngine

    return RbnfEngine.for_language(language)


@functools.lru_cache(maxsize=8192)
def spell(number: int, language: str, ruleset: str) -> str:
    """A number by one of CLDR's rule sets of a language (`en`, `es`, …)."""
    found = _engine(language).format_number(Decimal(number), ruleset_names=[ruleset])
    return _SOFT.sub("", found.text)


def cardinal(number: int, language: str, *, feminine: bool = False) -> str:
    """`21` -> "twenty-one", "veintiuno", "veintiuna"; negative numbers must be handled by the caller."""
    if abs(number) >= LARGEST:
        return digits(str(abs(number)), language)
    return spell(number, language, RULESETS[language][1 if feminine else 0])


def ordinal(number: int, language: str, *, feminine: bool = False) -> str:
    """`21` -> "twenty-first", "vigésimo primero"; of a number too large to count to, its digits."""
    if abs(number) >= LARGEST:
        return digits(str(abs(number)), language)
    return spell(number, language, RULESETS[language][3 if feminine else 2])


def digits(number: str, language: str) -> str:
    """Each decimal digit of a string as a word of its own; everything else in it is left out."""
    words = [cardinal(int(digit), language) for digit in number if digit.isdecimal()]
    return ("" if language in ("ja", "zh") else " ").join(words)
