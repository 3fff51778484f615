"""Files that stay whole through crashes, full disks and two processes at once."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import stat
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

_LOGGER = logging.getLogger(__name__)

_LEFT_SECONDS = 300.0
"""Age from which on an unfinished file belongs to a process that was killed: writing one takes moments."""


def sha256_of(paths: Iterable[Path]) -> str:
    """SHA-256 of the files joined in order, in hexadecimal. Raises OSError."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def signature_of(path: Path) -> tuple[int, ...] | None:
    """What changes with a file; None where there is none. Raises OSError, also for what is no file."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is not a file")
    return found.st_mtime_ns, found.st_size, found.st_ino


def read_bounded(path: Path, most: int) -> bytes:
    """A file's content. Raises OSError, also for what is no file, and ValueError for a larger one."""
    if signature_of(path) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"it is larger than {most} bytes")
    return data


def flush(path: Path) -> None:
    """Return when the file or directory is on the disk. Raises OSError."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a directory, and needs no such call
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(temporary: Path, target: Path) -> None:
    """Give a finished file its name in one step: a crash leaves the old one or the new. Raises OSError."""
    flush(temporary)
    temporary.replace(target)
    flush(target.parent)


def publish_bytes(target: Path, content: bytes) -> None:
    """Write a whole file in one step, and its directory where there is none. Raises OSError.

    A symbolic link of this user's or of root's stays one, and what it leads to is replaced.
    """
    target = _followed(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    _tidy(target)
    own = f"{os.getpid()}-{threading.get_ident()}"
    temporary = target.with_name(f".{target.name}.{own}.partial")
    try:
        temporary.write_bytes(content)
        publish(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _followed(path: Path) -> Path:
    """Where a link leads: a household may keep its files elsewhere. Raises OSError for a stranger's link."""
    if not path.is_symlink():
        return path
    if os.name != "nt" and path.lstat().st_uid not in (0, os.geteuid()):
        raise OSError(f"{path} is a link that somebody else made")
    try:
        return path.resolve()
    except RuntimeError as error:  # until Python 3.13 a circle is no OSError
        raise OSError(str(error)) from error


def _tidy(target: Path) -> None:
    """Remove what killed processes left of this file."""
    left, begin = time.time() - _LEFT_SECONDS, f".{target.name}."
    with contextlib.suppress(OSError):
        for path in target.parent.iterdir():
            if path.name.startswith(begin) and path.suffix == ".partial" and path.lstat().st_mtime < left:
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file between processes and threads; waits for it, and a dead holder's lock is free.

    Raises OSError where the file cannot be made or the file system has no locks.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _LOGGER.info("Waiting for another process that holds %s", path)
        lock.acquire()
    except NotImplementedError as error:
        raise OSError(f"no file locks in {path.parent}") from error
    try:
        yield
    finally:
        lock.release()
