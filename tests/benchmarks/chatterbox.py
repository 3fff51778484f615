"""What Chatterbox takes: its models in their full size, whose weights are random where nothing is fetched."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.contenders import environment
from tests.benchmarks.context import Context
from tests.benchmarks.measure import Spread
from tests.benchmarks.report import Table

TOKENS = 125
"""What a sentence of 100 characters has: Kokoro speaks those of this benchmark in 5 s."""

SIZES = {"nano": (TOKENS, 3), "turbo": (TOKENS, 3), "english": (50, 2)}
"""Tokens and rounds; `english` takes too long for more, and `multilingual` computes as much as that."""

QUICK = {"nano": (TOKENS, 1)}
LONGEST = 1800.0
"""Seconds after which a process hangs."""

STAGES = ("tokens", "flow", "vocoder")


class NotRunError(Exception):
    """It cannot be measured here; the message says why."""


@dataclass(frozen=True, slots=True)
class Chatterbox:
    """Rows and tables of all of its models."""

    rows: tuple[tuple[str, ...], ...]
    """For the table of every backend."""

    tables: tuple[Table, ...]
    """What else is to be known of those that ran."""

    data: Mapping[str, Any]
    """Every single value."""


def measure(context: Context) -> Chatterbox:
    """Have each model speak; one that cannot has a row that says why."""
    rows: list[tuple[str, ...]] = []
    more: list[tuple[str, ...]] = []
    data: dict[str, Any] = {}
    for kind, (count, rounds) in (QUICK if context.quick else SIZES).items():
        context.note(f"backends: chatterbox, {kind}")
        try:
            data[kind] = answer = _measured(context, kind, count, rounds)
        except NotRunError as error:
            rows.append((f"Chatterbox {kind}", f"not run here, because {error}", "", "", ""))
            continue
        runs = answer["runs"]
        rows.append((f"Chatterbox {kind}, {runs[0]['seconds']:.1f} s of speech", *_times(runs)))
        more.append((kind, answer["where"], str(count), *_processor(runs), *_shares(runs), *_rest(answer)))
    return Chatterbox(tuple(rows), (_table(more),) if more else (), data)


def _measured(context: Context, kind: str, count: int, rounds: int) -> dict[str, Any]:
    """What the worker says. Raises NotRunError."""
    for package in ("torch", "chatterbox"):
        if importlib.util.find_spec(package) is None:
            raise NotRunError(f"{package} is not installed: script/setup chatterbox")
    with tempfile.TemporaryDirectory(dir=context.work) as folder:  # gigabytes: gone before the next is made
        _worker(context, "make", kind, folder)
        said = _worker(context, "speak", kind, folder, str(count), str(rounds))
    answer: dict[str, Any] = json.loads(said.splitlines()[-1])
    return answer


def _worker(context: Context, *arguments: str) -> str:
    log: Path = context.out / "chatterbox.log"
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.chatterbox_worker", *arguments]
    # As the server has it: threads that wait do not spin, and nothing is asked of the hub.
    settings = environment() | {"OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1"}
    try:
        done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=LONGEST)
    except subprocess.TimeoutExpired as error:
        raise NotRunError(f"it took more than {error.timeout:.0f} s") from error
    log.write_text(done.stderr, encoding="utf-8")
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"its process ended with status {done.returncode}"]
        raise NotRunError(lines[-1])
    return done.stdout


def _times(runs: list[dict[str, float]]) -> tuple[str, ...]:
    columns = (
        [run["first"] for run in runs],
        [run["finished"] for run in runs],
        [run["finished"] / run["seconds"] for run in runs],
    )
    return (*(Spread.of(column).text() for column in columns), str(len(runs)))


def _processor(runs: list[dict[str, float]]) -> tuple[str, ...]:
    """Its seconds, which others on the machine change less: to the first chunk, and a second of speech."""
    columns = [run["first_cpu"] for run in runs], [run["cpu"] / run["seconds"] for run in runs]
    return tuple(Spread.of(column).text() for column in columns)


def _shares(runs: list[dict[str, float]]) -> tuple[str, ...]:
    """Of the whole time, in hundredths."""
    total = sum(run["finished"] for run in runs)
    return tuple(f"{sum(run[stage] for run in runs) / total:.0%}" for stage in STAGES)


def _rest(answer: Mapping[str, Any]) -> tuple[str, ...]:
    megabytes = (answer["resting"], answer["peak"], answer["card"])
    return (f"{answer['ready']:.0f}", *(f"{value:.0f}" for value in megabytes))


def _table(rows: list[tuple[str, ...]]) -> Table:
    header = (
        *("model", "computed on", "speech tokens", "CPU s to the first chunk", "CPU s per s of speech"),
        *("drawing tokens", "flow", "vocoder", "start, s"),
        *("memory, MB", "at most, loading included, MB", "of a card, MB"),
    )
    note = (
        "The package's classes in their full size with random weights, through this project's loader and "
        "backend in a process of its own: times and memory are real, what is heard is not. Random weights "
        "find no end, so the number of tokens is set, 25 for a second; Turbo and Nano add three. The voice "
        "is a clip of 15 s, and it has spoken before; the start is until its very first chunk."
    )
    return Table("Chatterbox's models", header, tuple(rows), note)
