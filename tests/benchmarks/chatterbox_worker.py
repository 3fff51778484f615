"""Chatterbox in its full size, with random weights, in a process of its own.

`make KIND FOLDER` writes a checkpoint, `speak KIND FOLDER TOKENS ROUNDS` loads it in a backend and tells in
JSON what speaking took. They are two processes, so that the one's memory is not counted as the other's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import psutil
import torch
from numpy.typing import NDArray

from tests import tiny_chatterbox
from tests.benchmarks.texts import MEDIUM
from wyoming_tts.backends import chatterbox_speaker, chatterbox_stream
from wyoming_tts.backends.chatterbox import ChatterboxBackend, choose_precision
from wyoming_tts.backends.chatterbox_tokens import tokens
from wyoming_tts.backends.torch_device import choose_device
from wyoming_tts.types import SynthesisRequest

STAGES = ("tokens", "flow", "vocoder")

LETTERS = {"english": 45, "multilingual": 45, "turbo": 24, "nano": 24}
"""Letters of a text that are spoken: the tokenizer here makes a token of each, the models' own, which cannot
be had, about so many of 100."""

CLIP = 15.0
"""Seconds of the voice's clip: as much as Turbo and Nano listen to, and what their own voice has."""


class Clock:
    """Seconds in the parts of the model."""

    def __init__(self, device: str) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self._card = device.startswith("cuda")

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """While it is open they are counted."""
        mels, waves = chatterbox_stream.MelStream, chatterbox_stream.WaveStream
        with (
            mock.patch.object(chatterbox_speaker, "tokens", self._drawing(tokens)),
            mock.patch.object(mels, "push", self._calling("flow", mels.push)),
            mock.patch.object(waves, "push", self._calling("vocoder", waves.push)),
        ):
            yield

    def _calling(self, stage: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            with self._running(stage):
                return call(*given, **named)

        return timed

    def _drawing(self, draw: Callable[..., Generator[int, None, None]]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Generator[int, None, None]:
            with contextlib.closing(draw(*given, **named)) as drawn:
                while True:
                    with self._running("tokens"):
                        token = next(drawn, None)
                    if token is None:
                        return
                    yield token

        return timed

    @contextlib.contextmanager
    def _running(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        if self._card:  # which is told what to do, and does it later
            torch.cuda.synchronize()
        self.seconds[stage] += time.perf_counter() - began


async def speak(kind: str, folder: Path, count: int, rounds: int) -> dict[str, Any]:
    """What so many sentences of `count` tokens took, and what the process holds by then."""
    device = choose_device("auto")
    data = folder / "data"
    backend = tiny_chatterbox.backend(folder, data, kind, clip=CLIP, max_tokens=count, steps=None)
    began = time.perf_counter()
    await backend.start()
    try:
        await _spoken(backend, MEDIUM[-1][: LETTERS[kind]], whole=False)  # listens to the clip, too
        ready = time.perf_counter() - began
        runs = []
        for number in range(rounds):
            clock = Clock(device)
            with clock.installed():
                run = await _spoken(backend, MEDIUM[number % len(MEDIUM)][: LETTERS[kind]])
            runs.append({**run, **clock.seconds})
        memory = _memory(device)
    finally:
        await backend.stop()
    precision, threads = choose_precision("auto", device), torch.get_num_threads()
    where = torch.cuda.get_device_name() if device == "cuda" else f"{device}, threads: {threads}"
    return {"where": f"{where}, {precision}", "ready": ready, "runs": runs, **memory}


async def _spoken(backend: ChatterboxBackend, text: str, *, whole: bool = True) -> dict[str, float]:
    request = SynthesisRequest(text=text, voice=backend.voices()[0])
    began, first, seconds = _clocks(), np.zeros(2), 0.0
    async with contextlib.aclosing(backend.synthesize(request)) as chunks:
        async for chunk in chunks:
            first = first if seconds else _clocks() - began
            seconds += len(chunk.samples) / backend.format.rate
            request.playhead.sent(len(chunk.samples) / backend.format.rate)
            if not whole:
                break
    whole_time = _clocks() - began
    return {
        **dict(zip(("first", "first_cpu"), first.tolist(), strict=True)),
        **dict(zip(("finished", "cpu"), whole_time.tolist(), strict=True)),
        "seconds": seconds,
    }


def _clocks() -> NDArray[np.float64]:
    """Seconds on the wall and of the processor; others on the machine change only the first."""
    return np.array((time.perf_counter(), time.process_time()))


def _memory(device: str) -> dict[str, float]:
    """Megabytes: what the process has, the most that it ever had, and of a card's memory."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return {
        "resting": psutil.Process().memory_info().rss / 2**20,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit,
        "card": torch.cuda.max_memory_reserved() / 2**20 if device == "cuda" else 0.0,
    }


def main() -> None:
    """Do what the arguments say."""
    command, kind, folder, *numbers = sys.argv[1:]
    if command == "make":
        tiny_chatterbox.make_checkpoint(kind, Path(folder) / kind)
        return
    count, rounds = map(int, numbers)
    print(json.dumps(asyncio.run(speak(kind, Path(folder), count, rounds))), flush=True)


if __name__ == "__main__":
    main()
