"""English number words, and the way English rules are applied."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from wyoming_tts.text import numbers
from wyoming_tts.text.aligned import AlignedText

NUMBER = r"(?:(?:[0-9]{1,3}(?:,[0-9]{3})++(?![0-9])|[0-9]++)(?:\.[0-9]++)?+|\.[0-9]++)"
"""Pattern of a number without sign: `5`, `1,234.5`, `.5`."""

START = r"(?<![\w])(?<![0-9][.,])(?<![0-9]-)"
"""Pattern of where a number may begin: not inside a word or another number."""

SIGNS = {
    ".": "dot",
    "/": "slash",
    "-": "dash",
    "_": "underscore",
    ":": "colon",
    "@": "at",
    "\\": "backslash",
    "~": "tilde",
    "+": "plus",
    "#": "hash",
    "=": "equals",
    "&": "and",
    "?": "question mark",
    "%": "percent",
    "*": "star",
    "!": "exclamation mark",
    ",": "comma",
    "$": "dollar",
}
"""What the signs inside addresses and codes are called."""

_LONGEST = 15  # digits; longer numbers are read one by one


@dataclass(frozen=True, slots=True)
class English:
    """Number words as they are said in one country."""

    british: bool
    """Whether "and" is said inside numbers, and the day before the month."""

    def cardinal(self, number: int) -> str:
        """`105` -> "one hundred five", in Britain "one hundred and five"."""
        if number < 0:
            return "minus " + self.cardinal(-number)
        return self._spelt(number, "cardinal")

    def ordinal(self, number: int) -> str:
        """`105` -> "one hundred fifth", in Britain "one hundred and fifth"."""
        return self._spelt(number, "ordinal")

    def _spelt(self, number: int, kind: str) -> str:
        if number >= numbers.LARGEST:
            return self.digits(str(number))
        ruleset = f"spellout-{kind}-verbose" if self.british else f"spellout-{kind}"
        return numbers.spell(number, "en", ruleset).replace(",", "")

    def digits(self, written: str) -> str:
        """Each digit as a word: "zero four two zero"."""
        return " ".join(self.cardinal(int(digit)) for digit in written if digit.isdecimal())

    def number(self, written: str) -> str:
        """A number as written: `1,234.5` -> "one thousand two hundred thirty-four point five"."""
        whole, _, fraction = written.replace(",", "").partition(".")
        said = self.whole(whole or "0")
        return f"{said} point {self.digits(fraction)}" if fraction else said

    def whole(self, written: str) -> str:
        """Digits as a number; one by one where it begins with a zero or is too long to be counted."""
        if len(written) > _LONGEST or (len(written) > 1 and written[0] == "0"):
            return self.digits(written)
        return self.cardinal(int(written))

    def year(self, number: int) -> str:
        """`1999` -> "nineteen ninety-nine", `2005` -> "two thousand five", `1905` -> "nineteen oh five"."""
        if number < 1000 or number % 1000 == 0 or 2000 < number < 2010 or number > 9999:
            return self.cardinal(number)
        return self.pair(number)

    def pair(self, number: int) -> str:
        """Two by two digits: `2490` -> "twenty-four ninety", `101` -> "one oh one"."""
        head, tail = divmod(number, 100)
        rest = "hundred" if not tail else f"oh {self.cardinal(tail)}" if tail < 10 else self.cardinal(tail)
        return f"{self.cardinal(head)} {rest}"


Said = str | dict[int, str] | None
"""What stands in place of a match, or of some of its groups; None leaves it alone."""

Say = Callable[[re.Match[str], English], Said]


@dataclass(frozen=True, slots=True)
class EnglishRule:
    """A pattern and how its matches are read."""

    pattern: re.Pattern[str]
    """What is read in a special way."""

    say: Say
    """How."""


def rule(pattern: str, say: Say | str, flags: int = 0) -> EnglishRule:
    """A rule; a string is what every match becomes."""
    if isinstance(say, str):
        fixed = say
        return EnglishRule(re.compile(pattern, flags), lambda match, english: fixed)
    return EnglishRule(re.compile(pattern, flags), say)


def rewrite(text: AlignedText, rules: Iterable[EnglishRule], english: English) -> AlignedText:
    """One rule after the other, each everywhere but under marks; words never grow together."""
    for each in rules:
        edits: list[tuple[int, int, str]] = []
        for match in each.pattern.finditer(text.text):
            if any(mark.start < match.end() and match.start() < mark.end for mark in text.marks):
                continue
            edits += _edits(match, each.say(match, english))
        if edits:
            text = text.edited(edits)
    return text


def _edits(match: re.Match[str], said: Said) -> Iterable[tuple[int, int, str]]:
    if said is None:
        return
    padded, last = False, -1
    for group, new in ({0: said} if isinstance(said, str) else said).items():
        start, end = match.span(group)
        if start < 0 or new == match.string[start:end]:
            continue
        start, end, new = _narrowed(match.string, start, end, new)
        new = _spaced(match.string, start, end, new)
        new = new.lstrip() if padded and start == last else new
        padded, last = new.endswith(" "), end
        yield start, end, new


def _narrowed(text: str, start: int, end: int, new: str) -> tuple[int, int, str]:
    """The edit without the words at either end that it does not change."""
    same = _same(text[start:end], new)
    start, new = start + same, new[same:]
    tail = _same(text[start:end][::-1], new[::-1])
    return (start, end - tail, new[: len(new) - tail]) if tail else (start, end, new)


def _same(old: str, new: str) -> int:
    """How many characters of whole words both begin with."""
    length = 0
    for index, (left, right) in enumerate(zip(old, new, strict=False)):
        if left != right:
            break
        if left == " ":
            length = index + 1
    return length


def _spaced(text: str, start: int, end: int, new: str) -> str:
    if len(new) == 1:  # a look-alike of the same letter
        return new
    if new[:1].isalpha() and start and text[start - 1].isalnum():
        new = " " + new
    if new[-1:].isalpha() and text[end : end + 1].isalnum():
        new += " "
    return new


def at_end(match: re.Match[str]) -> bool:
    """Whether nothing is said behind the match: a full stop at its end ends the sentence too."""
    return not any(char.isalnum() for char in match.string[match.end() : match.end() + 4])


def stop_if_last(match: re.Match[str]) -> str:
    """The full stop that an abbreviation at the end of a sentence shares with it."""
    stopped = any(char in ".!?" for char in match.string[match.end() : match.end() + 4])
    return "." if match[0].endswith(".") and at_end(match) and not stopped else ""


def before(match: re.Match[str], length: int = 40) -> str:
    """The text in front of the match, in lower case."""
    return match.string[max(0, match.start() - length) : match.start()].lower()


def after(match: re.Match[str], length: int = 24) -> str:
    """The text behind the match."""
    return match.string[match.end() : match.end() + length]


def around(match: re.Match[str], length: int = 80) -> str:
    """The text that holds the match."""
    return match.string[max(0, match.start() - length) : match.end() + length]


def words(text: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(text.split())


def letters(word: str) -> str:
    """A word letter by letter: `usb` -> "U S B"."""
    return " ".join(word.upper())
