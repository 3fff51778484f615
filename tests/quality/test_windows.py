"""A sentence is the same in whatever windows it is decoded."""

from __future__ import annotations

from itertools import chain, pairwise, repeat

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.quality.texts import TEXTS, texts_for
from tests.speech import Model, Sentence, deliver, loudest, place_of
from wyoming_tts.backends.kokoro import EDGE, FRAME, Decoder
from wyoming_tts.types import Samples, Voice

SAME = 1e-4
"""What two decodings may differ by, on a scale on which 1 is the loudest there can be."""

VOICES = (
    *("af_heart", "am_onyx", "bf_emma", "em_alex", "ff_siwis"),
    *("hf_alpha", "im_nicola", "pf_dora", "jm_kumo", "zf_xiaobei"),
)
"""One of each language, and of American and British English both."""


def in_windows(decoder: Decoder, *sizes: int) -> Samples:
    """The whole sentence in windows of these sizes, the last of which goes on."""
    frames, start = decoder.prosody.frames, 0
    pieces: list[Samples] = []
    for size in chain(sizes, repeat(sizes[-1])):
        if start >= frames:
            return np.concatenate(pieces)
        pieces.append(decoder.decode(start, min(frames, start + size)))
        start += size
    raise AssertionError("the sizes go on for ever")


def test_every_language_is_covered() -> None:
    """The sentences and the voices of these tests cover every language there is."""
    assert {name[0] for name in VOICES} == set("abefhipjz")
    assert len(TEXTS) == 8


@pytest.mark.parametrize(("index", "sizes"), [(0, (10,)), (5, (7, 11, 33, 80))], ids=["short", "long"])
@pytest.mark.parametrize("name", VOICES)
def test_windows_make_no_difference(
    float_model: Model, name: str, index: int, sizes: tuple[int, ...]
) -> None:
    """In small windows and in growing ones a sentence has the samples it has in one, 600 a frame."""
    voice = float_model.voice(name)
    sentence = float_model.read(voice, texts_for(voice, 10)[index])
    decoder = sentence.decoder()
    whole = decoder.decode(0, sentence.frames)
    streamed = in_windows(decoder, *sizes)
    assert len(whole) == len(streamed) == FRAME * sentence.frames == FRAME * sum(sentence.prosody.durations)
    assert loudest(streamed - whole) < SAME


@pytest.fixture(scope="module")
def spoken(float_model: Model) -> tuple[Sentence, Samples]:
    sentence = float_model.read(float_model.voice("bf_lily"), "Is it open?")
    return sentence, sentence.whole()


@given(cuts=st.sets(st.integers(1, 40), max_size=6))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_windows_make_no_difference(spoken: tuple[Sentence, Samples], cuts: set[int]) -> None:
    """Wherever a sentence is cut into windows, even of one frame, its samples are the same."""
    sentence, whole = spoken
    decoder, frames = sentence.decoder(), sentence.frames
    edges = [0, *(cut for cut in sorted(cuts) if cut < frames), frames]
    pieces = [decoder.decode(start, end) for start, end in pairwise(edges)]
    assert loudest(np.concatenate(pieces) - whole) < SAME


def test_less_context_would_be_heard(
    spoken: tuple[Sentence, Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a frame of context instead of what the generator looks at, windows differ."""
    sentence, whole = spoken
    monkeypatch.setattr(sentence.model.engine, "context", 1)
    assert loudest(in_windows(sentence.decoder(), 10) - whole) > 100 * SAME


@pytest.mark.parametrize("name", ["af_heart", "jf_alpha"])
def test_what_is_delivered_is_the_sentence(float_model: Model, name: str) -> None:
    """What a listener gets is, its faded ends apart, a stretch of the sentence in one window."""
    voice = float_model.voice(name)
    sentence = float_model.read(voice, texts_for(voice, 10)[3])
    whole, streamed = sentence.whole(), sentence.deliver().samples
    start = place_of(streamed, whole)
    stretch = whole[start : start + len(streamed)]
    assert loudest((streamed - stretch)[EDGE:-EDGE]) < SAME
    assert len(streamed) > 0.4 * len(whole)


def hidden_ratio(streamed: Samples, whole: Samples) -> float:
    """How many decibels the difference is below the speech."""
    difference = max(float(np.square(streamed - whole).sum()), 1e-12)  # there may be none at all
    return float(10 * np.log10(np.square(whole).sum() / difference))


@pytest.mark.parametrize("name", VOICES[::3])
def test_integers_make_little_difference(model: Model, name: str) -> None:
    """Computing as the server does on this machine, windows differ by a rounding here and there."""
    voice = model.voice(name)
    sentence = model.read(voice, texts_for(voice, 10)[4])
    decoder = sentence.decoder()
    whole = decoder.decode(0, sentence.frames)
    streamed = in_windows(decoder, 10, 14, 28, 56)
    assert len(streamed) == len(whole)
    assert hidden_ratio(streamed, whole) > 40


def test_a_listener_that_is_far_ahead_gets_the_same(float_model: Model) -> None:
    """The sizes of windows, which depend on the listener's lead, change nothing in what is heard."""
    voice: Voice = float_model.voice("am_eric")
    text = texts_for(voice, 10)[2]
    one, many = (deliver(float_model, voice, text, sizes).samples for sizes in ((400,), (10,)))
    assert len(one) == len(many)
    assert loudest(one - many) < SAME
