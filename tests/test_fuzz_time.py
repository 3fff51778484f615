"""No text and no name takes much longer than one of its length should, whatever is in it.

Times are the thread's own processor time, and bounds leave room for a busy machine.
"""

from __future__ import annotations

import logging
import random
import re
import time

import pytest

from tests.fuzz.regexes import PUMPS, Found, expressions, worst_of
from wyoming_tts.blends import parse_blend
from wyoming_tts.errors import UnknownVoiceError
from wyoming_tts.text.aloud import read_aloud
from wyoming_tts.text.sentences import Sentence, SentenceReader
from wyoming_tts.types import Voice
from wyoming_tts.voices import load_catalogue

MARKS = (
    *(
        "&",
        "&#",
        "`",
        "```\n",
        "~",
        "# ",
        "- ",
        "| ",
        "\n",
        "[a](",
        "](",
        "![",
        "<a ",
        "</",
        "<!--",
        '"',
        "'",
    ),
    *(
        "://",
        "http://a",
        "a@",
        "€",
        "1/",
        "½",
        "°",
        "XI ",
        "**a",
        "a*",
        "\u0301",
        "\u200b",
        "。",
        "、",
        "क",
        "é ",
    ),
    *("?!", "…", "Dr. ", "1st ", "C:\\", "a/b", "((", "1.1.", "1 000", "<s>", "<sub alias='x'>", "<break/>"),
)
FRAGMENTS = (
    *(
        "<speak>",
        "</speak>",
        "<p>",
        "</p>",
        "<s>",
        "</s>",
        "<break time='1s'/>",
        "<break",
        "<prosody rate='2'>",
    ),
    *(
        "</prosody>",
        "<sub alias='a'>",
        "</sub>",
        "<say-as interpret-as='",
        "characters'>",
        "date'>",
        "</say-as>",
    ),
    *(
        "<phoneme ph='a'>",
        "</phoneme>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<!DOCTYPE a [",
        "<!ENTITY a 'a'>",
        "]>",
    ),
    *(
        "&a;",
        "&amp;",
        "&#x41;",
        "&#99999999;",
        "<?xml ",
        "?>",
        "<",
        ">",
        '"',
        "'",
        "=",
        "/",
        "xmlns:a='b' ",
        "a:b",
    ),
    *("word ", "One. ", "\0", "\n", "x" * 300, "<a b='", "<" * 50, "&" * 50, "</a>" * 20, "<a>" * 20),
)
LANGUAGES = ("en-US", "en-GB", "es", "fr-FR", "hi", "it", "pt-BR", "ja", "zh-CN")


def test_an_expression_that_explodes_is_told() -> None:
    """What takes twice as long with each character, or the cube of their number, is found."""
    exponential = Found(re.compile(r"(?:a|a)+$"), "here")
    assert worst_of(exponential, random.Random(1), pumps=4, bound=0.05).seconds > 0.05
    cubic = Found(re.compile(r"\s*([+-]?)\s*([^\s()+\-][^()+\-]*?)\s*(?:\(\d+\))?\s*(?=[+-]|$)"), "here")
    assert worst_of(cubic, random.Random(1), pumps=4, bound=0.05).seconds > 0.05


def test_every_expression_is_bounded() -> None:
    """For the worst text that its parts make, none takes long for a sentence, or grows with its cube."""
    every = expressions()
    assert len(every) > 700
    slow = []
    for found in every:
        worst = worst_of(found, random.Random(1), pumps=4, bound=0.5)
        if worst.seconds > 0.25 or (worst.seconds > 0.02 and worst.power > 2.7):
            slow.append(worst)
    assert not slow


def spent_on(text: str, *, ssml: bool = False, voice: Voice | None = None) -> float:
    """Processor time that it takes to divide a text, and, for a voice, to read its sentences out."""
    began = time.thread_time()
    reader = SentenceReader(ssml=ssml)
    steps = [step for at in range(0, len(text), 997) for step in reader.feed(text[at : at + 997])]
    steps += reader.finish()
    if voice:
        for step in steps:
            if isinstance(step, Sentence):
                assert len(step.text.text) <= 300
                read_aloud(step.text, voice)
    return time.thread_time() - began


@pytest.mark.parametrize("ssml", [False, True])
def test_long_texts_take_as_long_as_they_are(ssml: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Four times the text takes about four times the time, whatever is repeated in it."""
    caplog.set_level(logging.ERROR)
    for pump in MARKS if ssml else (*PUMPS, *MARKS):
        long = pump * (8_000 // len(pump))
        if (whole := spent_on(long, ssml=ssml)) > 0.04:
            part = min(spent_on(long[:2000], ssml=ssml) for _ in range(3))
            if whole > 10 * part:  # perhaps the machine was busy
                whole = min(whole, spent_on(long, ssml=ssml), spent_on(long, ssml=ssml))
            assert whole < 10 * part, pump


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_takes_long(language: str, caplog: pytest.LogCaptureFixture) -> None:
    """In each language, a sentence that is one thing again and again is soon read out."""
    caplog.set_level(logging.ERROR)
    voice = load_catalogue(None).best_for_language(language)
    assert voice is not None
    spent_on("Warm 1.", voice=voice)
    for pump in (*PUMPS, *MARKS):
        assert spent_on(pump * (240 // len(pump)), voice=voice) < 0.5, pump


def test_any_ssml_is_read_in_time(caplog: pytest.LogCaptureFixture) -> None:
    """Fragments in any order raise nothing, and what is left of them is soon read out."""
    caplog.set_level(logging.ERROR)
    rng, voice = random.Random(1), load_catalogue(None).default
    spent_on("Warm 1.", voice=voice)
    for _ in range(150):
        text = "".join(rng.choices(FRAGMENTS, k=rng.choice((3, 20, 200))))
        assert spent_on(text, ssml=True, voice=voice) < 0.1 + len(text) / 5_000, text


@pytest.mark.parametrize(
    "name", ["a" + " " * 60_000 + "(", "+ - " * 20_000, "a(" * 30_000, " " * 60_000 + ")"]
)
def test_names_of_blends_take_no_time(name: str) -> None:
    """A name that is no blend is refused at once: spaces in it took the cube of their number."""
    began = time.thread_time()
    with pytest.raises(UnknownVoiceError):
        parse_blend(name)
    assert time.thread_time() - began < 0.5
