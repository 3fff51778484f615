"""What all Kokoro engines share: parts of long sentences, windows, silence, timings of words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.quality.texts import TEXTS, texts_for
from tests.speech import Delivered, Model, deliver
from wyoming_tts.backends.kokoro import (
    EDGE,
    FRAME,
    MARKS,
    MAX_TOKENS,
    RATE,
    RELEASE,
    SILENCE,
    SPACE,
    STOPS,
    Part,
    parts_of,
    speech_span,
    trim_head,
    trim_tail,
    windows,
    word_timings,
)
from wyoming_tts.backends.kokoro_pace import ONSET
from wyoming_tts.phonemes import VOCABULARY, Phonemes, Phonemizer, WordSpan
from wyoming_tts.types import Samples, WordTiming

LETTER, COMMA = VOCABULARY["a"], VOCABULARY[","]

Steps = list[tuple[Samples, int, bool]]


# Parts of a sentence


def phonemes_of(tokens: list[int]) -> Phonemes:
    """A sentence whose words are what stands between its spaces and marks."""
    words, start = [], 0
    for i in range(len(tokens) + 1):
        if i == len(tokens) or tokens[i] in MARKS:
            if i > start:
                words.append(WordSpan(f"w{start}", start, i, start, i))
            start = i + 1
    return Phonemes("", tuple(tokens), tuple(words))


@given(
    tokens=st.lists(st.sampled_from([LETTER] * 6 + [SPACE, COMMA]), max_size=120),
    limit=st.integers(2, 40),
)
def test_parts_lose_nothing(tokens: list[int], limit: int) -> None:
    """Parts are within the limit, together they are the sentence, and every word is in one of them."""
    phonemes = phonemes_of(tokens)
    parts = list(parts_of(phonemes, limit))
    assert [token for part in parts for token in part.tokens] == tokens
    assert all(0 < len(part.tokens) <= limit for part in parts)
    assert [word.word for part in parts for word in part.words] == [word.word for word in phonemes.words]
    for part in parts:
        for word in part.words:
            assert 0 <= word.token_start <= word.token_end <= len(part.tokens)


def test_parts_end_behind_a_mark() -> None:
    """A long sentence is cut behind a comma, else a space, where the second half of a part has one."""
    clause = [LETTER] * 7 + [COMMA] + [LETTER] * 2 + [SPACE] + [LETTER]
    assert [len(part.tokens) for part in parts_of(phonemes_of(clause * 2), 12)] == [8, 12, 4]
    words = ([LETTER] * 4 + [SPACE]) * 4
    assert [len(part.tokens) for part in parts_of(phonemes_of(words), 12)] == [10, 10]


def test_a_sentence_that_fits_is_one_part() -> None:
    """What the network takes at once is not cut."""
    tokens = ([LETTER] * 4 + [COMMA]) * (MAX_TOKENS // 5)
    assert [part.tokens for part in parts_of(phonemes_of(tokens))] == [tuple(tokens)]


def test_nothing_to_say_has_no_parts() -> None:
    """A sentence without tokens gives no work."""
    assert not list(parts_of(phonemes_of([])))


# What is heard of a sentence


def test_span_leaves_the_silence_out() -> None:
    """The span begins a little before the first phoneme and ends a little behind the last one."""
    tokens = (COMMA, LETTER, LETTER, COMMA)
    durations = np.array([14, 3, 5, 6, 9, 10])
    assert speech_span(tokens, durations) == (17 - ONSET, 28 + RELEASE)


def test_span_of_slow_speech_begins_earlier() -> None:
    """At half speed the first phoneme sounds inside the stretched silence before it."""
    durations = np.array([30, 5, 6, 10])
    assert speech_span((LETTER, LETTER), durations, 0.5) == (30 - ONSET - 15, 41 + RELEASE)


@given(
    tokens=st.lists(st.sampled_from([LETTER, SPACE, COMMA]), min_size=1, max_size=8),
    data=st.data(),
    speed=st.floats(0.5, 2.0),
)
def test_span_is_inside_the_sentence(tokens: list[int], data: st.DataObject, speed: float) -> None:
    """Whatever is said, even nothing but marks, the span is a part of the sentence and not empty."""
    sizes = st.lists(st.integers(1, 60), min_size=len(tokens) + 2, max_size=len(tokens) + 2)
    durations = np.array(data.draw(sizes))
    start, end = speech_span(tuple(tokens), durations, speed)
    assert 0 <= start < end <= durations.sum()


class Sentence:
    """A sentence that sounds in some of its frames; counts what was decoded."""

    def __init__(self, frames: int, first: int, last: int) -> None:
        self.samples = np.zeros(frames * FRAME, np.float32)
        self.samples[first * FRAME : last * FRAME] = 0.5
        self.decoded: list[tuple[int, int]] = []

    def decode(self, start: int, stop: int) -> Samples:
        self.decoded.append((start, stop))
        return self.samples[start * FRAME : stop * FRAME]

    def windows(self, span: tuple[int, int], sizes: list[int]) -> Steps:
        given = iter(sizes)
        return list(windows(self.decode, span, len(self.samples) // FRAME, lambda _: next(given)))


frames = st.integers(1, 90)


@given(total=frames, edges=st.tuples(frames, frames), span=st.tuples(frames, frames), size=st.integers(1, 40))
def test_windows_have_no_gaps(total: int, edges: tuple[int, int], span: tuple[int, int], size: int) -> None:
    """Windows are one stretch without gap or overlap that holds the span, and the last one says so."""
    first, last = sorted(min(edge, total) for edge in edges)
    start, end = sorted(min(edge, total) for edge in span)
    sentence = Sentence(total, first, last)
    steps = sentence.windows((start, end), [size] * 200)
    if start == end:
        assert not steps
        return
    assert [is_last for *_, is_last in steps] == [False] * (len(steps) - 1) + [True]
    joined = np.concatenate([samples for samples, *_ in steps])
    stop = steps[-1][1]
    assert stop >= end
    assert len(joined) >= (stop - start) * FRAME
    np.testing.assert_array_equal(joined, sentence.samples[stop * FRAME - len(joined) : stop * FRAME])
    assert sum(stop - start for start, stop in sentence.decoded) * FRAME == len(joined)


def test_windows_follow_the_asked_sizes() -> None:
    """Each window is as large as is asked for, but a small rest goes with the one before it."""
    sentence = Sentence(100, 12, 60)
    sentence.windows((10, 64), [10, 20, 20, 20])
    assert sentence.decoded == [(10, 20), (20, 40), (40, 64)]


def test_windows_go_on_while_it_sounds() -> None:
    """A sentence that still sounds where the span ends is decoded until it does not, or until its end."""
    sentence = Sentence(100, 10, 60)
    steps = sentence.windows((10, 50), [30] * 9)
    assert steps[-1][1] == 50 + 3 * RELEASE
    sentence = Sentence(60, 10, 60)
    assert sentence.windows((10, 50), [30] * 9)[-1][1] == 60


def test_windows_begin_where_it_begins_to_sound() -> None:
    """A sentence that sounds already where the span begins is decoded from before its first sound."""
    sentence = Sentence(60, 12, 40)
    samples, stop, _ = sentence.windows((20, 44), [8] * 9)[0]
    assert stop == 28
    assert len(samples) == (28 - 20 + 2 * ONSET) * FRAME
    sentence = Sentence(60, 0, 40)
    assert len(sentence.windows((7, 44), [8] * 9)[0][0]) == (8 + 7) * FRAME


quiet = st.integers(0, 600)


@given(before=quiet, sound=st.integers(0, 900), behind=quiet)
def test_trimming_keeps_all_that_sounds(before: int, sound: int, behind: int) -> None:
    """Silence goes but for a hundredth of a second, sound stays, and what begins begins from nothing."""
    piece = np.concatenate([np.zeros(before), np.full(sound, 0.5), np.zeros(behind)]).astype(np.float32)
    head, tail = trim_head(piece), trim_tail(piece)
    if not sound:
        assert len(head) == len(tail) == 0
        return
    assert len(head) == min(before, EDGE) + sound + behind
    assert len(tail) == before + sound + min(behind, EDGE)
    assert head[0] == tail[-1] == 0
    np.testing.assert_array_equal(head[EDGE:], piece[len(piece) - len(head) + EDGE :])
    np.testing.assert_array_equal(tail[:-EDGE], piece[: max(0, len(tail) - EDGE)])


def test_trimming_leaves_its_argument_alone() -> None:
    """The piece that is trimmed may be a view of what others still need."""
    piece = np.full(1000, 0.5, np.float32)
    trim_head(piece)
    trim_tail(piece)
    assert (piece == 0.5).all()


# Words


def test_words_are_timed_by_their_tokens() -> None:
    """A word lasts from its first sound's frame to behind its last one's, the padding counted."""
    words = (WordSpan("ab,", 0, 3, 0, 3), WordSpan("c", 4, 5, 4, 5))
    part = Part((LETTER, LETTER, COMMA, SPACE, LETTER), words)
    first, second = word_timings(part, np.array([4, 2, 3, 7, 1, 5, 9]), offset=-0.05)
    assert (first.start, first.end) == pytest.approx((4 * 0.025 - 0.05, 9 * 0.025 - 0.05))
    assert (second.start, second.end) == pytest.approx((17 * 0.025 - 0.05, 22 * 0.025 - 0.05))
    assert (second.char_start, second.char_end) == (4, 5)


TEXT = "Well, the kitchen is ready. Shall we start -- or wait for Anna, who is late?"


def speak(model: Model, text: str, name: str = "af_heart", speed: float = 1.0) -> Delivered:
    return deliver(model, model.voice(name), text, speed=speed)


def assert_timed(words: tuple[WordTiming, ...], text: str, seconds: float) -> None:
    """Words are in order, begin inside the audio, and are where they say they are in the text."""
    for word in words:
        assert word.word == text[word.char_start : word.char_end]
        assert 0 <= word.start <= word.end
        assert word.start <= seconds
    for word, following in pairwise(words):
        assert word.start <= following.start
        assert word.end <= following.start + 1e-9
        assert word.char_end <= following.char_start


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_words_are_in_order_and_inside_the_audio(model: Model, speed: float) -> None:
    """Every word of the text is timed, the first one at once, none outside the audio, none over another."""
    spoken = speak(model, TEXT, speed=speed)
    assert_timed(spoken.words, TEXT, len(spoken.samples) / RATE)
    assert [word.word.strip(".,?") for word in spoken.words if word.word != "--"] == [
        word.strip(".,?") for word in TEXT.split() if word != "--"
    ]
    assert spoken.words[0].start == 0
    assert spoken.words[-1].end > 0.9 * len(spoken.samples) / RATE - 0.2


@pytest.mark.parametrize("name", ["zm_yunxi", "jf_alpha", "af_heart"])
def test_last_word_ends_with_the_audio(model: Model, name: str) -> None:
    """A last word that begins in the last chunk ends inside the audio, whatever its phonemes were to last."""
    voice = model.voice(name)
    spoken = deliver(model, voice, texts_for(voice, 10)[2], (10, 400))
    assert spoken.words[-1] in spoken.chunks[-1].words
    assert spoken.words[-1].end <= len(spoken.samples) / RATE


def test_words_without_a_sound_are_not_forgotten(model: Model) -> None:
    """What stands behind the last sound comes with the last chunk."""
    text = "The door is open ..."
    assert [word.word for word in speak(model, text).words] == text.split()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ff_siwis", "Bonjour, la fenêtre est ouverte."),
        ("hf_beta", "घर में अभी कोई नहीं है।"),
        ("jf_alpha", "台所の電気をつけました。"),
        ("zm_yunxi", "我打开了厨房的灯。"),
    ],
)
def test_words_of_other_languages_are_timed(model: Model, name: str, text: str) -> None:
    """The same holds for languages with other letters, and for those without spaces."""
    spoken = speak(model, text, name)
    assert_timed(spoken.words, text, len(spoken.samples) / RATE)
    assert len(spoken.words) >= 4


def test_chunks_bring_the_words_that_begin_in_them(model: Model) -> None:
    """A chunk comes with the words whose time is before its end and not before its beginning."""
    begin = 0.0
    for chunk in speak(model, TEXT).chunks:
        end = begin + chunk.seconds
        assert all(begin <= word.start < end for word in chunk.words)
        begin = end


def test_timings_agree_with_the_pause(model: Model) -> None:
    """Two words with a pause between them have silence between their times, and sound inside them."""
    spoken = speak(model, "Look at the garden. Tomorrow it will rain.", "bm_george")
    words = {word.word.strip("."): word for word in spoken.words}
    pause = slice(round(words["garden"].end * RATE), round(words["Tomorrow"].start * RATE))
    level = np.sqrt(np.convolve(np.square(spoken.samples), np.full(FRAME, 1 / FRAME), "same"))
    assert (pause.stop - pause.start) / RATE > 0.1
    assert level[pause].min() < 10 * SILENCE
    for word in words.values():
        assert level[round(word.start * RATE) : round(word.end * RATE)].max() > 5 * level[pause].min()


def test_a_sentence_beyond_the_network_loses_no_word(model: Model) -> None:
    """More tokens than the network has positions are spoken in parts, with all words and times that go on."""
    text = " ".join(word.rstrip(".!?,") for word in " ".join(TEXTS["en"][6:18]).split())
    tokens = Phonemizer().phonemize(text, "en-US").tokens
    assert MAX_TOKENS < len(tokens) < 2 * MAX_TOKENS
    assert STOPS.isdisjoint(tokens)
    spoken = speak(model, text)
    assert [word.word for word in spoken.words] == text.split()
    assert_timed(spoken.words, text, len(spoken.samples) / RATE)
    assert len(spoken.samples) / RATE > len(tokens) / 40


def test_marks_alone_are_no_speech(model: Model) -> None:
    """A text without a sound gives no word and hardly any audio, and does not fail."""
    assert not speak(model, "").chunks
    assert not speak(model, "... !").words
