"""The log: how a line looks, what a stream's line tells a program, and debug that comes and goes."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import logging
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from wyoming.tts import Synthesize, SynthesizeVoice

from tests.fakes import connected, read_until, serving
from tests.http import http_serving
from tests.test_app import listening, running
from wyoming_tts.access import Access, ApiKeys
from wyoming_tts.errors import ConfigError
from wyoming_tts.logs import FIELDS, PACKAGE, DebugSwitch, JsonFormatter, StreamReport, kept

SECRET = "Nobody must read this."


@pytest.fixture(autouse=True)
def _level_as_before() -> Iterator[None]:
    """What a switch did to the package's logger is undone."""
    logger = logging.getLogger(PACKAGE)
    before = logger.level
    yield
    logger.setLevel(before)


def record(message: str, *arguments: object, **more: Any) -> logging.LogRecord:
    made = logging.LogRecord("wyoming_tts.x", logging.WARNING, "x.py", 1, message, arguments, None)
    made.__dict__.update(more)
    return made


def formatted(made: logging.LogRecord) -> dict[str, Any]:
    line = JsonFormatter().format(made)
    assert "\n" not in line
    return json.loads(line)


def test_a_line_is_an_object() -> None:
    """Time in UTC with milliseconds, level, logger, message, whatever stands in it."""
    line = formatted(record('a "quote" of %s,\nand ⚠', "two\u2028lines", created=1_800_000_000.0625))
    assert line == {
        "time": "2027-01-15T08:00:00.062Z",
        "level": "warning",
        "logger": "wyoming_tts.x",
        "message": 'a "quote" of two\u2028lines,\nand ⚠',
    }
    assert datetime.datetime.fromisoformat(line["time"]).utcoffset() == datetime.timedelta()


def test_an_exception_is_a_key() -> None:
    """With its traceback, and still on one line."""
    try:
        raise OSError("no disk")
    except OSError:
        line = formatted(record("failed", exc_info=sys.exc_info()))
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("OSError: no disk")


def test_a_stream_has_its_numbers() -> None:
    """All fields, rounded; what nobody knows is null, and what is divided by nothing, too."""
    report = StreamReport(
        outcome="stopped", transport="http", voice="af_heart", backend=None, characters=7,
        first_audio_seconds=0.12345, audio_seconds=0.0, working_seconds=0.5,
    )  # fmt: skip
    line = formatted(record("Stopped", **report.extra(), secret="not for the log"))
    assert set(line) == {"time", "level", "logger", "message", *FIELDS}
    assert (line["first_audio_seconds"], line["real_time_factor"], line["backend"]) == (0.123, None, None)


async def test_both_servers_tell_of_a_stream(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Over Wyoming and HTTP: the same keys, the lines of text as they were, and no word of what was said."""
    caplog.set_level(logging.INFO, PACKAGE)
    async with serving() as server, connected(server) as client:
        await client.write_event(Synthesize(SECRET, SynthesizeVoice(name="adam")).event())
        await read_until(client, "audio-stop")
    keys = Access(keys=ApiKeys({"phone": "key-of-phone"}))
    async with http_serving(tmp_path, access=keys, key="key-of-phone") as served:
        await served.speak(input=SECRET, voice="adam", response_format="pcm")
    wyoming, http = (
        formatted(one)
        for one in caplog.records
        if one.getMessage().startswith("Spoken") and hasattr(one, "transport")
    )
    assert wyoming["message"].startswith("Spoken: voice 'adam'")
    assert http["message"].startswith("Spoken over HTTP for phone: voice 'adam'")
    assert (wyoming["transport"], wyoming["caller"]) == ("wyoming", None)
    assert (http["transport"], http["caller"]) == ("http", "phone")
    for line in (wyoming, http):
        assert set(FIELDS) < set(line)
        assert (line["voice"], line["outcome"], line["characters"]) == ("adam", "spoken", len(SECRET))
        assert 0 <= line["first_audio_seconds"] < 5
        assert line["audio_seconds"] == pytest.approx(101 * len(SECRET) / 24_000, abs=1e-3)
        assert 0 <= line["real_time_factor"] < 50
    assert SECRET not in caplog.text
    assert "key-of-phone" not in caplog.text


@pytest.mark.parametrize(("level", "quiet"), [("info", "INFO"), ("error", "ERROR"), ("debug", "INFO")])
def test_debug_comes_and_goes(level: str, quiet: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each time the log says so, whatever its level was; off is as it began, or info."""
    logger, switch = logging.getLogger(PACKAGE), DebugSwitch(level)
    logger.setLevel(level.upper())
    states = []
    for _ in range(4):
        switch.toggle()
        states.append(logging.getLevelName(logger.level))
    assert states == (["DEBUG", quiet] * 2 if level != "debug" else [quiet, "DEBUG"] * 2)
    said = [message.partition(";")[0] for message in caplog.messages]
    assert said == ["Debug is on" if state == "DEBUG" else "Debug is off" for state in states]


async def test_a_server_that_logs_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of a server's log is an object, to its end; SIGUSR1 turns debug on and off."""
    monkeypatch.setenv("WYOMING_TTS_VOISE", "af_heart")
    flags = ("--chain", "espeak", "--log-format", "json", "--log-level", "warning")
    with running(tmp_path, tmp_path / "data", *flags) as server:
        server.wait_for_log("WYOMING_TTS_VOISE is no setting")  # said before anybody knew of JSON
        while "Debug is on" not in server.log.read_text():
            try:
                await server.ask(Synthesize(text=SECRET).event())
            except OSError:  # it does not listen yet
                await asyncio.sleep(0.05)
                continue
            server.process.send_signal(signal.SIGUSR1)
            server.wait_for_log("Debug is on")
        await server.ask(Synthesize(text=SECRET).event())
        server.wait_for_log("Spoken")
        server.process.send_signal(signal.SIGUSR1)
        server.wait_for_log("Debug is off")
        await server.ask(Synthesize(text=SECRET).event())
        server.process.send_signal(signal.SIGTERM)
        assert server.end() == 0
        lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    streams = [line for line in lines if "outcome" in line]
    assert [line["outcome"] for line in streams] == ["spoken"]
    assert streams[0]["backend"] == "espeak"
    assert SECRET not in "".join(line["message"] for line in lines if line["level"] != "debug")
    assert lines[-1]["message"].startswith("Debug is off")


def test_what_is_said_before_the_settings_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    """It is kept, and printed as it is where there will be no log."""
    with kept() as earlier:
        logging.getLogger("wyoming_tts.early").warning("soon")
    assert [one.getMessage() for one in earlier] == ["soon"]
    with contextlib.suppress(ConfigError), kept():
        logging.getLogger("wyoming_tts.early").info("nothing")
        logging.getLogger("wyoming_tts.early").warning("sooner")
        raise ConfigError("no settings")
    assert capsys.readouterr().err == "sooner\n"


async def test_text_stays_the_default(tmp_path: Path) -> None:
    """Without a setting, lines are for people, as they always were."""
    with running(tmp_path, tmp_path / "data", "--chain", "espeak") as server:
        await listening(server).ask(Synthesize(text=SECRET).event())
        server.wait_for_log(
            "INFO wyoming_tts.wyoming_stream: Spoken: voice 'default' by espeak, 22 characters"
        )
        server.process.send_signal(signal.SIGTERM)
        assert server.end() == 0
