"""English readings of where things are: compass points, streets, states, roads, rooms, seats, flights."""

from __future__ import annotations

import re

from wyoming_tts.text.en_words import English, Said, after, around, before, letters, rule, words

_POINTS = {
    "N": "north",
    "E": "east",
    "S": "south",
    "W": "west",
    "NE": "northeast",
    "SE": "southeast",
    "SW": "southwest",
    "NW": "northwest",
    "NNE": "north northeast",
    "ENE": "east northeast",
    "ESE": "east southeast",
    "SSE": "south southeast",
    "SSW": "south southwest",
    "WSW": "west southwest",
    "WNW": "west northwest",
    "NNW": "north northwest",
}
_STREETS = {
    "St": "Street",
    "Ave": "Avenue",
    "Av": "Avenue",
    "Rd": "Road",
    "Blvd": "Boulevard",
    "Ln": "Lane",
    "Hwy": "Highway",
    "Pkwy": "Parkway",
    "Sq": "Square",
    "Dr": "Drive",
    "Ct": "Court",
    "Pl": "Place",
    "Ter": "Terrace",
    "Cir": "Circle",
}
_NUMBERED_PLACES = {
    "Hwy": "Highway",
    "Rte": "Route",
    "Rt": "Route",
    "Apt": "Apartment",
    "Ste": "Suite",
    "Bldg": "Building",
    "Rm": "Room",
}
_STATES = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
    "CT": "Connecticut", "DE": "Delaware", "FL": "Florida", "GA": "Georgia", "HI": "Hawaii", "ID": "Idaho",
    "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky", "LA": "Louisiana",
    "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota",
    "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada",
    "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina",
    "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania",
    "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas",
    "UT": "Utah", "VT": "Vermont", "VA": "Virginia", "WA": "Washington", "WV": "West Virginia",
    "WI": "Wisconsin", "WY": "Wyoming", "DC": "D C",
}  # fmt: skip
_PLAIN_STATES = "|".join(sorted(set(_STATES) - words("IN OR ME OK HI ID OH PA MA LA AL CO MS MD MO DE")))
_SPEED = (
    r"(?:km/h|kmh|kph|KPH|mph|MPH|m/s|kn|kts?|knots|Bft|bft|Beaufort|(?:kilomet(?:er|re)s?|miles?) per hour)"
)
_STREET = rf"(?:{'|'.join(_STREETS)}|{'|'.join(_STREETS.values())}|Way)"
_WIND = re.compile(
    r"\b(?:winds?|gust\w*|breez\w+|windy|blowing|bearing|heading|headed|compass|swells?|"
    r"facing|direction|azimuth)\b",
    re.IGNORECASE,
)
_BEFORE_POINT = re.compile(
    rf"(?:[0-9]\s?{_SPEED}|\bhour)[,;]?(?: from| to)?(?: the)? \Z|\b(?:from|to|in|toward|towards) the \Z|"
    r"\b(?:winds?|gusts?|breeze|bearing|direction|heading|headed|facing|blowing)"
    r"(?: is| are| was)?:?(?: now| out of| light| from| to| due| moderate| strong)*(?: the)? \Z|"
    r"\b(?:i|us|sr|cr|hwy|highway|route|rte|interstate|road)[ -][0-9]{1,3} \Z|"
    rf"\b(?:{_STREET})\.? \Z|"
    r"[0-9]°?(?: ?[0-9.]+['′’])?(?: ?[0-9.]+[\"″”])? ?\Z(?<=[°'′’\"″” ])(?<![0-9] )",
    re.IGNORECASE,
)
_AFTER_POINT = re.compile(
    rf" (?:winds?|breezes?|gusts?|swells?|corner|coast|facing|[0-9]+(?:st|nd|rd|th) {_STREET}\b|"
    rf"(?:at |around )?[0-9]+(?:[-–][0-9]+)?\s?{_SPEED}(?!\w))"
)
_GOING = re.compile(r"\b(?:drive|head|go|walk|travel|sail|ride|then|continue) \Z")
_NUMBERED = re.compile(r"(?:\A|\s)[0-9]{1,5}[A-Za-z]? \Z")
_AFTER_NUMBER = re.compile(rf"\.? (?:[A-Z][a-z]{{1,15}} ){{1,3}}{_STREET}\b")
_DISTANCE = re.compile(r"[0-9]\s?(?:km|mi|miles?|m|ft|kilomet(?:er|re)s?|met(?:er|re)s?|blocks?) \Z")
_AIR = re.compile(
    r"\b(?:flights?|gate|terminal|delay\w*|board\w*|depart\w*|land(?:s|ed|ing)|arriv\w+|cancel\w+|"
    r"divert\w+)\b",
    re.IGNORECASE,
)
_AIRLINES = (
    "AA|AC|AF|AI|AS|AY|AZ|BA|BR|B6|CA|CI|CX|CZ|DL|EI|EK|EW|EY|FR|F9|IB|JL|KE|KL|LH|LO|LX|LY|MU|NH|NK|NZ|OS|"
    "QF|QR|SA|SK|SN|SQ|SU|TG|TK|TP|UA|U2|VA|VS|VY|WN|WS|W6"
)
ROOMS = (
    r"(?:[Rr]oom|[Aa]partment|[Aa]pt\.?|[Ss]uite|[Ff]lat|[Gg]ate|[Uu]nit|"
    r"[Oo]ffice|[Bb]us|[Rr]oute|[Hh]ighway|[Ii]nterstate|"
    r"[Ll]ocker|[Cc]hannel|[Hh]ouse|[Tt]rain|[Cc]abin|[Aa]rea)"
)
"""Pattern of what has numbers that are read in pairs: "room four twelve"."""

_AIRCRAFT = (
    r"(?:Boeing|Airbus|Cessna|Embraer|Fokker|Peugeot|Porsche|Fiat|Ferrari|McLaren|Saab|Volvo|Xbox|Levi's)"
)


def number(written: str, english: English) -> str:
    """The number of a room, a road or a flight: `412` -> "four twelve", `1200` -> "twelve hundred"."""
    if written[0] == "0" or len(written) > 4:
        return english.digits(written)
    value = int(written)
    paired = value > 99 and value % 1000 and (value % 100 or value > 999)
    return english.pair(value) if paired else english.cardinal(value)


def _point(match: re.Match[str], english: English) -> Said:
    """`NW` is a direction beside a wind, a road or a street."""
    point, near, following = match[1], before(match), after(match)
    named = (
        _AFTER_POINT.match(following)
        or _BEFORE_POINT.search(near)
        or (_NUMBERED.search(near) and _AFTER_NUMBER.match(following))
        or (_DISTANCE.search(near) and following.startswith(" of "))
        or (len(point) > 1 and _WIND.search(around(match)))
    )
    if not named and not _led_to(point, match):
        return None
    said = _POINTS[point]
    return said.capitalize() if _AFTER_NUMBER.match(following) else said


def _led_to(point: str, match: re.Match[str]) -> bool:
    """Whether the words before a point and behind it are those of a direction: "head E on", "the NW room"."""
    near, following = before(match), after(match)
    if (
        len(point) > 1
        and re.match(
            r" (?!(?:version|update|model|phone|watch|is|was|has|can|will|and|or|for|with|does)\b)[a-z]",
            following,
        )
        and near.endswith("the ")
    ):
        return True
    if len(point) > 1 and re.match(r" [A-Z][a-z]", following) and f" {near}".endswith(" in "):
        return True
    if near.endswith("(") and following.startswith(")"):
        return _WIND.search(around(match)) is not None
    return bool(_GOING.search(near) and re.match(r" (?:on|for|along|to|toward|until)\b", following))


def _street(match: re.Match[str], english: English) -> Said:
    short, numbered = match[2], re.search(r"[0-9]\w* (?:[NSEW]{1,2} )?(?:\w+ )?\Z", before(match))
    if re.match(r" [A-Z]", after(match)) and short in ("St", "Dr", "Sq") and not numbered:
        return None
    return {2: _STREETS[short]} if numbered or short not in ("Ct", "Pl", "Ter", "Cir") else None


def _zip(match: re.Match[str], english: English) -> Said:
    said = {1: _STATES[match[1]], 2: english.digits(match[2])}
    return said | ({3: ", " + english.digits(match[3])} if match[3] else {})


def _flight(match: re.Match[str], english: English) -> Said:
    if not match[1] and not _AIR.search(around(match)):
        return None
    code = " ".join(english.digits(char) if char.isdecimal() else char for char in match[2])
    return {2: code, 3: " ", 4: number(match[4], english)}


def _road(match: re.Match[str], english: English) -> Said:
    return f"{letters(match[1])} {number(match[2], english)}"


def _rooms(match: re.Match[str], english: English) -> Said:
    return {1: number(match[1], english), 2: " to ", 3: number(match[3], english)}


def _aircraft(match: re.Match[str], english: English) -> Said:
    return {1: number(match[1], english)} | ({2: " " + number(match[2][1:], english)} if match[2] else {})


POINTS = (
    rule(rf"(?<![\w/'’-])(?<![A-Z]\.)({'|'.join(_POINTS)})(?![\w/'’-]|\.[A-Z])", _point),
    rule(
        r"(?<=[0-9]°)([NSEW])(?!\w)|(?<=[0-9]['′’\"″”])([NSEW])(?!\w)",
        lambda match, english: " " + _POINTS[match[0]],
    ),
)
"""Compass points."""

STREETS = (
    rule(rf"\b([A-Z][a-z]{{1,15}}|[0-9]{{1,3}}(?:st|nd|rd|th)) ({'|'.join(_STREETS)})(?![\w.'’])", _street),
    rule(
        r"\b(Hwy|Rte|Rt|[Aa]pt|Ste|Bldg|Rm)\b\.? ?#?(?<![a-z]) ?(?=[0-9])",
        lambda match, english: _NUMBERED_PLACES[match[1].capitalize()] + " ",
    ),
    rule(rf"(?:(?<=, )|(?<=[a-z] ))({'|'.join(_STATES)}),? ([0-9]{{5}})(?:(-[0-9]{{4}}))?(?![\w-])", _zip),
    rule(
        rf"\b[A-Z][a-z]{{1,20}}, ({_PLAIN_STATES})(?!\w|[.'’])", lambda match, english: {1: _STATES[match[1]]}
    ),
    rule(
        r"\b[A-Z][a-z]{1,20}, (IN|OR|OH|ID|CO|MD|MO|MS|AL|DE)(?=\.?$|,)",
        lambda match, english: {1: _STATES[match[1]]},
    ),
)
"""Streets and states that are abbreviated without a full stop."""

TRAVEL = (
    rule(
        rf"\b([Ff]light (?:number |no\.? )?)?(?<!\w)((?(1)[A-Z][A-Z0-9]|(?:{_AIRLINES})))([ -])"
        r"([0-9]{2,4})(?!\w|[.,:/-][0-9]|\s?[%°])",
        _flight,
    ),
    rule(r"(?<![\w-])(US|I|SR|CR)-([1-9][0-9]{0,2})(?![\w-]|\.[0-9])", _road),
    rule(
        r"(?:(?<=[Tt]ake )|(?<=ollow )|(?<= via )|(?<=long )|(?<=onto ))(US) ([1-9][0-9]{0,2})"
        r"(?!\w|[.,:/-][0-9])",
        _road,
    ),
    rule(
        rf"\b{ROOMS}s?\s([1-9][0-9]{{2,3}})(\s?[-–]\s?|\sto\s)([1-9][0-9]{{2,3}})"
        r"(?!\w|[.,:/-][0-9]|\s?[%°])",
        _rooms,
    ),
    rule(r"(?<!\w)A(3[0-8]0)(?!\w|[.,][0-9])", lambda match, english: {1: number(match[1], english)}),
    rule(rf"\b{_AIRCRAFT} ([1-9][0-9]{{2}})(-[0-9]{{3}})?(?!\w|[.,:/][0-9])", _aircraft),
    rule(
        rf"\b{ROOMS}\s(?:number\s)?([1-9][0-9]{{2,3}})(?![\w]|[.,:/-][0-9]|\s?[%°])",
        lambda match, english: {1: number(match[1], english)},
    ),
)
"""Numbers of flights, roads, rooms and aircraft."""
