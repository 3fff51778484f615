"""English readings of names with digits: telephone numbers, versions, codes, rooms, models."""

from __future__ import annotations

import re

from wyoming_tts.text.en_places import number
from wyoming_tts.text.en_words import English, Said, after, before, letters, rule, words

_ROMAN = re.compile(r"(?:C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})\Z")
_ROMANS = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_RULERS = (
    "King|Queen|Pope|Tsar|Emperor|Prince|Henry|Louis|George|Charles|"
    "Elizabeth|Edward|William|James|John|Paul|Philip|"
    "Richard|Mary|Benedict|Pius|Catherine|Frederick|Napoleon|Leo|"
    "Francis|Alexander|Nicholas|Ferdinand|Harald|Carl"
)
_PARTS = (
    "Chapter|Part|Section|Volume|Vol\\.|Book|Act|Scene|War|Phase|"
    "Type|Level|Stage|Super Bowl|Article|Episode|Season|"
    "Mark|Figure|Table|Appendix|Title|Unit|Class|Rocky|Final Fantasy|"
    "Star Wars|Grade|Schedule|Apollo|Tier|Category|"
    "Civilization|Diablo|Henry|chapter|part|section|volume|book|act|"
    "scene|phase|type|level|stage|article|episode|season"
)
_WARS = {"I": "One", "1": "One", "II": "Two", "2": "Two"}
_DIGITS = r"[0-9]{1,12}+(?:\.[0-9]{1,2}(?![0-9.]))?+"
_GAP = r"(?:\s?[:=#]|\s(?:is|was|are|now|to|number|no\.?|code|of|it's))"
_CODED = (
    r"(?:PIN|pin|Pin|[Pp]asscode|[Pp]assword|[Cc]ode|CODE|OTP|[Zz]ip|"
    r"ZIP|[Pp]ostcode|[Ee]xt(?:ension)?\.?|[Dd]ial|DIAL|[Cc]all|"
    r"CALL|[Pp]hone|[Tt]el(?:ephone)?\.?|[Ss]erial|[Aa]ccount|[Cc]onfirmation|"
    r"[Rr]eference|[Tt]racking|[Ee]rror|HTTP|[Tt]ext|"
    r"[Ff]light|[Pp]ort|[Nn]umber|ID|id)"
)
_STREETS = r"(?:Street|Avenue|Road|Drive|Lane|Boulevard|Court|Place|Way|Highway|Parkway|Square)"
_WORDS = words("COVID NASA NATO LASER RADAR OLED SIM RAM ROM SARS WORD PIN IKEA")
_SPELT = words(
    "mp v x i s h p ipv usb co esp tv pc ip ac dc hd sd cd dvd id cpu gpu ssd hdd nas lan wlan vpn http "
    "sql led ble rtx gtx rf ir wc dj fm am nfc pir sms url api csv pdf xml aws gps pm ups rgb lcd nvr poe"
)


def roman(numeral: str) -> int:
    """`VIII` -> 8; 0 of anything else than a Roman numeral up to 399, and of the letters L, C and D alone."""
    if not _ROMAN.match(numeral) or not set(numeral) & set("IVX"):
        return 0
    values = [_ROMANS[letter] for letter in numeral]
    return sum(
        -value if value < following else value
        for value, following in zip(values, [*values[1:], 0], strict=True)
    )


def _ruler(match: re.Match[str], english: English) -> Said:
    number = roman(match[1])
    return {1: f"the {english.ordinal(number)}"} if number else None


def _part(match: re.Match[str], english: English) -> Said:
    number = roman(match[1])
    return {1: english.cardinal(number)} if number else None


def _century(match: re.Match[str], english: English) -> Said:
    return english.ordinal(roman(match[1])) if roman(match[1]) else None


def _phone(match: re.Match[str], english: English) -> Said:
    groups = re.findall(r"\+?[0-9]+", match[0])
    if not 7 <= sum(len(group.lstrip("+")) for group in groups) <= 15:
        return None
    return ", ".join(("plus " if group[0] == "+" else "") + english.digits(group) for group in groups)


def _seven(match: re.Match[str], english: English) -> Said:
    context = re.search(
        r"\b(?:call|dial|phone|tel|text|fax|ring|number|reach|at|on)\b[^0-9]{0,12}\Z", before(match)
    )
    return _phone(match, english) if context or match[0].startswith("555") else None


def _version(match: re.Match[str], english: English) -> Said:
    if re.fullmatch(r"(?:[12]?[0-9]|3[01])\.(?:0?[1-9]|1[0-2])\.(?:19|20)[0-9]{2}", match[0]):
        return None
    parts = match[2].split(".")
    first = english.year(int(parts[0])) if re.fullmatch("20[0-9]{2}", parts[0]) else english.whole(parts[0])
    said = " point ".join([first, *(english.whole(part) for part in parts[1:])])
    named = re.search(r"\b(?:version|release|firmware) \Z", before(match))
    said = f"version {said}" if match[1] and not named else said
    return said + (" " + _tail(match[3], english) if match[3] else "")


def _tail(suffix: str, english: English) -> str:
    """`b3`, `-rc1`, `-beta.2` behind a version."""
    names = {"b": "beta", "a": "alpha", "rc": "R C"}
    return " ".join(
        english.cardinal(int(part)) if part.isdecimal() else names.get(part.lower(), part)
        for part in re.findall(r"[0-9]{1,15}|[A-Za-z]+", suffix)
    )


def _code(match: re.Match[str], english: English) -> Said:
    word, written = match[1].lower(), match[2]
    if word in ("number", "id", "port", "text", "error") and len(re.sub(r"\D", "", written)) < 3:
        return None
    if word in ("call", "text", "number", "phone") and re.match(
        r"\s(?:people|times|of|users|guests|friends|messages)\b", after(match)
    ):
        return None
    groups = re.findall(r"[0-9A-Za-z]+", written)
    return {2: ", ".join(_spelt(group, english) for group in groups)}


def _spelt(group: str, english: English) -> str:
    return " ".join(english.digits(char) if char.isdecimal() else char.upper() for char in group)


def _resolution(match: re.Match[str], english: English) -> Said:
    return f"{english.pair(int(match[1]))} {match[2].upper()}"


def _model(match: re.Match[str], english: English) -> Said:
    """Letters and digits in one name: `CO2`, `BA2490`, `iPhone15`."""
    parts = re.findall(r"[0-9]+(?:\.[0-9]+)?|[^\W\d_]+", match[0])
    serial = not any(len(part) > 3 and part.isalpha() and not part.isupper() for part in parts)
    if serial and (len(parts) > 5 or (len(parts) > 3 and len(match[0]) > 6)):
        return _spelt(re.sub(r"\W", "", match[0]), english)
    return " ".join(_model_part(part, english, len(parts)) for part in parts)


def _model_part(part: str, english: English, count: int) -> str:
    if part[0].isdecimal():
        if "." in part or len(part) < 3:
            return english.number(part)
        return (
            english.cardinal(int(part))
            if part in ("100", "1000")
            else english.digits(part)
            if len(part) < 5
            else english.whole(part)
        )
    if part in _WORDS or len(part) > 5:
        return part
    if part.isupper() or (len(part) < 4 and part in _SPELT):
        return letters(part)
    return part


def _millions(match: re.Match[str], english: English) -> Said:
    if match[0] == "3M":  # the firm
        return "three M"
    return f"{english.number(match[1])} {'million' if match[2] == 'M' else 'billion'}"


def _scientific(match: re.Match[str], english: English) -> Said:
    sign = "minus " if match[2] == "-" else ""
    return f"{english.number(match[1])} times ten to the power of {sign}{english.cardinal(int(match[3]))}"


def _hashtag(match: re.Match[str], english: English) -> Said:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", match[1])
    return f"hashtag {words}"


TELEPHONES = (
    rule(
        r"(?<![\w.,-])((?:1-)?[0-9]{3}-)([A-Z]{4,10})(?![\w-])",
        lambda match, english: _vanity(match, english),
    ),
    rule(
        r"(?<![\w.])\+[0-9]{1,3}(?:[\s.-]?\(?[0-9]{1,5}\)?){1,6}(?![\w]|[.,:][0-9])(?!\s?[%°€$£])",
        lambda match, english: _phone(match, english) if len(re.sub(r"\D", "", match[0])) > 7 else None,
    ),
    rule(r"(?<![\w.])(?:1[\s.-])?\([0-9]{3,5}\)\s?[0-9]{3,4}[-.\s][0-9]{3,4}(?![\w])", _phone),
    rule(r"(?<![\w.,-])(?:1[-.\s])?[0-9]{3}([-.\s])[0-9]{3}\1[0-9]{4}(?![\w]|[-.,][0-9])", _phone),
    rule(
        r"(?<![\w.,-])0[0-9]{2,4}[\s-][0-9]{3,4}(?:[\s-]?[0-9]{3,4})(?![\w]|"
        r"[-.,][0-9])|(?<![\w.,-])0[0-9]{4}\s[0-9]{6}(?!\w)",
        _phone,
    ),
    rule(r"(?<![\w.,-])[0-9]{3}-[0-9]{4}(?![\w]|[-.,][0-9]|\s?[%°A-Z])", _seven),
    rule(
        r"(?<![\w.,-])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![\w-])",
        lambda match, english: ", ".join(english.digits(part) for part in match[0].split("-")),
    ),
)
"""Telephone numbers."""


def _vanity(match: re.Match[str], english: English) -> Said:
    numbers = [english.digits(part) for part in match[1].split("-") if part]
    return ", ".join([*numbers, match[2]])


VERSIONS = (
    rule(
        r"(?<!\w)802\.(11|15)([a-z]{0,3})\b(?:\.([0-9]))?",
        lambda match, english: (
            f"eight oh two dot {english.cardinal(int(match[1]))}"
            + (" " + letters(match[2]) if match[2] else "")
            + (f" dot {english.cardinal(int(match[3]))}" if match[3] else "")
        ),
    ),
    rule(
        r"(?<![\w.])([vV]?)([0-9]{1,9}(?:\.[0-9]{1,9}){2,5})((?:-?(?:b|"
        r"a|rc|beta|alpha|dev)\.?[0-9]{0,4})?)(?![\w]|\.[0-9])",
        _version,
    ),
    rule(
        r"(?<![\w.])([vV])([0-9]{1,9}(?:\.[0-9]{1,9})?)((?:-?(?:b|a|rc|"
        r"beta|alpha|dev)\.?[0-9]{0,4})?)(?![\w]|\.[0-9])",
        _version,
    ),
    rule(r"(?<=\b(?:Python|Ubuntu) )()([0-9]{1,2}\.[0-9]{2})()(?![\w]|\.[0-9])", _version),
    rule(r"(?<=[vV]ersion )()([0-9]{1,9}\.[0-9]{1,9})()(?![\w]|\.[0-9])", _version),
    rule(r"(?<![\w.])()(20[2-4][0-9]\.(?:1[0-2]|[1-9]))()(?![\w]|\.[0-9]|\s?[%°])", _version),
)
"""Versions of programs."""

CODES = (
    rule(
        rf"\b({_CODED})s?{_GAP}{{0,2}}\s?([0-9]{{3,12}}(?:[ -][0-9]{{2,8}}){{0,4}}|"
        rf"(?<=[a-z:=#] )[0-9]{{2}}(?:-[0-9]{{2,8}}){{1,5}})(?![\w]|"
        rf"[.,:/-][0-9]|\s?[%°])",
        _code,
    ),
    rule(
        rf"\b((?:[Cc]ode|[Pp]assword|[Ss]erial|[Rr]eference|[Cc]onfirmation|"
        rf"[Tt]racking|[Pp]asscode)){_GAP}{{0,2}}\s((?=[A-Z0-9-]*[0-9])[A-Z0-9]{{4,16}}(?:-[A-Z0-9]{{"
        rf"2,12}}){{0,4}})(?!\w)",
        _code,
    ),
    rule(
        r"(?<![\w.,$€£-])911(?![\w%]|[.,][0-9])|(?<= or )(?:112|999)(?!\w|[.,][0-9])",
        lambda match, english: english.digits(match[0]),
    ),
    rule(r"\b(ending (?:in|with)) ([0-9]{2,6})(?!\w)", _code),
    rule(
        rf"(?<![\w.,/$€£-])([1-9][0-9]{{2,3}})(?=\s(?:[NSEW]\.?\s)?(?:[A-Z][a-z]{{1,15}}\s){{1,2}}{_STREETS}"
        rf"\b)",
        lambda match, english: {1: number(match[1], english)},
    ),
)
"""Numbers that are read digit by digit or in pairs because of the word before."""

ROMANS = (
    rule(rf"\b(?:{_RULERS})(?: [A-Z][a-z]{{1,15}})?\s([IVX]{{1,6}})\b(?! [A-Z]\b)", _ruler),
    rule(r"\b([IVX]{1,6})(?= (?:[Cc]entur(?:y|ies)|[Dd]ynasty|Olympi\w+|Congress)\b)", _century),
    rule(r"(?<!\w)WW(I{1,2}|[12])(?!\w)", lambda match, english: f"World War {_WARS[match[1]]}"),
    rule(rf"\b(?:{_PARTS})\s([IVXLC]{{1,9}})\b(?!['’.][A-Za-z]| [A-Z]\b)", _part),
)
"""Roman numerals, where the word before shows that they are."""

MODELS = (
    rule(
        r"(?<!\w)([A-Z])\.([0-9]{2,4})(?!\w)", lambda match, english: f"{match[1]} {english.digits(match[2])}"
    ),
    rule(r"(?<![\w.])([0-9]{1,15}(?:\.[0-9]{1,15})?)e([+-]?)([0-9]{1,3})(?!\w)", _scientific),
    rule(r"(?<!\w)(480|720|1080|1440|2160|4320)([pi])(?!\w)", _resolution),
    rule(r"(?<!\w)([0-9]{1,6})x(?!\w)", lambda match, english: english.whole(match[1]) + " times"),
    rule(
        r"(?<=[\s(])x([0-9]{1,3})(?<!x86)(?<!x64)(?=[\s).,;!?]|$)", lambda match, english: "times " + match[1]
    ),
    rule(
        r"(?<![\w.,-])([0-9]{1,4}(?:\.[0-9]{1,2})?)"
        r"(M|B(?= (?:people|users|views|parameters|tokens|years)\b))(?!\w)",
        _millions,
    ),
    rule(r"(?<![\w.])([1-9][0-9]{0,2})K(?!\w)", lambda match, english: english.number(match[1]) + " K"),
    rule(
        r"(?<![\w.])([0-9]{1,4}(?:\.[0-9]{1,2})?)k(?!\w)",
        lambda match, english: (
            f"{english.number(match[1])} "
            + ("K" if re.match(r"\s(?:run|race)", after(match)) else "thousand")
        ),
    ),
    rule(
        rf"(?<![\w.,])(?=[\w.]{{0,24}}[A-Za-z])(?=[A-Za-z]{{0,20}}[0-9])"
        rf"(?:[A-Za-z]{{1,20}}+{_DIGITS}|[0-9]{{1,12}}+(?=[A-Za-z]))(?:[A-Za-z]{{1,20}}+|{_DIGITS}){{0,8}}+"
        r"(?!\w)",
        _model,
    ),
    rule(r"(?<=[A-Za-z])-(?=[0-9])", " "),
)
"""Names made of letters and digits."""

HASHTAGS = (
    rule(r"(?<=[0-9A-Za-z])\s?@\s?(?=[$€£]?[0-9])", " at "),
    rule(r"(?<![\w&#])#(?=[A-Z]{1,3}-?[0-9])", "number "),
    rule(r"(?<![\w&#])#([A-Za-z]\w{1,60})", _hashtag),
    rule(r"(?<![\w&#])#\s?(?=[0-9])", "number "),
    rule(r"(?<!\w)([A-G])#(?!\w)|(?<!\w)F#(?!\w)", lambda match, english: f"{match[0][0]} sharp"),
    rule(r"(?<!\w)@(?=[A-Za-z])", "at "),
)
"""What begins or ends with a hash or an at sign."""
