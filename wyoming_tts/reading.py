"""What becomes of a text before it is spoken, in all stages, for people who want to see it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from wyoming_tts.phonemes import Phonemes, Phonemizer
from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.aloud import Aloud, read_aloud
from wyoming_tts.text.lexicon import Lexicon
from wyoming_tts.text.split import Splitter
from wyoming_tts.types import Voice

FIRST_LIMIT = 220
"""Characters of the first sentence from which on it is split, as any other is."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One text in all its stages."""

    text: str
    """As it was given."""

    written: tuple[str, ...]
    """Its sentences as they stand in it, of which something is spoken."""

    sentences: tuple[Aloud, ...]
    """What is spoken one by one."""

    phonemes: tuple[Phonemes, ...]
    """Of each of them; empty when nobody asked."""

    language: str
    """BCP 47 tag of the voice's language."""


class Reader:
    """Reads texts as a voice would."""

    def __init__(self, voice: Voice, lexicon: Lexicon, phonemizer: Phonemizer | None = None) -> None:
        """Loads nothing before the first text."""
        self._voice, self._lexicon, self._phonemizer = voice, lexicon, phonemizer or Phonemizer()

    def read(self, text: str, *, phonemes: bool = True) -> Reading:
        """All stages of one text; phonemes only where they are wanted, since they take loading."""
        splitter = Splitter(first_clause=False, first_limit=FIRST_LIMIT)
        segments = [*splitter.feed(text), *splitter.finish()]
        read = [
            read_aloud(AlignedText.of(segment.text, segment.start), self._voice, self._lexicon)
            for segment in segments
        ]
        are_spoken = [aloud.is_speakable for aloud in read]
        written = tuple(segment.text for segment in itertools.compress(segments, are_spoken))
        sentences = tuple(itertools.compress(read, are_spoken))
        spoken = (
            tuple(
                self._phonemizer.phonemize(aloud.normalised.text, self._voice.language, aloud.pronunciations)
                for aloud in sentences
            )
            if phonemes
            else ()
        )
        return Reading(text, written, sentences, spoken, self._voice.language)
