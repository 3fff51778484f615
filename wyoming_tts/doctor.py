"""Looks at everything that a server needs, each thing apart from the others and in bounded time."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from wyoming_tts import doctor_files as files
from wyoming_tts import doctor_network as network
from wyoming_tts import doctor_speech as speech
from wyoming_tts.access import read_keys
from wyoming_tts.assembly import assemble
from wyoming_tts.backends.kokoro_onnx import KokoroOptions
from wyoming_tts.backends.remote import RemoteOptions
from wyoming_tts.config import Settings
from wyoming_tts.doctor_findings import Check, Finding, Patient, failed, in_thread, ok
from wyoming_tts.errors import ConfigError, WyomingTtsError

QUICK, LOADING = 15.0, 180.0
"""Seconds that a check may take, and one that loads a model, which may have to be prepared first."""

ASSEMBLING = 20.0
"""Seconds in which the settings must make something; plugins are loaded in that time."""


async def examine(settings: Settings, most: float | None = None) -> AsyncGenerator[Finding, None]:
    """Every finding, in the order of the checks; `most` bounds the seconds of each check further.

    Downloads no model; prepares graphs that are missing and loads plugins, as a server does at its start.
    Nothing of it runs on when the generator is closed.
    """
    async with contextlib.AsyncExitStack() as stack:
        patient = await _admitted(settings, stack)
        secrets = sorted(_secrets(patient), key=len, reverse=True)
        for checks in (_first(patient), [Check("describe", QUICK, lambda: speech.describe(patient))],
                       [Check("speech", QUICK + LOADING, lambda: speech.speech(patient))]):  # fmt: skip
            running = [asyncio.create_task(_done(check, most, secrets), name=check.name) for check in checks]
            try:
                for task in running:
                    yield await task
            finally:
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)


async def _admitted(settings: Settings, stack: contextlib.AsyncExitStack) -> Patient:
    """Find what there is to look at; what is started ends with `stack`."""
    # Nothing is fetched here, and nothing is spoken from a cache.
    update = {"offline": True, "cache_memory": 0, "cache_disk": 0}
    built, trouble = None, ""
    try:
        async with asyncio.timeout(ASSEMBLING):
            built = await in_thread(assemble, settings.model_copy(update=update))
    except (WyomingTtsError, TimeoutError) as error:
        trouble = str(error) or f"they made nothing within {ASSEMBLING:.0f} s; is there a plugin that hangs?"
    patient = Patient(
        settings=settings, built=built, trouble=trouble, running=await network.find_running(settings)
    )
    if built is not None:
        stack.push_async_callback(speech.put_away, built)
    if patient.running:
        return dataclasses.replace(patient, uri=patient.running.uri)
    if built is None:
        return patient
    return dataclasses.replace(
        patient, uri=await stack.enter_async_context(speech.own_server(built, settings))
    )


def _first(patient: Patient) -> list[Check]:
    """What is looked at side by side, before anything is spoken."""
    settings = patient.settings
    members = patient.built.chain.members if patient.built else ()

    def threaded(function: Any, *arguments: Any) -> Any:
        return functools.partial(in_thread, function, *arguments)

    def check(name: str, examine: Any) -> Check:
        return Check(name, QUICK, examine)

    kokoro = next((one.options for one in members if isinstance(one.options, KokoroOptions)), None)
    model = [] if kokoro is None else [
        check("model", threaded(files.model, kokoro, settings)),
        check("provider", threaded(files.provider, kokoro, settings)),
    ]  # fmt: skip
    return [
        check("settings", functools.partial(_settings, patient)),
        *model,
        check("voices", threaded(files.voices, settings)),
        check("languages", threaded(files.extras, settings)),
        check("data directory", threaded(files.directories, settings)),
        check("own files", threaded(files.own_files, patient)),
        check("port", functools.partial(network.port, patient)),
        check("http", functools.partial(network.http, patient)),
        check("discovery", functools.partial(network.discovery, patient)),
        *(
            Check(f"backend {one.name}", QUICK if isinstance(one.options, RemoteOptions) else LOADING,
                  functools.partial(speech.backend, patient, one))
            for one in members
        ),
    ]  # fmt: skip


async def _settings(patient: Patient) -> Finding:
    if patient.trouble:
        return failed(patient.trouble, "correct it: the server does not start with it")
    built, settings = patient.built, patient.settings
    assert built is not None
    plugins = f", plugins {', '.join(built.plugins.names)}" if built.plugins.names else ""
    default = built.catalogue.default.name
    return ok(f"chain {', '.join(settings.chain)}; default voice {default}{plugins}")


async def _done(check: Check, most: float | None, secrets: Iterable[str]) -> Finding:
    """The finding of one check, whatever becomes of it."""
    began = time.monotonic()
    seconds = min(check.seconds, most or check.seconds)
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            finding = await check.examine()
    except Exception as error:  # a check that breaks is a check that failed
        finding = _late(seconds) if limit.expired() else _broken(error)
    return dataclasses.replace(
        finding,
        found=_without(finding.found, secrets),
        remedy=_without(finding.remedy, secrets),
        check=check.name,
        seconds=round(time.monotonic() - began, 3),
    )


def _late(seconds: float) -> Finding:
    how = "look again when the machine is less busy; if it is the same then, what it asks for hangs"
    return failed(f"it did not end within {seconds:g} s", how)


def _broken(error: Exception) -> Finding:
    if isinstance(error, WyomingTtsError):
        return failed(str(error), "do what it says")
    told = f"{type(error).__name__}: {error}"
    return failed(told, "look again with --debug, and tell the project what it prints")


def _without(text: str, secrets: Iterable[str]) -> str:
    """On one line, and without what nobody else should read: services repeat a wrong key."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return " ".join(text.split())


def _secrets(patient: Patient) -> Iterator[str]:
    """Every key and password in the settings."""
    settings = patient.settings
    found = [key.get_secret_value() for key in settings.api_keys.values()]
    if settings.api_keys_file:
        with contextlib.suppress(OSError, ValueError):
            found += read_keys(settings.api_keys_file).values()
    for table in settings.backends.values():
        found.append(str(table.get("api_key") or ""))
        with contextlib.suppress(ValueError):
            found.append(urlsplit(str(table.get("base_url") or "")).password or "")
    for member in patient.built.chain.members if patient.built else ():
        if isinstance(member.options, RemoteOptions):
            with contextlib.suppress(ConfigError):
                found.append(member.options.key() or "")
    return (secret for secret in found if len(secret) > 2)
