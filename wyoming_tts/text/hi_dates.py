"""Dates and times of day in Hindi."""

from __future__ import annotations

import functools
import re

from wyoming_tts.text import hi_words as say
from wyoming_tts.text.aligned import Rule

START = r"(?<!\d)(?<!\d[.,])"
"""Where a number may begin."""

_PART_OF_DAY = re.compile(r"(?:सुबह|सवेरे|दोपहर|शाम|रात|तड़के)\s*(?:के\s*|को\s*|में\s*)?$")
_END = r"(?![\w\u0900-\u0903\u093a-\u094f])"
_NO_AT = re.compile(rf"\s*(?:(?:से|तक|के|का|की|है|हैं|हो|था|थे|हुए){_END}|[.,।!?;:)]|$)")
_MONTH_STEMS = ("जन", "फ़र", "मार्च", "अप्रै", "मई", "जून", "जुल", "अग", "सित", "अक्टू", "नव", "दिस")
_MONTH = "(?:" + "|".join((*say.MONTHS, "फरवरी", "सितम्बर", "अक्तूबर", "नवम्बर", "दिसम्बर")) + ")"
_ENGLISH = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_ENGLISH_MONTH = (
    r"(Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_ORDERS = frozenset({"mdy", "dmy", "ymd", "ydm", "md", "dm", "ym", "my", "d", "m", "y"})


def read_date(text: str, form: str) -> str | None:
    """A date in digits, its parts in the order of `form` (`mdy`); None when it is none."""
    parts = [int(part) for part in re.findall(r"\d{1,8}", text)]
    if re.fullmatch(r"\d{8}", text):
        parts = [int(text[:4]), int(text[4:6]), int(text[6:])]
    order = form.lower()
    if order not in _ORDERS:
        order = "ymd"[: len(parts)] if parts and parts[0] > 31 else "dmy"[: len(parts)]
    if not parts or len(parts) != len(order):
        return None
    named = dict(zip(order, parts, strict=True))
    if not (1 <= named.get("m", 1) <= 12 and 1 <= named.get("d", 1) <= 31):
        return None
    said = [say.cardinal(named["d"])] if "d" in named else []
    said += [say.MONTHS[named["m"] - 1]] if "m" in named else []
    said += [say.year(named["y"])] if "y" in named else []
    return " ".join(said)


def read_time(text: str) -> str | None:
    """A time of day in digits ("7:05 PM", "19.30", "7 बजे"); None when it is none."""
    match = re.fullmatch(r"(\d{1,2})(?:[:.](\d\d))?(?:[:.](\d\d))?\s*(?:([AaPp])\.?[Mm]\.?|बजे)?", text)
    if not match or int(match[1]) > 24 or int(match[2] or 0) > 59 or int(match[3] or 0) > 59:
        return None
    return _clock(match, "")


def _clock(match: re.Match[str], before: str) -> str:
    """Hours, minutes, seconds and `a` or `p` (each but the first may be None), in words."""
    hour, part = int(match[1]), ""
    if match[4] and 1 <= hour <= 12:
        part, hour = say.part_of_day(hour, match[4] in "pP")
        part = "" if _PART_OF_DAY.search(before) else f"{part} "
    return part + say.clock(hour, int(match[2] or 0), int(match[3] or 0))


def _time(match: re.Match[str]) -> str | None:
    """Minutes are "past" the hour, so that "बजे" becomes "पर" or nothing."""
    said = _clock(match, match.string[max(0, match.start() - 16) : match.start()])
    after = match[5] or ""
    if not after or said.endswith("बजे"):
        return said
    if after.strip() == "बजे" and _NO_AT.match(match.string[match.end() : match.end() + 8]):
        return said
    return f"{said} पर"


def _span(match: re.Match[str]) -> str:
    return say.duration(int(match[1] or 0), int(match[2]), int(match[3] or 0))


def _short_span(match: re.Match[str]) -> str:
    first, second = int(match[1]), int(match[2])
    return say.duration(first, second, 0) if match[3].startswith("घं") else say.duration(0, first, second)


def _date(order: str, match: re.Match[str]) -> str | None:
    """A date whose groups are named d, m and y; a month that cannot be one may be the day."""
    day, month, years = int(match["d"]), int(match["m"]), int(match["y"])
    if order == "dmy" and month > 12 >= day:
        day, month = month, day
    if len(match["y"]) == 2:
        years += 2000 if years < 70 else 1900
    return say.date(day, month, years)


def _timestamp(match: re.Match[str]) -> str | None:
    day = _date("ymd", match)
    return day and f"{day}, {say.clock(int(match['hour']), int(match['minute']))}"


def _day_of_month(match: re.Match[str]) -> str | None:
    return say.date(int(match[1]), int(match[2]))


def _english(match: re.Match[str]) -> str | None:
    day, month = (match[1], match[2]) if match[1].isdecimal() else (match[2], match[1])
    years = int(match[3]) if match[3] else None
    return say.date(int(day), _ENGLISH.index(month[:3].lower()) + 1, years)


def _decade(match: re.Match[str]) -> str:
    return f"{say.year(int(match[1]))} के दशक"


def _short_month(match: re.Match[str]) -> str:
    return f"{match[1]} {say.MONTHS[_MONTH_STEMS.index(match[2])]}"


def _kept_and_year(match: re.Match[str]) -> str:
    return match[1] + say.year(int(match[2]))


def _years(match: re.Match[str]) -> str:
    return f"{say.year(int(match[1]))} से {say.year(int(match[2]))}"


def _year(match: re.Match[str]) -> str:
    return say.year(int(match[0]))


_ISO = rf"{START}(?P<y>\d{{4}})-(?P<m>\d\d)-(?P<d>\d\d)"
_ZONE = r"(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?(?![\d:])"
_HALF = r"(?:\s?([AaPp])\.?[Mm](?:\b\.?))"
_AT = rf"(\sबजे|\sपर{_END})"
_EVENT = "विश्व कप|वर्ल्ड कप|ओलंपिक|चुनाव"
_YEAR = r"1[1-9]\d\d"

DATE_RULES: tuple[Rule, ...] = (
    (re.compile(rf"{_ISO}[T ](?P<hour>\d\d):(?P<minute>[0-5]\d){_ZONE}"), _timestamp),
    (re.compile(rf"{_ISO}(?![\d-])"), functools.partial(_date, "ymd")),
    (
        re.compile(rf"{START}(?P<d>\d{{1,2}})([/.-])(?P<m>\d{{1,2}})\2(?P<y>\d{{4}})(?![\d/-])"),
        functools.partial(_date, "dmy"),
    ),
    (
        re.compile(rf"{START}(?P<d>\d{{1,2}})/(?P<m>\d\d?)/(?P<y>\d\d)(?![\d/-])"),
        functools.partial(_date, "dmy"),
    ),
    (re.compile(rf"{START}(\d{{1,2}})/(\d{{1,2}})(?=\s(?:को|तारीख))"), _day_of_month),
    (
        re.compile(rf"{START}(1[3-9]|2\d|3[01])/(0?[1-9]|1[0-2])(?![\d/.]|\s?[=%A-Za-z])"),
        _day_of_month,
    ),
    (re.compile(rf"{START}(1\d{{3}}|20\d0)['’]?s(?![A-Za-z])"), _decade),
    (re.compile(rf"{START}(\d{{1,2}})(?:st|nd|rd|th)? {_ENGLISH_MONTH}(?:,?\s(\d{{4}})(?!\d))?"), _english),
    (
        re.compile(
            rf"\b{_ENGLISH_MONTH}\s(\d{{1,2}})(?:st|nd|rd|th)?(?![\d:.]|\s?%)(?:,?\s(\d{{4}})(?!\d))?"
        ),
        _english,
    ),
    (re.compile(rf"{START}(\d{{1,2}})\s({'|'.join(_MONTH_STEMS)})[.\u0970]"), _short_month),
    (
        re.compile(rf"{START}(\d{{1,2}})\s(जन|फ़र|अप्रै|जुल|अग|सित|अक्टू|नव|दिस)ं?(?=,?\s\d{{4}}(?!\d))"),
        _short_month,
    ),
    (re.compile(rf"((?:{_MONTH}),?\s)({_YEAR})(?![\d.,:]*\d)"), _kept_and_year),
    (re.compile(rf"((?:सन्|सन|साल|वर्ष)\s)({_YEAR})(?![\d.,:]*\d)"), _kept_and_year),
    (re.compile(rf"{START}({_YEAR})\s?[-–—]\s?({_YEAR}|20\d\d)(?![\d.,:]|\s?[A-Za-z%°])"), _years),
    (
        re.compile(rf"{START}{_YEAR}(?=\s(?:में|का|की|के|से|तक|ईस्वी|ईसवी|{_EVENT}){_END})"),
        _year,
    ),
)
"""Dates and years."""

TIME_RULES: tuple[Rule, ...] = (
    (
        re.compile(r"(?<=:[0-5]\d)(\s?[AaPp]\.?[Mm]\.?)?\s?[-–—]\s?(?=\d\d?:[0-5]\d(?!\d))"),
        lambda m: f"{m[1] or ''} से ",
    ),
    (
        re.compile(
            rf"{START}(0\d|\d\d?(?=:\d\d:\d\d\s?(?:[AaPp]\.?[Mm]|बजे)))"
            rf":([0-5]\d):([0-5]\d)(?!\d){_HALF}?{_AT}?"
        ),
        _time,
    ),
    (re.compile(rf"{START}(\d{{1,3}}):([0-5]\d):([0-5]\d)(?![\d:])"), _span),
    (
        re.compile(
            rf"{START}(\d{{1,3}})\s?(?:h|hrs?)\s?(\d{{1,2}})\s?(?:m|mins?)"
            r"(?:\s?(\d{1,2})\s?s(?:ecs?)?)?(?![\w²³/])"
        ),
        _span,
    ),
    (
        re.compile(rf"{START}()(\d{{1,3}})\s?(?:m|mins?)\s?(\d{{1,2}})\s?s(?:ecs?)?(?![\w²³/])"),
        _span,
    ),
    (re.compile(rf"{START}(\d{{1,3}}):([0-5]\d)\s(घंटे|घंटा|मिनट)"), _short_span),
    (
        re.compile(rf"{START}([01]?\d|2[0-4]):([0-5]\d)()(?![\d:]){_HALF}?{_AT}?"),
        _time,
    ),
    (re.compile(rf"{START}([01]?\d|2[0-4])\.([0-5]\d)()()(\sबजे)"), _time),
    (re.compile(rf"{START}(0?[1-9]|1[0-2])()(){_HALF}()"), _time),
    (
        re.compile(rf"{START}(\d{{1,4}}):(\d{{1,4}})(?![\d:])"),
        lambda m: f"{say.spoken(m[1])} अनुपात {say.spoken(m[2])}",
    ),
)
"""Times of day, durations and other numbers with a colon."""
