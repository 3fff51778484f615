"""Voices and models over HTTP: lists, blends, voices of one's own."""

from __future__ import annotations

import asyncio
import dataclasses
import io
from pathlib import Path

import numpy as np
import openai

from tests.fakes import VOICES, ScriptedBackend
from tests.http import http_serving
from wyoming_tts.types import VoiceQuery
from wyoming_tts.voices import load_catalogue, load_pack, voices_directory

KOKORO = [dataclasses.replace(voice, backend="scripted") for voice in load_catalogue().voices()[:12]]


async def test_voices_are_listed_in_both_ways(tmp_path: Path) -> None:
    """As objects with what a page wants to know, and as names for old clients."""
    async with http_serving(tmp_path) as served:
        found = (await served.client.get("/v1/audio/voices")).json()["voices"]
        names = (await served.client.get("/v1/audio/voices", params={"legacy": "true"})).json()["voices"]
    assert names == [voice.name for voice in VOICES] == [one["id"] for one in found]
    assert found[0]["default"] is True
    assert found[2]["language"] == "fr-FR"


async def test_models_are_listed(tmp_path: Path) -> None:
    """As OpenAI's client reads them; one that is not there is its error."""
    async with http_serving(tmp_path) as served:
        client = openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key="any", max_retries=0)
        async with client:
            listed = [model.id async for model in client.models.list()]
            assert "scripted" in listed
            assert (await client.models.retrieve("tts-1")).id == "tts-1"
            missing = await served.client.get("/v1/models/gpt-9")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")


async def test_a_blend_comes_as_a_pack(tmp_path: Path) -> None:
    """Its styles are the mean of the voices', by their shares."""
    async with http_serving(tmp_path, ScriptedBackend(voices=KOKORO)) as served:
        answer = await served.client.post(
            "/v1/audio/voices/combine", json={"voices": "af_bella(3)+af_heart(1)"}
        )
        listed = await served.client.post(
            "/v1/audio/voices/combine", json={"voices": ["af_bella", "af_heart"]}
        )
    with np.load(io.BytesIO(answer.content)) as file:
        style = file["style"]
    folder = voices_directory()
    bella, heart = (load_pack(name, folder).styles for name in ("af_bella", "af_heart"))
    np.testing.assert_allclose(style, 0.75 * bella + 0.25 * heart, atol=1e-6)
    with np.load(io.BytesIO(listed.content)) as file:
        np.testing.assert_allclose(file["style"], (bella + heart) / 2, atol=1e-6)


async def test_a_blend_is_kept_and_spoken_with(tmp_path: Path) -> None:
    """At once, in the list too, and remarks in the file stay."""
    (tmp_path / "voices.toml").write_text("# ours\nold = 'af_heart'  # hers\n")
    async with http_serving(tmp_path, ScriptedBackend(voices=KOKORO)) as served:
        made = await served.client.post(
            "/v1/audio/voices",
            json={"name": "night", "voice": "af_bella(2)+af_sky(1)", "speed": 0.9, "description": "At night"},
        )
        assert made.status_code == 201
        assert made.json()["own"] is True
        combined = await served.client.post(
            "/v1/audio/voices/combine", json={"voices": "af_bella+af_heart", "name": "day"}
        )
        assert combined.status_code == 200
        names = (await served.client.get("/v1/audio/voices?legacy=1")).json()["voices"]
        assert {"night", "day", "old"} <= set(names)
        assert (await served.speak(voice="night")).status_code == 200
        request = served.backend.requests[-1]
        assert (request.voice.name, request.speed) == ("af_bella(2)+af_sky(1)", 0.9)
        assert served.site.catalogue.resolve(VoiceQuery(name="day")).base is not None
        again = {"name": "night", "voice": "af_sky", "overwrite": False}
        assert (await served.client.post("/v1/audio/voices", json=again)).status_code == 400
        assert (await served.client.delete("/v1/audio/voices/day")).status_code == 204
        assert (await served.client.delete("/v1/audio/voices/day")).status_code == 404
        assert (await served.client.delete("/v1/audio/voices/af_heart")).status_code == 404
        names = (await served.client.get("/v1/audio/voices?legacy=1")).json()["voices"]
        assert "day" not in names
        assert "night" in names
    text = (tmp_path / "voices.toml").read_text()
    assert "# ours" in text
    assert "# hers" in text


async def test_voices_that_are_kept_at_the_same_time(tmp_path: Path) -> None:
    """None is lost."""
    async with http_serving(tmp_path, ScriptedBackend(voices=KOKORO)) as served:
        bodies = [{"name": f"v{number}", "voice": "af_heart"} for number in range(12)]
        saved = await asyncio.gather(*(served.client.post("/v1/audio/voices", json=body) for body in bodies))
        assert {one.status_code for one in saved} == {201}
        names = (await served.client.get("/v1/audio/voices?legacy=1")).json()["voices"]
    assert {body["name"] for body in bodies} <= set(names)


async def test_what_cannot_be_kept(tmp_path: Path) -> None:
    """A name that is taken, voices that there are not, names that are paths: nothing is written."""
    async with http_serving(tmp_path, ScriptedBackend(voices=KOKORO)) as served:

        async def status(**body: object) -> int:
            return (await served.client.post("/v1/audio/voices", json=body)).status_code

        assert await status(name="af_bella", voice="af_heart") == 400
        assert await status(name="x", voice="nobody") == 404
        assert await status(name="../x", voice="af_heart") == 400
        assert await status(name="x", voice="af_heart", speed=9) == 400
        bad = await served.client.post("/v1/audio/voices/combine", json={"voices": "af_bella+nobody"})
        assert bad.status_code == 404
        (tmp_path / "voices.toml").write_text("not = [toml")
        assert await status(name="x", voice="af_heart") == 400
    assert (tmp_path / "voices.toml").read_text() == "not = [toml"
