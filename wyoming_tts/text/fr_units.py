"""Units of measure and money in French."""

from __future__ import annotations

from wyoming_tts.text.romance_grammar import Currency, Gender, Noun, nouns, prefixed

_PREFIXES = {
    **{
        "k": "kilo",
        "M": "méga",
        "G": "giga",
        "T": "téra",
        "P": "péta",
        "E": "exa",
        "Z": "zetta",
        "Y": "yotta",
    },
    **{"h": "hecto", "d": "déci", "c": "centi", "m": "milli", "μ": "micro", "n": "nano", "p": "pico"},
}

UNITS = prefixed(
    """
    W | watt | watts | m | mkMGT-
    Wh | wattheure | wattheures | m | mkMGT-
    VA | voltampère | voltampères | m | mkM-
    Ah | ampèreheure | ampèreheures | m | m-
    var | var | vars | m | mk-
    varh | varheure | varheures | m | k-
    J | joule | joules | m | kMG-
    cal | calorie | calories | f | kMG-
    A | ampère | ampères | m | μmk-
    V | volt | volts | m | μmkM-
    Ω | ohm | ohms | m | mkM-
    F | farad | farads | m | μn-
    Hz | hertz | hertz | m | mkMG-
    Pa | pascal | pascals | m | mhkM-
    bar | bar | bars | m | cm-
    l, L | litre | litres | m | mcdhμ-
    m | mètre | mètres | m | kcdmμn-
    g | gramme | grammes | m | kmμn-
    s | seconde | secondes | f | mμn-
    S | siemens | siemens | m | μm-
    mol | mole | moles | f | mμ-
    Bq | becquerel | becquerels | m | kM-
    Ci | curie | curies | m | mμp-
    Sv | sievert | sieverts | m | mμn-
    bit | bit | bits | m | kMGT-
    B, o | octet | octets | m | kMGTPEZY
    B | octet | octets | m | -
    lm | lumen | lumens | m | k-
    """,
    _PREFIXES,
) | nouns(
    """
    KiB, Kio | kibioctet | kibioctets | m
    MiB, Mio | mébioctet | mébioctets | m
    GiB, Gio | gibioctet | gibioctets | m
    TiB, Tio | tébioctet | tébioctets | m
    PiB | pébioctet | pébioctets | m
    EiB | exbioctet | exbioctets | m
    ZiB | zébioctet | zébioctets | m
    YiB | yobioctet | yobioctets | m
    KB | kilooctet | kilooctets | m
    Kbps, kbps | kilobit par seconde | kilobits par seconde | m
    Mbps | mégabit par seconde | mégabits par seconde | m
    Gbps | gigabit par seconde | gigabits par seconde | m
    kWc, kWp | kilowatt-crête | kilowatts-crête | m
    in, po | pouce | pouces | m
    ft | pied | pieds | m
    yd | yard | yards | m
    mi | mile | miles | m
    nmi | mille marin | milles marins | m
    mph | mile par heure | miles par heure | m
    kmh, kph | kilomètre par heure | kilomètres par heure | m
    kn, kt | nœud | nœuds | m
    Beaufort | Beaufort | Beaufort | m
    ha | hectare | hectares | m
    ac | acre | acres | f
    oz | once | onces | f
    lb, lbs | livre | livres | f
    st | stone | stones | m
    t | tonne | tonnes | f
    gal | gallon | gallons | m
    fl. oz., fl. oz, fl oz | once liquide | onces liquides | f
    CCF | centaine de pieds cubes | centaines de pieds cubes | f
    MCF | millier de pieds cubes | milliers de pieds cubes | m
    thm | therm | therms | m
    BTU | B T U | B T U | m
    BTU/(h⋅ft²), BTU/(h·ft²) | B T U par heure et par pied carré | B T U par heure et par pied carré | m
    °C, ° C, ºC, ℃ | degré Celsius | degrés Celsius | m
    °F, ° F, ºF, ℉ | degré Fahrenheit | degrés Fahrenheit | m
    °, º | degré | degrés | m
    K | kelvin | kelvins | m
    min, min., mn, mins | minute | minutes | f
    sec, sec. | seconde | secondes | f
    h, H, hr, hrs | heure | heures | f
    d, j | jour | jours | m
    w, sem. | semaine | semaines | f
    y | an | ans | m
    mmHg | millimètre de mercure | millimètres de mercure | m
    inHg | pouce de mercure | pouces de mercure | m
    inH₂O, inH2O | pouce d'eau | pouces d'eau | m
    psi | livre par pouce carré | livres par pouce carré | f
    atm | atmosphère | atmosphères | f
    dB | décibel | décibels | m
    dBA, dB(A) | décibel A | décibels A | m
    dBm | décibel milliwatt | décibels milliwatt | m
    lx | lux | lux | m
    ppm | partie par million | parties par million | f
    ppb | partie par milliard | parties par milliard | f
    % | pour cent | pour cent |
    ‰ | pour mille | pour mille |
    rpm, tr/min, tpm | tour par minute | tours par minute | m
    px | pixel | pixels | m
    UV index | indice UV | indice UV |
    """
)
"""By symbol; compounds where they are irregular."""

BEFORE_WORDS = frozenset(("y", "B"))
"""Symbols that are words or names too."""


def _currency(one: str, many: str, cent: str, cents: str, gender: Gender = "m") -> Currency:
    return Currency(Noun(one, many, gender), Noun(cent, cents, "m"))


_EURO = _currency("euro", "euros", "centime", "centimes")
_DOLLAR = _currency("dollar", "dollars", "cent", "cents")
_CANADIAN = _currency("dollar canadien", "dollars canadiens", "cent", "cents")
_POUND = _currency("livre sterling", "livres sterling", "penny", "pence", "f")
_YEN = _currency("yen", "yens", "", "")
_FRANC = _currency("franc suisse", "francs suisses", "centime", "centimes")

CURRENCIES = {
    **{"€": _EURO, "EUR": _EURO, "$": _DOLLAR, "USD": _DOLLAR, "US$": _DOLLAR, "$US": _DOLLAR},
    **{
        "CAD": _CANADIAN,
        "$ CA": _CANADIAN,
        "£": _POUND,
        "GBP": _POUND,
        "¥": _YEN,
        "JPY": _YEN,
        "CHF": _FRANC,
    },
    "¢": _currency("cent", "cents", "", ""),
}
"""By sign and by code."""
