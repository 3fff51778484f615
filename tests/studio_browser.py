"""The studio in a real browser, before a real server: both started here, and what went wrong in the page."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.resources
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright

PATIENCE = 60.0
"""Seconds that anything may take on a machine that does other things, too."""

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


@dataclass
class StudioServer:
    """A server process with a data directory of its own."""

    process: subprocess.Popen[bytes]
    url: str
    wyoming: str
    data_dir: Path
    key: str = ""

    def get(self, path: str) -> Any:
        """JSON of it."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return httpx.get(self.url + path, headers=headers, timeout=PATIENCE).raise_for_status().json()


@contextlib.contextmanager
def studio_server(directory: Path, model_data: Path, key: str = "") -> Iterator[StudioServer]:
    """A server that is ready to speak; it shares nothing with others but the prepared model."""
    data_dir = directory / "data"
    data_dir.mkdir()
    (data_dir / "prepared").symlink_to(model_data / "prepared", target_is_directory=True)
    wyoming, url = f"tcp://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "wyoming_tts", "--uri", wyoming, "--http-uri", url]
    flags = ["--no-zeroconf", "--offline", "--data-dir", str(data_dir)]
    root = str(Path(__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": root} | (
        {"WYOMING_TTS_API_KEYS": f"test={key}"} if key else {}
    )
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *flags], cwd=directory, env=environment,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        wait_until_ready(url, process, log)
        yield StudioServer(process, url, wyoming, data_dir, key)
    finally:
        process.kill()
        process.wait()


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until it would speak a sentence at once."""
    deadline = time.monotonic() + 5 * PATIENCE  # the first start on a machine prepares the model
    while True:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/ready").status_code == 200:
                return
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium, without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Visit:
    """A page, and what a developer would see in its console and its network."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, exceptions, and requests that failed."""
    requests: list[Request] = field(default_factory=list)

    def listen(self) -> None:
        """To everything from now on."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("request", lambda request: self.requests.append(request))

    def asked(self, path: str) -> list[Any]:
        """Bodies of what was posted there."""
        return [one.post_data_json for one in self.requests if one.url.endswith(path)]

    async def state(self) -> str:
        """Of what is spoken: idle, starting or speaking."""
        return await self.page.evaluate("studio.speech.state")

    async def until(self, done: Callable[[Any], bool], expression: str, seconds: float = PATIENCE) -> Any:
        """The first value of an expression that is right; Playwright's own waiting needs a laxer page."""
        deadline = time.monotonic() + seconds
        while True:
            value = await self.page.evaluate(expression)
            if done(value):
                return value
            assert time.monotonic() < deadline, f"{expression} is still {value!r}; {self.complaints}"
            await asyncio.sleep(0.03)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        # Chromium reports each fetch of an event stream as aborted, one that came to its end, too
        if not request.url.endswith("/tts/stream"):
            self.complaints.append(f"failed: {request.url} {request.failure}")


@contextlib.asynccontextmanager
async def visit(browser: Browser, url: str, is_loaded: bool = True, **options: Any) -> AsyncIterator[Visit]:
    """A page of a new visitor, with the voices on it; `options` are those of a browser context."""
    context = await browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    try:
        visitor = Visit(await context.new_page())
        visitor.listen()
        await visitor.page.goto(url)
        if is_loaded:
            await visitor.page.wait_for_selector(".voice")
        yield visitor
    finally:
        await context.close()


def axe_source() -> str:
    """The accessibility checker, as a script."""
    return (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


TAP = """async () => {
  await studio.player.wake();
  const { context, output } = studio.player;
  const tap = context.createScriptProcessor(16384, 1, 1);
  window.heard = { rate: context.sampleRate, pieces: [] };
  tap.onaudioprocess = ({ inputBuffer }) => window.heard.pieces.push(inputBuffer.getChannelData(0).slice());
  output.connect(tap);
  tap.connect(context.destination);
}"""
"""Keeps every sample that the page gives to the loudspeaker."""

HEARD = """() => {
  const bytes = new Uint8Array(window.heard.pieces.length * 16384 * 4);
  window.heard.pieces.forEach((piece, i) => bytes.set(new Uint8Array(piece.buffer), i * 16384 * 4));
  let text = "";
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return [window.heard.rate, btoa(text)];
}"""

WATCH = """() => {
  window.lit = [];
  new MutationObserver((records) => {
    for (const { target } of records) {
      if (target.tagName !== "SPAN" || window.lit.some((one) => one.element === target)) continue;
      window.lit.push({ element: target, word: target.textContent, position: studio.speech.track.position });
    }
  }).observe(document.getElementById("along"), { subtree: true, attributeFilter: ["class"] });
}"""
"""Notes each word that lights up, and the moment of the speech at which it did."""
