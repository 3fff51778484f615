"""What is counted and measured in Hindi: money, units, ranges, fractions, ordinals, sums."""

from __future__ import annotations

import functools
import re

from wyoming_tts.text import hi_words as say
from wyoming_tts.text.aligned import Rule
from wyoming_tts.text.hi_dates import START
from wyoming_tts.text.hi_rules import DEVANAGARI, NUMBER
from wyoming_tts.text.hi_units import ALONE, MAGNITUDES, MONEY, MONEY_NAMES, pattern, unit

_LEFT = rf"(?<![\w{DEVANAGARI}])"
_RIGHT = rf"(?![\w{DEVANAGARI}])"
_STOP = "[.\u0970]"
_POSTPOSITION = re.compile(rf"\s(?:में|से|पर|को|तक|का|की|के){_RIGHT}")
_SIGNED = rf"{START}(?:(?<![\w{DEVANAGARI}).])[-−–+](?=\d))?{NUMBER}"


def _money(match: re.Match[str]) -> str:
    """ "₹3.50", "5 लाख रु." and what it is for ("/kWh")."""
    found = match.groupdict()
    written = str(found.get("before") or found.get("after") or "₹").rstrip(".\u0970")
    sign = MONEY_NAMES.get(written, written)
    said = _amount((found["sign"] or "") + found["number"], sign, found["magnitude"])
    per = found["per"]
    return _bent(match, f"{said} प्रति {unit(per, True)}" if per else said)


def _money_range(match: re.Match[str]) -> str:
    written = match["before"].rstrip(".\u0970")
    amount = _amount(match["more"], MONEY_NAMES.get(written, written), match["magnitude"])
    return f"{say.spoken(match['number'])} से {amount}"


def _bent(match: re.Match[str], said: str) -> str:
    """In the oblique case where a postposition follows: "एक घंटे में"."""
    if not _POSTPOSITION.match(match.string, match.end()):
        return said
    return re.sub("(घंट|रुपय|पैस)ा$", r"\1े", said)


def _amount(number: str, sign: str, magnitude: str | None) -> str:
    one, several, small, smalls = MONEY[sign]
    if magnitude:
        return f"{say.spoken(number)} {MAGNITUDES[magnitude]} {several}"
    plain = number.lstrip("-−–+").replace(",", "")
    cents = re.fullmatch(r"(\d+)\.(\d\d)", plain)
    if not cents or not small:
        return f"{say.spoken(number)} {one if plain == '1' else several}"
    said = [f"{say.spoken(cents[1])} {one if cents[1] == '1' else several}"] if int(cents[1]) else []
    if int(cents[2]):
        said.append(f"{say.cardinal(int(cents[2]))} {small if cents[2] == '01' else smalls}")
    minus = "माइनस " if number[0] in "-−–" else ""
    return minus + (" ".join(said) or f"शून्य {several}")


def _quantity(match: re.Match[str]) -> str:
    number = match[1]
    return _bent(match, f"{say.spoken(number)} {unit(match[2], number.lstrip('-−–+') == '1')}")


def _height(match: re.Match[str]) -> str:
    return f"{say.spoken(match[1])} फ़ुट {say.spoken(match[2])} इंच"


_SCORED = re.compile(r"\s(?:की\s)?से\s(?:जीत|हार|हरा|मात|आगे|पीछे|बराबर|ड्रॉ)|\s(?:की बढ़त|पर ड्रॉ)")
_SCORE = re.compile(r"(?:स्कोर|गोल|सेट|मैच)\s(?:है\s|रहा\s|में\s)?$")


def _range(match: re.Match[str]) -> str:
    if not match[3] and _is_score(match):
        return f"{say.spoken(match[1])} {say.spoken(match[2])}"
    said = f"{say.spoken(match[1])} से {say.spoken(match[2])}"
    return f"{said} {unit(match[3], False)}" if match[3] else said


def _is_score(match: re.Match[str]) -> bool:
    """Also what does not go up ("2-2 गोली" is two each)."""
    first, second = match[1], match[2]
    if not (first.isdecimal() and second.isdecimal()):
        return False
    if int(first[:18]) >= int(second[:18]) or _SCORED.match(match.string, match.end()):
        return True
    return _SCORE.search(match.string[max(0, match.start() - 16) : match.start()]) is not None


_COMPARED = {
    "<": ("", " से कम"),
    ">": ("", " से ज़्यादा"),
    "≤": ("ज़्यादा से ज़्यादा ", ""),
    "≥": ("कम से कम ", ""),
}


def _comparison(match: re.Match[str]) -> str:
    said = say.spoken(match[2]) + (f" {unit(match[3], match[2] == '1')}" if match[3] else "")
    before, after = _COMPARED[{"<=": "≤", ">=": "≥"}.get(match[1], match[1])]
    return before + said + after


_GLYPHS = {"½": (1, 2), "¼": (1, 4), "¾": (3, 4), "⅓": (1, 3), "⅔": (2, 3), "⅛": (1, 8)}
_FRACTIONS = {
    (1, 2): "आधा",
    (1, 4): "एक चौथाई",
    (3, 4): "तीन चौथाई",
    (1, 3): "एक तिहाई",
    (2, 3): "दो तिहाई",
}


def _fraction(match: re.Match[str]) -> str | None:
    """ "1½" as "डेढ़", "3/4" as "तीन चौथाई", "5/8" as "पाँच बटा आठ"."""
    whole, above, below, glyph = match.groups()
    parts = _GLYPHS[glyph] if glyph else (int(above), int(below))
    if whole:
        return _mixed(int(whole), *parts)
    return _FRACTIONS.get(parts) or f"{say.cardinal(parts[0])} बटा {say.cardinal(parts[1])}"


def _mixed(whole: int, above: int, below: int) -> str:
    match (above, below):
        case (1, 2):
            return {1: "डेढ़", 2: "ढाई"}.get(whole) or f"साढ़े {say.cardinal(whole)}"
        case (1, 4):
            return "सवा" if whole == 1 else f"सवा {say.cardinal(whole)}"
        case (3, 4):
            return f"पौने {say.cardinal(whole + 1)}"
    return f"{say.cardinal(whole)} सही {say.cardinal(above)} बटा {say.cardinal(below)}"


def _ordinal(match: re.Match[str]) -> str:
    ending = match[2]
    gender = "f" if "ी" in ending else "o" if "े" in ending else "m"
    return say.ordinal(int(match[1]), gender)


def _alone(match: re.Match[str]) -> str:
    return _bent(match, unit(match[0], True))


def _plain(match: re.Match[str]) -> str:
    """A number that no other rule wanted; it is set apart from letters."""
    before = match.string[match.start() - 1 : match.start()]
    behind = match.string[match.end() : match.end() + 1]
    apart = re.compile(rf"[\w{DEVANAGARI}]")
    return f"{' ' * bool(apart.match(before))}{say.spoken(match[0])}{' ' * bool(apart.match(behind))}"


_MONEY_BEFORE = (
    r"(?P<before>₹|US\$|[$€£¥]|(?<![A-Za-z])(?:Rs|INR|USD|EUR|GBP)\b\.?|"
    + rf"{_LEFT}र[ुू](?:{_STOP}|(?=\s?\d)))\s?"
)
_MONEY_AFTER = (
    rf"\s?(?P<after>₹|[$€£¥¢]|(?:INR|USD|EUR|GBP|JPY|Rs)\b|र[ुू](?:{_STOP}|{_RIGHT}))(?:{_STOP}(?=\s[^\s]))?"
)
_MONEY_SIGN = rf"(?P<sign>(?<![\w{DEVANAGARI}).])[-−–+])?"
_MAGNITUDE = (
    "(?:\\s?(?P<magnitude>"
    + "|".join(sorted(map(re.escape, MAGNITUDES), key=len, reverse=True))
    + f"){_RIGHT})?"
)

_JOINED = r"[\u0900-\u0903\u093a-\u094f]"
_ORDINAL = "(?:ला|ली|ले|रा|री|रे|था|थी|थे|ठा|ठी|ठे|वाँ|वां|वा|वीं|वी|वें|वे|वॉं|st|nd|rd|th)"


@functools.cache
def quantity_rules() -> tuple[Rule, ...]:
    """All that has a number in it, the special before the general."""
    units = pattern()
    unit_end = r"(?![A-Za-z0-9²³])"
    per = rf"(?:\s?/\s?(?P<per>{units}){unit_end})?"
    number = rf"(?P<number>{NUMBER})"
    return (
        (re.compile(rf"{START}(\d{{1,9}})/-(?!\d)"), lambda match: _amount(match[1], "₹", None)),
        (
            re.compile(rf"{_MONEY_BEFORE}(?P<number>{NUMBER})\s?[-–—]\s?(?P<more>{NUMBER}){_MAGNITUDE}"),
            _money_range,
        ),
        (
            re.compile(
                _MONEY_SIGN + _MONEY_BEFORE + number + _MAGNITUDE + rf"(?:/-)?(?:\s?रुप(?:ये|ए|या))?{per}"
            ),
            _money,
        ),
        (re.compile(START + _MONEY_SIGN + number + _MAGNITUDE + _MONEY_AFTER + per), _money),
        (re.compile(rf"{START}(\d{{1,2}})['′]\s?(\d{{1,2}})[\"″]"), _height),
        (re.compile(r"±\s?(?=\d)"), "प्लस माइनस "),
        (re.compile(r"[~≈]\s?(?=\d)"), "लगभग "),
        (re.compile(r"(?<=[°CF%])\s?/\s?(?=[-−+]?\d)"), ", "),
        (
            re.compile(
                rf"({_SIGNED})\s?%?\s?[-–—]\s?([-−+]?{NUMBER})(?:\s?({units}){unit_end}(?!{_JOINED}))"
            ),
            _range,
        ),
        (re.compile(rf"([<>]=?|[≤≥])\s?([-−+]?{NUMBER})(?:\s?({units}){unit_end})?"), _comparison),
        (re.compile(rf"{START}(?:(\d{{1,4}})\s)?(\d{{1,4}})/(\d{{1,4}})(?![\d/])()"), _fraction),
        (re.compile(r"(?:(?<!\d)(\d{1,6})\s?)?()()([½¼¾⅓⅔⅛])"), _fraction),
        (re.compile(rf"{START}(\d{{1,9}})-?({_ORDINAL}){_RIGHT}"), _ordinal),
        (re.compile(rf"({_SIGNED})\s?({units}){unit_end}(?!{_JOINED})"), _quantity),
        (re.compile(r"(?<=\d)\s?[-−–]\s?(?=\d{1,15}\s?=)"), " माइनस "),
        (re.compile(r"(?<=\d)\+(?![\w(])(?=\s[\u0904-\u0939])"), " से ज़्यादा"),
        (re.compile(rf"({_SIGNED})\s?[-–—]\s?({NUMBER})(?![\w-])()"), _range),
        (re.compile(r"(?<=\d)\s?[x×*]\s?(?=\d)"), " गुणा "),
        (re.compile(r"(?<=\d)\s?÷\s?(?=\d)"), " भाग "),
        (re.compile(_SIGNED), _plain),
        (re.compile(r"\d++"), _plain),
    )


SIGNS: tuple[Rule, ...] = (
    (re.compile(r"\s?[%٪]"), " प्रतिशत"),
    (re.compile(r"(?<=[^\s=])\s?=++(?:\s=++)*+\s?(?=\S)"), " बराबर "),
    (re.compile(r"(?<=\w)\+(?=\s|$)(?! [\w\u0900-\u097f])"), " प्लस"),
    (re.compile(r"\s?(?<![+\s])\s?\+\s?(?=[\w\u0900-\u097f])"), " प्लस "),
    (re.compile(r"\s&(?=\s)"), " और"),
    (re.compile(rf"(?<=[\w{DEVANAGARI}])\s?²(?!\w)"), " का वर्ग"),
    (re.compile(rf"(?<=[\w{DEVANAGARI}])\s?³(?!\w)"), " का घन"),
    (re.compile(rf"(?<=[\w{DEVANAGARI}])/(?=[\u0904-\u0939A-Z])"), " या "),
)
"""Signs between words."""


@functools.cache
def unit_rules() -> tuple[Rule, ...]:
    """Units without a number."""
    alone = "|".join(re.escape(symbol) for symbol in sorted(ALONE, key=len, reverse=True))
    return ((re.compile(rf"(?<![\w/°]){_LEFT}(?:{alone})(?![\w/²³])"), _alone),)
