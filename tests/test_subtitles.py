"""Subtitles show every word once, when it is spoken, in lines that can be read."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.subtitles import COLUMNS, LONGEST, SHORTEST, SUBTITLE_FORMATS, Cue, Subtitles, cues, written
from wyoming_tts.types import WordTiming

STORY = (
    "Hello there! Yes. No. Dr. Smith said “the quick (brown) fox — which was 3.14 metres long — jumped over "
    "the lazy dog”, and then, after a while, it went home to sleep.\n\nNobody knew where it lived; nobody "
    "asked. “Why should we?” said the dog, who had seen it all before and did not care."
)
WORDS = st.text("abcABCé日本ー.,!?-—“”()\"'&<>;:*5🙂", min_size=1, max_size=60)
SPACES = st.sampled_from([" ", " ", " ", "  ", "\n", "\n\n", " \t", "\r\n \r\n", "\u3000"])


def spoken(text: str, pattern: str = r"\S+", pace: float = 0.06, pause: float = 0.3) -> list[WordTiming]:
    """Words of a text at so many seconds a character, with a pause behind sentences."""
    words, now = [], 0.0
    for match in re.finditer(pattern, text):
        end = now + pace * len(match[0])
        words.append(WordTiming(match[0], now, end, *match.span()))
        now = end + (pause if text[match.end() - 1 : match.end() + 1].strip()[-1:] in tuple(".!?") else 0)
    return words


def shown(text: str, pattern: str = r"\S+", pace: float = 0.06) -> list[str]:
    return [cue.text for cue in cues(spoken(text, pattern, pace), text)]


def columns(line: str) -> int:
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in line)


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def parsed(file: str, name: str) -> list[tuple[float, float, str]]:
    """What a player reads; the least that the two formats ask for holds."""
    if name == "vtt":
        head, file = file.split("\n\n", 1)
        assert head == "WEBVTT"
    found = []
    blocks = file.split("\n\n")
    assert blocks.pop() == ""
    for number, block in enumerate(blocks, 1):
        label, times, *lines = block.split("\n")
        assert label == str(number)
        match = re.fullmatch(r"(\d\d+):(\d\d):(\d\d)([.,])(\d{3}) --> (\d\d+):(\d\d):(\d\d)\4(\d{3})", times)
        assert match
        assert match[4] == {"vtt": ".", "srt": ","}[name]
        h, m, s, _, ms, *end = match.groups()
        assert lines
        assert not any("-->" in line or not line.strip() for line in lines)
        text = "\n".join(lines)
        if name == "vtt":
            assert not re.search(r"<|>|&(?!amp;|lt;|gt;)", text)
            text = html.unescape(text)
        found.append((_seconds(h, m, s, ms), _seconds(*end), text))
    return found


def _seconds(hours: str, minutes: str, seconds: str, milliseconds: str) -> float:
    return (int(hours) * 3_600_000 + int(minutes) * 60_000 + int(seconds) * 1000 + int(milliseconds)) / 1000


@st.composite
def speeches(draw: st.DrawFn) -> tuple[str, list[WordTiming]]:
    """A text and when its words are spoken, some of them in no time, some after a long silence."""
    text, words, now = "", [], 0.0
    for word in draw(st.lists(WORDS, max_size=30)):
        text += draw(SPACES) if text else draw(st.sampled_from(["", " ", "\n"]))
        now += draw(st.sampled_from([0.0, 0.0, 0.1, 0.6, 2.0]))
        end = now + draw(st.sampled_from([0.0, 0.0004, 0.05, 0.2, 0.5, 1.3, 7.0]))
        words.append(WordTiming(word, now, end, len(text), len(text) + len(word)))
        now, text = end, text + word
    return text, words


@given(speeches())
def test_every_word_is_shown_once_in_order(speech: tuple[str, list[WordTiming]]) -> None:
    """All words are in one cue each, and what is read is what is written."""
    text, words = speech
    made = list(cues(words, text))
    assert [word for cue in made for word in cue.words] == words
    assert squeezed("".join(cue.text for cue in made)) == squeezed(text)
    for cue in made:
        inside = text[cue.words[0].char_start : cue.words[-1].char_end]
        assert squeezed(cue.text) == squeezed(inside)


@given(speeches())
def test_cues_can_be_read(speech: tuple[str, list[WordTiming]]) -> None:
    """Two lines at most, none blank, none longer than a line but for a word that is; and soon over."""
    text, words = speech
    for cue in cues(words, text):
        lines = cue.text.split("\n")
        assert len(lines) <= 2
        assert all(line == line.strip() and line for line in lines)
        if len(cue.words) > 1:
            assert max(map(columns, lines)) <= COLUMNS
            assert cue.words[-1].end - cue.words[0].start <= LONGEST


@given(speeches())
def test_cues_follow_each_other(speech: tuple[str, list[WordTiming]]) -> None:
    """None begins before the last is over; each is there with its words, and for long if there is room."""
    text, words = speech
    made = list(cues(words, text))
    for cue in made:
        assert cue.start < cue.end
        assert cue.start >= round(cue.words[0].start, 3)
    for cue, following in pairwise(made):
        assert cue.end <= following.start
        begins = round(following.words[0].start, 3)
        assert cue.end - cue.start > SHORTEST - 0.0011 or cue.end >= begins
        assert cue.end >= round(cue.words[-1].end, 3) or cue.end >= begins
    assert not made or made[-1].end - made[-1].start > SHORTEST - 0.0011


@given(st.lists(st.tuples(*[st.floats(0, 9)] * 2, *[st.integers(-2, 30)] * 2), max_size=12))
def test_whatever_a_backend_says_cues_are_in_order(times: list[tuple[float, float, int, int]]) -> None:
    """Times and places that overlap or go backwards make no cue that does."""
    words = [WordTiming("x", *time) for time in times]
    made = list(cues(words, "one two, three. Four five six!"))
    assert all(cue.start < cue.end and cue.text.strip() for cue in made)
    assert all(cue.end <= following.start for cue, following in pairwise(made))


@given(speeches(), st.lists(st.integers(0, 30), max_size=5))
def test_how_words_come_makes_no_difference(speech: tuple[str, list[WordTiming]], cuts: list[int]) -> None:
    """Words in any portions, none among them, make the same cues."""
    text, words = speech
    subtitles, made = Subtitles(text), []
    for start, stop in pairwise([0, *sorted(cuts), len(words) + 30]):
        made += subtitles.feed(words[start:stop])
    assert made + subtitles.finish() == list(cues(words, text))


@pytest.mark.parametrize("name", SUBTITLE_FORMATS)
@given(speech=speeches())
def test_a_player_reads_what_was_written(name: str, speech: tuple[str, list[WordTiming]]) -> None:
    """Files have each cue with its times and text, whatever is in it."""
    text, words = speech
    made = list(cues(words, text))
    found = parsed("".join(written(made, name)), name)
    assert [(start, end) for start, end, _ in found] == [(cue.start, cue.end) for cue in made]
    assert [line for *_, line in found] == [
        cue.text.replace("-->", "→") if name == "srt" else cue.text for cue in made
    ]


@pytest.mark.parametrize("pattern", [r"\S+", r"\w+(?:[.'-]\w+)*"], ids=["written", "without punctuation"])
def test_punctuation_stays(pattern: str) -> None:
    """What stands between the words is shown with the one that it belongs to."""
    lines = shown(STORY, pattern)
    assert squeezed("".join(lines)) == squeezed(STORY)
    assert not [line for line in lines if line[0] in "”).,;!?" or line[-1] in "“("]


def test_cues_end_with_sentences_and_clauses() -> None:
    """A cue is a sentence where that is long enough, and else ends where one can breathe."""
    assert shown(STORY) == [
        "Hello there!",
        "Yes. No.",
        "Dr. Smith said “the quick (brown) fox —\nwhich was 3.14 metres long —",
        "jumped over the lazy dog”, and then,\nafter a while, it went home to sleep.",
        "Nobody knew where it lived; nobody asked.",
        "“Why should we?” said the dog, who had\nseen it all before and did not care.",
    ]


def test_what_is_written_together_stays_together() -> None:
    """A line does not end inside a word, where a backend tells the times of its parts."""
    text = "One two three four and five much-better-known six seven eight."
    assert shown(text, r"\w+") == ["One two three four and five\nmuch-better-known six seven eight."]


def test_japanese_is_divided_between_words() -> None:
    """Where no spaces are, a line ends behind any word, and its letters count double."""
    text = "吾輩は猫である。「名前」はまだ無い。"
    text += "何でも薄暗いじめじめした所でニャーニャー泣いていた事だけは記憶している。"
    lines = shown(text, r"\w", 0.15)
    assert lines[:2] == ["吾輩は猫である。", "「名前」はまだ無い。"]
    assert squeezed("".join(lines)) == text
    assert all(columns(line) <= COLUMNS for cue in lines for line in cue.split("\n"))


def test_a_pause_ends_a_cue() -> None:
    """Nothing is shown through a silence, nor before it is said."""
    words = [WordTiming("one", 0, 0.3, 0, 3), WordTiming("two", 4, 4.2, 4, 7)]
    assert list(cues(words, "one two")) == [
        Cue(0, 0.7, "one", (words[0],)),
        Cue(4, 4.7, "two", (words[1],)),
    ]
    assert next(iter(list(cues(words, "one two", 4.25))[1:])).end == 4.25


def test_a_cue_is_there_with_the_word_behind_it() -> None:
    """A stream has not to be over for its first cues."""
    subtitles, words = Subtitles(STORY), spoken(STORY)
    assert subtitles.feed(words[:2]) == []
    (first,) = subtitles.feed(words[2:3])
    assert first.text == "Hello there!"
    assert first.words == tuple(words[:2])
    held = 1
    for word in words[3:]:
        held += 1 - sum(len(cue.words) for cue in subtitles.feed([word]))
        assert held <= 18  # two lines of them


@pytest.mark.parametrize(
    ("text", "places", "line"),
    [
        ("This is **bold**, really.", [(0, 4), (5, 7), (10, 14), (18, 24)], "This is bold, really."),
        ("Say <break time='1s'/> it", [(0, 3), (23, 25)], "Say it"),
        (
            "See [the page](https://example.org/x) now",
            [(0, 3), (5, 8), (9, 13), (38, 41)],
            "See the page now",
        ),
        ("See [it](u) \x07now", [(0, 3), (4, 11), (12, 16)], "See it now"),
        ("Run\n```\nrm -rf /\n```\nnow", [(0, 3), (21, 24)], "Run now"),
    ],
)
def test_what_nobody_says_is_not_shown(text: str, places: Sequence[tuple[int, int]], line: str) -> None:
    """Marks and words between those that are spoken are left out."""
    words = [WordTiming(text[a:b], n / 4, n / 4, a, b) for n, (a, b) in enumerate(places)]
    assert [cue.text for cue in cues(words, text)] == [line]


def test_webvtt_is_quoted() -> None:
    """Text that looks like markup or like times is text."""
    text = "AT&T <b>wins</b> 3 --> 4"
    file = "".join(written(cues(spoken(text), text), "vtt"))
    assert file.endswith("\nAT&amp;T &lt;b&gt;wins&lt;/b&gt; 3 --&gt; 4\n\n")
    assert "3 → 4\n" in "".join(written(cues(spoken(text), text), "srt"))


@pytest.mark.parametrize(("name", "file"), [("srt", ""), ("vtt", "WEBVTT\n\n")])
def test_without_words_there_is_the_head(name: str, file: str) -> None:
    """Nothing spoken is a file without cues."""
    assert "".join(written(cues([], "nothing"), name)) == file


def test_times_go_on_behind_an_hour() -> None:
    """Hours are written in full, and milliseconds are rounded."""
    words = [WordTiming("late", 100 * 3600 + 61.2346, 100 * 3600 + 63, 0, 4)]
    assert "".join(written(cues(words, "late"), "srt")) == "1\n100:01:01,235 --> 100:01:03,000\nlate\n\n"
