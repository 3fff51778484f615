"""English amounts of money."""

from __future__ import annotations

import re

from wyoming_tts.text.en_units import UNIT, reading
from wyoming_tts.text.en_words import NUMBER, English, Said, after, before, rule

_Names = tuple[str, str, str, str]
_DOLLAR: _Names = ("dollar", "dollars", "cent", "cents")


def _kind(adjective: str, names: _Names = _DOLLAR) -> _Names:
    return (f"{adjective} {names[0]}", f"{adjective} {names[1]}", names[2], names[3])


_EURO: _Names = ("euro", "euros", "cent", "cents")
_POUND: _Names = ("pound", "pounds", "penny", "pence")
_YEN: _Names = ("yen", "yen", "", "")
_RUPEE: _Names = ("rupee", "rupees", "paisa", "paise")
_CURRENCIES: dict[str, _Names] = {
    "$": _DOLLAR,
    "€": _EURO,
    "£": _POUND,
    "¥": _YEN,
    "₹": _RUPEE,
    "₩": ("won", "won", "", ""),
    "₽": ("ruble", "rubles", "kopeck", "kopecks"),
    "₺": ("lira", "lira", "kurush", "kurush"),
    "₿": ("bitcoin", "bitcoin", "", ""),
    "₴": ("hryvnia", "hryvnias", "kopiyka", "kopiykas"),
    "US$": _kind("U S"),
    "A$": _kind("Australian"),
    "AU$": _kind("Australian"),
    "C$": _kind("Canadian"),
    "CA$": _kind("Canadian"),
    "NZ$": _kind("New Zealand"),
    "HK$": _kind("Hong Kong"),
    "S$": _kind("Singapore"),
    "R$": ("real", "reais", "centavo", "centavos"),
    "USD": _DOLLAR,
    "EUR": _EURO,
    "GBP": _POUND,
    "JPY": _YEN,
    "INR": _RUPEE,
    "AUD": _kind("Australian"),
    "CAD": _kind("Canadian"),
    "NZD": _kind("New Zealand"),
    "HKD": _kind("Hong Kong"),
    "SGD": _kind("Singapore"),
    "CHF": ("Swiss franc", "Swiss francs", "centime", "centimes"),
    "CNY": ("yuan", "yuan", "", ""),
    "RMB": ("yuan", "yuan", "", ""),
    "KRW": ("won", "won", "", ""),
    "ZAR": ("rand", "rand", "cent", "cents"),
    "BRL": ("real", "reais", "centavo", "centavos"),
    "MXN": ("Mexican peso", "Mexican pesos", "centavo", "centavos"),
    "SEK": ("Swedish krona", "Swedish kronor", "öre", "öre"),
    "NOK": ("Norwegian krone", "Norwegian kroner", "øre", "øre"),
    "DKK": ("Danish krone", "Danish kroner", "øre", "øre"),
    "PLN": ("zloty", "zlotys", "grosz", "groszy"),
    "CZK": ("Czech koruna", "Czech korunas", "haler", "halers"),
    "HUF": ("forint", "forints", "", ""),
    "TRY": ("lira", "lira", "kurush", "kurush"),
    "THB": ("baht", "baht", "", ""),
    "BTC": ("bitcoin", "bitcoin", "", ""),
    "RON": ("Romanian leu", "Romanian lei", "ban", "bani"),
    "ILS": ("shekel", "shekels", "", ""),
}
_MAGNITUDES = {
    "k": "thousand",
    "m": "million",
    "mn": "million",
    "mil": "million",
    "b": "billion",
    "bn": "billion",
    "t": "trillion",
    "tn": "trillion",
    "thousand": "thousand",
    "million": "million",
    "billion": "billion",
    "trillion": "trillion",
}
_SYMBOL = r"(?:(?:US|AU|CA|NZ|HK|[ACSR])?\$|[€£¥₹₩₽₺₿₴])"
_CODE = "|".join(code for code in _CURRENCIES if len(code) == 3 and code.isalpha())
_MAGNITUDE = (
    r"(?:(?:\s?|-(?=[tmb]))(?P<magnitude>K|k|Mn?|m|mn|mil|B|bn?|T|tn|[Tt]housand|"
    r"[Mm]illion|[Bb]illion|[Tt]rillion)(?!\w|/(?!(?:yr|year|mo|month|wk|week|day|hr|hour)\b)))?"
)
_ADJECTIVE = re.compile(
    r"\s(?!(?:of|in|at|per|and|or|to|for|is|on|from|each|by|bet|a|"
    r"an|the|today|more|less|off|if|as|with)\b)[a-z]{3,}"
)


def amount(number: str, magnitude: str, names: _Names, english: English, *, adjective: bool = False) -> str:
    """A sum in words: "three dollars and fifty cents", "one point two million dollars"."""
    number = number.replace(",", "")
    if magnitude:
        unit = names[0] if adjective else names[1]
        return f"{english.number(number)} {_MAGNITUDES[magnitude.lower()]} {unit}"
    whole, _, fraction = number.partition(".")
    if len(fraction) != 2 or not names[2]:
        one = number == "1" or (adjective and not fraction)
        return f"{english.number(number)} {names[0 if one else 1]}"
    return _with_cents(int(whole or 0) if len(whole) < 16 else whole, int(fraction), names, english)


def _with_cents(whole: int | str, cents: int, names: _Names, english: English) -> str:
    said = []
    if whole or not cents:
        count = english.cardinal(whole) if isinstance(whole, int) else english.whole(whole)
        said.append(f"{count} {names[0 if whole == 1 else 1]}")
    if cents:
        said.append(f"{english.cardinal(cents)} {names[2 if cents == 1 else 3]}")
    return " and ".join(said)


def _before(match: re.Match[str], english: English) -> Said:
    """`$5`, and `$5-10`, where the currency comes once."""
    names = _CURRENCIES["US$" if match["code"] == "USD" else match["code"] or match["currency"]]
    adjective = "-" in match[0] or bool(
        re.search(r"\ban? \Z", before(match)) and _ADJECTIVE.match(after(match))
    )
    said = amount(match["number"], match["magnitude"] or "", names, english, adjective=adjective)
    return said + _rate(match, english)


def _range(match: re.Match[str], english: English) -> Said:
    names = _CURRENCIES[match["currency"]]
    return f"{english.number(match[2])} to {amount(match[3], match['magnitude'] or '', names, english)}"


def _behind(match: re.Match[str], english: English) -> Said:
    names = _CURRENCIES[match["currency"]]
    rate = _rate(match, english)
    if match["rate"] and not rate:
        return None
    return amount(match["number"], match["magnitude"] or "", names, english) + rate


def _rate(match: re.Match[str], english: English) -> str:
    if not match["rate"]:
        return ""
    said = reading(match["rate"], True, english)
    return f" per {said or match['rate']}"


def _rates(match: re.Match[str], english: English) -> Said:
    said = reading(match["rate"], True, english)
    return f"{_CURRENCIES[match['currency']][1]} per {said}" if said else None


def _pence(match: re.Match[str], english: English) -> Said:
    if not english.british:
        return None
    return f"{english.number(match[1])} {'penny' if match[1] == '1' else 'pence'}"


def _decimal(match: re.Match[str], english: English) -> Said:
    counted = match["unit"] not in ("in", "A", "us", "d", "K") and reading(match["unit"], False, english)
    return {1: "."} if counted else None


_FROM = r"(?<![0-9][.,])(?<!\w)"
_RATE = rf"(?:\s?/\s?(?P<rate>{UNIT}))?"
_SUM = rf"(?P<number>{NUMBER}){_MAGNITUDE}"
COMMAS = (
    rule(
        r"(?:(?<=€)|(?<=€ ))[0-9]{1,9}(,)[0-9]{2}(?![0-9,])|(?<![\w.,])[0-9]{1,9}(,)[0-9]{2}(?=\s?€)",
        lambda match, english: {1: ".", 2: "."},
    ),
    rule(rf"(?<![\w.,])[0-9]{{1,4}}(,)[0-9]{{1,2}}(?=(?:\s?(?P<unit>{UNIT})))", _decimal),
)
"""The decimal comma of `€5,50` and `1,5 km`."""

MONEY = (
    rule(rf"(?<!\w)(?P<currency>{_SYMBOL})\s?({NUMBER})\s?[-–—]\s?({NUMBER}){_MAGNITUDE}", _range),
    rule(
        rf"(?<!\w)(?P<currency>{_SYMBOL}|(?:{_CODE})(?=[\s0-9.]))\s?{_SUM}"
        rf"(?:\s?(?P<code>{_CODE})(?!\w))?{_RATE}",
        _before,
    ),
    rule(rf"{_FROM}{_SUM}\s?(?P<currency>(?:{_CODE})(?!\w)|[€£¥₹₩₽₺₿₴]|\$(?![0-9])){_RATE}", _behind),
    rule(rf"{_FROM}([0-9]{{1,2}})p(?!\w)", _pence),
    rule(rf"(?<!\w)(?P<currency>{_SYMBOL}|{_CODE})\s?/\s?(?P<rate>{UNIT})", _rates),
)
"""Sums of money."""
