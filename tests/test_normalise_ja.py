"""Japanese is read out as a Japanese speaker would read it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.g2p.japanese import from_kana, written_form
from wyoming_tts.phonemes import Phonemizer
from wyoming_tts.text import normalise as dispatcher
from wyoming_tts.text.aligned import AlignedText, Kind
from wyoming_tts.text.ja import normalise, say_as
from wyoming_tts.text.ja_units import PER, UNITS

_LINES = (Path(__file__).parent / "cases" / "normalise_ja.tsv").read_text("utf-8").splitlines()
CASES = [tuple(line.split("\t")) for line in _LINES]
PIECES = st.lists(
    st.sampled_from(
        [
            "室温",
            "2",
            "個",
            "-",
            "21.5",
            "℃",
            ":",
            "05",
            "/",
            "%",
            "¥",
            "$",
            ".",
            ",",
            " ",
            "〜",
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
            "番号",
            "３",
            "一",
            "点",
            "A",
            "比",
            "円",
            "から",
            "2026",
            "時",
            "10分",
        ]
    ),
    max_size=14,
).map("".join)


def read(text: str) -> str:
    return normalise(AlignedText.of(text), "ja").text


def heard(text: str) -> str:
    """Without case, spaces and marks."""
    return re.sub(r"[\s，。、：:,.!?()（）-]", "", text).lower()


@pytest.fixture(scope="module")
def phonemizer() -> Phonemizer:
    return Phonemizer()


def sound(phonemizer: Phonemizer, text: str) -> str:
    """Phonemes without spaces and marks, the nasals alike (they suit what is behind them)."""
    return re.sub(
        "[mnŋɲɴ](?![aeiouɨɯj])", "N", re.sub(r"[\s.,:()“”—…]", "", phonemizer.phonemize(text, "ja").text)
    )


def sound_of(kana: str) -> str:
    return re.sub("[mnŋɲɴ](?![aeiouɨɯj])", "N", from_kana(kana.replace("、", "")).replace(" ", ""))


@pytest.mark.parametrize(("category", "written", "readings", "kana"), CASES, ids=[case[1] for case in CASES])
def test_cases(category: str, written: str, readings: str, kana: str) -> None:
    """Each written form is read in one of the ways in which a listener expects it."""
    assert heard(read(written)) in map(heard, readings.split(" | ")), category


@pytest.mark.parametrize(("category", "written", "readings", "kana"), CASES, ids=[case[1] for case in CASES])
def test_cases_sound_right(
    phonemizer: Phonemizer, category: str, written: str, readings: str, kana: str
) -> None:
    """What comes out of the dictionary is what a listener expects to hear."""
    assert sound(phonemizer, read(written)) in map(sound_of, kana.split(" | ")), category


@pytest.mark.parametrize("reading", sorted({case[2] for case in CASES}))
def test_what_is_read_out_stays(reading: str) -> None:
    """A text that is already in words is left alone."""
    assert heard(read(reading)) == heard(reading)


@pytest.mark.parametrize("before", ["", "現在", "（", "「"])
@pytest.mark.parametrize("behind", ["", "。", "です", "）", "」"])
def test_neighbours_do_not_matter(before: str, behind: str) -> None:
    """A quantity is read alike wherever it stands in a sentence."""
    assert read(f"{before}-21.5 °C{behind}") == f"{before}マイナス二十一点五度{behind}"


@pytest.mark.parametrize("unit", sorted(UNITS))
def test_every_unit_is_said(unit: str) -> None:
    """A unit behind a number is read by its name."""
    expected = "華氏三十度" if unit == "°F" else f"三十{UNITS[unit]}"
    assert read(f"30 {unit}") == read(f"30{unit}") == expected


@pytest.mark.parametrize("below", sorted(PER))
def test_every_denominator_is_said(below: str) -> None:
    """What is behind the stroke of a unit is read too."""
    assert read(f"5 kg/{below}") == f"五キログラム{PER[below]}"


@pytest.mark.parametrize(
    "counter",
    [
        "本",
        "匹",
        "人",
        "個",
        "階",
        "回",
        "月",
        "分",
        "秒",
        "円",
        "度",
        "時間",
        "週間",
        "ヶ月",
        "番",
        "台",
        "枚",
        "杯",
        "冊",
        "頭",
        "軒",
        "件",
        "名",
        "倍",
        "位",
        "号",
    ],
)
@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 8, 10, 12])
def test_counters_sound_as_behind_digits(phonemizer: Phonemizer, counter: str, count: int) -> None:
    """Numbers in kanji have the same sound changes that the dictionary knows for digits."""
    expected = sound(phonemizer, f"今は{count}{counter}です")
    assert sound(phonemizer, read(f"今は{count}{counter}です")) == expected


@pytest.mark.parametrize("minute", range(1, 60))
def test_every_minute(phonemizer: Phonemizer, minute: int) -> None:
    """A minute of an hour is a time and never "a part"."""
    assert sound(phonemizer, read(f"9:{minute:02}")) == sound(phonemizer, f"9時{minute}分")


@pytest.mark.parametrize("idiom", ["十分です", "三分の一", "七分袖", "五分五分", "三位一体", "二十歳"])
def test_idioms_keep_their_reading(idiom: str) -> None:
    """What only looks like a number and a counter stays with the dictionary."""
    assert written_form(idiom) == idiom


@given(PIECES)
def test_twice_is_once(text: str) -> None:
    """Normalising what is normalised changes nothing."""
    once = normalise(AlignedText.of(text), "ja")
    assert normalise(once, "ja").text == once.text


@given(PIECES | st.text())
def test_only_ten_minutes_stay_digits(text: str) -> None:
    """No number is left over but 10分, and every character knows where it comes from."""
    result = normalise(AlignedText.of(text), "ja")
    assert not re.search("[0-9]", result.text.replace("10分", ""))
    assert len(result.starts) == len(result.ends) == len(result.text)
    assert all(0 <= start <= end <= len(text) for start, end in zip(result.starts, result.ends, strict=True))


@given(st.text("居間の電気をつけてabcXYZ éñ、。！？ー", max_size=40))
def test_plain_words_are_kept(text: str) -> None:
    """Text without numbers, signs and addresses stays as it is."""
    assert read(text) == text


@pytest.mark.parametrize(
    "unit", ["1", " ", ".", "a-", "1-", "1.", "1:", "1,", "-", "1/", "a.", "a@", "2個", "一", "ゼロ ", "時一"]
)
def test_long_nonsense_ends(unit: str) -> None:
    """A hundred thousand characters of anything are worked through."""
    assert written_form(read(unit * (100_000 // len(unit)))) is not None


def test_words_know_their_source() -> None:
    """The words of a quantity stand for the quantity as written, and nothing else does."""
    result = normalise(AlignedText.of("今は21.5℃です"), "ja")
    start = result.text.index("二")
    assert result.source(start, result.text.index("で")) == (2, 7)
    assert result.source(0, 2) == (0, 2)


def test_marks_are_left_alone() -> None:
    """What somebody gave the phonemes of is not read otherwise."""
    text = AlignedText.of("21.5 と 21.5").marked(0, 4, "phonemes", "x")
    assert normalise(text, "ja").text == "21.5 と 二十一点五"


@pytest.mark.parametrize(
    ("text", "kind", "form", "said"),
    [
        ("A1b", "characters", "", "A 一 B"),
        ("1024", "digits", "", "一 ゼロ 二 四"),
        ("1,024", "cardinal", "", "千二十四"),
        ("-2.5", "cardinal", "", "マイナス二点五"),
        ("2", "ordinal", "", "第二"),
        ("11/21/2026", "date", "mdy", "二千二十六年十一月二十一日"),
        ("2026年11月21日", "date", "", "二千二十六年十一月二十一日"),
        ("1121", "date", "md", None),
        ("11/21", "date", "md", "十一月二十一日"),
        ("7:05", "time", "hms24", "七時五分"),
        ("7:05pm", "time", "hms12", "午後七時五分"),
        ("090-1234", "telephone", "", "ゼロ 九 ゼロ、一 二 三 四"),
        ("はい", "digits", "", None),
        ("はい", "date", "mdy", None),
        ("はい", "time", "", None),
        ("はい", "cardinal", "", None),
        ("-1", "ordinal", "", None),
    ],
)
def test_say_as(text: str, kind: Kind, form: str, said: str | None) -> None:
    """What SSML asks for is said so, or declined where it cannot be."""
    assert say_as(text, kind, form, "ja") == said


def test_the_dispatcher_finds_it() -> None:
    """Any tag of the language is read by these rules."""
    assert dispatcher.normalise(AlignedText.of("45%"), "ja-JP").text == "四十五パーセント"


@pytest.mark.parametrize(
    "word",
    ["Netflix", "LED", "WiFi", "kWh", "Alexa", "Home Assistant", "iPhone", "YouTube", "Zigbee", "xyzzy"],
)
def test_latin_words_are_spoken(phonemizer: Phonemizer, word: str) -> None:
    """Words in Latin letters are never dropped."""
    assert len(sound(phonemizer, f"{word}です")) > len(sound(phonemizer, "です")) + 2


@pytest.mark.parametrize(
    ("text", "kana"),
    [
        ("HAとESPHomeとRaspberry Pi", "エイチエートイーエスピーホームトラズベリーパイ"),
        ("ChatGPTとOpenAI", "チャットジーピーティートオープンエーアイ"),
        ("午前0時", "ゴゼンレージ"),
        ("110番", "ヒャクトーバン"),
        ("風量を強に", "フーリョーヲキョーニ"),
        ("毎平方メートル", "マイヘーホーメートル"),
    ],
)
def test_words_of_a_house(phonemizer: Phonemizer, text: str, kana: str) -> None:
    """What the dictionary does not know, or knows otherwise, is read as it is meant."""
    assert sound(phonemizer, read(text)) == sound_of(kana)
