"""Words of Hindi: numbers, dates, clock times, letters."""

from __future__ import annotations

import re
import unicodedata

from wyoming_tts.text import numbers

POINT = "दशमलव"
"""Between a number and its decimals."""

MONTHS = (
    "जनवरी",
    "फ़रवरी",
    "मार्च",
    "अप्रैल",
    "मई",
    "जून",
    "जुलाई",
    "अगस्त",
    "सितंबर",
    "अक्टूबर",
    "नवंबर",
    "दिसंबर",
)
"""January to December."""

LETTERS = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        [
            *("ए", "बी", "सी", "डी", "ई", "एफ़", "जी", "एच", "आई", "जे"),
            *("के", "एल", "एम", "एन", "ओ", "पी", "क्यू", "आर", "एस", "टी", "यू", "वी", "डब्ल्यू", "एक्स"),
            *("वाई", "ज़ेड"),
        ],
        strict=True,
    )
)
"""The names of the Latin letters."""

_SYMBOLS = {
    ".": "डॉट",
    "-": "डैश",
    "_": "अंडरस्कोर",
    "/": "स्लैश",
    ":": "कोलन",
    "@": "एट",
    "+": "प्लस",
    "#": "हैश",
    "*": "स्टार",
    "%": "प्रतिशत",
    "&": "एंड",
    ",": "कॉमा",
    "!": "विस्मय चिह्न",
    "?": "प्रश्न चिह्न",
    "=": "बराबर",
}

_FIRST = {1: "पहल", 2: "दूसर", 3: "तीसर", 4: "चौथ", 6: "छठ"}
_ENDINGS = {"m": ("ा", "वाँ"), "f": ("ी", "वीं"), "o": ("े", "वें")}


def cardinal(number: int) -> str:
    """`21` -> "इक्कीस", `100` -> "सौ"; negative numbers after "माइनस"."""
    if number == 100:
        return "सौ"
    return f"{'माइनस ' if number < 0 else ''}{numbers.cardinal(abs(number), 'hi')}"


def digits(written: str) -> str:
    """Digit by digit; anything else is left out."""
    return numbers.digits(written, "hi")


def spoken(written: str) -> str:
    """A number as it is written ("-1,23,456.50", "007") in words."""
    sign = {"-": "माइनस ", "−": "माइनस ", "–": "माइनस ", "+": "प्लस "}.get(written[:1], "")
    whole, _, decimals = written.lstrip("-−–+").replace(",", "").partition(".")
    padded = len(whole) > 1 and whole[0] == "0" and not decimals
    said = digits(whole) if padded or len(whole) > 15 else cardinal(int(whole or "0"))
    return f"{sign}{said} {POINT} {digits(decimals)}" if decimals else sign + said


def ordinal(number: int, gender: str = "m") -> str:
    """`2` -> "दूसरा"; `gender` is `m`, `f` ("दूसरी") or `o`, the oblique ("दूसरे")."""
    short, long = _ENDINGS[gender]
    return f"{_FIRST[number]}{short}" if number in _FIRST else f"{numbers.cardinal(number, 'hi')}{long}"


def year(number: int) -> str:
    """`1947` -> "उन्नीस सौ सैंतालीस"."""
    if not 1100 <= number < 2000:
        return cardinal(number)
    rest = f" {cardinal(number % 100)}" if number % 100 else ""
    return f"{cardinal(number // 100)} सौ{rest}"


def date(day: int, month: int, years: int | None = None) -> str | None:
    """`21, 11, 2026` -> "इक्कीस नवंबर दो हज़ार छब्बीस"; None when there is no such day."""
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    return f"{cardinal(day)} {MONTHS[month - 1]}{'' if years is None else ' ' + year(years)}"


def clock(hours: int, minutes: int, seconds: int = 0) -> str:
    """`7, 5` -> "सात बजकर पाँच मिनट", `7, 0` -> "सात बजे"."""
    said = cardinal(hours)
    if not minutes and not seconds:
        return f"{said} बजे"
    said += f" बजकर {cardinal(minutes)} मिनट"
    return f"{said} {cardinal(seconds)} सेकंड" if seconds else said


def part_of_day(hours: int, afternoon: bool) -> tuple[str, int]:
    """Of an hour of twelve: what Hindi says before it ("शाम"), and the hour."""
    if hours == 12:
        return ("दोपहर" if afternoon else "रात"), 12
    if afternoon:
        return ("दोपहर" if hours < 4 else "शाम" if hours < 8 else "रात"), hours
    return ("रात" if hours < 4 else "सुबह"), hours


def duration(hours: int, minutes: int, seconds: int) -> str:
    """`1, 23, 45` -> "एक घंटा तेईस मिनट पैंतालीस सेकंड"."""
    parts = []
    if hours:
        parts.append(f"{cardinal(hours)} {'घंटा' if hours == 1 else 'घंटे'}")
    if minutes:
        parts.append(f"{cardinal(minutes)} मिनट")
    if seconds or not parts:
        parts.append(f"{cardinal(seconds)} सेकंड")
    return " ".join(parts)


def letters(word: str) -> str:
    """Latin letters by name and in one word: "LED" -> "एलईडी"."""
    return "".join(LETTERS.get(letter, letter) for letter in word.upper())


def characters(text: str) -> str:
    """Every character by name; a Devanagari letter with its vowel sign is one."""
    said = []
    for cluster in re.findall(r"[^\W_](?:\u094d[\u0915-\u0939]|[\u0900-\u0903\u093a-\u094f])*+|\S", text):
        first = cluster[0]
        if first.isdecimal():
            said.append(cardinal(unicodedata.decimal(first)))
        else:
            said.append(LETTERS.get(cluster.upper()) or _SYMBOLS.get(cluster) or cluster)
    return " ".join(said)


def address(text: str, *, digit_by_digit: bool = True) -> str:
    """An address of the net: its signs by name, numbers digit by digit."""

    def named(match: re.Match[str]) -> str:
        return f" {_SYMBOLS[match[0]]} "

    text = re.sub(r"[-._/:@+#%&=]", named, text)
    text = re.sub(r"\d+", lambda match: f" {digits(match[0])} " if digit_by_digit else match[0], text)
    return " ".join(text.split())
