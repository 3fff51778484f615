"""Money, measures, ranges, fractions, sums and plain numbers in Romance languages."""

from __future__ import annotations

import re
from functools import partial

from wyoming_tts.text.aligned import Rule
from wyoming_tts.text.romance_grammar import MICRO, Gender, Grammar, Noun
from wyoming_tts.text.romance_numbers import NUMBER, SIGNED, counted, counting, parsed, words

_VULGAR = {
    **{"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5)},
    **{
        "⅗": (3, 5),
        "⅘": (4, 5),
        "⅙": (1, 6),
        "⅚": (5, 6),
        "⅛": (1, 8),
        "⅜": (3, 8),
        "⅝": (5, 8),
        "⅞": (7, 8),
    },
}
_FRACTION = re.compile(
    rf"(?<![\w.,/-])(?:(\d{{1,3}})(?: (?=\d/)| ?(?=[{''.join(_VULGAR)}])))?"
    rf"(?:(\d{{1,2}})/(\d{{1,3}})(?![\w/%]|[.,]\d)|([{''.join(_VULGAR)}]))(?: ?([^\W\d_]+))?"
)
_ALONE = (
    "°C",
    "°F",
    "µ",
    "μ",
    "²",
    "³",
    "Wh",
    "kW",
    "MW",
    "Pa",
    "Hz",
    "km",
    "cm",
    "mm",
    "kg",
    "pp",
    "bit",
    "mph",
)
_DECADE = re.compile(
    r"(\b(?i:l[oe]s|os|años|anos|anni|ann[ée]es|gli|d[eo]s|nos|dei|degli) )['’]?([1-9]0)['’]?s\b"
)
_LONGEST_COUNT = 9  # figures in one run: longer ones are numbers of something
_WORD = r"([^\W\d_]+(?:-[^\W\d_]+)?)"
_EITHER = r"(?:o|u|y|e|ed|ou|et|a|à|ao|od)"
_UNIT_END = r"(?!\w|['’]\w|[-/][^\W\d])"


def rules(grammar: Grammar) -> list[Rule]:
    """Rules for text with a digit, in order; behind dates, times, codes."""
    unit, sign = _unit_pattern(grammar), _currency_pattern(grammar)
    scale = "|".join(map(re.escape, sorted({*grammar.scales, "k", "K"}, key=len, reverse=True)))
    scaled = rf"(?<![\w.,])((?:{sign}) ?)?({NUMBER}) ?({scale})( ?(?:{sign}|(?:d[ei] |d['’])euros?))?(?!\w)"
    more = rf"(?: ({grammar.magnitudes})\b)?"
    rate = rf"(?:/({unit}|[a-zà-ÿ]{{3,9}})(?!\w))?"
    before = rf"([-−–] ?)?(?<![\w$€£])({sign}) ?([-−])?({NUMBER}){more}{rate}(?!\w|[.,]\d)"
    span = rf"(?<![\w.,])({NUMBER}) ?[-–—] ?({NUMBER}) ?({sign})(?!\w)"
    behind = rf"({SIGNED}){more} ?({sign}){rate}(?!\w)"
    ends = (
        rf"(\b[^\W\d_]{{2,8}} )?({SIGNED}) ?({unit})?( ?[-–—] ?| {_EITHER} )(-?{NUMBER}) ?({unit}){_UNIT_END}"
    )
    behind_it = r"( ?/ ?(?=[-−]?\d)|/([a-zà-ÿ]{3,9})(?!\w)| [x×] (?=\d))?"
    measure = rf"({SIGNED})( ?)({unit})(?!\w|['’]\w|-[^\W\d]){behind_it}"
    return [
        (re.compile(rf"(?<=\d) ?[x×] ?(?={NUMBER} ?[ckm]?m\b)"), f" {grammar.words['per']} "),
        (_DECADE, lambda match: match[1] + match[2]),
        (re.compile(r"[~≈] ?(?=[-−]?\d)"), f"{grammar.sums['~']} "),
        (re.compile(r"([<>≤≥]) ?(?=[-−]?\d)"), lambda match: f"{grammar.sums[match[1]]} "),
        (re.compile(r"(?<!\w)# ?(?=\d)"), f"{grammar.sums['#']} "),
        (re.compile(scaled), partial(_scaled, grammar)),
        (re.compile(before), partial(_money_before, grammar)),
        (re.compile(span), partial(_money_range, grammar)),
        (re.compile(behind), partial(_money_behind, grammar)),
        (re.compile(ends), partial(_unit_range, grammar)),
        (_FRACTION, partial(_fraction, grammar)),
        (re.compile(measure), partial(_measure, grammar)),
    ]


def last_rules(grammar: Grammar) -> list[Rule]:
    """Rules for what numbers are left, behind all others: sums, ranges, counts."""
    between = rf"\b((?:{grammar.words['between']}) {NUMBER}) ?[-–—] ?(?={NUMBER})"
    span = rf"(?<![\w.,/-])({NUMBER}) ?[-–—] ?(?={NUMBER}(?![\w-]))"
    sums = rf"(?<!\w)({NUMBER})( ?[x×*·÷] ?| [-−–+/:] )(?={NUMBER}[^=]{{0,20}}=)"
    noun = rf"( {_EITHER} \d{{1,4}}(?!\d)|) (mil )?{_WORD}"
    plain = rf"(\b[^\W\d_]+['’ ])?({SIGNED})(?={noun})?( (?=[^\W\d_]))?"
    to = grammar.words["to"]
    return [
        (re.compile(sums), partial(_sum, grammar)),
        (re.compile(r"(?<=\d) ?[x×] ?(?=\d)"), f" {grammar.words['per']} "),
        (re.compile(r"(?<=[\d)])( ?)([+=])( ?)(?=[\d(])"), lambda match: f" {grammar.sums[match[2]]} "),
        (re.compile(between, re.IGNORECASE), lambda match: f"{match[1]} {grammar.words['between_and']} "),
        (re.compile(span), lambda match: f"{match[1]} {to} "),
        (re.compile(r"(?<![\w:])(\d{1,4}):(?=\d{1,4}(?![\w:]))"), lambda match: f"{match[1]} {to} "),
        (re.compile(r"(?<=\d)/(?=\d)"), " "),
        (re.compile(r"(?<=\d)([²³])"), lambda match: f" {grammar.words.get(match[1], match[1])}"),
        (re.compile(r"(?<=\d)\^(?=\d)"), f" {grammar.words.get('^', '^')} "),
        (re.compile(r"(?<!\w)['’](?=\d0\b)"), ""),
        (re.compile(plain), partial(_plain, grammar)),
        (re.compile(r"\d+"), partial(_glued, grammar)),
    ]


def lone_units(grammar: Grammar) -> list[Rule]:
    """Rules for units that follow no figure ("por kWh", "2 millones de €"), for text without them too."""
    symbols = [symbol for symbol in _symbols(grammar) if any(mark in symbol for mark in _ALONE)]
    alternatives = "|".join(map(re.escape, symbols))
    pattern = re.compile(rf"(?<![\w/°])((?:{alternatives})(?:/(?:{alternatives}|h|s|min|L|d))?)(?![\w/²³°])")
    return [
        (pattern, partial(_lone, grammar)),
        (
            re.compile(r"(?<=[a-záéíóúãõç] )([€£])(?!\w)"),
            lambda match: grammar.currencies[match[1]].unit.many,
        ),
    ]


def _symbols(grammar: Grammar) -> list[str]:
    """All simple symbols and irregular compounds, longest first, with both micro signs."""
    symbols = [*grammar.units, *(symbol.replace(MICRO, "µ") for symbol in grammar.units if MICRO in symbol)]
    return sorted(symbols, key=len, reverse=True)


def _unit_pattern(grammar: Grammar) -> str:
    """Of a unit, simple or compound."""
    simple = "|".join(map(re.escape, _symbols(grammar)))
    powered = rf"(?:{simple})[²³]?"
    return rf"(?:BTU/\(h[⋅·]ft²\)|{powered}(?:/(?:100 ?)?{powered})?)"


def _currency_pattern(grammar: Grammar) -> str:
    signs = sorted(grammar.currencies, key=len, reverse=True)
    return "|".join(re.escape(sign) + (r"\b" if sign.isalpha() else "") for sign in signs)


def _is_word(grammar: Grammar, match: re.Match[str], symbol: str) -> bool:
    """Whether what looks like a unit is a word of the sentence ("2 ha fallado", "2 y 3")."""
    return (
        symbol in grammar.before_words
        and re.match(r"\s*[\w«“\"(]", match.string[match.end() : match.end() + 3]) is not None
    )


def _money(grammar: Grammar, number: str, sign: str, magnitude: str | None, rate: str | None) -> str:
    unit, cent = grammar.currencies[sign]
    amount = parsed(number)
    per = ""
    if rate:
        per = f" {grammar.per(rate, grammar.unit(rate) or Noun(rate, rate, ''))}"
    if magnitude:
        of = "" if magnitude == "mil" else f"{grammar.words['of']} "
        return f"{words(grammar, amount, 'm')} {magnitude} {of}{unit.many}{per}"
    if len(amount.fraction) != 2 or not amount.whole:
        return counted(grammar, amount, unit) + per
    whole, cents = amount._replace(fraction=""), parsed(str(int(amount.fraction)))
    minus = f"{grammar.sums['-']} " if amount.sign == "-" and not int(amount.whole) else ""
    parts = [counted(grammar, whole, unit)] if int(amount.whole) or not int(amount.fraction) else []
    if int(amount.fraction):
        parts.append(counted(grammar, cents, cent))
    return minus + f" {grammar.cents} ".join(parts) + per


def _scaled(grammar: Grammar, match: re.Match[str]) -> str | None:
    """`1,2 M€`, `R$ 3 bi`, `500 k€` with the word for it, or with its noughts."""
    before, behind, amount = match[1] or "", match[4] or "", parsed(match[2])
    if (not before and not behind and len(match[3]) < 3) or (before and behind):
        return None
    if match[3] in "kK":
        if len(amount.fraction) > 3:
            return None
        space = "" if not behind or behind.startswith(" ") else " "
        return f"{before}{amount.whole}{amount.fraction:0<3}".replace(" ", "") + space + behind
    one, many = grammar.scales[match[3]]
    said = one if (amount.is_below_two if grammar.singular_below_two else amount.is_one) else many
    return f"{before}{match[2]} {said} {behind.strip()}".rstrip()


def _money_before(grammar: Grammar, match: re.Match[str]) -> str:
    minus = "-" if match[1] or match[3] else ""
    return _money(grammar, minus + match[4], match[2], match[5], match[6])


def _money_behind(grammar: Grammar, match: re.Match[str]) -> str:
    return _money(grammar, match[1], match[3], match[2], match[4])


def _money_range(grammar: Grammar, match: re.Match[str]) -> str:
    first = words(grammar, parsed(match[1]), grammar.currencies[match[3]].unit.gender)
    return f"{first} {grammar.words['to']} {_money(grammar, match[2], match[3], None, None)}"


def _unit_range(grammar: Grammar, match: re.Match[str]) -> str | None:
    noun = grammar.unit(match[6])
    if noun is None or _is_word(grammar, match, match[6]):
        return None
    before, link = match[1] or "", match[4].strip()
    first = words(grammar, parsed(match[2]), "f" if noun.gender == "f" else "")
    if match[3]:
        other = grammar.unit(match[3])
        if other is None or link.isalpha():
            return None
        first = counted(grammar, parsed(match[2]), other) if other != noun else first
    if not link.isalpha():
        between = before.strip().lower() in grammar.words["between"].split("|")
        link = grammar.words["between_and" if between else "to"]
    return f"{before}{first} {link} {counted(grammar, parsed(match[5]), noun)}"


def _measure(grammar: Grammar, match: re.Match[str]) -> str | None:
    noun = grammar.unit(match[3])
    if noun is None or _is_word(grammar, match, match[3]):
        return None
    if not match[2] and match[3] in ("K", "B") and re.fullmatch(r"[1-9]\d?", match[1]):
        return f"{words(grammar, parsed(match[1]))} {match[3]}"
    said = counted(grammar, parsed(match[1]), noun)
    if match[5]:
        by = grammar.per(match[5], Noun(match[5], match[5], ""))
        return f"{said}, {match[5]}" if match[3][0] in "°%" else f"{said} {by}"
    if match[4]:
        return f"{said} {grammar.words['per']} " if match[4].strip() in "x×" else f"{said}, "
    if match.string[match.end() : match.end() + 1] == "/":
        return None
    return f"{said}." if match[3].endswith(".") and not match.string[match.end() :].strip() else said


def _lone(grammar: Grammar, match: re.Match[str]) -> str | None:
    noun = grammar.unit(match[1])
    if noun is None:
        return None
    before = re.search(
        rf"(?i:\b(?:{grammar.words['each']})\s)$", match.string[max(0, match.start() - 8) : match.start()]
    )
    return noun.one if before else noun.many


def _fraction(grammar: Grammar, match: re.Match[str]) -> str | None:
    whole, noun = match[1], match[5]
    if match[4]:
        above, below = _VULGAR[match[4]]
    else:
        above, below = int(match[2]), int(match[3])
        if not 0 < above < below or below > 100 or (below > 12 and below not in (16, 20, 100)):
            return None
    gender = grammar.gender(noun, 1) if noun else ""
    tail = match[0][match.start(5) - match.start() :] if noun else ""
    unit = _unit_behind(grammar, match, noun)
    if unit:
        gender, tail = unit.gender, unit.one
    if whole:
        return _mixed(grammar, int(whole), (above, below), unit, tail)
    if (above, below) == (1, 2) and tail and gender:
        return f"{grammar.words['half_f' if gender == 'f' else 'half_m']} {tail}"
    if match[2] and below in (10, 20, 100) and not whole:
        return f"{grammar.cardinal(above)} {grammar.over} {grammar.cardinal(below)}" + (
            f" {tail}" if tail else ""
        )
    said = f"{grammar.cardinal(above, 'm')} {grammar.denominator(below, above)}"
    link = f" {grammar.words['of']} " if tail and gender else " " if tail else ""
    return said + link + tail


def _unit_behind(grammar: Grammar, match: re.Match[str], symbol: str | None) -> Noun | None:
    if (
        not symbol
        or re.match(r"[²³/]", match.string[match.end() : match.end() + 1])
        or symbol in grammar.before_words
    ):
        return None
    return grammar.unit(symbol)


def _mixed(grammar: Grammar, whole: int, part: tuple[int, int], unit: Noun | None, tail: str) -> str:
    """`1½`: "una hora y media", "dos y tres cuartos"."""
    number, link = parsed(str(whole)), grammar.words["and"]
    if part != (1, 2):
        above = grammar.cardinal(part[0], "m")
        said = f"{grammar.cardinal(whole)} {link} {above} {grammar.denominator(part[1], part[0])}"
        return f"{said} {tail}".rstrip()
    if unit:
        half = grammar.words["and_half_f" if unit.gender == "f" else "and_half_m"]
        return f"{counted(grammar, number, unit)} {link} {half}"
    noun = grammar.singular(tail) if whole == 1 else tail
    gender = grammar.gender(noun, whole) if noun else ""
    half = grammar.words["and_half_f" if gender == "f" else "and_half_m"]
    if gender:
        return f"{counting(grammar, number, gender, noun)}{noun} {link} {half}"
    return f"{grammar.cardinal(whole)} {link} {half} {tail}".rstrip()


def _sum(grammar: Grammar, match: re.Match[str]) -> str | None:
    sign = match[2].strip()
    said = grammar.sums["×" if sign in "x×*·" else "÷" if sign in "÷/:" else "-" if sign in "-−–" else sign]
    return f"{words(grammar, parsed(match[1]))} {said} "


def _plain(grammar: Grammar, match: re.Match[str]) -> str:
    """A number by what stands before ("canal", "las") and by the noun behind it, if it counts one."""
    before, number = match[1] or "", parsed(match[2])
    word = before[:-1].lower()
    either, noun, space = match[3], match[5] or "", match[6] or ""
    if len(match[2]) >= _LONGEST_COUNT and match[2].isdecimal() and not noun:
        return before + grammar.digits(match[2])
    value = int(number.whole) if 0 < len(number.whole) < 16 else 0
    gender: Gender = ""
    if noun and word not in grammar.labels:
        gender = grammar.gender(noun, 2 if either or number.fraction else value)
    if not gender and (match[4] or noun == "mil"):
        gender = "m"
    if not gender and word in grammar.feminine_before:
        gender = "f"
    if either or number.fraction:
        gender = "f" if gender == "f" else ""
    if not gender or either or not space:
        glued = " " if match.string[match.end() : match.end() + 1].isalpha() else ""
        return before + words(grammar, number, gender) + (space or glued)
    return before + counting(grammar, number, gender, noun)


def _glued(grammar: Grammar, match: re.Match[str]) -> str:
    """Figures in the middle of a word or behind a letter."""
    text = match.string
    said = words(grammar, parsed(match[0]))
    before = " " if match.start() and text[match.start() - 1].isalpha() else ""
    behind = " " if text[match.end() : match.end() + 1].isalpha() else ""
    return before + said + behind
