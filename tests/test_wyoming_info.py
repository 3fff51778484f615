"""What `describe` is answered with, by the rules that Home Assistant applies to it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import replace

import pytest
from wyoming.event import Event
from wyoming.info import Describe, Info

from tests.fakes import (
    ScriptedBackend,
    connected,
    info_of,
    read_until,
    serving,
    voice,
)
from wyoming_tts.types import Voice
from wyoming_tts.voices import load_catalogue
from wyoming_tts.wyoming_connection import WyomingSettings
from wyoming_tts.wyoming_info import BEST_PREFIX, PROGRAM_NAME, Offer, build_info
from wyoming_tts.wyoming_server import WyomingServer

CLIENT_LINE_BYTES = 65_536
"""Longest line that the client's reader takes."""


async def describe(server: WyomingServer) -> Event:
    """The answer on a new connection, as Home Assistant asks every 30 seconds."""
    async with connected(server) as client:
        await client.write_event(Describe().event())
        return (await read_until(client, "info"))[-1]


async def test_info_is_behind_its_header_line() -> None:
    """However many voices there are, the client's line reader is not exceeded."""
    many = [voice(f"voice_{number}", description="A rather long description") for number in range(1_000)]
    async with serving(ScriptedBackend(voices=many)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b'{"type":"describe"}\n')
        header = json.loads(await reader.readline())
        assert set(header) <= {"type", "version", "data_length"}
        assert header["data_length"] > CLIENT_LINE_BYTES
        assert len(json.loads(await reader.readexactly(header["data_length"]))["tts"][0]["voices"]) == 1_000
        writer.close()
        await writer.wait_closed()


async def test_info_has_every_key_that_is_required() -> None:
    """Program and voices have name, attribution with name and url, installed, and the rest."""
    async with serving() as server:
        programs = (await describe(server)).data["tts"]
    assert len(programs) == 1
    (program,) = programs
    assert program["name"] == PROGRAM_NAME == "wyoming-tts"
    assert program["version"] == "1.2.3"
    assert program["supports_synthesize_streaming"] is True
    assert "a script" in program["description"]
    assert program["voices"]
    for artifact in (program, *program["voices"]):
        assert artifact["name"]
        assert artifact["installed"] is True
        assert artifact["attribution"]["name"]
        assert artifact["attribution"]["url"].startswith("https://")
        assert artifact["version"]
        assert artifact["description"]
    assert all(voice["languages"] and all(voice["languages"]) for voice in program["voices"])


async def test_info_is_the_same_every_time() -> None:
    """Home Assistant asks for ever, on new connections; nothing changes and nothing is loaded for it."""
    backend = ScriptedBackend()
    async with serving(backend) as server:
        answers = [await describe(server) for _ in range(3)]
    assert answers[0].data == answers[1].data == answers[2].data
    assert Info.from_event(answers[0]) == info_of(backend)
    assert backend.starts == 0


async def test_describe_is_not_logged_loudly(caplog: pytest.LogCaptureFixture) -> None:
    """A poll every 30 seconds leaves no trace in an ordinary log."""
    with caplog.at_level(logging.INFO):
        async with serving() as server:
            await describe(server)
    assert not caplog.records


async def test_streaming_is_offered_only_when_it_is_on() -> None:
    """`supports_synthesize_streaming` selects how Home Assistant asks."""
    for streaming in (True, False):
        async with serving(settings=WyomingSettings(streaming=streaming)) as server:
            program = (await describe(server)).data["tts"][0]
            assert program["supports_synthesize_streaming"] is streaming


def test_info_without_voices_is_impossible() -> None:
    """An empty list would give Home Assistant an entity that is broken for good."""
    with pytest.raises(ValueError, match="at least one voice"):
        build_info([], version="1", engine="", streaming=True)


def first_labels(voices: Sequence[Voice]) -> dict[str, str]:
    """The voice that Home Assistant takes as default for each language: the first of the sorted labels."""
    program = build_info(voices, version="1", engine="", streaming=True).tts[0]
    labels: dict[str, list[tuple[str, str]]] = {}
    for offered in program.voices:
        for language in offered.languages:
            labels.setdefault(language, []).append((offered.description or offered.name, offered.name))
    return {language: sorted(names)[0][1] for language, names in labels.items()}


def test_the_best_voice_of_a_language_sorts_first() -> None:
    """Whatever the descriptions, the voice that comes first in a language has the first label."""
    voices = [
        voice("z", description="zoe"),
        voice("a", description="Adam"),
        voice("b", "fr-FR", "Émile"),
        voice("c", "fr-FR", "1st voice"),
        voice("d", "fr-FR", "-"),
    ]
    assert first_labels(voices) == {"en-US": "z", "fr-FR": "b"}


def test_every_language_that_ships_has_its_best_voice_first() -> None:
    """The rule holds for the voices of this project, and only the best ones are marked."""
    voices = load_catalogue().voices()
    best = {one.language: one.name for one in reversed(voices)}
    assert first_labels(voices) == best
    program = build_info(voices, version="1", engine="", streaming=True).tts[0]
    marked = [
        offered.name for offered in program.voices if (offered.description or "").startswith(BEST_PREFIX)
    ]
    assert sorted(marked) == sorted(best.values())


def test_languages_are_those_that_match() -> None:
    """Home Assistant knows `zh-CN` as Chinese, not `cmn`; every voice has a tag that it matches."""
    primary = {tag.split("-")[0] for tag in load_catalogue().languages()}
    assert primary <= {"en", "es", "fr", "hi", "it", "pt", "ja", "zh"}


def test_each_backend_has_a_program() -> None:
    """The first has all voices, the others those of one backend; who cannot speak now is marked."""
    mine, nova = voice("heart"), replace(voice("nova"), backend="openai", languages=("de",))
    offers = [
        Offer("scripted", "a script", (mine,), trouble="it burns"),
        Offer("openai", "openai at api", (nova,)),
        Offer("box", "a box", (replace(nova, backend="box"),), trouble="no route"),
        Offer("mute", "nothing", ()),
    ]
    info = build_info([mine, nova], version="1", engine="a script", streaming=True, offers=offers)
    names = [program.name for program in info.tts]
    assert names == ["wyoming-tts", "wyoming-tts openai", "wyoming-tts box"]
    assert [program.installed for program in info.tts] == [True, True, False]
    heart, other = info.tts[0].voices
    assert heart.installed
    assert "not available now" in (heart.description or "")
    assert "not available" not in (other.description or "")
    assert other.languages == ["en-US", "de"]
    assert "cannot speak now: no route" in (info.tts[2].description or "")
