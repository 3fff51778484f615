"""Which of a backend's voices speaks in the place of another's."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from wyoming_tts.types import Voice
from wyoming_tts.voices import language_key


def match_voice(voice: Voice, offered: Sequence[Voice], mapping: Mapping[str, str]) -> Voice | None:
    """The voice of `offered` that stands for `voice`, speaking its language; None where none can.

    First what `mapping` says of the voice's name, then of its language; then a voice of the same name; then
    one that speaks the language, of the same region and gender where there is one.
    """
    for wanted in (mapping.get(voice.name), mapping.get(voice.language)):
        if wanted and (found := _named(wanted, offered)):
            return _speaking(found, voice.language)
    same = _named(bare_name(voice), offered)
    if same and _likeness(voice, same)[0]:
        return _speaking(same, voice.language)
    able = [candidate for candidate in offered if _likeness(voice, candidate)[0]]
    return _speaking(max(able, key=lambda one: _likeness(voice, one)), voice.language) if able else None


def bare_name(voice: Voice) -> str:
    """A voice's name without the backend's in front: `nova` for `openai/nova`."""
    return voice.name.removeprefix(f"{voice.backend}/")


def speaks(voice: Voice, language: str) -> bool:
    """Whether a voice speaks a language (any tag), of whatever region."""
    wanted = language_key(language).split("-")[0]
    return any(language_key(tag).split("-")[0] == wanted for tag in voice.spoken)


def _named(name: str, offered: Sequence[Voice]) -> Voice | None:
    wanted = name.casefold()
    for candidate in offered:
        names = (candidate.name, bare_name(candidate), *candidate.aliases)
        if wanted in (one.casefold() for one in names):
            return candidate
    return None


def _likeness(voice: Voice, candidate: Voice) -> tuple[bool, bool, bool]:
    """Whether it can speak for the voice, is of its gender, and has its region; more is better."""
    tags = {language_key(tag) for tag in candidate.spoken}
    return (
        speaks(candidate, voice.language),
        voice.gender is not None and voice.gender == candidate.gender,
        language_key(voice.language) in tags,
    )


def _speaking(candidate: Voice, language: str) -> Voice:
    """The voice as it speaks the language; its own tag where that is the same language, as `en-GB` is."""
    exact = language_key(language) in {language_key(tag) for tag in candidate.spoken}
    same = language_key(candidate.language).split("-")[0] == language_key(language).split("-")[0]
    return candidate if same and not exact else dataclasses.replace(candidate, language=language)
