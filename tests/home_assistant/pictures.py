"""Pictures of Home Assistant's own pages, as its owner sees them."""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

from PIL import Image
from playwright.async_api import FloatRect, Page

from tests.home_assistant.instance import CLIENT, URL, HomeAssistant
from tests.studio_browser import chromium

WIDTH, HEIGHT = 1280, 800
COLOURS = 128
ANIMATED = 1000
"""Milliseconds that a dialog may take to be there."""


class Camera:
    """A browser whose user is the owner."""

    def __init__(self, page: Page, folder: Path) -> None:
        self._page, self._folder = page, folder

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, home: HomeAssistant, folder: Path) -> AsyncIterator[Camera]:
        """Logged in, and before the first page."""
        expires = int((time.time() + home.tokens["expires_in"]) * 1000)
        tokens = {**home.tokens, "hassUrl": URL, "clientId": CLIENT, "expires": expires}
        async with chromium() as browser:
            context = await browser.new_context(
                viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light", locale="en-GB"
            )
            keep = f"localStorage.setItem('hassTokens', {json.dumps(json.dumps(tokens))})"
            await context.add_init_script(f"{keep}; localStorage.setItem('dockedSidebar', '\"docked\"')")
            yield cls(await context.new_page(), folder)

    async def take(self, name: str) -> None:
        """The picture of this name, or pictures that belong to it."""
        await getattr(self, f"_{name}")()

    async def _discovered(self) -> None:
        """What was discovered, under Settings → Devices & services."""
        await self._page.goto(f"{URL}/config/integrations/dashboard")
        await self._page.get_by_text("wyoming-tts").first.wait_for()
        await self._keep("discovered", {"x": 256, "y": 0, "width": WIDTH - 256, "height": 390})

    async def _confirm(self) -> None:
        """The question after Add; it is left open, and another answers it."""
        await self._page.get_by_text("Add", exact=True).first.click()
        submit = self._page.get_by_text("Submit", exact=True)
        await submit.wait_for()
        await self._keep("confirm", {"x": 310, "y": 236, "width": 660, "height": 328})
        await self._page.keyboard.press("Escape")

    async def _assistant(self) -> None:
        """Our speech in the assistant that is there from the start, and the voice chosen with it."""
        page = self._page
        await page.goto(f"{URL}/config/voice-assistants/assistants")
        await page.locator("assist-pref").get_by_text("Home Assistant", exact=True).last.click()
        speech = page.locator("assist-pipeline-detail-tts")
        await speech.locator("ha-tts-picker ha-picker-field").click()
        await page.get_by_text("wyoming-tts", exact=True).last.click()
        voice = speech.locator("ha-tts-voice-picker ha-picker-field")
        await voice.wait_for()
        await page.wait_for_timeout(ANIMATED)
        await speech.get_by_text("Try voice").scroll_into_view_if_needed()
        await voice.click()
        await self._keep("voices", {"x": 330, "y": 24, "width": 620, "height": 752})
        await page.keyboard.press("Escape")
        await speech.get_by_text("Try voice").click()
        window = page.locator("dialog-tts-try")
        await window.locator("textarea").fill("The washing machine is done.")
        await self._keep("try", {"x": 310, "y": 232, "width": 660, "height": 336})
        async with page.expect_response(lambda answer: "/api/tts_proxy/" in answer.url) as answer:
            await window.get_by_text("Play", exact=True).click()
        assert (await answer.value).ok, "no speech in the browser"
        await page.keyboard.press("Escape")
        await window.wait_for(state="hidden")
        await page.get_by_text("Update", exact=True).click()
        await page.locator("dialog-voice-assistant-pipeline-detail ha-dialog").wait_for(state="hidden")

    async def _media(self) -> None:
        """Any text and voice, under Media → Text-to-speech; the browser is the loudspeaker."""
        page = self._page
        await page.goto(f"{URL}/media-browser/browser")
        for name in ("Text-to-speech", "wyoming-tts"):
            await page.locator("ha-media-player-browse .child").filter(has_text=name).first.click()
        await page.locator("ha-browse-media-tts textarea").fill("The washing machine is done.")
        async with page.expect_response(lambda answer: "/api/tts_proxy/" in answer.url) as answer:
            await page.get_by_text("Say", exact=True).click()
        assert (await answer.value).ok, "no speech in the browser"
        await self._keep("media", {"x": 528, "y": 60, "width": 480, "height": 350})

    async def _keep(self, name: str, part: FloatRect) -> None:
        """Write a PNG with few colours, of a part of the page."""
        await self._page.wait_for_timeout(ANIMATED)
        picture = Image.open(io.BytesIO(await self._page.screenshot(clip=part))).convert("RGB")
        picture = picture.quantize(COLOURS, dither=Image.Dither.NONE)
        picture.save(self._folder / f"home-assistant-{name}.png", optimize=True)
