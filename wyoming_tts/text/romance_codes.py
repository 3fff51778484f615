"""Addresses, identifiers, versions and telephone numbers in Romance languages."""

from __future__ import annotations

import re
from functools import partial

from wyoming_tts.text.aligned import Rule
from wyoming_tts.text.romance_grammar import Grammar

_DOMAINS = (
    "com|org|net|io|local|lan|home|internal|dev|app|eu|es|it|fr|pt|br|mx|ar|cl|co|de|uk|ch|info|gov|edu|tv|ai"
)
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_URL = re.compile(
    rf"(?<![\w@])(?:(?:[a-z][a-z+]{{1,15}}://|www\.)[^\s<>\"]+"
    rf"|(?:[\w-]{{1,63}}\.){{1,6}}(?:{_DOMAINS})(?![\w.-]*@)\b(?!\.\w)(?::\d{{1,5}})?(?:/[^\s<>\"]*)?)"
)
_IP = re.compile(
    r"(?<![\w.])(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?::(\d{1,5})|(/\d{1,2}))?(?![\w]|\.\d)"
)
_ENTITY = re.compile(
    r"(?<![\w.@/])([a-z]{2,30}(?:_[a-z]{1,30}){0,3})\.([a-z0-9]+(?:_[a-z0-9]+)+|[a-z]{3,40}_\d+)(?![\w.]*@)"
)
_DOMAIN = re.compile(
    r"(?<![\w.@/])(light|switch|sensor|binary_sensor|climate|cover|fan|lock|media_player|scene|script"
    r"|automation|person|camera|vacuum|weather|zone|timer|input_boolean|input_number|humidifier)"
    r"\.([a-z]{2,40})(?![\w@.])"
)
_SNAKE = re.compile(r"(?<![\w.@/])[a-z0-9]{1,40}(?:_[a-z0-9]{1,40}){1,10}(?![\w@])")
_VERSION = re.compile(
    r"(?<![\w.,/])()(\d{1,4}(?:\.\d{1,4}){2,3}|20[2-9]\d\.(?:1[0-2]|[1-9])(?!\d))"
    r"((?:b|rc|beta|alpha|dev)\d{0,8})?(?!\w|[.,]\d)"
)
_NAMED_VERSION = re.compile(r"(?<![\w.,/])([vV]\.?|v\.? )(\d{1,4}(?:\.\d{1,4}){0,3})()(?!\w|[.,]\d)")
_WORDED_VERSION = re.compile(r"(?i:\b(versi[oó]ne?|versão)) (\d{1,4})\.([1-9]\d{0,3}|0)(?!\w|[.,]\d)")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+")
_INTERNATIONAL = re.compile(r"(?<![\w+])\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,6}(?![\w])")
_AREA = re.compile(r"(?<!\w)\(\d{2,5}\) ?\d{2,5}(?:[ .-]\d{2,5}){1,4}(?!\w)")
_DASHED = re.compile(
    r"(?<![\w.,-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\w-])"
    r"|(?<![\w.,-])(?!(?:1[5-9]|20)\d\d-(?:1[5-9]|20)\d\d(?!\d))(?:\d{2} )?9?\d{4}-\d{4}(?![\w-])"
    r"|(?<![\w.,-])(?!\d{3}\.\d{3}\.\d{3}(?!\d))\d{3}[-.]\d{3}[-.]\d{3,4}(?![\w-]|[.,]\d)"
)
_TRIPLES = re.compile(
    r"(?<![\w.,] )(?<![\w.,])[6-9]\d{2} \d{3} \d{3}(?! ?[\w°%€$])"
    r"|(?<![\w.,])(?:[6-9]\d{2} \d{2}|[689]\d \d{3}) \d{2} \d{2}(?! ?\d)"
    r"|(?<![\w.,])3\d{2} (?:\d{6,7}|\d{3} \d{4})(?! ?\d)"
    r"|(?<![\w.,])0\d{1,4}(?:[ -]\d{3,8}){1,3}(?!\w)"
)
_LETTERS = re.compile(r"(?<![\w.])([A-Z]{1,5})[-‑]?(\d{1,4})(?![\w]|[.,]\d)")
_DECIMAL_ID = re.compile(r"(?<!\w)([A-Z]{2,5}) ?(\d{1,2})([.,])(\d)(?![\w%])")
_ZONE = re.compile(r"\b(UTC|GMT) ?([-−–+]) ?(?=\d)")
_LONG_ID = 3

WITHOUT_DIGITS = 6
"""How many of the `rules`, from the first, may match text without a digit."""


def rules(grammar: Grammar) -> list[Rule]:
    """Rules for text with a digit, a stop, an @ or an underscore, in order; before any other numbers."""
    cue = re.compile(
        rf"(?i:\b(?:{grammar.code_cue}))(?:[ :]+(?![\d]{{1,2}}\b)[^\W\d]{{1,8}}){{0,2}}[ :]+#?"
        r"(\d{2,5}(?:[ -]\d{2,8}){1,4}|\d{3,12}|0\d+)(?![\w%°]|[.,:/]\d| ?[%°€$£])"
    )
    return [
        (_MAIL, lambda match: _address(grammar, match[0])),
        (_URL, partial(_url, grammar)),
        (_IP, partial(_ip, grammar)),
        (_ENTITY, partial(_entity, grammar)),
        (_DOMAIN, partial(_entity, grammar)),
        (_SNAKE, lambda match: _spaced_digits(match[0].replace("_", " "))),
        (_VERSION, partial(_version, grammar)),
        (_NAMED_VERSION, partial(_version, grammar)),
        (_WORDED_VERSION, partial(_worded_version, grammar)),
        *((pattern, partial(_phone, grammar)) for pattern in (_INTERNATIONAL, _AREA, _DASHED, _TRIPLES)),
        (cue, partial(_code, grammar)),
        (_ZONE, lambda match: f"{match[1]} {grammar.sums['-' if match[2] in '-−–' else '+']} "),
        (_DECIMAL_ID, partial(_decimal_identifier, grammar)),
        (_LETTERS, partial(_identifier, grammar)),
    ]


def _address(grammar: Grammar, written: str) -> str:
    """Signs by name, runs of digits as numbers up to two digits, longer ones digit by digit."""
    said = re.sub(r"[^\w\s]|_", lambda sign: f" {grammar.address.get(sign[0], '')} ", written)
    said = re.sub(r"\d+", lambda run: f" {_short(grammar, run[0])} ", said)
    return " ".join(said.split())


def _short(grammar: Grammar, digits: str) -> str:
    return (
        grammar.cardinal(int(digits))
        if len(digits) < _LONG_ID and digits[0] != "0"
        else grammar.digits(digits)
    )


def _url(grammar: Grammar, match: re.Match[str]) -> str:
    written = match[0].rstrip(".,!?;:)'»”\"")
    behind = match[0][len(written) :]
    scheme, _, rest = written.rpartition("://")
    rest = re.sub(r"[?#].*", "", rest.removeprefix("www.")).rstrip("/") or rest
    spelled = "" if scheme in ("", "http", "https") else f"{' '.join(scheme.upper())} "
    return spelled + _address(grammar, rest) + behind


def _ip(grammar: Grammar, match: re.Match[str]) -> str:
    said = f" {grammar.address['.']} ".join(_group(grammar, group) for group in match.groups()[:4])
    if match[5]:
        said += f" {grammar.address[':']} {grammar.digits(match[5])}"
    if match[6]:
        said += f" {grammar.address['/']} {grammar.cardinal(int(match[6][1:]))}"
    return said


def _group(grammar: Grammar, digits: str) -> str:
    return grammar.cardinal(int(digits)) if digits[0] != "0" else grammar.digits(digits)


def _entity(grammar: Grammar, match: re.Match[str]) -> str:
    name = _spaced_digits(match[2].replace("_", " "))
    return f"{match[1].replace('_', ' ')} {grammar.address['.']} {name}"


def _spaced_digits(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])", " ", name)


def _version(grammar: Grammar, match: re.Match[str]) -> str | None:
    if _THOUSANDS.fullmatch(match[2]) and not match[1]:
        return None
    said = f" {grammar.address['.']} ".join(_group(grammar, part) for part in match[2].split("."))
    if behind := match[3]:
        letters = behind.rstrip("0123456789")
        number = behind[len(letters) :]
        said += f" {letters} {_group(grammar, number) if number else ''}".rstrip()
    return f"{grammar.words['version']} {said}" if match[1] else said


def _worded_version(grammar: Grammar, match: re.Match[str]) -> str:
    numbers = _group(grammar, match[2]), _group(grammar, match[3])
    return f"{match[1]} {numbers[0]} {grammar.address['.']} {numbers[1]}"


def _phone(grammar: Grammar, match: re.Match[str]) -> str | None:
    groups = re.findall(r"\d+", match[0])
    if sum(map(len, groups)) < 7:
        return None
    plus = f"{grammar.sums['+']} " if match[0][0] == "+" else ""
    return plus + ", ".join(grammar.digits(group) for group in groups)


def _code(grammar: Grammar, match: re.Match[str]) -> str:
    before = match[0][: match.start(1) - match.start()].rstrip("#")
    return before + ", ".join(grammar.digits(group) for group in re.findall(r"\d+", match[1]))


def _identifier(grammar: Grammar, match: re.Match[str]) -> str:
    """`A4`, `CO2`, `BA2490`."""
    return f"{match[1]} {_short(grammar, match[2])}"


def _decimal_identifier(grammar: Grammar, match: re.Match[str]) -> str | None:
    """`PM2.5`."""
    if match[1] not in ("PM", "USB", "HDMI", "WPA", "DDR"):
        return None
    mark = grammar.sums[","] if match[1] == "PM" else grammar.address["."]
    return f"{match[1]} {_group(grammar, match[2])} {mark} {_group(grammar, match[4])}"
