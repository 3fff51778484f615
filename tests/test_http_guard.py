"""What stands before every HTTP request."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.fakes import until
from tests.http import Served, http_serving
from wyoming_tts.access import Access, AllowList, ApiKeys

KEYS = ApiKeys({"phone": "secret-1", "laptop": "secret-2"})
BODY = {"input": "Hello.", "response_format": "pcm"}


async def test_the_log_tells_whose_key_it_was(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """By its name; the key is nowhere."""
    caplog.set_level("DEBUG", "wyoming_tts")
    async with http_serving(tmp_path, access=Access(keys=KEYS), key="secret-2") as served:
        assert (await served.client.post("/v1/audio/speech", json=BODY)).status_code == 200
    assert "Spoken over HTTP for laptop" in caplog.text
    assert "secret" not in caplog.text


async def test_without_a_key_nothing_is_said(tmp_path: Path) -> None:
    """Each key of several is one, in either header; the watcher's routes and the page need none."""
    async with http_serving(tmp_path, access=Access(keys=KEYS)) as served:

        async def status(**headers: str) -> int:
            answer = await served.client.post("/v1/audio/speech", json=BODY, headers=headers)
            assert "secret" not in answer.text
            return answer.status_code

        assert await status() == 401
        assert await status(Authorization="Bearer wrong") == 401
        assert await status(Authorization="Basic secret-1") == 401
        assert await status(Authorization="Bearer secret-1") == 200
        assert await status(**{"X-API-Key": "secret-2"}) == 200
        for path, wanted in {"/health": 200, "/ready": 200, "/": 200, "/metrics": 401, "/docs": 401}.items():
            assert (await served.client.get(path)).status_code == wanted, path
        refused = await served.client.get("/v1/models")
        assert refused.headers["www-authenticate"] == "Bearer"
        assert refused.json()["error"]["code"] == "invalid_api_key"


async def test_addresses_that_are_not_let_in(tmp_path: Path) -> None:
    """Everything is closed to them, the health check too."""
    async with http_serving(tmp_path, access=Access(allow=AllowList.of(["10.9.0.0/16"]))) as served:
        assert (await served.client.get("/health")).status_code == 403
    async with http_serving(tmp_path, access=Access(allow=AllowList.of(["127.0.0.0/8"]))) as served:
        assert (await served.client.get("/health")).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:80", 200), ("localhost:8880", 200), ("[::1]:8880", 200), ("box.local", 200),
        ("speech.example.org", 200), ("wyoming-tts:8880", 200), ("evil.example.com", 421),
        ("evil.local.example.com", 421), ("", 421), ("[", 421),
    ],
)  # fmt: skip
async def test_names_of_others_do_not_lead_here(host: str, status: int, tmp_path: Path) -> None:
    """A page that gives its own name this machine's address is not served to its scripts."""
    async with http_serving(tmp_path, access=Access(hosts=("speech.example.org",))) as served:
        assert (await served.client.get("/health", headers={"Host": host})).status_code == status


async def test_other_sites_may_not_act(tmp_path: Path) -> None:
    """Unless they are named: then browsers are told so, too."""
    there = "https://there.example"
    async with http_serving(tmp_path) as served:
        own = {"Origin": served.url}
        assert (await served.client.post("/tts", json={"text": "x"}, headers=own)).status_code == 200
        answer = await served.client.post("/tts", json={"text": "x"}, headers={"Origin": there})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    async with http_serving(tmp_path, access=Access(origins=(there,), keys=KEYS), key="secret-1") as served:
        answer = await served.client.post("/tts", json={"text": "x"}, headers={"Origin": there})
        assert answer.headers["access-control-allow-origin"] == there
        preflight = {"Origin": there, "Access-Control-Request-Method": "POST",
                     "Access-Control-Request-Headers": "authorization,content-type"}  # fmt: skip
        asked = await served.client.options("/tts", headers=preflight)
        assert asked.status_code == 200
        assert "authorization" in asked.headers["access-control-allow-headers"].lower()


async def test_bodies_have_a_bound(tmp_path: Path) -> None:
    """Whether their length is announced or not."""

    async def endless():
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0)

    async with http_serving(tmp_path, access=Access(body_bytes=5000)) as served:
        announced = await served.client.post("/tts", json={"text": "x" * 6000})
        assert announced.status_code == 413
        try:
            streamed = await served.client.post(
                "/tts", content=endless(), headers={"Content-Type": "application/json"}
            )
            assert streamed.status_code == 413
        except (httpx.WriteError, httpx.ReadError):
            pass  # it was told while it was still sending, and did not listen
        assert (await served.client.get("/health")).status_code == 200


async def test_a_body_that_does_not_come(tmp_path: Path) -> None:
    """Is not waited for for ever; the client is told and hung up on."""
    async with http_serving(tmp_path, access=Access(body_seconds=0.1)) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.server.port)
        head = b"POST /tts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        writer.write(head + b"Content-Length: 100\r\n\r\n{")
        assert (await reader.read()).split(b" ")[1] == b"408"
        writer.close()


async def test_connections_have_a_bound(tmp_path: Path) -> None:
    """Beyond it the answer is 503; the others go on."""
    async with http_serving(tmp_path, max_connections=3) as served:
        idle = [await asyncio.open_connection("127.0.0.1", served.server.port) for _ in range(3)]
        assert (await served.client.get("/health")).status_code == 503
        for _, writer in idle:
            writer.close()
        await until(lambda: len(served.server.connections) == 0)
        assert (await served.client.get("/health")).status_code == 200


async def test_browsers_are_told_to_be_careful(tmp_path: Path) -> None:
    """On every answer, errors included."""
    async with http_serving(tmp_path) as served:
        for path in ("/", "/health", "/nothing", "/docs"):
            headers = (await served.client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert "default-src 'self'" in headers["content-security-policy"]
            assert headers["x-frame-options"] == "DENY"
            assert "server" not in headers


@pytest.mark.parametrize(
    "path",
    ["/web/../../setup.cfg", "/web/%2e%2e/%2e%2e/setup.cfg", "/web//etc/passwd", "/docs-files/..%2fcore.py"],
)
async def test_no_path_leads_out(path: str, tmp_path: Path) -> None:
    """Files of the page are served and nothing beside them."""
    async with http_serving(tmp_path) as served:
        answer = await raw_get(served, path)
    assert answer.split(b" ")[1] == b"404"


async def raw_get(served: Served, path: str) -> bytes:
    """As it stands: no client tidies the path."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.server.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    data = await reader.read()
    writer.close()
    return data
