"""What is freed goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

HOARD = """
from wyoming_tts.heap import keep_heap_small, release_memory

def megabytes():
    for line in open("/proc/self/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) // 1024

keep_heap_small()
some = bytearray(24 << 20)  # freed, it raises the bound from which on blocks have pages of their own
del some
held = []
for _ in range(12):
    block = bytearray(8 << 20)
    held.append((bytearray(100_000), block))  # a small one behind each, to be kept
before = megabytes()
keep = [small for small, _ in held]
del held, block
print(before - megabytes())
release_memory()
print(before - megabytes())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of glibc")
def test_what_is_freed_goes_back() -> None:
    """Large blocks at once, for they have pages of their own; and everything when it is asked for."""
    command = [sys.executable, "-c", HOARD]
    at_once, in_the_end = map(int, subprocess.run(command, stdout=-1, check=True).stdout.split())
    assert at_once >= 80
    assert in_the_end >= at_once
