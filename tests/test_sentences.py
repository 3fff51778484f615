"""Plain text and SSML in any pieces become sentences with a style, and pauses."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.text.sentences import Pause, Sentence, SentenceReader, Step

DOCUMENT = (
    '<speak>The door is open. <break time="700ms"/>Please <prosody rate="slow">close it now</prosody>, '
    'says <voice name="bm_george">George, the butler.</voice><p>Thank you.</p>\n<p>Good night!</p></speak>'
)
PLAIN = "The door is open. Please close it now, says George, the butler!\n\nThank you. 21.5 °C is it."


def read(text: str, cuts: list[int] | None = None, *, ssml: bool = False) -> list[Step]:
    reader = SentenceReader(ssml=ssml)
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts or []), len(text)]
    steps = [step for a, b in pairwise(edges) if a < b for step in reader.feed(text[a:b])]
    return steps + reader.finish()


def shown(steps: list[Step]) -> list[object]:
    return [step.text.text if isinstance(step, Sentence) else pytest.approx(step.seconds) for step in steps]


def test_plain_text() -> None:
    """Plain text is divided into sentences that know where they stand."""
    for step in read(PLAIN):
        assert isinstance(step, Sentence)
        start, end = step.text.source(0, len(step.text))
        assert PLAIN[start:end] == step.text.text


def test_a_document() -> None:
    """Breaks are pauses, a change of voice or pace ends what is spoken in one go, tags are not spoken."""
    steps = read(DOCUMENT, ssml=True)
    assert shown(steps) == [
        "The door is open.",
        0.7,
        "Please",
        "close it now",
        ", says",
        "George, the butler.",
        "Thank you.",
        "Good night!",
    ]
    styles = [step.style for step in steps if isinstance(step, Sentence)]
    assert styles[2].rate < 1
    assert styles[0].rate == 1
    assert [style.voice for style in styles] == [None] * 4 + ["bm_george", None, None]


def test_words_of_a_document_know_where_they_stand() -> None:
    """Offsets count in the document as it was sent, tags included."""
    for step in read(DOCUMENT, ssml=True):
        if isinstance(step, Sentence):
            for index, letter in enumerate(step.text.text):
                start, _ = step.text.source(index, index + 1)
                assert DOCUMENT[start] == letter


@given(cuts=st.lists(st.integers(0, 400), max_size=12), ssml=st.booleans())
def test_pieces_make_no_difference(cuts: list[int], ssml: bool) -> None:
    """However the text is cut into pieces, what is spoken is the same."""
    text = DOCUMENT if ssml else PLAIN
    assert read(text, cuts, ssml=ssml) == read(text, ssml=ssml)


@pytest.mark.parametrize("text", ["", "  \n ", "<speak/>", '<speak><break time="0s"/></speak>'])
def test_nothing_to_say(text: str) -> None:
    """Text without words gives nothing."""
    assert not read(text, ssml="<" in text)


def test_a_quiet_moment_releases_a_sentence() -> None:
    """What ends in a stop is given when nothing more comes for a while; the rest is kept."""
    reader = SentenceReader()
    assert not reader.feed("All lights are off.")
    assert shown(reader.flush()) == ["All lights are off."]
    assert not reader.feed(" And the doors")
    assert not reader.flush()
    assert shown(reader.finish()) == ["And the doors"]


def test_a_pause_in_the_middle_of_a_sentence() -> None:
    """A break divides a sentence where it stands."""
    steps = read('<speak>Wait <break time="1s"/>a moment.</speak>', ssml=True)
    assert shown(steps) == ["Wait", 1.0, "a moment."]
    assert isinstance(steps[1], Pause)
