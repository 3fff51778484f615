"""Parts of speech, from weights that are shipped with the program."""

from __future__ import annotations

import pickle
from pathlib import Path
from runpy import run_path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.g2p.tagger import Tagger, tagger


def test_tags_a_sentence() -> None:
    """Ordinary sentences get the tags of the Penn Treebank."""
    words = ["The", "old", "heater", "uses", "two", "kilowatts", "and", "it", "does", "n't", "stop", "."]
    assert tagger().tag(words) == ["DT", "JJ", "NN", "VBZ", "CD", "NNS", "CC", "PRP", "VBZ", "RB", "VB", "."]


def test_context_decides() -> None:
    """The same word is a noun after an article and a verb after "to"."""
    assert tagger().tag(["the", "record"])[1] == "NN"
    assert tagger().tag(["to", "record"])[1] == "VB"


def test_loaded_once() -> None:
    """All readers share one tagger, which is what a new one would be."""
    assert tagger() is tagger()
    words = ["Please", "read", "the", "news", "to", "me", "."]
    assert Tagger().tag(words) == tagger().tag(words)


@given(words=st.lists(st.text(min_size=1), max_size=12))
def test_any_words(words: list[str]) -> None:
    """Whatever the words, each gets a tag, and always the same."""
    tags = tagger().tag(words)
    assert len(tags) == len(words)
    assert all(tags)
    assert tagger().tag(words) == tags


def test_import_calls_nothing(tmp_path: Path) -> None:
    """The script that converts the weights refuses a pickle that wants anything built but a set."""
    script = run_path(str(Path(__file__).parent.parent / "script" / "import-tagger"))
    evil = tmp_path / "evil.pickle"
    evil.write_bytes(pickle.dumps(print))
    with pytest.raises(pickle.UnpicklingError, match="print"):
        script["read"](evil)
    fine = tmp_path / "fine.pickle"
    fine.write_bytes(pickle.dumps(({"bias": {"NN": 1.0}}, {"cat": "NN"}, {"NN"}), protocol=2))
    assert script["read"](fine) == ({"bias": {"NN": 1.0}}, {"cat": "NN"}, {"NN"})
