"""What the way from text to phonemes costs: CPU time, memory, start-up."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.context import Context
from tests.benchmarks.measure import Spread
from tests.benchmarks.report import Result, Table, Target
from wyoming_tts.phonemes import Phonemizer
from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.aloud import read_aloud
from wyoming_tts.text.split import Splitter
from wyoming_tts.types import Voice

CASES = Path(__file__).parent.parent / "cases"
LANGUAGES = ("en-US", "es", "fr-FR", "it", "pt-BR", "hi", "ja", "zh-CN")
MOST_MS, MOST_START, MOST_MEGABYTES = 2.0, 1.0, 150.0
"""Most CPU of an English sentence, in milliseconds; of the start, in seconds; most memory it may add."""

START = """
import json, psutil, time
import numpy
def now(): return time.process_time(), psutil.Process().memory_info().rss / 2**20
began, before = now()
from wyoming_tts.phonemes import Phonemizer
from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.aloud import read_aloud
from wyoming_tts.types import Voice
voice = Voice(name="x", language="en-US", backend="x", description="")
text = read_aloud(AlignedText.of("It is 21.5 °C; ask Zyxwv at 7:05."), voice).normalised.text
Phonemizer().phonemize(text, "en-US")
ended, after = now()
print(json.dumps([ended - began, after - before]))
"""


def run(context: Context) -> Result:
    """Measure sentences of every language, the start of a process, and a megabyte of text."""
    context.note("text: sentences")
    costs = {language: _costs(language, context.rounds(5)) for language in LANGUAGES}
    context.note("text: start")
    starts = [_start() for _ in range(context.rounds(5))]
    seconds, megabytes = (Spread.of(list(column)) for column in zip(*starts, strict=True))
    context.note("text: a megabyte")
    growth = {name: _growth(unit) for name, unit in UNITS.items()}
    rows = tuple(
        (language, str(len(_texts(language))), Spread.of(series).text(2))
        for language, series in costs.items()
    )
    tables = (
        Table(
            "Text to phonemes",
            ("language", "sentences", "CPU ms a sentence"),
            rows,
            "Median (p10–p90) of cleaning, normalising and phonemes, warm; all have something to normalise.",
        ),
        Table(
            "Start",
            ("", ""),
            (("CPU s to the first English sentence", seconds.text(2)), ("MB more", megabytes.text(0))),
        ),
        Table(
            "A megabyte",
            ("text", "CPU s for 0.5 MB", "CPU s for 1 MB"),
            tuple((name, f"{half:.2f}", f"{whole:.2f}") for name, (half, whole) in growth.items()),
            "Splitting, cleaning and normalising as English.",
        ),
    )
    english = Spread.of(costs["en-US"])
    targets = (
        Target("CPU of an English sentence, p90", english.p90, MOST_MS, " ms"),
        Target("CPU of the start", seconds.median, MOST_START, " s"),
        Target("memory of the text side", megabytes.median, MOST_MEGABYTES, " MB"),
        Target(
            "growth from 0.5 MB to 1 MB, worst",
            max(whole / half for half, whole in growth.values()),
            3.0,
            " x",
        ),
    )
    return Result("text", tables, targets, {"costs": costs, "starts": starts, "growth": growth})


UNITS = {
    "prose": "The kitchen is 21.5 °C at 7:05 PM, and the door is open. ",
    "no stop": "word ",
    "digits": "1",
    "stops": ".",
    "asterisks": "**a ",
    "Chinese": "今天天气很好。",
}


def _texts(language: str) -> list[str]:
    name = language.split("-")[0]
    path = CASES / ("normalise_en_given.tsv" if name == "en" else f"normalise_{name}.tsv")
    rows = [
        line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    ]
    return [row[0] if name == "en" else row[1] for row in rows if len(row) > 1]


def _voice(language: str) -> Voice:
    return Voice(name="someone", language=language, backend="none", description="")


def _costs(language: str, rounds: int) -> list[float]:
    """Milliseconds of CPU for each sentence, the least of some rounds."""
    phonemizer, voice, texts = Phonemizer(), _voice(language), _texts(language)

    def cost(text: str) -> float:
        began = time.process_time()
        aloud = read_aloud(AlignedText.of(text), voice)
        phonemizer.phonemize(aloud.normalised.text, language, aloud.pronunciations)
        return 1000 * (time.process_time() - began)

    series = [[cost(text) for text in texts] for _ in range(rounds + 1)][1:]
    return [min(column) for column in zip(*series, strict=True)]


def _start() -> tuple[float, float]:
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
    seconds, megabytes = json.loads(done.stdout)
    return seconds, megabytes


def _growth(unit: str) -> tuple[float, float]:
    return _megabyte(unit, 500_000), _megabyte(unit, 1_000_000)


def _megabyte(unit: str, size: int) -> float:
    text, voice, splitter = (unit * (size // len(unit.encode()) + 1)), _voice("en-US"), Splitter()
    began = time.process_time()
    for start in range(0, len(text), 4096):
        for segment in splitter.feed(text[start : start + 4096]):
            read_aloud(AlignedText.of(segment.text, segment.start), voice)
    for segment in splitter.finish():
        read_aloud(AlignedText.of(segment.text, segment.start), voice)
    return time.process_time() - began
