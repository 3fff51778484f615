"""Sentences on disk, in an SQLite file: bounded, checksummed, whole after any crash, in nobody's way."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from wyoming_tts.backends.cache_sentence import Sentence, words_from_json

T = TypeVar("T")

_LOGGER = logging.getLogger(__name__)

BUSY_MILLISECONDS = 100
"""How long another process that writes is waited for."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS sentence (
    key BLOB PRIMARY KEY, pcm BLOB NOT NULL, words TEXT NOT NULL, checksum BLOB NOT NULL,
    size INTEGER NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sentence_use ON sentence (used, size);
"""


class DiskStore:
    """All work is done in a thread of its own. What cannot be read or written is only not cached."""

    def __init__(self, path: Path, limit: int) -> None:
        """`limit` in bytes bounds what is stored."""
        self._path, self._limit = path, limit
        self._executor = ThreadPoolExecutor(1, "cache")
        self._database: sqlite3.Connection | None = None
        self._users = 0

    async def open(self) -> None:
        """Open the file; a damaged one is begun anew. Where there can be none, nothing is stored.

        Several may share it: it is open from the first one's `open` to the last one's `close`.
        """
        self._users += 1
        if self._users == 1:
            await self._in_thread(self._open)

    async def close(self) -> None:
        """Finish what is to be written."""
        self._users -= 1
        if self._users > 0:
            return
        await self._in_thread(self._close)
        await asyncio.to_thread(self._executor.shutdown)

    async def get(self, key: bytes) -> Sentence | None:
        """A whole sentence, or None."""
        return await self._in_thread(lambda: self._guarded(lambda database: self._get(database, key)))

    def put(self, key: bytes, sentence: Sentence) -> None:
        """Store a sentence soon."""
        if sentence.bytes <= self._limit / 4:
            self._submit(lambda: self._guarded(lambda database: self._put(database, key, sentence)))

    def _submit(self, work: Callable[[], T]) -> Future[T] | None:
        try:
            return self._executor.submit(work)
        except RuntimeError:  # it was closed
            return None

    async def _in_thread(self, work: Callable[[], T]) -> T | None:
        if (future := self._submit(work)) is None:
            return None
        return await asyncio.wrap_future(future)

    def _open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._database = self._connect()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):  # locked, or no place for it: not its content
                    raise
                self._begin_anew(error)
        except (OSError, sqlite3.Error) as error:
            _LOGGER.warning("Sentences are not kept on disk in %s: %s", self._path, error)

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            database.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
            database.execute("PRAGMA auto_vacuum = INCREMENTAL")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.executescript(SCHEMA)
            if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("it is damaged")
        except BaseException:
            database.close()
            raise
        return database

    def _begin_anew(self, error: Exception) -> None:
        _LOGGER.warning("The cache %s cannot be used (%s) and is begun anew", self._path, error)
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        self._database = self._connect()

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """What `work` returns; None where the disk does not play along."""
        if self._database is None:
            return None
        try:
            return work(self._database)
        except sqlite3.OperationalError as error:  # full, or locked by another process: perhaps not for long
            _LOGGER.warning("The cache %s is passed over: %s", self._path, error)
        except sqlite3.DatabaseError as error:
            self._database.close()
            self._database = None
            with contextlib.suppress(OSError, sqlite3.Error):
                self._begin_anew(error)
        return None

    def _get(self, database: sqlite3.Connection, key: bytes) -> Sentence | None:
        query = "SELECT pcm, words, checksum FROM sentence WHERE key = ?"
        row = database.execute(query, (key,)).fetchone()
        if row is None:
            return None
        pcm, words, checksum = row
        if checksum != _checksum(key, pcm, words):
            _LOGGER.warning("A sentence in the cache %s is damaged and is dropped", self._path)
            database.execute("DELETE FROM sentence WHERE key = ?", (key,))
            return None
        database.execute("UPDATE sentence SET used = ? WHERE key = ?", (time.time(), key))
        return Sentence(pcm, words_from_json(words))

    def _put(self, database: sqlite3.Connection, key: bytes, sentence: Sentence) -> None:
        words = sentence.words_json()
        row = (key, sentence.pcm, words, _checksum(key, sentence.pcm, words), sentence.bytes, time.time())
        with database:  # all or nothing
            database.execute("BEGIN IMMEDIATE")
            self._make_room(database, sentence.bytes)
            database.execute("INSERT OR REPLACE INTO sentence VALUES (?, ?, ?, ?, ?, ?)", row)
        database.execute("PRAGMA incremental_vacuum")

    def _make_room(self, database: sqlite3.Connection, wanted: int) -> None:
        """Drop what was not used for the longest time."""
        (stored,) = database.execute("SELECT coalesce(sum(size), 0) FROM sentence").fetchone()
        oldest = "SELECT key, size FROM sentence ORDER BY used LIMIT 1"
        while stored + wanted > self._limit and (row := database.execute(oldest).fetchone()):
            key, size = row
            database.execute("DELETE FROM sentence WHERE key = ?", (key,))
            stored -= size

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None


def _checksum(key: bytes, pcm: bytes, words: str) -> bytes:
    digest = hashlib.blake2b(key, digest_size=16)
    digest.update(pcm)
    digest.update(words.encode())
    return digest.digest()
