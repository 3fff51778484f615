"""Home Assistant and our server as processes, each with a folder of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.home_assistant.network import ADDRESS
from tests.home_assistant.websocket import Api, connect

PATIENCE = 120.0
"""Seconds that a start may take on a machine that does other things, too."""

HERE = Path(__file__).parent
URL = f"http://{ADDRESS}:8123"
CLIENT = f"{URL}/"
SETTINGS = """
homeassistant:
  name: Home
  country: GB
  currency: GBP
  language: en
  time_zone: Europe/London
  unit_system: metric
  latitude: 51.48
  longitude: 0
  internal_url: {url}
frontend:
assist_pipeline:
media_source:
zeroconf:
house:
"""


class NotAnsweringError(Exception):
    """A process ended, or took too long."""


@dataclass
class Process:
    """A program that writes into a file."""

    command: list[str]
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, its output behind what is there."""
        with self.log.open("ab") as output:
            self.running = subprocess.Popen(
                self.command, cwd=self.log.parent, env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip

    async def stop(self) -> int:
        """End it as a system does, with SIGTERM; its exit status."""
        assert self.running is not None
        self.running.terminate()
        try:
            status = await asyncio.to_thread(self.running.wait, PATIENCE)
        except subprocess.TimeoutExpired:
            raise NotAnsweringError(f"{self.log} does not stop") from None
        self.running = None
        return status

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self.running is not None:
            self.running.kill()
            self.running.wait()
            self.running = None

    async def until(self, url: str, status: int = 200) -> float:
        """Until it answers there; the seconds that took. Raises NotAnsweringError."""
        began = time.monotonic()
        async with httpx.AsyncClient() as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(url)).status_code == status:
                        return time.monotonic() - began
                if self.running is None or self.running.poll() is not None:
                    raise NotAnsweringError(self.log.read_text(errors="replace")[-3000:])
                if time.monotonic() > began + PATIENCE:
                    raise NotAnsweringError(f"no {status} from {url}")
                await asyncio.sleep(0.1)


class Speech:
    """Our server, with zeroconf."""

    def __init__(self, directory: Path, prepared: Path | None = None) -> None:
        """`prepared` is a folder with the prepared model, so that a first start is short."""
        self.data_dir = directory / "speech"
        self.data_dir.mkdir()
        if prepared is not None and prepared.exists():
            (self.data_dir / "prepared").symlink_to(prepared.resolve(), target_is_directory=True)
        self.log = directory / "speech.log"
        self._process: Process | None = None

    async def start(self, address: str = ADDRESS, port: int = 10200, *flags: str) -> None:
        """Start it, until it would speak at once."""
        command = [sys.executable, "-m", "wyoming_tts", "--uri", f"tcp://{address}:{port}"]
        command += [
            "--http-uri",
            "http://127.0.0.1:8880",
            "--offline",
            "--data-dir",
            str(self.data_dir),
            *flags,
        ]
        root = str(HERE.parent.parent)
        self._process = Process(command, self.log, {"PYTHONPATH": root})
        self._process.start()
        await self._process.until("http://127.0.0.1:8880/ready")

    async def stop(self) -> int:
        """End it; its exit status."""
        assert self._process is not None
        return await self._process.stop()

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()

    async def voices(self) -> list[dict[str, Any]]:
        """The voices as it lists them over HTTP."""
        async with httpx.AsyncClient() as client:
            return (await client.get("http://127.0.0.1:8880/v1/audio/voices")).json()["voices"]


class HomeAssistant:
    """One that was never started before, and its owner's way in."""

    def __init__(self, directory: Path, python: str) -> None:
        """`python` is one that has Home Assistant."""
        self.config = directory / "config"
        (self.config / "custom_components").mkdir(parents=True)
        (self.config / "configuration.yaml").write_text(SETTINGS.format(url=URL), encoding="utf-8")
        shutil.copytree(HERE / "house", self.config / "custom_components" / "house")
        self.log = directory / "home-assistant.log"
        self._process = Process(
            [python, "-m", "homeassistant", "--config", str(self.config), "--skip-pip", "--log-no-color"],
            self.log,
        )
        self.tokens: dict[str, Any] = {}

    async def start(self) -> float:
        """Start it, until it serves; the seconds that took."""
        self._process.start()
        return await self._process.until(f"{URL}/manifest.json")

    async def stop(self) -> int:
        """End it; its exit status."""
        return await self._process.stop()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    async def onboard(self) -> None:
        """Make the owner, and answer the questions that come at first."""
        async with httpx.AsyncClient(base_url=URL, timeout=PATIENCE) as client:
            owner = {"name": "Owner", "username": "owner", "password": "a house of one's own"}
            answer = await client.post(
                "/api/onboarding/users", json={**owner, "client_id": CLIENT, "language": "en"}
            )
            code = answer.raise_for_status().json()["auth_code"]
            form = {"grant_type": "authorization_code", "code": code, "client_id": CLIENT}
            self.tokens = (await client.post("/auth/token", data=form)).raise_for_status().json()
            for step, fields in (
                ("core_config", {}),
                ("analytics", {}),
                ("integration", {"client_id": CLIENT, "redirect_uri": CLIENT}),
            ):
                answer = await client.post(f"/api/onboarding/{step}", json=fields, headers=self.headers)
                answer.raise_for_status()

    @property
    def headers(self) -> dict[str, str]:
        """What a request of the owner's has with it."""
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}

    @contextlib.asynccontextmanager
    async def rest(self) -> AsyncIterator[httpx.AsyncClient]:
        """The owner at the REST API."""
        async with httpx.AsyncClient(base_url=URL, headers=self.headers, timeout=PATIENCE) as client:
            yield client

    @contextlib.asynccontextmanager
    async def api(self) -> AsyncIterator[Api]:
        """The owner at the WebSocket API."""
        async with connect(URL, self.tokens["access_token"]) as api:
            yield api

    async def ask(self, kind: str, **fields: Any) -> Any:
        """One command on a connection of its own. Raises ApiError."""
        async with self.api() as api:
            return await api.ask(kind, **fields)

    def said(self) -> str:
        """Its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")
