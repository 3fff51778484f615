"""What the doctor hears: each backend, the answer to `describe`, and a sentence that is spoken."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import Any

from wyoming.info import TtsProgram

from wyoming_tts.assembly import Assembly, prepare_texts
from wyoming_tts.backends.base import layers_of
from wyoming_tts.backends.members import Member
from wyoming_tts.backends.remote import RemoteOptions
from wyoming_tts.backends.resident_backend import ResidentBackend
from wyoming_tts.cli_streams import Meter
from wyoming_tts.client import WyomingTtsClient
from wyoming_tts.config import Settings
from wyoming_tts.doctor_findings import Finding, Patient, Running, failed, in_thread, ok, warning
from wyoming_tts.errors import (
    BackendAuthError,
    BackendError,
    BackendOverloadedError,
    BackendQuotaError,
    BackendTimeoutError,
    BackendUnavailableError,
    ConfigError,
)
from wyoming_tts.overview import info_of
from wyoming_tts.wyoming_info import PROGRAM_NAME
from wyoming_tts.wyoming_server import WyomingServer

LATE_SECONDS = 3.0
"""First audio behind which somebody has asked whether it works."""

STOP_SECONDS = 10.0
"""How long what was started may take to end."""

NOTHING = failed("there is nothing to ask: the settings cannot work together", "see the line of the settings")

SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "en": "The light in the kitchen is on, and the number of today is {}.",
        "de": "Das Licht in der Küche ist an, und die Zahl von heute ist {}.",
        "es": "La luz de la cocina está encendida, y el número de hoy es {}.",
        "fr": "La lumière de la cuisine est allumée, et le nombre du jour est {}.",
        "hi": "रसोई की बत्ती जल रही है, और आज की संख्या {} है।",
        "it": "La luce della cucina è accesa, e il numero di oggi è {}.",
        "ja": "台所の明かりがついていて、今日の番号は{}です。",
        "pt": "A luz da cozinha está acesa, e o número de hoje é {}.",
        "zh": "厨房的灯开着，今天的数字是{}。",
    }
)
"""What is spoken in a language; the number is another each time, so that no cache knows it."""


@contextlib.asynccontextmanager
async def own_server(built: Assembly, settings: Settings) -> AsyncIterator[str]:
    """A server of what the settings make, on a free port of this machine alone; nothing is loaded yet."""
    from wyoming_tts.app import wyoming_settings

    def info() -> Any:
        return info_of(built.chain, built.catalogue.current(), settings.streaming)

    limits = wyoming_settings(settings.model_copy(update={"allow": ()}))
    server = WyomingServer(built.pipeline, info, limits)
    await server.start("tcp://127.0.0.1:0")
    try:
        yield f"tcp://127.0.0.1:{server.port}"
    finally:
        await server.stop()


async def put_away(built: Assembly) -> None:
    """End what was started, without waiting for ever."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            await built.chain.stop()
    built.plugins.close()


async def backend(patient: Patient, member: Member) -> Finding:
    """Whether a backend could speak, and if not, whose fault it is."""
    if patient.running and isinstance([*layers_of(member.backend)][-1], ResidentBackend):
        return _told(patient.running, member)
    try:
        await member.backend.start()
    except ConfigError as error:
        return _trouble(member, error)
    except BackendError as error:
        member.fail(error)  # as in a server: the sentence goes to the next one at once
        return _trouble(member, error)
    if not member.backend.voices():
        return failed(
            "it has no voice", f"see its options in [backends.{member.name}], or take it out of --chain"
        )
    return ok(f"{member.backend.engine}, {len(member.backend.voices())} voices")


def _told(running: Running, member: Member) -> Finding:
    """What the server that runs says of a model: it need not be loaded a second time."""
    for status in (running.health or {}).get("backends", ()):
        if status["name"] == member.name:
            told = f"{status['engine']}, says the server that runs"
            if status["circuit"] == "closed":
                return (
                    ok(told)
                    if status["loaded"]
                    else warning(told, "wait until it is loaded, then look again")
                )
            return failed(f"{told}: {status['reason']}", "see the lines of the model and its log")
    name = f"{PROGRAM_NAME} {member.name}"
    program = next((one for one in running.info.tts if one.name == name), running.info.tts[0])
    told = f"{program.description}, says the server that runs"
    return ok(told) if program.installed else failed(told, "see the lines of the model and its log")


def _trouble(member: Member, error: BackendError | ConfigError) -> Finding:
    """Whose fault it is that a backend cannot speak."""
    name, options = member.name, member.options
    out = f"or take {name} out of --chain"
    if isinstance(error, BackendAuthError):
        variable = getattr(options, "KEY_VARIABLE", "") or f"backends.{name}.api_key_file"
        return failed(f"its key is refused: {error}", f"put the right key in {variable}, {out}")
    if isinstance(error, BackendQuotaError):
        return failed(f"its credit is used up: {error}", f"add some where the account is, {out}")
    if isinstance(error, BackendOverloadedError):
        return warning(f"it has too much to do: {error}", "try again later; until then the next one speaks")
    if isinstance(error, BackendTimeoutError | BackendUnavailableError) and isinstance(
        options, RemoteOptions
    ):
        how = f"see whether it runs, and whether backends.{name}.base_url is right, {out}"
        return failed(f"it cannot be reached: {error}", how)
    return failed(str(error), f"do what it says, {out}")


async def describe(patient: Patient) -> Finding:
    """Whether a client is told what it needs, and how soon."""
    if not patient.uri:
        return NOTHING
    began = time.monotonic()
    info = await WyomingTtsClient(patient.uri).info()
    seconds = time.monotonic() - began
    program = _program(info.tts)
    whose = "the server that runs" if patient.running else "a server started for this"
    if program is None or not program.voices:
        return failed(f"{whose} offers no voice", "see the lines of the backends and voices")
    ready = sum(voice.installed for voice in program.voices)
    return ok(f"{ready} of {len(program.voices)} voices ready, told by {whose} in {1000 * seconds:.0f} ms")


def _program(programs: list[TtsProgram]) -> TtsProgram | None:
    return next((program for program in programs if program.installed), None)


async def speech(patient: Patient) -> Finding:
    """Whether a sentence is spoken, how soon it begins, and whether faster than it plays."""
    if not patient.uri:
        return NOTHING
    if patient.built is not None and not patient.running:
        await in_thread(prepare_texts, patient.settings, patient.built.catalogue)
    meter, loudest = Meter(), 0
    async with contextlib.aclosing(WyomingTtsClient(patient.uri).speak(_sentence(patient))) as chunks:
        async for chunk in meter.audio(chunks):
            loudest = max(loudest, *chunk.audio) if chunk.audio else loudest
    if not meter.seconds or not loudest:
        return failed("nothing was heard", "see the lines of the backends")
    if meter.halts:
        how = "take the int8 model, give it more --threads, or a faster machine; until then sound halts"
        return warning(f"{meter.summary()}, slower than it plays", how)
    if meter.first_audio > LATE_SECONDS:
        return warning(
            f"{meter.summary()}, which is late",
            "look again once the model is loaded and nothing else"
            " keeps the machine busy; if it stays late, take the int8 model or a faster machine",
        )
    if stand_in := _stand_in(patient):
        return warning(f"{meter.summary()}, not by {stand_in}", f"see the line of {stand_in}")
    return ok(meter.summary())


def _sentence(patient: Patient) -> str:
    """In the language of the default voice."""
    tag = patient.built.catalogue.default.language if patient.built else "en"
    return SENTENCES.get(tag.split("-")[0], SENTENCES["en"]).format(secrets.randbelow(9000) + 1000)


def _stand_in(patient: Patient) -> str:
    """The backend for which another spoke; empty where none did, or the server that runs would know."""
    if patient.running or patient.built is None:
        return ""
    members = {member.name: member for member in patient.built.chain.members}
    wanted = members.get(patient.built.catalogue.default.backend, patient.built.chain.members[0])
    return "" if wanted.started else wanted.name
