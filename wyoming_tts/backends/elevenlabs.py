"""ElevenLabs: streamed PCM with the time of each character, and sentences that know what came before."""

from __future__ import annotations

import json
import time
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from wyoming_tts.audio import from_s16
from wyoming_tts.backends.base import Surroundings
from wyoming_tts.backends.remote import Remote, RemoteOptions
from wyoming_tts.backends.remote_backend import RATE, RemoteBackend, most_bytes
from wyoming_tts.errors import BackendAuthError, BackendQuotaError, SynthesisError
from wyoming_tts.types import AudioChunk, Playhead, SynthesisRequest, Voice, WordTiming

LANGUAGES = (
    "en", "ar", "bg", "cs", "da", "de", "el", "es", "fi", "fil", "fr", "hi", "hr", "hu", "id", "it", "ja",
    "ko", "ms", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sv", "ta", "tr", "uk", "vi", "zh",
)  # fmt: skip
"""What the multilingual models speak."""

REQUESTS_BEFORE = 3
"""How many earlier requests a request may name."""

NO_CONTEXT = ("eleven_v3",)
"""Beginnings of models that do not take earlier requests."""


class ElevenLabsOptions(RemoteOptions):
    """Options of ElevenLabs."""

    KEY_VARIABLE: ClassVar[str] = "ELEVENLABS_API_KEY"

    base_url: str = "https://api.elevenlabs.io"
    """Where the service is; some regions have a host of their own."""

    model: str = "eleven_flash_v2_5"
    """Model that speaks."""

    stability: float | None = Field(default=None, ge=0, le=1)
    """How alike a voice's sentences are; none is the voice's own setting."""

    similarity_boost: float | None = Field(default=None, ge=0, le=1)
    """How close to the original a voice is."""

    style: float | None = Field(default=None, ge=0, le=1)
    """How much of the original's manner is exaggerated."""

    seed: int | None = Field(default=None, ge=0, le=4294967295)
    """Makes the same text sound the same, as far as the service can."""

    normalization: Literal["auto", "on", "off"] = "off"
    """Whether the service spells numbers out; they are already."""

    logging: bool = True
    """Whether the service may keep texts; `false` needs a plan that allows it."""

    languages: tuple[str, ...] = LANGUAGES
    """Language tags of what the model speaks."""

    @property
    def paid(self) -> bool:
        """See `RemoteOptions.paid`."""
        return True


class ElevenLabsBackend(RemoteBackend):
    """The service."""

    Options = ElevenLabsOptions

    def __init__(self, options: ElevenLabsOptions, surroundings: Surroundings) -> None:
        """Knows the voices that it knew last time. Raises ConfigError for a wrong address or key file."""
        key = options.key()
        headers = {"xi-api-key": key} if key else {}
        super().__init__(options, surroundings, Remote(surroundings.name, options, headers))
        self._options = options
        self._voices = self._of(self._kept())
        self._before: weakref.WeakKeyDictionary[Playhead, deque[str]] = weakref.WeakKeyDictionary()

    async def probe(self) -> None:
        """Ask for credit and voices. A key that may not see the credit may speak."""
        try:
            check_credit(self.name, await self._remote.json("GET", "v1/user/subscription"))
        except BackendAuthError as error:
            if "permission" not in str(error):
                raise
        found = await self._remote.json("GET", "v1/voices")
        if voices := self._of(found):
            self._voices = voices
            self._keep(found)

    def voices(self) -> Sequence[Voice]:
        """See `Backend.voices`."""
        mapped = [_voice({"voice_id": one, "name": one}, self.name, self._options.languages)
                  for one in self._options.voices.values()]  # fmt: skip
        known = {name for voice in self._voices for name in (voice.name, *voice.aliases)}
        return [*self._voices, *(one for one in mapped if one and not known & {one.name, *one.aliases})]

    def fingerprint(self, voice: Voice) -> str | None:
        """See `Backend.fingerprint`: what was paid for once is not paid for again."""
        return f"elevenlabs {self._options.base_url} {self._options.model} {self._settings()}"

    async def pieces(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """See `RemoteBackend.pieces`."""
        path = f"v1/text-to-speech/{_id(request.voice)}/stream/with-timestamps"
        query = {"output_format": f"pcm_{RATE}"}
        if not self._options.logging:
            query["enable_logging"] = "false"
        before = self._before.setdefault(_listener(request), deque(maxlen=REQUESTS_BEFORE))
        body = self._body(request, before)
        reader = AlignmentReader(request.text)
        limit = 4 * most_bytes(request.text)  # base64, and the times of each character
        async with self._remote.answer("POST", path, params=query, json=body) as response:
            lines = _Lines(self.name)
            async for data in self._remote.pieces(response, limit):
                for found in lines.feed(data):
                    yield reader.chunk(found)
            for found in lines.finish():
                yield reader.chunk(found)
            if identity := response.headers.get("request-id"):
                before.append(identity)

    def _body(self, request: SynthesisRequest, before: Sequence[str]) -> dict[str, Any]:
        options = self._options
        body: dict[str, Any] = {
            "text": request.text,
            "model_id": options.model,
            "apply_text_normalization": options.normalization,
        }
        if settings := self._settings() | ({"speed": request.speed} if request.speed != 1 else {}):
            body["voice_settings"] = settings
        if options.seed is not None:
            body["seed"] = options.seed
        if "multilingual_v2" not in options.model:
            body["language_code"] = request.voice.language.split("-")[0]
        if before and not options.model.startswith(NO_CONTEXT):
            body["previous_request_ids"] = list(before)
        return body

    def _settings(self) -> dict[str, float]:
        options = self._options
        settings = {
            "stability": options.stability,
            "similarity_boost": options.similarity_boost,
            "style": options.style,
        }
        return {name: value for name, value in settings.items() if value is not None}

    def _of(self, found: Any) -> list[Voice]:
        """The voices in an answer of `GET /v1/voices`."""
        entries = found.get("voices", []) if isinstance(found, dict) else []
        voices = [_voice(entry, self.name, self._options.languages) for entry in entries]
        return [voice for voice in voices if voice is not None]


class AlignmentReader:
    """The service's JSON objects as audio and words: characters and their times come with each."""

    def __init__(self, text: str) -> None:
        """`text` as it was sent."""
        self._text = text
        self._starts: list[float] = []
        self._ends: list[float] = []
        self._given = 0
        self._seconds = 0.0

    def chunk(self, found: Mapping[str, Any]) -> AudioChunk:
        """What one object holds. Raises SynthesisError when it is not what was announced."""
        import base64
        import binascii

        try:
            pcm = base64.b64decode(found.get("audio_base64") or "", validate=True)
            alignment = found.get("alignment") or {}
            self._add(
                [float(one) for one in alignment.get("character_start_times_seconds", ())],
                [float(one) for one in alignment.get("character_end_times_seconds", ())],
            )
        except (ValueError, TypeError, AttributeError, binascii.Error) as error:
            raise SynthesisError(f"the answer cannot be understood: {error}") from error
        self._seconds += len(pcm) / 2 / RATE
        done = min(len(self._starts), len(self._text)) / max(1, len(self._text))
        return AudioChunk(from_s16(pcm[: len(pcm) // 2 * 2]), words=tuple(self._words()), fraction=done)

    def _add(self, starts: list[float], ends: list[float]) -> None:
        """Times count from the stream's beginning, or from this object's: then they go back to 0."""
        back = bool(starts and self._ends and starts[0] < self._ends[-1] - 0.02)
        offset = self._seconds if back else 0.0
        self._starts += [start + offset for start in starts]
        self._ends += [end + offset for end in ends]

    def _words(self) -> list[WordTiming]:
        """Those that have come to their end; the last one of the text, too."""
        words = []
        for start, end in _word_spans(self._text):
            known = min(len(self._starts), len(self._ends))
            if start < self._given or end > known or (end == known < len(self._text)):
                continue
            words.append(
                WordTiming(self._text[start:end], self._starts[start], self._ends[end - 1], start, end)
            )
            self._given = end
        return words


class _Lines:
    """JSON objects, one behind the other, out of bytes that are cut anywhere."""

    def __init__(self, name: str) -> None:
        self._name, self._rest = name, b""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [found for line in lines for found in self._read(line)]

    def finish(self) -> list[dict[str, Any]]:
        return self._read(self._rest)

    def _read(self, line: bytes) -> list[dict[str, Any]]:
        line = line.strip().removeprefix(b"data:").strip()
        if not line:
            return []
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise SynthesisError(f"{self._name} sent something that is not JSON: {line[:80]!r}") from error
        return [found] if isinstance(found, dict) else []


def check_credit(name: str, found: Any) -> None:
    """Raise BackendQuotaError when an answer of `GET /v1/user/subscription` says that all is used up."""
    if not isinstance(found, dict) or not found.get("character_limit"):
        return
    used, limit = found.get("character_count", 0), found["character_limit"]
    if used < limit or found.get("can_extend_character_limit"):
        return
    reset = found.get("next_character_count_reset_unix")
    after = max(0.0, reset - time.time()) if reset else None
    raise BackendQuotaError(f"{name}: {used} of {limit} characters are used up", retry_after=after)


def _word_spans(text: str) -> list[tuple[int, int]]:
    import re

    return [word.span() for word in re.finditer(r"\S+", text)]


def _id(voice: Voice) -> str:
    """The service's own name of a voice: its last alias."""
    from urllib.parse import quote

    return quote(voice.aliases[-1], safe="")


def _listener(request: SynthesisRequest) -> Playhead:
    """Whose stream it is; of a sentence that several wait for, the first one's."""
    return next(iter(request.playhead.streams), request.playhead)


def _voice(entry: Any, backend: str, languages: Sequence[str]) -> Voice | None:
    if not isinstance(entry, dict) or not entry.get("voice_id"):
        return None
    labels = entry.get("labels") or {}
    name = str(entry.get("name") or entry["voice_id"])
    own = str(labels.get("language") or languages[0]).split("-")[0]
    first = own if own in languages else languages[0]
    about = [str(labels[key]).replace("_", " ") for key in ("accent", "description") if labels.get(key)]
    return Voice(
        name=f"{backend}/{name}",
        language=first,
        backend=backend,
        description=", ".join([name, *about]) + f" ({backend})",
        gender=labels.get("gender") if labels.get("gender") in ("female", "male") else None,
        aliases=(f"{backend}/{entry['voice_id']}", str(entry["voice_id"])),
        languages=tuple(tag for tag in languages if tag != first),
    )
