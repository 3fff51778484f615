"""AllTalk, versions 1 and 2: told apart by what they answer, and asked in the way that each understands."""

from __future__ import annotations

import asyncio
import contextlib
import re
import uuid
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field

from wyoming_tts.backends.base import Surroundings
from wyoming_tts.backends.remote import Remote, RemoteOptions
from wyoming_tts.backends.remote_backend import RemoteBackend, names_in
from wyoming_tts.errors import BackendError, BackendUnavailableError, SynthesisError
from wyoming_tts.types import AudioChunk, SynthesisRequest, Voice

LONGEST_TEXT = 1900
"""Characters in one request: its limit is 2000."""

_TAGS = ("ar", "cs", "de", "en", "es", "fr", "hi", "hu", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr")

LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "en", **{tag: tag for tag in _TAGS}, "zh-CN": "zh-cn"})
"""BCP 47 tag -> what AllTalk calls it."""

OPENAI_VOICES = ("alloy", "echo", "fable", "nova", "onyx", "shimmer")
"""All that its `/v1/audio/speech` knows."""

STOP_SECONDS = 0.5
"""How long a generation that nobody wants any more is asked to stop."""


class AllTalkOptions(RemoteOptions):
    """Options of AllTalk."""

    base_url: str = "http://127.0.0.1:7851"
    """Where the service is."""

    api: Literal["auto", "streaming", "generate", "openai"] = "auto"
    """What to ask: `auto` streams where the engine can and else has files made."""

    model: str = ""
    """Model to load when none is; none leaves that to the service."""

    languages: tuple[str, ...] = tuple(LANGUAGES)
    """Language tags of what its engine speaks."""

    first_audio_timeout: float = Field(default=20.0, gt=0, allow_inf_nan=False)
    """Seconds in which a sentence's first audio must come; without streaming that is the whole sentence."""

    stall_timeout: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    """Seconds in which more audio must follow, once there was some."""

    max_concurrency: int = Field(default=1, ge=1, le=1)
    """Sentences at the same time: it mixes up two."""


@dataclass(frozen=True, slots=True)
class Server:
    """What was found out about the service."""

    version: int
    """1 or 2."""

    streaming: bool
    """Whether its engine can stream."""


class AllTalkBackend(RemoteBackend):
    """The service."""

    Options = AllTalkOptions

    def __init__(self, options: AllTalkOptions, surroundings: Surroundings) -> None:
        """Raises ConfigError for a wrong address."""
        super().__init__(options, surroundings, Remote(surroundings.name, options, {}))
        self._options = options
        self._server: Server | None = None
        self._known = names_in(self._kept())
        self._turn = asyncio.Lock()

    async def probe(self) -> None:
        """Find out which version it is, whether a model is loaded, and which voices there are."""
        ready = (await self._remote.body("GET", "api/ready", 4096)).decode("utf-8", "replace")
        if "unloaded" in ready.lower():
            await self._reload()
        found = await self._remote.json("GET", "api/voices")
        names = names_in(found)
        if not names:
            reason = found.get("message") if isinstance(found, dict) else None
            raise BackendUnavailableError(f"{self.name} lists no voices: {reason or 'none found'}")
        version = 2 if "status" in found else 1
        self._server = Server(version, await self._streams(version))
        self._known = names
        self._keep(found)

    async def _reload(self) -> None:
        if not self._options.model:
            raise BackendUnavailableError(
                f"{self.name} has no model loaded; load one in it, or name one in backends.{self.name}.model"
            )
        found = await self._remote.json("POST", "api/reload", params={"tts_method": self._options.model})
        if "success" not in str(found.get("status")):
            raise BackendUnavailableError(f"{self.name} cannot load {self._options.model}: {found}")

    async def _streams(self, version: int) -> bool:
        """Whether the engine can stream: version 2 says it, version 1 has XTTS, which can."""
        if version == 1:
            return True
        with contextlib.suppress(SynthesisError):
            settings = await self._remote.json("GET", "api/currentsettings")
            return bool(settings.get("streaming_capable"))
        return False

    def voices(self) -> Sequence[Voice]:
        """See `Backend.voices`."""
        names = OPENAI_VOICES if self._options.api == "openai" else self._known
        wanted = self._options.voices.values()
        return [self._voice(name) for name in dict.fromkeys([*names, *wanted])]

    def _voice(self, name: str) -> Voice:
        bare = re.sub(r"\.\w{1,5}$", "", name)
        first, *others = self._options.languages
        gender = next((one for one in ("female", "male") if bare.lower().startswith(one)), None)
        return Voice(
            name=f"{self.name}/{bare}", language=first, languages=tuple(others), backend=self.name,
            description=f"{bare.replace('_', ' ')} ({self.name})", gender=gender, aliases=(name,),
        )  # fmt: skip

    def fingerprint(self, voice: Voice) -> str | None:
        """See `Backend.fingerprint`: None, its engines draw lots and can be changed at any time."""
        return None

    async def pieces(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """See `RemoteBackend.pieces`."""
        async with self._turn:
            if self._server is None:
                await self.probe()
            for text in parts_of(request.text):
                async with contextlib.aclosing(self._part(text, request)) as pieces:
                    async for piece in pieces:
                        yield piece

    async def _part(self, text: str, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """One request's audio; one that nobody wants any more is stopped."""
        ended = False
        try:
            async with contextlib.aclosing(self._asked(text, request)) as pieces:
                async for piece in pieces:
                    yield piece
            ended = True
        finally:
            if not ended:
                await self._stop_generation()

    def _asked(self, text: str, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        assert self._server is not None
        api = self._options.api
        if api == "openai":
            return self._openai(text, request)
        if api == "streaming" or (api == "auto" and self._server.streaming):
            return self._streaming(text, request)
        return self._generate(text, request)

    async def _streaming(self, text: str, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        query = {
            "text": text,
            "voice": request.voice.aliases[0],
            "language": self._language(request),
            "output_file": f"{_file_name()}.wav",
        }
        async for piece in self._audio("GET", "api/tts-generate-streaming", text, params=query):
            yield piece

    async def _generate(self, text: str, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        found = await self._remote.json("POST", "api/tts-generate", data=self._form(text, request))
        if found.get("status") != "generate-success" or not found.get("output_file_url"):
            raise SynthesisError(f"{self.name} could not speak: {found.get('error') or found.get('status')}")
        async for piece in self._audio("GET", str(found["output_file_url"]), text):
            yield piece

    async def _openai(self, text: str, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        body = {"model": "tts-1", "input": text, "voice": request.voice.aliases[0], "response_format": "wav"}
        if request.speed != 1:
            body["speed"] = str(request.speed)
        async for piece in self._audio("POST", "v1/audio/speech", text, json=body):
            yield piece

    async def _audio(
        self, method: str, path: str, text: str, **arguments: Any
    ) -> AsyncGenerator[AudioChunk, None]:
        async with self._remote.answer(method, path, **arguments) as response:
            async for piece in self.decoded(response, text):
                yield piece

    def _form(self, text: str, request: SynthesisRequest) -> dict[str, str]:
        """All fields that version 1 wants; version 2 knows them, too."""
        voice = request.voice.aliases[0]
        form = {
            "text_input": text,
            "text_filtering": "none",
            "character_voice_gen": voice,
            "narrator_enabled": "false",
            "narrator_voice_gen": voice,
            "text_not_inside": "character",
            "language": self._language(request),
            "output_file_name": _file_name(),
            "output_file_timestamp": "false",
            "autoplay": "false",
            "autoplay_volume": "0.8",
        }
        assert self._server is not None
        if self._server.version == 2 and request.speed != 1:
            form["speed"] = str(request.speed)
        return form

    def _language(self, request: SynthesisRequest) -> str:
        tag = request.voice.language
        return LANGUAGES.get(tag) or LANGUAGES.get(tag.split("-")[0]) or tag.lower()

    async def _stop_generation(self) -> None:
        with contextlib.suppress(BackendError, TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._remote.body("PUT", "api/stop-generation", 4096)


_CUTS = (re.compile(r".*[.!?。!?](?=\s|$)", re.S), re.compile(r".*[,;:、,]", re.S), re.compile(r".*\s", re.S))
"""The longest beginning of a text that ends in a sentence, a clause, a word."""


def parts_of(text: str, limit: int = LONGEST_TEXT) -> Iterator[str]:
    """A text in parts that are short enough, cut behind a sentence, else a mark, else a word."""
    while len(text) > limit:
        end = next((found.end() for cut in _CUTS if (found := cut.match(text[:limit]))), limit)
        yield text[:end]
        text = text[end:].lstrip()
    if text:
        yield text


def _file_name() -> str:
    """A name of the kind that it accepts: letters and digits alone."""
    return f"wyoming{uuid.uuid4().hex}"
