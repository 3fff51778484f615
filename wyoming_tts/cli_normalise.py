"""`wyoming-tts normalise`: what becomes of a text before it is spoken, stage by stage; needs no server."""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from wyoming_tts.config_load import load_settings
from wyoming_tts.errors import ConfigError
from wyoming_tts.reading import Reader, Reading
from wyoming_tts.text.lexicon import FILE_NAME, Lexicon
from wyoming_tts.types import VoiceQuery
from wyoming_tts.voices import load_catalogue

DESCRIPTION = "Show how a text is read out: cleaned, in words, in sentences, in phonemes."


def _cleaned(reading: Reading) -> str:
    return " ".join(aloud.cleaned.text for aloud in reading.sentences)


def _normalised(reading: Reading) -> str:
    return " ".join(aloud.normalised.text for aloud in reading.sentences)


def _sentences(reading: Reading) -> str:
    return " | ".join(aloud.cleaned.text for aloud in reading.sentences)


def _phonemes(reading: Reading) -> str:
    return " ".join(phonemes.text for phonemes in reading.phonemes)


STAGES: Mapping[str, Callable[[Reading], str]] = MappingProxyType(
    {"cleaned": _cleaned, "normalised": _normalised, "sentences": _sentences, "phonemes": _phonemes}
)
"""What `--stage` names; each gives one line."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument("text", nargs="*", help="the text; none or - reads standard input, a text a line")
    parser.add_argument("--language", metavar="TAG", help="language to read it in (default: the voice's)")
    parser.add_argument("--voice", metavar="NAME", help="voice to read it with (default: the server's)")
    parser.add_argument("--stage", choices=list(STAGES), help="show this stage alone, one line for each text")
    parser.add_argument("--json", action="store_true", help="everything, one JSON object for each text")
    parser.add_argument("--data-dir", metavar="DIR", help="where lexicon.toml is (default: the server's)")


async def run(options: argparse.Namespace) -> None:
    """Read the texts and print them. Raises WyomingTtsError."""
    if options.stage and options.json:
        raise ConfigError("--stage and --json exclude each other: JSON holds all stages")
    settings = load_settings(["--data-dir", options.data_dir] if options.data_dir else [])
    catalogue = load_catalogue(settings.voices_dir, settings.voice)
    voice = catalogue.resolve(VoiceQuery(name=options.voice, language=options.language))
    if options.voice and options.language:
        voice = dataclasses.replace(voice, language=options.language)
    reader = Reader(voice, Lexicon(settings.data_dir / FILE_NAME))
    for text in _texts(options.text):
        reading = reader.read(text, phonemes=options.stage in (None, "phonemes"))
        print(_shown(reading, options), flush=True)


def _texts(words: list[str]) -> Iterator[str]:
    """The text of the command line, or each line of standard input."""
    if words and words != ["-"]:
        yield " ".join(words)
        return
    lines: Iterable[str] = io.TextIOWrapper(
        sys.stdin.buffer, encoding="utf-8", errors="replace", newline="\n"
    )
    for line in lines:
        yield line.rstrip("\r\n")


def _shown(reading: Reading, options: argparse.Namespace) -> str:
    if options.stage:
        return STAGES[options.stage](reading).replace("\n", " ")
    if options.json:
        return json.dumps(_as_dict(reading), ensure_ascii=False)
    stages = _as_dict(reading)
    sentences = [f"{number}. {text}" for number, text in enumerate(stages.pop("sentences"), 1)]
    rows = [(name, value) for name, value in stages.items() if name not in ("tokens", "unknown")]
    rows += [("sentences", "\n".join(sentences))]
    rows += [("tokens", "\n".join(" ".join(map(str, tokens)) for tokens in stages["tokens"]))]
    rows += [("not known", ", ".join(stages["unknown"]) or "nothing")]
    return "\n".join(
        f"{name + ':':12}{str(value).replace(chr(10), chr(10) + ' ' * 12)}" for name, value in rows
    )


def _as_dict(reading: Reading) -> dict[str, Any]:
    return {
        "text": reading.text,
        "language": reading.language,
        "cleaned": _cleaned(reading),
        "normalised": _normalised(reading),
        "sentences": [aloud.cleaned.text for aloud in reading.sentences],
        "phonemes": _phonemes(reading),
        "tokens": [list(phonemes.tokens) for phonemes in reading.phonemes],
        "unknown": [word for phonemes in reading.phonemes for word in phonemes.unknown],
    }
