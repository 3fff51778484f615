"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.benchmarks import (
    backends,
    balanced,
    cache,
    cpu,
    describe,
    first_audio,
    household,
    memory,
    over_http,
    sizing,
    slow_reader,
    streamed,
    text,
    whole,
    wyoming_bench,
)
from tests.benchmarks.context import Context
from tests.benchmarks.listener import BenchmarkError
from tests.benchmarks.noise import Noise
from tests.benchmarks.report import Result, write

BENCHMARKS: Mapping[str, Callable[[Context], Result]] = {
    "first-audio": first_audio.run,
    "cpu": cpu.run,
    "streamed": streamed.run,
    "household": household.run,
    "backends": backends.run,
    "balanced": balanced.run,
    "cache": cache.run,
    "slow-reader": slow_reader.run,
    "describe": describe.run,
    "text": text.run,
    "whole": whole.run,
    "wyoming-bench": wyoming_bench.run,
    "http": over_http.run,
    "memory": memory.run,
    "sizing": sizing.run,
}
PACKAGES = (
    "wyoming-tts",
    "onnxruntime",
    "numpy",
    "kokoro-onnx",
    "wyoming-piper",
    "piper-tts",
    "wyoming-bench",
)


def main() -> int:
    """Run the chosen benchmarks; returns 1 when a target is missed, 2 when a contender failed."""
    arguments = _parser().parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        context = Context(arguments.out, Path(work), arguments.quick)
        try:
            results = _run(arguments.only or list(BENCHMARKS), context)
        except (BenchmarkError, OSError) as error:
            print(f"Cannot measure: {type(error).__name__}: {error}", file=sys.stderr)
            return 2
    print(f"Written to {arguments.out}", file=sys.stderr)
    return 0 if all(target.met for result in results for target in result.targets) else 1


def _run(names: Sequence[str], context: Context) -> list[Result]:
    """Run one after another; what is done is written at once."""
    machine, results = _machine(context.quick), []
    for name in names:
        noise = Noise()
        results.append(BENCHMARKS[name](context))
        machine[f"CPU used by others during {name}"] = f"{noise.share():.0%}"
        print(results[-1].markdown(), flush=True)
        write(results, machine, context.out)
    return results


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="run this one (may be repeated)")
    parser.add_argument(
        "--out", type=Path, default=Path("build/benchmarks"), help="folder for results (%(default)s)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="two rounds: to see that it works, not to report"
    )
    return parser


def _machine(quick: bool) -> dict[str, str]:
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": f"{_processor()}, {_cores()} cores, {platform.system()}",
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "measured": "quickly (not for a report)" if quick else "in full",
    }


def _cores() -> int:
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    sys.exit(main())
