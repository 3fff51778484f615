"""kokoro-onnx in a process of its own: a request a line comes in, an answer a line goes out.

Arguments: model, voices, number of threads (0 leaves the session as kokoro-onnx makes it).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any

import onnxruntime
from kokoro_onnx import Kokoro

from tests.benchmarks.measure import silence_before


def load(model: str, voices: str, threads: int) -> Kokoro:
    """Kokoro with its default session, or with one of so many threads."""
    if not threads:
        return Kokoro(model, voices)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return Kokoro.from_session(session, voices)


def answer(kokoro: Kokoro, request: Mapping[str, Any]) -> dict[str, float]:
    """Speak one text whole."""
    begun = time.perf_counter()
    samples, rate = kokoro.create(request["text"], voice=request["voice"], lang="en-us", trim=request["trim"])
    finished = time.perf_counter() - begun
    return {
        "finished": finished,
        "seconds": len(samples) / rate,
        "silence": silence_before(samples.astype("float32"), rate),
    }


def main() -> None:
    """Answer until standard input ends."""
    model, voices, threads = sys.argv[1:]
    kokoro = load(model, voices, int(threads))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(kokoro, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
