"""What the benchmarks make of what they see."""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks.measure import Arrival, Speech, Spread, ratios, silence_before
from tests.benchmarks.report import Target
from tests.benchmarks.streamed import pieces
from tests.benchmarks.texts import LENGTHS


def _speech(*arrivals: tuple[float, float], silence: float = 0.0) -> Speech:
    return Speech(tuple(Arrival(*arrival) for arrival in arrivals), finished=9.0, silence=silence)


def test_audio_in_time_leaves_no_gap():
    """A listener in real time hears no gap when every piece arrives before the one ahead has been played."""
    assert _speech((0.5, 1.0), (0.6, 1.0), (2.4, 1.0)).longest_gap == 0.0


def test_late_audio_is_a_gap():
    """The longest gap is the longest time between the end of a piece and the late arrival of the next."""
    assert _speech((0.5, 1.0), (1.75, 1.0), (2.75, 1.0)).longest_gap == pytest.approx(0.25)


def test_every_gap_is_an_underrun() -> None:
    """Each moment without audio counts, and so does its length; waiting for the first audio does not."""
    speech = _speech((0.5, 1.0), (1.75, 1.0), (2.75, 1.0), (4.0, 1.0))
    assert speech.underruns == 2
    assert speech.silent_seconds == pytest.approx(0.25 + 0.25)
    assert _speech((9.0, 1.0), (9.5, 1.0)).underruns == 0


def test_what_was_waited_for_is_not_waited_for_again():
    """After a gap the listener goes on from the late piece, so one delay is not counted twice."""
    assert _speech((0.0, 1.0), (2.0, 1.0), (2.5, 1.0)).starts() == [0.0, 2.0, 3.0]


def test_sound_comes_after_silence_and_gaps():
    """The first sound is heard when the listener has played the silence before it, gaps included."""
    assert _speech((0.5, 0.2), (1.0, 1.0), silence=0.3).first_sound == pytest.approx(1.1)


def test_silence_before_the_first_audible_sample():
    """Samples below 40 dB under full scale are silence."""
    samples = np.concatenate([np.full(120, 0.009), np.full(10, -0.5)]).astype(np.float32)
    assert silence_before(samples, 24_000) == pytest.approx(0.005)
    assert silence_before(samples[:120], 24_000) == pytest.approx(0.005)


def test_ratios_are_taken_pair_by_pair():
    """The ratio of two series is the median of the ratios of the pairs."""
    assert ratios([1.0, 20.0, 3.0], [2.0, 10.0, 3.0]) == Spread.of([0.5, 2.0, 1.0])


@pytest.mark.parametrize(("value", "met"), [(0.15, True), (0.151, False)])
def test_a_target_is_met_up_to_its_limit(value: float, met: bool):
    """A value at the limit is good enough and one above is not."""
    assert Target("something", value, 0.15).met is met


@pytest.mark.parametrize("length", LENGTHS)
def test_sentences_are_as_long_as_they_say(length: str):
    """Every sentence is one sentence, within a twentieth or two characters of its length."""
    wanted = int(length.split(",")[0])
    for text in LENGTHS[length]:
        assert abs(len(text) - wanted) <= max(2, wanted / 20)
        assert text.count(".") == 1
        assert text.endswith(".")
        assert "no comma" not in length or "," not in text


def test_text_comes_as_home_assistant_sends_it() -> None:
    """First what is more than 60 characters at once, then token by token, each when it is written."""
    text = "x" * 150
    sent = list(pieces(text, 40))
    assert "".join(piece for _, piece in sent) == text
    assert [len(piece) for _, piece in sent[:3]] == [64, 4, 4]
    assert sent[0][0] == pytest.approx(64 / 40)
    assert sent[-1][0] == pytest.approx(150 / 40)
    assert list(pieces("Short.", 40)) == [(6 / 40, "Short.")]
