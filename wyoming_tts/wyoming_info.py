"""What `describe` is answered with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from wyoming.info import Attribution, Info, TtsProgram, TtsVoice

from wyoming_tts.phonemes import missing_extra
from wyoming_tts.types import Voice
from wyoming_tts.wire import encode

PROGRAM_NAME = "wyoming-tts"
"""Home Assistant shows it as the title and makes its unique id of it: it never changes."""

BEST_PREFIX = "(Best) "
"""Home Assistant sorts the labels of a language and takes the first as default: `(` is before letters."""

_KOKORO = Attribution(name="hexgrad", url="https://huggingface.co/hexgrad/Kokoro-82M")
_PROJECT = Attribution(name="wyoming-tts", url="https://github.com/OHF-Voice/wyoming")
_NETWORK = "kokoro"
_VOICE_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Offer:
    """What one backend offers."""

    name: str
    """The backend's name."""

    engine: str
    """What computes, for people."""

    voices: tuple[Voice, ...]
    """Its voices, best first inside each language."""

    trouble: str = ""
    """Why it cannot speak now; empty when it can."""


def build_info(
    voices: Sequence[Voice],
    *,
    version: str,
    engine: str,
    streaming: bool,
    offers: Sequence[Offer] = (),
) -> Info:
    """The answer to `describe`; `voices` come best first inside each language, `engine` is for people.

    The first program has them all, since Home Assistant looks at no other; it stands for the first of
    `offers`, too. Each of the others is one more program, with the voices of one backend. Raises ValueError
    without voices: Home Assistant would load an entry that is broken.
    """
    if not voices:
        raise ValueError("info needs at least one voice")
    troubles = {offer.name: offer.trouble for offer in offers}
    first = _program(PROGRAM_NAME, engine, version, streaming, _tts_voices(voices, troubles))
    others = [
        _program(
            f"{PROGRAM_NAME} {offer.name}",
            offer.engine + (f"; cannot speak now: {offer.trouble}" if offer.trouble else ""),
            version,
            streaming,
            _tts_voices(offer.voices, troubles),
            installed=not offer.trouble,
        )
        for offer in offers[1:]
        if offer.voices
    ]
    return Info(tts=[first, *others])


def _program(
    name: str, engine: str, version: str, streaming: bool, voices: list[TtsVoice], *, installed: bool = True
) -> TtsProgram:
    return TtsProgram(
        name=name,
        attribution=_KOKORO if name == PROGRAM_NAME else _PROJECT,
        installed=installed,
        description=f"Streaming text to speech: {engine}",
        version=version,
        voices=voices,
        supports_synthesize_streaming=streaming,
    )


def _tts_voices(voices: Sequence[Voice], troubles: Mapping[str, str]) -> list[TtsVoice]:
    best = {voice.language: voice.name for voice in reversed(voices)}
    extras = {language: missing_extra(language) for language in best}
    return [
        TtsVoice(
            name=voice.name,
            attribution=_KOKORO if voice.network == _NETWORK else _PROJECT,
            # One whose backend is down stays: another voice speaks for it, and a choice should not vanish.
            installed=voice.network != _NETWORK or extras[voice.language] is None,
            description=(BEST_PREFIX if best[voice.language] == voice.name else "")
            + voice.description
            + (how_to_get(extras[voice.language]) if voice.network == _NETWORK else "")
            + (" – not available now, another voice speaks" if troubles.get(voice.backend) else ""),
            version=_VOICE_VERSION,
            languages=list(voice.spoken),
        )
        for voice in voices
    ]


def how_to_get(extra: str | None) -> str:
    """What a voice's description says when an extra is missing; nothing when none is."""
    return f"; needs `pip install 'wyoming-tts[{extra}]'`" if extra else ""


class InfoFrame:
    """The `info` frame, encoded again only when what it says has changed."""

    def __init__(self, info: Callable[[], Info]) -> None:
        """`info` is asked for every `describe`; it must answer at once, with a new object after a change."""
        self._ask = info
        self._info: Info | None = None
        self._frame = b""

    def frame(self) -> bytes:
        """The encoded event."""
        info = self._ask()
        if info is not self._info and info != self._info:
            self._frame = encode(info.event())
        self._info = info
        return self._frame

    def programs(self) -> list[str]:
        """Names that `select-program` may give."""
        return [program.name for program in self._ask().tts]
