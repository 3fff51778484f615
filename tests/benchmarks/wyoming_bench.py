"""wyoming-bench, a stranger's benchmark for Wyoming servers, in both of its modes."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys

from tests.benchmarks.context import Context
from tests.benchmarks.report import Result, Table, Target

START = "import sys; from wyoming_bench.cli import main; sys.exit(main())"
COMPLAINT = re.compile(
    r"\b(?!fail=0\b)(fail|error|warn|skip|unreachable|unavailable|timed out|unsupported)\w*", re.IGNORECASE
)
"""Words that wyoming-bench uses when something is not as it should be."""


def run(context: Context) -> Result:
    """Run it against this server and keep what it says in `wyoming-bench.txt`."""
    status, said = asyncio.run(_measure(context))
    (context.out / "wyoming-bench.txt").write_text(said, encoding="utf-8")
    complaints = [line for line in said.splitlines() if COMPLAINT.search(line)]
    rows = (("exit status", str(status)), ("lines that complain", str(len(complaints))))
    note = "\n".join(["```", said.strip(), "```"])
    targets = (
        Target("exit status of wyoming-bench", status, 0),
        Target("complaints of wyoming-bench", len(complaints), 0),
    )
    data = {"status": status, "complaints": complaints, "output": said}
    return Result("wyoming-bench", (Table("wyoming-bench, both modes", ("", ""), rows, note),), targets, data)


async def _measure(context: Context) -> tuple[int, str]:
    async with context.this_server() as server:
        context.note("wyoming-bench: both modes")
        command = [sys.executable, "-c", START, "tts", "--mode", "both", "--verbose"]
        command += ["--rounds", str(context.rounds(3)), f"127.0.0.1:{server.port}"]
        done = await asyncio.to_thread(
            subprocess.run, command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    return done.returncode, done.stdout
