"""The user's lexicon says how words are said, and where it is wrong itself."""

from __future__ import annotations

import itertools
import logging
import os
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes import Clock
from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.lexicon import CHECK_SECONDS, Lexicon
from wyoming_tts.text.lexicon_file import MOST_BYTES, MOST_ENTRIES, LexiconError, parse


class TickingClock(Clock):
    """Time that passes from one look at the file to the next."""

    def tick(self) -> None:
        self.now += CHECK_SECONDS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "lexicon.toml"


def lexicon(file: Path, content: str | bytes) -> Lexicon:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Lexicon(file)


def said(words: Lexicon, text: str, language: str = "en-US", voice: str = "af_heart") -> str:
    """What is said, phonemes between slashes."""
    found = words.apply(AlignedText.of(text), language, voice)
    result, last = "", 0
    for mark in found.marks:
        assert mark.kind == "phonemes"
        result += f"{found.text[last : mark.start]}/{mark.value}/"
        last = mark.end
    return result + found.text[last:]


SAMPLE = """
# How names are said here.
[[entry]]
text = "Nguyen"
say = "win"

[[entry]]
text = ["Zigbee", "ZigBee network"]
phonemes = "/zˈɪɡbi/"

[[entry]]
text = "New York"
say = "Big Apple"
[[entry]]
text = "York"
say = "jork"
[[entry]]
text = "IT"
say = "eye tee"
case_sensitive = true
[[entry]]
text = "C++"
say = "see plus plus"
[[entry]]
text = "don"
say = "Donald"
[[entry]]
text = "München"
say = "Munich"
[[entry]]
text = "東京"
say = "とうきょう"
[[entry]]
text = "हिन्दी"
say = "Hindi"
[[entry]]
text = "O’Brien"
say = "oh brian"
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Call Nguyen now.", "Call win now."),
        ("nguyen, NGUYEN!", "win, win!"),
        ("Nguyen's light", "win's light"),
        ("Nguyens", "Nguyens"),
        ("my_Nguyen", "my_Nguyen"),
        ("(Nguyen)", "(win)"),
        ("Zigbee and zigbee network", "/zˈɪɡbi/ and /zˈɪɡbi/"),
        ("New York, new\n york, NewYork, York", "Big Apple, Big Apple, NewYork, jork"),
        ("New Yorkers in New", "New Yorkers in New"),
        ("IT knows it", "eye tee knows it"),
        ("C++ and C+ and C", "see plus plus and C+ and C"),
        ("Don, don't do it. DON’T.", "Donald, don't do it. DON’T."),
        ("MÜNCHEN, Mu\u0308nchen", "Munich, Munich"),
        ("東京都と東 京", "とうきょう都と東 京"),
        ("Netflixを東京で", "Netflixをとうきょうで"),
        ("हिन्दी में", "Hindi में"),
        ("हिन्दीका हिन्द", "हिन्दीका हिन्द"),
        ("O'Brien and O’BRIEN", "oh brian and oh brian"),
        ("", ""),
    ],
)
def test_whole_words_are_replaced(file: Path, text: str, expected: str) -> None:
    """Words are found whole, in any case unless asked otherwise, the longest first; in CJK anywhere."""
    assert said(lexicon(file, SAMPLE), text) == expected


def test_what_was_replaced_is_not_replaced_again(file: Path) -> None:
    """Entries see the words of the text, never those of other entries."""
    words = lexicon(file, "[[entry]]\ntext='a'\nsay='b'\n[[entry]]\ntext='b'\nsay='a b'\n")
    assert said(words, "a b a") == "b a b b"


def test_entries_are_for_languages_and_voices(file: Path) -> None:
    """An entry counts where its language begins the one that is spoken, and for its voices alone."""
    words = lexicon(
        file,
        """
        [[entry]]
        text = "a"
        say = "everywhere"
        [[entry]]
        text = "a"
        say = "en"
        language = "en"
        [[entry]]
        text = "a"
        say = "gb"
        language = ["en_GB", "fr"]
        [[entry]]
        text = "a"
        say = "voice"
        voice = ["AF_heart", "x"]
        """,
    )
    assert said(words, "a", "en-US", "am_adam") == "en"
    assert said(words, "a", "EN_gb", "bm_george") == "gb"
    assert said(words, "a", "fr-FR", "ff_siwis") == "gb"
    assert said(words, "a", "eng", "y") == "everywhere"
    assert said(words, "a", "", "") == "everywhere"
    assert said(words, "a", "en-GB", "af_Heart") == "voice"


def test_the_last_of_equals_counts(file: Path) -> None:
    """Of two entries that are as particular the later one counts, and one for a certain case before both."""
    content = "[[entry]]\ntext='A'\nsay='one'\ncase_sensitive=true\n" + "".join(
        f"[[entry]]\ntext='a'\nsay='{number}'\n" for number in ("two", "three")
    )
    assert said(lexicon(file, content), "A a") == "one three"


def test_marks_are_respected(file: Path) -> None:
    """What a caller marked is left alone, and a shorter entry beside it is still used."""
    words = lexicon(file, SAMPLE + "[[entry]]\ntext='new'\nsay='old'\n")
    text = AlignedText.of("New York Nguyen Zigbee").marked(4, 8, "characters").marked(16, 22, "phonemes", "x")
    found = words.apply(text, "en", "v")
    assert found.text == "old York win Zigbee"
    assert [(found.text[mark.start : mark.end], mark.value) for mark in found.marks] == [
        ("York", ""),
        ("Zigbee", "x"),
    ]


def test_offsets_point_at_the_words_as_written(file: Path) -> None:
    """What is said comes from the words it is said for, and phonemes behind a replacement are in place."""
    text = "é New York Zigbee C++ end"
    found = lexicon(file, SAMPLE).apply(AlignedText.of(text), "en", "v")
    assert found.text == "é Big Apple Zigbee see plus plus end"
    places = {word: found.text.index(word) for word in ("Big Apple", "Zigbee", "see plus plus", "end")}
    written = [text[slice(*found.source(at, at + len(word)))] for word, at in places.items()]
    assert written == ["New York", "Zigbee", "C++", "end"]
    assert [(mark.start, mark.end) for mark in found.marks] == [(12, 18)]


BAD = [
    ("text = 'a'\nsay = 'b'\nphonemes = 'c'", "only one of them"),
    ("text = 'a'", 'say = "…" or phonemes = "…" is missing'),
    ("say = 'a'", 'text = "…" is missing'),
    ("txt = 'a'\nsay = 'b'", "'txt' is not known; did you mean text?"),
    ("text = 'a'\nsay = 'b'\nzzz = 1", "'zzz' is not known; there are text, say"),
    ("text = 1\nsay = 'b'", "text must be a text in quotes or a list"),
    ("text = ['a', 2]\nsay = 'b'", "text must be a text in quotes or a list"),
    ("text = []\nsay = 'b'", "text holds no words"),
    ("text = ' '\nsay = 'b'", "text is empty"),
    ("text = 'a'\nsay = 3", "say must be a text in quotes"),
    ("text = 'a'\nphonemes = '//'", "phonemes holds no phonemes"),
    ("text = 'a'\nsay = 'b'\nlanguage = 'English please'", 'such as "en"'),
    ("text = 'a'\nsay = 'b'\nvoice = {}", "voice must be a text in quotes or a list"),
    ("text = 'a'\nsay = 'b'\ncase_sensitive = 'yes'", "true or false, without quotes"),
    (f"text = '{'a' * 201}'\nsay = 'b'", "text is longer than 200 characters"),
]


@pytest.mark.parametrize(("entry", "problem"), BAD)
def test_a_bad_entry_is_said_with_its_line(
    file: Path, entry: str, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What is wrong is logged once with the entry's line and what would be right; the rest is used."""
    words = lexicon(file, f"{SAMPLE}\n\n[[entry]]\n{entry}\n[[entry]]\ntext='x'\nsay='y'\n")
    line = SAMPLE.count("\n") + 3
    (found,) = words.problems
    assert found.startswith(f"line {line}: ")
    assert problem in found
    assert said(words, "Nguyen x") == "win y"
    assert [record.getMessage() for record in caplog.records] == [f"{file}: {found}"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('title = """\n[[entry]]\n"""\n[[entry]]\nbad = 1\n', 4),
        ("# [[entry]]\n 'a b' = '''\n[[entry]]\n''''\n  [[ \"entry\" ]]  # here\r\nbad = 1\n", 5),
        ("x = [\n[['entry']],\n]\n[[entry]]\nbad = 1", 4),
        ("entry = [\n  {text = '{', say = ']'}, # {\n  {text = ['a'], say = 'b'},\n  {bad = 1},\n]\n", 4),
        ('[[entry]]\ntext="""\na"""\nsay="\\"[[entry]]"\n[other]\nx = 1\n[[entry]]\nbad={a=1}\n', 7),
    ],
)
def test_lines_are_found_however_the_file_is_written(file: Path, content: str, line: int) -> None:
    """Strings, comments and other tables do not confuse where an entry begins."""
    bad = [problem for problem in lexicon(file, content).problems if "'bad' is not known" in problem]
    assert [problem.split(":")[0] for problem in bad] == [f"line {line}"]


def test_unknown_tables_are_said_with_their_line(file: Path) -> None:
    """A table of another name is a problem, the entries are used."""
    words = lexicon(file, "[[entry]]\ntext='a'\nsay='b'\n\n[[entries]]\ntext='c'\nsay='d'\n")
    assert words.problems == ("line 5: 'entries' is not known; each entry begins with [[entry]]",)
    assert said(words, "a c") == "b c"
    assert "two pairs of brackets" in lexicon(file, "[entry]\ntext='a'\nsay='b'").problems[0]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"a = [", "line 1, column 6"),
        (b"x = 1\ny = \n", "line 2, column 5"),
        (b'[[entry]]\ntext = "a\n', "line 2, column 10"),
        (b"a = 1\na = 2", "line 2, column 6"),
        (b"a = 1\n\xff", "line 2, column 1"),
        (b"a = 99999-99-99", "line 1, column"),
        (b"a = " + b"9" * 5000, "line 1, column"),
        (b"a = " + b"[" * 5000, "nested too deeply"),
        (b"\0", "line 1, column 1"),
        (b"#" * (MOST_BYTES + 1), "larger than"),
    ],
)
def test_what_is_no_toml_leaves_the_last_good_one(
    file: Path, content: bytes, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that cannot be read at all changes nothing but the log, which names the place."""
    clock = TickingClock()
    file.write_text(SAMPLE, encoding="utf-8")
    words = Lexicon(file, clock)
    file.write_bytes(content)
    for _ in range(3):
        clock.tick()
        assert said(words, "Nguyen") == "win"
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert place in record.getMessage()
    assert place in words.problems[0]


def test_a_change_is_seen_after_a_second_and_not_before(file: Path) -> None:
    """The file is looked at once a second: what is new counts, what is gone is forgotten."""
    clock = TickingClock()
    words = Lexicon(file, clock)
    assert said(words, "a") == "a"
    file.write_text("[[entry]]\ntext='a'\nsay='b'\n")
    assert said(words, "a") == "a"
    clock.tick()
    assert said(words, "a") == "b"
    file.write_text("[[entry]]\ntext='a'\nsay='c'\n")
    os.utime(file, ns=(1, 1))
    clock.tick()
    assert said(words, "a") == "c"
    file.write_text("[[entry]]\ntext='a'\nsay=1\n")
    clock.tick()
    assert said(words, "a") == "a"
    assert words.problems
    file.unlink()
    clock.tick()
    assert words.problems == ()
    assert said(words, "a") == "a"


def test_a_folder_in_its_place_is_a_problem(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be opened is said once, keeps the last good one, and is forgotten when it is gone."""
    clock = TickingClock()
    file.write_text("[[entry]]\ntext='a'\nsay='b'\n")
    words = Lexicon(file, clock)
    file.unlink()
    file.mkdir()
    for _ in range(3):
        clock.tick()
        assert said(words, "a") == "b"
    assert [record.getMessage() for record in caplog.records] == [
        f"{file}: it cannot be read: it is not a file"
    ]
    file.rmdir()
    clock.tick()
    assert said(words, "a") == "a"


def test_problems_in_the_log_are_not_endless(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is wrong throughout gives a short log; entries beyond the limit are not used."""
    content = (
        "[[entry]]\n" * 100
        + "[[entry]]\ntext='a'\nsay='b'\n" * MOST_ENTRIES
        + "[[entry]]\ntext='z'\nsay='y'\n"
    )
    words = lexicon(file, content)
    assert len(words.problems) == 101
    assert len(caplog.records) < 30
    assert said(words, "a z") == "b z"


def test_a_file_of_windows_is_understood(file: Path) -> None:
    """A byte order mark and carriage returns are no problem."""
    assert said(lexicon(file, b"\xef\xbb\xbf" + SAMPLE.replace("\n", "\r\n").encode()), "Nguyen") == "win"


def test_threads_see_one_file_or_the_other(file: Path) -> None:
    """While the file is replaced again and again, each text is said by one version of it, and none fails."""
    clock = TickingClock()
    contents = [
        "".join(f"[[entry]]\ntext='{word}'\nsay='{number}'\n" for word in "ab") for number in ("one", "two")
    ]
    file.write_text(contents[0])
    words = Lexicon(file, clock)
    wrong: list[str] = []

    def speak() -> None:
        for _ in range(100):
            found = said(words, "a b")
            if found not in ("one one", "two two"):
                wrong.append(found)

    threads = [threading.Thread(target=speak) for _ in range(8)]
    for thread in threads:
        thread.start()
    new = file.with_suffix(".new")
    for turn in itertools.count():
        new.write_text(contents[turn % 2])
        os.utime(new, ns=(turn, turn))
        new.replace(file)
        clock.tick()
        if not any(thread.is_alive() for thread in threads):
            break
    assert wrong == []


def read(data: bytes) -> tuple[str, ...] | str:
    """Problems of a file, or why there is none."""
    try:
        return parse(data).problems
    except LexiconError as error:
        return str(error)


@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "ignore")))
)
def test_any_bytes_are_survived(data: bytes) -> None:
    """Any file is entries and problems, or one error that says where."""
    problems = read(data)
    assert isinstance(problems, tuple) or "line" in problems


_SCRAPS = (
    "[[entry]]\n|text=|say=|phonemes=|language=|voice=|"
    "'a'|\"b\"|\n|['a','b']|{|}|[|]|#|'''|\"\"\"|=|entry=|1|true|,"
)


@given(st.lists(st.sampled_from(_SCRAPS.split("|")), max_size=20).map("".join))
def test_any_toml_is_survived(text: str) -> None:
    """Scraps of a lexicon in any order are survived, and what is right about them does not change."""
    assert read(text.encode()) == read(text.encode())


_WORDS = st.one_of(
    st.sampled_from(["New", "York", "Nguyen's", "zigbee", "IT", "it", "C++", "東京", "don't", "हिन्दी"]),
    st.sampled_from(["O’Brien", "x", ".", ",", "'s", "", "\n", "e\u0301", "\u0301"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.lists(_WORDS, max_size=12).map(" ".join), st.text(max_size=40)))
def test_nothing_else_is_changed(file: Path, text: str) -> None:
    """Each character that is not replaced is its own source, in order; marks are inside the text."""
    if not file.exists():
        file.write_text(SAMPLE, encoding="utf-8")
    found = Lexicon(file).apply(AlignedText.of(text), "en", "v")
    assert list(found.starts) == sorted(found.starts)
    assert all(0 <= start < end <= len(text) for start, end in zip(found.starts, found.ends, strict=True))
    covered = {
        index for start, end in zip(found.starts, found.ends, strict=True) for index in range(start, end)
    }
    assert covered == set(range(len(text)))
    assert all(0 <= mark.start < mark.end <= len(found) for mark in found.marks)


@pytest.mark.parametrize(
    "unit", ["a", "New ", "New York ", "a-", "1", " ", ".", "\u0301", "東", "'t", "Nguyen "]
)
def test_long_texts_are_worked_through(file: Path, unit: str) -> None:
    """A text of any length comes to its end."""
    text = unit * (100_000 // len(unit)) + " Nguyen"
    assert said(lexicon(file, SAMPLE.replace("phonemes", "say")), text).endswith("win")
