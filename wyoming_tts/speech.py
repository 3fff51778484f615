"""A text that was spoken, as a value: to look at, to save, to play in a notebook."""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wyoming_tts.audio import to_s16
from wyoming_tts.types import AudioChunk, Samples, WordTiming


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Speech:
    """Audio of a whole text; a notebook shows it as a player."""

    samples: Samples
    """float32 in [-1, 1], mono, shape (samples,)."""

    rate: int
    """Samples per second."""

    words: tuple[WordTiming, ...] = ()
    """When each word is spoken, where the backend tells."""

    @classmethod
    def of(cls, chunks: Iterable[AudioChunk]) -> Speech:
        """Chunks joined; at least one."""
        chunks = list(chunks)
        return cls(
            samples=np.concatenate([chunk.samples for chunk in chunks]),
            rate=chunks[0].format.rate,
            words=tuple(word for chunk in chunks for word in chunk.words),
        )

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.samples) / self.rate

    def wav(self) -> bytes:
        """A WAV file, 16 bits, mono."""
        file = io.BytesIO()
        with wave.open(file, "wb") as writer:
            writer.setnchannels(1)
            writer.setsampwidth(2)
            writer.setframerate(self.rate)
            writer.writeframes(to_s16(self.samples))
        return file.getvalue()

    def save(self, path: str | Path) -> Path:
        """Write a WAV file; returns where it is. Raises OSError."""
        path = Path(path)
        path.write_bytes(self.wav())
        return path

    def __repr__(self) -> str:
        return f"<Speech of {self.seconds:.2f} s at {self.rate} Hz, {len(self.words)} words>"

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.wav()).decode()
        return f'<audio controls src="data:audio/wav;base64,{data}"></audio>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self._repr_html_(), "text/plain": repr(self)}
