"""`voices.toml`: a household's own voices, made of others; read again whenever the file changes.

night = { voice = "af_bella(2)+af_sky(1)", speed = 0.9, gain = -6 }
butler = { voice = "bm_george", description = "The butler", fallbacks = ["openai/onyx"] }
"""

from __future__ import annotations

import logging
import math
import re
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wyoming_tts.files import publish_bytes, read_bounded, signature_of
from wyoming_tts.types import MAX_SPEED, MIN_SPEED

_LOGGER = logging.getLogger(__name__)

FILE_NAME = "voices.toml"
MOST_BYTES = 2**18
CHECK_SECONDS = 1.0
"""How often the file is looked at."""

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
"""What a voice may be called."""


class Preset(BaseModel):
    """A voice of the household's own."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    voice: str = Field(min_length=1, max_length=400)
    """Who speaks: a voice or a blend of some."""

    speed: float = Field(default=1.0, ge=MIN_SPEED, le=MAX_SPEED)
    """Pace; 1 is the voice's own."""

    gain: float = Field(default=0.0, ge=-40, le=20, allow_inf_nan=False)
    """Decibels by which it is louder."""

    backend: str = ""
    """Whose voice it is, where two backends have one of that name."""

    description: str = ""
    """What it is called in a list of voices; none is its name."""

    fallbacks: tuple[str, ...] = ()
    """Voices of other backends that speak when its own cannot, nearest first."""


class Presets:
    """The file's voices; a file that cannot be read changes nothing, and is named in the log."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Reads nothing yet; there need not be a file."""
        self._path, self._clock = path, clock
        self._checked = -CHECK_SECONDS
        self._signature: tuple[int, ...] | None = None
        self._presets: Mapping[str, Preset] = MappingProxyType({})
        self._trouble = ""

    def refresh(self) -> None:
        """Look at the file now."""
        self._checked = -math.inf

    def current(self) -> Mapping[str, Preset]:
        """By name; the same object until something changes."""
        if self._clock() - self._checked >= CHECK_SECONDS:
            self._checked = self._clock()
            self._refresh()
        return self._presets

    def _refresh(self) -> None:
        try:
            signature = signature_of(self._path)
            if signature == self._signature:
                return
            self._signature = signature
            self._presets = read_presets(self._path) if signature else MappingProxyType({})
            _LOGGER.info("%s: %d voices", self._path, len(self._presets))
        except (OSError, ValueError) as error:
            if str(error) != self._trouble:  # a file that cannot be looked at is looked at again
                _LOGGER.warning("%s: %s; what was read before is still used", self._path, error)
            self._trouble = str(error)
        else:
            self._trouble = ""


def save_preset(path: Path, name: str, preset: Preset) -> None:
    """Put a voice into the file, in the place of one of that name; remarks and order stay as they are.

    Raises OSError, and ValueError for a file that is not TOML.
    """
    import tomlkit

    document, table = _document(path), tomlkit.inline_table()
    table.update(preset.model_dump(exclude_defaults=True, mode="json"))
    document[name] = table
    _write(path, document)


def remove_preset(path: Path, name: str) -> bool:
    """Take a voice out of the file; whether it was there. Raises OSError, and ValueError for no TOML."""
    document = _document(path)
    if name not in document:
        return False
    del document[name]
    _write(path, document)
    return True


def _document(path: Path) -> Any:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(read_bounded(path, MOST_BYTES).decode("utf-8") if path.exists() else "")
    except (TOMLKitError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _write(path: Path, document: Any) -> None:
    import tomlkit

    content = tomlkit.dumps(document).encode()
    if len(content) > MOST_BYTES:
        raise ValueError(f"it would be larger than {MOST_BYTES} bytes")
    publish_bytes(path, content)


@dataclass(frozen=True, slots=True)
class _Fault:
    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def read_presets(path: Path) -> Mapping[str, Preset]:
    """The voices of a file; a wrong one is named in the log and left out. Raises OSError and ValueError."""
    presets, faults = check_presets(path)
    for fault in faults:
        _LOGGER.warning("%s: %s", path, fault)
    return presets


def check_presets(path: Path) -> tuple[Mapping[str, Preset], list[str]]:
    """The voices of a file, and what is wrong with the others. Raises OSError and ValueError."""
    try:
        tables = tomllib.loads(read_bounded(path, MOST_BYTES).decode("utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    found = {name: _read(name, table) for name, table in tables.items()}
    presets = {name: one for name, one in found.items() if isinstance(one, Preset)}
    return MappingProxyType(presets), [str(one) for one in found.values() if isinstance(one, _Fault)]


def _read(name: str, table: Any) -> Preset | _Fault:
    if not re.fullmatch(NAME, name):
        return _Fault(name, "a voice's name has at most 64 letters, digits, dots, dashes and underscores")
    if isinstance(table, str):
        table = {"voice": table}
    try:
        return Preset.model_validate(table)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        return _Fault(name, "; ".join(faults))
