"""What the rules for Romance languages must know of one of them: its words, its genders, its units."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from wyoming_tts.text import numbers

Gender = Literal["m", "f", ""]
"""Masculine, feminine, or none: a number that counts nothing ("veintiuno por ciento")."""

MICRO = "μ"
"""The sign for a millionth: GREEK SMALL LETTER MU; the other one, U+00B5, is mapped to it."""


class Noun(NamedTuple):
    """Something that can be counted."""

    one: str
    """Its singular."""

    many: str
    """Its plural."""

    gender: Gender
    """What a number before it agrees with."""


class Currency(NamedTuple):
    """Money: a unit and its hundredth."""

    unit: Noun
    """Euros."""

    cent: Noun
    """Cents; of a currency without, a noun that is not used."""


class Power(NamedTuple):
    """How "square" or "cubic" agrees, behind its noun."""

    one_m: str
    """One square metre."""

    many_m: str
    """Two square metres."""

    one_f: str
    """One square inch."""

    many_f: str
    """Two square inches."""


class Compass(NamedTuple):
    """Where the wind comes from."""

    context: str
    """Pattern for words of wind and direction, with or without a capital; behind them letters are points."""

    points: Mapping[str, str]
    """By letters: `N`, `NE`, `NNE`; west by both its letters."""


def compass(context: str, simple: str, double: str, triple: str) -> Compass:
    """From the words for N E S W (their letters first), NE SE SW NW, and NNE ENE ESE SSE SSW WSW WNW NNW."""
    letters, *ones = simple.split()
    north, east, south, west = tuple(letters)
    keys = [*letters, north + east, south + east, south + west, north + west]
    keys += [
        a + b
        for a, b in zip(north + east * 2 + south * 2 + west * 2 + north, _diagonals(letters), strict=True)
    ]
    points = dict(zip(keys, [*ones, *double.split(), *triple.split()], strict=True))
    english = {key.translate(str.maketrans(letters, "NESW")): said for key, said in points.items()}
    return Compass("|".join(f"(?i:{word[0]}){word[1:]}" for word in context.split()), {**english, **points})


def _diagonals(letters: str) -> list[str]:
    north, east, south, west = tuple(letters)
    return [point for point in (north + east, south + east, south + west, north + west) for _ in range(2)]


def listed(words: str) -> tuple[str, ...]:
    """Words between spaces."""
    return tuple(words.split())


def wordset(words: str) -> frozenset[str]:
    """Words between spaces, to look up."""
    return frozenset(words.split())


def nouns(table: str) -> dict[str, Noun]:
    """Units of a table with a line for each: symbols (with commas), singular, plural, gender, between `|`."""
    found = {}
    for line in filter(None, map(str.strip, table.splitlines())):
        symbols, one, many, gender = map(str.strip, line.split("|"))
        noun = Noun(one, many, "m" if gender == "m" else "f" if gender == "f" else "")
        found.update(dict.fromkeys(map(str.strip, symbols.split(",")), noun))
    return found


def prefixed(table: str, prefixes: Mapping[str, str]) -> dict[str, Noun]:
    """Units with their multiples: like `nouns`, and behind it the prefixes' symbols (`-` for none)."""
    found = {}
    for line in filter(None, map(str.strip, table.splitlines())):
        rest, _, letters = line.rpartition("|")
        for symbol, noun in nouns(rest).items():
            for letter in letters.strip():
                word = "" if letter == "-" else prefixes[letter]
                key = symbol if letter == "-" else letter + symbol
                found[key] = Noun(word + noun.one, word + noun.many, noun.gender)
    return found


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Grammar:
    """One Romance language. Instances are compared by identity."""

    language: str
    """Primary subtag, as in `numbers.RULESETS`."""

    sums: Mapping[str, str]
    """How signs are read in text: `+ - × ÷ = < > ≤ ≥ ± ~ & #`, and `,` for the decimal comma."""

    address: Mapping[str, str]
    """How signs are read in an address: `. / : @ _ - ? # % & = + ~`."""

    words: Mapping[str, str]
    """Small words by name: `and`, `to` (between ends of a range), `between` (pattern) and its `between_and`,
    `of`, `per`, `hundred`, `version`, `half_m half_f and_half_m and_half_f`, `each` (pattern for words before
    a lone unit in the singular), `of_year`, `at_time`; some have `from_time`, `to_time`, `²`, `³`, `^`."""

    gender: Callable[[str, int], Gender]
    """Of the word behind a number and the number: "" where the word is not what is counted."""

    labels: frozenset[str]
    """Nouns that a number names ("canal 1") rather than counts, in lower case."""

    feminine_before: frozenset[str]
    """Words before a number that make it feminine where no noun follows ("las 21")."""

    counted: Callable[[str, str], str]
    """Number words and the noun that follows: what stands before the noun, with its space (`un'`)."""

    fix: Callable[[str, int, Gender], str]
    """Corrects the number words of the data for a number and a gender."""

    singular: Callable[[str], str] = lambda noun: noun.removesuffix("s")
    """Of a noun that stands behind one and a half: "horas" to "hora"."""

    units: Mapping[str, Noun]
    """Symbols of units, `µ` as `MICRO`; compounds (`km/h`, `m²`) only where they are read irregularly."""

    squared: Power
    """For `²`."""

    cubed: Power
    """For `³`."""

    per: Callable[[str, Noun], str]
    """"per" with the unit (its symbol and noun) below the stroke: "por hora", "all'ora"."""

    before_words: frozenset[str]
    """Symbols that are also words of the language: units only where no letter follows ("5 ha")."""

    currencies: Mapping[str, Currency]
    """By sign and by code: `€`, `EUR`."""

    cents: str
    """Between the units and the hundredths: "con"."""

    magnitudes: str
    """Pattern for "millions" and the like behind a number; its `de` is put in before a currency."""

    months: tuple[str, ...]
    """Twelve names."""

    month_pattern: str
    """Pattern for names and abbreviations of months; the first three letters tell which."""

    date: Callable[[int, int, int | None], str]
    """Day, month and year (if given) in words."""

    date_cue: str
    """Pattern for words before `5/11` that make it a date."""

    clock: Callable[[int, int, str, bool], str]
    """Hour, minute, what `clock_cue` has found before them or "", and whether "hours" must not follow; the
    whole in words, with the cue as it then must be ("a las 1:30" to "a la una y media")."""

    clock_cue: str
    """Pattern for what stands before a time of day, with its space ("a las ")."""

    day_parts: Callable[[int], str]
    """Of an hour (0 to 23) what am or pm means: "de la tarde"."""

    ordinal: Callable[[int, Gender, bool], str]
    """A number, its gender, and whether a noun follows: "primer"."""

    degree_ordinals: str
    """Pattern for words before which `1°` is an ordinal; empty for none."""

    denominator: Callable[[int, int], str]
    """Denominator and numerator: "cuartos"."""

    abbreviations: Mapping[str, str]
    """Pattern to words. The pattern is matched with its case, at the start of a word."""

    code_cue: str
    """Pattern for words before a number that is read digit by digit."""

    regnal: Callable[[str, int], str]
    """How a ruler is numbered, by name: "sexto", "trece"."""

    rulers: str
    """Pattern for names of rulers and popes."""

    century: str
    """Pattern for "century" before a Roman number."""

    century_number: Callable[[int], str]
    """How it is then read."""

    roman_labels: str
    """Pattern for words before any Roman number: chapter, volume."""

    roman_counted: str
    """Pattern for words behind a Roman number that is an ordinal: "aniversario"."""

    letters: Mapping[str, str]
    """Names of letters and signs for spelling, in lower case."""

    compass: Compass
    """Points of the compass."""

    scales: Mapping[str, tuple[str, str]]
    """Letters between a number and a currency: `M` to "million", "millions"; `k` needs no entry."""

    lasting: str
    """Pattern for words before `1h30` that make it a length of time rather than a time of day."""

    over: str
    """Between a mark and the best one: "8 over 10"."""

    singular_below_two: bool = False
    """Whether 1.5 and 0 count one thing (French)."""

    decimals_agree: bool = False
    """Whether what stands before the decimal comma agrees with the noun ("duas vírgula cinco horas")."""

    def cardinal(self, number: int, gender: Gender = "") -> str:
        """A number in words, agreeing with a gender; with none as in counting."""
        if abs(number) >= numbers.LARGEST:
            return numbers.digits(str(number), self.language)
        return self.fix(_spelled(number, self.language, gender), number, gender)

    def digits(self, written: str) -> str:
        """Each digit as a word."""
        return " ".join(self.cardinal(int(digit)) for digit in written if digit.isdecimal())

    def month(self, written: str) -> int | None:
        """Number of a month from its name or abbreviation."""
        start = written.lower()[:3]
        if self.language == "fr":
            start = written.lower()[:4]
        for index, name in enumerate(self.months, 1):
            if name.startswith(start):
                return index
        return None

    def unit(self, symbol: str) -> Noun | None:
        """What a symbol, simple or compound, stands for; `µ` of either kind."""
        return _unit(self, symbol.replace("µ", MICRO).replace("⋅", "·"))


def _spelled(number: int, language: str, gender: Gender) -> str:
    ruleset = {
        "": "spellout-numbering",
        "m": "spellout-cardinal-masculine",
        "f": "spellout-cardinal-feminine",
    }
    return numbers.spell(number, language, ruleset[gender])


@functools.lru_cache(maxsize=4096)
def _unit(grammar: Grammar, symbol: str) -> Noun | None:
    if symbol in grammar.units:
        return grammar.units[symbol]
    above, stroke, below = symbol.partition("/")
    if stroke:
        return _rate(grammar, above, below)
    if symbol[-1:] in ("²", "³"):
        return _powered(grammar.unit(symbol[:-1]), grammar.squared if symbol[-1] == "²" else grammar.cubed)
    return None


def _rate(grammar: Grammar, above: str, below: str) -> Noun | None:
    hundred = re.fullmatch(r"100 ?(\D+)", below)
    of, by = grammar.unit(above), grammar.unit(hundred[1] if hundred else below.strip("()"))
    if of is None or by is None:
        return None
    said = grammar.per(below, by)
    if hundred:
        said = f"{grammar.words['per']} {grammar.words['hundred']} {by.many}"
    return Noun(f"{of.one} {said}", f"{of.many} {said}", of.gender)


def _powered(noun: Noun | None, power: Power) -> Noun | None:
    if noun is None:
        return None
    if noun.gender == "f":
        return Noun(f"{noun.one} {power.one_f}", f"{noun.many} {power.many_f}", "f")
    return Noun(f"{noun.one} {power.one_m}", f"{noun.many} {power.many_m}", noun.gender)
