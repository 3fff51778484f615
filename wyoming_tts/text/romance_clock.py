"""Dates, times of day and durations in Romance languages."""

from __future__ import annotations

import re
from functools import partial

from wyoming_tts.text.aligned import Rule
from wyoming_tts.text.romance_grammar import Grammar
from wyoming_tts.text.romance_numbers import counted, parsed

_HOUR, _MINUTE = "[01]?\\d|2[0-4]", "[0-5]\\d"
_ISO = re.compile(
    rf"(?<![\w.-])(\d{{4}})-(\d{{2}})-(\d{{2}})(?:(?:T| )({_HOUR}):({_MINUTE})(?::{_MINUTE}(?:\.\d+)?)?"
    r"(?:Z|[+-]\d\d:?\d\d)?)?(?![\w]|-\d)"
)
_NUMERIC = re.compile(r"(?<![\w./-])(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?![\w]|[/-]\d|[.,]\d)")
_STOPPED = re.compile(r"(?<![\w./-])(\d{1,2})(\.)(\d{1,2})\.((?:19|20)\d\d)(?![\w]|[/.,-]\d)")
_PART = r"\d{1,3} ?(?:sem|d|j|gg?|hrs?|hs?|min|m|seg?|sec|s)\b"
_COMPOUND = re.compile(
    rf"(?<![\w.,:/])\d{{1,3}} ?(?:[djh]|gg?|hs|m|min|sem)(?:(?:\.?,? |(?<=[a-z])){_PART})+|"
    rf"(?<![\w.,:/])\d{{1,3}} ?[dhm]\d{{1,2}} ?(?:h|m|min|s)\b(?!\d)"
)
_ORDER = ("w", "d", "h", "min", "s")
_DURATION = rf"(?<![\w:.,])(\d{{1,3}}):({_MINUTE}):({_MINUTE})(?![\w:])"
_SYMBOLS = {
    **{"sem": "w", "j": "d", "g": "d", "gg": "d", "hs": "h", "hr": "h", "hrs": "h", "m": "min"},
    **{"se": "s", "seg": "s", "sec": "s"},
}
_HOURS_FOLLOW = re.compile(r" ?(?:horas?|heures?|or[ae])\b")
_HALF_DAY = r"(?: ?([ap])\. ?m\.(?!\w)| ?([ap])\.?m\b)"


def first_rules(grammar: Grammar) -> list[Rule]:
    """Rules for text with a digit, in order, before those for codes: dates with stops, lengths of time."""
    lasting = (
        rf"(?i:\b(?:{grammar.lasting}):?) (\d{{1,2}})[hH]({_MINUTE})(?: ?m(?:in)?\b\.?)?(?![\w:]|[.,]\d)"
    )
    return [
        (_STOPPED, partial(_numeric, grammar)),
        (_COMPOUND, partial(_compound, grammar)),
        (re.compile(lasting), partial(_lasting, grammar)),
    ]


def rules(grammar: Grammar) -> list[Rule]:
    """Rules for text with a digit, in order; before any other numbers."""
    cue = rf"(\b(?i:{grammar.clock_cue}))?(?<![\w.,:/])"
    hours = r"(?: ?h(?:s|rs?)?\b)?"
    day = r"(?<![\w.,/:-])(\d{1,2})( ?[ºª°]|\.º|er|ro)?"
    year = r"(?:(?:,? (?:de |del )?|-)(\d{4})\b(?![.,:]\d))?"
    short = (
        rf"(?i:(\b(?:{grammar.date_cue}) |\b(?:[ad]?all|dell|l)['’]))(\d{{1,2}})/(\d{{1,2}})(?![\w/]|[.,]\d)"
    )
    named = rf"{day}[ -](?:de )?(?i:({grammar.month_pattern}))\b\.?{year}"
    stopped = rf"(\b(?i:{grammar.clock_cue}))({_HOUR})\.({_MINUTE})(?!\w|[.,]\d| ?[%°€$£]|\. ?\d)(){hours}"
    until = rf"{cue}({_HOUR}):({_MINUTE}) ?[-–—] ?({_HOUR}):({_MINUTE})(?![\w:]){hours}"
    colon, letter = rf":({_MINUTE})(?![\w:]|[.,]\d){hours}", rf"[hH]({_MINUTE})(?: ?min)?\b"
    abbreviated = rf"(?<![\w-])(?i:({grammar.month_pattern}))\.? (?=(?:del? )?(?:19|20)\d\d(?!\d))"
    patterns = [
        (_ISO, _iso),
        (_NUMERIC, _numeric),
        (re.compile(short), _short_date),
        (re.compile(named), _named),
        (re.compile(abbreviated), _month_alone),
        (re.compile(stopped), _clock),
        (re.compile(rf"()(?<![\w.,])({_HOUR})\.({_MINUTE})() ?h(?:s|rs?|oras)?\b"), _clock),
        (re.compile(rf"(\b(?i:{grammar.clock_cue}))?{_DURATION}"), _duration),
        (re.compile(rf"{cue}({_HOUR})[:h]({_MINUTE}){_HALF_DAY}", re.IGNORECASE), _half_day),
        (re.compile(rf"{cue}(1[0-2]|[1-9])(){_HALF_DAY}", re.IGNORECASE), _half_day),
        (re.compile(until), _span),
        (re.compile(rf"{cue}({_HOUR})(?:{colon}|{letter})"), _clock),
    ]
    return [(pattern, partial(rule, grammar)) for pattern, rule in patterns]


def say_date(grammar: Grammar, written: str, form: str) -> str | None:
    """A date in figures by its format (`dmy`, `mdy`, `ymd`, `dm`, `md`, `ym`, `my`, `y`, `m`, `d`)."""
    parts = re.findall(r"\d+", written)
    if not form:
        form = "ymd" if parts and len(parts[0]) == 4 else "dmy"[: len(parts)]
    if len(parts) != len(form) or not parts:
        return None
    by = {key: int(part) for key, part in zip(form, parts, strict=True)}
    if "m" in by and not 1 <= by["m"] <= 12:
        return None
    if "d" in by and "m" in by:
        return _said(grammar, by["d"], by["m"], by.get("y"))
    if "m" in by:
        name = grammar.months[by["m"] - 1]
        return f"{name} {grammar.words['of_year']}{grammar.cardinal(by['y'])}" if "y" in by else name
    return grammar.cardinal(by.get("y", by.get("d", 0)))


def say_time(grammar: Grammar, written: str) -> str | None:
    """A time of day or, with seconds, a duration, in figures."""
    match = re.fullmatch(
        rf"\s*({_HOUR})[:h.]({_MINUTE})(?::({_MINUTE}))?{_HALF_DAY}?\s*", written, re.IGNORECASE
    )
    if match is None:
        return None
    said = grammar.clock(int(match[1]), int(match[2]), "", False)
    if match[3]:
        said = f"{said} {grammar.words['and']} {_part(grammar, match[3], 's')}"
    half = (match[4] or match[5] or "").lower()
    return f"{said} {grammar.day_parts(_hour_of_day(int(match[1]), half))}" if half else said


def _said(grammar: Grammar, day: int, month: int, year: int | None) -> str | None:
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    return grammar.date(day, month, year)


def _iso(grammar: Grammar, match: re.Match[str]) -> str | None:
    said = _said(grammar, int(match[3]), int(match[2]), int(match[1]))
    if said and match[4]:
        said += f" {grammar.clock(int(match[4]), int(match[5]), grammar.words['at_time'], True)}"
    return said


def _numeric(grammar: Grammar, match: re.Match[str]) -> str | None:
    day, month, year = int(match[1]), int(match[3]), int(match[4])
    if len(match[4]) == 2:
        if match[2] != "/":
            return None
        year += 2000 if year < 70 else 1900
    if month > 12:
        day, month = month, day
    return _said(grammar, day, month, year)


def _short_date(grammar: Grammar, match: re.Match[str]) -> str | None:
    said = _said(grammar, int(match[2]), int(match[3]), None)
    return said and match[1] + said


def _named(grammar: Grammar, match: re.Match[str]) -> str | None:
    month = grammar.month(match[3])
    if month is None:
        return None
    said = _said(grammar, int(match[1]), month, int(match[4]) if match[4] else None)
    if said and match[2] and match[1] == "1":
        said = grammar.ordinal(1, "m", False) + said.removeprefix(grammar.cardinal(1)).removeprefix(
            grammar.ordinal(1, "m", False)
        )
    if said and match[0].endswith(".") and not match[4] and not match.string[match.end() :].strip():
        said += "."
    return said


def _month_alone(grammar: Grammar, match: re.Match[str]) -> str | None:
    """`Sep. 2025`."""
    month = grammar.month(match[1])
    if month is None:
        return None
    name = grammar.months[month - 1]
    return f"{name.capitalize() if match[1][0].isupper() else name} "


def _duration(grammar: Grammar, match: re.Match[str]) -> str | None:
    hours, minutes, seconds = match[2], match[3], match[4]
    if match[1]:
        if int(hours) > 24:
            return None
        said = grammar.clock(int(hours), int(minutes), match[1], True)
        return said if not int(seconds) else f"{said} {grammar.words['and']} {_part(grammar, seconds, 's')}"
    pairs = [(hours, "h"), (minutes, "min"), (seconds, "s")]
    parts = [_part(grammar, digits, symbol) for digits, symbol in pairs if int(digits)]
    if not parts:
        return _part(grammar, "0", "s")
    return f" {grammar.words['and']} ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def _compound(grammar: Grammar, match: re.Match[str]) -> str | None:
    """`2h 30m`, `3d 4h 12m`: `m` is minutes there."""
    if re.search(rf"\b(?i:{grammar.clock_cue})$", match.string[max(0, match.start() - 12) : match.start()]):
        return None
    parts = re.findall(r"(\d+) ?([a-z]+)", match[0])
    units = [_SYMBOLS.get(letters, letters) for _, letters in parts]
    places = [_ORDER.index(unit) for unit in units]
    if places != sorted(set(places)) or set(units) <= {"min"}:
        return None
    return " ".join(_part(grammar, digits, unit) for (digits, _), unit in zip(parts, units, strict=True))


def _lasting(grammar: Grammar, match: re.Match[str]) -> str:
    before = match[0][: match.start(1) - match.start()]
    parts = [_part(grammar, match[1], "h")]
    if int(match[2]):
        parts.append(_part(grammar, match[2], "min"))
    return before + f" {grammar.words['and']} ".join(parts)


def _part(grammar: Grammar, digits: str, symbol: str) -> str:
    return counted(grammar, parsed(str(int(digits))), grammar.units[symbol])


def _hour_of_day(hour: int, half: str) -> int:
    return hour % 12 + (12 if half == "p" else 0) if half else hour


def _half_day(grammar: Grammar, match: re.Match[str]) -> str | None:
    hour, half = int(match[2]), (match[4] or match[5]).lower()
    if not 1 <= hour <= 12:
        return None
    said = grammar.clock(hour, int(match[3] or 0), match[1] or "", True)
    stop = "." if match[4] and not match.string[match.end() :].strip() else ""
    return f"{said} {grammar.day_parts(_hour_of_day(hour, half))}{stop}"


def _span(grammar: Grammar, match: re.Match[str]) -> str:
    cue = match[1] or grammar.words.get("from_time", "")
    until = grammar.words.get("to_time", f"{grammar.words['to']} ")
    first = grammar.clock(int(match[2]), int(match[3]), cue, True)
    return f"{first} {grammar.clock(int(match[4]), int(match[5]), until, True)}"


def _clock(grammar: Grammar, match: re.Match[str]) -> str:
    bare = _HOURS_FOLLOW.match(match.string, match.end()) is not None
    return grammar.clock(int(match[2]), int(match[3] or match[4]), match[1] or "", bare)
