"""Derives the graphs of an exported Kokoro, as a process of its own.

    python -m wyoming_tts.backends.kokoro_prepare DIRECTORY [RANGES_FOLDER BITS] < kokoro.onnx

Rewriting takes seconds of Python and a gigabyte: in the server's process it would keep everybody waiting.
"""

from __future__ import annotations

import sys
from pathlib import Path

from wyoming_tts.backends.kokoro_ranges import Integers, load_ranges
from wyoming_tts.prepared import end_with_parent, run_apart

PROSODY, TRUNK, GENERATOR, REFERENCE = "prosody.onnx", "trunk.onnx", "generator.onnx", "reference.onnx"
CONTEXT = "context"
"""Key in the generator's metadata: frames beside a window that it looks at."""

INTEGER_CONTEXT, FLOAT_CONTEXT = 6, 5
"""With five frames integers are rounded differently at times; with four, floats differ by 0.0002."""

FILES = (PROSODY, TRUNK, GENERATOR, REFERENCE)
"""What is derived: the parts that speak, and the exported generator to calibrate voices with."""


def prepare(export: bytes, directory: Path, integers: Integers | None) -> None:
    """Write `FILES` into `directory`, and wait for that.

    Without `integers` all is computed in floats. Raises ValueError when the export is another graph, and
    BackendUnavailableError when the process is killed.
    """
    extra = [str(integers.folder), str(integers.bits)] if integers else []
    run_apart(__name__, [str(directory), *extra], export, "preparing the model")


def main() -> int:
    """What the process does; its last line on standard error says what went wrong."""
    end_with_parent()
    import onnx

    from wyoming_tts.backends import kokoro_graph
    from wyoming_tts.backends.kokoro_integer import quantize

    directory, *integers = sys.argv[1:]
    export = sys.stdin.buffer.read()
    try:
        prosody, trunk, generator = kokoro_graph.derive(export, fine=not integers)
        reference = kokoro_graph.derive_reference(export)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if integers:
        folder, bits = integers
        ranges = load_ranges(Path(folder))
        for part in (prosody, trunk, generator):
            quantize(part, ranges, int(bits))
    kokoro_graph.take_apart(generator, integers=bool(integers))
    onnx.helper.set_model_props(generator, {CONTEXT: str(INTEGER_CONTEXT if integers else FLOAT_CONTEXT)})
    for name, graph in zip(FILES, (prosody, trunk, generator, reference), strict=True):
        (Path(directory) / name).write_bytes(graph.SerializeToString())
    return 0


if __name__ == "__main__":
    sys.exit(main())
