"""What `describe` is answered with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wyoming.info import Attribution, Info, TtsProgram, TtsVoice

from wyoming_tts.phonemes import missing_extra
from wyoming_tts.types import Voice
from wyoming_tts.wire import encode

PROGRAM_NAME = "wyoming-tts"
"""Home Assistant shows it as the title and makes its unique id of it: it never changes."""

BEST_PREFIX = "(Best) "
"""Home Assistant sorts the labels of a language and takes the first as default: `(` is before letters."""

_KOKORO = Attribution(name="hexgrad", url="https://huggingface.co/hexgrad/Kokoro-82M")
_VOICE_VERSION = "1.0"


def build_info(voices: Sequence[Voice], *, version: str, engine: str, streaming: bool) -> Info:
    """The answer to `describe`; `voices` come best first inside each language, `engine` is for people.

    Raises ValueError without voices: Home Assistant would load an entry that is broken.
    """
    if not voices:
        raise ValueError("info needs at least one voice")
    program = TtsProgram(
        name=PROGRAM_NAME,
        attribution=_KOKORO,
        installed=True,
        description=f"Streaming text to speech: {engine}",
        version=version,
        voices=_tts_voices(voices),
        supports_synthesize_streaming=streaming,
    )
    return Info(tts=[program])


def _tts_voices(voices: Sequence[Voice]) -> list[TtsVoice]:
    best = {voice.language: voice.name for voice in reversed(voices)}
    extras = {language: missing_extra(language) for language in best}
    return [
        TtsVoice(
            name=voice.name,
            attribution=_KOKORO,
            installed=extras[voice.language] is None,
            description=(BEST_PREFIX if best[voice.language] == voice.name else "")
            + voice.description
            + how_to_get(extras[voice.language]),
            version=_VOICE_VERSION,
            languages=[voice.language],
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
