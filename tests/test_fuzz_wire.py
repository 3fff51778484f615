"""The wire under bytes and orders that nobody meant; `python -m tests.fuzz.wire` does it for longer."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from wyoming.event import Event, async_read_event

from tests.fakes import frame
from tests.fuzz.reader import batch
from tests.fuzz.sockets import PATIENCE, Answers, Findings, listening, sessions

TEXT = st.text(alphabet="abc ", max_size=12).map(lambda text: f"a{text}.")


async def test_frames_of_every_kind_into_the_reader() -> None:
    """Whatever comes is an event or a ProtocolError, and what the grammar is certain of is just that."""
    assert sum([await batch(f"0-{number}") for number in range(1500)]) > 2000


async def test_sessions_of_every_kind_over_sockets() -> None:
    """Whatever clients send, however they leave: nobody else notices, and nothing is left of them."""
    findings = Findings()
    await sessions(findings, 2000, 0, together=16)
    assert not findings.wrong
    assert {"audio-stop", "synthesize-stopped", "invalid-frame", "bad-request"} <= set(findings.answers)


class Conversation(RuleBasedStateMachine):
    """One client after another, and what each must be answered."""

    def __init__(self) -> None:
        """Start a server."""
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._findings = Findings()
        self._context = listening(self._findings)
        self._server = self._loop.run_until_complete(self._context.__aenter__())
        self._connect()

    def _connect(self) -> None:
        opening = asyncio.open_connection("127.0.0.1", self._server.port)
        self._reader, self._writer = self._loop.run_until_complete(opening)
        self._open, self._answers = False, Answers()

    def _send(self, kind: str, **data: Any) -> None:
        self._writer.write(frame(kind, **data))

    def _until(self, kind: str) -> Event:
        async def read() -> Event:
            async with asyncio.timeout(PATIENCE):
                while (event := await async_read_event(self._reader)) is not None:
                    self._answers.take(event)
                    if event.type == kind:
                        return event
            raise AssertionError(f"closed without {kind}")

        return self._loop.run_until_complete(read())

    def _refused(self, code: str) -> None:
        """The error is told, the connection is closed, and the next one is as new."""
        assert self._until("error").data["code"] == code
        assert self._loop.run_until_complete(self._reader.read()) == b""
        self._leave()

    @rule()
    def describe(self) -> None:
        self._send("describe")
        assert self._until("info").data["tts"]

    @rule(text=st.none() | st.text(max_size=20))
    def ping(self, text: str | None) -> None:
        self._send("ping", text=text)
        assert self._until("pong").data.get("text") == text

    @rule(kind=st.sampled_from(["audio-chunk", "transcribe", "audio-stop", "info", "", "error"]))
    def unknown(self, kind: str) -> None:
        self._send(kind or "x", text="a", data={"x": [1]})

    @rule(text=TEXT)
    def synthesize(self, text: str) -> None:
        self._send("synthesize", text=text)
        if not self._open:  # inside a stream, the text has come already
            self._until("audio-stop")

    @precondition(lambda self: not self._open)
    @rule()
    def start(self) -> None:
        self._send("synthesize-start")
        self._open = True
        self._send("synthesize-chunk", text="a")

    @precondition(lambda self: self._open)
    @rule(text=TEXT)
    def chunk(self, text: str) -> None:
        self._send("synthesize-chunk", text=text)

    @precondition(lambda self: self._open)
    @rule()
    def stop(self) -> None:
        self._send("synthesize-stop")
        self._until("synthesize-stopped")
        self._open = False

    @rule(raw=st.binary(min_size=1, max_size=40).filter(lambda raw: b"{" not in raw))
    def nonsense(self, raw: bytes) -> None:
        self._writer.write(raw + b"\n")
        self._refused("invalid-frame")

    @precondition(lambda self: self._open)
    @rule()
    def start_inside(self) -> None:
        self._send("synthesize-start")
        self._refused("invalid-frame")

    @precondition(lambda self: not self._open)
    @rule(kind=st.sampled_from(["synthesize-chunk", "synthesize-stop"]))
    def without_start(self, kind: str) -> None:
        self._send(kind, text="a")
        self._refused("invalid-frame")

    @rule(where=st.floats(0, 1), how=st.sampled_from(["close", "abort", "half"]))
    def leave(self, where: float, how: str) -> None:
        raw = frame("synthesize", text="a. " * 50)
        self._writer.write(raw[: int(where * len(raw))])
        if how == "half":
            self._writer.write_eof()
            with contextlib.suppress(ConnectionError):
                self._loop.run_until_complete(self._reader.read())
        elif how == "abort":
            self._writer.transport.abort()
        self._leave()

    def _leave(self) -> None:
        async def leave() -> None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

        self._loop.run_until_complete(leave())
        self._connect()

    @invariant()
    def nothing_is_wrong(self) -> None:
        assert not self._findings.wrong

    def teardown(self) -> None:
        self._leave()
        self._writer.close()
        self._loop.run_until_complete(self._context.__aexit__(None, None, None))
        self._loop.close()
        assert not self._findings.wrong


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_conversations_in_every_order() -> None:
    """Whatever order events come in, each is answered as the protocol says, also behind another's mistake."""
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Conversation,
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
