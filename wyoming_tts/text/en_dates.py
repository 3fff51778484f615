"""English dates, days and years."""

from __future__ import annotations

import re

from wyoming_tts.text.en_time import clock, count
from wyoming_tts.text.en_units import UNIT, reading
from wyoming_tts.text.en_words import English, Said, after, before, rule, stop_if_last

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
"""Names of the months, January first."""

_DAYS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|"
    r"Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?|JAN|FEB|MAR|APR|MAY|"
    r"JUNE?|JULY?|AUG|SEPT?|OCT|NOV|DEC)(?![A-Za-z])\.?"
)
_DAY = r"(?:3[01]|[12][0-9]|0?[1-9])"
_SUFFIX = r"(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\s(1[0-9]{3}|2[0-9]{3})(?![0-9:]|[.,][0-9]|\s?[-–]?[0-9]|\s?(?:kWh|W|km|steps|people)\b))"
_TO = r"\s?(?:-|–|—|to|and|&)\s?"
_DAYNAME = r"(?:Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)"
_MONTHS_OR_HOURS = re.compile(
    rf"(?:,|,? and|,? or|,? to)\s{_DAYNAME}[a-z]{{0,6}}\b|(?:,|:)\s(?:[0-9]|"
    rf"{_MONTH}|the\b|at\b)|\)|\s(?:[0-9]|morning|afternoon|evening|"
    rf"night|at [0-9])|\s{_MONTH}"
)
_DATED = re.compile(
    r"(?:\b(?:date|due|deadline|birthday|expires):? |\b(?:on|due|until|till|dated?|since|before|after|by|"
    r"mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,? )\Z"
)
_YEAR_BEFORE = re.compile(
    r"\b(?:in|since|from|until|till|by|of|early|late|circa|year|before|after|around|during|to|and|between|"
    + "|".join(month.lower() for month in MONTHS)
    + r"|spring|summer|autumn|fall|winter)\s\Z"
)
_DECADE_BEFORE = re.compile(
    r"\b(?:the|early|late|mid|low|lower|high|upper|in (?:his|her|my|our|your|their|its|one's))[ -]"
    r"(?:['’]?[0-9]0s(?:, and |, or |, | and | or | to | & |[-–]))*\Z"
)
_DECADE_AFTER = re.compile(
    r"(?:(?:, and|, or|,| and| or| &) ['’]?[0-9]0s)*[ -](?:music|hits?|songs?|rock|pop|disco|movies?|films?|"
    r"style\w*|part(?:y|ies)|playlists?|radio|classics?|fashion|dance|jazz|hip|metal|country|ballads?|"
    r"tunes?|sitcoms?|cartoons?|"
    r"vibes?|funk|soul|synth\w*|nights?|themed?|decade|era|throwbacks?|nostalgia|kids?|mix)\b"
)
_A_TIME_AFTER = re.compile(
    r"\s(?:timers?|delay|interval|countdown|time-?out|windows?|limit|mark|rest|break|pause|wait|polling|"
    r"updates?|cool-?down|grace|exposure|duration|loop)\b"
)
_FRACTION_BELOW = frozenset([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 32, 64])
_NO_DAY = re.compile(
    r"\s?[=\"″%°]|\s(?!(?:at|is|was|in|on|for|and|to|from|until|till|or|it|we|i|with|by)\b)\w", re.IGNORECASE
)
_NO_DAY_BEFORE = re.compile(
    r"(?:[0-9][\s-]|[=*+×÷^]\s?|\b(?:fraction|score|scored|rated|rating|got|step|page|part|episode|lot|room|"
    r"number|simplify|minus|plus|times|of|about|by|half|only)\s)\Z"
)
_NO_YEAR_AFTER = re.compile(
    r"\s(?:of|more|less|people|\w{2,}[^s\W]s(?<!\bwas)(?<!\bhas)(?<!\bthis)|years?)\b(?<! is)"
)


def _month(name: str) -> int:
    return [month[:3].lower() for month in MONTHS].index(name[:3].lower()) + 1


def date(year: int | None, month: int, day: int, english: English, comma: str = ", ") -> str | None:
    """A date in words, in the country's order; None if there is no such day."""
    if not (0 < month < 13 and 0 < day < 32):
        return None
    said = (
        f"the {english.ordinal(day)} of {MONTHS[month - 1]}"
        if english.british
        else (f"{MONTHS[month - 1]} {english.ordinal(day)}")
    )
    return said if year is None else f"{said}{comma}{english.year(year)}"


def _iso(match: re.Match[str], english: English) -> Said:
    said = date(int(match[1]), int(match["month"]), int(match["day"]), english)
    if not said:
        return None
    if match["hour"]:
        said += f" at {clock(int(match['hour']), int(match['minute']), '', english)}"
        seconds = int(match["second"] or 0)
        said += f" and {count(seconds, 'second', english)}" if seconds else ""
        said += _zone(match["zone"] or "", english)
    return said


def _zone(zone: str, english: English) -> str:
    if not zone:
        return ""
    if zone[0] not in "+-":
        return " U T C"
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    sign = "plus" if zone[0] == "+" else "minus"
    said = f" U T C {sign} {english.cardinal(hours)}" + (f" {english.cardinal(minutes)}" if minutes else "")
    return said if hours or minutes else " U T C"


def _slashed(match: re.Match[str], english: English) -> Said:
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    month, day = (second, first) if english.british or match[2] == "." else (first, second)
    if month > 12:
        month, day = day, month
    return date(year + 2000 if year < 100 else year, month, day, english)


def _short(match: re.Match[str], english: English) -> Said:
    """`11/21` is a day only where the words around it say so."""
    first, second = int(match[1]), int(match[2])
    month, day = (second, first) if english.british else (first, second)
    if not _DATED.search(before(match)):
        likely = first > 1 and 1 < month < 13 and max(first, second) > 12 and first != 24
        fraction = second in _FRACTION_BELOW and first < second
        if not likely or fraction or _NO_DAY.match(after(match)) or _NO_DAY_BEFORE.search(before(match)):
            return None
    if re.match(r"\s(?:of|cup|stars?|inch)", after(match)):
        return None
    if re.search(r"\b(?:by|after|before|since) \Z", before(match)) and second < 13:
        return None
    return date(None, *((day, month) if month > 12 else (month, day)), english)


def _season(match: re.Match[str], english: English) -> Said:
    """`2025/26`, `2025/2026`: two years, one after the other."""
    first, second = int(match[1]), int(match[2])
    if second not in (first + 1, (first + 1) % 100):
        return None
    return f"{english.year(first)} {english.year(second) if second > 99 else _two_digits(second, english)}"


def _two_digits(number: int, english: English) -> str:
    return ("oh " if number < 10 else "") + english.cardinal(number)


def _counted(following: str, english: English) -> bool:
    """Whether what follows a number is what it counts or measures."""
    unit = re.match(rf"\s({UNIT})", following)
    measured = unit and unit[1] not in ("in", "at", "A", "a") and reading(unit[1], False, english)
    return bool(measured or re.match(r"\s[a-z]{2,}s(?<!was)(?<!is)\b", following))


def _year_range(match: re.Match[str], english: English) -> Said:
    """`(1564-1616)`: years, unless what follows is counted or measured."""
    first, second = int(match[1]), int(match[3])
    bracketed = match.string[match.start() - 1 : match.start()] == "(" and after(match)[:1] in (")", ",", ";")
    if (
        first >= second
        or second > 2199
        or (not bracketed and (first < 1300 or _counted(after(match), english)))
    ):
        return None
    return {1: english.year(first), 2: " to ", 3: english.year(second)}


def _month_first(match: re.Match[str], english: English) -> Said:
    month = MONTHS[_month(match[1]) - 1]
    the = "the " if english.british else ""
    said = f"{month} {the}{english.ordinal(int(match[2]))}"
    if match[3]:
        said += f" to {the}{english.ordinal(int(match[3]))}"
    return said + (f", {english.year(int(match[4]))}" if match[4] else "")


def _day_first(match: re.Match[str], english: English) -> Said:
    first, last, month = int(match[1]), match[2], MONTHS[_month(match[3]) - 1]
    days = english.ordinal(first) + (f" to {english.ordinal(int(last))}" if last else "")
    the = bool(re.search(r"\bthe \Z", before(match)))
    year = f", {english.year(int(match[4]))}" if match[4] else ""
    if english.british or the:
        said = f"{'' if the else 'the '}{days} of {month}{year}"
    else:
        said = f"{month} {days}{year}"
    return said + (stop_if_last(match) if not match[4] else "")


def _month_and_year(match: re.Match[str], english: English) -> Said:
    return f"{MONTHS[_month(match[1]) - 1]}{match[2] or ''} {english.year(int(match[3]))}"


def _lone_month(match: re.Match[str], english: English) -> Said:
    name = match["month"]
    if name.startswith("Jan") and not re.search(
        r"\b(?:in|since|until|by|last|next|this|from|and|to|of)\s\Z|[-–/]\Z", before(match)
    ):
        return None
    return MONTHS[_month(name) - 1] + stop_if_last(match)


def _day_name(match: re.Match[str], english: English) -> Said:
    return {index: _DAYS[match[index][:3].lower()] for index in range(1, 1 + len(match.groups()))}


def _day_range(match: re.Match[str], english: English) -> Said:
    joint = (
        " to "
        if match[2].strip(" .") in "-–—to" and match[2].strip(" .")
        else " and "
        if "&" in match[2]
        else match[2]
    )
    return (
        _DAYS[match[1][:3].lower()]
        + joint.replace("/", " ")
        + _DAYS[match[3][:3].lower()]
        + stop_if_last(match)
    )


def _decade(match: re.Match[str], english: English) -> Said:
    number = int(match[2])
    if not match[1] and number < 100:
        named = _DECADE_BEFORE.search(before(match)) and not _A_TIME_AFTER.match(after(match))
        if not named and not _DECADE_AFTER.match(after(match)):
            return None
    said = english.year(number) if number > 99 else english.cardinal(number)
    return said[:-1] + "ies" if said.endswith("y") else said + "s"


def _year(match: re.Match[str], english: English) -> Said:
    number = int(match[1])
    preceded = _YEAR_BEFORE.search(before(match))
    if not preceded and not 1900 <= number < 2100:
        return None
    if _NO_YEAR_AFTER.match(after(match)) or (number == 2000 and not preceded):
        return None
    return english.year(number)


def _rare_day(match: re.Match[str], english: English) -> Said:
    """`Sun` and `Sat` are words of their own: a day only where it looks like one."""
    follows = _MONTHS_OR_HOURS.match(after(match)) or (
        match[0].endswith(".") and re.match(r"\s+(?:at\b|[0-9a-z])", after(match))
    )
    if re.search(r"\bthe \Z", before(match)):
        return None
    if not follows and not re.search(
        r"\b(?:on|by|next|last|every|other|first|second|third|fourth|until|till|since) \Z|"
        r"day(?:,| and| or| to) \Z",
        before(match),
    ):
        return None
    return _DAYS[match[1].lower()] + stop_if_last(match)


DATES = (
    rule(
        r"(?<![\w.-])([12][0-9]{3})([-/.])(?P<month>0[1-9]|1[0-2])\2(?P<day>0[1-9]|[12][0-9]|3[01])"
        r"(?:(?:T|\s)(?P<hour>[01][0-9]|2[0-4]):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9])(?:\."
        r"[0-9]{1,9})?)?"
        r"\s?(?P<zone>Z|UTC|[+-][0-9]{2}:?[0-9]{2})?)?(?![\w]|[-/][0-9])",
        _iso,
    ),
    rule(r"(?<![\w.,/-])([0-9]{1,2})([/.-])([0-9]{1,2})\2((?:19|20)[0-9]{2})(?![\w]|[-/.][0-9])", _slashed),
    rule(r"(?<![\w.,/-])([0-9]{1,2})(/)([0-9]{1,2})/([0-9]{2})(?![\w]|[-/.][0-9])", _slashed),
    rule(
        r"(?:(?<![\w.,/-])|(?<=\bFY)|(?<=\bFY ))((?:19|20)[0-9]{2})/((?:19|20)?[0-9]{2})(?![\w/]|[.,][0-9])",
        _season,
    ),
    rule(
        r"(?<![\w.,$€£/-])([12][0-9]{3})(\s?[-–—]\s?)([12][0-9]{3})(?![\w]|[.,:/-][0-9]|\s?[%°])", _year_range
    ),
    rule(rf"(?<![\w.,/])({_DAY})/({_DAY})(?![\w/]|[.,][0-9])", _short),
    rule(
        r"(?<![\w.,/])(0?[1-9]|1[0-2])/(20[0-9]{2})(?![\w/]|[.,][0-9])",
        lambda match, english: f"{MONTHS[int(match[1]) - 1]} {english.year(int(match[2]))}",
    ),
    rule(
        rf"(?<!\w)({_MONTH})\s({_DAY}){_SUFFIX}(?:{_TO}({_DAY}){_SUFFIX})?(?![\w%°]|"
        rf"[:.,/-][0-9]|\s?[AaPp]\.?[Mm]\b){_YEAR}?",
        _month_first,
    ),
    rule(
        rf"(?<![\w.,/:-])({_DAY}){_SUFFIX}(?:{_TO}({_DAY}){_SUFFIX})?\s(?:of\s)?({_MONTH}){_YEAR}?",
        _day_first,
    ),
    rule(rf"(?<!\w)({_MONTH})(,?)\s((?:1[0-9]|20)[0-9]{{2}})(?![\w]|[:.,][0-9])", _month_and_year),
    rule(r"(?<=[0-9]s)\s?[-–—]\s?(?=['’]?[0-9]{2,4}s\b)", " to "),
    rule(r"(?<!\w)(['’]?)((?:1[0-9]|20)?[0-9]0)(['’]?s)\b", _decade),
    rule(
        r"(?<!\w)['’]([0-9]{2})(?![\w'’])",
        lambda match, english: (
            english.cardinal(int(match[1])) if match[1][0] != "0" else "oh " + english.cardinal(int(match[1]))
        ),
    ),
)
"""Dates with digits."""

YEARS = (rule(r"(?<![\w.,$€£/-])([12][0-9]{3})(?!\w|[.,:/-][0-9]|\s?[%°])", _year),)
"""Numbers that are years."""


def _month_range(match: re.Match[str], english: English) -> Said:
    return f"{MONTHS[_month(match[1]) - 1]} to {MONTHS[_month(match[2]) - 1]}" + stop_if_last(match)


NAMES = (
    rule(rf"(?<!\w)({_MONTH})\s?[-–—]\s?({_MONTH})(?!\w)", _month_range),
    rule(r"(?<=day)\s?[-–—]\s?(?=(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)", " to "),
    rule(rf"(?<!\w)({_DAYNAME})\b(\.?\s?[-–—/&]\s?)({_DAYNAME})\b\.?(?!\w)", _day_range),
    rule(rf"(?<=day/)({_DAYNAME})\b(?!\w)", _day_name),
    rule(
        r"(?<!\w)(Tues?|Thu(?:rs?)?|Fri)\b\.?(?![\w'’])",
        lambda match, english: _DAYS[match[1][:3].lower()] + stop_if_last(match),
    ),
    rule(r"(?<!\w)(Mon|Wed|Sat|Sun)\b\.?(?![\w'’])", _rare_day),
    rule(r"(?<!\w)(?P<month>Jan|Feb|Apr|Aug|Sept?|Oct|Nov|Dec)\b(?:\.(?=\s|$|,))?(?![\w'’])", _lone_month),
    rule(
        r"(?:(?<=\bin )|(?<=\bIn )|(?<=\bto )|(?<=\bof )|(?<=\band )|(?<=\bfrom "
        r")|(?<=\buntil )|(?<=\bsince ))(?P<month>Mar|Jun|Jul)\b\.?(?!\w)",
        _lone_month,
    ),
    rule(
        r"(?<=[a-z])\s?[-–—/]\s?(?=(?:Jan|Febr)uary|March|April|May\b|"
        r"June|July|August|(?:Septem|Octo|Novem|Decem)ber)",
        lambda match, english: (
            " to "
            if re.search(r"(?:uary|ch|il|may|ne|ly|ust|ber)\Z", before(match)) and "/" not in match[0]
            else None
        ),
    ),
)
"""Days and months that are abbreviated."""
