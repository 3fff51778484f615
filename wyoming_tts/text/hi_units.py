"""Units of measure and money in Hindi."""

from __future__ import annotations

import functools
import re

HOURS = ("घंटा", "घंटे")
"""One hour, several."""

_METRIC = {
    "m": ("मीटर", "km cm mm dm nm μm"),
    "g": ("ग्राम", "kg mg μg"),
    "W": ("वाट", "mW kW MW GW TW"),
    "Wh": ("वाट घंटे", "mWh kWh MWh GWh TWh"),
    "V": ("वोल्ट", "μV mV kV MV"),
    "A": ("एम्पियर", "μA mA kA"),
    "Ah": ("एम्पियर घंटे", "mAh"),
    "VA": ("वोल्ट एम्पियर", "mVA kVA MVA"),
    "var": ("वार", "mvar kvar"),
    "varh": ("वार घंटे", "kvarh"),
    "Hz": ("हर्ट्ज़", "mHz kHz MHz GHz"),
    "Pa": ("पास्कल", "mPa hPa kPa MPa"),
    "bar": ("बार", "cbar mbar"),
    "L": ("लीटर", "mL cL dL"),
    "l": ("लीटर", "ml cl dl"),
    "J": ("जूल", "kJ MJ GJ"),
    "cal": ("कैलोरी", "kcal Mcal Gcal"),
    "s": ("सेकंड", "ms μs ns"),
    "bit": ("बिट", "kbit Mbit Gbit Tbit"),
    "B": ("बाइट", "kB KB MB GB TB PB EB ZB YB"),
    "S": ("सीमेंस", "mS μS"),
    "Ω": ("ओम", "kΩ MΩ"),
    "mol": ("मोल", "mmol μmol"),
    "Bq": ("बेकेरल", "kBq MBq"),
    "Ci": ("क्यूरी", "pCi"),
    "Sv": ("सीवर्ट", "mSv μSv"),
    "N": ("न्यूटन", "kN"),
}

_PREFIXES = {
    "p": "पिको",
    "n": "नैनो",
    "μ": "माइक्रो",
    "m": "मिली",
    "c": "सेंटी",
    "d": "डेसी",
    "h": "हेक्टो",
    "k": "किलो",
    "K": "किलो",
    "M": "मेगा",
    "G": "गीगा",
    "T": "टेरा",
    "P": "पेटा",
    "E": "एक्सा",
    "Z": "ज़ेटा",
    "Y": "योटा",
}

_BINARY = {
    "Ki": "किबी",
    "Mi": "मेबी",
    "Gi": "गिबी",
    "Ti": "टेबी",
    "Pi": "पेबी",
    "Ei": "एक्सबी",
    "Zi": "ज़ेबी",
    "Yi": "योबी",
}

_OTHERS = {
    "%": "प्रतिशत",
    "°": "डिग्री",
    "°C": "डिग्री सेल्सियस",
    "℃": "डिग्री सेल्सियस",
    "º": "डिग्री",
    "ºC": "डिग्री सेल्सियस",
    "°से": "डिग्री सेल्सियस",
    "°से.": "डिग्री सेल्सियस",
    "°सें": "डिग्री सेल्सियस",
    "°F": "डिग्री फ़ारेनहाइट",
    "ºF": "डिग्री फ़ारेनहाइट",
    "℉": "डिग्री फ़ारेनहाइट",
    "K": "केल्विन",
    "min": "मिनट",
    "mins": "मिनट",
    "sec": "सेकंड",
    "secs": "सेकंड",
    "h": "घंटे",
    "hr": "घंटे",
    "hrs": "घंटे",
    "d": "दिन",
    "w": "सप्ताह",
    "y": "साल",
    "in": "इंच",
    "ft": "फ़ुट",
    "sq ft": "वर्ग फ़ुट",
    "sq. ft.": "वर्ग फ़ुट",
    "sqft": "वर्ग फ़ुट",
    "yd": "गज",
    "mi": "मील",
    "nmi": "समुद्री मील",
    "inHg": "इंच पारा",
    "mmHg": "मिलीमीटर पारा",
    "inH₂O": "इंच पानी",
    "inH2O": "इंच पानी",
    "psi": "पीएसआई",
    "atm": "एटमॉस्फ़ियर",
    "dB": "डेसिबल",
    "dBA": "डेसिबल ए",
    "dBm": "डेसिबल मिलीवाट",
    "gal": "गैलन",
    "fl. oz.": "फ़्लूइड औंस",
    "CCF": "सौ घन फ़ुट",
    "MCF": "हज़ार घन फ़ुट",
    "ac": "एकड़",
    "ha": "हेक्टेयर",
    "oz": "औंस",
    "lb": "पाउंड",
    "lbs": "पाउंड",
    "st": "स्टोन",
    "t": "टन",
    "BTU": "बीटीयू",
    "BTU/(h⋅ft²)": "बीटीयू प्रति घंटा प्रति वर्ग फ़ुट",
    "thm": "थर्म",
    "ppm": "पीपीएम",
    "ppb": "पीपीबी",
    "rpm": "आरपीएम",
    "lx": "लक्स",
    "lm": "लुमेन",
    "cd": "कैंडेला",
    "Beaufort": "ब्यूफ़ोर्ट",
    "bft": "ब्यूफ़ोर्ट",
    "kn": "नॉट",
    "kt": "नॉट",
    "mph": "मील प्रति घंटा",
    "kmh": "किलोमीटर प्रति घंटा",
    "kmph": "किलोमीटर प्रति घंटा",
    "kph": "किलोमीटर प्रति घंटा",
    "bps": "बिट प्रति सेकंड",
    "kbps": "किलोबिट प्रति सेकंड",
    "Kbps": "किलोबिट प्रति सेकंड",
    "Mbps": "मेगाबिट प्रति सेकंड",
    "Gbps": "गीगाबिट प्रति सेकंड",
    "MBps": "मेगाबाइट प्रति सेकंड",
    "UV index": "यूवी इंडेक्स",
    "px": "पिक्सेल",
    "MP": "मेगापिक्सल",
    "fps": "एफ़पीएस",
    "kWp": "किलोवाट पीक",
    "kg": "किलोग्राम",
    "लि.": "लीटर",
    "ली.": "लीटर",
    "किमी": "किलोमीटर",
    "कि.मी.": "किलोमीटर",
    "कि॰मी॰": "किलोमीटर",
    "मी": "मीटर",
    "मी.": "मीटर",
    "सेमी": "सेंटीमीटर",
    "से.मी.": "सेंटीमीटर",
    "मिमी": "मिलीमीटर",
    "मि.मी.": "मिलीमीटर",
    "किग्रा": "किलोग्राम",
    "कि.ग्रा.": "किलोग्राम",
    "ग्रा.": "ग्राम",
    "मिग्रा": "मिलीग्राम",
    "मिली": "मिलीलीटर",
    "मि.ली.": "मिलीलीटर",
    "मि.": "मिनट",
    "घं.": "घंटे",
    "घं": "घंटे",
    "घं॰": "घंटे",
}

_WORDS = {word: word for word in ("घंटा", "मिनट", "सेकंड", "लीटर", "मीटर", "दिन", "किलो", "यूनिट")} | {
    "घंटे": "घंटा"
}

ALONE = frozenset(
    [
        *("kWh", "MWh", "GWh", "Wh", "kW", "km/h", "m/s", "µg/m³", "μg/m³", "mg/m³", "°C", "°F", "hPa"),
        *("ppm", "ppb", "mph", "kbit/s", "Mbit/s", "Gbit/s", "kB/s", "MB/s", "GB/s", "L/min", "m³/h"),
        *("W/m²", "mm/h", "dB", "dBm", "kHz", "MHz", "GHz", "mAh", "kVA", "Mbps", "Gbps", "kbps"),
        *("kmph", "m²", "m³", "km²", "mmHg"),
    ]
)
"""Units that are read as such even where no number stands before them."""


@functools.cache
def words() -> dict[str, str]:
    """Every simple unit and how several of it are called."""
    table = {**_OTHERS, **{word: word for word in _WORDS}}
    for symbol, (word, prefixed) in _METRIC.items():
        table.setdefault(symbol, word)
        for unit in prefixed.split():
            prefix = _PREFIXES[unit[: len(unit) - len(symbol)]]
            table.setdefault(unit, prefix + word)
    for prefix, word in _BINARY.items():
        table[f"{prefix}B"] = f"{word}बाइट"
    for unit in [unit for unit in table if unit.startswith("μ")]:
        table[f"µ{unit[1:]}"] = table[unit]
    return table


@functools.cache
def pattern() -> str:
    """A regular expression of all units, compound ones too; without groups."""
    simple = "|".join(re.escape(unit) for unit in sorted(words(), key=len, reverse=True))
    return rf"(?:(?:{simple})[²³]?(?:\s?/\s?(?:100\s?)?(?:{simple})[²³]?)?)"


@functools.lru_cache(maxsize=1024)
def unit(written: str, one: bool) -> str:
    """A unit that `pattern` matched, in words; `one` where there is exactly one of it."""
    table = words()
    written = written.strip()
    if written in table:
        word = table[written]
        if word in _WORDS and written == word:
            return word
        return re.sub(f"{HOURS[1]}$", HOURS[0], word) if one else word
    if "/" in written:
        above, below = re.split(r"\s?/\s?", written, maxsplit=1)
        hundred, below = ("सौ ", below[3:].lstrip()) if below.startswith("100") else ("", below)
        return f"{unit(above, one)} प्रति {hundred}{_WORDS.get(below) or unit(below, True)}"
    power = {"²": "वर्ग", "³": "घन"}[written[-1]]
    return f"{power} {unit(written[:-1], one)}"


MONEY = {
    "₹": ("रुपया", "रुपये", "पैसा", "पैसे"),
    "$": ("डॉलर", "डॉलर", "सेंट", "सेंट"),
    "€": ("यूरो", "यूरो", "सेंट", "सेंट"),
    "£": ("पाउंड", "पाउंड", "पेनी", "पेंस"),
    "¥": ("येन", "येन", "", ""),
    "¢": ("सेंट", "सेंट", "", ""),
}
"""By sign: one, several; one of the hundredth, several."""

MONEY_NAMES = {
    "रु": "₹",
    "रू": "₹",
    "Rs": "₹",
    "INR": "₹",
    "US$": "$",
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "JPY": "¥",
}
"""What is written for a sign, without the full stop."""

MAGNITUDES = {
    "k": "हज़ार",
    "K": "हज़ार",
    "L": "लाख",
    "lakh": "लाख",
    "Cr": "करोड़",
    "cr": "करोड़",
    "crore": "करोड़",
    "M": "मिलियन",
    "million": "मिलियन",
    "B": "बिलियन",
    "billion": "बिलियन",
    "हजार": "हज़ार",
    "हज़ार": "हज़ार",
    "लाख": "लाख",
    "करोड़": "करोड़",
    "अरब": "अरब",
    "खरब": "खरब",
    "मिलियन": "मिलियन",
    "बिलियन": "बिलियन",
}
"""What may stand between a number and its money, and how it is read."""
