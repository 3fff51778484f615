"""What a second of speech costs in CPU time."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from tests.benchmarks.contenders import (
    FLOAT,
    KOKORO,
    KOKORO_1,
    KOKORO_FLOAT,
    KOKORO_PI,
    OURS,
    PIPER,
    Contender,
    warm_up,
)
from tests.benchmarks.context import Context
from tests.benchmarks.measure import Spread
from tests.benchmarks.report import Result, Table, Target
from tests.benchmarks.texts import LENGTHS

ROUNDS = 4
ORDER = (OURS, FLOAT, KOKORO, KOKORO_1, KOKORO_FLOAT, KOKORO_PI, PIPER)
LIMIT, FLOAT_LIMIT = 0.45, 0.65
"""Most of kokoro-onnx's CPU time with the same weights: integers with integers, floats with floats."""


def run(context: Context) -> Result:
    """Measure the CPU time of whole processes for the same sentences."""
    costs = asyncio.run(_measure(context))
    targets = tuple(
        Target(
            f"CPU seconds per second of speech, {who} ÷ {other}",
            _shares(costs, other, who)[0],
            limit,
            " x",
        )
        for who, other, limit in ((OURS, KOKORO, LIMIT), (FLOAT, KOKORO_FLOAT, FLOAT_LIMIT))
    )
    data = {who: [asdict(cost) for cost in series] for who, series in costs.items()}
    return Result("cpu", (_table(costs),), targets, data)


@dataclass(frozen=True, slots=True)
class Cost:
    """One sentence's CPU time, and the audio it bought."""

    length: str
    """Which length of sentence."""

    cpu: float
    """CPU seconds."""

    delivered: float
    """Seconds of audio that the listener got."""

    untrimmed: float
    """Seconds of the network's whole output for the sentence, as kokoro-onnx makes it."""


Costs = Mapping[str, Sequence[Cost]]
"""By contender; the same place in every series is the same sentence in the same round."""


async def _measure(context: Context) -> Costs:
    async with (
        context.this_server() as ours,
        context.this_server("--cache-memory", "0", "--precision", "float") as floats,
        context.wyoming_piper() as piper,
        context.kokoro_pi() as pi,
        context.kokoro_onnx() as kokoro,
        context.kokoro_onnx(KOKORO_1) as single,
        context.kokoro_onnx(KOKORO_FLOAT) as kokoro_floats,
    ):
        everyone: list[Contender] = [ours, floats, piper, *pi, kokoro, single, kokoro_floats]
        context.note("cpu: warming up")
        await warm_up(everyone, [texts[-1] for texts in LENGTHS.values()])
        costs = defaultdict(list)
        for number in range(context.rounds(ROUNDS)):
            context.note(f"cpu: round {number + 1}")
            for length, texts in LENGTHS.items():
                text = texts[number % len(texts)]
                untrimmed = await kokoro.untrimmed_seconds(text)
                for contender in context.order(everyone, number):
                    speech = await contender.say(text)
                    costs[contender.name].append(Cost(length, speech.cpu, speech.seconds, untrimmed))
    return costs


def _shares(costs: Costs, other: str, who: str = OURS) -> tuple[float, float]:
    """One's over another's: per second of delivered audio, and for the same sentences."""
    (ours, _, ours_seconds), (theirs, _, theirs_seconds) = _totals(costs[who]), _totals(costs[other])
    return (ours / ours_seconds) / (theirs / theirs_seconds), ours / theirs


def _totals(series: Sequence[Cost]) -> tuple[float, float, float]:
    """CPU seconds, untrimmed seconds and delivered seconds of all sentences together."""
    cpu, untrimmed, delivered = (
        sum(getattr(cost, name) for cost in series) for name in ("cpu", "untrimmed", "delivered")
    )
    return cpu, untrimmed, delivered


def _table(costs: Costs) -> Table:
    header = (
        "contender",
        "CPU s per s delivered",
        "over all",
        "CPU s per s untrimmed",
        "delivered, s",
        "untrimmed, s",
        "runs",
    )
    rows = tuple(_row(who, costs[who]) for who in ORDER if who in costs)
    single = " and ".join(f"{share:.2f}" for share in _shares(costs, KOKORO_1))
    note = (
        "First column: median (p10–p90) over sentences of 40, 100 and 400 characters; the others: all "
        "sentences together. User and system time of the whole process, until shortly after the last "
        "audio. Delivered: what a listener gets, which for this server and for kokoro-onnx is without the "
        "silence that the network makes around a sentence (and with this server's own pauses). Untrimmed: "
        "the network's whole output for the same sentences, silence included, as kokoro-onnx makes it: the "
        "same seconds for both, so that trimming cannot flatter anybody (wyoming-piper, another network, "
        "is given its own seconds there). kokoro-onnx runs with its default session, whose threads spin "
        "while they wait for each other, and with one thread, which cannot spin: against the latter the "
        f"two ratios are {single}. It also runs with the same weights as floats: this "
        "server's floats are held against those. Against its usual weights, integers, they are "
        f"{_shares(costs, KOKORO, FLOAT)[0]:.2f}."
    )
    return Table("CPU time for speech", header, rows, note)


def _row(who: str, series: Sequence[Cost]) -> tuple[str, ...]:
    spread = Spread.of([cost.cpu / cost.delivered for cost in series])
    cpu, untrimmed, delivered = _totals(series)
    if who == PIPER:
        untrimmed = delivered
    cells = (cpu / delivered, cpu / untrimmed)
    lengths = (f"{delivered:.1f}", f"{untrimmed:.1f}")
    return (who, spread.text(3), *(f"{cell:.3f}" for cell in cells), *lengths, str(len(series)))
