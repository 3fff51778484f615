"""Hindi as it is read out."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.text.aligned import AlignedText, Kind
from wyoming_tts.text.hi import normalise, say_as

CASES = Path(__file__).parent / "cases"
LINES = [line.split("\t") for line in (CASES / "normalise_hi.tsv").read_text("utf-8").splitlines() if line]
UNITS = sorted(
    {
        unit
        for units in json.loads((CASES / "home_assistant_units.json").read_text("utf-8")).values()
        for unit in units
    }
    - {"currency", "display_currency"}
)
WRITTEN = st.text("0123456789०१२९.,:/-−+%°₹$½ ²³/h@_#\n\tकिमीवांपर।()ACLEDVkWhmgµμsxअ", max_size=40)


def plain(text: str) -> str:
    """What a listener hears of it: no case, no punctuation."""
    kept = "".join(" " if unicodedata.category(char)[0] in "PZ" else char for char in text.casefold())
    return " ".join(kept.split())


def read(text: str) -> str:
    return normalise(AlignedText.of(text), "hi").text


@pytest.mark.parametrize(("category", "written", "readings"), LINES)
def test_it_is_read_as_a_speaker_would(category: str, written: str, readings: str) -> None:
    """Every written form has a reading that Hindi speakers use."""
    assert plain(read(written)) in [plain(reading) for reading in readings.split(" | ")], category


@pytest.mark.parametrize("written", [line[1] for line in LINES])
def test_what_is_read_stays_as_it_is(written: str) -> None:
    """A text that has been made for the ear is not changed again."""
    assert read(read(written)) == read(written)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("number", ["1", "21.5"])
def test_every_unit_is_read_in_hindi(unit: str, number: str) -> None:
    """No unit of Home Assistant is left in Latin letters or signs."""
    said = read(f"मान {number} {unit} है")
    assert not re.search(r"[A-Za-zμ°²³₂%/$€¢\d]", said), said
    assert said.endswith(" है")


@given(WRITTEN)
def test_any_text_settles_at_once(text: str) -> None:
    """Whatever is written, nothing raises, no digit is left, and a second pass changes nothing."""
    said = read(text)
    assert not re.search(r"[0-9]", said)
    assert read(said) == said


@given(st.text(max_size=60))
def test_words_survive(text: str) -> None:
    """Devanagari words between other words are never lost."""
    assert "नमस्ते दुनिया" in read(f"नमस्ते दुनिया {text}")


def test_marked_text_is_left_alone() -> None:
    """What is marked keeps its characters, and the rest knows where it comes from."""
    text = AlignedText.of("अभी 5 और 21 °C").marked(4, 5, "verbatim")
    said = normalise(text, "hi")
    assert said.text == "अभी 5 और इक्कीस डिग्री सेल्सियस"
    assert said.source(said.text.index("इक्कीस"), len(said)) == (9, 14)


@pytest.mark.parametrize(
    ("written", "kind", "form", "said"),
    [
        ("LED", "characters", "", "एल ई डी"),
        ("नमस्ते 5", "characters", "", "न म स्ते पाँच"),
        ("०४20", "digits", "", "शून्य चार दो शून्य"),
        ("-1,234.5", "cardinal", "", "माइनस एक हज़ार दो सौ चौंतीस दशमलव पाँच"),
        ("21", "ordinal", "", "इक्कीसवाँ"),
        ("2", "ordinal", "", "दूसरा"),
        ("21/11/2026", "date", "dmy", "इक्कीस नवंबर दो हज़ार छब्बीस"),
        ("11/21/2026", "date", "mdy", "इक्कीस नवंबर दो हज़ार छब्बीस"),
        ("20261121", "date", "ymd", "इक्कीस नवंबर दो हज़ार छब्बीस"),
        ("1947", "date", "y", "उन्नीस सौ सैंतालीस"),
        ("7:05", "time", "hms24", "सात बजकर पाँच मिनट"),
        ("7:00 PM", "time", "hms12", "शाम सात बजे"),
        ("+91 98765 43210", "telephone", "", "प्लस नौ एक, नौ आठ सात छह पाँच, चार तीन दो एक शून्य"),
        ("abc", "date", "", None),
        ("32/13/2026", "date", "dmy", None),
        ("25:00", "time", "", None),
        ("abc", "cardinal", "", None),
        ("abc", "ordinal", "", None),
        ("abc", "telephone", "", None),
    ],
)
def test_say_as_is_obeyed(written: str, kind: Kind, form: str, said: str | None) -> None:
    """SSML's say-as decides the reading, and gives up where the text is nothing of the kind."""
    assert say_as(written, kind, form, "hi") == said
