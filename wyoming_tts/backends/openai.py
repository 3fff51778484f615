"""Any server with OpenAI's `POST /v1/audio/speech`: OpenAI, Kokoro-FastAPI, Speaches, LocalAI, AllTalk.

`base_url` ends in `/v1`. PCM is asked for, and WAV or MP3 of a server that refuses it; what comes is
recognised by what it is, since some servers send something else than they were asked for.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from wyoming_tts.backends.base import Surroundings
from wyoming_tts.backends.remote import JSON_BYTES, Remote, RemoteOptions
from wyoming_tts.backends.remote_backend import RATE, RemoteBackend, names_in
from wyoming_tts.errors import SynthesisError
from wyoming_tts.types import AudioChunk, SynthesisRequest, Voice

_LOGGER = logging.getLogger(__name__)

OPENAI = "api.openai.com"

VOICES: Mapping[str, str | None] = MappingProxyType(
    {
        "alloy": None, "ash": "male", "ballad": "male", "cedar": "male", "coral": "female", "echo": "male",
        "fable": "male", "marin": "female", "nova": "female", "onyx": "male", "sage": "female",
        "shimmer": "female", "verse": "male",
    }
)  # fmt: skip
"""OpenAI's own voices and how they sound."""

LANGUAGES = (
    "en", "af", "ar", "az", "be", "bg", "bs", "ca", "cs", "cy", "da", "de", "el", "es", "et", "fa", "fi",
    "fr", "gl", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "kk", "kn", "ko", "lt", "lv", "mi",
    "mk", "mr", "ms", "ne", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "sw", "ta", "th",
    "tl", "tr", "uk", "ur", "vi", "zh",
)  # fmt: skip
"""What OpenAI says its voices speak."""

SHUT_DOWN = MappingProxyType(
    dict.fromkeys(("tts-1", "tts-1-hd", "gpt-4o-mini-tts"), datetime.date(2027, 1, 6))
)
"""Models of OpenAI -> the day from which they do not answer, as announced in 2026."""

LATE_NOTICE = 120
"""Days before that from which it is a warning."""

LONGEST_TEXT = 4096
"""Characters that OpenAI takes at once."""

REFUSED_FORMAT = (400, 415, 422, 500)
"""What servers answer when they do not know a format; AllTalk answers 500 to anything wrong."""


class OpenAIOptions(RemoteOptions):
    """Options of an OpenAI-compatible server."""

    KEY_VARIABLE: ClassVar[str] = "OPENAI_API_KEY"

    base_url: str = "https://api.openai.com/v1"
    """Where the service is, `/v1` included."""

    model: str = "gpt-4o-mini-tts"
    """Model that speaks."""

    instructions: str = ""
    """How to speak, for models that can be told."""

    extra_body: Mapping[str, Any] = Field(default_factory=dict)
    """Further keys of each request, for servers that have some."""

    response_format: Literal["auto", "pcm", "wav", "mp3"] = "auto"
    """What to ask for; `auto` is the first of pcm, wav and mp3 that is not refused."""

    pcm_rate: int = Field(default=RATE, ge=8000, le=192_000)
    """Samples per second of PCM, which does not say it itself."""

    languages: tuple[str, ...] | None = None
    """Language tags of what the voices speak; by default all that OpenAI speaks, elsewhere English."""

    voice_names: tuple[str, ...] = ()
    """Voices, for a server that does not list its own."""

    @property
    def paid(self) -> bool:
        """See `RemoteOptions.paid`: OpenAI itself does."""
        return urlsplit(self.base_url).hostname == OPENAI


class OpenAIBackend(RemoteBackend):
    """One server."""

    Options = OpenAIOptions

    def __init__(self, options: OpenAIOptions, surroundings: Surroundings) -> None:
        """Raises ConfigError for a wrong address or an unreadable key."""
        key = options.key()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        super().__init__(options, surroundings, Remote(surroundings.name, options, headers))
        self._options = options
        self._is_openai = options.paid
        self._known = {voice.name: voice for voice in surroundings.catalogue}
        self._names = self._first_names()
        wanted = options.response_format
        self._formats = ["pcm", "wav", "mp3"] if wanted == "auto" else [wanted]

    async def probe(self) -> None:
        """Ask for the models; a server that has no such list answers at least."""
        async with self._remote.answer("GET", "models", check=False) as response:
            if response.status_code not in (404, 405):
                await self._remote.check(response)
                models = [piece async for piece in self._remote.pieces(response, JSON_BYTES)]
                self._warn(b"".join(models))
        if not self._is_openai and not self._options.voice_names:
            await self._list_voices()

    def voices(self) -> Sequence[Voice]:
        """See `Backend.voices`."""
        mapped = self._options.voices.values()
        return [self._voice(name) for name in dict.fromkeys([*self._names, *mapped])]

    def fingerprint(self, voice: Voice) -> str | None:
        """See `Backend.fingerprint`: what was paid for once is not paid for again."""
        options = self._options
        parts = (options.base_url, options.model, options.instructions, sorted(options.extra_body.items()))
        return f"openai {parts!r}"

    async def pieces(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """See `RemoteBackend.pieces`."""
        if len(request.text) > LONGEST_TEXT:
            raise SynthesisError(f"{self.name} takes at most {LONGEST_TEXT} characters at once")
        for kind in list(self._formats):
            body = self._body(request, kind)
            async with self._remote.answer("POST", "audio/speech", check=False, json=body) as response:
                if response.status_code in REFUSED_FORMAT and kind != self._formats[-1]:
                    continue
                await self._remote.check(response)
                self._formats = [kind]
                async for piece in self.decoded(response, request.text, self._options.pcm_rate):
                    yield piece
                return

    def _body(self, request: SynthesisRequest, kind: str) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._options.model,
            "input": request.text,
            "voice": request.voice.name.removeprefix(f"{self.name}/"),
            "response_format": kind,
        }
        if request.speed != 1:  # some servers know no speed, and some refuse slow ones
            body["speed"] = request.speed
        if instructions := request.options.get("instructions") or self._options.instructions:
            body["instructions"] = instructions
        return {**body, **self._options.extra_body}

    def _first_names(self) -> list[str]:
        if self._options.voice_names:
            return list(self._options.voice_names)
        return names_in(self._kept()) or list(VOICES)

    async def _list_voices(self) -> None:
        """Take over the server's own list, in whichever way it writes one."""
        with contextlib.suppress(SynthesisError):  # it has none
            found = await self._remote.json("GET", "audio/voices")
            if names := names_in(found):
                self._names = names
                self._keep(found)

    def _voice(self, name: str) -> Voice:
        known = self._known.get(name)
        if known is not None:  # a server with Kokoro's voices
            return Voice(
                name=f"{self.name}/{name}", language=known.language, backend=self.name,
                description=f"{known.description} ({self.name})", gender=known.gender,
            )  # fmt: skip
        first, *others = self._options.languages or (LANGUAGES if self._is_openai else ("en",))
        return Voice(
            name=f"{self.name}/{name}", language=first, backend=self.name, languages=tuple(others),
            description=f"{name.title()} ({self.name})", gender=VOICES.get(name),
        )  # fmt: skip

    def _warn(self, models: bytes) -> None:
        """Say when the model will be shut down, as the service says or as is known."""
        model = self._options.model
        date = shutdown_date(model, models) or (SHUT_DOWN.get(model) if self._is_openai else None)
        if date is None:
            return
        days = (date - datetime.datetime.now(datetime.UTC).date()).days
        if days > LATE_NOTICE:
            return
        state = f"will be shut down on {date}, in {days} days" if days >= 0 else f"was shut down on {date}"
        _LOGGER.warning(
            "%s: the model %s %s; choose another in backends.%s.model", self.name, model, state, self.name
        )


def shutdown_date(model: str, models: bytes) -> datetime.date | None:
    """The `shutdown_date` of a model in the answer of `GET /models`."""
    import json

    try:
        found = json.loads(models)["data"]
        text = next((one.get("shutdown_date") for one in found if one.get("id") == model), None)
        return datetime.date.fromisoformat(text) if text else None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
