import csv
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.en_units import reading
from wyoming_tts.text.en_words import English
from wyoming_tts.text.markup import clean
from wyoming_tts.text.normalise import normalise

CASES = Path(__file__).parent / "cases"
US = English(british=False)


def rows(name: str) -> list[list[str]]:
    with (CASES / name).open(encoding="utf-8", newline="") as file:
        return [row for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row]


def said(text: str, language: str = "en-US") -> str:
    return normalise(AlignedText.of(text), language).text


def heard(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]|_", " ", re.sub("['’]", "", text.lower())).split())


GIVEN = rows("normalise_en_given.tsv")
OWN = [(language, text, wanted) for language, text, wanted in rows("normalise_en.tsv")]
UNITS = rows("units_en.tsv")


@pytest.mark.parametrize(("text", "wanted"), GIVEN)
def test_given_sentence(text: str, wanted: str) -> None:
    """A sentence that Home Assistant might say is read as a person would read it."""
    assert heard(normalise(clean(AlignedText.of(text)), "en-US").text) == heard(wanted)


@pytest.mark.parametrize(("language", "text", "wanted"), OWN)
def test_own_sentence(language: str, text: str, wanted: str) -> None:
    """Every category of written form is read out, in the country's way."""
    assert heard(said(text, language)) == heard(wanted)


@pytest.mark.parametrize(
    ("language", "text"), [row[:2] for row in OWN] + [("en-US", row[0]) for row in GIVEN]
)
def test_reading_twice_changes_nothing(language: str, text: str) -> None:
    """What is read out has nothing left to be read out."""
    once = said(text, language)
    assert said(once, language) == once


@pytest.mark.parametrize(("symbol", "one", "many"), UNITS)
def test_unit(symbol: str, one: str, many: str) -> None:
    """A unit is singular after 1 and -1 and plural after any other number, with or without a space."""
    assert heard(said(f"It is 1 {symbol}")) == f"it is one {heard(one)}"
    assert heard(said(f"It is -1 {symbol}")) == f"it is minus one {heard(one)}"
    assert heard(said(f"It is 21.5 {symbol} now")) == f"it is twenty one point five {heard(many)} now"
    if symbol != "K":  # "21.5K" is thousands
        assert heard(said(f"It is 21.5{symbol}.")) == f"it is twenty one point five {heard(many)}"
    assert heard(said(f"It is 0.5 {symbol}")) == f"it is zero point five {heard(many)}"


def test_every_unit_of_home_assistant_is_known() -> None:
    """Every unit string of Home Assistant has a reviewed reading."""
    units = json.loads((CASES / "home_assistant_units.json").read_text(encoding="utf-8"))
    wanted = {unit for group in units.values() for unit in group} - {"currency", "display_currency", "€", "$"}
    assert wanted <= {row[0] for row in UNITS}
    assert all(reading(unit, True, US) for unit in wanted if unit != "fl. oz.")


@pytest.mark.parametrize(
    "text",
    [
        "The kitchen light is on.",
        "I am in the living room, and you are not.",
        "Nothing to see here: move along - please!",
        "It's Sunday; may I march to the sun?",
        "Part of me is in; the mark is my own (really).",
        "WARNING: THE DOOR IS OPEN!",
        'He said "no." Then he left.',
        "Is it on or off, Mary? Mix it.",
    ],
)
def test_plain_text_is_left_alone(text: str) -> None:
    """Words stay exactly as they are written."""
    assert said(text) == text


@pytest.mark.parametrize(
    ("kind", "form", "text", "wanted"),
    [
        ("characters", "", "a1-b", "A one dash B"),
        ("digits", "", "0420", "zero four two zero"),
        ("cardinal", "", "0420", "four hundred twenty"),
        ("cardinal", "", "-1,234.5", "minus one thousand two hundred thirty-four point five"),
        ("cardinal", "", "XIV", "fourteen"),
        ("ordinal", "", "21", "twenty-first"),
        ("ordinal", "", "3rd", "third"),
        ("date", "mdy", "11/21/2026", "November twenty-first, twenty twenty-six"),
        ("date", "dmy", "3.4.2026", "April third, twenty twenty-six"),
        ("date", "ymd", "20261121", "November twenty-first, twenty twenty-six"),
        ("date", "md", "11-21", "November twenty-first"),
        ("date", "my", "11/2026", "November twenty twenty-six"),
        ("date", "y", "1999", "nineteen ninety-nine"),
        ("date", "", "21 Nov 2026", "November twenty-first, twenty twenty-six"),
        ("time", "", "7:05pm", "seven oh five P M"),
        ("time", "hms24", "18:42", "eighteen forty-two"),
        ("time", "", "1'21\"", "one minute and twenty-one seconds"),
        ("telephone", "", "+1 555 0100", "plus one, five five five, zero one zero zero"),
    ],
)
def test_said_as_asked(kind: str, form: str, text: str, wanted: str) -> None:
    """A mark decides how its text is read."""
    whole = AlignedText.of(f"It is {text}.").marked(6, 6 + len(text), kind, form)  # type: ignore[arg-type]
    assert normalise(whole, "en-US").text == f"It is {wanted}."


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("date", "abc"),
        ("time", "soon"),
        ("digits", "x"),
        ("ordinal", "x"),
        ("telephone", "x"),
        ("cardinal", "x"),
    ],
)
def test_what_cannot_be_said_so_is_read_as_text(kind: str, text: str) -> None:
    """A mark that does not fit its text is ignored."""
    marked = AlignedText.of(text).marked(0, len(text), kind)  # type: ignore[arg-type]
    assert normalise(marked, "en-US").text == text


def test_marked_text_is_left_alone() -> None:
    """What is marked verbatim is not read out, and its mark moves with it."""
    text = AlignedText.of("at 5 km or 5 km").marked(11, 15, "verbatim")
    result = normalise(text, "en-US")
    assert result.text == "at five kilometers or 5 km"
    (mark,) = result.marks
    assert result.text[mark.start : mark.end] == "5 km"


def test_words_point_at_what_was_written() -> None:
    """Words of a reading come from the characters that they stand for, words beside them from themselves."""
    result = normalise(AlignedText.of("Keep it at 21.5 °C now"), "en-US")
    start = result.text.index("degrees")
    assert result.source(start, start + 7) == (16, 18)
    start = result.text.index("point")
    assert result.source(start, start + 5) == (11, 15)
    start = result.text.index("now")
    assert result.source(start, start + 3) == (19, 22)


PIECES = st.sampled_from(
    [
        "1",
        "5",
        "0",
        "21.5",
        "1,234",
        "-3",
        "12:30",
        "7:05",
        "1:23:45",
        "2026-11-21",
        "11/21",
        "1/2",
        "½",
        "9-5",
        "$",
        "€",
        "£",
        "%",
        "°",
        "°C",
        "km/h",
        "kWh",
        "m",
        "s",
        "h",
        "in",
        "K",
        "A",
        "µg/m³",
        "²",
        "M",
        "a.m.",
        "pm",
        "Dr.",
        "St.",
        "No.",
        "etc.",
        "e.g.",
        "U.S.",
        "IV",
        "VIII",
        "Chapter",
        "King",
        "Mon",
        "Jan",
        "May",
        "the",
        "of",
        "1980s",
        "2nd",
        "#",
        "@",
        "&",
        "+",
        "=",
        "x",
        "~",
        "±",
        "<",
        "/",
        "\\",
        "_",
        ":",
        "::",
        ".",
        ",",
        "-",
        "–",
        "(",
        ")",
        '"',
        "'",
        "v2.5.1",
        "192.168.1.1",
        "a@b.com",
        "http://x.y/z",
        "light.on",
        "TV",
        "USB",
        "CO2",
        "PIN",
        "code",
        "room",
        "and",
        "is",
        "to",
        ".",
        ".",
    ]
)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(PIECES, st.sampled_from(["", " "])), max_size=8), st.sampled_from(["en-US", "en-GB"])
)
def test_any_mixture_of_forms(pieces: list[tuple[str, str]], language: str) -> None:
    """Whatever is put together: no digit is left, and reading it twice changes nothing."""
    text = "".join(piece + space for piece, space in pieces)
    once = said(text, language)
    assert not re.search(r"\d", once)
    assert said(once, language) == once


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    """Any text is read without an error, with one source for each character, and only once."""
    result = normalise(AlignedText.of(text), "en")
    assert len(result.text) == len(result.starts) == len(result.ends)
    assert said(result.text, "en") == result.text


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        " ",
        ".",
        "a-",
        "1 ",
        "1.",
        "1-",
        "1:",
        "A",
        "a.",
        "/a",
        "_a",
        "$1",
        "1/",
        "@a",
        "(1) ",
        "1,000",
        "a1",
        "NW ",
        "80s, ",
        "5' ",
    ],
)
def test_long_rows(piece: str) -> None:
    """Long rows of one thing are read in linear time: the test ends."""
    assert not re.search(r"\d", said(piece * 20_000))
