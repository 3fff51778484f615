"""Speech over HTTP: what each format and HTTP itself cost, and four clients at the same time."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence

import httpx

from tests.benchmarks.contenders import free_port
from tests.benchmarks.context import Context
from tests.benchmarks.measure import Arrival, Speech, Spread, ratios
from tests.benchmarks.report import Result, Table, Target
from tests.benchmarks.texts import MEDIUM, PARAGRAPHS

FORMATS = ("pcm", "wav", "flac", "mp3", "opus", "aac")
RATE = 24_000
TIMEOUT = 120.0

ROUNDS = 12
CLIENTS = 4

RATIO = 1.5
"""First byte of a format over that of PCM, at most."""

OVERHEAD = 10.0
"""Milliseconds that HTTP adds to the pipeline's own first audio, at the median, at most."""


def run(context: Context) -> Result:
    """Ask one server for every format in turn, then for four streams at once."""
    firsts, wyoming, overheads, crowd = asyncio.run(_measure(context))
    pcm = firsts["pcm"]
    shares = {name: ratios(seconds, pcm) for name, seconds in firsts.items()}
    rows = [
        (f"HTTP, {name}", Spread.of(_ms(seconds)).text(0), shares[name].text(2))
        for name, seconds in firsts.items()
    ]
    rows.append(("Wyoming", Spread.of(_ms(wyoming)).text(0), ratios(wyoming, pcm).text(2)))
    overhead = Spread.of(_ms(overheads))
    note = (
        "Median (p10 to p90) of sentences of 100 characters, nothing cached, formats in turn. HTTP adds "
        f"{overhead.text(1)} ms to the pipeline's own first audio."
    )
    formats = Table("First byte over HTTP", ("", "first byte, ms", "over PCM's"), tuple(rows), note)
    targets = [
        Target(f"first byte of {name} over PCM's", share.median, RATIO)
        for name, share in shares.items()
        if name != "pcm"
    ]
    targets.append(Target("HTTP over the pipeline's first audio, p50", overhead.median, OVERHEAD, " ms"))
    data = {**{name: _ms(seconds) for name, seconds in firsts.items()}, "overhead": _ms(overheads)}
    return Result("http", (formats, _crowd(crowd)), tuple(targets), data)


def _crowd(crowd: Sequence[Speech]) -> Table:
    firsts = Spread.of(_ms([speech.first_audio for speech in crowd]))
    silent = sum(speech.silent_seconds for speech in crowd)
    row = (str(CLIENTS), firsts.text(0), f"{silent:.2f}", str(sum(speech.underruns for speech in crowd)))
    header = ("clients at once", "first audio, ms", "silence, s", "underruns")
    return Table("Paragraphs for several clients, PCM", header, (row,), "Each plays in real time.")


Measured = tuple[Mapping[str, list[float]], list[float], list[float], list[Speech]]


async def _measure(context: Context) -> Measured:
    firsts: dict[str, list[float]] = {name: [] for name in FORMATS}
    wyoming, overheads = [], []
    url = f"http://127.0.0.1:{free_port()}"
    async with (
        context.this_server("--cache-memory", "0", "--http-uri", url) as server,
        httpx.AsyncClient(base_url=url, timeout=TIMEOUT) as client,
    ):
        for number in range(context.rounds(ROUNDS)):
            text = MEDIUM[number % len(MEDIUM)]
            context.note(f"http: {text[:40]}")
            for name in FORMATS:
                firsts[name].append(await _first_byte(client, text, name))
            wyoming.append((await server.speak(text)).first_audio)
            overheads.append(await _overhead(client, text))
        context.note(f"http: {CLIENTS} at once")
        texts = [PARAGRAPHS[number % len(PARAGRAPHS)] for number in range(CLIENTS)]
        crowd = await asyncio.gather(*(_listen(client, text) for text in texts))
    return firsts, wyoming, overheads, list(crowd)


def _body(text: str, name: str) -> dict[str, str]:
    return {"input": text, "voice": "af_heart", "response_format": name}


async def _first_byte(client: httpx.AsyncClient, text: str, name: str) -> float:
    begun, first = time.perf_counter(), None
    async with client.stream("POST", "/v1/audio/speech", json=_body(text, name)) as answer:
        answer.raise_for_status()
        async for _ in answer.aiter_raw():
            first = first or time.perf_counter() - begun
    assert first is not None
    return first


async def _overhead(client: httpx.AsyncClient, text: str) -> float:
    """Seconds from the request to the first audio, less those that the pipeline says it took."""
    begun, came, told = time.perf_counter(), None, None
    body = {"text": text, "voice": "af_heart", "events": True}
    async with client.stream("POST", "/tts/stream", json=body) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("event: audio"):
                came = came or time.perf_counter() - begun
            elif line.startswith('data: {"backend"') and told is None:
                told = json.loads(line.removeprefix("data: "))["first_audio_seconds"]
    assert came is not None
    assert told is not None
    return came - told


async def _listen(client: httpx.AsyncClient, text: str) -> Speech:
    begun, arrivals = time.perf_counter(), []
    async with client.stream("POST", "/v1/audio/speech", json=_body(text, "pcm")) as answer:
        answer.raise_for_status()
        async for data in answer.aiter_raw():
            arrivals.append(Arrival(time.perf_counter() - begun, len(data) / 2 / RATE))
    return Speech(tuple(arrivals), finished=time.perf_counter() - begun, silence=0.0)


def _ms(seconds: Sequence[float]) -> list[float]:
    return [1000 * one for one in seconds]
