"""The studio: a page to choose and mix voices in, and what it asks of the server."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field

from wyoming_tts.errors import RequestError
from wyoming_tts.files import publish_bytes, read_bounded
from wyoming_tts.http_errors import answer
from wyoming_tts.http_requests import VoiceName, query
from wyoming_tts.http_site import Site
from wyoming_tts.http_status import health_of
from wyoming_tts.reading import Reader
from wyoming_tts.text.lexicon_file import MOST_BYTES, LexiconError, parse
from wyoming_tts.types import Voice


class ReadingRequest(BaseModel):
    """A text to be shown as it is read out."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    text: str = Field(max_length=20_000)
    """The text."""

    voice: VoiceName | None = None
    """Who reads it."""

    language: str | None = Field(default=None, max_length=40)
    """Language tag, where no voice is named."""


class LexiconBody(BaseModel):
    """The lexicon as a file."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    text: str = Field(max_length=MOST_BYTES)
    """TOML."""


def web_folder() -> Path:
    """Where the page's files are."""
    return Path(str(files("wyoming_tts") / "web"))


def mount(app: FastAPI, site: Site) -> None:
    """Serve the page and its routes."""
    folder = web_folder()

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(folder / "index.html", headers={"Cache-Control": "no-cache"})

    app.mount("/web", StaticFiles(directory=folder), name="web")
    app.include_router(router(site), prefix="/studio")


def router(site: Site) -> APIRouter:
    """What the page asks for."""
    routes = APIRouter(tags=["studio"])

    @routes.post("/reading")
    async def reading(request: ReadingRequest) -> dict[str, Any]:
        """How a text is read out, sentence by sentence: cleaned, in words, in phonemes."""
        voice = site.catalogue.resolve(query(request.voice, request.language))
        return {"sentences": await asyncio.to_thread(_read, site, request.text, voice)}

    @routes.get("/lexicon")
    async def lexicon() -> dict[str, Any]:
        """The household's words, as a file, and what is wrong with it."""
        return await asyncio.to_thread(_lexicon, site)

    @routes.put("/lexicon", responses={400: {"description": "It cannot be read, and was not saved"}})
    async def save_lexicon(body: LexiconBody) -> JSONResponse:
        """Save it, if it can be read."""
        data = body.text.encode()
        try:
            contents = parse(data)
        except LexiconError as error:
            return answer(400, str(error), param="text", code="invalid-lexicon")
        try:
            async with site.writing:
                await asyncio.to_thread(publish_bytes, site.lexicon.path, data)
        except OSError as error:
            raise RequestError(f"the lexicon cannot be written: {error}") from error
        site.lexicon.refresh()
        return JSONResponse({"entries": len(contents.entries), "problems": list(contents.problems)})

    @routes.get("/status")
    async def status() -> dict[str, Any]:
        """Listeners, queues, backends and costs, now."""
        return health_of(site) | {"costs": list(site.costs())}

    return routes


def _read(site: Site, text: str, voice: Voice) -> list[dict[str, Any]]:
    reading = Reader(voice, site.lexicon, site.phonemizer).read(text)
    return [
        {
            "text": written,
            "cleaned": aloud.cleaned.text,
            "normalised": aloud.normalised.text,
            "phonemes": spoken.text,
        }
        for written, aloud, spoken in zip(reading.written, reading.sentences, reading.phonemes, strict=True)
    ]


def _lexicon(site: Site) -> dict[str, Any]:
    try:
        text = read_bounded(site.lexicon.path, MOST_BYTES).decode("utf-8")
    except FileNotFoundError:
        text = ""
    except (OSError, ValueError) as error:
        raise RequestError(f"the lexicon cannot be read: {error}") from error
    return {"text": text, "entries": site.lexicon.entries, "problems": list(site.lexicon.problems)}
