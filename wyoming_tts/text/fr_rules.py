"""What French writes in ways of its own; these rules stand around those of `romance`."""

from __future__ import annotations

import re

from wyoming_tts.text import numbers
from wyoming_tts.text.aligned import Rule
from wyoming_tts.text.fr_units import CURRENCIES
from wyoming_tts.text.fr_words import clock, gender, ordinal
from wyoming_tts.text.romance_grammar import Gender, Grammar, Noun
from wyoming_tts.text.romance_roman import roman_value

_SPACE = "[ \u00a0\u202f\u2009]"
_NUMBER = r"(?:[1-9]\d{0,2}(?: \d{3})+(?!\d)|[1-9]\d{0,2}(?:\.\d{3})+(?=,)|\d{1,15})"
_MINUS = r"(?:(?<![\w.,)\]])([-−–]) ?)?(?<![\w.,])(?<!\d[-−–])"
_NO_NOUN = (
    "(?:sont|avec|pour|dans|mais|donc|cette|sous|vers|chez|sans|contre|depuis|pendant|environ|fois|mille)"
)
_SHORT_MONTH = r"(?:janv|févr|fév|avr|juil|sept|oct|nov|déc)\b"
_PAIRS = r"(?:[ .-]?\d{2})"
_SUFFIX = r"(er|ère|ere|re|nde|nd|ème|eme|ième|ieme|e|ᵉʳ|ʳᵉ|ᵉ)(s?)(?![^\W\d])"
_ROMAN_SUFFIX = r"((?<=(?<!\w)I)(?:er|ère|ere|re|ᵉʳ|ʳᵉ)|nde|nd|ème|eme|ième|ieme|e|ᵉ)(s?)(?![^\W\d])"
_ENDS_FEMININE = ("re", "ère", "ere", "nde", "ʳᵉ")

SPACES: tuple[Rule, ...] = ((re.compile(_SPACE.replace(" ", "", 1)), " "),)
"""Spaces that do not break become plain."""


def _pairs(match: re.Match[str]) -> str:
    """A telephone number two digits at a time: "zéro six, douze, …"."""
    return ", ".join(_pair(pair) for pair in re.findall(r"\d\d?", re.sub(r"\D", "", match[0])))


def _pair(digits: str) -> str:
    return numbers.digits(digits, "fr") if digits[0] == "0" else numbers.cardinal(int(digits), "fr")


def _abroad(match: re.Match[str]) -> str:
    """ "+33 6 12 34 56 78"."""
    first = numbers.cardinal(int(match[1]), "fr")
    rest = re.sub(r"\D", "", match[0][len(match[1]) + 1 :].replace("(0)", ""))
    odd = [rest[0]] if len(rest) % 2 else []
    return "plus " + ", ".join([first, *map(_pair, [*odd, *re.findall("..", rest[len(odd) :])])])


def _ordinal(match: re.Match[str]) -> str | None:
    number, suffix = int(match[1]), match[2]
    if suffix.startswith("nd"):
        said = "seconde" if suffix == "nde" else "second"
        return said + match[3] if number == 2 else None
    if number == 0 or (number == 1 and suffix in ("e", "ème") and match[3]):
        return None
    return ordinal(number, "f" if suffix in _ENDS_FEMININE else "m") + match[3]


def _roman_ordinal(match: re.Match[str]) -> str:
    feminine: Gender = "f" if match[2] in _ENDS_FEMININE else "m"
    return ordinal(roman_value(match[1]), feminine) + match[3]


def _time(match: re.Match[str]) -> str:
    return clock(int(match[1]), int(match[2]), "", False)


def _decimal(match: re.Match[str]) -> str:
    return match[0].replace(".", ",")


def _spaced_half(match: re.Match[str]) -> str:
    """`1½ heure`, `2 1/2 tasses`: the half comes behind the noun."""
    noun = match[2] or ""
    feminine: Gender = gender(noun, 1)
    number = numbers.cardinal(int(match[1]), "fr", feminine=feminine == "f")
    return f"{number}{' ' + noun if noun else ''} et demi{'e' if feminine == 'f' else ''}"


def _over(match: re.Match[str]) -> str:
    said = f"{numbers.cardinal(int(match[2]), 'fr')} sur {numbers.cardinal(int(match[3]), 'fr')}"
    return (match[1] or "") + said


def _minutes(match: re.Match[str]) -> str:
    minutes = int(match[1])
    said = f"{numbers.cardinal(minutes, 'fr', feminine=True)} minute{'s' if minutes > 1 else ''}"
    return f"{said} {numbers.cardinal(int(match[2]), 'fr')}"


def _identifier(match: re.Match[str]) -> str:
    """ "A380" is read with a whole number."""
    said = numbers.digits(match[2], "fr") if match[2][0] == "0" else numbers.cardinal(int(match[2]), "fr")
    return f"{match[1]} {said}"


def _feminine(match: re.Match[str]) -> str | None:
    """The noun stands behind an adjective that does not show its gender."""
    if gender(match[2], 1) != "f":
        return None
    return f"{numbers.cardinal(int(match[1]), 'fr', feminine=True)} "


def _elided(match: re.Match[str]) -> str:
    return f"{match[1]} d'"


def money_rule(grammar: Grammar) -> Rule:
    """`3,50 €` is read with its hundredths last and without their name."""
    signs = "|".join(re.escape(sign) for sign in ("€", "EUR", "$", "USD", "£", "CHF"))
    rate = r"(?:/([^\s\d,;:!?()]{1,12}))?"

    def said(match: re.Match[str]) -> str | None:
        currency = CURRENCIES[match[2] or match[6]]
        symbol = (match[7] or "").rstrip(".")
        below = grammar.unit(symbol) if symbol else None
        if symbol and below is None:
            return None
        whole, cents = int(re.sub("[ .]", "", match[3])), int(match[5])
        sign = "moins " if match[1] else ""
        return (
            sign + _price(whole, cents, currency.unit, currency.cent) + (f" par {below.one}" if below else "")
        )

    pattern = rf"{_MINUS}(?:({signs}) ?)?({_NUMBER})([.,])(\d\d)(?![\d.,]*\d)(?: ?({signs}))?{rate}(?!\w)"

    def checked(match: re.Match[str]) -> str | None:
        return said(match) if bool(match[2]) != bool(match[6]) else None

    return re.compile(pattern), checked


def _price(whole: int, cents: int, unit: Noun, cent: Noun) -> str:
    """ "trois euros cinquante", "cinquante centimes", "trois euros"."""
    named = f"{numbers.cardinal(cents, 'fr')} {cent.one if cents == 1 else cent.many}"
    if not whole and cents:
        return named
    number = numbers.cardinal(whole, "fr", feminine=unit.gender == "f")
    said = f"{number} {unit.one if whole < 2 else unit.many}"
    return f"{said} {numbers.cardinal(cents, 'fr')}" if cents else said


_DOMESTIC = re.compile(rf"(?<![\w.,+])0[1-9]{_PAIRS}{{4}}(?![\d.,]*\d)")
_INTERNATIONAL = re.compile(r"(?<![\w+])\+(33|32|41|352|377) ?(?:\(0\) ?)?\d(?:[ .-]?\d{1,3}){3,6}(?!\d)")

FIRST: tuple[Rule, ...] = (
    (re.compile(r"_++(?=[½¼¾⅓⅔⅛])"), " "),
    (re.compile(r"(?<=[\d½¼¾⅓⅔⅛])(?=etc\b)"), " "),
    (re.compile(r"(?<![\w.,])16:9(?![\w:])"), "seize neuvièmes"),
    (re.compile(r"(?<![\w.,/])(\d{2,3})/(?=\d{2,3} ?mmHg)"), lambda match: f"{match[1]} sur "),
    (re.compile(r"(?<![\w.,])(\d{1,2})['′](\d\d)[\"″]?(?!\w)"), _minutes),
    (re.compile(r"(?<![\w.])([A-Z]{1,3})-?(\d{3})(?![\w]|[.,]\d)"), _identifier),
    (
        re.compile(rf"(\d[ .]?000[ .]?000) (?=[a-zàâéèêîôûœç]{{4,}})(?!{_NO_NOUN}\b)"),
        lambda match: f"{match[1]} de ",
    ),
    (
        re.compile(r"(?<![\w.,])(\d{0,9}1) (?=(?:autre|même|jeune|rare|simple|double)s? ([^\W\d_]+))"),
        _feminine,
    ),
    (re.compile(r"(?<=[\dmck ]m) ?[x×] ?(?=\d)|(?<=\d) ?[x×] ?(?=\d+(?:,\d+)? ?[ckm]?m\b)"), " sur "),
    (
        re.compile(r"(?<![\w.,:])([01]?\d|2[0-4]) ?[hH] ?[-–—] ?(?=[0-2]?\d ?[hH])"),
        lambda match: f"{clock(int(match[1]), 0, '', False)} à ",
    ),
    (_DOMESTIC, _pairs),
    (
        re.compile(r"(\b(?:[Aa]ppele|[Cc]ompose)[zr] le )([1-9]\d{3})(?![\w,])(?![ .]\d)"),
        lambda match: match[1] + " ".join(map(_pair, (match[2][:2], match[2][2:]))),
    ),
    (_INTERNATIONAL, _abroad),
    (re.compile(r"(?<![\w.,])0 ?800(?: ?\d{3}){2}(?!\d)"), lambda match: numbers.digits(match[0], "fr")),
    (re.compile(r"(?<![\w.,])24 ?[hH] ?/ ?24(?!\d)"), "vingt-quatre heures sur vingt-quatre"),
    (re.compile(r"(?<![\w.,])7 ?[jJ] ?/ ?7(?!\d)"), "sept jours sur sept"),
    (re.compile(r"(?<![\w.,])24/7(?![\d/])"), "vingt-quatre heures sur vingt-quatre, sept jours sur sept"),
    (
        re.compile(r"(?<![\w.,:])([01]?\d|2[0-4]) ?[hH] ?([0-5]\d)(?! ?(?:h|min|[.,:]\d)|\w)"),
        _time,
    ),
    (re.compile(rf"(?<![\w.,])(\d{{1,4}}){_SUFFIX}(?! {_SHORT_MONTH})"), _ordinal),
    (
        re.compile(rf"(?<![^\W\d])(?<!['’])((?=[IVX])X{{0,3}}(?:IX|IV|V?I{{0,3}})){_ROMAN_SUFFIX}"),
        _roman_ordinal,
    ),
    (re.compile(r"(?<![\w.,-])(?<!v )\d{1,9}\.\d{3}(?![\w.,-]|[ ]?[-–]\d)(?!\.)"), _decimal),
    (
        re.compile(
            r"(\b(?i:étape|page|partie|note|score|manche|épisode|niveau|phase|jour|essai) (?:de )?)?"
            r"(?<![\w.,/])(\d{1,3})/((?<=/)(?:10|20|100)(?!\d)|\d{1,3})(?![\w/]|[.,]\d)"
        ),
        lambda match: _over(match) if match[1] or match[3] in ("10", "20", "100") else None,
    ),
    (re.compile(r"(?<![\w.,/])(\d{1,4})(?: 1/2| ?½)(?: ([^\W\d_]{2,}))?(?!\w)"), _spaced_half),
)
"""Before the rules for all Romance languages."""

_MANY = r"(?:millions?|milliards?|billions?|quarts?|tiers|demi)"

LAST: tuple[Rule, ...] = (
    (
        re.compile(r"\b([dD]|[qQ]u|[lL]orsqu|[pP]uisqu)e (?=une? (?!virgule|point|pour |à |sur |un\b))"),
        lambda match: f"{match[1]}'",
    ),
    (re.compile(rf"\b({_MANY}) de (?=[aeiouéèêàâîôœ]|h(?:eure|abitant|uile|ectare))"), _elided),
    (re.compile(r"(?<=[^\W_])_++(?=[^\W_])"), " "),
    (re.compile(r"_++"), ""),
)
"""Behind them."""


PER: tuple[Rule, ...] = (
    (
        re.compile(
            r"(?<=[€$£]) ?/ ?(?=(?:mois|an|jour|heure|semaine|nuit|personne|minute|litre|kilo|mètre)\b)"
        ),
        " par ",
    ),
)
"""Where a stroke behind money is read as "par"."""

ENTITIES: tuple[Rule, ...] = (
    (re.compile(r"(?<![^\W_])_++|_++(?![^\W_])"), ""),
    (
        re.compile(r"(?<![\w.@/:+-])(?=\w{0,80}_)\w{1,80}+(?![\w@/:+-]|\.\w)"),
        lambda match: " ".join(match[0].replace("_", " ").split()) or None,
    ),
    (
        re.compile(
            r"(?<![\w.@/])(light|switch|sensor|binary_sensor|climate|cover|fan|lock|media_player|scene|script"
            r"|automation|person|camera|vacuum|weather|sun|zone|timer|input_boolean|input_number|humidifier)"
            r"\.([a-z0-9_]{2,80})(?![\w@])"
        ),
        lambda match: f"{match[1]} point {match[2]}".replace("_", " "),
    ),
)
"""Names of Home Assistant's entities, and underscores."""


def read_ordinal(text: str) -> str | None:
    """ "21", "21e", "1re", "XXIe" as an ordinal; None when it is none."""
    match = re.fullmatch(rf"(\d{{1,15}})(?:{_SUFFIX})?", text)
    if match:
        return ordinal(int(match[1]), "f" if match[2] in _ENDS_FEMININE else "m")
    return None


def read_telephone(text: str) -> str | None:
    """A French number in pairs; None for any other."""
    for pattern, said in ((_DOMESTIC, _pairs), (_INTERNATIONAL, _abroad)):
        if match := pattern.fullmatch(text):
            return said(match)
    return None
