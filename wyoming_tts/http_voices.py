"""Voices and models: lists, blends as packs, and voices of one's own."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from wyoming_tts.errors import RequestError, UnknownVoiceError
from wyoming_tts.http_errors import answer
from wyoming_tts.http_requests import VoiceName
from wyoming_tts.http_site import Site
from wyoming_tts.presets import FILE_NAME, NAME, Preset, remove_preset, save_preset
from wyoming_tts.types import Voice, VoiceQuery
from wyoming_tts.voices import mixed_pack, pack_bytes

MODELS = ("kokoro", "tts-1", "tts-1-hd", "gpt-4o-mini-tts")
"""What clients ask for by habit; the backends' names come behind them."""

MADE = 1_785_196_800
"""When the models were made, in Unix time, since OpenAI's clients want to know."""


class CombineRequest(BaseModel):
    """Voices to be mixed."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    voices: str | list[VoiceName] = Field(max_length=400)
    """A blend such as `af_bella(2)+af_sky(1)`, or names that are mixed alike."""

    name: str | None = Field(default=None, pattern=NAME)
    """What to save it as; none only returns it."""

    description: str = Field(default="", max_length=200)
    """What people choose it by."""


class VoiceRequest(BaseModel):
    """A voice of one's own."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    name: str = Field(pattern=NAME)
    """What it is called."""

    voice: str = Field(min_length=1, max_length=400)
    """A voice or a blend that it is made of."""

    description: str = Field(default="", max_length=200)
    """What people choose it by."""

    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    """Pace beside the voice's own."""

    gain: float = Field(default=0.0, ge=-40, le=20)
    """Decibels by which it is louder."""

    overwrite: bool = True
    """Whether it takes the place of a voice of one's own that has this name."""


def router(site: Site) -> APIRouter:
    """The routes of voices and models."""
    routes = APIRouter(tags=["voices"])

    @routes.get("/v1/audio/voices")
    async def voices(legacy: bool = Query(False, description="Names alone")) -> dict[str, Any]:
        """All voices, the best of each language first."""
        found = site.catalogue.voices()
        if legacy:
            return {"voices": [voice.name for voice in found]}
        return {"voices": [voice_body(voice, site.catalogue.default) for voice in found]}

    @routes.post("/v1/audio/voices", status_code=201)
    async def save_voice(request: VoiceRequest) -> dict[str, Any]:
        """Keep a voice of one's own, which Home Assistant then lists."""
        return await _saved(site, request)

    @routes.delete("/v1/audio/voices/{name}", status_code=204, response_class=Response)
    async def remove_voice(name: str) -> Response:
        """Forget a voice of one's own."""
        await _removed(site, name)
        return Response(status_code=204)

    @routes.post(
        "/v1/audio/voices/combine",
        response_class=Response,
        responses={200: {"content": {"application/octet-stream": {}}, "description": "The pack"}},
    )
    async def combine(request: CombineRequest) -> Response:
        """Mix voices: the answer is the pack, and with `name` it is kept as a voice, too."""
        blend = request.voices if isinstance(request.voices, str) else "+".join(request.voices)
        voice = site.catalogue.resolve(VoiceQuery(name=blend))
        data = await asyncio.to_thread(_pack, site, voice)
        name = request.name or "blend"
        if request.name:
            await _saved(site, VoiceRequest(name=name, voice=blend, description=request.description))
        headers = {"Content-Disposition": f'attachment; filename="{name}.npz"', "X-Voice": name}
        return Response(data, media_type="application/octet-stream", headers=headers)

    _add_models(routes, site)
    return routes


def _add_models(routes: APIRouter, site: Site) -> None:
    @routes.get("/v1/models", tags=["models"])
    async def models() -> dict[str, Any]:
        """What `model` may name."""
        return {"object": "list", "data": [_model(name) for name in _model_names(site)]}

    @routes.get("/v1/models/{model}", tags=["models"], response_model=None)
    async def model(model: str) -> dict[str, Any] | JSONResponse:
        """One of them."""
        if model in _model_names(site):
            return _model(model)
        offered = ", ".join(_model_names(site))
        return answer(404, f"There is no model {model[:80]!a}; there are {offered}.", param="model",
                      code="model_not_found")  # fmt: skip


def voice_body(voice: Voice, default: Voice) -> dict[str, Any]:
    """A voice as JSON."""
    return {
        "id": voice.name,
        "name": voice.description or voice.name,
        "language": voice.language,
        "languages": list(voice.spoken),
        "gender": voice.gender,
        "grade": voice.grade,
        "backend": voice.backend,
        "aliases": list(voice.aliases),
        "default": voice.name == default.name,
        "own": voice.base is not None,
    }


def _model_names(site: Site) -> list[str]:
    return list(dict.fromkeys([*MODELS, *(one.name for one in site.statuses())]))


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": MADE, "owned_by": "wyoming-tts"}


async def _saved(site: Site, request: VoiceRequest) -> dict[str, Any]:
    base = site.catalogue.resolve(VoiceQuery(name=request.voice))
    taken = next((one for one in site.catalogue.voices() if one.name == request.name), None)
    if taken is not None and (taken.base is None or not request.overwrite):
        raise RequestError(f"{request.name} is a voice already; choose another name.")
    preset = Preset(
        voice=request.voice, speed=request.speed, gain=request.gain, description=request.description
    )
    try:
        async with site.writing:
            await asyncio.to_thread(save_preset, site.data_dir / FILE_NAME, request.name, preset)
    except (OSError, ValueError) as error:
        raise RequestError(f"{FILE_NAME} cannot be written: {error}") from error
    site.catalogue.refresh()
    saved = site.catalogue.resolve(VoiceQuery(name=request.name))
    return voice_body(saved, site.catalogue.default) | {"voice": base.name}


async def _removed(site: Site, name: str) -> None:
    try:
        async with site.writing:
            was_there = await asyncio.to_thread(remove_preset, site.data_dir / FILE_NAME, name)
    except (OSError, ValueError) as error:
        raise RequestError(f"{FILE_NAME} cannot be written: {error}") from error
    if not was_there:
        raise UnknownVoiceError(f"{FILE_NAME} has no voice {name[:80]!a}")
    site.catalogue.refresh()


def _pack(site: Site, voice: Voice) -> bytes:
    speaker = voice.speaker
    if speaker.network != "kokoro":
        raise UnknownVoiceError(f"{voice.name} has no pack: only Kokoro's voices have")
    return pack_bytes(mixed_pack(speaker.name, site.voices_dir))
