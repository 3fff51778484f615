"""What the doctor looks at, and what comes out of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from wyoming.info import Info

from wyoming_tts.assembly import Assembly
from wyoming_tts.config import Settings

T = TypeVar("T")

State = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    state: State
    """Whether the server can do with it as it is."""

    found: str
    """For people, without anything secret."""

    remedy: str = ""
    """What to do; empty where all is well."""

    check: str = ""
    """Name of the check."""

    seconds: float = 0.0
    """How long it took."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at, which needs no other check."""

    name: str
    """For people, short."""

    seconds: float
    """How long it may take; then it has failed."""

    examine: Callable[[], Awaitable[Finding]]
    """Looks. What it raises is a finding, too: that it failed."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server of ours that runs with these settings, as far as one can tell."""

    uri: str
    """Where it answers."""

    info: Info
    """What it says of itself."""

    health: Mapping[str, Any] | None
    """What it says at `/health`; None where nobody answers there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What the checks look at."""

    settings: Settings
    """The server's."""

    built: Assembly | None
    """What the settings make, with nothing loaded; None where they cannot work together."""

    trouble: str = ""
    """Why they cannot."""

    running: Running | None = None
    """The server that runs already."""

    uri: str = ""
    """Where to ask: the running server, else one of our own; empty where there is none."""


def ok(found: str) -> Finding:
    """All is well."""
    return Finding("ok", found)


def warning(found: str, remedy: str) -> Finding:
    """The server does without it, and somebody may miss it."""
    return Finding("warning", found, remedy)


def failed(found: str, remedy: str) -> Finding:
    """Something that was asked for cannot be had."""
    return Finding("failed", found, remedy)


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """What a function that blocks returns or raises; one that hangs keeps nobody, not even the process."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def work() -> None:
        result, error = None, None
        try:
            result = function(*arguments)
        except BaseException as raised:
            error = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=work, name=f"doctor {function.__name__}", daemon=True).start()
    return await done
