"""Every backend in one table, and what the way to a service and the chain add to it."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks import chatterbox
from tests.benchmarks.context import Context
from tests.benchmarks.measure import Arrival, Speech, Spread
from tests.benchmarks.report import Result, Table
from tests.benchmarks.texts import MEDIUM
from tests.remote import alltalk, elevenlabs, openai, request_for
from tests.speech import surroundings
from tests.upstream import AllTalk, ElevenLabs, OpenAI, Upstream, hang_before_headers
from wyoming_tts.backends.base import Backend, BackendOptions
from wyoming_tts.backends.espeak import EspeakBackend, EspeakOptions
from wyoming_tts.backends.fallback import FallbackBackend
from wyoming_tts.backends.members import Member
from wyoming_tts.types import SynthesisRequest

LOCAL = {"kokoro": "Kokoro, ONNX", "kokoro-torch": "Kokoro, PyTorch"}
"""Backends that compute on this machine, and what the table calls them."""

NOT_RUN = {
    "openai": ("OpenAI", "not run here: it takes an account; see the next table"),
    "elevenlabs": ("ElevenLabs", "not run here: it takes an account; see the next table"),
    "alltalk": ("AllTalk", "not run here: its engines come from the hub alone; see the next table"),
}
"""The others, and why."""

ROUNDS = 2
REQUESTS = 40
TIMEOUT = 0.5
"""Seconds after which the chain leaves a backend that hangs."""


def run(context: Context) -> Result:
    """Measure those that can be run."""
    speeches = {name: asyncio.run(_local(context, name)) for name in LOCAL}
    header = ("backend", "first chunk, s", "total, s", "real-time factor", "runs")
    rows = [_row(LOCAL[name], series) for name, series in speeches.items()]
    large = chatterbox.measure(context)
    speeches["espeak"] = asyncio.run(_espeak(context))
    rows.append(_row("espeak-ng", speeches["espeak"]))
    rows += [*large.rows, *((title, reason, "", "", "") for title, reason in NOT_RUN.values())]
    note = (
        "A sentence of 100 characters through the server, warm, nothing from the cache; median (p10–p90). "
        "espeak-ng and Chatterbox without the server; Chatterbox with random weights: its times are real, "
        "its sound is not."
    )
    context.note("backends: services and the chain")
    added = asyncio.run(_services(10 if context.quick else REQUESTS))
    chain = asyncio.run(_chain(5 if context.quick else 20))
    data: dict[str, Any] = {name: [one.first_audio for one in series] for name, series in speeches.items()}
    tables = (Table("Every backend", header, tuple(rows), note), *large.tables, added, chain)
    return Result("backends", tables, (), data | {"chatterbox": large.data})


async def _local(context: Context, name: str) -> list[Speech]:
    context.note(f"backends: {name}")
    async with context.this_server("--cache-memory", "0", "--chain", name) as server:
        return [await server.speak(text) for _ in range(context.rounds(ROUNDS)) for text in MEDIUM]


async def _espeak(context: Context) -> list[Speech]:
    """Without the server, whose other benchmarks ask for voices of Kokoro."""
    backend = EspeakBackend(EspeakOptions(), surroundings(context.work, name="espeak"))
    speeches = []
    async with _started(backend):
        voice = next(voice for voice in backend.voices() if voice.name == "espeak/en-us")
        for text in MEDIUM * context.rounds(ROUNDS):
            begun, arrivals = time.perf_counter(), []
            async for chunk in backend.synthesize(SynthesisRequest(text=text, voice=voice)):
                arrivals.append(Arrival(time.perf_counter() - begun, chunk.seconds))
            speeches.append(Speech(tuple(arrivals), time.perf_counter() - begun, silence=0.0))
    return speeches


def _row(title: str, series: Sequence[Speech]) -> tuple[str, ...]:
    columns = (
        [speech.first_audio for speech in series],
        [speech.finished for speech in series],
        [speech.finished / speech.seconds for speech in series],
    )
    return (title, *(Spread.of(column).text() for column in columns), str(len(series)))


async def _services(requests: int) -> Table:
    """What our own code adds to the first byte of services that answer at once."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        services: Mapping[str, tuple[Any, Callable[[str], Any]]] = {
            "OpenAI": (OpenAI(), lambda url: openai(url, voice_names=("nova",))),
            "ElevenLabs": (ElevenLabs(), lambda url: elevenlabs(url, Path(folder))),
            "AllTalk": (AllTalk(), alltalk),
        }
        for title, (contract, make) in services.items():
            async with Upstream(contract) as upstream, _started(make(upstream.url)) as backend:
                bare, through = await _pairs(upstream, backend, requests)
            added = [1000 * (one - other) for one, other in zip(through, bare, strict=True)]
            milliseconds = [Spread.of([1000 * one for one in series]).text() for series in (bare, through)]
            rows.append((title, *milliseconds, Spread.of(added).text(), str(requests)))
    header = ("service", "first byte, bare, ms", "first chunk, ms", "added, ms", "pairs")
    note = (
        "Local servers that speak each service's contract and answer at once: the same request sent bare by "
        "httpx and by the backend, in turn. This is the project's own share, not the service's."
    )
    return Table("What the way to a service adds", header, tuple(rows), note)


async def _pairs(upstream: Upstream, backend: Backend, requests: int) -> tuple[list[float], list[float]]:
    bare, through = [], []
    await _first_chunk(backend)
    async with httpx.AsyncClient() as client:
        for _ in range(requests):
            through.append(await _timed(_first_chunk(backend)))
            last = next(x for x in reversed(upstream.exchanges) if x.path != "/api/stop-generation")
            url = f"{upstream.url}{last.path}"
            kind = {"content-type": last.headers.get("content-type", "")}

            async def first_byte(last: Any = last, url: str = url, kind: Any = kind) -> None:
                asked = client.stream(last.method, url, params=last.query, content=last.body, headers=kind)
                async with asked as response:
                    await anext(response.aiter_bytes())

            bare.append(await _timed(first_byte()))
    return bare[1:] + bare[:1], through[1:] + through[:1]


async def _first_chunk(backend: Backend) -> None:
    chunks = backend.synthesize(request_for(backend))
    await anext(chunks)
    async for _ in chunks:
        pass


async def _timed(work: Awaitable[None]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


@contextlib.asynccontextmanager
async def _started(backend: Any) -> AsyncIterator[Any]:
    await backend.start()
    try:
        yield backend
    finally:
        await backend.stop()


async def _chain(rounds: int) -> Table:
    """How long a sentence waits when the first backend hangs, and when that is known."""
    late, known = [], []
    for _ in range(rounds):
        hanging, well = OpenAI(), OpenAI()
        async with Upstream(hanging) as one, Upstream(well) as two:
            members = [
                Member(
                    openai(up.url, name, voice_names=("nova",)), BackendOptions(first_audio_timeout=TIMEOUT)
                )
                for name, up in (("one", one), ("two", two))
            ]
            async with _started(FallbackBackend(members)) as chain:
                hanging.faults = [hang_before_headers] * 5
                late.append(1000 * (await _timed(_first_of(chain)) - TIMEOUT))
                known.append(1000 * await _timed(_first_of(chain)))
    rows = (
        (f"the first hangs; its deadline is {TIMEOUT} s", Spread.of(late).text(), str(rounds)),
        ("the next sentence, while it is left alone", Spread.of(known).text(), str(rounds)),
    )
    note = "Two local servers in a chain; time to the first chunk, in the first row less the deadline."
    return Table("What falling back adds", ("sentence", "ms", "runs"), rows, note)


async def _first_of(chain: FallbackBackend) -> None:
    async with contextlib.aclosing(chain.synthesize(request_for(chain))) as chunks:
        await anext(chunks)
