"""What Chinese and Japanese have in common: written numbers, units and addresses, read without spaces."""

from __future__ import annotations

import datetime
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from wyoming_tts.text.aligned import AlignedText, Kind, Rule
from wyoming_tts.text.cjk_fold import SPECIAL, fold
from wyoming_tts.text.numbers import LARGEST, cardinal

DASH = r"[-–—−~〜～]"
"""What stands between the ends of a range."""

NUMBER = r"(?:(?<![\d.])\d++(?:\.\d++)?+)"
"""A number, which begins where it is matched."""

SIGNED = rf"(?:(?<![0-9A-Za-z%.])[-−–])?{NUMBER}"
"""A number that may be below zero."""

HALF_DAY = r"(?:\s?([AaPp])\.?[Mm](?![A-Za-z])\.?)?"

_HAS_WORK = re.compile(
    rf"[\d@/_~〜～⁄∕０-￦㎀-㏿{SPECIAL}]|[日月火水木金土一二三四五六天曜][-–—・]|第\s?[IVX]|www\.|[A-Za-z]\.[A-Za-z]|CO₂"
)

_DIGIT = re.compile(r"\d")
_ROUNDS = 8

_TLD = (
    "ai|app|cn|co|com|de|dev|edu|eu|fr|gov|home|info|internal|io|jp|kr|lan|local|me|net|org|tv|tw|uk|us|xyz"
)
_PATH = r"(?:/[^\s<>\"'“”‘’。，、！？；：）」』】\u3040-\u30ff\u3400-\u9fff]{0,400})?"
_LABELS = r"(?:[a-z0-9](?:[a-z0-9-]{0,62}+)\.)"
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9.+_-])[A-Za-z0-9.+_-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![A-Za-z@_-])"
)
_AT = re.compile(r"(?<=[^\s@])@(?=[A-Za-z0-9])")
_URL = re.compile(
    rf"(?<![a-z+.-])(?:([a-z][a-z0-9+-]{{1,9}})://|www\.)[\w.-]{{1,255}}(?::\d{{2,5}})?{_PATH}", re.I | re.A
)
_HOST = re.compile(
    rf"(?<![a-z0-9@_./-]){_LABELS}{{1,5}}(?:{_TLD})(?![a-z0-9_-])(?!\.[a-z0-9])(?::\d{{2,5}})?{_PATH}", re.I
)
_IP = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d{1,3}){3})(?:/(\d{1,2}))?(?::(\d{2,5}))?(?![\d.]?\d)")
_ENTITY = re.compile(
    r"(?<![A-Za-z0-9_.])(?:(?:binary_sensor|sensor|light|switch|climate|cover|fan|lock|media_player|camera"
    r"|automation|script|scene|person|device_tracker|zone|sun|weather|vacuum|timer|counter|number|select"
    r"|button|update|calendar|todo|group|notify|remote|siren|humidifier|event|image|text|valve"
    r"|input_[a-z]{4,8}|alarm_control_panel|water_heater|lawn_mower)\.[a-z0-9_]{1,80}"
    r"|[a-z]{2,20}\.[a-z0-9]{1,40}_[a-z0-9_]{1,80})"
    r"(?![A-Za-z0-9_.])"
)
_MOBILE = re.compile(r"(?<!\d)(1[3-9]\d)(\d{4})(\d{4})(?!\d)")
_SNAKE = re.compile(r"(?<=[A-Za-z0-9])_++(?=[A-Za-z0-9])")
_WORD = re.compile(r"\d+|[A-Za-z]+|[^\w\s]|_|[^\W\d_]+")


def has_work(text: str) -> bool:
    """Whether there may be anything in a text that is not written as it is spoken."""
    return _HAS_WORK.search(text) is not None


def has_digit(text: str) -> bool:
    """Whether there is a digit of any script that numbers are written in here."""
    return _DIGIT.search(text) is not None


def settled(text: AlignedText, once: Callable[[AlignedText], AlignedText]) -> AlignedText:
    """The text after as many rounds of `once` as change it: one, but for nonsense that grows into sense."""
    for _ in range(_ROUNDS):
        if not has_work(text.text):
            break
        before, text = text.text, once(text)
        if text.text == before:
            break
    return text


class Speech(ABC):
    """How a language says numbers and signs; what is said of it is what `rules` put in place."""

    language: ClassVar[str]
    units: ClassVar[Mapping[str, str]]
    """Unit as written -> as said."""

    per: ClassVar[Mapping[str, str]]
    """What may stand behind the `/` of a unit -> how that is said, "per" included."""

    currencies: ClassVar[Mapping[str, str]]
    """Sign or code of a currency -> as said behind the amount."""

    signs: ClassVar[Mapping[str, str]]
    """What is said of a sign inside an address or a code."""

    to: ClassVar[str]
    """Between the ends of a range."""

    minus: ClassVar[str]
    """In front of a number below zero."""

    point: ClassVar[str] = "点"
    """Between the whole and the part, and between the numbers of a version."""

    versus: ClassVar[str]
    """Between the numbers of a score."""

    times: ClassVar[str]
    plus: ClassVar[str]
    plus_minus: ClassVar[str]
    about: ClassVar[str]
    compared: ClassVar[Mapping[str, str]]
    """Sign of a comparison -> what is said, `{}` for what is behind it."""

    mixed: ClassVar[str]
    """Between a whole number and a fraction."""

    operators: ClassVar[Mapping[str, str]]
    """Signs of a sum."""

    lengths: ClassVar[tuple[str, str, str]]
    """Hours, minutes and seconds of a length of time."""

    no_time: ClassVar[str]
    """A length of time that is none."""

    share: ClassVar[str]
    """What stands between the parts of a fraction, the whole first."""

    pause: ClassVar[str] = "，"
    """Between the groups of a telephone number."""

    @abstractmethod
    def digits(self, written: str) -> str:
        """Each digit for itself; everything else is left out."""

    @abstractmethod
    def number(self, written: str) -> str:
        """A whole or decimal number, no sign."""

    @abstractmethod
    def year(self, written: str) -> str:
        """A year, without the word for it."""

    @abstractmethod
    def quantity(self, written: str, unit: str) -> str:
        """A number without sign in front of a unit, with the unit as said."""

    @abstractmethod
    def percent(self, written: str, sign: str) -> str:
        """A number of per cent or (`‰`) per mille."""

    @abstractmethod
    def date(self, year: str, month: str, day: str) -> str:
        """A date; parts that are empty are not said."""

    @abstractmethod
    def time(self, hour: str, minute: str, second: str, half: str) -> str:
        """A time of day; `half` is "a", "p" or empty, as may be minute and second."""

    def duration(self, hours: str, minutes: str, seconds: str) -> str:
        """A length of time; parts that are zero are not said."""
        parts = zip((hours, minutes, seconds), self.lengths, strict=True)
        said = [self.quantity(str(int(part)), unit) for part, unit in parts if int(part or 0)]
        return "".join(said) or self.no_time

    def fraction(self, above: str, below: str) -> str:
        """`3`, `4` -> 四分之三."""
        return f"{self.number(below)}{self.share}{self.number(above)}"

    def ordinal(self, written: str) -> str:
        """`1` -> 第一."""
        return f"第{self.whole(written)}"

    def left(self, written: str, behind: str) -> str:
        """A number of which nothing is known but the two characters behind it."""
        return self.number(written)

    def signed(self, written: str) -> str:
        """A number that may begin with a minus."""
        sign = self.minus if written[0] in "-−–" else ""
        return sign + self.number(written.lstrip("-−–"))

    def signed_quantity(self, written: str, unit: str) -> str:
        """The same with a unit as written."""
        sign = self.minus if written[0] in "-−–" else ""
        return sign + self.quantity(written.lstrip("-−–"), self.unit(unit))

    def unit(self, written: str) -> str:
        """A unit as said."""
        above, _, below = written.partition("/")
        return self.units[above] + (self.per[below] if below else "")

    def whole(self, written: str) -> str:
        """A whole number in words, one that is too large to count to digit by digit."""
        if (len(written) > 1 and written[0] == "0") or int(written[:17]) >= LARGEST:
            return self.digits(written)
        return cardinal(int(written), self.language)

    def address(self, written: str) -> str:
        """An address or a code: its words, its signs by name, its digits one by one."""
        said: list[str] = []
        for match in _WORD.finditer(written):
            part = match[0]
            word = self.digits(part) if part[0].isdecimal() else self.signs.get(part, part)
            glue = bool(said) and part.isalpha() and said[-1][-1:].isascii() and said[-1][-1:].isalpha()
            said.append(" " + word if glue else word)
        return "".join(said)

    def url(self, match: re.Match[str]) -> str:
        """A web address without what nobody says of it."""
        written, rest = _without_stop(match[0])
        scheme, found, host = written.rpartition("://") if "://" in written[:14] else ("", "", written)
        host = re.sub(r"^www\.(?=[^.]+\.)", "", host.split("?")[0].split("#")[0], flags=re.I).rstrip("/")
        spelled = "" if not found or scheme.lower() in ("http", "https") else " ".join(scheme.upper()) + " "
        return spelled + self.address(host) + rest

    def ip(self, match: re.Match[str]) -> str:
        """An IPv4 address, a port behind it."""
        parts = self.signs["."].join(map(self.digits, match[1].split(".")))
        net = self.signs["/"] + self.number(match[2]) if match[2] else ""
        port = self.signs[":"] + self.digits(match[3]) if match[3] else ""
        return parts + net + port

    def entity(self, match: re.Match[str]) -> str:
        """An entity of Home Assistant."""
        domain, _, name = match[0].partition(".")
        words = " ".join(part for part in name.split("_") if part)
        return f"{domain.replace('_', ' ')}{self.signs['.']}{words}"

    def addresses(self) -> Sequence[Rule]:
        """Rules for what may hold no digit at all."""
        return (
            (_EMAIL, lambda m: self.address(m[0])),
            (_URL, self.url),
            (_IP, self.ip),
            (_ENTITY, self.entity),
            (_HOST, self.url),
            (_SNAKE, " "),
            (_AT, self.signs["@"]),
        )

    def phone(self, written: str) -> str:
        """A telephone number in the groups it is written in."""
        parted = _MOBILE.sub(r"\1 \2 \3", written)
        groups = [self.digits(group) for group in re.split(r"\D+", parted) if group]
        plus = self.signs["+"] if written.lstrip("( ").startswith("+") else ""
        return plus + self.pause.join(groups)

    def money(self, match: re.Match[str]) -> str | None:
        """An amount, its currency in front of it or behind."""
        found = match.groupdict()
        sign, amount = found["sign"] or "", found["amount"]
        currency = self.currencies[found["before"] or found["behind"]]
        if found["size"]:
            return self.large(sign, amount, found["size"]) + currency
        whole, _, cents = amount.partition(".")
        amount = f"{whole}.{cents.rstrip('0')}" if cents.strip("0") else whole
        return (self.minus if sign else "") + self.quantity(amount, currency)

    def large(self, sign: str, amount: str, size: str) -> str:
        """1.2M in words."""
        if size not in "KkMB":
            return (self.minus if sign else "") + self.number(amount) + size
        whole, _, part = amount.partition(".")
        zeros = {"k": 3, "m": 6, "b": 9}[size.lower()]
        if len(part) > zeros:
            return (self.minus if sign else "") + self.number(amount) + size
        return (self.minus if sign else "") + self.number((whole + part.ljust(zeros, "0")).lstrip("0") or "0")

    def range(self, first: str, first_unit: str, second: str, unit: str) -> str:
        """A range whose ends may have units as written (`%` included)."""
        if unit in ("%", "‰"):
            ends = [self.signed_percent(end, unit) for end in (first, second)]
            return self.to.join(ends)
        below_zero = first[0] in "-−–" and unit[0] == "°"
        start = (
            self.signed_quantity(first, first_unit or unit) if first_unit or below_zero else self.bare(first)
        )
        return start + self.to + self.signed_quantity(second, unit)

    def bare(self, written: str) -> str:
        """The beginning of a range that has its unit behind its end."""
        return self.signed(written)

    def signed_percent(self, written: str, sign: str) -> str:
        """A number of per cent that may be below zero."""
        minus = self.minus if written[0] in "-−–" else ""
        return minus + self.percent(written.lstrip("-−–"), sign)


def _without_stop(written: str) -> tuple[str, str]:
    """An address and the marks behind it, which belong to the sentence."""
    bare = written.rstrip(".,;:!?)]'\"")
    return bare, written[len(bare) :]


def parse_date(written: str, form: str = "") -> tuple[str, str, str] | None:
    """Year, month and day ("" where there is none) of a date in the order of `form` (`mdy`) or as written."""
    parts = re.findall(r"\d+", written)
    if not parts or len(parts) > 3 or (not form and len(parts) < 2) or re.search(r"[A-Za-z]", written):
        return None
    order = form or _order(parts)
    if len(order) != len(parts):
        return None
    found = dict(zip(order, parts, strict=True))
    year, month, day = (found.get(part, "") for part in "ymd")
    return (year, month, day) if is_date(year, month, day) else None


def _order(parts: Sequence[str]) -> str:
    if len(parts) == 2:
        return "ym" if len(parts[0]) == 4 else "md"
    if len(parts[0]) == 4:
        return "ymd"
    return "mdy" if int(parts[0]) <= 12 else "dmy"


def is_date(year: str, month: str, day: str) -> bool:
    """Whether there is such a day; empty parts may be any."""
    try:
        datetime.date(int(year or 2000) if len(year) <= 4 else 0, int(month or 1), int(day or 1))
    except ValueError:
        return False
    return True


def parse_time(written: str) -> tuple[str, str, str, str] | None:
    """Hour, minute, second and half of the day ("a", "p" or "") of a time; None of anything else."""
    match = re.fullmatch(rf"(\d{{1,2}})(?:[:.](\d\d))?(?:[:.](\d\d))?{HALF_DAY}\s*", written.strip())
    if match is None or int(match[1]) > 24 or int(match[2] or 0) > 59 or int(match[3] or 0) > 59:
        return None
    return match[1], match[2] or "", match[3] or "", (match[4] or "").lower()


def say_as(speech: Speech, text: str, kind: Kind, form: str) -> str | None:
    """`text` read as SSML's `say-as` wants; None where it cannot be."""
    text = fold(AlignedText.of(text)).text.strip()
    if kind == "characters":
        return _characters(speech, text)
    if kind in ("digits", "telephone"):
        if not any(symbol.isdecimal() for symbol in text):
            return None
        return speech.phone(text) if kind == "telephone" else speech.digits(text)
    if kind in ("cardinal", "ordinal"):
        return _counted(speech, text, kind)
    if kind == "date":
        day = parse_date(text, "".join(part for part in form.lower() if part in "ymd"))
        return speech.date(*day) if day else None
    if kind == "time":
        moment = parse_time(text)
        return speech.time(*moment) if moment else None
    return None


def _counted(speech: Speech, text: str, kind: Kind) -> str | None:
    match = re.fullmatch(r"([-−–]?)(\d{1,400}(?:\.\d{1,400})?)", text.replace("第", ""))
    if match is None or (kind == "ordinal" and ("." in match[2] or match[1])):
        return None
    plain = re.sub(r"^0+(?=\d)", "", match[2])
    return speech.ordinal(plain) if kind == "ordinal" else speech.signed(match[1] + plain)


def _characters(speech: Speech, text: str) -> str | None:
    """Letters one by one, digits in words, signs by name."""
    names = [
        speech.digits(symbol) if symbol.isdecimal() else speech.signs.get(symbol, symbol.upper())
        for symbol in text
        if symbol.isalnum() or symbol in speech.signs
    ]
    return " ".join(names) or None
