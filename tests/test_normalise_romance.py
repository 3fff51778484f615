"""Spanish, Italian and Portuguese as they are read out."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.text.aligned import AlignedText, Kind
from wyoming_tts.text.normalise import _normaliser as normaliser_of
from wyoming_tts.text.normalise import normalise

LANGUAGES = ("es", "it", "pt-BR")
CASES = Path(__file__).parent / "cases"


def rows(kind: str, language: str) -> list[list[str]]:
    path = CASES / f"{kind}_{language[:2]}.tsv"
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


def heard(text: str) -> str:
    """What a listener can tell: words, without case and marks."""
    return " ".join(re.sub(r"[^\w'’°%$€-]", " ", unicodedata.normalize("NFC", text)).lower().split())


def read(text: str, language: str) -> str:
    return normalise(AlignedText.of(text), language).text


WRITTEN = [(language, *row) for language in LANGUAGES for row in rows("normalise", language)]
UNITS = [(language, *row) for language in LANGUAGES for row in rows("units", language)]


@pytest.mark.parametrize(("language", "category", "written", "readings"), WRITTEN)
def test_reading(language: str, category: str, written: str, readings: str) -> None:
    """Text is read as one of the ways in which a native speaker would read it."""
    assert heard(read(written, language)) in [heard(reading) for reading in readings.split(" | ")], category


@pytest.mark.parametrize(("language", "symbol", "one", "many"), UNITS)
def test_unit(language: str, symbol: str, one: str, many: str) -> None:
    """Every unit of Home Assistant has a name that agrees with one and with more, with a space or without."""
    assert heard(read(f"1 {symbol}", language)) == heard(one)
    assert heard(read(f"2 {symbol}", language)) == heard(many)
    if symbol not in ("K", "B"):  # "4K" is a resolution
        assert heard(read(f"2{symbol}", language)) == heard(many)


@pytest.mark.parametrize(("language", "category", "written", "readings"), WRITTEN)
def test_idempotent(language: str, category: str, written: str, readings: str) -> None:
    """What has been normalised stays as it is."""
    once = read(written, language)
    assert read(once, language) == once, category


@pytest.mark.parametrize(("language", "category", "written", "readings"), WRITTEN)
def test_inside_a_sentence(language: str, category: str, written: str, readings: str) -> None:
    """Brackets and a comma behind change no reading."""
    assert heard(read(f"({written}), ok", language)) == heard(f"{read(written, language)} ok")


ANYTHING = st.one_of(
    st.text(max_size=60),
    st.text("0123456789.,:;/-–+ ºª°%€$hmskWCF²³'’()@_aeXVI½~=#", max_size=40),
)


@given(ANYTHING, st.sampled_from(LANGUAGES))
def test_any_text(text: str, language: str) -> None:
    """Whatever is written is read, no character without a place in the caller's text, and only once."""
    once = normalise(AlignedText.of(text), language)
    assert len(once.text) == len(once.starts) == len(once.ends)
    assert not any(character.isascii() and character.isdigit() for character in once.text)
    assert normalise(AlignedText.of(once.text), language).text == once.text


@given(
    st.lists(st.from_regex(r"[b-df-hj-np-tv-z]{6,12}", fullmatch=True), max_size=8),
    st.sampled_from(LANGUAGES),
)
def test_no_word_lost(words: list[str], language: str) -> None:
    """Words between numbers stay, in their order."""
    said = read(" 21,5 ".join(words), language).split()
    assert [word for word in said if word in words] == words


PIECES = ("1", " ", ".", "a-", "1.", "1 ", "1/", "1:", "a.", "-", "a@", "1,000", "I", "/", "€", "a_")
LONG = [("es", piece) for piece in PIECES] + [("it", "1."), ("pt-BR", "1 ")]


@pytest.mark.parametrize(("language", "piece"), LONG)
def test_long_text(language: str, piece: str) -> None:
    """A hundred kilobytes of anything are read to the end, in time that grows with the text alone."""
    read_out = normalise(AlignedText.of(piece * (100_000 // len(piece)) + " 21"), language)
    assert read_out.source(0, len(read_out))[1] >= 100_000


SAID: list[tuple[str, str, Kind, str, str | None]] = [
    ("es", "AB3", "characters", "", "a, be, tres"),
    ("es", "0420", "digits", "", "cero cuatro dos cero"),
    ("es", "21", "cardinal", "", "veintiuno"),
    ("es", "XXI", "cardinal", "", "veintiuno"),
    ("es", "3", "ordinal", "", "tercero"),
    ("es", "3ª", "ordinal", "", "tercera"),
    ("es", "11/21/2026", "date", "mdy", "veintiuno de noviembre de dos mil veintiséis"),
    ("es", "21/11/2026", "date", "", "veintiuno de noviembre de dos mil veintiséis"),
    ("es", "2026-11", "date", "ym", "noviembre de dos mil veintiséis"),
    ("es", "7:05", "time", "", "siete y cinco"),
    ("es", "7:05 pm", "time", "", "siete y cinco de la tarde"),
    ("es", "612 345", "telephone", "", "seis uno dos, tres cuatro cinco"),
    ("es", "abc", "date", "", None),
    ("es", "abc", "time", "", None),
    ("es", "abc", "cardinal", "", None),
    ("es", "2,5", "ordinal", "", None),
    ("es", "abc", "telephone", "", None),
    ("it", "AB3", "characters", "", "a, bi, tre"),
    ("it", "21", "cardinal", "", "ventuno"),
    ("it", "3", "ordinal", "", "terzo"),
    ("it", "1/1/2026", "date", "dmy", "primo gennaio duemilaventisei"),
    ("it", "19:30", "time", "", "diciannove e trenta"),
    ("it", "06 12", "telephone", "", "zero sei, uno due"),
    ("pt-BR", "AB3", "characters", "", "á, bê, três"),
    ("pt-BR", "21", "cardinal", "", "vinte e um"),
    ("pt-BR", "3", "ordinal", "", "terceiro"),
    ("pt-BR", "1/1/2026", "date", "dmy", "primeiro de janeiro de dois mil e vinte e seis"),
    ("pt-BR", "19:30", "time", "", "dezenove e trinta"),
    ("pt-BR", "+55 11", "telephone", "", "mais cinco cinco, um um"),
]


@pytest.mark.parametrize(("language", "text", "kind", "form", "said"), SAID)
def test_say_as(language: str, text: str, kind: Kind, form: str, said: str | None) -> None:
    """SSML's `say-as` is obeyed, and refused where it makes no sense."""
    found = normaliser_of(language)
    assert found is not None
    assert found.say_as(text, kind, form, language) == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_marks_stay(language: str) -> None:
    """What is marked as verbatim or has phonemes is left alone, and the rest is read."""
    text = AlignedText.of("21 °C 21 °C").marked(0, 5, "verbatim")
    read_out = normalise(text, language)
    assert read_out.text.startswith("21 °C ")
    assert not any(character.isdigit() for character in read_out.text[5:])
    assert read_out.text[read_out.marks[0].start : read_out.marks[0].end] == "21 °C"


def test_alignment() -> None:
    """The words of a number come from its characters, the words beside it from themselves."""
    aligned = normalise(AlignedText.of("Hace 21,5 °C hoy"), "es")
    start = aligned.text.index("veintiuno")
    assert aligned.source(start, start + len("veintiuno")) == (5, 12)
    start = aligned.text.index("hoy")
    assert aligned.source(start, start + 3) == (13, 16)
