"""AllTalk, both versions, against real HTTP servers that speak their contracts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.remote import TEXT, alltalk, request_for, said, seconds, started
from tests.upstream import FAULTS, WORD_SECONDS, AllTalk, Exchange, running
from wyoming_tts.backends.alltalk import AllTalkOptions, parts_of
from wyoming_tts.errors import BackendUnavailableError, SynthesisError

EXPECTED = len(TEXT.split()) * WORD_SECONDS


@pytest.mark.parametrize("version", [1, 2])
async def test_streaming(version: int) -> None:
    """Where the engine can stream, it is asked to, with voice and language as it calls them."""
    async with running(AllTalk(version)) as upstream, started(alltalk(upstream.url)) as backend:
        voices = {voice.name: voice.gender for voice in backend.voices()}
        chunks = await said(backend)
        asked = upstream.exchanges[-1]
    assert voices == {"alltalk/female_01": "female", "alltalk/male_01": "male"}
    assert abs(seconds(chunks) - EXPECTED) < 0.05
    assert len(chunks) > 3
    assert (asked.method, asked.path) == ("GET", "/api/tts-generate-streaming")
    assert {key: asked.query[key] for key in ("text", "voice", "language")} == {
        "text": TEXT,
        "voice": "female_01.wav",
        "language": "en",
    }


async def test_voices_are_known_before_it_answers(tmp_path: Path) -> None:
    """After a restart it offers what it had, whether the box is on or not."""
    async with running(AllTalk(2)) as upstream, started(alltalk(upstream.url, data_dir=tmp_path)) as backend:
        listed = list(backend.voices())
    assert [voice.name for voice in listed] == ["alltalk/female_01", "alltalk/male_01"]
    assert list(alltalk(upstream.url, data_dir=tmp_path).voices()) == listed
    assert list(alltalk("http://127.0.0.1:9", data_dir=tmp_path).voices()) == []


@pytest.mark.parametrize("version", [1, 2])
async def test_files(version: int) -> None:
    """Else a file is made and fetched, whatever host the service thinks it is; all fields of v1 are there."""
    contract = AllTalk(version, streaming=False)
    options: dict[str, Any] = {"api": "generate", "languages": ("en", "de")}
    async with running(contract) as upstream, started(alltalk(upstream.url, **options)) as backend:
        chunks = await said(backend)
    assert abs(seconds(chunks) - EXPECTED * 24_000 / 22_050) < 0.1
    form = next(x for x in upstream.exchanges if x.path == "/api/tts-generate").form()
    assert form["language"] == "en"
    assert form["output_file_name"].isalnum()
    assert set(form) >= {
        *("text_input", "text_filtering", "character_voice_gen", "narrator_enabled", "narrator_voice_gen"),
        *("text_not_inside", "language", "output_file_name", "output_file_timestamp", "autoplay"),
        "autoplay_volume",
    }


async def test_version_2_without_streaming_makes_files() -> None:
    """An engine that cannot stream is not asked to."""
    async with running(AllTalk(2, streaming=False)) as upstream, started(alltalk(upstream.url)) as backend:
        await said(backend)
    assert "/api/tts-generate" in upstream.paths()
    assert "/api/tts-generate-streaming" not in upstream.paths()


async def test_openais_way() -> None:
    """Version 2 can be asked as OpenAI is, with the six voices that it knows there."""
    async with running(AllTalk(2)) as upstream, started(alltalk(upstream.url, api="openai")) as backend:
        assert [voice.name for voice in backend.voices()][:2] == ["alltalk/alloy", "alltalk/echo"]
        assert abs(seconds(await said(backend)) - EXPECTED) < 0.05
    body = upstream.exchanges[-1].json_body()
    assert (body["voice"], body["response_format"]) == ("alloy", "wav")


async def test_model_is_loaded_where_none_is() -> None:
    """A service without a model loads the one that is configured, or says what to do."""
    contract = AllTalk(2)
    contract.ready = "Unloaded"
    async with running(contract) as upstream:
        backend = alltalk(upstream.url)
        with pytest.raises(BackendUnavailableError, match=r"backends\.alltalk\.model"):
            await backend.start()
        await backend.stop()
        async with started(alltalk(upstream.url, model="xtts - v2")) as backend:
            await said(backend)
    assert next(x for x in upstream.exchanges if x.path == "/api/reload").query == {"tts_method": "xtts - v2"}


async def test_long_texts_are_cut() -> None:
    """No request is longer than it takes, no word is lost, and cuts are at sentences."""
    text = " ".join(f"This is sentence number {number}." for number in range(200))
    async with running(AllTalk(2)) as upstream, started(alltalk(upstream.url)) as backend:
        chunks = await said(backend, text)
    asked = [x.query["text"] for x in upstream.exchanges if x.path == "/api/tts-generate-streaming"]
    assert len(asked) > 2
    assert " ".join(" ".join(asked).split()) == text
    assert all(len(part) < 2000 and part.rstrip().endswith(".") for part in asked)
    assert abs(seconds(chunks) - len(text.split()) * WORD_SECONDS) < 0.5


def test_parts() -> None:
    """Behind a sentence, else a comma, else a space, else anywhere."""
    assert list(parts_of("One. Two three", 10)) == ["One.", "Two three"]
    assert list(parts_of("One, two three", 10)) == ["One,", "two three"]
    assert list(parts_of("One two three", 10)) == ["One two ", "three"]
    assert list(parts_of("x" * 25, 10)) == ["x" * 10, "x" * 10, "x" * 5]
    assert list(parts_of("")) == []


async def test_requests_come_one_after_the_other() -> None:
    """It mixes up two that come together."""
    contract = AllTalk(2)
    async with running(contract) as upstream, started(alltalk(upstream.url)) as backend:
        await asyncio.gather(*(said(backend) for _ in range(4)))
    assert contract.most_running == 1
    assert AllTalkOptions().base_url == "http://127.0.0.1:7851"


async def test_what_nobody_wants_is_stopped() -> None:
    """A listener that leaves stops the generation, so that the next need not wait for it."""
    contract = AllTalk(2)
    contract.faults = [FAULTS["hang_mid_body"]]
    async with running(contract) as upstream, started(alltalk(upstream.url)) as backend:
        chunks = backend.synthesize(request_for(backend))
        await anext(chunks)
        await chunks.aclose()
        assert upstream.paths()[-1] == "/api/stop-generation"


async def test_failure_is_said() -> None:
    """What it answers in the place of a file stands in the error."""
    contract = AllTalk(2, streaming=False)

    async def fail(x: Exchange, pcm: bytes) -> None:
        await x.json({"status": "generate-failure", "error": "no such voice"})

    async with running(contract) as upstream, started(alltalk(upstream.url)) as backend:
        contract.faults = [fail]
        with pytest.raises(SynthesisError, match="no such voice"):
            await said(backend)
