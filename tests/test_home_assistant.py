"""A real Home Assistant with its own integration, in short: `python -m tests.home_assistant` does more."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.home_assistant import network
from tests.home_assistant.requirements import requirements
from tests.home_assistant.websocket import ApiError, connect

ROOT = Path(__file__).parent.parent
PYTHON = os.environ.get("HOME_ASSISTANT_PYTHON", "")


def why_not() -> str:
    """What is missing for a Home Assistant here; empty when nothing is."""
    if not PYTHON:
        return (
            "no Home Assistant: it is not among our packages, as it mostly wants another Python; name one "
            "that has it in HOME_ASSISTANT_PYTHON (docker/prove home-assistant makes one)"
        )
    if not network.is_possible():
        return (
            "no network of its own can be made here: that takes unshare and ip, and root or user namespaces"
        )
    return ""


@pytest.mark.timeout(900)
def test_a_real_home_assistant(model_data: Path, tmp_path: Path) -> None:
    """It discovers, adds, lists, speaks, assists, and is there again after a restart."""
    if reason := why_not():
        pytest.skip(reason)
    command = [sys.executable, "-m", "tests.home_assistant", "--quick", "--python", PYTHON]
    done = subprocess.run(
        [*command, "--model", str(model_data)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    report = json.loads(done.stdout)
    assert report["failed"] == 0
    assert report["is_added"] == "tts.wyoming_tts"


def test_what_it_would_install(tmp_path: Path) -> None:
    """What integrations require, and those that they depend on, each once."""
    for name, manifest in {
        "wyoming": {"requirements": ["wyoming==1"], "dependencies": ["tts", "http"]},
        "tts": {"requirements": ["mutagen==1"], "dependencies": ["http"]},
        "http": {"requirements": ["aiohttp==1"]},
        "unasked": {"requirements": ["unasked==1"]},
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps(manifest))
    assert sorted(requirements(tmp_path, {"wyoming"})) == ["aiohttp==1", "mutagen==1", "wyoming==1"]


def frame(kind: int, payload: bytes, *, last: bool = True) -> bytes:
    """As a server sends it: without a mask."""
    size = len(payload)
    if size > 0xFFFF:
        length = b"\x7f" + size.to_bytes(8, "big")
    else:
        length = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big")
    return bytes([kind | (0x80 if last else 0)]) + length + payload


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """As a client sends it: masked."""
    first, second = await reader.readexactly(2)
    assert second & 0x80
    size = second & 0x7F
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    mask = await reader.readexactly(4)
    payload = await reader.readexactly(size)
    return first & 0x0F, bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


Answers = Callable[[asyncio.StreamReader, asyncio.StreamWriter, dict[str, Any]], Awaitable[None]]


async def serve(answers: Answers) -> tuple[asyncio.Server, str]:
    """A WebSocket server that lets everybody in, then answers one command."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = next(line for line in head.splitlines() if line.startswith("Sec-WebSocket-Key")).split()[1]
        guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1((key + guid).encode()).digest()).decode()
        writer.write(f"HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        writer.write(frame(1, b'{"type": "auth_required"}'))
        assert json.loads((await read_frame(reader))[1]) == {"type": "auth", "access_token": "secret"}
        writer.write(frame(1, b'{"type": "auth_ok"}'))
        _, asked = await read_frame(reader)
        await answers(reader, writer, json.loads(asked))
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_its_websocket() -> None:
    """Long messages, pieces, a ping between them, and events of others."""
    long = {"text": "x" * 70_000}
    pong = asyncio.get_running_loop().create_future()

    async def answers(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: dict[str, Any]
    ) -> None:
        assert asked == {"id": 1, "type": "get", "name": "é" * 100}
        writer.write(frame(1, b'{"id": 9, "type": "event", "event": {}}'))
        answer = json.dumps({"id": 1, "type": "result", "success": True, "result": long}).encode()
        writer.write(frame(1, answer[:100], last=False) + frame(9, b"there?") + frame(0, answer[100:]))
        pong.set_result((await read_frame(reader))[1])

    server, url = await serve(answers)
    async with server, connect(url, "secret") as api:
        assert await api.ask("get", name="é" * 100) == long
        assert await pong == b"there?"


async def test_what_it_refuses() -> None:
    """A refusal says why."""

    async def answers(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: dict[str, Any]
    ) -> None:
        error = {"code": "not_found", "message": "there is none"}
        writer.write(
            frame(1, json.dumps({"id": 1, "type": "result", "success": False, "error": error}).encode())
        )

    server, url = await serve(answers)
    async with server, connect(url, "secret") as api:
        with pytest.raises(ApiError, match="not_found: there is none"):
            await api.ask("get")
