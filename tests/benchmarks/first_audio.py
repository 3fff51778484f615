"""How long a listener waits for the first byte of audio, by the length of the sentence."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from tests.benchmarks.contenders import KOKORO, KOKORO_PI, OURS, PIPER, Contender, warm_up
from tests.benchmarks.context import Context
from tests.benchmarks.measure import Speech, Spread, ratios
from tests.benchmarks.plot import plot_first_audio
from tests.benchmarks.report import Result, Table, Target
from tests.benchmarks.texts import LENGTHS

ROUNDS = 7
WHOLE_LIMIT = 0.10
"""Most of kokoro-onnx's time for the whole sentence of 100 characters that the first audio may take."""

LENGTH_LIMIT = 1.6
"""How much later than a sentence of 40 characters one of 400 may start."""

Speeches = Mapping[tuple[str, str], Sequence[Speech]]
"""By contender and length; the same place in every series is the same round."""


def run(context: Context) -> Result:
    """Measure, and draw `first_audio.png`."""
    speeches = asyncio.run(_measure(context))
    waits = {key: [speech.first_audio for speech in series] for key, series in speeches.items()}
    plot_first_audio(waits, _names(waits), context.out / "first_audio.png")
    data = {f"{who}, {length}": [_plain(one) for one in series] for (who, length), series in speeches.items()}
    return Result("first-audio", (_table(speeches),), _targets(waits), data)


async def _measure(context: Context) -> Speeches:
    async with (
        context.this_server() as ours,
        context.wyoming_piper() as piper,
        context.kokoro_pi() as pi,
        context.kokoro_onnx() as kokoro,
    ):
        everyone: list[Contender] = [ours, piper, *pi, kokoro]
        context.note("first-audio: warming up")
        await warm_up(everyone, [texts[-1] for texts in LENGTHS.values()])
        speeches = defaultdict(list)
        for number in range(context.rounds(ROUNDS)):
            context.note(f"first-audio: round {number + 1}")
            for length, texts in LENGTHS.items():
                for contender in context.order(everyone, number):
                    speech = await contender.say(texts[number % len(texts)])
                    speeches[contender.name, length].append(speech)
    return speeches


def _names(by_name: Mapping[tuple[str, str], object]) -> Sequence[str]:
    """Those who were measured, in the order of tables."""
    measured = {who for who, _ in by_name}
    return [who for who in (OURS, PIPER, KOKORO_PI, KOKORO) if who in measured]


def _table(speeches: Speeches) -> Table:
    header = (
        "characters",
        "contender",
        "first audio, s",
        "first sound, s",
        "whole answer, s",
        "runs",
        "÷ kokoro-onnx",
    )
    rows = tuple(
        _row(length, who, speeches[who, length], speeches[KOKORO, length])
        for length in LENGTHS
        for who in _names(speeches)
    )
    note = (
        "Median (p10–p90), warm, one listener. First audio: from writing `synthesize` to the first byte of "
        "audio. First sound: until a listener hears something, silence at the beginning included. "
        "kokoro-onnx runs without a network and answers with the whole sentence. ÷ kokoro-onnx: first "
        "audio over kokoro-onnx's for the same sentence in the same round."
    )
    return Table("Time to the first audio", header, rows, note)


def _row(length: str, who: str, series: Sequence[Speech], whole: Sequence[Speech]) -> tuple[str, ...]:
    waits = [speech.first_audio for speech in series]
    share = ratios(waits, [speech.first_audio for speech in whole])
    sounds = Spread.of([speech.first_sound for speech in series])
    ends = Spread.of([speech.finished for speech in series])
    return (length, who, Spread.of(waits).text(), sounds.text(), ends.text(), str(len(waits)), share.text(3))


def _targets(waits: Mapping[tuple[str, str], Sequence[float]]) -> tuple[Target, ...]:
    share = ratios(waits[OURS, "100"], waits[KOKORO, "100"])
    targets = [_target("first audio of 100 characters ÷ kokoro-onnx whole", share, WHOLE_LIMIT)]
    for length in LENGTHS:
        if length.startswith("400"):
            later = ratios(waits[OURS, length], waits[OURS, "40"])
            targets.append(_target(f"first audio of {length} ÷ of 40", later, LENGTH_LIMIT))
    return tuple(targets)


def _target(text: str, spread: Spread, limit: float) -> Target:
    detail = f"p10–p90 {spread.p10:.3f}–{spread.p90:.3f}, {spread.count} pairs"
    return Target(text, spread.median, limit, " x", detail)


def _plain(speech: Speech) -> dict[str, float]:
    plain = asdict(speech)
    del plain["arrivals"]
    names = ("first_audio", "first_sound", "seconds", "longest_gap")
    return plain | {name: getattr(speech, name) for name in names}
