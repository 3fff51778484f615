"""Fuzz the Wyoming wire for as long as wished:

    python -m tests.fuzz.wire --frames 1000000 --seed 1                   straight into the reader
    python -m tests.fuzz.wire --frames 100000 --seed 1 --over sockets     over real sockets
    python -m tests.fuzz.wire --frames 100000 --over atheris              guided by what code is reached

The report is JSON; the exit status is 1 when something was found. `--batch NUMBER` repeats what was found.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from tests.fuzz.grammar import Grammar
from tests.fuzz.reader import LIMITS, batch
from tests.fuzz.sockets import Findings, sessions
from wyoming_tts.heap import release_memory


async def through_reader(frames: int, seed: int, first: int | None = None) -> dict[str, Any]:
    """Batches until so many frames were judged, or one alone; with what memory became of it."""
    done, number = 0, first or 0
    found: list[str] = []
    kept: dict[int, float] = {}
    gc.collect()
    while done < frames and len(found) < 20:
        try:
            done += await batch(f"{seed}-{number}")
        except Exception as error:  # a finding; the others follow
            found.append(f"seed {seed} batch {number}: {type(error).__name__}: {error}"[:2000])
        number += 1
        if number in (1000, 2000) or number % 100_000 == 0:
            gc.collect()
            kept[number] = round(_megabytes(), 1)
        if first is not None:
            break
    return {"frames": done, "batches": number, "rss_mb_after_batches": kept, "found": found}


async def over_sockets(frames: int, seed: int) -> dict[str, Any]:
    """Sessions until so many frames were judged; with what memory and descriptors became of it."""
    await sessions(Findings(), min(frames, 500), seed + 1)  # what is made once is made
    process, findings = psutil.Process(), Findings()
    gc.collect()
    before = _megabytes(), process.num_fds(), process.num_threads(), len(gc.get_objects())
    kept = []
    for part in range(1, 6):  # a server for each, to see whether memory levels off
        await sessions(findings, frames * part // 5, seed + part, together=24)
        release_memory()  # what glibc hoards between two requests is not held by anybody
        kept.append(round(_megabytes(), 1))
    after = _megabytes(), process.num_fds(), process.num_threads(), len(gc.get_objects())
    return {
        "sessions": findings.sessions,
        "frames_sent": findings.sent,
        "frames_judged": findings.judged,
        "answers": dict(findings.answers.most_common()),
        "wrong": findings.wrong,
        "rss_mb_by_fifths": kept,
        "rss_mb_descriptors_threads_objects_before": before,
        "rss_mb_descriptors_threads_objects_after": after,
    }


def with_atheris(frames: int, seed: int) -> None:
    """Inputs that libFuzzer makes of the grammar's; it ends the process, with status 77 for a finding."""
    try:
        atheris = importlib.import_module("atheris")
    except ImportError:
        sys.exit("atheris is not installed")
    with atheris.instrument_imports():
        for name in ("wyoming_tts.wire", "tests.fuzz.reader"):
            importlib.reload(importlib.import_module(name))
    loop, rng = asyncio.new_event_loop(), random.Random(seed)
    reader = importlib.import_module("tests.fuzz.reader")

    def one_input(data: bytes) -> None:
        loop.run_until_complete(reader.judged(data, [], random.Random(len(data))))

    corpus = Path(tempfile.mkdtemp(prefix="wire-corpus-"))
    grammar = Grammar(rng, LIMITS)
    for number in range(500):
        (corpus / str(number)).write_bytes(
            b"".join(grammar.frame().raw for _ in range(rng.choice((1, 1, 3))))
        )
    atheris.Setup([sys.argv[0], f"-runs={frames}", f"-seed={seed}", "-max_len=6000", str(corpus)], one_input)
    atheris.Fuzz()


def _megabytes() -> float:
    return float(psutil.Process().memory_info().rss / 2**20)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--over", choices=("reader", "sockets", "atheris"), default="reader")
    parser.add_argument("--batch", type=int, help="one batch of the reader alone")
    options = parser.parse_args()
    if options.over == "atheris":
        with_atheris(options.frames, options.seed)
    began, spent = time.monotonic(), time.process_time()
    if options.over == "reader":
        report = asyncio.run(through_reader(options.frames, options.seed, options.batch))
    else:
        report = asyncio.run(over_sockets(options.frames, options.seed))
    report |= {
        "seconds": round(time.monotonic() - began, 1),
        "processor_seconds": round(time.process_time() - spent, 1),
    }
    print(json.dumps(report, indent=2), flush=True)
    return int(bool(report.get("found") or report.get("wrong")))


if __name__ == "__main__":
    sys.exit(main())
