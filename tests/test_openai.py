"""The OpenAI-compatible backend against real HTTP servers: what it asks, what it understands, every fault."""

from __future__ import annotations

import asyncio
import datetime
import io
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import PATIENCE, until
from tests.remote import TEXT, joined, openai, request_for, said, seconds, started, with_language
from tests.speech import surroundings
from tests.upstream import FAULTS, RATE, WORD_SECONDS, Exchange, OpenAI, Upstream, running, speech, wav
from wyoming_tts.backends.openai import SHUT_DOWN, OpenAIBackend
from wyoming_tts.backends.remote_backend import names_in
from wyoming_tts.errors import (
    BackendAuthError,
    BackendError,
    BackendOverloadedError,
    BackendQuotaError,
    BackendTimeoutError,
    BackendUnavailableError,
    ConfigError,
    SynthesisError,
)

EXPECTED = len(TEXT.split()) * WORD_SECONDS
SHORT: dict[str, Any] = {"first_audio_timeout": 0.4, "stall_timeout": 0.4, "connect_timeout": 0.4}

MAPPED: dict[str, type[BackendError]] = {
    "hang_before_headers": BackendTimeoutError,
    "hang_after_headers": BackendTimeoutError,
    "hang_mid_body": BackendTimeoutError,
    "break_mid_body": BackendUnavailableError,
    "unauthorised": BackendAuthError,
    "unpaid": BackendQuotaError,
    "used_up": BackendQuotaError,
    "too_many": BackendOverloadedError,
    "broken": BackendUnavailableError,
    "web_page": SynthesisError,
    "truncated_wav": SynthesisError,
    "wrong_rate": SynthesisError,
    "slow_drip": BackendTimeoutError,
    "redirected": BackendUnavailableError,
    "hangs_up": BackendUnavailableError,
    "silence": SynthesisError,
    "nothing": SynthesisError,
}


@pytest.fixture
async def service() -> AsyncIterator[tuple[OpenAI, Upstream]]:
    contract = OpenAI()
    async with running(contract) as upstream:
        yield contract, upstream


def test_every_fault_is_mapped() -> None:
    """No fault is forgotten."""
    assert set(MAPPED) == set(FAULTS)


async def test_speech_is_streamed(service: tuple[OpenAI, Upstream]) -> None:
    """PCM comes out as it goes in, in chunks, and the first leaves before the last has come."""
    contract, upstream = service
    contract.pieces = 40
    backend = openai(upstream.url, model="tts-1", voice_names=("nova",))
    async with started(backend):
        chunks = await said(backend)
    assert len(chunks) > 5
    sent = np.frombuffer(speech(TEXT), "<i2") / np.float32(32768)
    got = joined(chunks)
    begin = len(sent) - len(got)
    assert begin < 300  # the silence in front of the first sound
    np.testing.assert_allclose(got, sent[begin:], atol=1e-4)


async def test_the_request_is_as_documented() -> None:
    """Model, text, voice without our prefix, format; speed, instructions and more only where they are set."""
    contract = OpenAI()
    contract.key = "secret"
    async with running(contract) as upstream:
        options: dict[str, Any] = {
            "instructions": "Whisper.",
            "extra_body": {"lang_code": "a"},
            "api_key": "secret",
        }
        backend = openai(upstream.url, model="m", voice_names=("nova",), **options)
        async with started(backend):
            await said(backend)
            await said(backend, speed=1.5)
    first, second = (x.json_body() for x in upstream.exchanges if x.path == "/v1/audio/speech")
    assert first == {
        "model": "m",
        "input": TEXT,
        "voice": "nova",
        "response_format": "pcm",
        "instructions": "Whisper.",
        "lang_code": "a",
    }
    assert second["speed"] == 1.5
    assert upstream.total_connections == 1  # all in one


@pytest.mark.parametrize("name", FAULTS)
async def test_each_fault_is_told_apart(name: str, service: tuple[OpenAI, Upstream]) -> None:
    """Whatever a service does instead of speaking, its error comes, in time, and nothing stays open."""
    contract, upstream = service
    backend = openai(upstream.url, voice_names=("nova",), response_format="pcm", **SHORT)
    fault = FAULTS[name]
    async with started(backend), asyncio.timeout(PATIENCE):
        contract.faults = [fault, fault]  # a connection that is hung up on is tried once more
        with pytest.raises(MAPPED[name]) as caught:
            await said(backend)
        assert str(caught.value)
        contract.faults = []
        assert abs(seconds(await said(backend)) - EXPECTED) < 0.05
    async with asyncio.timeout(PATIENCE):
        await until(lambda: not upstream.connections)


async def test_retry_after_is_read(service: tuple[OpenAI, Upstream]) -> None:
    """How long a service wants to be left alone stands in the error."""
    contract, upstream = service
    async with started(openai(upstream.url, voice_names=("nova",))) as backend:
        contract.faults = [FAULTS["too_many"]]
        with pytest.raises(BackendOverloadedError) as caught:
            await said(backend)
    assert caught.value.retry_after == 7


async def test_closed_keep_alive_is_nobodys_fault(service: tuple[OpenAI, Upstream]) -> None:
    """A kept connection that was closed meanwhile costs a second connection and no error."""
    contract, upstream = service
    async with started(openai(upstream.url, voice_names=("nova",))) as backend:
        await said(backend)
        contract.faults = [FAULTS["hangs_up"]]
        assert abs(seconds(await said(backend)) - EXPECTED) < 0.05


async def test_nobody_there() -> None:
    """A port where nobody listens is an outage."""
    backend = openai("http://127.0.0.1:9", voice_names=("nova",))
    with pytest.raises(BackendUnavailableError, match=r"cannot be reached at http://127\.0\.0\.1:9"):
        await backend.start()
    await backend.stop()


async def test_leaving_frees_the_connection(service: tuple[OpenAI, Upstream]) -> None:
    """A listener that goes away in the middle hangs up on the service, too."""
    contract, upstream = service
    contract.faults = [FAULTS["hang_mid_body"]]
    async with started(openai(upstream.url, voice_names=("nova",))) as backend:
        chunks = backend.synthesize(request_for(backend))
        await anext(chunks)
        await chunks.aclose()
        async with asyncio.timeout(PATIENCE):
            await upstream.hung_up.wait()


async def test_stop_ends_running_sentences(service: tuple[OpenAI, Upstream]) -> None:
    """Stopping does not wait for a service that hangs."""
    contract, upstream = service
    contract.faults = [FAULTS["hang_mid_body"]]
    backend = openai(upstream.url, voice_names=("nova",), stall_timeout=60)
    await backend.start()
    task = asyncio.create_task(said(backend))
    async with asyncio.timeout(PATIENCE):
        await until(lambda: len(upstream.exchanges) >= 2)
        await asyncio.sleep(0.1)
        await backend.stop()
        with pytest.raises(BackendUnavailableError):
            await task


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
async def test_wav_is_understood(rate: int, channels: int, service: tuple[OpenAI, Upstream]) -> None:
    """WAV is recognised whatever it is called, brought to one rate and one channel."""
    contract, upstream = service

    async def answer(x: Exchange, pcm: bytes) -> None:
        samples = np.frombuffer(speech(TEXT, rate), "<i2").repeat(channels).tobytes()
        await x.answer(wav(samples, rate, channels), kind="application/octet-stream", pieces=13)

    async with started(openai(upstream.url, voice_names=("nova",))) as backend:
        contract.faults = [answer]
        chunks = await said(backend)
    assert abs(seconds(chunks) - EXPECTED) < 0.05
    spectrum = np.abs(np.fft.rfft(joined(chunks)[: round(0.25 * RATE)]))
    assert abs(np.argmax(spectrum) / 0.25 - 260) <= 4  # the hum of "The"


@pytest.mark.parametrize("pieces", [1, 7, 500])
@pytest.mark.parametrize("notes", [b"", b"LIST\x04\0\0\0note"])
async def test_a_file_for_each_sentence_is_understood(
    pieces: int, notes: bytes, service: tuple[OpenAI, Upstream]
) -> None:
    """Files one behind another, as some servers stream, are all heard, with notes between them or not."""
    contract, upstream = service

    async def answer(x: Exchange, pcm: bytes) -> None:
        third = len(pcm) // 6 * 2
        parts = (pcm[:third], pcm[third : 2 * third], pcm[2 * third :])
        await x.answer(b"".join(wav(part) + notes for part in parts), kind="audio/wav", pieces=pieces)

    async with started(openai(upstream.url, voice_names=("nova",))) as backend:
        whole = joined(await said(backend))
        contract.faults = [answer]
        np.testing.assert_array_equal(joined(await said(backend)), whole)


async def test_files_of_two_rates_are_an_error(service: tuple[OpenAI, Upstream]) -> None:
    """A rate that changes inside an answer is said and not played at the wrong pace."""
    contract, upstream = service

    async def answer(x: Exchange, pcm: bytes) -> None:
        await x.answer(wav(pcm, RATE) + wav(pcm, 2 * RATE), kind="audio/wav", pieces=9)

    async with started(openai(upstream.url, voice_names=("nova",))) as backend:
        contract.faults = [answer]
        with pytest.raises(SynthesisError, match=r"24000 Hz and of 48000 Hz"):
            await said(backend)


@pytest.mark.parametrize("codec", ["mp3", "flac", "aac"])
async def test_coded_audio_is_understood(codec: str, service: tuple[OpenAI, Upstream]) -> None:
    """MP3, FLAC and AAC of servers that have nothing else are decoded on the way."""
    contract, upstream = service
    body = coded(speech(TEXT), codec)

    async def answer(x: Exchange, pcm: bytes) -> None:
        await x.answer(body, kind={"mp3": "audio/mpeg"}.get(codec, f"audio/{codec}"), pieces=20)

    async with started(openai(upstream.url, voice_names=("nova",))) as backend:
        contract.faults = [answer]
        chunks = await said(backend)
    assert len(chunks) > 3
    assert abs(seconds(chunks) - EXPECTED) < 0.15


def coded(pcm: bytes, codec: str) -> bytes:
    """PCM as a file, by PyAV."""
    import av

    file = io.BytesIO()
    names = {"mp3": ("mp3", "libmp3lame"), "flac": ("flac", "flac"), "aac": ("adts", "aac")}
    with av.open(file, "w", format=names[codec][0]) as container:
        stream: Any = container.add_stream(names[codec][1], rate=RATE)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), "s16", "mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=RATE, frame_size=1024)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return file.getvalue()


async def test_refused_format_is_not_asked_for_again(service: tuple[OpenAI, Upstream]) -> None:
    """A server without PCM is asked for WAV, and from then on at once."""
    contract, upstream = service
    contract.refused, contract.kind = ("pcm",), "wav"
    async with started(openai(upstream.url, voice_names=("nova",))) as backend:
        await said(backend)
        await said(backend)
    asked = [x.json_body()["response_format"] for x in upstream.exchanges if x.path == "/v1/audio/speech"]
    assert asked == ["pcm", "wav", "wav"]


@pytest.mark.parametrize(
    "voices",
    [
        {"voices": ["af_heart", "ff_siwis"]},
        {"voices": [{"id": "af_heart", "name": "Heart"}, {"id": "ff_siwis", "name": "Siwis"}]},
        [{"voice_id": "af_heart"}, {"name": "ff_siwis"}],
    ],
)
async def test_voices_are_listed(voices: Any, service: tuple[OpenAI, Upstream]) -> None:
    """A server's own voices are offered, with the language where the name is one of Kokoro's."""
    contract, upstream = service
    contract.voices = voices
    async with started(openai(upstream.url, name="box")) as backend:
        found = {voice.name: (voice.language, voice.gender, voice.backend) for voice in backend.voices()}
    assert found == {
        "box/af_heart": ("en-US", "female", "box"),
        "box/ff_siwis": ("fr-FR", "female", "box"),
    }
    assert names_in({"voices": "what"}) == []


async def test_voices_are_known_before_the_server_answers(
    service: tuple[OpenAI, Upstream], tmp_path: Path
) -> None:
    """What a server listed is offered after a restart, until another address is given."""
    contract, upstream = service
    contract.voices = {"voices": ["af_heart", "ff_siwis"]}
    async with started(openai(upstream.url, name="box", data_dir=tmp_path)) as backend:
        listed = list(backend.voices())
    again = openai(upstream.url, name="box", data_dir=tmp_path)
    assert list(again.voices()) == listed
    moved = openai("http://127.0.0.1:9", name="box", data_dir=tmp_path)
    assert list(moved.voices()) != listed
    (tmp_path / "box" / "voices.json").write_text('{"base_url": 5}')
    assert list(openai(upstream.url, name="box", data_dir=tmp_path).voices()) != listed


async def test_openais_voices_speak_many_languages() -> None:
    """Of OpenAI itself the voices and languages are known without asking."""
    backend = openai("https://api.openai.com")
    (nova,) = [voice for voice in backend.voices() if voice.name == "openai/nova"]
    assert nova.gender == "female"
    assert {"de", "fr", "zh"} <= set(nova.spoken)
    assert nova.language == "en"


async def test_model_that_is_shut_down_is_named(
    service: tuple[OpenAI, Upstream], caplog: pytest.LogCaptureFixture
) -> None:
    """The start warns, with the date, of a model that will soon answer no more."""
    contract, upstream = service
    soon = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=20)).date()
    late = soon + datetime.timedelta(days=400)
    contract.models = {
        "data": [{"id": "old", "shutdown_date": str(soon)}, {"id": "new", "shutdown_date": str(late)}]
    }
    for model in ("old", "new"):
        async with started(openai(upstream.url, model=model, voice_names=("nova",))):
            pass
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert f"old will be shut down on {soon}, in 20 days" in warning
    assert SHUT_DOWN["tts-1"] == datetime.date(2027, 1, 6)


async def test_key_appears_nowhere(
    service: tuple[OpenAI, Upstream], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """A key is sent to the service and is neither in the log, nor in an error, nor in what prints options."""
    caplog.set_level(logging.DEBUG)
    contract, upstream = service
    contract.key = "other"
    (tmp_path / "key").write_text("hush-hush\n")
    backend = openai(upstream.url, voice_names=("nova",), api_key_file=tmp_path / "key")
    with pytest.raises(BackendAuthError) as caught:
        await backend.start()
    await backend.stop()
    assert upstream.exchanges[0].headers["authorization"] == "Bearer hush-hush"
    told = openai(upstream.url, api_key="hush-hush")
    for text in (str(caught.value), caplog.text, repr(backend._options), repr(told._options)):
        assert "hush-hush" not in text


async def test_key_file_that_is_missing(tmp_path: Path) -> None:
    """A key file that cannot be read is named."""
    with pytest.raises(ConfigError, match="nowhere"):
        openai("http://127.0.0.1:9", api_key_file=tmp_path / "nowhere")


@pytest.mark.parametrize("url", ["", "127.0.0.1:80", "ftp://x", "http://"])
def test_wrong_address(url: str) -> None:
    """An address that is none is said at the start."""
    with pytest.raises(ConfigError, match=r"backends\.openai\.base_url"):
        OpenAIBackend(OpenAIBackend.Options(base_url=url), surroundings(Path("unused"), name="openai"))


async def test_redirect_on_the_host_is_followed() -> None:
    """A service that moved its path on its own host is found."""
    contract = OpenAI()

    async def moved(x: Exchange) -> None:
        if not x.path.startswith("/new"):
            return await x.answer(b"", 307, "text/plain", headers={"Location": f"/new{x.path}"})
        x.path = x.path.removeprefix("/new")
        await contract(x)

    async with running(moved) as upstream, started(openai(upstream.url, voice_names=("nova",))) as backend:
        assert abs(seconds(await said(backend)) - EXPECTED) < 0.05


async def test_endless_answer_is_cut(service: tuple[OpenAI, Upstream]) -> None:
    """A service that never stops is left when there is more than a text can need."""
    contract, upstream = service

    async def endless(x: Exchange, pcm: bytes) -> None:
        await x.head()
        while True:
            await x.write(pcm)

    async with started(openai(upstream.url, voice_names=("nova",))) as backend:
        contract.faults = [endless]
        with pytest.raises(SynthesisError, match="more than"):
            await said(backend, "Yes")


async def test_language_is_kept(service: tuple[OpenAI, Upstream]) -> None:
    """A voice of many languages is asked for by its name, whatever it speaks."""
    _, upstream = service
    async with started(openai(upstream.url, voice_names=("nova",), languages=("en", "de"))) as backend:
        (voice,) = backend.voices()
        assert seconds(await said(backend, "Guten Tag", with_language(voice, "de"))) > 0.5
