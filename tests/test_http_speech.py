"""Speech over HTTP, as OpenAI's own client asks for it, against the real server and a scripted backend."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import io
import json
import wave
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest

from tests.fakes import PATIENCE, SAMPLES_PER_CHARACTER, ScriptedBackend, Step, endless, until, wait_for
from tests.http import Served, decoded, http_serving
from wyoming_tts.encoding import AAC_DELAY, FORMATS, MP3_LATE
from wyoming_tts.errors import BackendQuotaError, BackendUnavailableError
from wyoming_tts.types import AudioChunk, SynthesisRequest

RATE = 24_000
FRAME = {"mp3": 576, "aac": 1024, "wav": 2048}
"""Samples that the last frame may be longer than what is in it; the other formats tell."""

LEAD = {"mp3": MP3_LATE, "aac": AAC_DELAY}
"""Samples of silence that a stream begins with, of formats that cannot say that it is none."""

TEXT = "Hello there."
SAMPLES = SAMPLES_PER_CHARACTER * len(TEXT)


def official(served: Served) -> openai.AsyncOpenAI:
    """OpenAI's own client."""
    return openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key="any", max_retries=0, timeout=PATIENCE)


def hum(samples: int) -> AudioChunk:
    """A tone that every codec keeps; its root mean square is 0.25."""
    wave_ = np.sin(2 * np.pi * 300 / RATE * np.arange(samples)) * 0.25 * np.sqrt(2)
    return AudioChunk(wave_.astype(np.float32))


@pytest.mark.parametrize("name", FORMATS)
async def test_openais_client_gets_every_format(name: Any, tmp_path: Path) -> None:
    """Unmodified, streaming, and what comes is the whole speech in the kind of file that was asked for."""
    backend = ScriptedBackend(lambda request: [hum(SAMPLES_PER_CHARACTER * len(request.text))])
    async with http_serving(tmp_path, backend) as served, official(served) as client:
        made = client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="heart", input=f"{TEXT} " * 20, response_format=name
        )
        async with made as answer:
            data = b"".join([piece async for piece in answer.iter_bytes()])
            assert answer.headers["content-type"] == FORMATS[name].media_type
    samples = np.frombuffer(data, "<i2") / 32767 if name == "pcm" else decoded(data)
    assert 0 <= len(samples) - LEAD.get(name, 0) - 20 * SAMPLES <= FRAME.get(name, 0)
    assert np.sqrt(np.square(samples[2400 : 20 * SAMPLES - 2400]).mean()) == pytest.approx(
        0.25, rel=0.06
    )  # LAME: -0.4 dB


@pytest.mark.parametrize("name", FORMATS)
async def test_openais_client_reads_events(name: Any, tmp_path: Path) -> None:
    """`stream_format` sse gives pieces of the same file, and in the end how much it was."""
    async with http_serving(tmp_path) as served, official(served) as client:
        whole = (await served.speak(response_format=name)).content
        made = client.audio.speech.with_streaming_response.create(
            model="gpt-4o-mini-tts", voice="heart", input=TEXT, response_format=name, stream_format="sse"
        )
        async with made as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = [line async for line in answer.iter_lines() if line]
        events = [json.loads(line.removeprefix("data: ")) for line in lines]
    *deltas, done = events
    joined = b"".join(base64.b64decode(delta["audio"]) for delta in deltas)
    if name == "opus":  # each Ogg stream has a number of its own
        np.testing.assert_array_equal(decoded(joined), decoded(whole))
    else:
        assert joined == whole
    assert {delta["type"] for delta in deltas} == {"speech.audio.delta"}
    assert done["type"] == "speech.audio.done"
    usage = done["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 1


async def test_first_bytes_leave_before_the_last_are_made(tmp_path: Path) -> None:
    """Of every format something can be heard while the backend still waits."""
    for name in FORMATS:
        go_on = asyncio.Event()

        def script(request: SynthesisRequest, go_on: asyncio.Event = go_on) -> Iterable[Step]:
            return [hum(RATE), go_on, hum(RATE)]

        async with http_serving(tmp_path, ScriptedBackend(script)) as served:
            body = {"input": TEXT, "response_format": name}
            async with served.client.stream("POST", "/v1/audio/speech", json=body) as answer:
                pieces = answer.aiter_bytes()
                data = await anext(pieces)
                while len(data) < 2000:
                    data += await anext(pieces)
                assert served.backend.running, name
                go_on.set()
                rest = b"".join([piece async for piece in pieces])
        samples = np.frombuffer(data + rest, "<i2") if name == "pcm" else decoded(data + rest)
        assert 0 <= len(samples) - LEAD.get(name, 0) - 2 * RATE <= FRAME.get(name, 0), name


async def test_what_was_asked_for_arrives(tmp_path: Path) -> None:
    """Voice as a name, an object or a blend's part, pace, volume, rate, and what other clients add."""
    async with http_serving(tmp_path) as served:
        for voice in ("adam", {"id": "adam"}, "ADAM"):
            assert (await served.speak(voice=voice)).status_code == 200
        await served.speak(speed=1.5, voice="heart")
        await served.speak(lang_code="f", model="x-large", foo="bar")
        requests = served.backend.requests
        assert [one.voice.name for one in requests] == ["adam", "adam", "adam", "heart", "siwis"]
        assert requests[3].speed == 1.5
        quiet = await served.speak(volume=0.5, response_format="pcm")
        assert np.median(np.frombuffer(quiet.content, "<i2")) == pytest.approx(0.125 * 32767, abs=2)
        wav = await served.speak(response_format="wav", sample_rate=8000, stream=False)
        with wave.open(io.BytesIO(wav.content)) as file:
            assert (file.getframerate(), file.getnframes()) == (8000, pytest.approx(SAMPLES / 3, abs=2))


@pytest.mark.parametrize("speed", [0.25, 4.0])
async def test_paces_that_no_model_has(speed: float, tmp_path: Path) -> None:
    """The model speaks as slowly or quickly as it can, and the rest is made of its audio."""
    backend = ScriptedBackend(lambda request: [round(4 * RATE / request.speed)])
    async with http_serving(tmp_path, backend) as served:
        answer = await served.speak(speed=speed, response_format="pcm")
    assert backend.requests[0].speed == (0.5 if speed < 1 else 2.0)
    assert len(answer.content) / 2 == pytest.approx(4 * RATE / speed, rel=0.02)


async def test_a_file_that_is_not_streamed_has_a_length(tmp_path: Path) -> None:
    """`stream` false and `/tts` answer with a length and a header that tells the truth."""
    async with http_serving(tmp_path) as served:
        speech = await served.speak(stream=False, response_format="wav")
        tts = await served.client.post("/tts", json={"text": TEXT, "voice": "adam"})
    for answer in (speech, tts):
        assert int(answer.headers["content-length"]) == len(answer.content)
        with wave.open(io.BytesIO(answer.content)) as file:
            assert file.getnframes() == SAMPLES


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"input": ""}, 400, "input"),
        ({"input": "   "}, 400, "input"),
        ({}, 400, "input"),
        ({"input": 5}, 400, "input"),
        ({"input": "x", "voice": "nobody"}, 404, "voice"),
        ({"input": "x", "speed": 9}, 400, "speed"),
        ({"input": "x", "response_format": "ogg"}, 400, "response_format"),
        ({"input": "x", "sample_rate": 11_000, "response_format": "opus"}, 400, None),
        ({"input": "x" * 101}, 413, None),
    ],
)
async def test_mistakes_are_named(
    body: dict[str, Any], status: int, param: str | None, tmp_path: Path
) -> None:
    """As OpenAI would, with a message that says what is wrong, and nothing is spoken."""
    async with http_serving(tmp_path, max_text=100) as served:
        answer = await served.client.post("/v1/audio/speech", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["param"]) == (status, "invalid_request_error", param)
    assert len(error["message"]) > 10
    assert not served.backend.requests


async def test_openais_client_raises_its_errors(tmp_path: Path) -> None:
    """Statuses and bodies are those that it knows."""
    async with http_serving(tmp_path) as served, official(served) as client:
        with pytest.raises(openai.NotFoundError, match="nobody"):
            await client.audio.speech.create(model="tts-1", voice="nobody", input=TEXT)
        with pytest.raises(openai.BadRequestError, match="speed"):
            await client.audio.speech.create(model="tts-1", voice="heart", input=TEXT, speed=17)


@pytest.mark.parametrize(
    ("error", "status"), [(BackendUnavailableError("it burns"), 503), (BackendQuotaError("no money"), 503)]
)
async def test_a_failure_before_the_first_sound_is_a_status(
    error: Exception, status: int, tmp_path: Path
) -> None:
    """Nothing was sent yet, so the client is told honestly, and when to come again."""
    async with http_serving(tmp_path, ScriptedBackend(lambda request: [error])) as served:
        answer = await served.speak()
        assert answer.status_code == status
        assert str(error) in answer.json()["error"]["message"]
        assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("name", ["mp3", "wav"])
async def test_a_failure_in_the_middle_breaks_the_transfer(name: str, tmp_path: Path) -> None:
    """Half a file never looks like a whole one, and the server goes on."""
    broken = BackendUnavailableError("it broke off")
    backend = ScriptedBackend(lambda request: [RATE, broken] if "Hello" in request.text else [100])
    async with http_serving(tmp_path, backend) as served:
        with pytest.raises(httpx.RemoteProtocolError):
            await served.speak(response_format=name)
        assert (await served.speak(input="Good night.")).status_code == 200


def is_running(backend: ScriptedBackend) -> bool:
    return backend.running > 0


def is_empty(served: Served) -> bool:
    return served.site.gate.inside == 0


async def test_who_leaves_stops_the_work(tmp_path: Path) -> None:
    """While it is streamed, while it is collected, and while the first sound is still waited for."""
    never = asyncio.Event()
    for script, stream in ((endless, True), (endless, False), (lambda request: [never], True)):
        backend = ScriptedBackend(script)
        async with http_serving(tmp_path, backend) as served:
            task = asyncio.create_task(served.speak(stream=stream))
            await until(functools.partial(is_running, backend))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await wait_for(backend.closed)
            await until(functools.partial(is_empty, served))


async def test_long_texts_are_streamed_or_refused(tmp_path: Path) -> None:
    """What would have to wait in memory as a whole has a bound of its own."""
    async with http_serving(tmp_path, ScriptedBackend(lambda request: [10])) as served:
        text = "Hello there. " * 2000
        refused = await served.speak(input=text, stream=False)
        assert (refused.status_code, "streamed" in refused.text) == (413, True)
        assert (await served.speak(input=text, response_format="pcm")).status_code == 200


async def test_who_leaves_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody has to read tracebacks because somebody closed a page."""
    backend = ScriptedBackend(endless)
    async with http_serving(tmp_path, backend) as served:
        for stream in (False, True):
            task = asyncio.create_task(served.speak(stream=stream))
            await until(functools.partial(is_running, backend))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await until(functools.partial(is_empty, served))
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]


async def test_one_too_many_is_asked_to_come_again(tmp_path: Path) -> None:
    """With a 429 and Retry-After, at once; when there is room again it is served."""
    async with http_serving(tmp_path, ScriptedBackend(endless), max_requests=2) as served:
        async with contextlib.AsyncExitStack() as listeners:
            for _ in range(2):
                body = {"input": TEXT, "response_format": "pcm"}
                answer = await listeners.enter_async_context(
                    served.client.stream("POST", "/v1/audio/speech", json=body)
                )
                assert answer.status_code == 200
            refused = await served.speak()
            assert (refused.status_code, refused.json()["error"]["type"]) == (429, "rate_limit_error")
            assert int(refused.headers["retry-after"]) >= 1
        await until(lambda: not served.site.gate.inside)


async def test_a_client_that_reads_nothing_is_left(tmp_path: Path) -> None:
    """It costs a buffer, not a stream for ever."""
    async with http_serving(tmp_path, ScriptedBackend(endless), write_seconds=0.2) as served:
        _, writer = await asyncio.open_connection("127.0.0.1", served.server.port)
        body = json.dumps({"input": TEXT, "response_format": "pcm"}).encode()
        writer.write(
            b"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await until(lambda: bool(served.backend.running))
        await until(lambda: not served.backend.running)
        writer.close()


async def test_own_events_tell_words_and_progress(tmp_path: Path) -> None:
    """`/tts/stream` with events: start, audio, progress, done, in a form that a page can follow."""
    async with http_serving(tmp_path) as served:
        answer = await served.client.post("/tts/stream", json={"text": f"{TEXT} Bye.", "events": True})
    events = [
        (
            block.splitlines()[0].removeprefix("event: "),
            json.loads(block.splitlines()[1].removeprefix("data: ")),
        )
        for block in answer.text.split("\n\n")
        if block
    ]
    kinds = [kind for kind, _ in events]
    assert (kinds[0], kinds[-2], kinds[-1]) == ("start", "progress", "done")
    pcm = b"".join(base64.b64decode(body) for kind, body in events if kind == "audio")
    assert len(pcm) / 2 / RATE == pytest.approx(events[-1][1]["seconds"])
    fractions = [body["fraction"] for kind, body in events if kind == "progress"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert events[-2][1]["finished"] is True


async def test_shapes_of_well_known_clients(tmp_path: Path) -> None:
    """wyoming_openai and Open WebUI find voices and models, and are spoken to as they ask."""
    async with http_serving(tmp_path) as served:
        voices = (await served.client.get("/v1/audio/voices")).json()["voices"]
        assert [one["id"] for one in voices] == ["heart", "adam", "siwis"]  # Open WebUI reads voice['id']
        models = (await served.client.get("/v1/models")).json()["data"]
        assert {"tts-1", "kokoro"} <= {one["id"] for one in models}
        assert (await served.client.get("/health")).status_code == 200
        webui = {"model": "tts-1", "input": TEXT, "voice": voices[1]["id"], "response_format": "mp3"}
        assert (await served.client.post("/v1/audio/speech", json=webui)).status_code == 200
        webui_other_base = await served.client.post("/audio/speech", json=webui)
        assert webui_other_base.status_code == 200
        wyoming_openai = {**webui, "response_format": "wav", "speed": 1.0, "instructions": "Kindly."}
        assert (await served.client.post("/v1/audio/speech", json=wyoming_openai)).status_code == 200
