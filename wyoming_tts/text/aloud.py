"""What is read out of a sentence: markup away, the user's words, numbers in words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.lexicon import Lexicon
from wyoming_tts.text.markup import clean
from wyoming_tts.text.normalise import normalise
from wyoming_tts.types import Pronunciation, Voice

_SPEAKABLE = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Aloud:
    """One sentence in the stages it goes through."""

    cleaned: AlignedText
    """As written, without markup."""

    normalised: AlignedText
    """As it is read out."""

    @property
    def is_speakable(self) -> bool:
        """Whether there is anything to say in it."""
        return bool(_SPEAKABLE.search(self.normalised.text))

    @property
    def pronunciations(self) -> tuple[Pronunciation, ...]:
        """The stretches of the normalised text whose phonemes somebody gave."""
        return tuple(
            Pronunciation(mark.start, mark.end, mark.value)
            for mark in self.normalised.marks
            if mark.kind == "phonemes"
        )


def read_aloud(
    text: AlignedText, voice: Voice, lexicon: Lexicon | None = None, *, spell_out: bool = True
) -> Aloud:
    """How `voice` reads a sentence out. Never raises, whatever the text.

    Without `spell_out` numbers, units and the like stay as they are; markup goes in any case.
    """
    cleaned = read_written(text)
    looked_up = lexicon.apply(cleaned, voice.language, voice.name) if lexicon else cleaned
    return Aloud(cleaned, normalise(looked_up, voice.language).stripped() if spell_out else looked_up)


def read_written(text: AlignedText) -> AlignedText:
    """A sentence as written, without markup."""
    return clean(text).stripped()
