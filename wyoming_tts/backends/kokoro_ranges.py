"""Which convolutions may compute in integers: the measured ranges of their activations, and the processor."""

from __future__ import annotations

import platform
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wyoming_tts.voices import read_arrays

RANGES_FILE = "ranges.npz"
"""Name of the file with the activations' ranges inside the folder of voices."""

DOT_PRODUCTS = frozenset({"avx512_vnni", "avx_vnni", "asimddp"})
"""Processor flags that mean exact and fast products of bytes."""

PAIRS = "avx2"
"""Flag of processors that add pairs of such products up in sixteen bits, where two large ones saturate."""

Ranges = Mapping[str, NDArray[np.float32]]
"""By site (`noise_res.0/convs1.0`): lowest and highest value of every channel, (2, channels in + out)."""


@dataclass(frozen=True, slots=True)
class Integers:
    """How convolutions are computed in integers."""

    folder: Path
    """Holds `RANGES_FILE`, which says which, and how they are scaled."""

    bits: int = 8
    """Of a weight, its sign included."""


def weight_bits(cpuinfo: Path = Path("/proc/cpuinfo")) -> int:
    """Bits of a weight that this processor multiplies faster than floats; 0 where it is not faster at all."""
    if platform.system() == "Darwin":
        return 8 if platform.machine() == "arm64" else 0
    try:
        words = set(cpuinfo.read_text(errors="replace").split())
    except OSError:
        return 0
    if not DOT_PRODUCTS.isdisjoint(words):
        return 8
    return 7 if PAIRS in words else 0


def load_ranges(directory: Path) -> Ranges:
    """The ranges in a folder of voices; none when there is no whole file of them."""
    try:
        arrays = read_arrays(directory / RANGES_FILE)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return {}
    return {site: array.astype(np.float32) for site, array in arrays.items()}
