"""Prepares the model's graphs while the image is made: python prepare.py DIRECTORY BITS...

The server would do the same at its first start. Graphs depend on the weights and on how wide a weight the
processor multiplies fastest (`weight_bits`), on nothing else of the machine: so they can be made here for
other processors, and the server takes those that suit it.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from wyoming_tts.backends.base import Surroundings
from wyoming_tts.backends.kokoro_onnx import graphs
from wyoming_tts.backends.kokoro_ranges import Integers
from wyoming_tts.voices import voices_directory


def main() -> None:
    """Make each kind of graphs that is named: 8 or 7 bits of a weight, 0 for floats."""
    directory = Path(sys.argv[1])
    around = Surroundings(name="kokoro", data_dir=directory, download_dir=directory, offline=True)
    for bits in map(int, sys.argv[2:]):
        integers = Integers(voices_directory(), bits) if bits else None
        with graphs("int8", around, integers) as made:
            print(made)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
