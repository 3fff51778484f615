"""This project's own HTTP API, spoken to by its own backend for such servers: a chain over two machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes import ScriptedBackend, Step
from tests.http import http_serving
from tests.remote import joined, openai, said, seconds, started
from tests.test_http_speech import hum
from wyoming_tts.access import Access, ApiKeys
from wyoming_tts.errors import BackendAuthError, SynthesisError
from wyoming_tts.types import SynthesisRequest

RATE = 24_000


def script(request: SynthesisRequest) -> list[Step]:
    return [hum(RATE), hum(RATE)]


@pytest.mark.parametrize("kind", ["auto", "wav", "mp3"])
async def test_a_chain_over_two_machines(kind: str, tmp_path: Path) -> None:
    """Voices of the other machine are listed, and speak in each format, streamed."""
    async with (
        http_serving(tmp_path, ScriptedBackend(script)) as served,
        started(openai(served.url, name="box", response_format=kind)) as backend,
    ):
        assert [voice.name for voice in backend.voices()] == ["box/heart", "box/adam", "box/siwis"]
        chunks = await said(backend)
    assert len(chunks) > 2
    assert seconds(chunks) == pytest.approx(2, abs=0.1)
    assert abs(joined(chunks)).max() > 0.3


async def test_its_errors_are_understood(tmp_path: Path) -> None:
    """A key that is missing and a voice that there is not are what they are."""
    keys = Access(keys=ApiKeys({"phone": "right"}))
    async with http_serving(tmp_path, access=keys) as served:
        with pytest.raises(BackendAuthError, match="API key"):
            await openai(served.url, name="box").start()
        async with started(openai(served.url, name="box", api_key="right")) as backend:
            voice = backend.voices()[0]
            gone = type(voice)(name="box/nobody", language="en", backend="box", description="")
            with pytest.raises(SynthesisError, match="nobody"):
                await said(backend, voice=gone)
