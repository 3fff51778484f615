"""Which convolutions may compute in integers: the measured ranges of their activations, and the processor."""

from __future__ import annotations

import platform
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wyoming_tts.voices import read_arrays

RANGES_FILE = "ranges.npz"
"""Name of the file with the activations' ranges inside the folder of voices."""

DOT_PRODUCTS = frozenset({"avx512_vnni", "avx_vnni", "asimddp"})
"""Processor flags that mean fast products of bytes. Without them such products are slow, or saturate."""

Ranges = Mapping[str, NDArray[np.float32]]
"""By site (`noise_res.0/convs1.0`): lowest and highest value of every channel, (2, channels in + out)."""


def has_fast_integers(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this processor has dot products of bytes."""
    if platform.system() == "Darwin":
        return platform.machine() == "arm64"
    try:
        words = set(cpuinfo.read_text(errors="replace").split())
    except OSError:
        return False
    return not DOT_PRODUCTS.isdisjoint(words)


def load_ranges(directory: Path) -> Ranges:
    """The ranges in a folder of voices; none when there is no whole file of them."""
    try:
        arrays = read_arrays(directory / RANGES_FILE)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return {}
    return {site: array.astype(np.float32) for site, array in arrays.items()}
