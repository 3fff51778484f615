"""What clients may ask to be spoken, in OpenAI's words and in this project's own."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from wyoming_tts.http_stream import Wanted
from wyoming_tts.types import VoiceQuery

FormatName = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]

LOWEST_RATE, HIGHEST_RATE = 8_000, 48_000

KOKORO_LANGUAGES = {
    "a": "en-US", "b": "en-GB", "e": "es", "f": "fr-FR", "h": "hi", "i": "it", "j": "ja", "p": "pt-BR",
    "z": "zh-CN",
}  # fmt: skip
"""Letters that Kokoro's own tools call languages by."""


class VoiceId(BaseModel):
    """A voice as an object, as OpenAI's own voices of one's own are given."""

    id: str = Field(min_length=1, max_length=400)
    """Its name."""


class NormalizationOptions(BaseModel):
    """How a text is read out."""

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True)

    normalize: bool = True
    """Whether numbers, units, times and the like are put into words; markup goes in any case."""


VoiceName = Annotated[str, Field(max_length=400)]


class SpeechRequest(BaseModel):
    """What OpenAI's `POST /v1/audio/speech` takes, and some more."""

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True)

    input: str = Field(min_length=1, pattern=r"\S")
    """The text to speak."""

    model: str = Field(default="kokoro", max_length=200)
    """A name of `GET /v1/models`. That of a backend looks for the voice there; others change nothing."""

    voice: VoiceName | VoiceId | None = None
    """A voice, one of OpenAI's names, or a blend such as `af_bella(2)+af_sky(1)`; none is the default one."""

    instructions: str = Field(default="", max_length=4096)
    """How to speak, for backends that can be told."""

    response_format: FormatName = "mp3"
    """Kind of file: `mp3`, `opus` (in Ogg), `aac`, `flac`, `wav`, or `pcm`: 16 bits, mono, no header."""

    speed: float = Field(default=1.0, ge=0.25, le=4.0)
    """Pace; 1 is the voice's own."""

    stream_format: Literal["audio", "sse"] = "audio"
    """The file itself, or events with pieces of it."""

    stream: bool = True
    """Whether bytes leave as soon as they are there; otherwise the answer has a length."""

    lang_code: str | None = Field(default=None, max_length=40)
    """Language tag (`en-GB`, or Kokoro's letter `b`): whose voice speaks where none is named."""

    sample_rate: int | None = Field(default=None, ge=LOWEST_RATE, le=HIGHEST_RATE)
    """Samples per second of the file; none is the voice's own, 24,000."""

    volume: float = Field(
        default=1.0, ge=0, le=4, validation_alias=AliasChoices("volume", "volume_multiplier")
    )
    """Factor of the amplitude."""

    normalization_options: NormalizationOptions = NormalizationOptions()
    """How the text is read out."""

    text_format: Literal["text", "ssml"] = "text"
    """Whether the text is plain (with markdown and the like) or SSML."""

    def wanted(self, known: Collection[str] = ()) -> Wanted:
        """For the pipeline; `known` are the names of voices, which `model` may choose from."""
        asked = query(self.voice, self.lang_code)
        if f"{self.model}/{asked.name}" in known:
            asked = VoiceQuery(name=f"{self.model}/{asked.name}")
        return Wanted(
            text=self.input,
            voice=asked,
            speed=None if self.speed == 1 else self.speed,
            volume=self.volume,
            text_format=self.text_format,
            normalise=self.normalization_options.normalize,
            instructions=self.instructions,
        )


class TtsRequest(BaseModel):
    """What this project's own `POST /tts` takes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    text: str = Field(min_length=1, pattern=r"\S")
    """The text to speak."""

    voice: VoiceName | None = None
    """A voice or a blend; none is the default one, or one for the text's language."""

    language: str | None = Field(default=None, max_length=40)
    """Language tag, where no voice is named."""

    speed: float | None = Field(default=None, ge=0.25, le=4.0)
    """Pace; none is the server's."""

    format: FormatName = "wav"
    """Kind of file."""

    sample_rate: int | None = Field(default=None, ge=LOWEST_RATE, le=HIGHEST_RATE)
    """Samples per second of the file."""

    volume: float = Field(default=1.0, ge=0, le=4)
    """Factor of the amplitude."""

    text_format: Literal["text", "ssml"] = "text"
    """Whether the text is plain or SSML."""

    normalise: bool = True
    """Whether numbers, units, times and the like are put into words."""

    def wanted(self) -> Wanted:
        """For the pipeline."""
        return Wanted(
            text=self.text,
            voice=query(self.voice, self.language),
            speed=self.speed,
            volume=self.volume,
            text_format=self.text_format,
            normalise=self.normalise,
        )


class StreamRequest(TtsRequest):
    """What `POST /tts/stream` takes."""

    events: bool = False
    """Answer with server-sent events: audio, words and progress as they come. The audio is PCM then."""


def query(voice: str | VoiceId | None, language: str | None) -> VoiceQuery:
    """Which voice is meant."""
    name = voice.id if isinstance(voice, VoiceId) else voice
    name = (name or "").strip()
    tag = (language or "").strip()
    return VoiceQuery(name=name or None, language=KOKORO_LANGUAGES.get(tag.lower(), tag) or None)
