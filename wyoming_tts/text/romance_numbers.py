"""Numbers as Romance languages write and read them, and what they count."""

from __future__ import annotations

import re
from typing import NamedTuple

from wyoming_tts.text.romance_grammar import Gender, Grammar, Noun

NUMBER = (
    r"(?:\d{1,3}(?:\.\d{3})++(?!\d)(?:,\d++)?|[1-9]\d{0,2}(?: \d{3})++(?!\d)(?:,\d++)?"
    r"|\d{1,3}(?:,\d{3})++(?!\d)\.\d++|\d{1,3}(?:,\d{3}){2,}+(?!\d)|\d++[.,]\d++|\d++)"
)
"""Pattern: `1.234,5`, `1 234`, `1,234.5`, `21.5`, `21,5`, `7`."""

SIGNED = rf"(?:(?<![\w.,)\]])[-−–+±] ?)?(?<![\w.,])(?<![\d][-−–]){NUMBER}"
"""Pattern: a number that is not the middle of something, with its sign."""

_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+|[1-9]\d{0,2}(?:,\d{3}){2,}")
_LONGEST_FRACTION_AS_NUMBER = 3


class Number(NamedTuple):
    """A written number."""

    sign: str
    """`-`, `+`, `±` or nothing."""

    whole: str
    """Digits before the comma."""

    fraction: str
    """Digits behind it."""

    @property
    def is_one(self) -> bool:
        """Whether it is exactly one, with or without a sign."""
        return self.whole.lstrip("0") == "1" and not self.fraction

    @property
    def is_below_two(self) -> bool:
        """Whether it is nought, one, or between."""
        return self.whole.lstrip("0") in ("", "1")


def parsed(written: str) -> Number:
    """The parts of what `SIGNED` matches."""
    sign = written[0] if written[0] in "-−–+±" else ""
    plain = written[len(sign) :].replace(" ", "")
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(".", "").replace(",", "")
    elif "." in plain and "," in plain:
        point, other = (",", ".") if plain.rindex(",") > plain.rindex(".") else (".", ",")
        plain = plain.replace(other, "").replace(point, ",")
    whole, _, fraction = plain.replace(".", ",").partition(",")
    return Number("-" if sign in ("−", "–") else sign, whole, fraction)


def words(grammar: Grammar, number: Number, gender: Gender = "") -> str:
    """A number read out, agreeing with a gender."""
    sign = f"{grammar.sums[number.sign]} " if number.sign else ""
    if not number.fraction:
        return sign + _whole(grammar, number.whole, gender)
    whole = _whole(grammar, number.whole, "f" if gender == "f" and grammar.decimals_agree else "")
    return f"{sign}{whole} {grammar.sums[',']} {_fraction(grammar, number.fraction)}"


def counted(grammar: Grammar, number: Number, noun: Noun) -> str:
    """A number and its unit: "veintiún grados"."""
    one = number.is_below_two if grammar.singular_below_two else number.is_one
    name = noun.one if one else noun.many
    return counting(grammar, number, noun.gender, name) + name


def counting(grammar: Grammar, number: Number, gender: Gender, noun: str) -> str:
    """A number before a noun that follows as it is, with the space between (`un'`, `un millón de `)."""
    said = words(grammar, number, gender)
    if not number.fraction and re.fullmatch(r"[1-9]\d*0{6}", number.whole) and noun:
        said = f"{said} {grammar.words['of']}"
    return grammar.counted(said, noun)


def _whole(grammar: Grammar, digits: str, gender: Gender) -> str:
    if len(digits) > 15 or (len(digits) > 1 and digits[0] == "0"):
        return grammar.digits(digits)
    return grammar.cardinal(int(digits), gender)


def _fraction(grammar: Grammar, digits: str) -> str:
    """Up to three digits as a number, noughts before it one by one; longer ones digit by digit."""
    zeros = len(digits) - len(digits.lstrip("0"))
    if len(digits) > _LONGEST_FRACTION_AS_NUMBER or zeros == len(digits):
        return grammar.digits(digits)
    leading = [grammar.cardinal(0)] * zeros
    return " ".join([*leading, grammar.cardinal(int(digits[zeros:]))])
