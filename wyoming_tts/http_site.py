"""What the HTTP server serves: everything it needs of the rest, handed over once by the composition root."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wyoming_tts.access import Access
from wyoming_tts.errors import ServerBusyError
from wyoming_tts.phonemes import Phonemizer
from wyoming_tts.status import BackendStatus
from wyoming_tts.text.lexicon import Lexicon

if TYPE_CHECKING:
    from wyoming_tts.catalogue import LiveCatalogue
    from wyoming_tts.metrics import Metrics
    from wyoming_tts.pipeline import Pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """How the server treats its clients."""

    access: Access = field(default_factory=Access)
    """Who may use it."""

    max_text: int = 100_000
    """Most characters of a text."""

    max_requests: int = 32
    """Requests that are spoken at the same time; one more is asked to come again."""

    max_connections: int = 100
    """Connections at the same time, idle ones included."""

    write_seconds: float = 60.0
    """How long a client may take nothing of what it is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The server's parts, as its HTTP side sees them."""

    pipeline: Pipeline
    """Speaks."""

    catalogue: LiveCatalogue
    """The voices there are."""

    lexicon: Lexicon
    """The household's words."""

    data_dir: Path
    """Where own voices and the lexicon are kept."""

    voices_dir: Path
    """Where voice packs are."""

    statuses: Callable[[], Sequence[BackendStatus]]
    """How the backends are, at once."""

    metrics: Metrics
    """What is counted."""

    costs: Callable[[], Sequence[Mapping[str, Any]]] = tuple
    """What was spent today and this month, by backend."""

    connections: Callable[[], int] = int
    """How many clients the Wyoming server has, Home Assistant's questions included."""

    wyoming_uri: str = ""
    """Where the Wyoming server listens, for people."""

    settings: HttpSettings = field(default_factory=HttpSettings)
    """How clients are treated."""

    phonemizer: Phonemizer = field(default_factory=Phonemizer)
    """Shows phonemes."""

    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by whoever writes a file that is read first: two at once would lose one's change."""

    gate: Gate = field(init=False)
    """Lets in as many as can be spoken to."""

    def voice_names(self) -> frozenset[str]:
        """Of all voices there are now."""
        return frozenset(voice.name for voice in self.catalogue.voices())

    def __post_init__(self) -> None:
        """Open the gate."""
        object.__setattr__(self, "gate", Gate(self.settings.max_requests))


class Gate:
    """So many at the same time, and no queue: who comes too late shall know it at once."""

    def __init__(self, most: int) -> None:
        """`most` may be inside."""
        self._most = most
        self.inside = 0
        """How many are."""

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Raises ServerBusyError when it is full."""
        if self.inside >= self._most:
            raise ServerBusyError(f"{self._most} requests are being spoken; try again later.")
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1
