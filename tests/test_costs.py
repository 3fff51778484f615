"""What speech costs: prices, the ledger, budgets, and the command that shows them."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import ScriptedBackend, Step, until
from wyoming_tts.backends.base import BackendOptions
from wyoming_tts.backends.fallback import FallbackBackend
from wyoming_tts.backends.members import Member
from wyoming_tts.backends.metered import MeteredBackend
from wyoming_tts.chain import build_chain
from wyoming_tts.cli import main
from wyoming_tts.config import Settings
from wyoming_tts.errors import BackendQuotaError, BackendUnavailableError, ConfigError
from wyoming_tts.ledger import Ledger, read_ledger
from wyoming_tts.prices import SHIPPED, Price, PriceTable
from wyoming_tts.types import AudioChunk, SynthesisRequest
from wyoming_tts.voices import load_catalogue

DAY = datetime.date(2026, 11, 27)
PRICE = Price(type="scripted", currency="USD", per_million_characters=1e6, per_minute=60, as_of=DAY)
"""A dollar for a character, and one for a second."""


class Days:
    """A calendar."""

    def __init__(self) -> None:
        self.now = DAY

    def __call__(self) -> datetime.date:
        return self.now


async def said(backend: MeteredBackend | FallbackBackend, text: str) -> list[AudioChunk]:
    request = SynthesisRequest(text=text, voice=backend.voices()[0])
    async with contextlib.aclosing(backend.synthesize(request)) as chunks:
        return [chunk async for chunk in chunks]


def test_prices_are_found(tmp_path: Path) -> None:
    """The longest beginning that fits counts, and a user's own entry goes before the shipped one."""
    table = PriceTable.load(tmp_path)
    prices = {
        model: table.find("openai", model) for model in ("tts-1", "tts-1-hd", "gpt-4o-mini-tts", "other")
    }
    assert [price and price.per_million_characters for price in prices.values()] == [15, 30, 0.15, None]
    flash, other = table.find("elevenlabs", "eleven_flash_v2_5"), table.find("elevenlabs", "eleven_v3")
    assert flash is not None
    assert other is not None
    assert flash.per_million_characters < other.per_million_characters
    own = (
        '[[price]]\ntype = "openai"\nmodel = "tts-1"\ncurrency = "EUR"\nper_minute = 1\nas_of = 2026-12-01\n'
    )
    (tmp_path / "prices.toml").write_text(own)
    price = PriceTable.load(tmp_path).find("openai", "tts-1")
    assert price is not None
    assert price.currency == "EUR"
    assert SHIPPED.is_file()


def test_a_minute_of_speech(tmp_path: Path) -> None:
    """4096 characters of tts-1 cost what was measured."""
    price = PriceTable.load(tmp_path).find("openai", "tts-1")
    assert price is not None
    assert price.of(4096, 250).amount == pytest.approx(0.061425, rel=0.01)
    mini = PriceTable.load(tmp_path).find("openai", "gpt-4o-mini-tts")
    assert mini is not None
    assert mini.of(900, 60).amount == pytest.approx(0.015, rel=0.02)


@pytest.mark.parametrize(
    "text", ["price = 3", "[[price]]\ntype = 'x'\n", "[[price]]\ncurrency = 'usd'\n", "= ="]
)
def test_wrong_prices_are_named(text: str, tmp_path: Path) -> None:
    """With the file, and what is wrong in it."""
    (tmp_path / "prices.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"prices\.toml"):
        PriceTable.load(tmp_path)


async def test_what_was_spoken_is_counted(tmp_path: Path) -> None:
    """Characters and seconds, added up by day and model, on disk when it stops."""
    file, days = tmp_path / "costs.sqlite", Days()
    backend = MeteredBackend(ScriptedBackend(lambda _: [24_000]), PRICE, Ledger(file, days), model="m")
    await backend.start()
    await said(backend, "Hello")
    await said(backend, "You")
    days.now += datetime.timedelta(1)
    await said(backend, "Hi")
    await backend.stop()
    rows = list(read_ledger(file))
    assert [(row.day, row.sentences, row.characters, row.seconds) for row in rows] == [
        (DAY, 2, 8, 2.0),
        (DAY + datetime.timedelta(1), 1, 2, 1.0),
    ]
    assert [row.amount for row in rows] == pytest.approx([10, 3])
    again = Ledger(file, days)
    await again.open()
    assert (again.day("scripted"), again.month("scripted")) == pytest.approx((3, 13))
    await again.close()


async def test_failures_cost_nothing_and_leaving_does(tmp_path: Path) -> None:
    """A sentence without audio is not counted; one that somebody left is."""
    ledger = Ledger(tmp_path / "costs.sqlite", Days())
    script: list[list[Step]] = [[BackendUnavailableError("down")], [24_000, 24_000]]
    backend = MeteredBackend(ScriptedBackend(lambda _: script.pop(0)), PRICE, ledger, model="m")
    await backend.start()
    with pytest.raises(BackendUnavailableError):
        await said(backend, "Hello")
    assert ledger.day("scripted") == 0
    chunks = backend.synthesize(SynthesisRequest(text="Hello", voice=backend.voices()[0]))
    await anext(chunks)
    await chunks.aclose()
    assert ledger.day("scripted") == pytest.approx(6)
    await backend.stop()


@pytest.mark.parametrize("period", ["daily", "monthly"])
async def test_at_the_budget_the_chain_moves_on(period: str, tmp_path: Path) -> None:
    """A sentence that would pass the budget is another's; a new day or month has a new budget."""
    days = Days()
    budget = {period: 15.0}
    inner = ScriptedBackend(lambda _: [2_400], name="paid")
    paid = MeteredBackend(inner, PRICE, Ledger(tmp_path / "c.sqlite", days), model="m", **budget)
    free = ScriptedBackend(lambda _: [2_400], name="free")
    chain = FallbackBackend([Member(paid, BackendOptions()), Member(free, BackendOptions())], level=False)
    await chain.start()
    who = [(await said(chain, "nine char"))[-1].backend for _ in range(3)]
    assert who == ["paid", "free", "free"]
    reason = str(chain.members[0].circuit.reason)
    assert f"{period} budget of paid, 15.00 USD" in reason
    with pytest.raises(BackendQuotaError) as caught:
        await said(paid, "a sentence of more than eleven characters")
    assert caught.value.retry_after is not None
    days.now = datetime.date(2026, 12, 1)
    await paid.probe()
    assert len(inner.requests) == 1
    await said(paid, "nine char")
    await chain.stop()


async def test_two_at_once_keep_the_budget(tmp_path: Path) -> None:
    """What is on its way counts, too."""
    gate = asyncio.Event()
    inner = ScriptedBackend(lambda _: [gate, 24_000])
    paid = MeteredBackend(inner, PRICE, Ledger(tmp_path / "c.sqlite", Days()), model="m", daily=15.0)
    await paid.start()
    first = asyncio.create_task(said(paid, "nine char"))
    await until(lambda: bool(inner.requests))
    with pytest.raises(BackendQuotaError):
        await said(paid, "nine char")
    gate.set()
    await first
    await paid.stop()


def test_only_paid_services_are_counted(tmp_path: Path) -> None:
    """OpenAI is, and a server in the house that speaks its protocol is not; a budget needs a price."""
    tables: dict[str, dict[str, Any]] = {
        "openai": {"model": "tts-1", "daily_budget": 1},
        "box": {"type": "openai", "base_url": "http://box/v1", "model": "tts-1"},
    }
    settings = Settings(data_dir=tmp_path, chain=("openai", "box"), backends=tables, cache_memory=0)
    chain = build_chain(settings, load_catalogue().voices())
    assert [isinstance(member.backend, MeteredBackend) for member in chain.members] == [True, False]
    with pytest.raises(ConfigError, match=r"backends\.espeak has a budget, and no price"):
        build_chain(
            Settings(data_dir=tmp_path, chain=("espeak",), backends={"espeak": {"daily_budget": 1}}), ()
        )


async def test_a_damaged_ledger_is_no_silence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Speech goes on, and the log says that it is not counted."""
    (tmp_path / "c.sqlite").write_bytes(b"no database" * 100)
    backend = MeteredBackend(ScriptedBackend(), PRICE, Ledger(tmp_path / "c.sqlite", Days()), model="m")
    await backend.start()
    assert await said(backend, "Hello")
    await backend.stop()
    assert "cannot be read" in caplog.text
    assert "cannot be written" in caplog.text


async def test_the_command_shows_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each day and model, and what of the budgets is left."""
    assert await asyncio.to_thread(main, ["costs", "--data-dir", str(tmp_path)]) == 0
    assert "nothing was spent yet" in capsys.readouterr().out
    ledger = Ledger(tmp_path / "costs.sqlite")
    await ledger.open()
    ledger.add("openai", "tts-1", PRICE.of(1, 0.5), 1, 0.5)
    await ledger.close()
    (tmp_path / "config.toml").write_text("[backends.openai]\ndaily_budget = 2\n")
    assert await asyncio.to_thread(main, ["costs", "--data-dir", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "openai: 1.50 of 2.00 USD today, 1.50 USD this month" in shown
    assert "tts-1" in shown
    assert await asyncio.to_thread(main, ["costs", "--data-dir", str(tmp_path), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["amount"] == pytest.approx(1.5)
    (tmp_path / "costs.sqlite").write_bytes(b"no database" * 100)
    assert await asyncio.to_thread(main, ["costs", "--data-dir", str(tmp_path)]) == 1
