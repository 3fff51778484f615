"""Keys are told to nobody: not in logs, errors, settings, metrics or what the server says of itself."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from wyoming.event import async_read_event

from tests.fakes import frame, raw_to
from tests.soak import Server, started
from wyoming_tts.config import Settings
from wyoming_tts.config_load import load_settings
from wyoming_tts.errors import ConfigError

PHONE, LAPTOP = "SECRET-of-the-phone", "SECRET-of-the-laptop"
SERVICE, PASSWORD = "SECRET-of-a-service", "SECRET-in-an-address"

CONFIG = """
[api_keys]
phone = "SECRET-of-the-phone"

[backends.openai]
base_url = "http://127.0.0.1:{port}/v1"
api_key = "SECRET-of-a-service-1"

[backends.elevenlabs]
base_url = "http://somebody:SECRET-in-an-address@127.0.0.1:{port}"
api_key = "SECRET-of-a-service-2"

[backends.alltalk]
base_url = "http://somebody:SECRET-in-an-address@127.0.0.1:{port}"
api_key = "SECRET-of-a-service-3"

[backends.other]
type = "openai"
base_url = "http://somebody:SECRET-in-an-address@127.0.0.1:1/v1"
api_key_file = "service-key"
"""


class Echo(BaseHTTPRequestHandler):
    """A service that refuses, and tells everything that it was sent."""

    status: ClassVar[int] = 401
    heard: ClassVar[list[str]] = []

    def _refuse(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.heard.append(str(self.headers))
        told = str(self.headers).replace("\n", " ").replace('"', "'")
        body = f'{{"error": {{"message": "You sent {told}"}}, "detail": "You sent {told}"}}'.encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _refuse

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def echoing() -> Iterator[int]:
    service = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=service.serve_forever, daemon=True)
    thread.start()
    try:
        yield service.server_port
    finally:
        service.shutdown()
        service.server_close()
        thread.join()


async def said_over_wyoming(server: Server) -> str:
    """Everything that the server answers to a description, a request and mistakes."""
    said = ""
    for sent in (
        frame("describe"),
        frame("synthesize", text="Hello there."),
        frame("synthesize", text="Hello.", voice={"name": "openai/nobody"}),
        frame("synthesize", text="Hello.", voice={"name": "other/alloy"}),
        b"nonsense\n",
    ):
        async with raw_to(server.port) as (reader, writer):
            writer.write(sent)
            while (event := await async_read_event(reader)) is not None:
                said += f"{event.type} {event.data}\n"
                if event.type in ("info", "audio-stop", "error"):
                    break
    return said


async def said_over_http(server: Server) -> str:
    """Everything that the server answers over HTTP, with a key, with a wrong one and with none."""
    said = ""
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{server.http_port}", timeout=60, headers={"X-API-Key": PHONE}
    ) as client:
        for path in ("/health", "/ready", "/metrics", "/v1/models", "/v1/audio/voices", "/studio/status",
                     "/openapi.json", "/docs", "/nothing"):  # fmt: skip
            said += (await client.get(path)).text
        bodies: list[dict[str, object]] = [{"input": "Hello."}, {"input": 1}, {"voice": []}]
        for body in bodies:
            said += (await client.post("/v1/audio/speech", json=body)).text
        wrong = {"X-API-Key": "SECRET-that-is-wrong", "Authorization": "Bearer SECRET-that-is-wrong"}
        said += (await client.get("/v1/models", headers=wrong)).text
        said += (await client.get("/v1/models?api_key=x", headers={"X-API-Key": ""})).text
    return said


@pytest.mark.parametrize("status", [401, 500])
async def test_a_server_keeps_its_secrets(
    status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With debug in the log, and services that refuse and repeat what they were sent, no key is told."""
    monkeypatch.setattr(Echo, "status", status)
    Echo.heard.clear()
    (tmp_path / "service-key").write_text("SECRET-of-a-service-4\n")
    (tmp_path / "keys").write_text(f"laptop={LAPTOP}\n")
    (tmp_path / "data").mkdir()
    with echoing() as port:
        (tmp_path / "data" / "config.toml").write_text(CONFIG.format(port=port))
        chain = "openai,elevenlabs,alltalk,other,espeak"
        flags = ("--log-level", "debug", "--api-keys-file", str(tmp_path / "keys"))
        with started(tmp_path, *flags, chain=chain, offline=False) as server:
            said = await said_over_wyoming(server) + await said_over_http(server)
            log = server.log.read_text()
    sent = str(Echo.heard)
    assert "SECRET-of-a-service-1" in sent
    assert "Basic c29tZWJvZHk6U0VDUkVULWluLWFuLWFkZHJlc3M=" in sent
    assert "openai" in said
    assert "openai" in log
    for secret in ("SECRET", "U0VDUkVULWlu"):
        assert not [line for line in (said + log).splitlines() if secret in line]


def test_settings_keep_their_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither their text nor what is wrong with them has a key in it."""
    monkeypatch.setenv("WYOMING_TTS_API_KEYS", f"phone={PHONE}")
    monkeypatch.setenv("OPENAI_API_KEY", SERVICE)
    file = tmp_path / "config.toml"
    file.write_text(CONFIG.replace('[api_keys]\nphone = "SECRET-of-the-phone"', "").format(port=1))
    settings = load_settings(["--config", str(file), "--data-dir", str(tmp_path)])
    assert isinstance(settings, Settings)
    for text in (repr(settings), str(settings), f"{settings.api_keys}"):
        assert "SECRET" not in text


@pytest.mark.parametrize(
    "wrong",
    [
        '[api_keys]\nphone = ["SECRET-1"]', 'api_keys = ["SECRET-1"]', '[api_keys.phone]\nkey = "SECRET-1"',
        '[backends]\nopenai = "SECRET-1"', '[backends.openai]\napi_key = ["SECRET-1"]',
        '[backends.openai]\napikey = "SECRET-1"', '[backends.openai]\napi_key = "SECRET-1',
        '[backends.openai]\nbase_url = "ftp://a:SECRET-1@host"',
        '[backends.openai]\nbase_url = "http://a:SECRET-1@"', 'api_key = "SECRET-1"',
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_without_secrets(wrong: str, tmp_path: Path) -> None:
    """A mistake beside a key, or in one, is named by its place."""
    from wyoming_tts.assembly import assemble

    file = tmp_path / "config.toml"
    file.write_text(wrong + "\n")
    flags = ["--config", str(file), "--data-dir", str(tmp_path), "--chain", "openai,espeak"]
    with pytest.raises(ConfigError) as caught:
        assemble(load_settings(flags))
    error: BaseException | None = caught.value
    while error is not None:
        assert "SECRET" not in str(error)
        error = error.__cause__
