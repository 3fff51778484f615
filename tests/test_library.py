"""Speech for programs and notebooks: with a loop, without one, and nothing left running."""

from __future__ import annotations

import asyncio
import gc
import io
import re
import subprocess
import sys
import threading
import time
import wave
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import PATIENCE, ScriptedBackend, Step, endless, until
from tests.plugged import plugin, word_by_word
from wyoming_tts import (
    ConfigError,
    Progress,
    RequestError,
    Speech,
    TTSPipeline,
    VoiceQuery,
    create_streaming_pipeline,
    create_whole_file_pipeline,
    process_text,
    process_text_async,
)
from wyoming_tts.errors import BackendUnavailableError, SynthesisError, UnknownVoiceError
from wyoming_tts.types import SynthesisRequest

TEXT = "The first sentence is here. This is the second one."
BOTH = [create_streaming_pipeline, create_whole_file_pipeline]


@pytest.fixture(autouse=True)
def no_thread_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test closes what it made; its data are its own."""
    monkeypatch.setenv("WYOMING_TTS_DATA_DIR", str(tmp_path))
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + PATIENCE
    while left := [one for one in threading.enumerate() if one not in before and "asyncio" not in one.name]:
        assert time.monotonic() < deadline, left
        time.sleep(0.01)


def scripted(script: Any = word_by_word) -> dict[str, Any]:
    """Settings of a pipeline with a fake that speaks."""
    return {"backend": ScriptedBackend(script), "detect_language": False}


# Without a loop of one's own


def test_process_text_speaks_and_is_gone() -> None:
    """One call, one value, with the words' times."""
    speech = process_text(TEXT, **scripted())
    assert [word.word for word in speech.words] == TEXT.split()
    assert speech.rate == 24_000
    assert speech.samples.dtype == np.float32
    assert speech.seconds == pytest.approx(5.0 + 0.7, abs=0.4)


@pytest.mark.parametrize("create", BOTH)
def test_a_stream_is_what_the_strategy_says(create: Any) -> None:
    """Chunks as they come, or one chunk; the samples and words are the same."""
    with create(**scripted()) as pipeline:
        chunks = list(pipeline.stream(TEXT))
        whole = pipeline.process(TEXT)
    assert (len(chunks) == 1) == (create is create_whole_file_pipeline)
    np.testing.assert_array_equal(np.concatenate([chunk.samples for chunk in chunks]), whole.samples)
    assert tuple(word for chunk in chunks for word in chunk.words) == whole.words


@pytest.mark.parametrize("create", BOTH)
def test_text_may_come_in_pieces(create: Any) -> None:
    """From any iterable; streaming speaks before the last piece is there."""
    heard = threading.Event()
    backend = ScriptedBackend()

    def text() -> Iterator[str]:
        yield "The first sentence is here. This is "
        if create is create_streaming_pipeline:
            assert heard.wait(PATIENCE)
        yield "the second one."

    with create(backend=backend, detect_language=False) as pipeline:
        for _ in pipeline.stream(text()):
            heard.set()
    assert backend.texts == TEXT


def test_wishes_reach_the_backend() -> None:
    """Voice by name or as a query, language, pace, SSML, and who is told of the progress."""
    reports: list[Progress] = []
    made = scripted()
    with create_whole_file_pipeline(**made, speed=1.5, voice="adam") as pipeline:
        pipeline.process("One.")
        pipeline.process("Two.", voice="heart", speed=0.75)
        pipeline.process("Trois.", language="fr")
        pipeline.process("<speak>Quatre.</speak>", voice=VoiceQuery(language="fr"), text_format="ssml")
        pipeline.process("Five.", on_progress=reports.append)
        assert {voice.name for voice in pipeline.voices()} == {"heart", "adam", "siwis"}
    said = [(one.voice.name, one.speed, one.text) for one in made["backend"].requests]
    assert said == [
        ("adam", 1.5, "One."),
        ("heart", 0.75, "Two."),
        ("siwis", 1.5, "Trois."),
        ("siwis", 1.5, "Quatre."),
        ("adam", 1.5, "Five."),
    ]
    assert reports[-1].finished


def test_a_default_is_the_backends_first_voice() -> None:
    """A backend of one's own need not know the voices of Kokoro."""
    made = scripted()
    process_text("Hello.", **made)
    assert made["backend"].requests[0].voice.name == "heart"


@pytest.mark.parametrize(
    ("wish", "error", "message"),
    [
        ({"speed": 5.0}, RequestError, "speed must be from 0.5 to 2.0"),
        ({"voice": "haert"}, UnknownVoiceError, "did you mean heart"),
        ({"text_format": "markdown"}, RequestError, "text and ssml"),
        ({"tempo": 5.0}, TypeError, "tempo"),
    ],
)
def test_wrong_wishes_are_named(wish: dict[str, Any], error: type[Exception], message: str) -> None:
    """And the pipeline speaks on."""
    with create_whole_file_pipeline(**scripted()) as pipeline:
        with pytest.raises(error, match=message):
            pipeline.process("Hello.", **wish)
        assert pipeline.process("Hello.").seconds


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sped": 1.0}, "sped: Extra inputs"),
        ({"speed": 7}, "speed: Input should be less"),
        ({"chain": ("nobody",)}, "no backend 'nobody'"),
        ({"voice": "nobody"}, "default voice is wrong"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], message: str) -> None:
    """At once, before anything is loaded."""
    with pytest.raises(ConfigError, match=message):
        create_streaming_pipeline(**settings)


def test_what_cannot_be_loaded_is_said_by_the_first_text() -> None:
    """And by every other one; closing works all the same."""

    class Broken(ScriptedBackend):
        async def start(self) -> None:
            raise BackendUnavailableError("no model here")

    with create_whole_file_pipeline(backend=Broken()) as pipeline:
        for _ in range(2):
            with pytest.raises(BackendUnavailableError, match="no model here"):
                pipeline.process("Hello.")


def test_errors_of_backend_and_text_reach_the_caller() -> None:
    """As what they are."""

    def text() -> Iterator[str]:
        yield "Hello there, and "
        raise ZeroDivisionError("the writer failed")

    def one(request: SynthesisRequest) -> Iterator[Step]:
        yield 100
        yield SynthesisError("out of breath")

    with create_streaming_pipeline(**scripted()) as pipeline:
        with pytest.raises(ZeroDivisionError, match="the writer failed"):
            list(pipeline.stream(text()))
        with pytest.raises(TypeError, match="must be a str, not int"):
            list(pipeline.stream(b"bytes"))  # type: ignore[arg-type]
    with create_streaming_pipeline(**scripted(one)) as pipeline, pytest.raises(SynthesisError):
        pipeline.process("Hello.")


def test_who_leaves_a_stream_stops_it() -> None:
    """The backend ends, and a text that never ends is read no further."""
    made, read = scripted(endless), 0

    def text() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            time.sleep(0.005)
            yield "And then there was one more sentence to be said. "

    with create_streaming_pipeline(**made) as pipeline:
        chunks = pipeline.stream(text())
        next(chunks)
        chunks.close()  # type: ignore[attr-defined]
        assert made["backend"].running == 0
        time.sleep(0.05)
        before = read
        time.sleep(0.05)
        assert read == before


def test_chunks_are_made_ahead_of_a_slow_player_with_a_bound() -> None:
    """While one is played the next are computed, and not for ever."""
    made = scripted(endless)
    with create_streaming_pipeline(**made) as pipeline:
        chunks = pipeline.stream("Hello.")
        next(chunks)
        time.sleep(0.2)
        assert 5 < made["backend"].chunks < 50


def test_closing_ends_one_who_waits_in_another_thread() -> None:
    """With an error that says so; a closed pipeline says the same to everybody, as often as it is closed."""

    def forever() -> Iterator[str]:
        yield "Hello"
        threading.Event().wait(1.0)

    pipeline = create_streaming_pipeline(**scripted())
    errors: list[BaseException] = []

    def listen() -> None:
        try:
            list(pipeline.stream(forever()))
        except RuntimeError as error:
            errors.append(error)

    listener = threading.Thread(target=listen)
    listener.start()
    time.sleep(0.1)
    pipeline.close()
    listener.join(PATIENCE)
    assert [str(error) for error in errors] == ["the pipeline was closed"]
    pipeline.close()
    with pytest.raises(RuntimeError, match="the pipeline was closed"):
        pipeline.process("Hello.")


def test_one_pipeline_serves_many_threads() -> None:
    """Each gets its own speech."""
    with create_whole_file_pipeline(**scripted()) as pipeline:
        texts = [f"This is what number {'n' * number} says." for number in range(1, 9)]
        found: dict[str, Speech] = {}

        def speak(text: str) -> None:
            found[text] = pipeline.process(text)

        threads = [threading.Thread(target=speak, args=(text,)) for text in texts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert [[word.word for word in found[text].words] for text in texts] == [text.split() for text in texts]


def test_a_pipeline_that_is_forgotten_loses_its_thread() -> None:
    """The collector ends it; the fixture waits for the thread."""
    create_streaming_pipeline(**scripted())
    gc.collect()


def test_a_pipeline_that_is_never_closed_does_not_keep_the_process(tmp_path: Path) -> None:
    """A script that ends with one open ends."""
    program = (
        "from wyoming_tts import create_streaming_pipeline\n"
        "pipeline = create_streaming_pipeline(chain=('espeak',))\n"
        "print(pipeline.process('Hello.').seconds > 0.2)\n"
    )
    root = Path(__file__).parent.parent
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=root, check=True)
    assert done.stdout == "True\n"
    assert "Traceback" not in done.stderr


def test_own_plugins_are_used() -> None:
    """Modules and objects, beside those that are installed."""
    made = scripted()
    hears = plugin(pre_process_text=lambda text: text.replace("Hello", "Goodbye"))
    process_text("Hello.", **made, own_plugins=[hears])
    assert made["backend"].texts == "Goodbye."


# With a loop


async def test_in_a_loop_that_runs_both_ways_work() -> None:
    """As in a notebook: the call that blocks does, and the one that waits does."""
    made = scripted()
    blocking = process_text(TEXT, **made)
    waiting = await process_text_async(TEXT, **made)
    np.testing.assert_array_equal(blocking.samples, waiting.samples)
    assert blocking.words == waiting.words


async def test_waiting_blocks_no_loop() -> None:
    """The caller's loop goes on while the model loads and speaks."""

    class Slow(ScriptedBackend):
        async def start(self) -> None:
            time.sleep(0.3)  # noqa: ASYNC251 - it is another loop that this blocks

    async with create_streaming_pipeline(backend=Slow(), detect_language=False) as pipeline:
        speaking = asyncio.ensure_future(pipeline.process_async("Hello."))
        longest, last = 0.0, time.monotonic()
        while not speaking.done():
            await asyncio.sleep(0.005)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        assert speaking.result().seconds
        assert longest < 0.2


async def test_text_from_a_loop_is_spoken_while_it_comes() -> None:
    """Audio of the first sentence is there before the second one is written."""
    heard, backend = asyncio.Event(), ScriptedBackend()

    async def text() -> AsyncIterator[str]:
        yield "The first sentence is here. This is "
        await heard.wait()
        yield "the second one."

    async with create_streaming_pipeline(backend=backend, detect_language=False) as pipeline:
        async for _ in pipeline.stream_async(text()):
            heard.set()
    assert backend.texts == TEXT


async def test_cancelling_stops_everything() -> None:
    """The backend ends, the text's iterator is closed, and the pipeline speaks to others."""
    backend, closed = ScriptedBackend(endless), asyncio.Event()

    async def text() -> AsyncIterator[str]:
        try:
            yield "Hello there, my friend. "
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def listen(pipeline: TTSPipeline) -> None:
        async for _ in pipeline.stream_async(text()):
            pass

    async with create_streaming_pipeline(backend=backend, detect_language=False) as pipeline:
        listening = asyncio.ensure_future(listen(pipeline))
        await until(lambda: backend.chunks > 3)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        assert listening.cancelled()
        await until(lambda: backend.running == 0)
        await until(closed.is_set)


async def test_closing_ends_one_who_waits_in_a_loop() -> None:
    """With an error, and not as if it had been cancelled."""
    wait = asyncio.Event()

    async def text() -> AsyncIterator[str]:
        yield "Hello"
        await wait.wait()

    pipeline = create_streaming_pipeline(**scripted())
    listening = asyncio.ensure_future(pipeline.process_async(text()))
    await asyncio.sleep(0.1)
    await pipeline.aclose()
    with pytest.raises(RuntimeError, match="the pipeline was closed"):
        await listening


async def test_closing_while_it_loads_is_told_to_who_waits() -> None:
    """As behind the end."""

    class Loads(ScriptedBackend):
        async def start(self) -> None:
            await asyncio.Event().wait()

    pipeline = create_streaming_pipeline(backend=Loads())
    listening = asyncio.ensure_future(pipeline.process_async("Hello."))
    await asyncio.sleep(0.05)
    await pipeline.aclose()
    with pytest.raises(RuntimeError, match="the pipeline was closed"):
        await listening


async def test_errors_of_text_from_a_loop_reach_the_caller() -> None:
    """As what they are."""

    async def text() -> AsyncIterator[str]:
        yield "Hello there, and "
        raise ZeroDivisionError("the writer failed")

    async with create_whole_file_pipeline(**scripted()) as pipeline:
        with pytest.raises(ZeroDivisionError, match="the writer failed"):
            await pipeline.process_async(text())


def test_the_pipelines_own_thread_cannot_wait_for_itself() -> None:
    """Who tries hears that, instead of hanging for ever."""
    errors: list[str] = []
    with create_whole_file_pipeline(**scripted()) as pipeline:

        def observer(progress: Progress) -> None:
            try:
                pipeline.process("Again.")
            except RuntimeError as error:
                errors.append(str(error))

        pipeline.process("Hello.", on_progress=observer)
    assert errors[0] == "the pipeline's own thread cannot wait for the pipeline"


# The value


def test_speech_is_saved_as_wav(tmp_path: Path) -> None:
    """16 bits, mono, at its rate."""
    speech = Speech(samples=np.array([0, 0.5, -1, 2], np.float32), rate=16_000)
    path = speech.save(tmp_path / "it.wav")
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        assert np.frombuffer(file.readframes(9), "<i2").tolist() == [0, 16384, -32767, 32767]
    assert speech.seconds == 4 / 16_000


def test_a_notebook_shows_a_player() -> None:
    """With the audio inside, and a line for where there is no browser."""
    speech = Speech(samples=np.zeros(2400, np.float32), rate=24_000)
    bundle = speech._repr_mimebundle_()
    found = re.fullmatch(r'<audio controls src="data:audio/wav;base64,([^"]+)"></audio>', bundle["text/html"])
    assert found
    assert bundle["text/html"] == speech._repr_html_()
    with wave.open(io.BytesIO(b64decode(found[1]))) as file:
        assert file.getnframes() == 2400
    assert bundle["text/plain"] == repr(speech) == "<Speech of 0.10 s at 24000 Hz, 0 words>"


# The real model


async def test_kokoro_speaks_alike_in_both_ways(model_data: Path) -> None:
    """Chunks joined are the whole, to a rounding: the windows may be other ones."""
    text = "Dinner is ready. It is 21.5 °C in the kitchen, and Niamh is hungry."
    with create_streaming_pipeline(data_dir=model_data, offline=True) as pipeline:
        chunks = list(pipeline.stream(text, voice="bf_emma"))
    async with create_whole_file_pipeline(data_dir=model_data, offline=True) as pipeline:
        whole = await pipeline.process_async(text, voice="bf_emma")
    assert len(chunks) > 3
    streamed = np.concatenate([chunk.samples for chunk in chunks])
    assert len(streamed) == len(whole.samples)
    np.testing.assert_allclose(streamed, whole.samples, rtol=0, atol=2e-3)
    assert [word.word for word in whole.words] == text.split()
    assert {chunk.backend for chunk in chunks if chunk.backend} == {"kokoro"}


def test_kokoro_speaks_through_plugins(model_data: Path) -> None:
    """The telephone over real windows is the telephone over the whole; words keep their places."""
    from wyoming_tts import PluginStream, load_catalogue
    from wyoming_tts.plugin_examples import names, telephone

    text = "Niamh is in the kitchen, and dinner is ready now."
    common: dict[str, Any] = {"data_dir": model_data, "offline": True, "plugins": False}
    with create_whole_file_pipeline(**common, own_plugins=[names]) as pipeline:
        plain = pipeline.process(text)
    with create_streaming_pipeline(**common, own_plugins=[names, telephone]) as pipeline:
        filtered = pipeline.process(text)
    stream = PluginStream(load_catalogue().default, plain.rate)
    expected = telephone.post_process_audio(plain.samples, stream)
    np.testing.assert_allclose(filtered.samples, np.clip(expected, -1, 1), rtol=0, atol=2e-3)
    assert [word.word for word in filtered.words] == text.split()
    for one, other in zip(filtered.words, plain.words, strict=True):
        assert (one.start, one.end) == pytest.approx((other.start, other.end))
