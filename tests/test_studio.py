"""The studio, used in a real browser: what somebody sees, hears and saves there."""

from __future__ import annotations

import base64
import importlib.util
import json
import shutil
import subprocess
import tomllib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import pytest_asyncio

from wyoming_tts.client import WyomingTtsClient

for needed in ("playwright", "axe_playwright_python"):
    if importlib.util.find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed; script/setup dev does it", allow_module_level=True)

from playwright.async_api import Browser  # noqa: E402

from tests.studio_browser import (  # noqa: E402
    CHROMIUM,
    HEARD,
    TAP,
    WATCH,
    StudioServer,
    Visit,
    axe_source,
    chromium,
    studio_server,
    visit,
)

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on the PATH"),
]

SHORT = "Good morning 👋 to you. It is 21.5 °C."
LONG = "The quick brown fox jumps over the lazy dog, and then it does that once more. " * 40
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
SMALL = {"width": 320, "height": 640}
SPOKEN = "studio.speech.state"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, model_data: Path) -> Iterator[StudioServer]:
    """One server for all tests that leave it as it was."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium on the PATH")
    with studio_server(tmp_path_factory.mktemp("studio"), model_data) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all tests; each visits as somebody new."""
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def studio(browser: Browser, server: StudioServer) -> AsyncIterator[Visit]:
    """The page, on a desk. Nothing may have gone wrong in it by the end of the test."""
    async with visit(browser, server.url) as visitor:
        yield visitor
        assert visitor.complaints == []


async def text_of(studio: Visit, selector: str) -> str:
    return await studio.page.inner_text(selector)


async def say(studio: Visit, text: str) -> None:
    """Type it, and have it spoken to its end."""
    await studio.page.fill("#text", text)
    await studio.page.click("#speak")
    await studio.until(lambda state: state == "speaking", SPOKEN)
    await studio.until(lambda state: state == "idle", SPOKEN)


def events_of(server: StudioServer, text: str, voice: str = "af_heart") -> list[tuple[str, Any]]:
    """What the server sends for a text."""
    body = {"text": text, "voice": voice, "events": True}
    answer = httpx.post(f"{server.url}/tts/stream", json=body, timeout=120).raise_for_status()
    pairs = [block.split("\n") for block in answer.text.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in pairs]


async def test_the_page_loads_without_a_complaint(studio: Visit, server: StudioServer) -> None:
    """All of it comes from the server, every voice is on it, and the best one is chosen."""
    voices = server.get("/v1/audio/voices")["voices"]
    assert await studio.page.locator(".voice").count() == len(voices)
    assert await studio.page.evaluate("document.querySelector('[name=voice]:checked').value") == "af_heart"
    assert not await studio.page.locator("details.group").evaluate("group => group.open")
    await studio.until(lambda text: text == "ready", "document.getElementById('server-state').textContent")
    assert {request.url[: len(server.url)] for request in studio.requests} == {server.url}
    assert studio.page.url.endswith("#voice=af_heart")


async def test_it_is_heard_whole_and_its_words_light_up_in_time(studio: Visit, server: StudioServer) -> None:
    """Every sample that the server sends reaches the loudspeaker, in one piece; words are marked as heard."""
    sent = events_of(server, SHORT)
    audio = b"".join(base64.b64decode(data) for name, data in sent if name == "audio")
    wanted = np.frombuffer(audio, "<i2").astype(np.float32) / 32768
    words = [word for name, data in sent if name == "words" for word in data]
    await studio.page.evaluate(TAP)
    await studio.page.wait_for_timeout(50)
    assert "ScriptProcessorNode is deprecated" in studio.complaints.pop()  # the tap's, not the page's
    await studio.page.evaluate(WATCH)
    await say(studio, SHORT)
    await studio.page.wait_for_timeout(1500)  # the tap hears in large pieces

    rate, heard = await studio.page.evaluate(HEARD)
    assert rate == 24_000
    samples = np.frombuffer(base64.b64decode(heard), np.float32)
    start = int(np.flatnonzero(samples)[0]) - int(np.flatnonzero(wanted)[0])
    played = samples[start : start + len(wanted)]
    assert np.abs(wanted).max() > 0.1
    assert np.abs(played - wanted).max() < 1e-4
    assert not samples[start + len(wanted) :].any()

    lit = await studio.page.evaluate("window.lit.map(({word, position}) => [word, position])")
    assert [word for word, _ in lit] == ["Good", "morning", "to", "you.", "It", "is", "21.5", "°C."]
    late = [at - word["start_time"] for (_, at), word in zip(lit, words, strict=True)]
    assert min(late) >= 0
    assert np.median(late) < 0.2
    assert await studio.page.locator("#along .said").count() == len(lit)
    assert (await text_of(studio, "#fact-first")).endswith(" ms")
    assert await text_of(studio, "#fact-backend") == "kokoro"
    assert await text_of(studio, "#say") == "Finished."
    assert await studio.page.evaluate("studio.speech.track.gaps") == 0
    assert abs(await studio.page.evaluate("studio.waveform.seconds") - len(wanted) / rate) < 0.05


async def test_the_keyboard_starts_and_stops_and_the_server_stops_too(
    studio: Visit, server: StudioServer
) -> None:
    """Ctrl and Enter speaks, Escape is silence at once, and nothing goes on at the server."""
    await studio.page.fill("#text", LONG)
    await studio.page.keyboard.press("Control+Enter")
    await studio.until(lambda state: state == "speaking", SPOKEN)
    assert server.get("/studio/status")["requests"] == 1
    await studio.page.wait_for_timeout(500)
    await studio.page.keyboard.press("Escape")
    assert await studio.state() == "idle"
    assert await studio.page.is_disabled("#stop")
    quiet = "fetch('/studio/status').then((answer) => answer.json()).then((body) => body.requests)"
    await studio.until(lambda requests: requests == 0, quiet, 10)
    assert 0 < await studio.page.locator("#along .said").count() < 40
    assert await text_of(studio, "#say") == "Stopped."


async def test_nothing_to_speak_is_said(studio: Visit) -> None:
    """An empty text asks the server for nothing."""
    await studio.page.fill("#text", " \n ")
    await studio.page.click("#speak")
    assert "nothing to speak" in await text_of(studio, "#trouble")
    assert studio.asked("/tts/stream") == []


async def test_another_voice_is_heard_at_once(studio: Visit) -> None:
    """Who chooses a voice while the page speaks hears that voice; a second click starts over."""
    await studio.page.fill("#text", LONG)
    await studio.page.click("#speak")
    await studio.page.click("#speak")
    await studio.until(lambda state: state == "speaking", SPOKEN)
    await studio.page.click("label:has([value=bf_emma])")
    await studio.until(lambda name: name == "Emma", "document.getElementById('voice-now').textContent")
    await studio.page.wait_for_timeout(400)
    await studio.until(lambda state: state == "speaking", SPOKEN)
    assert [one["voice"] for one in studio.asked("/tts/stream")] == ["af_heart", "af_heart", "bf_emma"]
    await studio.page.click("#stop")
    assert await studio.page.evaluate("document.activeElement.id") == "speak"


async def test_a_link_keeps_voice_and_speed(browser: Browser, server: StudioServer) -> None:
    """The address says what is set, and sets it."""
    blend = "af_bella(2)+af_sky(1)"
    async with visit(browser, f"{server.url}/#voice=bf_emma&speed=1.25") as studio:
        assert await text_of(studio, "#voice-now") == "Emma"
        assert await text_of(studio, "#speed-value") == "1.25×"
        await studio.page.locator("#speed").focus()
        await studio.page.keyboard.press("ArrowRight")
        assert studio.page.url.endswith("#voice=bf_emma&speed=1.3")
        await say(studio, "Hello.")
        assert studio.asked("/tts/stream")[-1]["speed"] == 1.3
        await studio.page.evaluate("location.hash = '#voice=' + encodeURIComponent('" + blend + "')")
        await studio.until(lambda text: text == blend, "document.getElementById('voice-now').textContent")
        await say(studio, "Hello.")
        assert studio.asked("/tts/stream")[-1]["voice"] == blend
        assert studio.complaints == []


async def test_voices_are_found_by_language_and_word(studio: Visit) -> None:
    """A language shows its own and chooses its best; words search names; nothing found is said."""
    shown = studio.page.locator(".voice:visible")
    await studio.page.select_option("#language", "fr-FR")
    assert "ff_siwis" in await shown.first.inner_text()
    assert await text_of(studio, "#voice-now") == "Siwis"
    assert "Bonjour" in await studio.page.input_value("#text")
    await studio.page.fill("#text", "Mine.")
    await studio.page.select_option("#language", "de")
    assert await shown.count() == 2
    assert await studio.page.input_value("#text") == "Mine."
    await studio.page.select_option("#language", "")
    await studio.page.fill("#search", "british male")
    await studio.until(
        lambda text: text.startswith("5 voices"), "document.getElementById('voices-count').textContent"
    )
    await studio.page.fill("#search", "nobody")
    await studio.until(lambda text: "No voice" in text, "document.getElementById('voices-count').textContent")


async def test_a_sample_plays_on_focus_and_on_hover_and_is_kept(studio: Visit) -> None:
    """It ends when it is left, is fetched once, and none plays where they are turned off."""
    heard = "document.querySelector('.heard code')?.textContent ?? ''"
    await studio.page.hover("label:has([value=bf_emma])")
    await studio.page.wait_for_timeout(500)
    assert studio.asked("/tts/stream") == []  # nobody has done anything yet
    await studio.page.focus("[value=af_heart]")
    await studio.page.keyboard.press("ArrowDown")
    await studio.until(lambda name: name == "af_bella", heard)
    await studio.until(lambda name: name == "", heard)
    assert len(studio.asked("/tts/stream")) == 1
    await studio.page.hover("label:has([value=af_bella])")
    await studio.until(lambda name: name == "af_bella", heard)
    await studio.page.hover("#text")
    await studio.until(lambda name: name == "", heard, 1)
    assert len(studio.asked("/tts/stream")) == 1
    await studio.page.uncheck("#samples-on")
    await studio.page.hover("label:has([value=af_sarah])")
    await studio.page.wait_for_timeout(600)
    assert len(studio.asked("/tts/stream")) == 1


async def test_a_blend_is_mixed_heard_and_saved_as_a_voice(studio: Visit, server: StudioServer) -> None:
    """By keyboard alone; Home Assistant's protocol and the page list it, and it speaks."""
    page = studio.page
    await page.click("#tab-blend")
    await page.select_option("[aria-label='Voice 2']", "af_sky")
    await page.focus("[aria-label='Share of voice 1']")
    for _ in range(10):
        await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Tab")  # the button that takes it out
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Home")
    for _ in range(30):
        await page.keyboard.press("ArrowRight")
    assert await text_of(studio, "#blend-text") == "af_heart(70)+af_sky(30)"
    await page.click("#blend-hear")
    await studio.until(lambda state: state == "speaking", SPOKEN)
    assert studio.asked("/tts/stream")[-1]["voice"] == "af_heart(70)+af_sky(30)"
    await page.focus("[aria-label='Share of voice 2']")
    await page.keyboard.press("End")
    await page.wait_for_timeout(400)
    await studio.until(lambda state: state == "speaking", SPOKEN)
    assert studio.asked("/tts/stream")[-1]["voice"] == "af_heart(70)+af_sky(100)"
    await page.keyboard.press("Escape")

    await page.fill("#blend-name", "not a name")
    await page.keyboard.press("Enter")
    assert "letters, digits" in await text_of(studio, "#blend-note")
    await page.fill("#blend-name", "evening")
    await page.fill("#blend-description", "Evening voice")
    await page.focus("#blend-pace")
    await page.keyboard.press("ArrowLeft")
    await page.focus("#blend-name")
    await page.keyboard.press("Enter")
    await studio.until(lambda text: "is saved" in text, "document.getElementById('blend-note').textContent")
    assert await page.is_checked("[value=evening]")
    saved = tomllib.loads((server.data_dir / "voices.toml").read_text())["evening"]
    assert (saved["voice"], saved["speed"]) == ("af_heart(70)+af_sky(100)", 0.95)

    listed = (await WyomingTtsClient(server.wyoming).info()).tts[0].voices
    assert "Evening voice" in next(voice.description or "" for voice in listed if voice.name == "evening")
    await say(studio, "Good evening.")
    assert studio.asked("/tts/stream")[-1]["voice"] == "evening"

    await page.click("#blend-save")
    await studio.until(lambda text: text == "Replace it", "document.getElementById('blend-save').textContent")
    async with page.expect_download() as download:
        await page.click("#blend-pack")
    assert (await download.value).suggested_filename == "evening.npz"


async def test_a_name_that_the_server_has_is_refused(browser: Browser, server: StudioServer) -> None:
    """The server's reason stands beside the name."""
    async with visit(browser, server.url) as studio:
        await studio.page.fill("#blend-name", "af_bella")
        await studio.page.keyboard.press("Enter")
        await studio.until(
            lambda text: "is a voice already" in text, "document.getElementById('blend-note').textContent"
        )
        assert await studio.page.get_attribute("#blend-name", "aria-invalid") == "true"
        assert len(studio.complaints) == 1  # the browser's own line about the answer's status
        assert "status of" in studio.complaints[0]


async def test_the_reading_is_shown_and_follows_the_text(studio: Visit) -> None:
    """What is normalised is marked; phonemes stand below."""
    await studio.page.fill("#text", "It is 20 °C.")
    await studio.page.click("#tab-reading")
    await studio.page.wait_for_selector(".sentences li")
    assert await text_of(studio, ".sentences mark") == "twenty degrees Celsius."
    assert "twˈɛnti" in await text_of(studio, ".sentences .ipa")
    await studio.page.fill("#text", "**Hello** <you>.")
    await studio.until(
        lambda text: "Without markup" in text, "document.getElementById('reading-list').textContent"
    )
    await studio.page.fill("#text", "")
    await studio.until(lambda text: "no text" in text, "document.getElementById('reading-note').textContent")


async def test_a_word_is_added_to_the_lexicon(studio: Visit, server: StudioServer) -> None:
    """By the form, into the file; what is not TOML is refused with its line, and not saved."""
    page, note = studio.page, "document.getElementById('lexicon-note').textContent"
    await page.click("#tab-lexicon")
    await studio.until(lambda text: "No words" in text, note)
    await page.fill("#word-text", 'Ngu"yen')
    await page.fill("#word-value", "win")
    await page.keyboard.press("Enter")
    await studio.until(lambda text: text == "Saved. 1 entry is used.", note)
    file = server.data_dir / "lexicon.toml"
    assert tomllib.loads(file.read_text()) == {"entry": [{"text": 'Ngu"yen', "say": "win"}]}

    await page.fill("#text", 'Ngu"yen is here.')
    await page.click("#tab-reading")
    await studio.until(
        lambda text: "win" in text or "wˈɪn" in text, "document.getElementById('reading-list').textContent"
    )

    await page.click("#tab-lexicon")
    before = file.read_text()
    file.write_text(before + "# by somebody else\n")
    await page.fill("#lexicon-text", before + "\n[[entry]]\ntext = 7\n")
    await page.click("#lexicon-save")
    await studio.until(lambda text: "changed elsewhere" in text, note)
    await page.click("#lexicon-save")
    await studio.until(lambda text: text == "Saved. 1 entry is used.", note)
    assert "line 5" in await text_of(studio, "#lexicon-problems")

    assert studio.complaints == []
    await page.fill("#lexicon-text", "[[entry]]\ntext = ")
    await page.click("#lexicon-save")
    await studio.until(lambda text: "Not saved" in text and "line 2" in text, note)
    assert "text = 7" in file.read_text()
    studio.complaints.clear()  # the browser's own line about the answer's status
    await page.click("#lexicon-reload")
    await studio.until(lambda text: "1 entry" in text, note)
    file.unlink()


async def test_the_server_is_seen_at_work(studio: Visit) -> None:
    """Its backends and its listeners, live."""
    await studio.page.click("#server-pill")
    assert await studio.page.is_visible("#panel-server")
    await studio.page.wait_for_selector(".backends li")
    assert (await text_of(studio, ".backends li:first-child")).startswith("kokoro")
    assert "Nothing is paid for" in await text_of(studio, "#server-costs")
    await studio.page.fill("#text", LONG)
    await studio.page.keyboard.press("Control+Enter")
    listeners = "document.querySelector('#server-facts dd')?.textContent"
    await studio.until(lambda text: text == "1", listeners)
    await studio.page.keyboard.press("Escape")
    await studio.until(lambda text: text == "0", listeners)


async def test_trouble_and_costs_are_seen(browser: Browser, server: StudioServer) -> None:
    """A backend that is left alone has its reason beside it, and money its currency."""
    status = server.get("/studio/status")
    away = {"circuit": "open", "reason": "the server refused the key", "retry_seconds": 41.2}
    service = status["backends"][0] | {"name": "service", "engine": "a service"} | away
    costs = {"currency": "EUR", "today": 0.5, "month": 2, "daily_budget": 1.0, "monthly_budget": None}
    changed = {"status": "degraded", "backends": [service, *status["backends"]]}
    body = status | changed | {"costs": [{"backend": "service"} | costs]}
    async with visit(browser, "about:blank", is_loaded=False) as studio:
        await studio.page.route("**/studio/status", lambda route: route.fulfill(json=body))
        await studio.page.goto(server.url)
        await studio.until(
            lambda text: text == "on a fallback", "document.getElementById('server-state').textContent"
        )
        await studio.page.click("#server-pill")
        first = await text_of(studio, ".backends li:first-child")
        assert "left alone" in first
        assert "the server refused the key. Asked again in 42 s." in first
        cells = await studio.page.locator("#server-costs td").all_inner_texts()
        assert cells == ["0.5000 EUR", "1.0000 EUR", "2.0000 EUR", "–"]
        await studio.page.evaluate(axe_source())
        await look_at(studio, "trouble", DESKTOP)
        assert studio.complaints == []


async def test_what_is_copied_works(studio: Visit, server: StudioServer, tmp_path: Path) -> None:
    """The command, run by a shell, makes a file, whatever is in the text; the YAML says the same."""
    await studio.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await studio.page.fill("#text", 'It\'s "done" at $HOME \\ now.')
    await studio.page.click("#tab-share")
    await studio.page.click("[data-copy=yaml]")
    await studio.until(lambda text: text == "Copied.", "document.getElementById('copy-note').textContent")
    yaml = await studio.page.evaluate("navigator.clipboard.readText()")
    assert 'message: "It\'s \\"done\\" at $HOME \\\\ now."' in yaml
    assert yaml.endswith("voice: af_heart")
    await studio.page.click("[data-copy=curl]")
    await studio.until(lambda text: text.startswith("curl"), "navigator.clipboard.readText()")
    command = await studio.page.evaluate("navigator.clipboard.readText()")
    body = json.loads(command.partition("-d '")[2].partition("' \\\n  -o")[0].replace("'\\''", "'"))
    assert body == {"model": "kokoro", "input": 'It\'s "done" at $HOME \\ now.', "voice": "af_heart"}
    if shutil.which("curl") is None:
        return
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True, capture_output=True)  # noqa: ASYNC221
    assert (tmp_path / "speech.mp3").stat().st_size > 5000


async def test_a_server_that_wants_a_key_gets_it(browser: Browser, model_data: Path, tmp_path: Path) -> None:
    """The page asks, says that a key is wrong, keeps the right one for the tab, and shows it to nobody."""
    with studio_server(tmp_path, model_data, key="secret-key-of-this-test") as server:
        async with visit(browser, server.url, is_loaded=False) as studio:
            page = studio.page
            await page.wait_for_selector("#key-dialog[open]")
            await page.click("#key-cancel")
            assert "asks for a key" in await text_of(studio, "#trouble")
            await page.click("#trouble button")
            await page.fill("#key", "wrong")
            await page.keyboard.press("Enter")
            await studio.until(
                lambda text: "does not know" in text, "document.getElementById('key-note').textContent"
            )
            await page.fill("#key", server.key)
            await page.keyboard.press("Enter")
            await page.wait_for_selector(".voice")
            assert await page.is_hidden("#trouble")
            await say(studio, "Hello.")
            await page.click("#tab-share")
            assert "Bearer $WYOMING_TTS_KEY" in await text_of(studio, "#curl")
            assert server.key not in await page.content()
            assert all("401" in complaint for complaint in studio.complaints)
            await page.reload()
            await page.wait_for_selector(".voice")
            assert await page.is_hidden("#key-dialog")


async def test_a_server_that_dies_is_told_of(browser: Browser, model_data: Path, tmp_path: Path) -> None:
    """What came is played to its end, and it is said that it broke off; so is a server that is gone."""
    with studio_server(tmp_path, model_data) as server:
        async with visit(browser, server.url) as studio:
            await studio.page.fill("#text", LONG)
            await studio.page.click("#speak")
            await studio.until(lambda state: state == "speaking", SPOKEN)
            server.process.kill()
            trouble = "document.getElementById('trouble').textContent"
            assert "broke off after" in await studio.until(bool, trouble)
            await studio.until(lambda state: state == "idle", SPOKEN)
            await studio.until(
                lambda text: text == "not reachable", "document.getElementById('server-state').textContent"
            )
            await studio.page.click("#speak")
            assert "does not answer" in await studio.until(bool, trouble)
            assert await studio.state() == "idle"
            assert not [one for one in studio.complaints if one.startswith("exception")]


@pytest.mark.parametrize("size", [DESKTOP, PHONE, SMALL], ids=["desk", "phone", "small"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nobody_is_shut_out(browser: Browser, server: StudioServer, scheme: Any, size: Any) -> None:
    """axe finds nothing serious in any tab, also while it speaks; nothing is wider than the screen."""
    async with visit(browser, server.url, color_scheme=scheme, viewport=size) as studio:
        await studio.page.evaluate(axe_source())
        await studio.page.fill("#text", "Good morning to you. **Dinner** is at 7:30.")
        await studio.page.click("#speak")
        await studio.until(lambda state: state == "speaking", SPOKEN)
        await studio.page.wait_for_timeout(600)
        await look_at(studio, "speaking", size)
        for tab in ("blend", "reading", "lexicon", "server", "share"):
            await studio.page.click(f"#tab-{tab}")
            await studio.page.wait_for_timeout(150)
            await look_at(studio, tab, size)
        await studio.page.click("details.group > summary")
        await studio.page.evaluate("document.getElementById('key-dialog').showModal()")
        await look_at(studio, "key", size)
        assert studio.complaints == []


async def look_at(studio: Visit, name: str, size: Any) -> None:
    assert await studio.page.evaluate("document.documentElement.scrollWidth") <= size["width"], name
    if size == SMALL:  # as the phone's, but for its width
        return
    rules = {
        "resultTypes": ["violations"],
        "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    }
    found = await studio.page.evaluate("(options) => axe.run(document, options)", rules)
    serious = [
        (one["id"], [node["html"][:200] for node in one["nodes"]])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == [], name
