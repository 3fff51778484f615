"""The normaliser for Romance languages: one cascade of rules, parameterised by a language's `Grammar`.

A language's module holds its `Grammar` (see `romance_grammar`) and hands `normalise` and `say_as` on to
this one. The rules are in order: what is an address or an identifier is taken first, then dates, times,
money, measures, ordinals, Roman numbers; plain numbers last, agreeing with the noun behind them. Each
stage is in a module of its own (`romance_codes`, `romance_clock`, `romance_quantities`, `romance_roman`).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import NamedTuple

from wyoming_tts.text import (
    romance_clock,
    romance_codes,
    romance_compass,
    romance_quantities,
    romance_roman,
)
from wyoming_tts.text.aligned import AlignedText, Kind, Rule
from wyoming_tts.text.romance_grammar import Gender, Grammar
from wyoming_tts.text.romance_numbers import SIGNED, parsed, words

_DIGIT = re.compile(r"[\d½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]")
_WORD_START = r"(?<![^\W\d]|[.@])"
_ADDRESS = re.compile(r"[@_]|\w\.\w|://")
_ROMAN = re.compile(r"(?<!\w)[IVXLCDM]+(?!\w)")
_UNIT = re.compile(r"[°µμ²³€£]|[kMGTcmhWP][A-Zgmhsbit]")
_MOST_ROUNDS = 6  # the second changes nothing, but in odd strings of signs
_SUBSCRIPT = re.compile("[₀-₉]")
_SIGN = re.compile(r"[&+=<>±%/]")


class _Cascade(NamedTuple):
    """The rules of a language, in groups that a glance at the text can leave out."""

    abbreviated: re.Pattern[str]
    abbreviations: tuple[Rule, ...]
    compass: tuple[Rule, ...]
    with_digits: tuple[Rule, ...]
    addresses: tuple[Rule, ...]
    roman: tuple[Rule, ...]
    counts: tuple[Rule, ...]
    units: tuple[Rule, ...]
    signs: tuple[Rule, ...]


def normalise(text: AlignedText, grammar: Grammar) -> AlignedText:
    """One sentence as it is read out; normalising the result changes nothing."""
    rules = _cascade(grammar)
    for _ in range(_MOST_ROUNDS):
        before = text.text
        text = _read(text, rules)
        if text.text == before:
            break
    return text


def _read(text: AlignedText, rules: _Cascade) -> AlignedText:
    """Once through the rules that may apply."""
    text = text.sub(_SUBSCRIPT, lambda match: str("₀₁₂₃₄₅₆₇₈₉".index(match[0])))
    if rules.abbreviated.search(text.text):
        text = text.apply(rules.abbreviations)
    if romance_compass.WRITTEN.search(text.text):
        text = text.apply(rules.compass)
    has_digits = _DIGIT.search(text.text) is not None
    if has_digits:
        text = text.apply(rules.with_digits)
    elif _ADDRESS.search(text.text):
        text = text.apply(rules.addresses)
    if _ROMAN.search(text.text):
        text = text.apply(rules.roman)
    if has_digits:
        text = text.apply(rules.counts)
    if _UNIT.search(text.text):
        text = text.apply(rules.units)
    if _SIGN.search(text.text):
        text = text.apply(rules.signs).apply(rules.units)
    return text


def say_as(text: str, kind: Kind, form: str, grammar: Grammar) -> str | None:
    """`text` read as SSML's `say-as` wants it; None where it cannot be read so."""
    if kind == "date":
        return romance_clock.say_date(grammar, text, form)
    if kind == "time":
        return romance_clock.say_time(grammar, text)
    if kind == "telephone":
        return _telephone(grammar, text)
    if kind in ("characters", "digits"):
        return _spelled(grammar, text, kind)
    if kind in ("cardinal", "ordinal"):
        return _number(grammar, text, kind, form)
    return None


def _number(grammar: Grammar, text: str, kind: Kind, form: str) -> str | None:
    match = re.fullmatch(rf"\s*({SIGNED})\.?[ºª°]?\s*", text)
    if match is None:
        roman = re.fullmatch(rf"\s*({_ROMAN.pattern})\s*", text)
        if roman is None:
            return None
        number = parsed(str(romance_roman.roman_value(roman[1])))
    else:
        number = parsed(match[1])
    gender: Gender = "f" if form in ("f", "feminine") or "ª" in text else ""
    if kind == "cardinal":
        return words(grammar, number, gender)
    if number.fraction or number.sign or len(number.whole) > 15:
        return None
    return grammar.ordinal(int(number.whole), gender or "m", False)


def _telephone(grammar: Grammar, text: str) -> str | None:
    groups = re.findall(r"\d+", text)
    if not groups:
        return None
    plus = f"{grammar.sums['+']} " if text.lstrip().startswith("+") else ""
    return plus + ", ".join(grammar.digits(group) for group in groups)


def _spelled(grammar: Grammar, text: str, kind: Kind) -> str | None:
    said = [_character(grammar, character, kind) for character in text]
    return ", ".join(filter(None, said)) if kind == "characters" else " ".join(filter(None, said)) or None


def _character(grammar: Grammar, character: str, kind: Kind) -> str:
    if character.isdecimal():
        return grammar.cardinal(int(character))
    if kind == "digits" and not character.isalpha():
        return ""
    lower = character.lower()
    return grammar.letters.get(lower) or grammar.address.get(character) or character.strip()


@functools.cache
def _cascade(grammar: Grammar) -> _Cascade:
    codes = romance_codes.rules(grammar)
    return _Cascade(
        abbreviated=re.compile(rf"{_WORD_START}(?:{'|'.join(grammar.abbreviations)})"),
        abbreviations=tuple(_abbreviations(grammar.abbreviations.items())),
        compass=tuple(romance_compass.rules(grammar.compass)),
        with_digits=(
            *romance_clock.first_rules(grammar),
            *codes,
            *romance_clock.rules(grammar),
            *romance_roman.degree_rules(grammar),
            *romance_quantities.rules(grammar),
            *romance_roman.ordinal_rules(grammar),
        ),
        addresses=tuple(codes[: romance_codes.WITHOUT_DIGITS]),
        roman=tuple(romance_roman.roman_rules(grammar)),
        counts=tuple(romance_quantities.last_rules(grammar)),
        units=tuple(romance_quantities.lone_units(grammar)),
        signs=tuple(_signs(grammar)),
    )


def _abbreviations(entries: Iterable[tuple[str, str]]) -> Iterable[Rule]:
    for written, said in entries:
        yield re.compile(rf"{_WORD_START}{written}"), functools.partial(_expanded, said)


def _expanded(said: str, match: re.Match[str]) -> str:
    """With the full stop that also ended the sentence, and a capital where there was one."""
    if match[0][:1].isupper():
        said = said[:1].upper() + said[1:]
    return f"{said}." if match[0].endswith(".") and not match.string[match.end() :].strip(' )»”"') else said


def _signs(grammar: Grammar) -> list[Rule]:
    """Signs that are left between words."""
    between = re.compile(r"(?<=[\w)]) ?([&=]|(?<= )[+±<>](?= )) ?(?=[\w(])")
    percent = re.compile(r" ?%")
    return [
        (between, lambda match: f" {grammar.sums[match[1]]} "),
        (percent, f" {grammar.units['%'].many}"),
        (re.compile(r"(?<=\w) / (?=\w)"), ", "),
        (re.compile(r"\b([ye])/(?=ou?\b)"), lambda match: f"{match[1]} "),
        (
            re.compile(r"(?<![\w/.])([a-zà-ÿ]{2,20})/(?=[a-zà-ÿ]{2,20}(?![\w/]|\.\w))"),
            lambda match: f"{match[1]}, ",
        ),
    ]
