"""English times of day and durations."""

from __future__ import annotations

import re

from wyoming_tts.text.en_words import START, English, Said, after, around, before, rule, stop_if_last

_HALF = r"(?:\s?([AaPp])(?:\.\s?[Mm]\.|[Mm]\b\.?(?!\w)))"
_CLOCK = r"(?<![\w:.,/])(2[0-4]|[01]?[0-9])[:.]([0-5][0-9])"
_NOT_LONGER = r"(?![0-9]|[:.][0-9])"
_TIME = r"[0-9]{1,2}(?::[0-5][0-9])?(?:\s?[AaPp]\.?[Mm]\b\.?)?"
_TIMER = re.compile(
    r"\b(?:timer|remaining|left|elapsed|countdown|stopwatch|duration|lap|track|song|video|length)\b"
)
_ALARM = re.compile(r"\b(?:alarm|wake|sunrise|sunset|schedul|depart|arriv|last (?:seen|changed|updated))")
_POINT = re.compile(
    r"\b(?:at|by|until|till|since|from|before|after|around|time|is now|it's|every day|to)\W{1,2}\Z"
)
_RATIO = re.compile(r"\b(?:ratio|aspect|scale|odds|score[ds]?|won|lost|mix\w*|beat|vs|dilut\w+)\b")
_UNITS = (
    ("year", "y|yrs?|years?"),
    ("month", "mos?|mths?|months?"),
    ("week", "w|wks?|weeks?"),
    ("day", "d|days?"),
    ("hour", "h|hrs?|hours?"),
    ("minute", "m|mins?|minutes?"),
    ("second", "s|secs?|seconds?"),
)
_PART = rf"[0-9]{{1,4}}(?:\.[0-9]+)?\s?(?:{'|'.join(names for _, names in _UNITS)})(?![A-Za-z])\.?"
_TIGHT = rf"[0-9]{{1,4}}(?:{'|'.join(names for _, names in _UNITS)})"
_THING = re.compile(
    r" (?:timer|countdown|delay|alarm|film|movie|drive|flight|walk|video|recording|session|meeting|nap|break|"
    r"episode|trip|ride|wait)\b"
)
_SPAN = re.compile(rf"([0-9.]*[0-9])\s?(?:{'|'.join(f'({names})' for _, names in _UNITS)})(?![A-Za-z])")


def clock(hour: int, minute: int, half: str, english: English) -> str:
    """A time of day: "seven oh five P M", "eighteen forty-two", "twelve o'clock", "midnight"."""
    said = english.cardinal(hour)
    if minute:
        said += f" oh {english.cardinal(minute)}" if minute < 10 else f" {english.cardinal(minute)}"
    elif not half:
        said = "midnight" if hour in (0, 24) else f"{said} o'clock" if hour < 13 else f"{said} hundred"
    return f"{said} {half.upper()} M" if half else said


def count(number: int, unit: str, english: English) -> str:
    """`1`, `hour` -> "one hour"; `2` -> "two hours"."""
    return f"{english.cardinal(number)} {unit}{'' if number == 1 else 's'}"


def duration(parts: list[tuple[int, str]], english: English) -> str:
    """Hours, minutes, seconds, without those that are zero: "one hour and five minutes"."""
    said = [count(number, unit, english) for number, unit in parts if number]
    if not said:
        return f"zero {parts[-1][1]}s"
    return f"{', '.join(said[:-1])} and {said[-1]}" if len(said) > 1 else said[0]


def _half_day(match: re.Match[str], english: English) -> Said:
    return clock(int(match[1]), int(match[2]), match[3], english) + stop_if_last(match)


def _whole_hour(match: re.Match[str], english: English) -> Said:
    if not 0 < int(match[1]) < 25:
        return None
    return clock(int(match[1]), 0, match[2], english) + stop_if_last(match)


def _day(match: re.Match[str], english: English) -> Said:
    hour, minute, context = int(match[1]), int(match[2]), before(match)
    if _RATIO.search(context) and not _POINT.search(context):
        return f"{english.cardinal(hour)} to {english.whole(match[2])}"
    if _TIMER.search(around(match).lower()) and not _POINT.search(context):
        return duration([(hour, "minute"), (minute, "second")], english)
    if not minute and re.match(r"\s(?:noon|midnight|o'clock|hours|hrs)\b", after(match)):
        return english.cardinal(hour) + (" hundred" if "h" in after(match)[:2] else "")
    return clock(hour, minute, "", english)


def _hours(match: re.Match[str], english: English) -> Said:
    """`20:00 h` is a time of day, `1:30 h` how long something takes."""
    hour, minute = int(match[1]), int(match[2])
    clocked = hour > 12 or match[1][0] == "0" or (not minute and not match[0].endswith("rs"))
    point = _POINT.search(before(match)) and not after(match).startswith(" of ")
    if clocked or point:
        hundred = " hours" if not minute and hour > 12 else ""
        return clock(hour, minute, "", english) + hundred + stop_if_last(match)
    return duration([(hour, "hour"), (minute, "minute")], english) + stop_if_last(match)


def _seconds(match: re.Match[str], english: English) -> Said:
    hour, minute, second = (int(part) for part in match.group(1, 2, 3))
    half = match[5] or ""
    clocked = (
        _POINT.search(before(match)) or _ALARM.search(around(match).lower()) or len(match[1].lstrip("0")) == 2
    )
    if half or (hour < 25 and not match[4] and clocked and not _TIMER.search(around(match).lower())):
        said = clock(hour, minute, "", english) if minute else clock(hour, 0, "x", english)[:-4]
        said += f" and {count(second, 'second', english)}" if second else ""
        return said + (f" {half.upper()} M" + stop_if_last(match) if half else "")
    said = duration([(hour, "hour"), (minute, "minute"), (second, "second")], english)
    if not match[4]:
        return said
    whole = duration([(hour, "hour"), (minute, "minute")], english) + " and " if hour or minute else ""
    return f"{whole}{english.cardinal(second)} point {english.digits(match[4])} seconds"


def _span(match: re.Match[str], english: English) -> Said:
    """`1h 30min`: what `m` means depends on what stands beside it."""
    written = re.sub(r"(?<=[a-z])(?=[0-9])", " ", match[0])
    parts = list(_SPAN.finditer(written))
    names = [
        next(unit for (unit, _), found in zip(_UNITS, part.groups()[1:], strict=True) if found)
        for part in parts
    ]
    if len(parts) < 2:
        return None
    clocked = {"hour", "second", "day"} & set(names)
    said, done = "", 0
    thing = _THING.match(after(match))
    for part, name in zip(parts, names, strict=True):
        minutes = clocked or "," in written or not part[0].endswith("m")
        unit = name if name != "minute" or minutes else "month"
        one = part[1] == "1" or (thing and part is parts[-1])
        number = english.number(part[1].lstrip("0") or "0" if part[1].isdecimal() else part[1])
        said += f"{written[done : part.start()]}{number} {unit}{'' if one else 's'}"
        done = part.end()
    return said + stop_if_last(match)


def _hour_and_minutes(match: re.Match[str], english: English) -> Said:
    return f"{count(int(match[1]), 'hour', english)} {count(int(match[2]), 'minute', english)}"


def _military(match: re.Match[str], english: English) -> Said:
    hour, minute = int(match[1]), int(match[2])
    said = f"{'oh ' if hour < 10 else ''}{english.cardinal(hour)}" if hour else "zero"
    return {1: said, 2: " " + (english.cardinal(minute) if minute else "hundred")}


TIMES = (
    rule(
        rf"(?<![\w:.,/-])(?={_TIME}\s?[-–—]\s?{_TIME}(?![\w:.,/-]?[0-9]))"
        rf"(?=[^\s]{{1,12}}(?:\s[AaPp]\.?[Mm]\.?)?\s?[-–—]\s?[0-9]{{1,2}}(?::|\s?[AaPp]\.?[Mm])"
        rf"|[0-9]{{1,2}}(?::|\s?[AaPp]\.?[Mm]))({_TIME})(\s?[-–—]\s?)(?=[0-9])",
        lambda match, english: {2: " to "},
    ),
    rule(
        r"(?<![\w:.,/])([0-9]{1,2}) to (?=[0-9]{1,2}(?::[0-5][0-9])?\s?[AaPp]\.?[Mm]\b)",
        lambda match, english: {1: english.cardinal(int(match[1]))},
    ),
    rule(
        rf"(?<![\w:.,/])([0-9]{{1,3}}):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{{1,6}}))?{_HALF}?(?![0-9:])",
        _seconds,
    ),
    rule(rf"{_CLOCK}{_HALF}", _half_day),
    rule(rf"(?<![\w:.,/])([0-9]{{1,2}}){_HALF}", _whole_hour),
    rule(
        r"(?<![\w:.,/])([0-9]{1,2}):([0-5][0-9])\.([0-9]{1,3})(?![\w:.])",
        lambda match, english: (
            f"{count(int(match[1]), 'minute', english)} and {english.cardinal(int(match[2]))} "
            f"point {english.digits(match[3])} seconds"
        ),
    ),
    rule(r"(?<![\w:.,/])(2[0-4]|[01]?[0-9]):([0-5][0-9])\s?(?:h|hrs?|hours)\b\.?(?!\w)", _hours),
    rule(r"(?<![\w:.,/])(2[0-4]|[01]?[0-9]):([0-5][0-9])" + _NOT_LONGER, _day),
    rule(
        r"(?<![\w:.,/])([0-9]{2,3}):([0-5][0-9])" + _NOT_LONGER,
        lambda match, english: (
            duration([(int(match[1]), "minute"), (int(match[2]), "second")], english)
            if _TIMER.search(around(match).lower())
            else None
        ),
    ),
    rule(
        rf"{START}(?:{_PART}[\s,]{{0,2}}(?:and )?)(?:(?:{_PART})[\s,]{{0,2}}(?:and "
        rf")?){{0,5}}(?:{_PART})(?!\w)|"
        rf"{START}(?:{_TIGHT}){{2,6}}(?!\w)",
        _span,
    ),
    rule(r"(?<!\w)([0-9]{1,2})\s?h\s?([0-5][0-9])(?![\w.])", _hour_and_minutes),
    rule(r"(?<![\w:.,/])(0[0-9])([0-5][0-9])(?=\s?(?:hours|hrs)\b)", _military),
    rule(r"(?<=\bat )(1[0-9]|2[0-3])([0-5][0-9])(?=\shours\b)", _military),
)
"""Times of day, and how long something takes."""
