"""A recording of every voice, to be listened to before anything is installed, and the page that lists them.

    python -m tests.quality.samples [--data-dir DIR] [VOICE ...]

Each voice says the sentence that the studio has for its language, through the real pipeline, at its own
pace. Writes docs/voices/NAME.mp3, and docs/voices.md with all of them. What a Whisper model hears of the
English ones is printed; it understands no other language.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.quality.intelligibility import Listener, errors_between, words_of
from wyoming_tts import create_whole_file_pipeline
from wyoming_tts.types import Samples, Voice
from wyoming_tts.voices import VoiceCatalogue, load_catalogue

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "voices.md"
FOLDER = ROOT / "docs" / "voices"
STUDIO = ROOT / "wyoming_tts" / "web" / "languages.js"

RATE = 24_000
BIT_RATE = 40_000
"""Of MP3, mono: with it all voices take less than a megabyte."""

INTRODUCTION = """\
# Voices to listen to

Every voice of Kokoro as this server speaks it, by language, the best one of each first. The recordings are
short MP3 files: the sentence with which the studio introduces a voice, computed on a processor with the
default settings. Names, aliases and blends are explained in the
[README](../README.md#voices-and-languages), which also [credits](../README.md#licences) the speakers.

The grade is that of the model's authors, from A to F, by the quality and the length of a voice's recordings.
"""


def sentences() -> Mapping[str, str]:
    """By language tag, as the studio has them."""
    block = STUDIO.read_text(encoding="utf-8").partition("SENTENCES = {")[2].partition("\n};")[0]
    pairs = re.findall(r'("[\w-]+"): (".*"),', block)
    return {json.loads(tag): json.loads(text) for tag, text in pairs}


def sentence_for(voice: Voice) -> str:
    """What a voice says."""
    known = sentences()
    return known.get(voice.language) or known[voice.language.split("-")[0]]


def in_order(catalogue: VoiceCatalogue) -> Mapping[str, list[Voice]]:
    """The voices of each language, the best one first, then as in the catalogue."""
    found: dict[str, list[Voice]] = {}
    for voice in catalogue.voices():
        found.setdefault(voice.language, []).append(voice)
    for language, voices in found.items():
        best = catalogue.best_for_language(language)
        voices.sort(key=lambda voice, best=best: voice != best)  # type: ignore[misc]
    return found


def page(catalogue: VoiceCatalogue) -> str:
    """The page in Markdown."""
    parts = [INTRODUCTION]
    for language, voices in in_order(catalogue).items():
        name = voices[0].description.split(", ")[1]
        parts.append(f"\n## {name}, `{language}`\n\n“{sentence_for(voices[0])}”\n")
        parts.append("\n| Voice | | Grade | |\n|---|---|---|---|\n")
        for number, voice in enumerate(voices):
            called = voice.description.split(", ")[0] + ", " + (voice.gender or "")
            best = " (best)" if number == 0 and len(voices) > 1 else ""
            row = f"`{voice.name}`{best}", called, voice.grade or "", f"[listen](voices/{voice.name}.mp3)"
            parts.append(f"| {' | '.join(row)} |\n")
    return "".join(parts)


def encoded(samples: Samples) -> bytes:
    """24 kHz mono samples as MP3."""
    file = io.BytesIO()
    container: Any
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono")
        stream.codec_context.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="fltp", layout="mono")
        frame.sample_rate = RATE
        for packets in (stream.encode(frame), stream.encode(None)):
            container.mux(packets)
    return file.getvalue()


def record(voices: Iterable[Voice], data_dir: Path) -> None:
    """Write the recordings, and tell what is heard of the English ones."""
    listener = Listener()
    FOLDER.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = {"chain": ("kokoro",), "data_dir": data_dir, "offline": True, "plugins": False}
    with create_whole_file_pipeline(**settings) as pipeline:
        for voice in voices:
            text = sentence_for(voice)
            speech = pipeline.process(text, voice=voice.name)
            assert speech.rate == RATE
            (FOLDER / f"{voice.name}.mp3").write_bytes(encoded(speech.samples))
            loudest = np.abs(speech.samples).max()
            print(f"{voice.name}: {speech.seconds:.2f} s, peak {loudest:.2f}", end="", flush=True)
            if voice.language.startswith("en"):
                heard = listener.hear(speech.samples)
                print(f", {errors_between(words_of(text), words_of(heard))} wrong: {heard}", end="")
            print(flush=True)


def main() -> None:
    """Record, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, default=Path(tempfile.gettempdir()) / "wyoming-tts-tests")
    parser.add_argument("voices", nargs="*", metavar="VOICE", help="all when none is named")
    options = parser.parse_args()
    catalogue = load_catalogue()
    wanted = [v for v in catalogue.voices() if not options.voices or v.name in options.voices]
    record(wanted, options.data_dir)
    PAGE.write_text(page(catalogue), encoding="utf-8")


if __name__ == "__main__":
    main()
