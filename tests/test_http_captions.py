"""Captions, subtitles and phonemes over HTTP."""

from __future__ import annotations

import base64
import dataclasses
import itertools
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tests.fakes import ScriptedBackend, Step
from tests.http import http_serving
from wyoming_tts.types import AudioChunk, SynthesisRequest, WordTiming
from wyoming_tts.voices import load_catalogue

RATE = 24_000
TEXT = "It is **7** o'clock. Bye now."


def timed(request: SynthesisRequest) -> Iterable[Step]:
    """A tenth of a second for each word, in a chunk of its own."""
    position = 0
    for number, word in enumerate(request.text.split()):
        start = request.text.index(word, position)
        position = start + len(word)
        timing = WordTiming(word, number / 10, (number + 1) / 10, start, position)
        yield AudioChunk(np.full(RATE // 10, 0.1, np.float32), words=(timing,))


async def test_words_refer_to_the_text_that_was_sent(tmp_path: Path) -> None:
    """Through markup and numbers, with audio in the kind of file that was asked for."""
    async with http_serving(tmp_path, ScriptedBackend(timed)) as served:
        for path in ("/v1/audio/captioned", "/dev/captioned_speech"):
            answer = await served.client.post(path, json={"input": TEXT, "response_format": "pcm"})
            body = answer.json()
    words = body["timestamps"]
    assert [word["word"] for word in words] == ["It", "is", "**7**", "o'clock.", "Bye", "now."] or [
        TEXT[word["start_char"] : word["end_char"]].strip("*.") for word in words
    ] == ["It", "is", "7", "o'clock", "Bye", "now"]
    assert all(a["end_time"] <= b["start_time"] + 1e-6 for a, b in itertools.pairwise(words))
    assert len(base64.b64decode(body["audio"])) == 2 * 6 * RATE // 10


async def test_captions_are_streamed_as_lines(tmp_path: Path) -> None:
    """Joined they are the whole answer."""
    async with http_serving(tmp_path, ScriptedBackend(timed)) as served:
        body = {"input": TEXT, "response_format": "pcm"}
        whole = (await served.client.post("/v1/audio/captioned", json=body)).json()
        answer = await served.client.post("/v1/audio/captioned", json={**body, "stream": True})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert len(lines) >= 6
    assert [word for line in lines for word in line["timestamps"]] == whole["timestamps"]
    assert b"".join(base64.b64decode(line["audio"]) for line in lines) == base64.b64decode(whole["audio"])


async def test_times_follow_a_pace_that_is_made(tmp_path: Path) -> None:
    """At a quarter of the pace words come as late as they are heard."""
    backend = ScriptedBackend(timed)
    async with http_serving(tmp_path, backend) as served:
        slow = {"input": "One two three.", "response_format": "pcm", "speed": 0.25}
        words = (await served.client.post("/v1/audio/captioned", json=slow)).json()["timestamps"]
    assert [round(word["start_time"], 3) for word in words] == [0, 0.2, 0.4]


async def test_subtitles(tmp_path: Path) -> None:
    """SubRip and WebVTT of what would be spoken."""
    async with http_serving(tmp_path, ScriptedBackend(timed)) as served:
        srt = await served.client.post("/v1/audio/subtitles", json={"input": TEXT})
        vtt = await served.client.post("/v1/audio/subtitles", json={"input": TEXT, "subtitle_format": "vtt"})
    assert srt.text.startswith("1\n00:00:00,000 --> 00:00:0")
    assert vtt.text.startswith("WEBVTT\n")
    assert vtt.headers["content-type"].startswith("text/vtt")
    assert "Bye now." in srt.text


async def test_phonemes_there_and_back(tmp_path: Path) -> None:
    """A text becomes words and phonemes; phonemes are spoken as they are."""
    voices = [dataclasses.replace(voice, backend="scripted") for voice in load_catalogue().voices()[:3]]
    async with http_serving(tmp_path, ScriptedBackend(voices=voices)) as served:
        answer = await served.client.post("/dev/phonemize", json={"text": "20 °C"})
        found = answer.json()
        assert found["text"] == "twenty degrees Celsius"
        assert len(found["tokens"]) == len(found["phonemes"]) > 10
        spoken = await served.client.post("/dev/generate_from_phonemes", json={"phonemes": 'a"<&>ˈb'})
        assert spoken.status_code == 200
        assert served.backend.requests[-1].pronunciations[0].phonemes == 'a"<&>ˈb'
