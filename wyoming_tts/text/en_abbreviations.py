"""English abbreviations and acronyms."""

from __future__ import annotations

import re

from wyoming_tts.text.en_units import reading
from wyoming_tts.text.en_words import (
    English,
    Said,
    after,
    around,
    at_end,
    before,
    letters,
    rule,
    stop_if_last,
    words,
)

_DOTTED = {
    "mr": "Mister",
    "mrs": "Missus",
    "ms": "Miz",
    "prof": "Professor",
    "rev": "Reverend",
    "gov": "Governor",
    "capt": "Captain",
    "lt": "Lieutenant",
    "sgt": "Sergeant",
    "col": "Colonel",
    "gen": "General",
    "sen": "Senator",
    "rep": "Representative",
    "hon": "Honorable",
    "pres": "President",
    "jr": "Junior",
    "sr": "Senior",
    "ave": "Avenue",
    "blvd": "Boulevard",
    "rd": "Road",
    "ln": "Lane",
    "hwy": "Highway",
    "pkwy": "Parkway",
    "ct": "Court",
    "sq": "Square",
    "apt": "apartment",
    "bldg": "Building",
    "mt": "Mount",
    "ft": "Fort",
    "pl": "Place",
    "etc": "et cetera",
    "approx": "approximately",
    "appt": "appointment",
    "appts": "appointments",
    "doz": "dozen",
    "temp": "temperature",
    "temps": "temperatures",
    "hum": "humidity",
    "avg": "average",
    "max": "maximum",
    "min": "minimum",
    "dept": "department",
    "govt": "government",
    "est": "estimated",
    "inc": "incorporated",
    "ltd": "limited",
    "corp": "corporation",
    "co": "company",
    "vol": "volume",
    "vols": "volumes",
    "fig": "figure",
    "figs": "figures",
    "ch": "chapter",
    "pp": "pages",
    "ed": "edition",
    "ext": "extension",
    "tel": "telephone",
    "misc": "miscellaneous",
    "incl": "including",
    "excl": "excluding",
    "hr": "hour",
    "hrs": "hours",
    "mins": "minutes",
    "sec": "second",
    "secs": "seconds",
    "yr": "year",
    "yrs": "years",
    "wk": "week",
    "wks": "weeks",
    "mo": "month",
    "mos": "months",
    "lb": "pound",
    "lbs": "pounds",
    "oz": "ounces",
    "gal": "gallons",
    "no": "number",
    "nos": "numbers",
    "vs": "versus",
    "univ": "university",
    "assoc": "association",
    "jct": "junction",
    "stn": "station",
    "ref": "reference",
    "qty": "quantity",
    "tsp": "teaspoon",
    "tbsp": "tablespoon",
    "info": "information",
    "intl": "international",
    "cont": "continued",
    "pt": "part",
    "op": "opus",
    "lat": "latitude",
}
_CAPITAL_ONLY = words(
    "mr mrs ms prof rev gov capt lt sgt col gen sen rep hon pres jr sr ave blvd rd ln hwy pkwy ct sq bldg "
    "mt ft pl inc ltd corp co univ"
)
_NAME_FOLLOWS = words("prof rev gov capt lt sgt col gen sen rep hon pres mt ft")
_NUMBER_FOLLOWS = words("lat no nos ch pp pt ed vol vols fig figs ext ref op")
_NO_WORD = words("min max sec hr yr wk mo lb oz gal hum est co ct ch ed mos info pt op")
_SPELT_LIST = """
AC AI API ATM BBC BBQ BIOS BLE BMW BST CCTV CD CEO CET CEST CFO CIA CNN COD CPU CSV CTO DC DHCP DIY DJ DNA
DNS DST DVD DVR EDT EPA ERP ESP EST ETA EU EV EVSE EVs FAQ FBI FM FYI GDP GMT GPS GPU GPT HA HD HDD HDMI HDR
HEPA HOA HQ HR HTML HTTP HTTPS HVAC IBM ICU ID IDE IDs IEC IEEE IFTTT IKEA IOT IP IPTV IR IRS ISO ISP IT IV
JSON KPI KVM LAN LCD LED LG LLM LLMs MDT MDF MIT ML MMS MOT MPH MQTT MRI MSG MST MTV MVP NAS NBA NBC NFC NFL
NGO NHL NHS NOAA NPC NTP NVR NYC OBD OCPP OEM OS OTA OTP PC PCs PDF PDT PHP PHEV PIN PIR PLC PM PMS POE PR
PS PSI PST PV QR RAF RF RFID RGB RGBW RH RIP ROI RPM RSS RSSI RSVP RTL RTSP SD SDK SIM SLA SMS SMTP SOS SQL
SSD SSH SSID SSL STEM STT SUV TBA TBC TBD TCP TLS TRV TTS TV TVOC TVs UDP UHD UI UK UN UPS UPC UPVC URI URL
US USA USB USD UTC UV UX VAT VCR VIP VM VOC VOCs VPN VR WAN WC WLAN WWE WWF XML YMCA ZHA NSFW ISS AQI IAQ
EOD POI DAB DSL EPG FPS GUI HIV IMAP IRC KFC LGBT LPG NTSC NSA OLTP OPEC PVC PVR RCA SNMP SPF TGV TNT UEFI
USPS UVA UVB VGA WPA WPS XLR AM BC AD BCE CE PS OK
"""
_WORDS = words(
    "NASA NATO HEPA IKEA STEM SIM PIN BIOS AIDS SCUBA LASER RADAR RAM ROM OLED FIFA UNESCO UNICEF JSON "
    "NOAA OPEC POE IFTTT MOT IOT OK ASAP"
)
_SPELT = words(_SPELT_LIST) - _WORDS
_AMBIGUOUS = words("IT US AM AD HA ID PS")
_NOT_SPELT = words(
    "MR MRS DR ST VS LTD HMM SHH BRR PST TSK PFFT PSST HMMM SHHH GRR RD BLVD MPH KM KG MM CM NTH XX XXX "
    "PHD HZ KHZ MHZ GHZ KWH NYT"
)
_EITHER = (
    "yes/no|he/she|she/he|his/her|him/her|s/he|true/false|open/closed?|opened/closed|y/n|"
    "pass/fail|locked/unlocked|enabled?/disabled?"
)
_KEYS = {
    "ctrl": "control",
    "del": "delete",
    "esc": "escape",
    "cmd": "command",
    "win": "Windows",
    "ins": "insert",
    "opt": "option",
    "fn": "function",
    "pgup": "page up",
    "pgdn": "page down",
    "alt": "alt",
    "shift": "shift",
}


def _dotted(match: re.Match[str], english: English) -> Said:
    written, following = match[1], after(match)
    word = written.lower()
    said = _DOTTED.get(word)
    if re.search(r"[0-9]\s?\Z", before(match)) and reading(word, False, english):
        return None
    if said is None or (word in _CAPITAL_ONLY and not written[0].isupper()):
        return None
    if word in _NAME_FOLLOWS and not re.match(r"\s*[A-Z]", following):
        return None
    roman = word not in ("no", "nos") and re.match(r"\s[IVXLC]{1,6}\b(?!['’])", following)
    if word in _NUMBER_FOLLOWS and not roman and not re.match(r"\s*[0-9]", following):
        return None
    if word == "est" and re.match(
        r"\s?(?:1[0-9]|20)[0-9]{2}(?![\w]|[.,:-][0-9]|\s[a-z]{2,}s\b)|\s(?:seven|eigh|nine)teen\b", following
    ):
        said = "established"
    if word in _NO_WORD and (at_end(match) or re.match(r"\s+[A-Z]", following)):
        return None
    return _cased(said, written, word) + stop_if_last(match)


def _cased(said: str, written: str, word: str) -> str:
    if word in _CAPITAL_ONLY:
        return said
    return said[0].upper() + said[1:] if written[0].isupper() else said


def _doctor(match: re.Match[str], english: English) -> Said:
    if re.match(r"\s+[A-Z]", after(match)) and not re.search(r"[0-9] [a-z]+ \Z", before(match)):
        return "Doctor"
    named = re.search(r"[A-Z]\w+\s\Z", match.string[: match.start()][-24:])
    return "Drive" + stop_if_last(match) if named and match[0].endswith(".") else None


def _saint(match: re.Match[str], english: English) -> Said:
    street = re.search(
        r"(?:[A-Z]\w+|[0-9](?:st|nd|rd|th)|\b[a-z]+(?:st|nd|rd|th)) \Z", match.string[: match.start()][-24:]
    )
    if re.match(r"[ -][A-Z]", after(match)) and not (
        street and re.search(r"[0-9] \w+ \Z", match.string[: match.start()][-24:])
    ):
        return "Saint"
    return "Street" + stop_if_last(match) if match[0].endswith(".") or street else None


def _initials(match: re.Match[str], english: English) -> Said:
    """`U.S.`, `J.K.`: the letters."""
    return letters(match[0].replace(".", "").replace(" ", "")) + stop_if_last(match)


def _versus(match: re.Match[str], english: English) -> Said:
    return "versus"


def _one(match: re.Match[str]) -> bool:
    return re.search(r"(?:^|[^0-9.,/])1 \Z", before(match)) is not None


def _keys(match: re.Match[str], english: English) -> Said:
    """`Ctrl+Alt+Del`: the names of keys."""
    keys = re.findall(r"\w+", match[0])
    return " ".join(_KEYS.get(key.lower(), key.upper() if len(key) < 2 else key) for key in keys)


def _acronym(match: re.Match[str], english: English) -> Said:
    word, suffix = match[1], match[2] or ""
    if not _is_spelt(word, around(match)):
        return None
    return letters(word) + ("'s" if suffix else "")


def _is_spelt(word: str, text: str) -> bool:
    shouted = not any(char.islower() for char in text.replace("s", "")) and " " in text.strip()
    if word in _SPELT:
        return not (word in _AMBIGUOUS and shouted)
    if word in _NOT_SPELT or word in _WORDS or len(word) > 6:
        return False
    return not set(word) & set("AEIOUY")


ABBREVIATIONS = (
    rule(r"(?<!\w)fl\.\s?oz\.?(?!\w)", lambda match, english: "fl oz" + stop_if_last(match)),
    rule(
        r"(?<=[0-9])\s?(?:mins?|hrs?|secs?|ft|in|oz|lbs?|yds?|mi|gal|tbsp|"
        r"tsp|yrs?|wks?|mos?|km|cm|mm|kg|deg)(\.)(?=\s[a-z0-9(]|[,;:])",
        lambda match, english: {1: ""},
    ),
    rule(
        r"(?<!\w)([Ee])\.\s?g\.(?:,)?(?!\w)",
        lambda match, english: "For example" if match[1] == "E" else "for example",
    ),
    rule(
        r"(?<!\w)([Ii])\.\s?e\.(?:,)?(?!\w)",
        lambda match, english: "That is" if match[1] == "I" else "that is",
    ),
    rule(
        r"(?<!\w)([ap])\.\s?m\.(?!\w)", lambda match, english: f"{match[1].upper()} M" + stop_if_last(match)
    ),
    rule(r"(?<!\w)a\.k\.a\.(?!\w)", "also known as"),
    rule(r"(?<!\w)p\.a\.(?!\w)", lambda match, english: "per annum" + stop_if_last(match)),
    rule(r"(?<!\w)[Pp]h\.\s?[Dd]\.?(?!\w)", lambda match, english: "P H D" + stop_if_last(match)),
    rule(r"(?<!\w)[Dd]r(?:\.|(?=\s[A-Z]))(?![\w.])", _doctor),
    rule(r"(?<!\w)St(?:\.|(?=\s[A-Z]))(?![\w.])", _saint),
    rule(r"(?<!\w)[Vv]s?\.(?=\s\S)|(?<!\w)vs(?=\s)", _versus),
    rule(r"(?<!\w)(?:[Cc]a|c)\.(?=\s?[0-9])", "circa"),
    rule(r"(?<!\w)p\.(?=\s?[0-9])", "page"),
    rule(r"(?<!\w)[Nn]o\.(?=[0-9])", "number "),
    rule(r"№\s?(?=[0-9])", "number "),
    rule(
        r"(?<!\w)([Nn]o|[Nn]os)\.(?= of (?!course))",
        lambda match, english: _cased("number" if len(match[1]) < 3 else "numbers", match[1], "no"),
    ),
    rule(r"(?<!\w)[Cc]f\.(?=\s)", "compare"),
    rule(r"(?<=[0-9] )c\.(?=\s[a-z])", lambda match, english: "cup" if _one(match) else "cups"),
    rule(r"(?<=[0-9] )tabs?\.(?=\s)", lambda match, english: "tablet" if _one(match) else "tablets"),
    rule(r"(?<=[0-9])\s?deg\.?\s?([CF])(?!\w)", lambda match, english: "°" + match[1]),
    rule(r"(?<!\w)et al\.(?!\w)", lambda match, english: "et al" + stop_if_last(match)),
    rule(r"(?<!\w)([A-Za-z]{2,6})\.(?![\w.])", _dotted),
    rule(r"(?<!\w)(?:[A-Z]\.\s?){2,8}(?<!\s)(?![A-Za-z])|(?<!\w)(?:[A-Z]\.){2,8}(?=[A-Z][a-z])", _initials),
    rule(r"(?<!\w)(?:[A-Za-z]\.){2,8}(?!\w)", _initials),
)
"""Abbreviations with full stops."""

SHORT_WORDS = (
    rule(r"(?<!\w)(Mr|Mrs|Ms)(?=\s[A-Z])", lambda match, english: _DOTTED[match[1].lower()]),
    rule(r"(?<!\w)[Nn]/[Aa](?!\w)", "not available"),
    rule(
        r"(?<![\w&])([A-Z]{1,2})&([A-Z]{1,2})(?![\w&])",
        lambda match, english: f"{letters(match[1])} and {letters(match[2])}",
    ),
    rule(r"(?<!\w)w/o(?!\w)", "without"),
    rule(r"(?<!\w)w/\s?(?=\w)", "with "),
    rule(r"(?<!\w)c/o(?!\w)", "care of"),
    rule(r"(?<!\w)([Aa]n?d/[Oo]r)(?!\w)", "and or"),
    rule(
        r"(?<=[a-z])/(yr|mo|wk|hr|min|sec)(?!\w)",
        lambda match, english: f" per {reading(match[1], True, english)}",
    ),
    rule(r"(?<=[a-z])\s?/\s?(?=(?:second|minute|hour|day|night|week|month|year|person)\b)", " per "),
    rule(r"(?<!\w)AAA?(?=\sbatter)", lambda match, english: "triple A" if len(match[0]) == 3 else "double A"),
    rule(
        rf"(?<!\w)(?:{_EITHER})(?!\w|/)", lambda match, english: match[0].replace("/", " or "), re.IGNORECASE
    ),
    rule(r"(?<=[^\W\d_])/(?=[^\W\d_])", " "),
    rule(r"(?<=\w)\s/\s(?=\w)", ", "),
    rule(
        r"(?<![\w+])(?:Ctrl|Control|Alt|Shift|Cmd|Win|Fn|Opt|Option|Super|Meta|CTRL|ALT|SHIFT)"
        r"(?:\s?\+\s?(?:[A-Za-z]{1,12}|[0-9]|F[0-9]{1,2})(?![A-Za-z0-9])){1,4}|(?<!\w)Ctrl(?:-[A-Z])?(?!\w)",
        _keys,
    ),
)
"""Abbreviations without full stops, and words with a slash between."""

ACRONYMS = (
    rule(r"(?<![\w'’])([A-Z]{2,6})(['’]?s)?(?![\w])", _acronym),
    rule(r"(?<= [AP] M )([ECMP])T(?!\w)", lambda match, english: f"{match[1]} T"),
    rule(r"(?<!\w)pH(?!\w)", "P H"),
    rule(r"(?<!\w)IoT(?!\w)", "I O T"),
    rule(r"(?<!\w)PoE(?!\w)", "P O E"),
    rule(r"(?<!\w)tvOS(?!\w)", "T V O S"),
)
"""Words that are read letter by letter."""
