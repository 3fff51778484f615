"""ElevenLabs against a real HTTP server that speaks its contract."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.remote import TEXT, collect, elevenlabs, request_for, said, seconds, started
from tests.upstream import FAULTS, WORD_SECONDS, ElevenLabs, Exchange, running
from wyoming_tts.backends.elevenlabs import AlignmentReader, check_credit
from wyoming_tts.errors import (
    BackendAuthError,
    BackendOverloadedError,
    BackendQuotaError,
    BackendUnavailableError,
    SynthesisError,
)
from wyoming_tts.types import AudioChunk, Playhead


async def test_speech_comes_with_its_words(tmp_path: Path) -> None:
    """Each word has its place in the text and its time in the audio, whether times count on or begin anew."""
    for relative in (False, True):
        contract = ElevenLabs()
        contract.relative = relative
        async with running(contract) as upstream, started(elevenlabs(upstream.url, tmp_path)) as backend:
            chunks = await said(backend)
        words = [word for chunk in chunks for word in chunk.words]
        assert [word.word for word in words] == TEXT.split()
        assert [TEXT[word.char_start : word.char_end] for word in words] == TEXT.split()
        for number, word in enumerate(words):
            assert abs(word.start - number * WORD_SECONDS) < 0.02
            assert word.start < word.end <= (number + 1) * WORD_SECONDS + 0.02
        assert abs(seconds(chunks) - len(words) * WORD_SECONDS) < 0.05
        fractions = [chunk.fraction for chunk in chunks if chunk.fraction is not None]
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1


async def test_the_request_is_as_documented(tmp_path: Path) -> None:
    """Key, format, model, language and settings stand where the service looks for them."""
    async with running(ElevenLabs()) as upstream:
        options: dict[str, Any] = {"api_key": "hush", "stability": 0.4, "seed": 7, "logging": False}
        async with started(elevenlabs(upstream.url, tmp_path, **options)) as backend:
            await said(backend, speed=1.1)
    asked = upstream.exchanges[-1]
    assert asked.path == "/v1/text-to-speech/id1/stream/with-timestamps"
    assert asked.query == {"output_format": "pcm_24000", "enable_logging": "false"}
    assert asked.headers["xi-api-key"] == "hush"
    assert asked.json_body() == {
        "text": TEXT,
        "model_id": "eleven_flash_v2_5",
        "apply_text_normalization": "off",
        "voice_settings": {"stability": 0.4, "speed": 1.1},
        "seed": 7,
        "language_code": "en",
    }


async def test_sentences_of_one_stream_know_each_other(tmp_path: Path) -> None:
    """A request names up to three before it of the same listener, and none of another's."""
    contract = ElevenLabs()
    async with running(contract) as upstream, started(elevenlabs(upstream.url, tmp_path)) as backend:
        one, other = Playhead(), Playhead()
        for _ in range(5):
            await said(backend, playhead=one)
        await said(backend, playhead=other)
    bodies = [x.json_body() for x in upstream.exchanges if x.method == "POST"]
    before = [body.get("previous_request_ids", []) for body in bodies]
    assert before == [
        [],
        ["request-1"],
        ["request-1", "request-2"],
        ["request-1", "request-2", "request-3"],
        ["request-2", "request-3", "request-4"],
        [],
    ]


async def test_voices_are_listed_and_kept(tmp_path: Path) -> None:
    """The account's voices are there with language and gender, after a restart before the service answers."""
    async with running(ElevenLabs()) as upstream, started(elevenlabs(upstream.url, tmp_path)) as backend:
        rachel, adam = backend.voices()
    assert (rachel.name, rachel.gender, rachel.language) == ("elevenlabs/Rachel", "female", "en")
    assert (adam.gender, adam.language) == ("male", "de")
    assert "fr" in rachel.spoken
    again = elevenlabs(upstream.url, tmp_path)
    assert list(again.voices()) == [rachel, adam]
    (tmp_path / "elevenlabs" / "voices.json").write_text("{")
    assert list(elevenlabs(upstream.url, tmp_path).voices()) == []


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "quota_exceeded", BackendQuotaError),
        (401, "invalid_api_key", BackendAuthError),
        (429, "too_many_concurrent_requests", BackendOverloadedError),
        (429, "system_busy", BackendOverloadedError),
        (400, "voice_not_found", SynthesisError),
        (500, "internal", BackendUnavailableError),
    ],
)
async def test_quota_and_outage_are_told_apart(
    status: int, code: str, kind: type[Exception], tmp_path: Path
) -> None:
    """The service answers 401 for a wrong key and for used-up credit; its own code decides."""
    contract = ElevenLabs()

    async def refuse(x: Exchange, pcm: bytes) -> None:
        await x.json({"detail": {"status": code, "message": "because"}}, status)

    async with running(contract) as upstream, started(elevenlabs(upstream.url, tmp_path)) as backend:
        contract.faults = [refuse]
        with pytest.raises(kind, match="because"):
            await said(backend)


async def test_probe_sees_credit(tmp_path: Path) -> None:
    """A probe costs nothing and knows when there is credit again."""
    contract = ElevenLabs()
    reset = time.time() + 5000
    contract.credit = {"character_count": 9, "character_limit": 9, "next_character_count_reset_unix": reset}
    async with running(contract) as upstream:
        backend = elevenlabs(upstream.url, tmp_path)
        with pytest.raises(BackendQuotaError) as caught:
            await backend.probe()
        contract.credit = {"character_count": 0, "character_limit": 9}
        await backend.probe()
        await backend.stop()
    assert caught.value.retry_after == pytest.approx(5000, abs=60)
    check_credit("x", {"character_count": 9, "character_limit": 9, "can_extend_character_limit": True})


async def test_broken_off_with_words(tmp_path: Path) -> None:
    """What was said before a connection broke is known to the word."""
    contract = ElevenLabs()
    contract.broken_after = 3
    async with running(contract) as upstream, started(elevenlabs(upstream.url, tmp_path)) as backend:
        chunks: list[AudioChunk] = []
        with pytest.raises(BackendUnavailableError):
            await collect(backend.synthesize(request_for(backend)), chunks)
        words = [word for chunk in chunks for word in chunk.words]
    assert [word.word for word in words] == TEXT.split()[:3]


@pytest.mark.parametrize("name", FAULTS)
async def test_each_fault_is_an_error(name: str, tmp_path: Path) -> None:
    """No fault is taken for speech, and none hangs."""
    contract = ElevenLabs()
    limits: dict[str, Any] = {"first_audio_timeout": 0.4, "stall_timeout": 0.4}
    async with (
        running(contract) as upstream,
        started(elevenlabs(upstream.url, tmp_path, **limits)) as backend,
    ):
        contract.faults = [FAULTS[name]] * 2
        async with asyncio.timeout(20):
            with pytest.raises(Exception, match=r"\w") as caught:
                await said(backend)
    assert caught.type.__module__ == "wyoming_tts.errors"


@pytest.mark.parametrize(
    "line", [b"nonsense\n", b'{"audio_base64": "%%%"}\n', b'{"alignment": {"characters": 1}}\n']
)
async def test_nonsense_is_an_error(line: bytes, tmp_path: Path) -> None:
    """What is not what was announced is said so."""
    contract = ElevenLabs()

    async def answer(x: Exchange, pcm: bytes) -> None:
        await x.answer(line, kind="application/json")

    async with running(contract) as upstream, started(elevenlabs(upstream.url, tmp_path)) as backend:
        contract.faults = [answer]
        with pytest.raises(SynthesisError):
            await said(backend)


def test_alignment_in_any_pieces() -> None:
    """Words are the same however the service cuts its objects."""
    text = "Good morning to you"
    each = [{"audio_base64": "", "alignment": {
        "character_start_times_seconds": [i / 10], "character_end_times_seconds": [(i + 1) / 10],
    }} for i in range(len(text))]  # fmt: skip
    reader = AlignmentReader(text)
    words = [word for found in each for word in reader.chunk(json.loads(json.dumps(found))).words]
    assert [(word.word, round(word.start, 1), round(word.end, 1)) for word in words] == [
        ("Good", 0.0, 0.4),
        ("morning", 0.5, 1.2),
        ("to", 1.3, 1.5),
        ("you", 1.6, 1.9),
    ]
