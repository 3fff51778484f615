"""Blends of voices: `af_bella(2)+af_sky(1)`, `af_bella-af_nicole(0.3)`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wyoming_tts.errors import UnknownVoiceError

MOST_VOICES = 16
"""More cannot be told apart."""

_PART = re.compile(  # nothing is given back: a name of many spaces would take the cube of their number
    r"\s*+([+-]?+)\s*+([^\s()+\-]++(?:\s++[^\s()+\-]++)*+)\s*+"
    r"(?:\(\s*+(\d{1,6}+(?:\.\d{1,6}+)?+|\.\d{1,6}+)\s*+\)\s*+)?+(?=[+-]|$)"
)


@dataclass(frozen=True, slots=True)
class Part:
    """One voice of a blend."""

    voice: str
    """Its name or alias."""

    weight: float
    """Its share; all shares together are more than 0. One that is less than 0 takes away."""

    def spelled(self, name: str) -> str:
        """As it stands in a blend, with a sign in front."""
        return f"{'-' if self.weight < 0 else '+'}{name}({abs(self.weight):g})"


def is_blend(name: str) -> bool:
    """Whether a name asks for a blend and not for one voice."""
    return bool(re.search(r"[+(]|(?<=[\w)])-(?=\w)", name))


def parse_blend(name: str) -> tuple[Part, ...]:
    """The voices of a blend and their shares; a share that is not given is 1. Raises UnknownVoiceError."""
    parts: list[Part] = []
    position = 0
    while position < len(name):
        found = _PART.match(name, position)
        if found is None or found.end() == position or (parts and not found[1]):
            raise UnknownVoiceError(
                f"{name[:80]!a} is no blend of voices, which is written af_bella(2)+af_sky(1)"
            )
        weight = float(found[3]) if found[3] else 1.0
        parts.append(Part(found[2], -weight if found[1] == "-" else weight))
        position = found.end()
    if len(parts) > MOST_VOICES or sum(part.weight for part in parts) <= 0:
        raise UnknownVoiceError(
            f"a blend has at most {MOST_VOICES} voices, and shares that sum to more than 0"
        )
    return tuple(parts)
