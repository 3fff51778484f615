"""The log: lines for people or objects for programs, and how much of it there is."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import logging
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

PACKAGE = __name__.partition(".")[0]
"""Logger above all of this project's."""

TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamReport:
    """What one stream was, for the line of log that tells of it; None is what nobody knows."""

    outcome: str
    """`spoken` to its end, or `stopped` before."""

    transport: str
    """`wyoming` or `http`."""

    voice: str
    """Voice or language that was asked for; `default` where none was."""

    backend: str | None
    """Who spoke; names with a comma between them where several did."""

    characters: int
    """Length of the text."""

    first_audio_seconds: float | None
    """From the first text to the first audio."""

    audio_seconds: float
    """Length of the audio that was sent."""

    working_seconds: float
    """Time that was spent on making it, and not on waiting for the client."""

    caller: str | None = None
    """Whose key it was, over HTTP."""

    def extra(self) -> dict[str, Any]:
        """For the `extra` of a logger's method: a key for each of `FIELDS`."""
        seconds = self.audio_seconds
        values = dataclasses.asdict(self) | {
            "real_time_factor": self.working_seconds / seconds if seconds else None
        }
        found = {name: values[name] for name in FIELDS}
        return {key: round(value, 3) if isinstance(value, float) else value for key, value in found.items()}


FIELDS = (
    *("outcome", "transport", "caller", "voice", "backend", "characters"),
    *("first_audio_seconds", "audio_seconds", "real_time_factor"),
)
"""Keys that the line of a stream has beside those that every line has."""


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, logger, message; `exception` where there is one, and of a stream `FIELDS`."""
        when = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line: dict[str, Any] = {
            "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


@contextlib.contextmanager
def kept() -> Iterator[list[logging.LogRecord]]:
    """What is logged inside, for `set_up`: before the settings are read nobody knows how it shall look.

    Where an exception ends it, it is printed.
    """
    keeper = _Keeper()
    root = logging.getLogger()
    root.addHandler(keeper)
    try:
        yield keeper.records
    except BaseException:
        for record in keeper.records:
            if logging.lastResort and record.levelno >= logging.lastResort.level:
                logging.lastResort.handle(record)
        raise
    finally:
        root.removeHandler(keeper)


class _Keeper(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def set_up(level: str, form: str, earlier: Iterable[logging.LogRecord] = ()) -> None:
    """Log to standard error from now on, at a level such as `info`, as `text` or as `json`.

    `earlier` is what was logged before, and comes first.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else logging.Formatter(TEXT_FORMAT))
    logging.basicConfig(handlers=[handler], level=level.upper())
    logging.captureWarnings(form == "json")  # else they would stand between the objects
    for record in earlier:
        if logging.getLogger(record.name).isEnabledFor(record.levelno):
            handler.handle(record)


class DebugSwitch:
    """Turns debug of this package on and off while the server runs."""

    def __init__(self, level: str) -> None:
        """`level` is what the log began with; where that is debug already, off is info."""
        began = logging.getLevelNamesMapping()[level.upper()]
        self._on = began == logging.DEBUG
        self._quiet = logging.INFO if self._on else began

    def toggle(self) -> None:
        """Turn it on, or off again, and say so."""
        logger = logging.getLogger(PACKAGE)
        if self._on:
            _LOGGER.info("Debug is off; SIGUSR1 turns it on")
        self._on = not self._on
        logger.setLevel(logging.DEBUG if self._on else self._quiet)
        if self._on:
            _LOGGER.info("Debug is on; SIGUSR1 turns it off")
