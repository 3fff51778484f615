"""Texts of many kinds are divided where a reader would pause, whatever pieces they arrive in."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from tests.work import calls_of
from wyoming_tts.text.split import Segment, Splitter

_ESCAPE = re.compile(r"\\(?:n|u([0-9a-f]{4}))")


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else "\n", text)


def _cases() -> list[tuple[str, ...]]:
    lines = (Path(__file__).parent / "cases" / "split.tsv").read_text(encoding="utf-8").splitlines()
    return [tuple(map(_unescaped, line.split("\t"))) for line in lines if "\t" in line]


CASES = _cases()


def _split(pieces: list[str]) -> list[Segment]:
    splitter = Splitter(first_clause=False)
    return [segment for piece in pieces for segment in splitter.feed(piece)] + splitter.finish()


def _pieces(text: str, dice: random.Random) -> list[str]:
    """The text in pieces of 1 to 12 characters."""
    pieces = []
    while text:
        size = dice.randint(1, 12)
        pieces.append(text[:size])
        text = text[size:]
    return pieces


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_each_text_is_divided_as_the_table_says(text: str, expected: str) -> None:
    """The segments are those of the table, and the same in one piece, by character and in random pieces."""
    whole = _split([text])
    assert " | ".join(segment.text for segment in whole) == expected
    assert _split(list(text)) == whole
    for seed in range(10):
        assert _split(_pieces(text, random.Random(seed))) == whole, seed


def test_all_cases_in_one_text() -> None:
    """One text after the other, parted by blank lines, is divided as each alone."""
    texts = [text for text, _ in CASES]
    together = [segment.text for segment in _split(["\n\n".join(texts)])]
    assert together == [segment.text for text in texts for segment in _split([text])]


def test_there_are_plenty_of_cases() -> None:
    """The table has at least seventy texts."""
    assert len(CASES) >= 70


_ADVERSARIES = [
    *("1", " ", ".", ". ", "a-", "x", "漢", "*", " **a", "_a ", "`", "`a", "[", "[a](", "<", "<a ", "<!--"),
    *("Dr. ", "1. ", "21.", "://a", '."', "« a. ", "a, ", "—", "\n", "\n\n", "\n| a. ", "Yes. ", "e\u0301"),
    *("```\n", "~~~\n", "```a", "&a;", "¿", "…", "! ", "A.", "…と"),
]


@pytest.mark.parametrize("queued", [False, True])
@pytest.mark.parametrize("unit", _ADVERSARIES)
def test_work_grows_with_the_text_only(unit: str, queued: bool) -> None:
    """Twice as much of any nonsense, in small pieces, takes about twice the work."""

    def divide(size: int) -> None:
        text = (unit * size)[:size]
        splitter = Splitter()
        splitter.queued = queued
        for at in range(0, size, 7):
            splitter.feed(text[at : at + 7])
        splitter.finish()

    assert calls_of(lambda: divide(8000)) <= 2.5 * calls_of(lambda: divide(4000)) + 500


@pytest.mark.parametrize("unit", ["The light is on. ", "x", "```\na\n"])
def test_a_megabyte_is_divided(unit: str) -> None:
    """A very long text is divided to its end, and nothing of it is held back for long."""
    splitter = Splitter()
    text = unit * (1_000_000 // len(unit)) + "\n\nThe end is here."
    found = splitter.feed(text) + splitter.finish()
    assert found[-1].end == len(text)
