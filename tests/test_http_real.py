"""Real speech over HTTP: every format to its end, words at their times, a saved voice in `describe`."""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from wyoming.info import Describe, Info

from tests.http import decoded
from tests.quality.intelligibility import Listener, words_of
from tests.quality.texts import ENGLISH
from tests.test_app import PATIENCE, Server, free_port, running
from wyoming_tts.encoding import FORMATS
from wyoming_tts.types import Samples

RATE = 24_000
TEXT = "The garage door has been open since nine, and the last word of this sentence is pineapple."
SENTENCES = tuple(text for text in ENGLISH if 5 <= len(text.split()) <= 16)

FRAMES = (("mp3", 576), ("opus", 0), ("aac", 1024), ("flac", 0), ("wav", 2048))
"""Format -> samples of its frame at 24 kHz; of WAV's, those of the block in which ffmpeg reads it.

Files that tell where they end are as long as the speech to the sample.
"""

LIMIT = 0.08
"""Seconds that half of all words may be off."""


@dataclass
class Http:
    """A server process, and where its HTTP is."""

    server: Server
    url: str

    def client(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key="any", timeout=PATIENCE)


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory, model_data: Path) -> Iterator[Http]:
    """With the real model, loaded."""
    directory = tmp_path_factory.mktemp("http")
    data = directory / "data"
    data.mkdir()
    (data / "prepared").symlink_to(model_data / "prepared")  # what tests save is not kept
    url = f"http://127.0.0.1:{free_port()}"
    with running(directory, data, "--http-uri", url) as server:
        server.wait_for_log("Ready: ")
        yield Http(server, url)


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


def samples_in(data: bytes, name: str) -> Samples:
    """24 kHz mono samples."""
    if name == "pcm":
        return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32767)
    return decoded(data)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_heard_to_its_end(name: Any, http: Http, listener: Listener) -> None:
    """OpenAI's own client gets a file in which a listener understands each word, the last one too."""
    with http.client() as client:
        answer = client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="nova", input=TEXT, response_format=name
        )
        with answer as response:
            data = b"".join(response.iter_bytes())
    samples = samples_in(data, name)
    assert listener.errors(TEXT.replace("nine", "9"), samples) <= 1
    assert "pineapple" in words_of(listener.hear(samples[-round(1.6 * RATE) :]))[-1:]


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize(("name", "frame"), FRAMES)
def test_ffmpeg_has_nothing_to_say(name: str, frame: int, http: Http) -> None:
    """It decodes each file without a warning, and the file is as long as PCM is, to a frame of it."""
    lengths = []
    for kind in (name, "pcm"):
        body = {"input": TEXT, "voice": "nova", "response_format": kind}
        data = httpx.post(f"{http.url}/v1/audio/speech", json=body, timeout=PATIENCE).content
        if kind == "pcm":
            lengths.append(len(data) // 2)
            continue
        command = ["ffmpeg", "-v", "warning", "-i", "-", "-f", "s16le", "-ar", str(RATE), "-"]
        done = subprocess.run(command, input=data, capture_output=True, check=True, timeout=60)
        said = [line for line in done.stderr.decode().splitlines() if "Guessed Channel Layout" not in line]
        assert not said  # but what it says of every WAV of one channel
        lengths.append(len(done.stdout) // 2)
    assert 0 <= lengths[0] - lengths[1] <= frame


def test_words_are_where_they_are_heard(http: Http, listener: Listener) -> None:
    """In 20 sentences, against the times at which a Whisper model hears the same words."""
    compared, errors = 0, list[float]()
    for text in SENTENCES:
        body = {"input": text, "voice": "af_heart", "response_format": "pcm"}
        found = httpx.post(f"{http.url}/v1/audio/captioned", json=body, timeout=PATIENCE).json()
        samples = samples_in(base64.b64decode(found["audio"]), "pcm")
        told = [(w, t["start_time"], t["end_time"]) for t in found["timestamps"] for w in words_of(t["word"])]
        heard = [(w, a, b) for word, a, b in listener.times(samples) for w in words_of(word)]
        if [word for word, *_ in told] != [word for word, *_ in heard]:
            continue  # it writes numbers in other ways, or hears another word
        for (_, start, end), (_, first, last) in zip(told, heard, strict=True):
            errors += [abs(start - first), abs(end - last)]
        compared += 1
        if compared == 20:
            break
    median = float(np.median(errors))
    print(f"{compared} sentences, {len(errors) // 2} words:", end=" ")
    print(f"median error {median:.3f} s, p90 {np.percentile(errors, 90):.3f} s")
    assert compared == 20
    assert median < LIMIT


async def test_a_saved_voice_is_described(http: Http) -> None:
    """What the studio saves, Home Assistant lists at its next look."""
    body = {"name": "evening", "voice": "af_bella(2)+af_sky(1)", "description": "In the evening"}
    async with httpx.AsyncClient(base_url=http.url, timeout=PATIENCE) as client:
        assert (await client.post("/v1/audio/voices", json=body)).status_code == 201
        spoken = await client.post("/tts", json={"text": "Good evening.", "voice": "evening"})
    assert len(spoken.content) > RATE
    (event,) = await http.server.ask(Describe().event(), last="info")
    voices = {voice.name: voice.description for voice in Info.from_event(event).tts[0].voices}
    assert "In the evening" in (voices["evening"] or "")
    async with httpx.AsyncClient(base_url=http.url, timeout=PATIENCE) as client, http.server.client():
        status = (await client.get("/studio/status")).json()
    assert status["wyoming_connections"] >= 1


def test_it_stops_when_the_speech_has_ended(tmp_path: Path, model_data: Path) -> None:
    """A server that is told to stop finishes what somebody listens to, and ends well."""
    url = f"http://127.0.0.1:{free_port()}"
    with running(tmp_path, model_data, "--http-uri", url) as server:
        server.wait_for_log("Ready: ")
        body = {"input": TEXT, "response_format": "pcm"}
        with httpx.stream("POST", f"{url}/v1/audio/speech", json=body, timeout=PATIENCE) as answer:
            pieces = answer.iter_raw()
            data = next(pieces)
            server.process.terminate()
            data += b"".join(pieces)
        assert server.end() == 0
        assert "Traceback" not in server.log.read_text()
    assert len(data) > 2 * 4 * RATE
