"""English units: every symbol that Home Assistant has, and what people type for them.

Case decides: `MW` is megawatts and `mW` milliwatts. A unit is singular after 1 and inside fractions.
"""

from __future__ import annotations

import functools
import re

from wyoming_tts.text.en_words import NUMBER, START, English, Said, after, around, before, rule, words

_PREFIXES = {
    "": "",
    "n": "nano",
    "μ": "micro",
    "m": "milli",
    "c": "centi",
    "d": "deci",
    "h": "hecto",
    "k": "kilo",
    "M": "mega",
    "G": "giga",
    "T": "tera",
    "P": "peta",
    "E": "exa",
    "Z": "zetta",
    "Y": "yotta",
    "p": "pico",
}
_PREFIXED = (
    ("m", "nμmck", "meter", ""),
    ("g", "μmk", "gram", ""),
    ("L", "μmcdh", "liter", ""),
    ("l", "μmcdh", "liter", ""),
    ("s", "nμm", "second", ""),
    ("W", "μmkMGT", "watt", ""),
    ("Wh", "mkMGT", "watt hour", ""),
    ("Wp", "kM", "watt peak", "watts peak"),
    ("VA", "mkM", "volt ampere", ""),
    ("VAh", "kM", "volt ampere hour", ""),
    ("var", "mkM", "var", ""),
    ("varh", "kM", "var hour", ""),
    ("J", "mkMG", "joule", ""),
    ("cal", "kMG", "calorie", ""),
    ("V", "μmkM", "volt", ""),
    ("A", "nμmk", "amp", ""),
    ("Ah", "mk", "amp hour", ""),
    ("Ω", "m", "ohm", ""),
    ("F", "pnμm", "farad", ""),
    ("Hz", "mkMGT", "hertz", "hertz"),
    ("Pa", "mhkMG", "pascal", ""),
    ("bar", "cm", "bar", ""),
    ("S", "μm", "siemens", "siemens"),
    ("mol", "μmn", "mole", ""),
    ("Sv", "nμm", "sievert", ""),
    ("R", "μm", "roentgen", ""),
    ("Bq", "kM", "becquerel", ""),
    ("Ci", "pnμ", "curie", ""),
    ("bit", "kMGT", "bit", ""),
    ("B", "kMGTPEZY", "byte", ""),
    ("lx", "k", "lux", "lux"),
    ("lm", "k", "lumen", ""),
    ("N", "k", "newton", ""),
    ("eV", "kMG", "electron volt", ""),
    ("T", "μm", "tesla", ""),
)
_PLAIN = """
in|inch|inches; ft|foot|feet; yd|yard; mi|mile; nmi|nautical mile; ac|acre; ha|hectare; oz|ounce; lb|pound
lbs|pound; st|stone|stone; gal|gallon; gals|gallon; qt|quart; qts|quart; tsp|teaspoon; tbsp|tablespoon
Tbsp|tablespoon; tbs|tablespoon; px|pixel; MP|megapixel; cc|C C|C Cs; min|minute; mins|minute; h|hour
hr|hour; hrs|hour; sec|second; secs|second; d|day; w|week; wk|week; wks|week; mo|month; mos|month; y|year
dz|dozen|dozen; bbl|barrel; deg|degree; yr|year; yrs|year; msec|millisecond; mph|mile per hour|miles per hour
MPH|mile per hour|miles per hour
mpg|mile per gallon|miles per gallon; kph|kilometer per hour|kilometers per hour
kmh|kilometer per hour|kilometers per hour; KPH|kilometer per hour|kilometers per hour; kn|knot; kt|knot
kts|knot; Beaufort|Beaufort|Beaufort; Bft|Beaufort|Beaufort; bft|Beaufort|Beaufort
UV index|U V index|U V index; UVI|U V index|U V index; psi|P S I|P S I; atm|atmosphere
mmHg|millimeter of mercury|millimeters of mercury; inHg|inch of mercury|inches of mercury
inH2O|inch of water|inches of water; cmH2O|centimeter of water|centimeters of water; K|kelvin|kelvin
%|percent|percent; ‰|per mille|per mille; ¢|cent; °|degree; °K|kelvin|kelvin
°C|degree Celsius|degrees Celsius; °F|degree Fahrenheit|degrees Fahrenheit
ppm|part per million|parts per million; ppb|part per billion|parts per billion; dB|decibel
dBA|decibel A|decibels A; dBm|decibel milliwatt|decibel milliwatts; dBi|D B I|D B I; rpm|R P M|R P M
RPM|R P M|R P M; bpm|beat per minute|beats per minute; BPM|beat per minute|beats per minute
fps|frame per second|frames per second; FPS|frame per second|frames per second; dpi|D P I|D P I
ppi|P P I|P P I; hp|horsepower|horsepower; BTU|B T U|B T U; Btu|B T U|B T U; thm|therm
CCF|hundred cubic feet|hundred cubic feet; MCF|thousand cubic feet|thousand cubic feet; cfm|C F M|C F M
CFM|C F M|C F M; gpm|gallon per minute|gallons per minute; GPM|gallon per minute|gallons per minute
lux|lux|lux; nit|nit; nits|nit; cd|candela; kVArh|kilovar hour; KiB|kibibyte; MiB|mebibyte; GiB|gibibyte
TiB|tebibyte; PiB|pebibyte; EiB|exbibyte; ZiB|zebibyte; YiB|yobibyte; kΩ|kilohm; MΩ|megohm
s²|second squared|seconds squared; KB|kilobyte; Kbit|kilobit; kb|kilobit; Mb|megabit; Gb|gigabit
bps|bit per second|bits per second; kbps|kilobit per second|kilobits per second
Kbps|kilobit per second|kilobits per second; Mbps|megabit per second|megabits per second
mbps|megabit per second|megabits per second; Gbps|gigabit per second|gigabits per second
MBps|megabyte per second|megabytes per second; mBps|megabyte per second|megabytes per second
GBps|gigabyte per second|gigabytes per second; kWH|kilowatt hour; KWH|kilowatt hour; KWh|kilowatt hour
kwh|kilowatt hour; Kwh|kilowatt hour; KW|kilowatt; kw|kilowatt; MWH|megawatt hour; mAH|milliamp hour
Khz|kilohertz|kilohertz; KHz|kilohertz|kilohertz; khz|kilohertz|kilohertz; Mhz|megahertz|megahertz
mhz|megahertz|megahertz; Ghz|gigahertz|gigahertz; ghz|gigahertz|gigahertz; GHZ|gigahertz|gigahertz
MHZ|megahertz|megahertz; hz|hertz|hertz; HZ|hertz|hertz; KG|kilogram; Kg|kilogram; kgs|kilogram
kms|kilometer; KM|kilometer; Km|kilometer; CM|centimeter; ml|milliliter; ML|milliliter; Nm|newton meter
ohm|ohm; ohms|ohm; kJ|kilojoule; Mcal|megacalorie; pct|percent|percent; mcg|microgram; ug|microgram
us|microsecond; uA|microamp; uV|microvolt; sqm|square meter; sqft|square foot|square feet; IU|I U|I U
fl oz|fluid ounce; sq ft|square foot|square feet; sq m|square meter; sq mi|square mile
sq km|square kilometer; sq in|square inch|square inches; sq yd|square yard; cu ft|cubic foot|cubic feet
cu m|cubic meter; cu in|cubic inch|cubic inches
BTU/(h⋅ft²)|B T U per hour per square foot|B T U per hour per square foot
"""
_COINS = {"ct": "cents", "c": "cents", "¢": "cents", "p": "pence"}
_POWERS = {"²": "square ", "³": "cubic ", "2": "square ", "3": "cubic "}
_LENGTHS = frozenset(["mm", "cm", "dm", "m", "km", "in", "ft", "yd", "mi", "s"])
_WORDS = words(
    "day week month year hour minute second night person cycle kilometer mile trip use charge wash litre "
    "liter gallon unit dose serving page line frame room"
)
_LONE_NEVER = words("T N R S eV")
_DEGREES = {"C": "°C", "F": "°F"}

_ATOM = r"(?:°(?:\s?[CFK](?![A-Za-z]))?|[%‰¢]|[A-Za-zμΩ]{1,9}(?:[²³]|\^?[23](?![0-9.]))?)"
UNIT = (
    r"(?:fl\.?\s?oz(?![A-Za-z])|(?:sq|cu)\.?\s(?:ft|mi?|km|in|yd)(?![A-Za-z])|UV index|BTU/\(h[⋅·*]ft[²2]\)"
    rf"|(?:in|cm)H2O|{_ATOM}(?:\s?/\s?(?:100\s?)?{_ATOM}|[⋅·]{_ATOM}){{0,2}}+)(?![\w²³°])"
)
"""Pattern of what may be a unit; `reading` knows whether it is one."""

_MONTHS = re.compile(r"\b(?:months?|years?|old|age|expir\w+|subscription)\b|[0-9]\s?y\b", re.IGNORECASE)
_WAITING = re.compile(r"\b(?:timer|wait|remind|delay|snooze|pause|sleep|off in|on in|done in)", re.IGNORECASE)
_LABEL = re.compile(
    r"\b(?:room|gate|seat|apartment|apt|flat|platform|bus|route|terminal|suite|unit|class|grade|level|type|"
    r"version|number|option|section|exit|line|building|step|floor|zone|row|season|appendix|table|house|bay|"
    r"coach|car|cabin|door|stand|pitch|lot|berth)s?(?:\s(?:is|are|was|were|number|no\.?|in|to))?[\s:#]+"
    r"(?:[0-9]{1,4}[a-z](?:,? and |, | or | to |-))*\Z|\b[0-9]{1,3}[abde],? (?:or|and|to) \Z"
)
_BYTES = re.compile(
    r"\b(?:bytes?|size|files?|memory|packets?|payload|free|disk|storage|buffer|ram|flash|data|messages?|"
    r"length|(?:up|down)load|transfer|header|[kmg]i?b)\b",
    re.IGNORECASE,
)
_NO_INCHES = re.compile(
    r"\s(?!of\b|wide\b|tall\b|long\b|high\b|deep\b|thick\b|by\b|x\b|per\b|and\b|or\b|to\b|"
    r"diameter\b|screen\b|tv\b|monitor\b|pipe\b|rain\b|snow\b|today\b|yesterday\b|so\b)\w",
    re.IGNORECASE,
)
_BARE = (
    r"kWh|MWh|GWh|Wh|kW|MW|kVA|°\s?[CF]|km/h|m/s|mi/h|W/m[²2]|[μmn]g/m[³3]|[hk]Pa|mph|dBm?|[kMG]bps|"
    r"[kMGT]bit(?:/s)?|[kMGT]B/s|[kMGT]i?B|[kMG]Hz|ppm|ppb|m[²³]|cm[²³]|km²|ft[²³]|km|cm|kg|mL|mAh|L/min|"
    r"m³/h|mg/dL|mmol/L|mmHg|inHg|kWh/100\s?km|L/100\s?km|km/l|lx"
)
_WIDE = words("wide tall long high deep thick thin apart across today tonight tomorrow expected short x")
_LONG_THINGS = "board|ladder|cable|cord|table|fence|ceilings?|pole|tree|rope|hose|sofa|desk|bed|rug"
_NO_NOUN = words(
    "of in at per and or to for is are from on with was were will has have by than as but that when while "
    "if every each a an the until before after left remaining ago away"
)


_THING = re.compile(
    r" (?:bulb|lamp|charger|battery|adapter|panel|inverter|heater|"
    r"motor|power supply|outlet|LED|SSD|HDD|drive|"
    r"disk|card|monitor|display|pole|ladder|bag|bottle|screen|radius|"
    r"pipe|wire|cable|hose|tank|window|interval|"
    r"timer|delay|rest|break|countdown|cooldown|pause|warning|walk|run|race|"
    r"drill|pack|fuse|engine|saw|transformer|lights?|strip|fan|pump|microwave|oven|kettle|router|"
    r"plug|socket|circuit|speaker|modem|connection|line|solar|array|system)s?\b"
)


@functools.cache
def _table() -> dict[str, tuple[str, str]]:
    table = {}
    for symbol, prefixes, singular, plural in _PREFIXED:
        for prefix in ("", *prefixes):
            name = _PREFIXES[prefix]
            table[prefix + symbol] = (name + singular, name + (plural or singular + "s"))
    for entry in _PLAIN.replace("\n", ";").split(";"):
        if entry.strip():
            symbol, singular, *plurals = (part.strip() for part in entry.split("|"))
            table[symbol] = (singular, plurals[0] if plurals else singular + "s")
    return table


def reading(symbol: str, one: bool, english: English) -> str | None:
    """What a unit's symbol stands for, singular for `one`: `km/h` -> "kilometers per hour"; else None."""
    said = _reading(_normal(symbol), one)
    return re.sub(r"(met|lit)er", r"\1re", said) if said and english.british else said


def _normal(symbol: str) -> str:
    symbol = symbol.replace("µ", "μ").replace("·", "⋅").replace("₂", "2").replace("^", "")
    symbol = re.sub(r"\s*/\s*(100\s)?", lambda match: "/100" if match[1] else "/", symbol)
    symbol = re.sub(r"°\s", "°", symbol)
    return re.sub(r"^(fl|sq|cu)\.?\s?(?=\w)", r"\1 ", symbol) if symbol[:2] in ("fl", "sq", "cu") else symbol


def _reading(symbol: str, one: bool) -> str | None:
    if symbol in _table():
        return _table()[symbol][0 if one else 1]
    numerator, _, rest = symbol.partition("/")
    if rest:
        head, tail = _COINS.get(numerator) or _product(numerator, one), _denominator(rest)
        return f"{head} per {tail}" if head and tail else None
    return _product(symbol, one)


def _denominator(symbol: str) -> str | None:
    if symbol.startswith("100"):
        tail = _reading(symbol[3:], False)
        return tail and "one hundred " + tail
    return symbol if symbol in _WORDS else _reading(symbol, True)


def _product(symbol: str, one: bool) -> str | None:
    factors = symbol.split("⋅")
    said = [
        _power(factor, (one and factor is factors[-1]) or factor is not factors[-1]) for factor in factors
    ]
    return " ".join(word for word in said if word) if all(said) else None


def _power(symbol: str, one: bool) -> str | None:
    name = _table().get(symbol)
    if name:
        return name[0 if one else 1]
    power = _POWERS.get(symbol[-1:], "")
    name = _table().get(symbol[:-1]) if power and symbol[:-1] in _LENGTHS else None
    return power + name[0 if one else 1] if name else None


def _singular(match: re.Match[str]) -> bool:
    if _THING.match(after(match)):
        return True
    if match["number"] == "1":
        return not re.search(r"[0-9] (?:to|and|or) \Z", before(match))
    if re.search(r"(?:^|\W)an? (?:minus )?\Z", before(match)):
        noun = re.match(r" ([a-z]{3,})\b", after(match))
        return noun is not None and noun[1] not in _NO_NOUN
    return False


def _symbol(match: re.Match[str]) -> str | None:
    """The unit in a match, in its context; None where the letters are no unit there."""
    symbol, number = match["unit"], match["number"]
    glued = match.end("number") == match.start("unit")
    labelled = len(symbol) == 1 and _LABEL.search(before(match)) is not None
    named = glued and len(symbol) == 1 and symbol.isupper() and re.match(r" [A-Z][a-z]", after(match))
    if named or symbol in _LONE_NEVER or (labelled and symbol.isalpha()):
        return None
    if (
        symbol == "B"
        and glued
        and number.isdecimal()
        and len(number) < 4
        and not _BYTES.search(around(match))
    ):
        return None
    if symbol in _DEGREES:
        wanted = len(number.split(".")[0]) < 4 and not re.match(r"[-/][0-9A-Z]|['’]", after(match))
        return _DEGREES[symbol] if wanted else None
    if symbol == "K" and glued:
        return symbol if re.fullmatch(r"[1-9][0-9]{3,4}", number) and number != "1000" else None
    if symbol == "m":
        return _metres_or_time(match, glued)
    if symbol == "in" and not glued and "." not in number:
        return None if _NO_INCHES.match(after(match)) else symbol
    if symbol == "w":
        return "W" if glued and number.isdecimal() and int(number) > 20 else symbol
    if (
        symbol == "d"
        and glued
        and re.match(r"\s(?:print|model|view|tv|audio|scan|glass)", after(match).lower())
    ):
        return None
    return (
        None
        if (symbol == "us" and not glued) or (symbol == "st" and glued and number.isdecimal())
        else symbol
    )


def _metres_or_time(match: re.Match[str], glued: bool) -> str:
    if re.match(r"\s(?:ago|remaining|left)\b", after(match)):
        return "min"
    waiting = re.search(
        r"\b(?:timer|wait|delay|snooze|pause|sleep|in|for)\W(?:(?:to|of|for) )?\Z", before(match)
    )
    if waiting and glued and "." not in match["number"] and _WAITING.search(around(match)):
        return "min"
    return "mo" if _MONTHS.search(around(match)) else "m"


def _quantity(match: re.Match[str], english: English) -> Said:
    symbol = _symbol(match)
    said = symbol and reading(symbol, _singular(match), english)
    if not said:
        return None
    number = match["number"]
    if re.fullmatch(r"0[0-9]{1,2}", number):
        number = number.lstrip("0") or "0"
    return {match.re.groupindex["number"]: english.number(number), match.re.groupindex["unit"]: said}


def _compound(match: re.Match[str], english: English) -> Said:
    """`10-kW inverter`: the unit is part of an adjective."""
    symbol = match["unit"]
    said = reading(symbol, True, english) if len(symbol) > 1 or symbol in "VWL°%" else None
    return {1: english.number(match["number"]), 2: said} if said else None


def _per(match: re.Match[str], english: English) -> Said:
    return None if match["unit"] in ("in", "us", "cc", "A", "K") else reading(match["unit"], True, english)


def _bare(match: re.Match[str], english: English) -> Said:
    return reading(
        match["unit"], bool(re.search(r"\b(?:per|an?|every|each|the|one) \Z", before(match))), english
    )


def _feet(match: re.Match[str], english: English) -> Said:
    feet, inches = match[1], match[2]
    said = f"{english.number(feet)} {reading('ft', feet == '1', english)}"
    return f"{said} {english.number(inches)} {reading('in', inches == '1', english)}"


def _lone_feet(match: re.Match[str], english: English) -> Said:
    if "'" in match[0] and re.search(
        r"(?:\A|[\s(])'[^']*\Z", match.string[max(0, match.start() - 80) : match.start()]
    ):
        return None
    one = (
        match["number"] == "1"
        or re.match(rf"\s(?:[A-Z]\w*\s)?(?:{_LONG_THINGS}|room|area|space|patch|plot|garden)\b", after(match))
        is not None
    )
    return f"{english.number(match['number'])} {reading('ft', one, english)}"


def quoted(match: re.Match[str]) -> bool:
    """Whether the quote at the end of a match closes what one before it opened."""
    return (
        re.search(r"(?:\A|[\s(])\"(?=\S)[^\"]*\Z", match.string[max(0, match.start() - 200) : match.start()])
        is not None
    )


def _arc(match: re.Match[str], english: English) -> Said:
    said = f"{english.number(match[1])} degrees {english.number(match[2])} minutes"
    return said + (f" {english.number(match[3])} seconds" if match[3] else "")


def _inches(match: re.Match[str], english: English) -> Said:
    if '"' in match[0] and quoted(match):
        return None
    thing = re.match(r"\s([A-Za-z]+)", after(match))
    one = match["number"] == "1" or (thing is not None and thing[1] not in _NO_NOUN | _WIDE)
    return f"{english.number(match['number'])} {reading('in', one, english)}"


UNITS = (
    rule(
        rf"{START}([4-7])'([0-9]|1[01])(?![\w\"″”'.])",
        lambda match, english: f"{english.number(match[1])} feet {english.number(match[2])}",
    ),
    rule(
        rf"{START}([0-9]{{1,3}})°\s?([0-9]{{1,2}}(?:\.[0-9]+)?)['′’]"
        r"(?:\s?([0-9]{1,2}(?:\.[0-9]+)?)[\"″”])?",
        _arc,
    ),
    rule(rf"{START}([0-9]{{1,2}})['′]\s?([0-9]{{1,2}}(?:\.[0-9]+)?)(?:[\"″”]|'')", _feet),
    rule(rf"{START}(?<!\")(?P<number>{NUMBER})[\"″](?=\s[a-z(]|\s[A-Z]{{2}}|[,.;)]\s|$)", _inches),
    rule(
        rf"{START}(?<!['‘])(?P<number>{NUMBER})['′]"
        rf"(?=\s(?:tall|long|wide|high|deep|by|of|and|away|apart|or|x|to|"
        rf"(?:[A-Z]\w*\s)?(?:{_LONG_THINGS}))\b|"
        r"\s?[x×]\s?[0-9]|[,.;)]?(?:\s?$|[,.;)]\s))",
        _lone_feet,
    ),
    rule(rf"(?<=by )(?P<number>{NUMBER})['′](?=\s[a-z])", _lone_feet),
    rule(rf"{START}(?P<number>{NUMBER})\s?(?P<unit>{UNIT})", _quantity),
    rule(rf"{START}(?P<number>{NUMBER})-(?P<unit>{UNIT})(?![-/])", _compound),
)
"""Numbers with units."""

BARE_UNITS = (
    rule(rf"(?<=\b[Pp]er )(?P<unit>{UNIT})", _per),
    rule(rf"(?<![\w./°])(?P<unit>{_BARE})(?![\w²³°/⋅])", _bare),
    rule(r"\s?%", " percent"),
    rule(r"\s?°", " degrees"),
)
"""Units without a number, which are read where nothing else can be meant."""
