"""What a house does with a speech server, in this order, each with what was seen."""

from __future__ import annotations

import asyncio
import functools
import io
import re
import textwrap
import time
import wave
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import av
import numpy as np
import yaml
from wyoming.audio import AudioChunk
from wyoming.client import AsyncTcpClient
from wyoming.tts import SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeStopped, SynthesizeVoice

from tests.home_assistant.instance import HomeAssistant, Speech
from tests.home_assistant.network import ADDRESS, OTHER_ADDRESS
from tests.quality.intelligibility import Listener, errors_between, words_of
from wyoming_tts.types import Samples

ROOT = Path(__file__).parent.parent.parent
FOUND = 30.0
"""Seconds until Home Assistant shows a server that was announced."""
LISTED = 45.0
"""Seconds until it lists a new voice: it asks every 30."""
MOVED = 10.0
"""Seconds that a server at another address is given to be found."""
HEARD = 1000
"""Bytes that sound begins with: the headers, and some hundredths of a second."""
WAV = {"preferred_format": "wav", "preferred_sample_rate": 24000, "preferred_sample_channels": 1}
"""What a satellite asks for that takes no MP3."""

SENTENCES = (
    "The washing machine is done, and the window in the kitchen is still open.",
    "Somebody is at the front door, and the dog has heard them long before you.",
    "It is going to rain this afternoon, so the garden needs no water today.",
    "The heating in the bathroom is off, because nobody has been there since noon.",
    "Your train leaves in a quarter of an hour, and the bus is already on its way.",
)
"""No two alike: a sentence that comes again is not computed again."""
ABROAD = {
    "en-US": "The lamp in the hall is on.",
    "en-GB": "The lamp in the hall is on.",
    "es": "La lámpara del pasillo está encendida.",
    "fr-FR": "La lampe du couloir est allumée.",
    "hi": "गलियारे का दीपक जल रहा है।",
    "it": "La lampada del corridoio è accesa.",
    "pt-BR": "A lâmpada do corredor está acesa.",
    "ja": "廊下の電気がついています。",
    "zh-CN": "走廊的灯亮着。",
}

Found = TypeVar("Found")
Pictures = Callable[[str], Awaitable[None]]


@dataclass
class House:
    """Both programs, and what is known of them so far."""

    home: HomeAssistant
    speech: Speech
    pictures: Pictures
    listener: Listener | None = None
    engine: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    async def flows(self) -> list[dict[str, Any]]:
        """What Home Assistant has discovered of ours."""
        flows = await self.home.ask("config_entries/flow/progress")
        return [flow for flow in flows if flow["handler"] == "wyoming"]

    async def discovered(self) -> list[dict[str, Any]]:
        """The same, waiting for it."""
        return await eventually(self.flows, FOUND, "nothing was discovered")

    async def add(self, flow: dict[str, Any]) -> dict[str, Any]:
        """Confirm what was discovered; the entry."""
        async with self.home.rest() as client:
            answer = await client.post(f"/api/config/config_entries/flow/{flow['flow_id']}", json={})
        return answer.raise_for_status().json()

    async def voices(self, language: str) -> list[dict[str, Any]]:
        """What the list of voices shows."""
        asked = {"engine_id": self.engine, "language": language}
        return (await self.home.ask("tts/engine/voices", **asked))["voices"]

    async def say(self, message: str, **fields: Any) -> Heard:
        """Speech as scripts and cards get it: an address, then what is there."""
        began = time.monotonic()
        async with self.home.rest() as client:
            body = {"engine_id": self.engine, "message": message, "cache": False, **fields}
            answer = await client.post("/api/tts_get_url", json=body)
            return await self.fetch(answer.raise_for_status().json()["path"], began)

    async def fetch(self, path: str, began: float) -> Heard:
        """What a loudspeaker gets from this address."""
        received, first = b"", None
        async with self.home.rest() as client, client.stream("GET", path) as answer:
            async for part in answer.aiter_bytes():
                received += part
                if first is None and len(received) >= HEARD:
                    first = time.monotonic() - began
            total = time.monotonic() - began
            return Heard(answer.status_code, received, first or total, total)

    async def ask_the_server(self, text: str, voice: str) -> Heard:
        """The same request as Home Assistant makes, without it."""
        received, first = b"", None
        began = time.monotonic()
        async with AsyncTcpClient(ADDRESS, 10200) as client:
            for event in (
                SynthesizeStart(voice=SynthesizeVoice(name=voice)).event(),
                SynthesizeChunk(text=text).event(),
                SynthesizeStop().event(),
            ):
                await client.write_event(event)
            while (event := await client.read_event()) and not SynthesizeStopped.is_type(event.type):
                if AudioChunk.is_type(event.type):
                    received += AudioChunk.from_event(event).audio
                    first = first or time.monotonic() - began
        total = time.monotonic() - began
        file = io.BytesIO()
        with wave.open(file, "wb") as writer:
            writer.setparams((1, 2, 24000, 0, "NONE", ""))
            writer.writeframes(received)
        return Heard(200, file.getvalue(), first or total, total)

    def wrong(self, text: str, heard: Heard) -> str:
        """What is wrong with this as that text's speech in English; empty when nothing is."""
        if self.listener is None:
            return ""
        transcript = self.listener.hear(heard.samples)
        errors = errors_between(words_of(text), words_of(transcript))
        return "" if errors <= max(1, len(words_of(text)) // 10) else f"sounds like {transcript!r}"


@dataclass(frozen=True)
class Heard:
    """What came from an address of speech."""

    status: int
    data: bytes
    first: float
    """Seconds until the first sound, or until its end where there was none."""
    total: float

    @functools.cached_property
    def samples(self) -> Samples:
        """At 24 kHz; nothing when it is no audio."""
        if self.status != 200:
            return np.zeros(0, np.float32)
        resampler = av.AudioResampler("flt", "mono", 24000)
        with av.open(io.BytesIO(self.data), "r") as file:
            frames = [done for frame in file.decode(audio=0) for done in resampler.resample(frame)]
        frames += resampler.resample(None)
        return np.concatenate([np.zeros(0, np.float32), *(frame.to_ndarray()[0] for frame in frames)])

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / 24000

    @property
    def is_speech(self) -> bool:
        """Whether it is audible, and of a length that speech has."""
        return self.seconds > 0.5 and float(np.abs(self.samples).max()) > 0.05


async def eventually(ask: Callable[[], Awaitable[Found]], seconds: float, otherwise: str) -> Found:
    """The first answer that is something. Raises AssertionError."""
    deadline = time.monotonic() + seconds
    while not (found := await ask()):
        assert time.monotonic() < deadline, otherwise
        await asyncio.sleep(0.25)
    return found


async def is_discovered(house: House) -> str:
    """Home Assistant discovers the server by itself."""
    began = time.monotonic()
    (flow,) = await house.discovered()
    assert flow["context"]["source"] == "zeroconf", flow
    assert flow["context"]["title_placeholders"] == {"name": "wyoming-tts"}, flow
    took = time.monotonic() - began
    await house.pictures("discovered")
    return f"as wyoming-tts, {took:.1f} s after the onboarding"


async def is_added(house: House) -> str:
    """One confirmation adds it; its entity is `tts.wyoming_tts`, as README.md says."""
    (flow,) = await house.flows()
    await house.pictures("confirm")
    made = await house.add(flow)
    assert made["type"] == "create_entry", made
    assert made["title"] == "wyoming-tts", made
    house.facts["entry"] = made["result"]["entry_id"]

    async def entities() -> list[str]:
        found = await house.home.ask("config/entity_registry/list")
        return [one["entity_id"] for one in found if one["platform"] == "wyoming"]

    found = await eventually(entities, 10, "no entity")
    assert found == ["tts.wyoming_tts"], found
    house.engine = found[0]
    return found[0]


async def takes_the_best_voice(house: House) -> str:
    """In its own pages, the voice that Home Assistant chooses with the speech is the best of the language."""
    await house.pictures("assistant")
    (pipeline,) = (await house.home.ask("assist_pipeline/pipeline/list"))["pipelines"]
    chosen = pipeline["tts_engine"], pipeline["tts_language"], pipeline["tts_voice"]
    assert chosen == (house.engine, "en-GB", "bf_emma"), chosen
    await house.pictures("media")
    return ", ".join(chosen)


async def lists_voices(house: House) -> str:
    """Every voice that the server lists, in its language, with the best one first and marked."""
    engines = (await house.home.ask("tts/engine/list"))["providers"]
    (engine,) = [one for one in engines if one["engine_id"] == house.engine]
    ours = [voice for voice in await house.speech.voices() if voice["backend"] == "kokoro"]
    listed = []
    for language in engine["supported_languages"]:
        voices = await house.voices(language)
        marked = [voice["voice_id"] for voice in voices if voice["name"].startswith("(Best)")]
        assert marked == [voices[0]["voice_id"]], (language, marked, voices[0])
        listed += [voice["voice_id"] for voice in voices]
    missing = {voice["id"] for voice in ours} ^ set(listed)
    assert not missing, missing
    languages = engine["supported_languages"]
    return f"{len(listed)} voices in {len(languages)} languages: {', '.join(languages)}"


async def speaks(house: House) -> str:
    """Speech as loudspeakers get it, and as satellites do: sound comes while the rest is computed."""
    ways: dict[str, Callable[[str], Awaitable[Heard]]] = {
        "MP3": lambda text: house.say(text, options={"voice": "bm_george"}),
        "WAV": lambda text: house.say(text, options={**WAV, "voice": "bf_emma"}),
        "without Home Assistant": lambda text: house.ask_the_server(text, "bm_fable"),
    }
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for text in SENTENCES:
        for way, say in ways.items():
            heard = await say(text)
            assert heard.is_speech, (heard.status, heard.data[:200])
            assert not (wrong := house.wrong(text, heard)), wrong
            times[way].append((heard.first, heard.total))
    seen = []
    for way, both in times.items():
        first, total = (sorted(column) for column in zip(*both, strict=True))
        assert first[2] < total[2], (first, total)
        seen.append(
            f"{way}: first audio after {first[2]:.2f} s (median of 5; {first[0]:.2f} to {first[4]:.2f}), "
            f"all of it after {total[2]:.2f} s"
        )
    return "; ".join(seen)


async def speaks_every_language(house: House) -> str:
    """A sentence in each language, by the voice that Home Assistant chooses for it."""
    lengths = []
    for language, text in ABROAD.items():
        best = (await house.voices(language))[0]["voice_id"]
        heard = await house.say(text, language=language, options={"voice": best})
        assert heard.is_speech, (language, best, heard.status, heard.data[:200])
        lengths.append(f"{language} {best} {heard.seconds:.1f} s")
    return ", ".join(lengths)


async def says_what_is_wrong(house: House) -> str:
    """A voice that there is not: no sound instead of another's, and the reason in Home Assistant's log."""
    before = len(house.home.said())
    heard = await house.say("Nobody says this.", options={"voice": "af_hart"})
    assert not heard.is_speech, "it spoke"
    said = house.home.said()[before:]
    assert "af_heart" in said, said  # the nearest name that there is
    (line,) = [line for line in said.splitlines() if "af_hart" in line and "rror" in line][:1]
    return f"status {heard.status}; {line.partition('] ')[2]}"


async def speaks_in_an_action(house: House) -> str:
    """The action that README.md has, as it stands there: what the kitchen is told to play."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Home Assistant\n")[2]
    action = yaml.safe_load(textwrap.dedent(section.partition("```yaml\n")[2].partition("```")[0]))
    domain, _, service = action["action"].partition(".")
    async with house.home.rest() as client:
        fields = {**action["data"], "entity_id": action["target"]["entity_id"]}
        began = time.monotonic()
        (await client.post(f"/api/services/{domain}/{service}", json=fields)).raise_for_status()

        async def address() -> str:
            state = (await client.get("/api/states/media_player.kitchen")).json()
            return state["attributes"].get("media_content_id", "")

        url = await eventually(address, 10, "the loudspeaker was told nothing")
    heard = await house.fetch(url, began)
    assert heard.is_speech, (url, heard.status, heard.data[:200])
    text = action["data"]["message"]
    assert not (wrong := house.wrong(text, heard)), wrong
    return f"{text!r}: {heard.seconds:.1f} s of speech, the first of it {heard.first:.2f} s after the action"


async def assists(house: House) -> str:
    """An assistant with our voice: an answer that comes word by word is heard while it is still written."""
    pipeline = await house.home.ask(
        "assist_pipeline/pipeline/create",
        name="Emma", language="en",
        conversation_engine="conversation.storyteller", conversation_language="en",
        stt_engine=None, stt_language=None,
        tts_engine=house.engine, tts_language="en-GB", tts_voice="bf_emma",
        wake_word_entity=None, wake_word_id=None,
    )  # fmt: skip
    house.facts["pipeline"] = pipeline["id"]
    times: dict[str, float] = {}
    fetching: asyncio.Task[Heard] | None = None
    story = ""
    began = time.monotonic()
    async with house.home.api() as api:
        asked = {"start_stage": "intent", "end_stage": "tts", "input": {"text": "Tell me a story"}}
        async for event in api.events("assist_pipeline/run", pipeline=pipeline["id"], **asked):
            times[event["type"]] = time.monotonic() - began
            if event["type"] == "run-start":
                output = event["data"]["tts_output"]
                assert output["stream_response"], output
                fetching = asyncio.create_task(house.fetch(output["url"], began))
            if event["type"] == "intent-end":
                story = event["data"]["intent_output"]["response"]["speech"]["plain"]["speech"].strip()
            assert event["type"] != "error", event
            if event["type"] == "run-end":
                break
    assert fetching is not None
    heard = await fetching
    assert heard.is_speech, (heard.status, heard.data[:200])
    assert not (wrong := house.wrong(story, heard)), wrong
    assert heard.first < times["intent-end"], (heard.first, times)
    return (
        f"the answer is written from 0 to {times['intent-end']:.1f} s and heard from {heard.first:.1f} s on "
        f"({heard.seconds:.1f} s of speech)"
    )


async def assists_with_speech_alone(house: House) -> str:
    """The stage of speech alone, as *Try* and announcements take it."""
    async with house.home.api() as api:
        text = "There is nothing in the letter box, and the postman has been here."
        asked = {"start_stage": "tts", "end_stage": "tts", "input": {"text": text}}
        began = time.monotonic()
        output: dict[str, Any] = {}
        async for event in api.events("assist_pipeline/run", pipeline=house.facts["pipeline"], **asked):
            assert event["type"] != "error", event
            if event["type"] == "tts-end":
                output = event["data"]["tts_output"]
            if event["type"] == "run-end":
                break
    heard = await house.fetch(output["url"], began)
    assert heard.is_speech, (heard.status, heard.data[:200])
    assert not (wrong := house.wrong(text, heard)), wrong
    return f"{heard.seconds:.1f} s of {output['mime_type']}, the first of it after {heard.first:.2f} s"


async def lists_a_new_voice(house: House) -> str:
    """A voice that is put into `voices.toml`, with neither of them started again."""
    preset = 'night = { voice = "af_bella(2)+af_sky(1)", speed = 0.9, gain = -6, description = "Night" }\n'
    (house.speech.data_dir / "voices.toml").write_text(preset, encoding="utf-8")
    began = time.monotonic()

    async def listed() -> bool:
        return any(voice["voice_id"] == "night" for voice in await house.voices("en-US"))

    await eventually(listed, LISTED, "it is not listed")
    took = time.monotonic() - began
    heard = await house.say(SENTENCES[0], language="en-US", options={"voice": "night"})
    assert heard.is_speech, (heard.status, heard.data[:200])
    assert not (wrong := house.wrong(SENTENCES[0], heard)), wrong
    return f"listed after {took:.0f} s, and it speaks"


async def survives_a_restart(house: House) -> str:
    """Our server stops and starts: no speech in between, and with the next request it is there again."""
    await house.speech.stop()
    heard = await house.say("Nobody says this, either.")
    assert not heard.is_speech, "somebody spoke"
    await house.speech.start()
    heard = await house.say("The server is back, and this is the first thing that it says.")
    assert heard.is_speech, (heard.status, heard.data[:200])
    return f"at the first request after the start, {heard.first:.2f} s to the first audio"


async def speaks_without_streams(house: House) -> str:
    """With `--no-streaming` Home Assistant sends whole texts and takes whole answers."""
    await house.speech.stop()
    await house.speech.start(ADDRESS, 10200, "--no-streaming")
    async with house.home.rest() as client:
        answer = await client.post(f"/api/config/config_entries/entry/{house.facts['entry']}/reload")
        answer.raise_for_status()
    asked = {"start_stage": "intent", "end_stage": "tts", "input": {"text": "Tell me a story"}}
    async with house.home.api() as api:
        async for event in api.events("assist_pipeline/run", pipeline=house.facts["pipeline"], **asked):
            if event["type"] == "run-start":
                assert not event["data"]["tts_output"]["stream_response"], event
            assert event["type"] != "error", event
            if event["type"] == "run-end":
                break
    text = "The cellar is damp again, and somebody should look after it."
    heard = await house.say(text)
    assert heard.is_speech, (heard.status, heard.data[:200])
    assert not (wrong := house.wrong(text, heard)), wrong
    return f"{heard.seconds:.1f} s of speech, the first of it after {heard.first:.2f} s"


async def waits_for_the_server(house: House) -> str:
    """Home Assistant starts before our server does: it asks again by itself until there is one."""
    await house.speech.stop()
    await house.home.stop()
    await house.home.start()
    began = time.monotonic()
    entry = house.facts["entry"]

    async def state() -> str:
        found = await house.home.ask("config_entries/get_single", entry_id=entry)
        return found["config_entry"]["state"]

    async def retries() -> bool:
        return await state() == "setup_retry"

    async def loaded() -> bool:
        return await state() == "loaded"

    await eventually(retries, 60, "it does not say that the server is missing")
    await house.speech.start()
    started = time.monotonic()
    await eventually(loaded, 120, "it does not come back")
    took = time.monotonic() - started
    heard = await house.say("Good morning. Both of them were away for a while.")
    assert heard.is_speech, (heard.status, heard.data[:200])
    return f"loaded {took:.1f} s after ours was ready, {started - began:.0f} s after Home Assistant's start"


async def is_discovered_at_another_port(house: House) -> str:
    """On another port the server is somebody new: it is discovered again, and added as another one."""
    await house.speech.stop()
    await house.speech.start(port=10300)
    (flow,) = await house.discovered()
    made = await house.add(flow)
    assert made["type"] == "create_entry", made
    engines = [one["engine_id"] for one in (await house.home.ask("tts/engine/list"))["providers"]]
    (other,) = [one for one in engines if one.startswith("tts.wyoming_tts") and one != house.engine]
    first, house.engine = house.engine, other
    heard = await house.say("I have moved to another port, and I can still be heard.")
    house.engine = first
    assert heard.is_speech, (heard.status, heard.data[:200])
    return f"added as {other}; {first} stays, without a server"


async def stays_at_its_address(house: House) -> str:
    """At another address Home Assistant does not find the server again until its entry is deleted."""
    await house.speech.stop()
    await house.speech.start(OTHER_ADDRESS)
    await asyncio.sleep(MOVED)
    assert not await house.flows(), "it is discovered"
    heard = await house.say("Nobody says this at the old address.")
    assert not heard.is_speech, "somebody spoke"
    async with house.home.rest() as client:
        answer = await client.delete(f"/api/config/config_entries/entry/{house.facts['entry']}")
        answer.raise_for_status()
    began = time.monotonic()
    (flow,) = await house.discovered()
    took = time.monotonic() - began
    made = await house.add(flow)
    assert made["type"] == "create_entry", made
    heard = await house.say("This is what I sound like from over here.")
    assert heard.is_speech, (heard.status, heard.data[:200])
    return f"nothing in {MOVED:.0f} s; discovered {took:.1f} s after its entry is deleted"


async def leaves_no_complaint(house: House) -> str:
    """Neither log has a complaint that these checks did not cause."""
    await house.home.stop()
    await house.speech.stop()
    caused = "af_hart|Nobody says this|Connect call failed|[Ee]rror fetching|unavailable"
    parts = r"homeassistant\.components\.(wyoming|tts|assist_pipeline|assist_satellite|conversation|zeroconf)"
    home = [
        line
        for line in house.home.said().splitlines()
        if re.search(rf" (WARNING|ERROR|CRITICAL) .*\[{parts}", line) and not re.search(caused, line)
    ]
    speech = house.speech.log.read_text(encoding="utf-8").splitlines()
    ours = [
        line for line in speech if re.search(r"\b(WARNING|ERROR|CRITICAL)\b", line) and "af_hart" not in line
    ]
    assert not home + ours, home + ours
    return "none"


QUICK = [
    is_discovered,
    is_added,
    lists_voices,
    speaks,
    says_what_is_wrong,
    speaks_in_an_action,
    assists,
    assists_with_speech_alone,
    survives_a_restart,
    leaves_no_complaint,
]
SEEN = [takes_the_best_voice]
"""What takes a browser."""
ALL = [
    *QUICK[:4],
    speaks_every_language,
    *QUICK[4:8],
    lists_a_new_voice,
    survives_a_restart,
    speaks_without_streams,
    waits_for_the_server,
    is_discovered_at_another_port,
    stays_at_its_address,
    leaves_no_complaint,
]
