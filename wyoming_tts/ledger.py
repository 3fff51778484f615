"""What was spent, in an SQLite file: counted by day, backend and model."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from wyoming_tts.prices import Cost

_LOGGER = logging.getLogger(__name__)

FILE_NAME = "costs.sqlite"
BUSY_SECONDS = 2.0
"""How long another process that writes is waited for."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS spent (
    day TEXT NOT NULL, backend TEXT NOT NULL, model TEXT NOT NULL, currency TEXT NOT NULL,
    sentences INTEGER NOT NULL, characters INTEGER NOT NULL, seconds REAL NOT NULL, amount REAL NOT NULL,
    PRIMARY KEY (day, backend, model, currency)
) WITHOUT ROWID
"""
_ADD = """
INSERT INTO spent VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET sentences = sentences + excluded.sentences,
    characters = characters + excluded.characters, seconds = seconds + excluded.seconds,
    amount = amount + excluded.amount
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one model of one backend did on one day."""

    day: datetime.date
    backend: str
    model: str
    currency: str
    sentences: int
    characters: int
    seconds: float
    amount: float


class Ledger:
    """Adds up at once in memory, and on disk in a thread of its own."""

    def __init__(self, path: Path, today: Callable[[], datetime.date] = datetime.date.today) -> None:
        """Reads nothing yet."""
        self._path, self.today = path, today
        self._totals: defaultdict[tuple[str, datetime.date], float] = defaultdict(float)
        self._executor = ThreadPoolExecutor(1, "ledger")
        self._users = 0

    async def open(self) -> None:
        """Read what was spent before; several may share it, until the last one's `close`."""
        self._users += 1
        if self._users == 1:
            rows = await asyncio.get_running_loop().run_in_executor(self._executor, self._read)
            for row in rows:
                self._totals[row.backend, row.day] += row.amount

    async def close(self) -> None:
        """Finish writing."""
        self._users -= 1
        if self._users == 0:
            await asyncio.to_thread(self._executor.shutdown)

    def add(self, backend: str, model: str, cost: Cost, characters: int, seconds: float) -> None:
        """Count one sentence."""
        day = self.today()
        self._totals[backend, day] += cost.amount
        row = (day.isoformat(), backend, model, cost.currency, 1, characters, seconds, cost.amount)
        with contextlib.suppress(RuntimeError):  # it was closed: the process ends
            self._executor.submit(self._write, row)

    def day(self, backend: str) -> float:
        """Spent today."""
        return self._totals[backend, self.today()]

    def month(self, backend: str) -> float:
        """Spent in this month."""
        now = self.today()
        return sum(
            amount
            for (name, day), amount in self._totals.items()
            if name == backend and (day.year, day.month) == (now.year, now.month)
        )

    def _read(self) -> list[Spent]:
        try:
            return list(read_ledger(self._path))
        except sqlite3.Error as error:
            _LOGGER.error("What was spent cannot be read from %s: %s", self._path, error)
            return []

    def _write(self, row: tuple[object, ...]) -> None:
        try:
            with _connected(self._path) as database:
                database.execute(_ADD, row)
        except (sqlite3.Error, OSError) as error:
            _LOGGER.error("What was spent cannot be written to %s: %s", self._path, error)


def read_ledger(path: Path) -> Iterator[Spent]:
    """All rows, oldest first; none where there is no file. Raises sqlite3.Error."""
    if not path.is_file():
        return
    with _connected(path) as database:
        for day, *rest in database.execute("SELECT * FROM spent ORDER BY day, backend, model"):
            yield Spent(datetime.date.fromisoformat(day), *rest)


@contextlib.contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, timeout=BUSY_SECONDS)
    try:
        with database:
            database.execute(_SCHEMA)
            yield database
    finally:
        database.close()
