"""`wyoming-tts costs`: what was spent, and what may be."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from wyoming_tts.config import Settings
from wyoming_tts.config_load import load_settings
from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.ledger import FILE_NAME, Spent, read_ledger


def add_costs_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of the command."""
    parser.add_argument("--data-dir", help="the server's data directory (default: as the server's)")
    parser.add_argument("--config", help="the server's settings, for its budgets (default: as the server's)")
    parser.add_argument("--days", type=int, default=31, help="how far to look back (default: 31)")
    parser.add_argument("--json", action="store_true", help="print JSON, a row for each day and model")


async def costs(options: argparse.Namespace) -> None:
    """Print them. Raises BackendUnavailableError when the file is damaged."""
    given = {"--data-dir": options.data_dir, "--config": options.config}
    settings = load_settings([word for flag, value in given.items() if value for word in (flag, value)])
    try:
        rows = list(read_ledger(settings.data_dir / FILE_NAME))
    except sqlite3.Error as error:
        raise BackendUnavailableError(f"{settings.data_dir / FILE_NAME} cannot be read: {error}") from error
    today = datetime.date.today()
    recent = [row for row in rows if (today - row.day).days < options.days]
    if options.json:
        print(
            json.dumps([{**dataclasses.asdict(row), "day": row.day.isoformat()} for row in recent], indent=2)
        )
        return
    print("\n".join(report(recent, rows, settings, today)))


def report(
    recent: Sequence[Spent], rows: Sequence[Spent], settings: Settings, today: datetime.date
) -> Iterator[str]:
    """Lines for people: each day, then what each backend has spent and may spend."""
    if not rows:
        yield "nothing was spent yet"
        return
    form = "{:10}  {:12}  {:24}  {:>9}  {:>10}  {:>8}  {:>12}"
    yield form.format("day", "backend", "model", "sentences", "characters", "minutes", "cost")
    for row in recent:
        cost = f"{row.amount:.4f} {row.currency}"
        yield form.format(
            row.day.isoformat(), row.backend, row.model, row.sentences, row.characters,
            f"{row.seconds / 60:.1f}", cost,
        )  # fmt: skip
    yield ""
    for backend, currency in dict.fromkeys((row.backend, row.currency) for row in rows):
        table = settings.backends.get(backend, {})
        own = [row for row in rows if (row.backend, row.currency) == (backend, currency)]
        day = _total(row for row in own if row.day == today)
        month = _total(row for row in own if (row.day.year, row.day.month) == (today.year, today.month))
        yield (
            f"{backend}: {_of(day, table.get('daily_budget'), currency)} today, "
            f"{_of(month, table.get('monthly_budget'), currency)} this month"
        )


def _total(rows: Iterable[Spent]) -> float:
    return sum(row.amount for row in rows)


def _of(amount: float, budget: object, currency: str) -> str:
    if isinstance(budget, int | float):
        return f"{amount:.2f} of {budget:.2f} {currency}"
    return f"{amount:.2f} {currency}"
