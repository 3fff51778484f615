"""How near streamed speech is to the network's own decoding of the whole sentence.

    python -m tests.quality.closeness [--sentences 10] [--data-dir DIR] [VOICE ...]

The streamed one is what a listener gets: small windows that grow, norms with foretold statistics, integers
where the processor is fast at them. The other computes in floats throughout: the front, and the generator as
exported, run once over the sentence with its own statistics. PESQ (wide band) says how alike they sound, from
1 to 4.64; the distance is the mean difference of their mel spectra in decibels.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pesq import PesqError, pesq
from scipy.signal import resample_poly

from tests.quality.texts import texts_for
from tests.speech import GROWING, Model, Sentence, place_of
from wyoming_tts.backends.kokoro import FRAME, RATE, SILENCE
from wyoming_tts.types import Samples, Voice

VOICES = (
    *("af_heart", "af_bella", "am_michael", "am_fenrir", "bf_emma"),
    *("bm_george", "ef_dora", "ff_siwis", "jf_alpha", "zf_xiaoxiao"),
)
"""Ten voices, half of them of the best, in six languages."""

FIRST_WINDOW_SECONDS = GROWING[0] * FRAME / RATE

MARGINS = tuple(round(RATE * seconds) for seconds in (0, 0.1, 0.25, 0.5, 1))
"""Samples of silence around what is compared, tried in turn.

PESQ looks for delays between the two by itself. These are aligned to the sample, but now and then it finds
delays that are not there, and its score falls by one: the same pair gets 4.4 with no silence around it, 3.6
with half a second and 4.3 with a whole one. Such a mistake only ever costs, so the best try counts.
"""

MELS, MEL_WINDOW, MEL_HOP = 80, 1024, 256
MEL_RANGE = 60.0
"""Decibels below the loudest point of a sentence that still count."""


@dataclass(frozen=True)
class Closeness:
    """One sentence, compared."""

    voice: str
    text: str
    frames: int
    pesq: float
    decibels: float


def compare(sentence: Sentence, exact: Sentence) -> Closeness:
    """Stream one sentence and hold it against the network's own decoding of the same in floats."""
    streamed = sentence.deliver().samples
    start = place_of(streamed, sentence.whole())
    whole = exact.exact()[0][start : start + len(streamed)]
    return Closeness(
        voice=sentence.voice.name,
        text=sentence.text,
        frames=sentence.frames,
        pesq=pesq_wb(whole, streamed),
        decibels=mel_distance(whole, streamed),
    )


def pesq_wb(whole: Samples, streamed: Samples) -> float:
    """PESQ-WB of speech at 24 kHz, sample on sample. Raises PesqError where there is no speech."""
    pair = [resample_poly(audio, 2, 3).astype(np.float64) for audio in (whole, streamed)]
    scale = 0.9 / max(np.abs(audio).max() for audio in pair)
    tries = [_pesq([np.pad(scale * audio, margin * 2 // 3) for audio in pair]) for margin in MARGINS]
    scores = [score for score in tries if not np.isnan(score)]
    if not scores:
        raise PesqError("there is no speech in it")
    return max(scores)


def _pesq(pair: Sequence[NDArray[np.float64]]) -> float:
    try:
        return float(pesq(16_000, *pair, "wb"))
    except PesqError:
        return float("nan")


def mel_distance(whole: Samples, streamed: Samples) -> float:
    """Mean difference of two mel spectra in decibels, where either is within `MEL_RANGE` of the peak."""
    a, b = _mel_power(whole), _mel_power(streamed)
    floor = max(a.max(), b.max()) * 10 ** (-MEL_RANGE / 10)
    heard = np.maximum(a, b) > floor
    a, b = (10 * np.log10(np.maximum(power, floor)) for power in (a, b))
    return float(np.abs(a - b)[heard].mean())


def _mel_power(samples: Samples) -> NDArray[np.float64]:
    """Power in mel bands, (steps, MELS)."""
    steps = max(1, 1 + (len(samples) - MEL_WINDOW) // MEL_HOP)
    at = np.arange(steps)[:, None] * MEL_HOP + np.arange(MEL_WINDOW)
    padded = np.pad(samples.astype(np.float64), (0, MEL_WINDOW))
    return np.square(np.abs(np.fft.rfft(padded[at] * np.hanning(MEL_WINDOW)))) @ _mel_bands()


def _mel_bands() -> NDArray[np.float64]:
    """Triangular bands, evenly spaced on the mel scale up to half the rate; (bins, MELS)."""
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, MELS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(MEL_WINDOW, 1 / RATE)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    return np.clip(np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)), 0, None)


def measure(model: Model, exact: Model, voice: Voice, count: int) -> Iterable[Closeness]:
    """Compare `count` sentences of one voice, in its own language."""
    for text in texts_for(voice, count):
        try:
            yield compare(model.read(voice, text), exact.read(voice, text))
        except PesqError as error:
            print(f"{voice.name} {text!r}: PESQ cannot say ({error})")


def _row(name: str, results: Sequence[Closeness]) -> str:
    scores = [result.pesq for result in results]
    decibels = np.mean([result.decibels for result in results])
    return f"| {name} | {len(results)} | {np.mean(scores):.2f} | {min(scores):.2f} | {decibels:.2f} |"


def table(results: Sequence[Closeness]) -> str:
    """Results by voice and by length, in Markdown."""
    lines = ["| | sentences | PESQ-WB, mean | lowest | log-mel distance, dB |", "|---|---|---|---|---|"]
    for voice in dict.fromkeys(result.voice for result in results):
        lines.append(_row(voice, [result for result in results if result.voice == voice]))
    for low, high in ((0, 80), (80, 120), (120, 200), (200, 10_000)):
        if some := [result for result in results if low <= result.frames < high]:
            seconds = f"{low * FRAME / RATE:g} s" if high == 10_000 else f"{high * FRAME / RATE:g} s"
            lines.append(_row(f"{'from' if high == 10_000 else 'under'} {seconds}", some))
    return "\n".join([*lines, _row("**all**", results)])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sentences", type=int, default=10, help="a voice")
    parser.add_argument("--data-dir", type=Path, help="where prepared graphs are kept")
    parser.add_argument("voices", nargs="*", metavar="VOICE", default=list(VOICES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        model, exact = (Model.load(options.data_dir or Path(temporary), integers=i) for i in (True, False))
    results: list[Closeness] = []
    for name in options.voices:
        for result in measure(model, exact, model.voice(name), options.sentences):
            results.append(result)
            print(
                f"{result.voice:12} {result.frames:4} frames  {result.pesq:.2f}  {result.decibels:.2f} dB"
                f"  {result.text}"
            )
    print(f"\nFirst window {FIRST_WINDOW_SECONDS:.2f} s, audible below {SILENCE:.4f}\n\n{table(results)}")


if __name__ == "__main__":
    main()
