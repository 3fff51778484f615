"""Acronyms that espeak-ng would read as words, in the Romance languages: "USB" by its letters, "OTAN" not.

Between stops espeak-ng reads letters by their names, and as one word: "U.S.B".
"""

from __future__ import annotations

import re
from typing import NamedTuple

_CAPITALS = re.compile(r"(?<![^\W_])[A-ZÑ]{2,5}(?![^\W_])")
_CONSONANTS_AROUND = re.compile(r"([^AEIOUY]*)(?:.*[AEIOUY])?([^AEIOUY]*)")


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SPELLED = _words("UV IP CO UE UK IB AZ UX AF AC EAU IBGE AQI IA USA ID UI EV AM")
"""Those that could be words, and are not in any of the languages."""

_STARTS = _words("BL BR CH CL CR DR FL FR GL GR KL KR PL PR TR LL PS GU QU SC SK SL SM SN SP ST SQ WH TH")
"""Consonants that words of all of the languages, or those that they have borrowed, begin with."""

_ENDS = _words("NS RT ST LM ND NT NG RD LD RK CK CH SH LF LT RS X")
"""Consonants that they end with."""


class _Habits(NamedTuple):
    """What words of a language look like."""

    starts: frozenset[str] = frozenset()
    """More consonants that words begin with."""

    is_strict: bool = True
    """Whether words end with few consonants."""

    spelled: frozenset[str] = frozenset()
    """More acronyms that are spelled."""

    words: frozenset[str] = frozenset()
    """Acronyms that are words in spite of their looks."""


_HABITS = {
    "es": _Habits(
        spelled=_words("ONG"),
        words=_words("CEST INPS"),
    ),
    "fr-FR": _Habits(
        starts=_words("GN PN PH VR KH RH"),
        is_strict=False,
        spelled=_words("OMS IPC URL ONG ADN ARN IRM IUT ULM API OGM USB EDF UDI ADSL APL UTC UHD RATP"),
    ),
    "it": _Habits(
        starts=_words("GH GN PN SB SD SF SG SR SV"),
        spelled=_words("ONG"),
        words=_words("INPS IRPEF CEST"),
    ),
    "pt-BR": _Habits(
        starts=_words("LH NH"),
        spelled=_words("EUA IPVA INSS"),
        words=_words("CEST"),
    ),
}


def spelled_out(word: str, language: str) -> str:
    """With stops between the letters of an acronym that is read by them."""
    habits = _HABITS.get(language)
    if habits is None or word.islower():
        return word
    return _CAPITALS.sub(lambda match: _spelled(match[0], habits), word)


def _spelled(acronym: str, habits: _Habits) -> str:
    known = acronym in _SPELLED or acronym in habits.spelled
    if not known and (acronym in habits.words or _could_be_a_word(acronym, habits)):
        return acronym
    return ".".join(acronym)


def _could_be_a_word(acronym: str, habits: _Habits) -> bool:
    """Whether it has a vowel, and around its vowels only consonants as words have them."""
    around = _CONSONANTS_AROUND.fullmatch(acronym)
    if around is None or (not around[2] and around[1] == acronym):
        return False
    start, end = around.groups()
    starts_well = len(start) < 2 or start in habits.starts or start in _STARTS
    return starts_well and (len(end) < 2 or end in _ENDS or not habits.is_strict)
