"""The server's memory over many sentences of all kinds."""

from __future__ import annotations

import asyncio
import random

import psutil
from wyoming.client import AsyncTcpClient
from wyoming.tts import Synthesize, SynthesizeVoice

from tests.benchmarks import listener
from tests.benchmarks.context import Context
from tests.benchmarks.plot import plot_memory
from tests.benchmarks.report import Result, Table, Target

SENTENCES, EARLY = 2000, 200
QUICK_SENTENCES, QUICK_EARLY = 150, 60
GROWTH_LIMIT, PEAK_LIMIT = 1.05, 900.0
"""How much more memory the last sentence may see than an early one, and the most megabytes ever."""

CLIENTS = 2
"""How many ask at the same time."""

WORDS = (
    *("lamp", "door", "kitchen", "seven", "rain", "window", "open", "quiet", "morning", "battery"),
    *("garden", "closed", "warm", "ready", "late"),
)
VOICES = ("af_heart", "am_michael", "bf_emma", "af_bella", "ef_dora", "ff_siwis", "if_sara", "hf_alpha")


def run(context: Context) -> Result:
    """Speak, and look at the memory; draw `memory.png`."""
    count, early = (QUICK_SENTENCES, QUICK_EARLY) if context.quick else (SENTENCES, EARLY)
    sizes, peak = asyncio.run(_measure(context, count))
    plot_memory(sizes, context.out / "memory.png")
    at_early, at_end = (_around(sizes, place) for place in (early, count))
    rows = (
        (f"after {early} sentences, MB", f"{at_early:.0f}"),
        (f"after {count} sentences, MB", f"{at_end:.0f}"),
        ("peak, start included, MB", f"{peak:.0f}"),
    )
    targets = (
        Target(f"memory after {count} sentences ÷ after {early}", at_end / at_early, GROWTH_LIMIT, " x"),
        Target("peak memory", peak, PEAK_LIMIT, " MB"),
    )
    note = (
        f"Resident memory of the server with default settings but for a cache of 4 MB, full early. "
        f"{CLIENTS} clients; 1 to 12 words, {len(VOICES)} voices; one in twenty leaves in the middle."
    )
    return Result("memory", (Table("Memory", ("", ""), rows, note),), targets, {"megabytes": sizes})


def _around(sizes: list[float], place: int) -> float:
    """Median of some readings around a place."""
    some = sorted(sizes[max(0, place - 20) : place + 1])
    return some[len(some) // 2]


async def _measure(context: Context, count: int) -> tuple[list[float], float]:
    sizes: list[float] = []
    async with context.this_server("--cache-memory", "4") as server:
        process = psutil.Process(server.process.child.pid)
        rng, numbers = random.Random(7), iter(range(count))

        async def ask() -> None:
            for number in numbers:
                await _say(server.port, rng, leave=number % 20 == 7)
                sizes.append(process.memory_info().rss / 2**20)
                if number % 100 == 0:
                    context.note(f"memory: sentence {number}, {sizes[-1]:.0f} MB")

        await asyncio.gather(*(ask() for _ in range(CLIENTS)))
        return sizes, _peak(process.pid)


async def _say(port: int, rng: random.Random, *, leave: bool) -> None:
    text = " ".join(rng.choices(WORDS, k=rng.randint(1, 12))).capitalize() + "."
    voice = rng.choice(VOICES)
    if not leave:
        await listener.speak(port, text, voice)
        return
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Synthesize(text=text, voice=SynthesizeVoice(name=voice)).event())
        await client.read_event()


def _peak(pid: int) -> float:
    """Most resident memory of a process so far, in megabytes (Linux)."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
