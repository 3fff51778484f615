"""Keeps the process as small as what it holds: what glibc would hoard goes back to the system."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Parameters of mallopt(3)."""

ARENAS = 2
"""Heaps that threads share; glibc would make eight for each processor, and each keeps what it once had."""

LARGE = 4 * 2**20
"""Bytes from which on a block has pages of its own, which the system gets back when it is freed.

Left to itself, glibc raises that to the largest block that was ever freed, up to 32 MB: loading a model frees
many large ones, and from then on they would lie in heaps with holes.
"""


def keep_heap_small() -> None:
    """Set the limits above, for as long as the process lives; call it before there are other threads.

    Whoever sets glibc's own variables (`MALLOC_ARENA_MAX`, ...) in the environment knows better.
    """
    if not any(name.startswith("MALLOC_") for name in os.environ):
        _glibc("mallopt", M_ARENA_MAX, ARENAS)
        _glibc("mallopt", M_MMAP_THRESHOLD, LARGE)
        _glibc("mallopt", M_TRIM_THRESHOLD, LARGE)


def release_memory() -> None:
    """Collect what nobody holds, and give freed memory back to the system."""
    gc.collect()
    trim_heap()


def trim_heap() -> None:
    """Give freed memory back to the system."""
    _glibc("malloc_trim", 0)


def _glibc(function: str, *arguments: int) -> None:
    """Call a function of the C library, unless that is another one, which has no such function."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):
            getattr(ctypes.CDLL(None), function)(*arguments)
