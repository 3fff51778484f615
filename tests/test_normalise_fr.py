"""French as it is read out."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.text.aligned import AlignedText, Kind
from wyoming_tts.text.fr import normalise, say_as

CASES = Path(__file__).parent / "cases"
LINES = [line.split("\t") for line in (CASES / "normalise_fr.tsv").read_text("utf-8").splitlines() if line]
UNITS = sorted(
    {
        unit
        for units in json.loads((CASES / "home_assistant_units.json").read_text("utf-8")).values()
        for unit in units
    }
    - {"currency", "display_currency"}
)
READ_AS_WRITTEN = ("bar", "bit", "var", "Beaufort")
WRITTEN = st.text("0123456789.,:/-−+%°€$½ ²³h@_#\n\t\u202f()ACEIVXkWhmgµμsxerlna'’é", max_size=40)


def plain(text: str) -> str:
    """What a listener hears of it: no case, no punctuation."""
    kept = "".join(" " if unicodedata.category(char)[0] in "PZ" else char for char in text.casefold())
    return " ".join(kept.split())


def read(text: str) -> str:
    return normalise(AlignedText.of(text), "fr-FR").text


@pytest.mark.parametrize(("category", "written", "readings"), LINES)
def test_it_is_read_as_a_speaker_would(category: str, written: str, readings: str) -> None:
    """Every written form has a reading that French speakers use."""
    assert plain(read(written)) in [plain(reading) for reading in readings.split(" | ")], category


@pytest.mark.parametrize("written", [line[1] for line in LINES])
def test_what_is_read_stays_as_it_is(written: str) -> None:
    """A text that has been made for the ear is not changed again."""
    assert read(read(written)) == read(written)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("number", ["1", "21.5"])
def test_every_unit_is_read_in_french(unit: str, number: str) -> None:
    """Every unit of Home Assistant is read in words, none of its signs or figures are left."""
    said = read(f"La valeur est de {number} {unit}")
    assert not re.search(r"[μ°²³₂%/$€¢\d]", said), said
    assert unit in READ_AS_WRITTEN or not re.search(rf"(?<!\w){re.escape(unit)}(?![\w'])", said), said


@given(WRITTEN)
def test_any_text_settles_at_once(text: str) -> None:
    """Whatever is written, nothing raises, no digit is left, and a second pass changes nothing."""
    said = read(text)
    assert not re.search(r"[0-9]", said)
    assert read(said) == said


@given(st.text(max_size=60))
def test_words_survive(text: str) -> None:
    """Words before other text are never lost."""
    assert "bonjour tout le monde" in read(f"bonjour tout le monde {text}")


def test_marked_text_is_left_alone() -> None:
    """What is marked keeps its characters, and the rest knows where it comes from."""
    text = AlignedText.of("il est 5 et 21 °C").marked(7, 8, "verbatim")
    said = normalise(text, "fr-FR")
    assert said.text == "il est 5 et vingt-et-un degrés Celsius"
    assert said.source(said.text.index("vingt"), len(said)) == (12, 17)


@pytest.mark.parametrize(
    ("written", "kind", "form", "said"),
    [
        ("LED", "characters", "", "elle, e, dé"),
        ("0420", "digits", "", "zéro quatre deux zéro"),
        ("-1 234,5", "cardinal", "", "moins mille deux cent trente-quatre virgule cinq"),
        ("21", "ordinal", "", "vingt-et-unième"),
        ("1re", "ordinal", "", "première"),
        ("XXI", "ordinal", "", "vingt-et-unième"),
        ("21/11/2026", "date", "dmy", "vingt-et-un novembre deux mille vingt-six"),
        ("11/21/2026", "date", "mdy", "vingt-et-un novembre deux mille vingt-six"),
        ("20261121", "date", "ymd", "vingt-et-un novembre deux mille vingt-six"),
        ("1/3", "date", "dm", "premier mars"),
        ("7:05", "time", "hms24", "sept heures cinq"),
        ("7h", "time", "", "sept heures"),
        ("7:05 PM", "time", "hms12", "sept heures cinq du soir"),
        (
            "06 12 34 56 78",
            "telephone",
            "",
            "zéro six, douze, trente-quatre, cinquante-six, soixante-dix-huit",
        ),
        (
            "+33612345678",
            "telephone",
            "",
            "plus trente-trois, six, douze, trente-quatre, cinquante-six, soixante-dix-huit",
        ),
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
    assert say_as(written, kind, form, "fr-FR") == said
