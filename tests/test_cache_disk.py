"""The store on disk: bounded, whole after any crash, and never in the way."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wyoming_tts.backends.cache_disk import DiskStore
from wyoming_tts.backends.cache_sentence import Sentence
from wyoming_tts.types import WordTiming

LIMIT = 1_000_000
ROUNDS = int(os.environ.get("KILLS", "8"))
"""How often a process is killed."""


def sentence(number: int, size: int = 20_000) -> Sentence:
    """One that can be told from all others, and checked."""
    return Sentence(bytes([number % 251]) * size, (WordTiming(f"word {number}", 0.0, 0.5, 0, 4),))


def key(number: int) -> bytes:
    return number.to_bytes(20, "big")


async def opened(path: Path, limit: int = LIMIT) -> DiskStore:
    store = DiskStore(path, limit)
    await store.open()
    return store


async def test_comes_back(tmp_path: Path) -> None:
    """What was stored is there after the store was closed and opened, samples and words."""
    store = await opened(tmp_path / "deep" / "cache.sqlite")
    store.put(key(1), sentence(1))
    assert await store.get(key(1)) == sentence(1)
    assert await store.get(key(2)) is None
    await store.close()
    store = await opened(tmp_path / "deep" / "cache.sqlite")
    assert await store.get(key(1)) == sentence(1)
    await store.close()


async def test_is_bounded(tmp_path: Path) -> None:
    """However much is stored, the file stays near the bound, and what was used last is still there."""
    path = tmp_path / "cache.sqlite"
    store = await opened(path)
    for number in range(200):
        store.put(key(number), sentence(number))
        if number % 10 == 0:
            assert await store.get(key(0)) == sentence(0)  # used again and again
    assert await store.get(key(199)) == sentence(199)
    assert await store.get(key(0)) == sentence(0)
    assert await store.get(key(50)) is None
    await store.close()
    assert size_of(tmp_path) < 1.5 * LIMIT


def size_of(directory: Path) -> int:
    return sum(file.stat().st_size for file in directory.iterdir())


async def test_a_huge_sentence_is_not_stored(tmp_path: Path) -> None:
    """A sentence of more than a quarter of the bound is left out."""
    store = await opened(tmp_path / "cache.sqlite")
    store.put(key(1), sentence(1, LIMIT // 3))
    assert await store.get(key(1)) is None
    await store.close()


async def test_a_damaged_sentence_is_dropped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A sentence whose checksum is wrong is not spoken but forgotten."""
    path = tmp_path / "cache.sqlite"
    store = await opened(path)
    store.put(key(1), sentence(1))
    await store.close()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE sentence SET pcm = zeroblob(20000)")
    database.close()
    store = await opened(path)
    assert await store.get(key(1)) is None
    assert "damaged" in caplog.text
    store.put(key(1), sentence(1))
    assert await store.get(key(1)) == sentence(1)
    await store.close()


@pytest.mark.parametrize("content", [b"this is no database" * 1000, b"SQLite format 3\0" + b"x" * 5000])
async def test_a_foreign_file_is_begun_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    """A file that is no cache is replaced, with one warning."""
    path = tmp_path / "cache.sqlite"
    path.write_bytes(content)
    store = await opened(path)
    store.put(key(1), sentence(1))
    assert await store.get(key(1)) == sentence(1)
    await store.close()
    assert len(caplog.records) == 1


async def test_without_a_place_there_is_no_store(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where no file can be made nothing is stored, nothing fails, and one warning says so."""
    (tmp_path / "file").write_text("in the way")
    store = await opened(tmp_path / "file" / "cache.sqlite")
    store.put(key(1), sentence(1))
    assert await store.get(key(1)) is None
    await store.close()
    assert len(caplog.records) == 1


async def test_a_full_disk_fails_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What does not fit is not stored; what is stored can still be had."""
    store = await opened(tmp_path / "cache.sqlite")
    store.put(key(1), sentence(1))
    assert await store.get(key(1)) == sentence(1)
    assert store._database is not None
    pages = store._database.execute("PRAGMA page_count").fetchone()[0]
    full = f"PRAGMA max_page_count = {pages}"
    await store._in_thread(lambda: store._database.execute(full))  # type: ignore[union-attr]
    store.put(key(2), sentence(2))
    assert await store.get(key(2)) is None
    assert await store.get(key(1)) == sentence(1)
    await store.close()
    assert "full" in caplog.text


async def test_another_process_that_writes_is_not_waited_for(tmp_path: Path) -> None:
    """While somebody else holds the file a sentence is not stored, and nobody waits for it long."""
    path = tmp_path / "cache.sqlite"
    store = await opened(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store.put(key(1), sentence(1))
    assert await store.get(key(1)) is None
    other.execute("ROLLBACK")
    other.close()
    store.put(key(1), sentence(1))
    assert await store.get(key(1)) == sentence(1)
    await store.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from tests.test_cache_disk import key, opened, sentence

async def main():
    store = await opened(Path(sys.argv[1]))
    print("ready", flush=True)
    for number in range(100_000):
        store.put(key(number % 500), sentence(number % 500))
        if number % 20 == 0:
            await store.get(key(number % 500))

asyncio.run(main())
"""


async def test_a_killed_process_leaves_only_whole_sentences(tmp_path: Path) -> None:
    """After a kill at any moment the store opens, and everything in it is what was stored."""
    path, rng = tmp_path / "cache.sqlite", random.Random(3)
    found = 0
    for _ in range(ROUNDS):
        command = [sys.executable, "-c", WRITER, str(path)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: ASYNC220 - read at once
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(rng.uniform(0.01, 0.2))  # noqa: ASYNC251 - the moment does not matter, only that it varies
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        store = await opened(path)
        for number in range(500):
            if (kept := await store.get(key(number))) is not None:
                assert kept == sentence(number)
                found += 1
        await store.close()
        assert size_of(tmp_path) < 2 * LIMIT
    assert found
