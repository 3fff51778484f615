"""What the doctor hears of backends and of a sentence."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.doctor import KEY, bad, bare, found, not_ok, patient_of, settings_of
from tests.fakes import ScriptedBackend, serving
from tests.test_app import free_port
from tests.upstream import ElevenLabs, OpenAI, Upstream, forever
from wyoming_tts import doctor_network, doctor_speech
from wyoming_tts.assembly import assemble
from wyoming_tts.cli_streams import Meter
from wyoming_tts.config import Settings
from wyoming_tts.types import AudioChunk, Voice
from wyoming_tts.voices import VoiceCatalogue

__all__ = ["bare"]  # a fixture of every test here


@contextlib.asynccontextmanager
async def upstream(contract: Any) -> AsyncIterator[Upstream]:
    async with Upstream(contract) as server:
        yield server


def chained(tmp_path: Path, name: str, **table: Any) -> Settings:
    return settings_of(tmp_path, chain=(name, "espeak"), backends={name: table})


async def test_a_key_that_is_refused(tmp_path: Path) -> None:
    """The key is wrong, which is told with where it belongs; neither it nor a password is ever printed."""
    service = OpenAI()
    service.key = "another"
    async with upstream(service) as server:
        settings = chained(tmp_path, "cloud", type="openai", base_url=f"{server.url}/v1", api_key=KEY)
        findings = await found(settings)
        bad(findings["backend cloud"], "failed", "its key is refused: cloud answered 401", "OPENAI_API_KEY")
        bad(findings["speech"], "warning", "not by cloud", "the line of cloud")
        assert KEY not in str(findings)
        service.key = KEY
        assert not_ok(await found(settings)) == {}


async def test_a_service_that_is_away(tmp_path: Path) -> None:
    """Nobody answers at its address, whose password is not told."""
    base = f"http://me:{KEY}@127.0.0.1:{free_port()}/v1"
    findings = await found(chained(tmp_path, "cloud", type="openai", base_url=base))
    away = "cannot be reached at http://127.0.0.1:"
    bad(findings["backend cloud"], "failed", away, "backends.cloud.base_url")
    assert KEY not in str(findings)


async def test_a_service_that_repeats_the_key(tmp_path: Path) -> None:
    """What a service says is told without the key in it."""

    async def tells(x: Any) -> None:
        await x.json({"error": {"message": f"incorrect key {KEY}", "code": "invalid_api_key"}}, 401)

    async with upstream(tells) as server:
        settings = chained(tmp_path, "openai", base_url=f"{server.url}/v1", api_key=KEY)
        finding = (await found(settings))["backend openai"]
    assert "incorrect key ***" in finding.found


async def test_credit_that_is_used_up(tmp_path: Path) -> None:
    """It is told from a wrong key and from an outage."""
    service = ElevenLabs()
    service.credit = {"character_count": 1000, "character_limit": 1000}
    async with upstream(service) as server:
        settings = chained(tmp_path, "elevenlabs", base_url=server.url, api_key=KEY)
        finding = (await found(settings))["backend elevenlabs"]
    bad(finding, "failed", "its credit is used up", "take elevenlabs out of --chain")


async def test_a_service_with_too_much_to_do(tmp_path: Path) -> None:
    """That passes by itself."""

    async def busy(x: Any) -> None:
        await x.json({"error": {"message": "slow down"}}, 429)

    async with upstream(busy) as server:
        settings = chained(tmp_path, "openai", base_url=f"{server.url}/v1")
        bad((await found(settings))["backend openai"], "warning", "too much to do", "later")


async def test_a_backend_that_hangs(tmp_path: Path) -> None:
    """It takes no longer than a check may, the others are looked at, and the connection is closed."""

    async def hangs(x: Any) -> None:
        await forever()

    async with upstream(hangs) as server:
        settings = chained(
            tmp_path, "openai", base_url=f"{server.url}/v1", first_audio_timeout=0.5, stall_timeout=60
        )
        began = asyncio.get_running_loop().time()
        findings = await found(settings, most=4.0)
        took = asyncio.get_running_loop().time() - began
        async with asyncio.timeout(5):
            await server.hung_up.wait()
    assert took < 20
    bad(findings["backend openai"], "failed", "did not end within 4 s", "hangs")
    assert not_ok(findings) == {"backend openai": "failed", "speech": "warning"}


async def test_a_model_of_a_server_that_runs_is_not_loaded_again(tmp_path: Path, monkeypatch: Any) -> None:
    """What the server says of it is told: that it speaks, still loads, or cannot."""
    async with serving() as server:
        settings = settings_of(tmp_path, chain=("kokoro", "espeak"), uri=f"tcp://127.0.0.1:{server.port}")
        running = await doctor_network.find_running(settings)
    assert running is not None
    built = assemble(settings)
    member = built.chain.members[0]
    for circuit, loaded, state in (
        ("closed", True, "ok"),
        ("closed", False, "warning"),
        ("open", True, "failed"),
    ):
        status = {
            "name": "kokoro",
            "engine": "K",
            "circuit": circuit,
            "loaded": loaded,
            "reason": "no memory",
        }
        told = dataclasses.replace(running, health={"backends": [status]})
        finding = await doctor_speech.backend(patient_of(settings, running=told), member)
        assert finding.state == state
        assert "says the server that runs" in finding.found
    assert (await doctor_speech.backend(patient_of(settings, running=running), member)).state == "ok"
    await doctor_speech.put_away(built)


async def test_a_sentence_that_another_speaks(tmp_path: Path) -> None:
    """A broken model is named at its backend, and the sentence is spoken by another."""
    garbage = tmp_path / "garbage.onnx"
    garbage.write_bytes(b"no model at all" * 1000)
    settings = settings_of(tmp_path, chain=("kokoro", "espeak"), model=str(garbage))
    findings = await found(settings)
    bad(findings["backend kokoro"], "failed", "is not a model", "out of --chain")
    bad(findings["speech"], "warning", "not by kokoro", "the line of kokoro")


async def test_a_sentence_that_is_late_or_halts_or_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a listener would notice is a warning with what helps; hearing nothing is a failure."""
    async with serving() as server:
        patient = patient_of(settings_of(tmp_path), uri=f"tcp://127.0.0.1:{server.port}")
        assert (await doctor_speech.speech(patient)).state == "ok"
        monkeypatch.setattr(doctor_speech, "LATE_SECONDS", 0.0)
        bad(await doctor_speech.speech(patient), "warning", "which is late", "once the model is loaded")
        monkeypatch.setattr(Meter, "halts", True)
        bad(await doctor_speech.speech(patient), "warning", "slower than it plays", "--threads")
    silence = ScriptedBackend(lambda request: [AudioChunk(np.zeros(2400, np.float32))])
    async with serving(silence) as server:
        patient = patient_of(settings_of(tmp_path), uri=f"tcp://127.0.0.1:{server.port}")
        bad(await doctor_speech.speech(patient), "failed", "nothing was heard", "backends")


def test_a_sentence_is_another_each_time(tmp_path: Path) -> None:
    """No cache knows it, and it is in the language of the default voice."""
    patient = patient_of(settings_of(tmp_path))
    assert len({doctor_speech._sentence(patient) for _ in range(5)}) > 1
    made = assemble(patient.settings)
    for language, sentence in doctor_speech.SENTENCES.items():
        voice = Voice(name="x", language=language, backend="x", description="x")
        catalogue = VoiceCatalogue((voice,), voice)
        built = dataclasses.replace(made, catalogue=catalogue)  # type: ignore[arg-type]
        spoken = doctor_speech._sentence(dataclasses.replace(patient, built=built))
        assert spoken.startswith(sentence.partition("{")[0])
