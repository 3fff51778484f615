"""The rules that Chinese and Japanese share, in the order in which they must be tried."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from wyoming_tts.text.aligned import Rule
from wyoming_tts.text.cjk import DASH, HALF_DAY, NUMBER, SIGNED, Speech, is_date

_Said = Callable[[re.Match[str]], str | None]

_NEAR = 12
"""Characters in front of a number in which a word may say what the number is."""

_TIME = r"(?<![\d:.])([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?![\d:])"
_LENGTH = r"(?<![\d:.])(\d{1,3}):([0-5]\d)(?::([0-5]\d))?(?![\d:])"
_HOURS = re.compile(
    r"(?<![\d.:A-Za-z])(\d{1,3})\s?h(?:rs?)?\s?(\d{1,2})\s?m(?:ins?)?"
    r"(?:\s?(\d{1,2})\s?s(?:ecs?)?)?(?![A-Za-z0-9²³/])"
)
_MINUTES = re.compile(r"(?<![\d.:A-Za-z])(\d{1,3})\s?m(?:ins?)?\s?(\d{1,2})\s?s(?:ecs?)?(?![A-Za-z0-9²³/])")
_MATH = re.compile(rf"(?<![\d.A-Za-z]){NUMBER}(?:\s?[-+×xX*÷/−]\s?{NUMBER}){{1,8}}\s?[=＝]")
_SHARE = re.compile(r"\s?(?:的|の|サイズ|スケール|以下|以上)")
_OPERATOR = re.compile(r"\s?([-+×xX*÷/−=＝])\s?")
_VERSION = re.compile(r"(?<![\d.])([vV]\.?\s?)?(\d{1,4}(?:\.\d{1,5}){2,5})(?![\d.]?\d)")
_PHONE = re.compile(
    r"(?<![\d.+A-Za-z-])(?:\+\d{1,3}[ -]?\(?\d{1,4}\)?(?:[ -]?\d{2,4}){1,4}"
    r"|\(0\d{1,4}\)[ -]?\d{2,4}[ -]?\d{4}"
    r"|0\d{1,3}-\d{2,4}(?:-\d{3,4})?|0\d{3}-\d{7}|0\d{2,3}-\d{7,8}|1[3-9]\d[ -]\d{4}[ -]\d{4}"
    r"|[48]00-\d{3,4}-?\d{3,4}"
    r"|\d{3}-\d{3}-\d{4}|\d{3}-\d{4}|\d{4}-\d{4})(?![\d.]?\d)(?!-\d)"
)
_MOBILE = re.compile(r"(?<![\d.A-Za-z])(1[3-9]\d)(\d{4})(\d{4})(?![\d.]?\d)")


def spoken(rule: _Said, cue: re.Pattern[str], found: bool = True) -> _Said:
    """The rule, where the cue is right in front of the match (or, with `found` False, is not)."""

    def heed(match: re.Match[str]) -> str | None:
        before = match.string[max(match.start() - _NEAR, 0) : match.start()]
        return rule(match) if (cue.search(before) is not None) == found else None

    return heed


def units_group(speech: Speech) -> str:
    """Matches a unit, and nothing that goes on as a word."""
    above, below = (_any(names) for names in (speech.units, speech.per))
    return rf"(?:(?:{above})(?:/(?:{below}))?)(?![A-Za-z0-9²³])(?!/[A-Za-z])(?!(?<=[\d\s]in)\s[A-Za-z0-9])"


def _any(names: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(names, key=len, reverse=True)))


def calendar(speech: Speech, version: re.Pattern[str]) -> Sequence[Rule]:
    """Dates, but for what a word in front says is a version."""

    def ymd(match: re.Match[str]) -> str | None:
        year, month, day = match[1], match[3], match[4]
        return speech.date(year, month, day) if is_date(year, month, day) else None

    def mdy(match: re.Match[str]) -> str | None:
        month, day = (match[1], match[2]) if int(match[1]) <= 12 else (match[2], match[1])
        return speech.date(match[3], month, day) if is_date(match[3], month, day) else None

    def month(match: re.Match[str]) -> str | None:
        return speech.date(match[1], match[2], "") if is_date(match[1], match[2], "") else None

    def day(match: re.Match[str]) -> str | None:
        return speech.date("", match[1], match[2]) if is_date("", match[1], match[2]) else None

    def likely(match: re.Match[str]) -> str | None:
        above, below = int(match[1]), int(match[2])
        if not match[3] and above <= below <= 12:
            return None
        return None if above == 1 and _SHARE.match(match.string, match.end()) else day(match)

    return (
        (re.compile(rf"(?:(?<=\d[一-鿿])(?<![到至])|(?<=[年月号时点時分]))\s?{DASH}\s?(?=\d)"), speech.to),
        (re.compile(rf"(?<=:\d\d)\s?{DASH}\s?(?=\d{{1,2}}:\d\d)"), speech.to),
        (re.compile(r"(?:(?<=\d[/-]\d\d)|(?<=\d/\d))\s?[~〜～]\s?(?=\d{1,4}[/-]\d)"), speech.to),
        (
            re.compile(r"(?<![\d./-])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:T(?=\d\d:)|(?![\d./-]?\d))"),
            spoken(ymd, version, False),
        ),
        (re.compile(r"(?<![\d./-])(\d{1,2})/(\d{1,2})/((?:19|20)\d\d)(?![\d./-]?\d)"), mdy),
        (re.compile(r"(?<![\d./-])((?:19|20)\d\d)[-/](0[1-9]|1[0-2])(?![\d./:-]?\d)"), month),
        (
            re.compile(
                r"(?<![\d./-])(\d{1,2})/(\d{1,2})(?=\s?[(（]?(?:周|週|星期|[月火水木金土日一二三四五六][)）曜]))"
            ),
            day,
        ),
        (
            re.compile(
                r"(?<![\d./-])(\d{1,2})/(\d{1,2})(?![\d./]|\s?[=拍倍杯])(?=\s?(から|まで|締|起|至|到|之?前)?)"
            ),
            likely,
        ),
        *_years(speech),
    )


def _years(speech: Speech) -> Sequence[Rule]:
    """Years that are called so."""
    return (
        (
            re.compile(rf"(?<!\d)((?:1\d|20|21)\d\d)\s?{DASH}\s?((?:1\d|20|21)\d\d)\s?年"),
            lambda m: f"{speech.year(m[1])}{speech.to}{speech.year(m[2])}年",
        ),
        (
            re.compile(r"(?<![\d.])((?:1\d|20|21)\d\d)\s?年(?!間|间|以?前|以?后|以?後)"),
            lambda m: f"{speech.year(m[1])}年",
        ),
    )


def clock(speech: Speech, lasting: re.Pattern[str], scores: re.Pattern[str]) -> Sequence[Rule]:
    """Times of day; lengths of time behind one cue, scores and proportions behind another."""

    def versus(match: re.Match[str]) -> str:
        return f"{speech.number(match[1])}{speech.versus}{speech.number(match[2])}"

    def length(match: re.Match[str]) -> str:
        if match[3] is None:
            return speech.duration("", match[1], match[2])
        return speech.duration(match[1], match[2], match[3])

    def moment(match: re.Match[str]) -> str:
        return speech.time(match[1], match[2], match[3] or "", (match[4] or "").lower())

    score = re.compile(rf"(?<![\d.:])(\d{{1,3}})\s?(?::|{DASH})\s?(\d{{1,3}})(?![\d:.%])")
    return (
        (score, spoken(versus, scores)),
        (re.compile(_LENGTH), spoken(length, lasting)),
        (_HOURS, lambda m: speech.duration(m[1], m[2], m[3] or "")),
        (_MINUTES, lambda m: speech.duration("", m[1], m[2])),
        (re.compile(_TIME + HALF_DAY), moment),
        (
            re.compile(r"(?<![\d.:])(1[0-2]|0?[1-9])\s?([AaPp])\.?[Mm](?![A-Za-z])\.?"),
            lambda m: speech.time(m[1], "", "", m[2].lower()),
        ),
        (re.compile(r"(?<![\d.:])(\d{1,3}):(\d{1,7})(?![\d:])"), versus),
    )


def codes(speech: Speech, cue: re.Pattern[str], version: re.Pattern[str]) -> Sequence[Rule]:
    """Versions, telephone numbers, and digits that a word in front says are to be read one by one."""

    def versioned(match: re.Match[str]) -> str:
        return (match[1] or "") + _version(speech, match[2])

    return (
        (re.compile(r"(?<![\d.A-Za-z])([248])K(?![A-Za-z])"), lambda m: speech.number(m[1]) + "K"),
        (re.compile(r"(?<![\d.A-Za-z])(\d{3,4})[pP](?![A-Za-z])"), lambda m: speech.digits(m[1]) + "P"),
        (_VERSION, versioned),
        (
            re.compile(r"(?<![\d.])(\d{1,4}\.\d{1,4})(?![\d.]?\d)(?!%)"),
            spoken(lambda m: _version(speech, m[1]), version),
        ),
        (_PHONE, lambda m: speech.phone(m[0])),
        (_MOBILE, lambda m: speech.phone(" ".join(m.groups()))),
        (re.compile(r"(?<![\d.])\d{3,}+(?![.,]\d)"), spoken(lambda m: speech.digits(m[0]), cue)),
        (re.compile(r"(?<![\d.])0\d++(?!\.\d)"), lambda m: speech.digits(m[0])),
        (
            re.compile(r"(?<=[A-Za-z])\d{3,}+(?![.,]\d)|(?<=[A-Za-z]-)\d{3,}+(?![.,]\d)"),
            lambda m: speech.digits(m[0]),
        ),
    )


def _version(speech: Speech, written: str) -> str:
    first, *others = written.split(".")
    head = speech.year(first) if len(first) == 4 and first[0] in "12" else speech.number(first)
    return speech.point.join([head, *map(speech.number, others)])


def money(speech: Speech) -> Sequence[Rule]:
    """Amounts with their currency."""
    signs = _any(sign for sign in speech.currencies if sign.isascii() or not sign.isalpha())
    behind = _any(speech.currencies)
    size = r"(?:\s?(?P<size>[万萬亿億千百]{1,2}|[KkMB](?![A-Za-z])))?"
    minus = r"(?P<sign>(?<![0-9A-Za-z])[-−–])?"
    return (
        (
            re.compile(
                rf"(?<=\d)\s?{DASH}\s?(?:{signs})?(?=\d{{1,15}}(?:\.\d{{1,9}})?\s?(?:{behind})(?![A-Za-z]))"
            ),
            speech.to,
        ),
        (
            re.compile(
                rf"((?<![A-Za-z])(?:{signs})\s?\d{{1,15}}(?:\.\d{{1,9}})?)\s?{DASH}\s?(?:{signs})?(?=\d)"
            ),
            lambda m: f"{re.sub('[^0-9.]', '', m[1])}{speech.to}{re.sub('[0-9. ]', '', m[1])}",
        ),
        (
            re.compile(rf"{minus}(?<![A-Za-z])(?P<before>{signs})\s?(?P<amount>{NUMBER}){size}(?P<behind>)"),
            speech.money,
        ),
        (
            re.compile(
                rf"(?P<before>){minus}(?P<amount>{NUMBER}){size}\s?(?P<behind>{behind})(?![A-Za-z0-9])"
            ),
            speech.money,
        ),
    )


def quantities(speech: Speech) -> Sequence[Rule]:
    """Ranges, percentages, and numbers with a unit."""
    unit = units_group(speech)
    any_unit = rf"({unit}|[%‰])"
    free = r"(?<![A-Za-z])"

    def ranged(match: re.Match[str]) -> str:
        return speech.range(match[1], match[2] or "", match[3], match[4])

    def counted(match: re.Match[str]) -> str:
        first, second = match[1], match[2]
        if "." not in first + second and int(first[:18]) >= int(second[:18]):
            return speech.number(first) + speech.versus + speech.number(second)
        return (
            speech.number(first)
            + speech.to
            + speech.left(second, match.string[match.end() : match.end() + 2])
        )

    return (
        (
            re.compile(
                rf"{free}({SIGNED})\s?{any_unit}?\s?(?:{DASH}|到|至|から)\s?([-−–]?{NUMBER})\s?{any_unit}"
            ),
            ranged,
        ),
        (re.compile(rf"{free}({SIGNED})\s?([%‰])"), lambda m: speech.signed_percent(m[1], m[2])),
        (re.compile(rf"{free}({SIGNED})\s?({unit})"), lambda m: speech.signed_quantity(m[1], m[2])),
        (re.compile(rf"(?<![\d.A-Za-z-])({NUMBER})\s?{DASH}\s?({NUMBER})(?!\s?{DASH}\s?\d)"), counted),
    )


def numbers(speech: Speech) -> Sequence[Rule]:
    """What is left: fractions, signs, numbers."""

    def fraction(match: re.Match[str]) -> str | None:
        if int(match[3]) == 0:
            return None
        part = speech.fraction(match[2], match[3])
        return f"{speech.number(match[1])}{speech.mixed}{part}" if match[1] else part

    return (
        (
            re.compile(r"(?<![\d./A-Za-z])(?:(\d{1,4}) )?(\d{1,4})/(\d{1,4})(?![\d/.]?\d)(?!\s?[A-Za-z])"),
            fraction,
        ),
        (re.compile(r"(?<=[A-Za-z])-(?=\d)"), " "),
        (re.compile(r"(?<![0-9A-Za-z.)）%°])[-−–](?=\d)"), speech.minus),
        (
            re.compile(NUMBER.replace(r"(?<![\d.])", "")),
            lambda m: speech.left(m[0], m.string[m.end() : m.end() + 2]),
        ),
    )


def signs(speech: Speech) -> Sequence[Rule]:
    """Signs in front of numbers."""
    return (
        (re.compile(r"±\s?(?=\d)"), speech.plus_minus),
        (re.compile(r"(?<=[约約])\s?[~〜～≈]\s?(?=\d)"), ""),
        (re.compile(r"(?<![\d%°℃年月日号時时分点])(?<![A-Za-z])\s?[~〜～≈]\s?(?=\d)"), speech.about),
        (
            re.compile(rf"([≥≧≤≦]|[<>]=?)\s?({SIGNED}(?:\s?{units_group(speech)}|%)?)"),
            lambda m: speech.compared[m[1]].format(m[2]),
        ),
        (re.compile(r"(?<![\dA-Za-z.])\+(?=\d)"), speech.plus),
    )


def sums(speech: Speech) -> Sequence[Rule]:
    """Sums with an equals sign."""

    def said(match: re.Match[str]) -> str:
        return _OPERATOR.sub(lambda sign: speech.operators[sign[1].lower()], match[0])

    return (
        (_MATH, said),
        (re.compile(r"(?<=\d)\s?[×xX*]\s?(?=\d)"), speech.times),
        (re.compile(r"(?<=[A-Za-z²])\s?×\s?(?=\d)"), speech.times),
        (re.compile(r"(?<=\d)\s?[+÷]\s?(?=\d)"), lambda m: speech.operators[m[0].strip()]),
        (re.compile(r"(?<=\d)\s?[=＝]\s?(?=[-−]?\d)"), speech.operators["="]),
    )
