"""Ordinals and Roman numbers in Romance languages."""

from __future__ import annotations

import re
from functools import partial

from wyoming_tts.text.aligned import Rule
from wyoming_tts.text.romance_grammar import Gender, Grammar

_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_ROMAN = r"(?=[IVXLCDM])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
_SMALL = r"(?=[IVX]{2})X{0,3}(?:IX|IV|V?I{0,3})"
_UPPER = re.compile(r"(?<!\w)[IVXLCDM]{1,12}(?!\w)")
_FEMININE_SIGNS = "ªa"
_DEGREES_FROM = 13  # "a 21º" is a temperature typed on a keyboard without °
_APOCOPATED = re.compile(r"[eé]?r[.º]?$")


def roman_value(written: str) -> int:
    """The number that a Roman number stands for."""
    values = [_VALUES[letter] for letter in written]
    return sum(
        -value if value < following else value
        for value, following in zip(values, [*values[1:], 0], strict=True)
    )


def ordinal_rules(grammar: Grammar) -> list[Rule]:
    """Rules for text with a digit: `1.º`, `2ª`, `1er`, and `1°` where it is no temperature."""
    word = r"(?=( ?)([^\W\d_]+)?)"
    return [
        (
            re.compile(rf"(?<![\w.,])(\d{{1,4}})(?:\.?([ºªᵒᵃ])|\.?([eé]r|r[oa])\.?(?!\w)){word}"),
            partial(_ordinal, grammar),
        ),
    ]


def degree_rules(grammar: Grammar) -> list[Rule]:
    """Rules for `1°` where it is no temperature; before the units."""
    if not grammar.degree_ordinals:
        return []
    pattern = rf"(?<![\w.,])(\d{{1,2}})(°)()(?=( ?)({grammar.degree_ordinals})\b)"
    return [(re.compile(pattern, re.IGNORECASE), partial(_ordinal, grammar))]


def roman_rules(grammar: Grammar) -> list[Rule]:
    """Rules for text with an upper-case I, V or X."""
    counted = rf"(?<![\w'’-])({_ROMAN})(?:\.?[ºª°])? (?=(?i:({grammar.roman_counted}))\b)"
    return [
        (
            re.compile(rf"(\b(?i:{grammar.century}) {_ROMAN} \w{{1,2}} )({_ROMAN})(?!\w|['’])"),
            partial(_century, grammar),
        ),
        (re.compile(rf"(\b(?i:{grammar.century}) )({_ROMAN})(?!\w|['’])"), partial(_century, grammar)),
        (re.compile(rf"\b({grammar.rulers})( ({_ROMAN})(?!\w|['’]))"), partial(_ruler, grammar)),
        (re.compile(counted), partial(_counted, grammar)),
        (re.compile(rf"(\b(?i:{grammar.roman_labels}) )({_ROMAN})(?!\w|['’])"), partial(_label, grammar)),
        (re.compile(rf"(\b[A-ZÀ-Þ][\w’']{{1,30}} )({_SMALL})(?!\w|['’])"), partial(_label, grammar)),
    ]


def _ordinal(grammar: Grammar, match: re.Match[str]) -> str | None:
    number, sign, letters = int(match[1]), match[2] or "", match[3] or ""
    noun = match[5] or ""
    feminine = sign in ("ª", "ᵃ") or letters == "ra"
    known = grammar.gender(noun, 1) if noun else ""
    if sign == "º" and number >= _DEGREES_FROM and not known:
        return f"{grammar.cardinal(number, 'm')} {grammar.units['°'].many}"
    if sign == "°" and known:
        feminine = known == "f"
    gender: Gender = "f" if feminine else "m"
    return grammar.ordinal(number, gender, known == gender or _APOCOPATED.match(letters) is not None)


def _century(grammar: Grammar, match: re.Match[str]) -> str:
    return match[1] + grammar.century_number(roman_value(match[2]))


def _ruler(grammar: Grammar, match: re.Match[str]) -> str:
    return f"{match[1]} {grammar.regnal(match[1], roman_value(match[0][len(match[1]) + 1 :]))}"


def _counted(grammar: Grammar, match: re.Match[str]) -> str:
    gender: Gender = "f" if grammar.gender(match[2].split()[0].lower(), 1) == "f" else "m"
    return f"{grammar.ordinal(roman_value(match[1]), gender, True)} "


def _label(grammar: Grammar, match: re.Match[str]) -> str:
    return match[1] + grammar.cardinal(roman_value(match[2]))
