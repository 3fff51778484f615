"""What the pipeline keeps for one listener, and what its observers are told of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wyoming_tts.plugin_streams import StreamHooks
from wyoming_tts.types import CHARACTERS_PER_SECOND, AudioChunk, Playhead, Progress

_LOGGER = logging.getLogger(__name__)

Observer = Callable[[Progress], None]
"""Called after every chunk, on the event loop: must return at once."""


@dataclass(slots=True, kw_only=True)
class SpokenStream:
    """One stream, from its first text to its last audio."""

    identity: str
    """Names it in the log."""

    playhead: Playhead
    """The listener's clock."""

    speed: float
    """Pace that was asked for."""

    observers: tuple[Observer, ...] = ()
    """Who is told of its progress."""

    hooks: StreamHooks | None = None
    """The plugins' hooks, where there are any."""

    normalise: bool = True
    """Whether numbers and units are put into words."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """What only some backends understand."""

    began: float = field(default_factory=time.monotonic)
    characters: int = 0
    """Of the sentences before the one that is spoken now."""
    sentence: int = 0
    """Characters of that one."""
    sentences: int = 0
    made_seconds: float = 0.0
    """Audio that was made; plugins may make it longer or shorter before it is sent."""
    audio_seconds: float = 0.0
    """Audio that was sent."""
    backend: str = ""
    voice: str = ""
    wanted_backend: str = ""
    """Whose the voice is."""
    total: int | None = None
    """Characters of the whole text, once it is known."""
    fraction: float | None = None

    def begin(self, characters: int, source: str) -> None:
        """A sentence of so many characters is next, of a text of which so much is known."""
        self.characters, self.sentence = self.characters + self.sentence, characters
        self.playhead.characters_left = max(0, len(source) - self.characters - characters)

    def advance(self, chunk: AudioChunk, seconds: float) -> None:
        """Note what a chunk says of the sentence, of which there are so many seconds before it."""
        self.backend = chunk.backend or self.backend
        if self.total:
            done = self.characters + _done(chunk, seconds, self.sentence) * self.sentence
            self.fraction = max(self.fraction or 0.0, min(1.0, done / self.total))

    def sent(self, chunk: AudioChunk) -> None:
        """The chunk was taken by the listener's side: move its clock on and tell the observers."""
        self.playhead.sent(chunk.seconds)
        self.audio_seconds += chunk.seconds
        self.report(finished=False)

    def report(self, *, finished: bool) -> None:
        """Tell the observers how far it is."""
        if not self.observers:
            return
        first = self.playhead.first_audio
        progress = Progress(
            stream=self.identity,
            backend=self.backend,
            characters=self.characters + self.sentence,
            sentences=self.sentences,
            audio_seconds=self.audio_seconds,
            elapsed_seconds=time.monotonic() - self.began,
            first_audio_seconds=None if first is None else first - self.began,
            fraction=1.0 if finished else self.fraction,
            finished=finished,
            voice=self.voice,
            wanted_backend=self.wanted_backend,
            underruns=self.playhead.underruns,
        )
        for observer in self.observers:
            observer(progress)


class Guarded:
    """A stranger's observer: when it raises, that is logged, and it is told nothing more."""

    def __init__(self, observer: Observer) -> None:
        """Calls `observer` until it fails."""
        self._observer: Observer | None = observer

    def __call__(self, progress: Progress) -> None:
        """See `Observer`."""
        if self._observer is None:
            return
        try:
            self._observer(progress)
        except Exception:  # a stranger's, and no listener's fault
            _LOGGER.exception("An observer of the pipeline failed; it is told nothing more")
            self._observer = None


def _done(chunk: AudioChunk, seconds: float, characters: int) -> float:
    """Part of a sentence that is done with a chunk: as the backend says, else about."""
    if chunk.fraction is not None:
        return chunk.fraction
    return min(0.95, (seconds + chunk.seconds) * CHARACTERS_PER_SECOND / max(1, characters))
