"""English numbers as such: signs, ranges, fractions, ordinals, sums."""

from __future__ import annotations

import re

from wyoming_tts.text.en_units import UNIT, quoted, reading
from wyoming_tts.text.en_words import NUMBER, START, English, Said, after, around, before, rule, words

_FRACTIONS = {
    "½": (1, 2),
    "⅓": (1, 3),
    "⅔": (2, 3),
    "¼": (1, 4),
    "¾": (3, 4),
    "⅕": (1, 5),
    "⅖": (2, 5),
    "⅗": (3, 5),
    "⅘": (4, 5),
    "⅙": (1, 6),
    "⅚": (5, 6),
    "⅛": (1, 8),
    "⅜": (3, 8),
    "⅝": (5, 8),
    "⅞": (7, 8),
}
_VULGAR = "".join(_FRACTIONS)
_OUT_OF = re.compile(
    r"\b(?:rat(?:ed?|ing)|scor(?:ed?|ing)|got|gave|quality|review|pain|pollen|level|risk|"
    r"index)\b[^0-9]{0,16}\Z"
)
_OF = re.compile(
    r"\b(?:step|page|part|episode|question|chapter|slide|item|round|day|week|lap|track|attempt|layer)\s\Z"
)
_SIGN = r"(?=[.$€£¥]?[0-9])"
_QUANTITY = rf"{NUMBER}(?:\s?{UNIT})?"
_LENGTHS = words("mm cm m km in ft yd mi px K p ' \"")
_COMPARISONS = {
    "=": "equals",
    "==": "equals",
    "≠": "is not equal to",
    "!=": "is not equal to",
    "<": "less than",
    ">": "greater than",
    "≤": "less than or equal to",
    "≥": "greater than or equal to",
    "<=": "less than or equal to",
    ">=": "greater than or equal to",
    "≈": "is about",
    "÷": "divided by",
    "×": "times",
    "*": "times",
    "+": "plus",
    "−": "minus",
    "→": "to",
    "±": "plus or minus",
    "~": "about",
}


def fraction(numerator: int, denominator: int, english: English) -> str:
    """`3`, `4` -> "three quarters"."""
    names = {2: ("half", "halves"), 4: ("quarter", "quarters")}
    ordinal = english.ordinal(denominator)
    name = names.get(denominator, (ordinal, ordinal + "s"))
    return f"{english.cardinal(numerator)} {name[0 if numerator == 1 else 1]}"


def _mixed(whole: str, numerator: int, denominator: int, english: English) -> str:
    said = fraction(numerator, denominator, english)
    if not whole:
        return said
    return f"{english.number(whole)} and {'a ' + said[4:] if numerator == 1 else said}"


def _vulgar(match: re.Match[str], english: English) -> Said:
    said = _mixed(match[1] or "", *_FRACTIONS[match[2]], english)
    return said + _of_unit(match, bool(match[1]), english)


def _of_unit(match: re.Match[str], mixed: bool, english: English) -> str:
    unit = match["unit"]
    if not unit:
        return ""
    if unit in '"″':
        if unit == '"' and quoted(match):
            return unit
        unit = "in"
    said = (
        None
        if unit in ("in", "K", "A", "T", "us") and not mixed and unit != "in"
        else reading(unit, not mixed, english)
    )
    return match["gap"] + (said or unit) if said is None else f" {said}"


def _slash(match: re.Match[str], english: English) -> Said:
    whole, numerator, denominator = match[1] or "", int(match[2]), int(match[3])
    top, bottom = english.whole(match[2]), english.whole(match[3])
    rest = _of_unit(match, bool(whole), english)
    if _OF.search(before(match)):
        return f"{top} of {bottom}{rest}"
    if not whole and ("=" in after(match, 4) or "=" in before(match, 4)):
        return f"{top} divided by {bottom}{rest}"
    if not whole and (
        _OUT_OF.search(before(match))
        or re.match(r"\s(?:stars?|points?)\b", match.string[match.end(3) : match.end(3) + 8])
        or (denominator in (10, 100) and numerator > 1)
    ):
        return f"{top} out of {bottom}{rest}"
    many = _of_unit(match, True, english)
    if numerator < denominator and denominator > 16 and many:
        return f"{top} of {bottom}{many}"
    if denominator < 2 or (numerator >= denominator and (denominator > 2 or not rest)):
        return f"{top}{' over' if numerator > 59 else ''} {bottom}{many}" if not whole else None
    if (numerator, denominator) in ((9, 11), (7, 11)) or denominator > 100 or numerator > 19:
        return f"{top} over {bottom}{rest}" if denominator > 100 else f"{top} {bottom}{rest}"
    return _mixed(whole, numerator, denominator, english) + rest


def _part_of(match: re.Match[str], english: English) -> Said:
    """`11.2/13.5 kWh`, `4.5/5 stars`: one number of, or out of, the other."""
    left, right = match[1].replace(",", ""), match[3].replace(",", "")
    if float(left[:15]) > float(right[:15]):
        return None
    if len(right) > 3 and "." not in right:
        return {2: " of "}
    unit = match["unit"]
    if unit and unit not in ("in", "A") and reading(unit, False, english):
        return {2: " of "}
    return {2: " out of "} if match[3] in ("5", "10", "100") else None


def _dash(match: re.Match[str], english: English) -> Said:
    """Between numbers a dash is "to", or "minus" in a sum."""
    unit = match["unit"] or ""
    if unit and (
        not reading(unit.strip(), False, english) or (unit[0] == " " and len(unit) < 3 and unit[1:].isalpha())
    ):
        return None
    left, right = (float(match[name].replace(",", "")[:15]) for name in ("left", "right"))
    spaced = match["dash"] != match["dash"].strip() or "=" in around(match)
    sums = "-" in match["dash"] and spaced and (left > right or "=" in around(match))
    shorter = len(match["left"]) == 4 and len(match["right"]) == 2 and match["left"][:2] in ("19", "20")
    if shorter and not match["sign"] and int(match["right"]) > int(match["left"][2:]):
        return {
            match.re.groupindex["left"]: english.year(int(match["left"])),
            match.re.groupindex["dash"]: " to ",
        }
    return {match.re.groupindex["dash"]: " minus " if sums else " to "}


def _chain(match: re.Match[str], english: English) -> Said:
    """`1-2-3`: numbers one after the other."""
    return " ".join(english.whole(part) for part in re.split("[-–]", match[0]))


def _sum(match: re.Match[str], english: English) -> Said:
    return f"{' ' if match.start() else ''}{_COMPARISONS[match[1]]} "


def _ordinal(match: re.Match[str], english: English) -> Said:
    digits = match[1].replace(",", "")
    said = english.ordinal(int(digits)) if len(digits) < 16 else english.digits(digits)
    said += "s" if match[2] else ""
    capital = re.match(r"\s(?:Ave|Avenue|St|Street|Blvd|Rd|Road)\b", after(match))
    return said.capitalize() if capital else said


def _power(match: re.Match[str], english: English) -> Said:
    exponent = {"²": "squared", "³": "cubed"}.get(match[2] or "")
    power = match[3]
    said = exponent or {"2": "squared", "3": "cubed"}.get(power) or _exponent(power, english)
    return f"{english.number(match[1]) if match[1][0] in '.0123456789' else match[1]} {said}"


def _exponent(power: str, english: English) -> str:
    return f"to the power of {english.whole(power) if power.isdecimal() else power}"


def _raised(match: re.Match[str], english: English) -> Said:
    power = match[1].lstrip("-−")
    if power == match[1] and power in ("2", "3"):
        return " squared" if power == "2" else " cubed"
    said = english.whole(power) if power.isdecimal() else power
    return f" to the power of {'' if power == match[1] else 'minus '}{said}"


def _power_of_number(match: re.Match[str], english: English) -> Said:
    base, power, sign = english.number(match[1]), english.whole(match[3]), "minus " if match[2] else ""
    short = {"2": "squared", "3": "cubed"}.get(match[2] + match[3])
    return f"{base} {short or f'to the power of {sign}{power}'}"


def _compared(match: re.Match[str], english: English) -> Said:
    counted = match[1] == ">" and re.search(
        r"\b(?:for|in|of|by|after|with|takes?|took|needs?|lasted|open) \Z", before(match)
    )
    return "more than " if counted else f"{_COMPARISONS[match[1]]} "


def _times(match: re.Match[str], english: English) -> Said:
    rest = match.string[match.start() : match.end() + 40]
    spaced = " " in match[2]
    unit = re.match(rf"{NUMBER}\s?({UNIT})", match.string[match.end() : match.end() + 40])
    power = re.match(r"[0-9]{1,4}[\^⁰¹⁴-⁹⁻²³]", match.string[match.end() : match.end() + 8])
    if power or (unit and unit[1] not in _LENGTHS and reading(unit[1], False, english)):
        return {2: " times "}
    by = (
        "=" not in rest
        and (not spaced or re.search(r"[0-9]\s?(?:[cmk]?m|in|ft|yd|px|inch|feet|meter|metre)", rest))
        and not (not spaced and "×" in match[2] and not re.search(r"[A-Za-z]", rest))
    )
    size = re.fullmatch(r"[1-9][0-9]{2,3}", match[1])
    said = (
        english.pair(int(match[1]))
        if by and size and not spaced and int(match[1]) % 1000
        else english.number(match[1])
    )
    return {1: said, 2: " by " if by and re.search(r"[a-z]|x", rest) else " times "}


def _size(match: re.Match[str], english: English) -> Said:
    number = int(match[1])
    return english.pair(number) if number % 1000 else english.cardinal(number)


def _plain(match: re.Match[str], english: English) -> Said:
    return english.number(match[0])


FRACTIONS = (
    rule(
        rf"(?:(?<![\w.,])([0-9]{{1,9}})\s?)?([{_VULGAR}])(?:(?P<gap>\s?)(?P<unit>{UNIT}|[\"″](?!\w)))?",
        _vulgar,
    ),
    rule(
        rf"(?<![\w.,/$€£-])([0-9]{{1,4}}\.[0-9]{{1,3}}|[0-9]{{1,3}}(?:,[0-9]{{3}})+)(\s?/\s?)"
        rf"([0-9]{{1,3}}(?:,[0-9]{{3}})++|[0-9]{{1,4}}(?:\.[0-9]{{1,3}})?)"
        r"(?![\w/]|[.,][0-9])"
        rf"(?=(?:\s?(?P<unit>{UNIT}))?)",
        _part_of,
    ),
    rule(
        rf"(?<![\w.,/$€£-])(?:([0-9]{{1,4}})[\s-])?([0-9]{{1,4}})\s?[/⁄]\s?([0-9]{{1,4}})(?![\w/]|"
        rf"[.,][0-9]|\s?/\s?[0-9])(?:(?P<gap>\s?)(?P<unit>{UNIT}|[\"″](?!\w)))?",
        _slash,
    ),
)
"""Fractions, and other pairs of numbers with a slash."""

SIGNS = (
    rule(r"(?<![\w.])([0-9]{1,9}(?:\.[0-9]{1,9})?)\^([-−]?)([0-9]{1,4})(?!\w)", _power_of_number),
    rule(r"(?:(?<=^)|(?<=[\s(\[:,]))([<>]=?|[≤≥])\s?(?=[-−+]?[.$€£¥]?[0-9])", _compared),
    rule(r"(?:(?<=[0-9]°)|(?<=°[CF])|(?<=[0-9]%))\s?/\s?(?=[-−+]?[0-9])", ", "),
    rule(r"(?<!\w)([$€£¥])-(?=[0-9])", lambda match, english: "-" + match[1]),
    rule(r"(?<![\w.,-])[0-9]{1,6}(?:[-–][0-9]{1,6}){2,12}(?![\w-])", _chain),
    rule(
        rf"(?<![\w])(?<![0-9][.,])(?P<left>{NUMBER})(?P<unit>\s?{UNIT}|"
        rf"\s?[°%])?(?P<dash>\s[-–—]\s|[-–—]\s?)(?P<sign>[-+]?)[$€£¥]?(?P<right>{NUMBER})(?![\w-]{0, 12}"
        rf"[0-9]-|/[0-9])",
        _dash,
    ),
    rule(
        rf"(?<=[0-9])(?<!^[0-9])\s?\+/?-\s?{_SIGN}|\s?±\s?{_SIGN}",
        lambda match, english: " plus or minus " if match.start() else "plus or minus ",
    ),
    rule(rf"(?:(?<=\b[A-Za-z])|(?<=[0-9)]))\s≈\s?{_SIGN}", " is about "),
    rule(rf"(?<![\w)])[~≈]\s?{_SIGN}", "about "),
    rule(rf"(?:(?<=^)|(?<=[\s(\[{{:;,=<>/*^+×÷\"'“‘|]))[-−–]{_SIGN}", "minus "),
    rule(rf"(?:(?<=^)|(?<=[\s(\[{{:;,=<>/*^×÷\"'“‘|]))(?<![0-9] )\+{_SIGN}", "plus "),
)
"""What stands before a number or between two."""

SIZES = (
    rule(
        rf"{START}{NUMBER}(?:\s?(?:in|ft|yd|[cmk]?m|px)|[\"'″′])(\s?[x×]\s?)(?=[0-9])",
        lambda match, english: {1: " by "},
    ),
    rule(rf"{START}({NUMBER})(\sx\s|x|\s?×\s?)(?=\.?[0-9])", _times),
    rule(r"(?<= by )([1-9][0-9]{2,3})(?!\w|[.,][0-9]|\s(?:[cmk]?m|in|ft|yd|px)\b)", _size),
)
"""`1920x1080`, `5 x 3`."""

SUMS = (
    rule(rf"(?<![\w.])({NUMBER}|[a-z])(?:([²³])|\^([0-9]{{1,4}}|[a-z]))(?!\w)", _power),
    rule(r"(?<=[A-Za-z)])\^([-−]?[0-9]{1,4}|[a-z])(?!\w)", _raised),
    rule(r"√\s?(?=[0-9a-z])", "the square root of "),
    rule(r"(?<=[0-9a-z)])\s?/\s?(?=[0-9]{1,15}\s?=)", " divided by "),
    rule(r"(?<=[0-9])\s?([+*×÷])\s?(?=[.(]?[0-9])", _sum),
    rule(r"\s?(==|!=|<=|>=|[≠≤≥≈÷×→])\s?", _sum),
    rule(r"(?<=[\w)])\s?(=)\s?(?=[\w(-])", _sum),
    rule(
        r"(?:(?<=\s)|(?<=^)|(?<=[0-9]))([<>])\s?(?=[0-9$€£])",
        lambda match, english: f"{_COMPARISONS[match[1]]} ",
    ),
    rule(r"(?<=\w)\s([<>+−])\s(?=\w)", _sum),
    rule(r"(?<=[0-9])(\+)(?=[\s,.;)]|$)", " plus"),
    rule(r"(?<=[A-Za-z])\+(?=[\s,.;:!?)]|$)", " plus"),
    rule(r"(?<=[A-Za-z])\+\+(?!\w)", " plus plus"),
    rule(r"(?<=\b[A-Za-z])\+(?=[A-Za-z]\b)", " plus "),
    rule(r"\s?&\s?", " and "),
    rule(
        r"(?<=[0-9])\s?@\s?(?=[$€£0-9])|(?<=\s)@(?=\s)",
        lambda match, english: "at" if match[0] == "@" and " " in before(match)[-1:] else " at ",
    ),
    rule(r"§\s?(?=[0-9])", "section "),
    rule(r"[∞]", "infinity"),
    rule(r"π", "pi"),
    rule(r"[™®©]", ""),
)
"""Sums and comparisons."""

ORDINALS = (
    rule(
        r"(?<![\w.,])([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,18})(?:st|nd|rd|th|ST|ND|RD|TH)(s?)(?![A-Za-z0-9])",
        _ordinal,
    ),
)
"""`21st`."""

NUMBERS = (
    rule(
        r"(?<![\w.:])([0-9]{1,6}):([0-9]{1,6})(?![\w:])",
        lambda match, english: f"{english.whole(match[1])} to {english.whole(match[2])}",
    ),
    rule(r"(?<=[A-Za-z])-(?=[0-9])", " "),
    rule(
        r"(?<![\w.,])[0-9]{1,3}(?: [0-9]{3}){2,4}(?![\w]|[.,][0-9]| [0-9])",
        lambda match, english: english.number(match[0].replace(" ", "")),
    ),
    rule(
        r"(?<![\w,.])[0-9]{1,2}(?:,[0-9]{1,2}){1,40}+(?![\w.]|,[0-9])",
        lambda match, english: match[0].replace(",", ", "),
    ),
    rule(NUMBER, _plain),
    rule(r"[²³]", lambda match, english: " squared" if match[0] == "²" else " cubed"),
)
"""Whatever is still a number."""
