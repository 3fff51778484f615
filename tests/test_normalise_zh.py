"""Chinese is read out as a Chinese speaker would read it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.phonemes import Phonemizer
from wyoming_tts.text import normalise as dispatcher
from wyoming_tts.text.aligned import AlignedText, Kind
from wyoming_tts.text.zh import normalise, say_as
from wyoming_tts.text.zh_units import PER, UNITS

_LINES = (Path(__file__).parent / "cases" / "normalise_zh.tsv").read_text("utf-8").splitlines()
CASES = [tuple(line.split("\t")) for line in _LINES]
PIECES = st.lists(
    st.sampled_from(
        [
            "温度",
            "2",
            "个",
            "-",
            "21.5",
            "°C",
            ":",
            "05",
            "/",
            "%",
            "¥",
            "$",
            ".",
            ",",
            " ",
            "~",
            "=",
            "+",
            "第",
            "年",
            "月",
            "kWh",
            "km/h",
            "PM",
            "a@b.com",
            "http://",
            "版本",
            "密码",
            "３",
            "一",
            "点",
            "A",
            "比分",
            "元",
            "到",
            "2026",
        ]
    ),
    max_size=14,
).map("".join)


def read(text: str) -> str:
    return normalise(AlignedText.of(text), "zh-CN").text


def heard(text: str) -> str:
    """Without case, spaces and marks."""
    return re.sub(r"[\s，。、：:,.!?()（）-]", "", text).lower()


@pytest.mark.parametrize(("category", "written", "readings"), CASES, ids=[case[1] for case in CASES])
def test_cases(category: str, written: str, readings: str) -> None:
    """Each written form is read in one of the ways in which a listener expects it."""
    assert heard(read(written)) in map(heard, readings.split(" | ")), category


@pytest.mark.parametrize("reading", sorted({reading for case in CASES for reading in case[2].split(" | ")}))
def test_what_is_read_out_stays(reading: str) -> None:
    """A text that is already in words is left alone."""
    assert heard(read(reading)) == heard(reading)


@pytest.mark.parametrize("before", ["", "现在", "（", "“"])
@pytest.mark.parametrize("behind", ["", "。", "，请注意", "）", "”"])
def test_neighbours_do_not_matter(before: str, behind: str) -> None:
    """A quantity is read alike wherever it stands in a sentence."""
    assert read(f"{before}-21.5 °C{behind}") == f"{before}零下二十一点五摄氏度{behind}"


@pytest.mark.parametrize("unit", sorted(UNITS))
def test_every_unit_is_said(unit: str) -> None:
    """A unit behind a number is read by its name."""
    expected = f"三十{UNITS[unit]}"
    assert read(f"30 {unit}") == read(f"30{unit}") == expected


@pytest.mark.parametrize("below", sorted(PER))
def test_every_denominator_is_said(below: str) -> None:
    """What is behind the stroke of a unit is read too."""
    assert read(f"5 kg/{below}") == f"五千克{PER[below]}"


@given(PIECES)
def test_twice_is_once(text: str) -> None:
    """Normalising what is normalised changes nothing."""
    once = normalise(AlignedText.of(text), "zh")
    assert normalise(once, "zh").text == once.text


@given(PIECES | st.text())
def test_no_digit_is_left(text: str) -> None:
    """No number is left over, and every character knows where it comes from."""
    result = normalise(AlignedText.of(text), "zh")
    assert not re.search("[0-9]", result.text)
    assert len(result.starts) == len(result.ends) == len(result.text)
    assert all(0 <= start <= end <= len(text) for start, end in zip(result.starts, result.ends, strict=True))


@given(st.text("客厅的灯abcXYZ éñ，。！？", max_size=40))
def test_plain_words_are_kept(text: str) -> None:
    """Text without numbers, signs and addresses stays as it is."""
    assert read(text) == text


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        " ",
        ".",
        "a-",
        "1-",
        "1.",
        "1:",
        "1,",
        "-",
        "1/",
        "a.",
        "a@",
        "2个",
        "http://",
        "1 ",
        "_",
        "０",
        "+1",
        "1x",
    ],
)
def test_long_nonsense_ends(unit: str) -> None:
    """A hundred thousand characters of anything are worked through."""
    assert read(unit * (100_000 // len(unit))) is not None


def test_words_know_their_source() -> None:
    """The words of a quantity stand for the quantity as written, and nothing else does."""
    result = normalise(AlignedText.of("现在21.5°C吗"), "zh")
    start = result.text.index("二")
    assert result.source(start, result.text.index("吗")) == (2, 8)
    assert result.source(0, 2) == (0, 2)


def test_marks_are_left_alone() -> None:
    """What somebody gave the phonemes of is not read otherwise."""
    text = AlignedText.of("21.5 和 21.5").marked(0, 4, "phonemes", "x")
    assert normalise(text, "zh").text == "21.5 和 二十一点五"


@pytest.mark.parametrize(
    ("text", "kind", "form", "said"),
    [
        ("A1b", "characters", "", "A 一 B"),
        ("你好", "characters", "", "你 好"),
        ("1024", "digits", "", "一零二四"),
        ("1024", "cardinal", "", "一千零二十四"),
        ("-2.5", "cardinal", "", "负二点五"),
        ("2", "ordinal", "", "第二"),
        ("11/21/2026", "date", "mdy", "二零二六年十一月二十一日"),
        ("21.11.2026", "date", "dmy", "二零二六年十一月二十一日"),
        ("2026-11", "date", "ym", "二零二六年十一月"),
        ("2026", "date", "y", "二零二六年"),
        ("7:05", "time", "hms24", "七点零五分"),
        ("7:05pm", "time", "hms12", "下午七点零五分"),
        ("138-1234-5678", "telephone", "", "一三八，一二三四，五六七八"),
        ("+86 10 1234", "telephone", "", "加八六，一零，一二三四"),
        ("你好", "digits", "", None),
        ("abc", "date", "mdy", None),
        ("13/13/2026", "date", "mdy", None),
        ("25:00", "time", "", None),
        ("x", "cardinal", "", None),
        ("1.5", "ordinal", "", None),
        ("", "characters", "", None),
        ("x", "telephone", "", None),
    ],
)
def test_say_as(text: str, kind: Kind, form: str, said: str | None) -> None:
    """What SSML asks for is said so, or declined where it cannot be."""
    assert say_as(text, kind, form, "zh-CN") == said


def test_the_dispatcher_finds_it() -> None:
    """Any tag of the language is read by these rules."""
    assert dispatcher.normalise(AlignedText.of("45%"), "zh-CN").text == "百分之四十五"


@pytest.fixture(scope="module")
def phonemizer() -> Phonemizer:
    return Phonemizer()


@pytest.mark.parametrize(
    ("text", "word", "like"),
    [
        ("空调调到二十六度", "调", "条"),
        ("把灯调亮", "调亮", "条亮"),
        ("温度为五度", "为", "围"),
        ("两只猫", "两只", "两之"),
        ("跑得很快", "得", "的"),
    ],
)
def test_characters_with_several_readings(phonemizer: Phonemizer, text: str, word: str, like: str) -> None:
    """A character sounds as its place in the sentence wants it."""
    found = phonemizer.phonemize(text, "zh-CN")
    span = next(span for span in found.words if span.word == word)
    expected = phonemizer.phonemize(like, "zh-CN").text.replace(" ", "")
    assert found.text[span.token_start : span.token_end] == expected


@pytest.mark.parametrize("case", CASES, ids=[case[1] for case in CASES])
def test_all_of_it_is_spoken(phonemizer: Phonemizer, case: tuple[str, ...]) -> None:
    """Every word of a reading has phonemes."""
    found = phonemizer.phonemize(read(case[1]), "zh-CN")
    assert all(word.token_end > word.token_start for word in found.words)
    assert len(found.tokens) >= len(re.findall("[一-鿿]", read(case[1])))


def test_the_letter_a_is_no_article(phonemizer: Phonemizer) -> None:
    """A letter between Chinese words is read by its name."""
    assert phonemizer.phonemize("A区", "zh-CN").text.startswith("ˈA ")
