"""A client that stops reading: what it costs, and whom it delays."""

from __future__ import annotations

import asyncio

import numpy as np
import psutil
from wyoming.client import AsyncTcpClient
from wyoming.tts import Synthesize

from tests.benchmarks.contenders import WyomingContender
from tests.benchmarks.context import Context
from tests.benchmarks.report import Result, Table, Target
from tests.benchmarks.texts import MEDIUM, PARAGRAPHS

SECONDS, QUICK_SECONDS = 30.0, 6.0
"""How long it does not read."""

TEXT = " ".join(PARAGRAPHS * 20)
"""About twenty minutes of speech."""

DELAY_LIMIT, MEMORY_LIMIT = 1.5, 40.0
"""How much later others may hear something meanwhile, and how many megabytes it may cost."""


def run(context: Context) -> Result:
    """Ask for much, read nothing, and let others speak meanwhile."""
    quiet, meanwhile, megabytes = asyncio.run(_measure(context))
    share = float(np.median(meanwhile) / np.median(quiet))
    rows = (
        ("first audio alone, s", f"{np.median(quiet):.3f}"),
        ("first audio meanwhile, s", f"{np.median(meanwhile):.3f}"),
        ("memory more, MB", f"{megabytes:.1f}"),
    )
    targets = (
        Target("first audio of others meanwhile ÷ alone", share, DELAY_LIMIT, " x"),
        Target("memory for a client that does not read", megabytes, MEMORY_LIMIT, " MB"),
    )
    note = f"Twenty minutes of speech asked for by a client that reads nothing for {SECONDS:g} s."
    table = Table("A client that does not read", ("", ""), rows, note)
    return Result("slow-reader", (table,), targets, {"quiet": quiet, "meanwhile": meanwhile})


async def _measure(context: Context) -> tuple[list[float], list[float], float]:
    async with context.this_server() as server:
        process = psutil.Process(server.process.child.pid)
        await asyncio.gather(*(server.speak(text) for text in PARAGRAPHS))  # which buffers grow for
        quiet = [await _first_audio(server, number) for number in range(8)]
        before, loop = process.memory_info().rss, asyncio.get_running_loop()
        until = loop.time() + (QUICK_SECONDS if context.quick else SECONDS)
        meanwhile: list[float] = []
        most = before
        async with AsyncTcpClient("127.0.0.1", server.port) as client:
            await client.write_event(Synthesize(text=TEXT).event())
            while loop.time() < until:
                context.note("slow-reader: others")
                meanwhile.append(await _first_audio(server, len(meanwhile)))
                most = max(most, process.memory_info().rss)
        return quiet, meanwhile, (most - before) / 2**20


async def _first_audio(server: WyomingContender, number: int) -> float:
    speech = await server.speak(MEDIUM[number % len(MEDIUM)])
    await asyncio.sleep(0.3)
    return speech.first_audio
