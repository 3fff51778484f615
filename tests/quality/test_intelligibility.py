"""Streamed speech is understood."""

from __future__ import annotations

import numpy as np
import pytest

from tests.quality.intelligibility import Listener, compare, errors_between, rates, words_of
from tests.speech import Model

ONE_WORD = 2.0
"""Per cent of all words in these sentences: chance may decide one."""

SENTENCES = (
    "The front door has been unlocked for a quarter of an hour.",
    "Tomorrow will be mostly cloudy with some light rain.",
    "Please remember to water the plants in the kitchen.",
    "The washing machine has finished its cycle.",
    "I have turned off the lights in the living room.",
    "Your taxi is waiting in front of the house.",
)


@pytest.mark.parametrize(
    ("said", "heard", "errors"),
    [("a b c", "a b c", 0), ("a b c", "a c", 1), ("a b", "a x b", 1), ("a b", "c d", 2), ("", "a", 1)],
)
def test_errors_are_the_fewest_changes_of_words(said: str, heard: str, errors: int) -> None:
    """Words missing, added and exchanged are counted."""
    assert errors_between(words_of(said), words_of(heard)) == errors


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_streamed_speech_is_understood_as_well_as_whole_sentences(model: Model) -> None:
    """Few words are misheard, no more than in what the network decodes whole; and noise is not understood."""
    listener = Listener()
    scores = compare(model, listener, "af_heart", SENTENCES)
    streamed, whole = rates(scores)
    assert streamed <= 10
    assert streamed <= whole + ONE_WORD
    noise = np.random.default_rng(0).normal(0, 0.05, 48_000).astype(np.float32)
    assert listener.errors(SENTENCES[0], noise) > len(words_of(SENTENCES[0])) / 2
