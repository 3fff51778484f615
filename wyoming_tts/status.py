"""How a backend is: what `/health`, the metrics and the studio show of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendStatus:
    """One backend of the chain, now."""

    name: str
    """As the settings call it."""

    engine: str
    """What computes, for people: the model and the provider that is really active."""

    circuit: str
    """`closed`: it is used. `open`: it is left alone. `half-open`: one sentence tries it."""

    reason: str | None = None
    """Why it is not used."""

    retry_seconds: float | None = None
    """Seconds until it is asked again."""

    loaded: bool = True
    """Whether it could speak at once: its model is there, or its service has answered."""

    voices: int = 0
    """How many it offers."""

    queued: int = 0
    """Sentences that wait for a turn."""

    running: int = 0
    """Sentences that compute now."""

    cache_hits: int = 0
    """Sentences that were in its cache."""

    cache_misses: int = 0
    """Sentences that had to be computed."""

    cache_bytes: int = 0
    """Memory that all cached sentences take; the cache is shared."""
