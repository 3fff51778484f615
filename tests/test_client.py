from __future__ import annotations

import asyncio
import contextlib
import inspect
import socket

import pytest
from wyoming.error import Error
from wyoming.tts import SynthesizeStopped

from tests.scripted_wyoming import CLOSE, Script, info, scripted, start, stop, tone
from wyoming_tts import errors
from wyoming_tts.client import WyomingTtsClient, error_from_event
from wyoming_tts.types import VoiceQuery

STOPPED = SynthesizeStopped().event()
ALL_ERRORS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.WyomingTtsError)
]


async def pieces(*texts):
    for text in texts:
        yield text


async def collect(speech):
    return [chunk async for chunk in speech]


async def test_info_returns_what_the_server_says():
    """`info` is the server's answer to `describe`, whatever comes before it."""
    async with scripted({"describe": [tone(), info()]}) as server:
        found = await WyomingTtsClient(server.uri).info()
    assert found.tts[0].name == "scripted"


async def test_text_in_one_piece_is_one_request():
    """A string goes out as `synthesize` and its audio ends with `audio-stop`."""
    async with scripted({"synthesize": [start(), tone(100), tone(50), stop(), tone(7)]}) as server:
        chunks = await collect(WyomingTtsClient(server.uri).speak("Hello."))
    assert [chunk.samples for chunk in chunks] == [100, 50]
    assert server.only("synthesize").data == {"text": "Hello."}


async def test_what_is_asked_for_reaches_the_server():
    """Voice, speaker, format and speed are in the request; the speed in its context."""
    query = VoiceQuery(name="af_heart", language="de", speaker="one")
    async with scripted({"synthesize": [start(), tone(), stop()]}) as server:
        client = WyomingTtsClient(server.uri)
        await collect(client.speak("Hi.", voice=query, speed=1.25, text_format="ssml"))
    assert server.only("synthesize").data == {
        "text": "Hi.",
        "voice": {"name": "af_heart", "speaker": "one"},
        "text_format": "ssml",
        "context": {"speed": 1.25},
    }


async def test_text_in_pieces_is_sent_as_it_comes():
    """Audio of the first piece arrives before the second piece of the text exists."""
    heard = asyncio.Event()

    async def text():
        yield "One. "
        await heard.wait()
        yield "Two."

    script = {
        "describe": [info()],
        "synthesize-chunk": [start(), tone()],
        "synthesize-stop": [stop(), STOPPED],
    }
    chunks = []
    async with scripted(script) as server:
        async for chunk in WyomingTtsClient(server.uri).speak(text(), speed=0.5):
            chunks.append(chunk)
            heard.set()
    assert len(chunks) == 2
    assert server.types()[1:] == [
        "synthesize-start",
        "synthesize-chunk",
        "synthesize-chunk",
        "synthesize-stop",
    ]
    assert server.only("synthesize-start").data == {"context": {"speed": 0.5}}


async def test_a_stream_goes_on_through_the_end_of_a_sentence():
    """In a stream, `audio-stop` is not the end; `synthesize-stopped` is."""
    answers = [start(), tone(1), stop(), start(), tone(2), stop(), STOPPED, tone(3)]
    async with scripted({"describe": [info()], "synthesize-stop": answers}) as server:
        chunks = await collect(WyomingTtsClient(server.uri).speak(pieces("a", "b")))
    assert [chunk.samples for chunk in chunks] == [1, 2]


async def test_a_server_that_cannot_stream_gets_the_whole_text():
    """Where text streaming is not offered, the pieces are joined into one request."""
    script = {"describe": [info(streaming=False)], "synthesize": [start(), tone(), stop()]}
    async with scripted(script) as server:
        await collect(WyomingTtsClient(server.uri).speak(pieces("One. ", "Two.")))
    assert server.only("synthesize").data == {"text": "One. Two."}


async def test_unix_sockets_work(tmp_path):
    """A server on a Unix socket is a server like any other."""
    async with scripted({"synthesize": [start(), tone(9), stop()]}, tmp_path / "tts.sock") as server:
        chunks = await collect(WyomingTtsClient(server.uri).speak("Hi."))
    assert [chunk.samples for chunk in chunks] == [9]


@pytest.mark.parametrize("kind", ALL_ERRORS)
def test_every_error_code_comes_back_as_its_class(kind):
    """An `error` event with the code of one of our errors is raised as that error."""
    error = error_from_event(Error(text="no luck", code=kind.code).event())
    assert type(error) is kind
    assert str(error) == "no luck"


@pytest.mark.parametrize(("code", "text"), [("X1", "boom (code: X1)"), (None, "boom")])
def test_an_unknown_error_code_is_shown(code, text):
    """An `error` event with a stranger's code is a BackendError that says the code."""
    error = error_from_event(Error(text="boom", code=code).event())
    assert type(error) is errors.BackendError
    assert str(error) == text


@pytest.mark.parametrize("text", ["one request", pieces("a", "stream")], ids=["request", "stream"])
async def test_an_error_event_ends_the_speech(text):
    """What the server reports as an error is raised, after the audio that came before it."""
    refusal = Error(text="no voice xy", code="unknown-voice").event()
    answers = [start(), tone(), refusal, CLOSE]
    script: Script = {"describe": [info()], "synthesize": answers, "synthesize-stop": answers}
    async with scripted(script) as server:
        speech = WyomingTtsClient(server.uri).speak(text)
        assert (await anext(speech)).samples == 240
        with pytest.raises(errors.UnknownVoiceError, match="no voice xy"):
            await anext(speech)


@pytest.mark.parametrize(
    "answers", [[CLOSE], [start(), CLOSE], [start(), tone(), CLOSE], [start(), tone(), stop(), CLOSE]]
)
async def test_a_stream_that_breaks_off_is_an_error(answers):
    """A connection that closes before `synthesize-stopped` raises, however much audio came."""
    async with scripted({"describe": [info()], "synthesize-stop": answers}) as server:
        with pytest.raises(errors.BackendError, match="closed the connection"):
            await collect(WyomingTtsClient(server.uri).speak(pieces("a")))


async def test_a_request_that_breaks_off_is_an_error():
    """A connection that closes before `audio-stop` raises."""
    async with scripted({"synthesize": [start(), tone(), CLOSE]}) as server:
        with pytest.raises(errors.BackendError, match="closed the connection"):
            await collect(WyomingTtsClient(server.uri).speak("a"))


async def test_an_error_is_heard_while_text_still_comes():
    """A refusal is raised at once, though the text would go on for ever."""
    refusal = Error(text="too long", code="text-too-long").event()

    async def endless():
        yield "a"
        await asyncio.Event().wait()

    async with scripted({"describe": [info()], "synthesize-chunk": [refusal, CLOSE]}) as server:
        with pytest.raises(errors.TextTooLongError):
            await collect(WyomingTtsClient(server.uri).speak(endless()))


async def test_a_text_that_fails_ends_the_speech():
    """An exception of the text's source is raised to the listener and the server is left."""

    async def broken():
        yield "a"
        raise errors.InvalidTextError("not text")

    async with scripted({"describe": [info()]}) as server:
        with pytest.raises(errors.InvalidTextError, match="not text"):
            await collect(WyomingTtsClient(server.uri).speak(broken()))
        await server.hung_up.wait()


async def test_a_silent_server_is_given_up():
    """A server that owes an answer and sends nothing for the timeout raises BackendTimeoutError."""
    async with scripted({}) as server:
        client = WyomingTtsClient(server.uri, timeout=0.05)
        with pytest.raises(errors.BackendTimeoutError):
            await client.info()
        with pytest.raises(errors.BackendTimeoutError):
            await collect(client.speak("a"))


async def test_waiting_for_text_is_not_a_silent_server():
    """The timeout does not run while the text itself is slow to come."""

    async def slow():
        yield "a"
        await asyncio.sleep(0.3)

    async with scripted({"describe": [info()], "synthesize-stop": [start(), tone(), STOPPED]}) as server:
        chunks = await collect(WyomingTtsClient(server.uri, timeout=0.2).speak(slow()))
    assert len(chunks) == 1


@pytest.mark.parametrize(
    "garbage", [b"HTTP/1.1 400 Bad Request\r\n", b"[1]\n", b"{}\n", b'{"type":"info","data_length":99}\n']
)
async def test_a_server_of_another_kind_is_an_error(garbage):
    """Whatever a stranger answers, it is reported as one of our errors."""
    async with scripted({"describe": [garbage, CLOSE]}) as server:
        with pytest.raises(errors.BackendError):
            await WyomingTtsClient(server.uri).info()


async def test_audio_without_a_format_is_an_error():
    """An `audio-chunk` that lacks its rate is reported, not skipped."""
    async with scripted({"synthesize": [b'{"type":"audio-chunk"}\n']}) as server:
        with pytest.raises(errors.BackendError, match="Wyoming"):
            await collect(WyomingTtsClient(server.uri).speak("a"))


async def test_audio_that_changes_its_format_is_an_error():
    """A listener is never given two sample rates in one stream."""
    async with scripted({"synthesize": [start(), tone(), tone(rate=16_000), stop()]}) as server:
        with pytest.raises(errors.BackendError, match="format"):
            await collect(WyomingTtsClient(server.uri).speak("a"))


async def test_nobody_there_is_an_error():
    """A refused connection raises BackendUnavailableError with the address in its message."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        uri = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(errors.BackendUnavailableError, match=uri):
            await WyomingTtsClient(uri).info()


async def test_a_listener_that_leaves_hangs_up():
    """Closing the speech early closes the connection, which is how the server learns of it."""
    async with scripted({"synthesize": [start(), tone(), tone()]}) as server:
        async with contextlib.aclosing(WyomingTtsClient(server.uri).speak("a")) as speech:
            await anext(speech)
        await server.hung_up.wait()


@pytest.mark.parametrize(
    "uri", ["tcp://localhost", "localhost:10200", "stdio://", "http://localhost:1", "tcp://a:b"]
)
def test_a_wrong_uri_is_refused_at_once(uri):
    """A URI that names no server raises ConfigError before anything is tried."""
    with pytest.raises(errors.ConfigError, match="tcp://HOST:PORT"):
        WyomingTtsClient(uri)
