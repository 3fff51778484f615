"""The shape of every backend behind HTTP: limits of time, checks, and one voice list that may grow."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wyoming_tts.backends.base import Surroundings
from wyoming_tts.backends.remote import Remote, RemoteOptions
from wyoming_tts.backends.remote_audio import AudioStream, SpeechCheck
from wyoming_tts.errors import BackendError, BackendTimeoutError, BackendUnavailableError
from wyoming_tts.files import publish_bytes
from wyoming_tts.types import AudioChunk, AudioFormat, Samples, SynthesisRequest, Voice, WordTiming

_LOGGER = logging.getLogger(__name__)

VOICES_FILE = "voices.json"
"""In the backend's own folder of the data directory."""

RATE = 24_000
"""Samples per second of what comes out, whatever the service sends."""

if TYPE_CHECKING:
    import httpx

PIECE = 0.1
"""Seconds of sound in a chunk at least: enough to say how loud it is, too little to be waited for."""


class RemoteBackend:
    """Speaks through an HTTP service; a backend's own class says what is asked and what is answered."""

    format = AudioFormat(RATE)
    own_turns = True

    def __init__(self, options: RemoteOptions, surroundings: Surroundings, remote: Remote) -> None:
        """Connects to nothing yet."""
        self.name = surroundings.name
        self.max_concurrency = options.max_concurrency
        self._limits, self._remote = options, remote
        self._slots = asyncio.Semaphore(options.max_concurrency)
        self._file = surroundings.data_dir / surroundings.name / VOICES_FILE
        self._stopped = False

    @property
    def engine(self) -> str:
        """See `Backend.engine`."""
        return f"{self.name} at {self._remote.host}"

    async def start(self) -> None:
        """Ask the service what it offers. Raises BackendError when it does not answer."""
        self._stopped = False
        await self.probe()

    async def stop(self) -> None:
        """Close all connections."""
        self._stopped = True
        await self._remote.close()

    async def probe(self) -> None:
        """See `Backend.probe`."""
        raise NotImplementedError

    def wake(self) -> None:
        """See `Backend.wake`: there is nothing to load."""

    def voices(self) -> Sequence[Voice]:
        """See `Backend.voices`."""
        raise NotImplementedError

    def fingerprint(self, voice: Voice) -> str | None:
        """See `Backend.fingerprint`."""
        raise NotImplementedError

    def _kept(self) -> Any:
        """The list of voices that this service gave last; None where there is none."""
        try:
            found = json.loads(self._file.read_bytes())
            return found["answer"] if found["base_url"] == self._remote.base_url else None
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def _keep(self, answer: Any) -> None:
        """Keep a list of voices for the next start."""
        if answer == self._kept():
            return
        try:
            publish_bytes(
                self._file, json.dumps({"base_url": self._remote.base_url, "answer": answer}).encode()
            )
        except OSError as error:
            _LOGGER.warning("%s: cannot keep the list of voices: %s", self.name, error)

    def pieces(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """The audio as it comes, mono at `RATE`, in pieces of any size."""
        raise NotImplementedError

    async def synthesize(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """See `Backend.synthesize`."""
        speech = _Speech(SpeechCheck(request.text, RATE, request.speed))
        limits = self._limits
        async with self._slots, contextlib.aclosing(self.pieces(request)) as pieces:
            ends = time.monotonic() + limits.total_timeout
            due = time.monotonic() + limits.first_audio_timeout
            while (piece := await self._next(pieces, min(due, ends))) is not None:
                if (chunk := speech.feed(piece)) is not None:
                    yield chunk
                    due = time.monotonic() + limits.stall_timeout
            yield speech.finish()

    async def decoded(
        self, response: httpx.Response, text: str, pcm_rate: int | None = None
    ) -> AsyncGenerator[AudioChunk, None]:
        """The audio in an answer, of whatever kind, for a text; see `AudioStream`."""
        stream = AudioStream(RATE, response.headers.get("content-type", ""), pcm_rate)
        async for data in self._remote.pieces(response, most_bytes(text)):
            yield AudioChunk(stream.feed(data))
        yield AudioChunk(stream.finish())

    async def _next(self, pieces: AsyncGenerator[AudioChunk, None], due: float) -> AudioChunk | None:
        if self._stopped:
            raise BackendUnavailableError(f"{self.name} was stopped")
        try:
            async with asyncio.timeout(due - time.monotonic()):
                return await anext(pieces, None)
        except TimeoutError:
            raise BackendTimeoutError(f"{self.name} sent no audio in time") from None
        except BackendError:
            if self._stopped:
                raise BackendUnavailableError(f"{self.name} was stopped") from None
            raise


def names_in(found: Any) -> list[str]:
    """Voice names in a server's list: of strings, or of objects with an `id`, `voice_id` or `name`."""
    voices = found.get("voices", found.get("data", [])) if isinstance(found, dict) else found
    if not isinstance(voices, list):
        return []
    names = [
        next((str(voice[key]) for key in ("id", "voice_id", "name") if voice.get(key)), "")
        if isinstance(voice, dict)
        else str(voice)
        for voice in voices
    ]
    return [name for name in dict.fromkeys(names) if name]


def most_bytes(text: str) -> int:
    """Bytes of audio beyond which they cannot be for a text."""
    return 16 * RATE * (30 + len(text))


class _Speech:
    """Pieces as chunks: checked, and none so small that handling it costs more than it plays."""

    def __init__(self, check: SpeechCheck) -> None:
        self._check = check
        self._samples: list[Samples] = []
        self._words: list[WordTiming] = []
        self._fraction: float | None = None

    def feed(self, piece: AudioChunk) -> AudioChunk | None:
        """A chunk when there is enough for one."""
        self._add(self._check.feed(piece.samples), piece)
        if sum(map(len, self._samples)) < PIECE * RATE:
            return None
        return self._chunk()

    def finish(self) -> AudioChunk:
        """The last one."""
        self._check.finish()
        return self._chunk()

    def _add(self, samples: Samples, piece: AudioChunk) -> None:
        self._samples.append(samples)
        self._words += piece.words
        self._fraction = piece.fraction

    def _chunk(self) -> AudioChunk:
        samples = np.concatenate([np.zeros(0, np.float32), *self._samples])
        words = tuple(_earlier(word, self._check.trimmed) for word in self._words)
        self._samples, self._words = [], []
        return AudioChunk(samples, AudioFormat(RATE), words, self._fraction)


def _earlier(word: WordTiming, seconds: float) -> WordTiming:
    """A word in audio whose beginning was left out."""
    start = max(0.0, word.start - seconds)
    return dataclasses.replace(word, start=start, end=max(start, word.end - seconds))
