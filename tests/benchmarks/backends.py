"""Every backend in one table: first chunk, whole text, real-time factor; rows come as backends do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points

from tests.benchmarks.context import Context
from tests.benchmarks.measure import Speech, Spread
from tests.benchmarks.report import Result, Table
from tests.benchmarks.texts import MEDIUM

WANTED = {
    "kokoro": "Kokoro, ONNX",
    "kokoro-torch": "Kokoro, PyTorch",
    "chatterbox": "Chatterbox",
    "openai": "OpenAI",
    "elevenlabs": "ElevenLabs",
    "alltalk": "AllTalk",
}
"""By name of the backend's entry point: what the table calls it."""

ROUNDS = 2


def run(context: Context) -> Result:
    """Measure those that there are."""
    there = {entry.name for entry in entry_points(group="wyoming_tts.backends")}
    speeches = {"kokoro": asyncio.run(_measure(context))} if "kokoro" in there else {}
    header = ("backend", "first chunk, s", "total, s", "real-time factor", "runs")
    rows = tuple(_row(name, speeches) for name in WANTED)
    note = "A sentence of 100 characters through the server, warm, nothing from the cache; median (p10–p90)."
    data = {name: [speech.first_audio for speech in series] for name, series in speeches.items()}
    return Result("backends", (Table("Every backend", header, rows, note),), (), data)


async def _measure(context: Context) -> list[Speech]:
    async with context.this_server() as server:
        context.note("backends: kokoro")
        return [await server.speak(text) for _ in range(context.rounds(ROUNDS)) for text in MEDIUM]


def _row(name: str, speeches: Mapping[str, Sequence[Speech]]) -> tuple[str, ...]:
    if name not in speeches:
        return (WANTED[name], "not there yet", "", "", "")
    series = speeches[name]
    columns = (
        [speech.first_audio for speech in series],
        [speech.finished for speech in series],
        [speech.finished / speech.seconds for speech in series],
    )
    return (WANTED[name], *(Spread.of(column).text() for column in columns), str(len(series)))
