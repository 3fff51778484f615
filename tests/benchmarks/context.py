"""What every benchmark is given."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import contenders
from tests.benchmarks.contenders import Contender, KokoroContender, WyomingContender, warm_up
from tests.benchmarks.listener import BenchmarkError

WARM_UP = "Good morning, this is the first sentence."


@dataclass(frozen=True, slots=True)
class Context:
    """How much to measure and where to put things."""

    out: Path
    """Folder for results and the contenders' logs."""

    work: Path
    """Folder for prepared models, shared by the benchmarks of one run."""

    quick: bool = False
    """Measure little: to see that it works, not to report."""

    def rounds(self, full: int) -> int:
        """How often to go round, given how often for a report."""
        return 2 if self.quick else full

    def note(self, text: str) -> None:
        """Tell the person who waits what is being done."""
        print(text, file=sys.stderr, flush=True)

    def order(self, everyone: Sequence[Contender], number: int) -> list[Contender]:
        """The contenders in an order of their own for every turn, the same in every run."""
        return random.Random(number).sample(list(everyone), len(everyone))

    @contextlib.asynccontextmanager
    async def this_server(
        self, *flags: str, voice: str | None = contenders.VOICE
    ) -> AsyncIterator[WyomingContender]:
        """This server, loaded and warm; unless `flags` say otherwise it computes every sentence anew."""
        flags = flags or ("--cache-memory", "0")
        async with contenders.this_server(self._data("wyoming-tts"), self.out, *flags) as server:
            server.voice = voice
            await warm_up([server], [WARM_UP])
            yield server

    @contextlib.asynccontextmanager
    async def wyoming_piper(self) -> AsyncIterator[WyomingContender]:
        """wyoming-piper, loaded and warm."""
        async with contenders.wyoming_piper(self._data("piper"), self.out) as server:
            await warm_up([server], [WARM_UP])
            yield server

    @contextlib.asynccontextmanager
    async def kokoro_onnx(self, name: str = contenders.KOKORO) -> AsyncIterator[KokoroContender]:
        """kokoro-onnx, loaded, under one of its names."""
        async with contenders.kokoro_onnx(self._data("kokoro-onnx"), self.out, name) as kokoro:
            yield kokoro

    @contextlib.asynccontextmanager
    async def kokoro_pi(self) -> AsyncIterator[list[WyomingContender]]:
        """kokoro-pi's server, loaded and warm; nobody, with a note, where it cannot be installed."""
        async with contextlib.AsyncExitStack() as stack:
            found = []
            folder, data = self.out / "kokoro-pi", self._data("kokoro-onnx")
            try:
                server = contenders.kokoro_pi(folder, data, self.out)
                found.append(await stack.enter_async_context(server))
            except BenchmarkError as error:
                self.note(str(error))
            await warm_up(found, [WARM_UP])
            yield found

    def _data(self, name: str) -> Path:
        folder = self.work / name
        folder.mkdir(exist_ok=True)
        return folder
