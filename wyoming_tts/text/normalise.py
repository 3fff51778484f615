"""Written text to what a person would read out: "21.5 °C" to "twenty-one point five degrees Celsius".

Each language is a module of this package with two functions: `normalise(text, language)`, whose
result it would leave unchanged, and `say_as(text, kind, form, language)`, which obeys a `Mark`.
"""

from __future__ import annotations

import importlib
from typing import Protocol, cast

from wyoming_tts.text.aligned import AlignedText, Kind

LANGUAGES = ("en", "es", "fr", "it", "pt", "hi", "ja", "zh")
"""Primary subtags of the languages with a normaliser."""


class Normaliser(Protocol):
    """What a language's module offers."""

    def normalise(self, text: AlignedText, language: str) -> AlignedText:
        """One sentence without markup, as it is read out; marks and what they cover stay as they are.

        `language` is a BCP 47 tag of the module's language (`en-GB`).
        """
        ...

    def say_as(self, text: str, kind: Kind, form: str, language: str) -> str | None:
        """`text` read as SSML's `say-as` wants: characters, digits, cardinal, ordinal, date, time, telephone.

        None where it cannot be read so ("abc" as a date): it is then read as any other text.
        """
        ...


def normalise(text: AlignedText, language: str) -> AlignedText:
    """One sentence without markup, as it is read out in the language (a BCP 47 tag).

    Normalising the result changes nothing. Text in a language without a normaliser is left alone.
    """
    normaliser = _normaliser(language)
    if normaliser is None:
        return text
    return normaliser.normalise(_obeyed(text, normaliser, language), language)


def _normaliser(language: str) -> Normaliser | None:
    primary = language.lower().replace("_", "-").split("-")[0]
    if primary not in LANGUAGES:
        return None
    return cast(Normaliser, importlib.import_module(f"wyoming_tts.text.{primary}"))


def _obeyed(text: AlignedText, normaliser: Normaliser, language: str) -> AlignedText:
    """With everything that is marked to be read in some way read so; other marks stay."""
    edits = []
    for mark in text.marks:
        if mark.kind not in ("phonemes", "verbatim"):
            written = text.text[mark.start : mark.end]
            said = normaliser.say_as(written, mark.kind, mark.value, language)
            if said is not None:
                edits.append((mark.start, mark.end, said))
    return AlignedText(
        text.text,
        text.starts,
        text.ends,
        tuple(mark for mark in text.marks if mark.kind in ("phonemes", "verbatim")),
    ).edited(edits)
