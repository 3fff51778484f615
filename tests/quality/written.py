"""Is written text understood as well as the same text spelled out? Asked of a Whisper model.

    python -m tests.quality.written [--data-dir DIR] [--voice NAME]

Speaks each English case of `normalise_en_given.tsv` twice: as it is written ("21.5°C"), and as a person would
spell it out. The model writes numbers as it likes, so what it heard is itself read out before it is compared.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.quality.intelligibility import Listener, errors_between, words_of
from tests.speech import Model, deliver
from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.aloud import read_aloud
from wyoming_tts.types import Voice

CASES = Path(__file__).parent.parent / "cases" / "normalise_en_given.tsv"

LIMIT = 2.0
"""Points of word error rate that written form may cost."""


@dataclass(frozen=True)
class Score:
    """Wrong words of one case."""

    written: str
    words: int
    of_written: int
    of_spelled: int


def cases() -> list[tuple[str, str]]:
    """Written and spelled out."""
    lines = CASES.read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t")[:2] for line in lines if line.strip() and not line.startswith("#")]
    return [(written, spelled) for written, spelled in pairs]


def canonical(text: str, voice: Voice) -> list[str]:
    """Words of a text, read out."""
    return words_of(read_aloud(AlignedText.of(text), voice).normalised.text.replace("-", " "))


def compare(model: Model, listener: Listener, voice: Voice, pairs: Sequence[tuple[str, str]]) -> list[Score]:
    """Let the listener write down both."""
    scores = []
    for written, spelled in pairs:
        said = canonical(spelled, voice)
        texts = (read_aloud(AlignedText.of(written), voice).normalised.text, spelled)
        heard = [listener.hear(deliver(model, voice, text).samples) for text in texts]
        wrong = [errors_between(said, canonical(text, voice)) for text in heard]
        scores.append(Score(written, len(said), *wrong))
    return scores


def rates(scores: Sequence[Score]) -> tuple[float, float]:
    """Word error rates in per cent: of the written form, of the spelled one."""
    words = sum(score.words for score in scores)
    written, spelled = sum(s.of_written for s in scores), sum(s.of_spelled for s in scores)
    return 100 * written / words, 100 * spelled / words


def main() -> None:
    """Print what was misheard, and both rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=Path(tempfile.gettempdir()) / "wyoming-tts-tests")
    parser.add_argument("--voice", default="af_heart")
    options = parser.parse_args()
    model = Model.load(options.data_dir)
    scores = compare(model, Listener(), model.voice(options.voice), cases())
    for score in scores:
        if score.of_written or score.of_spelled:
            print(f"written {score.of_written}, spelled {score.of_spelled} wrong in: {score.written}")
    written, spelled = rates(scores)
    print(f"{options.voice}, {len(scores)} sentences, word error rate:")
    print(f"written {written:.2f} %, spelled out {spelled:.2f} %")
    raise SystemExit(written > spelled + LIMIT)


if __name__ == "__main__":
    main()
