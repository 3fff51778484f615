"""What holds for every test: nothing is left behind, and no error goes unheard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Allow one warning that is not ours: wyoming imports audioop, which Python 3.13 no longer has."""
    config.addinivalue_line("filterwarnings", "ignore:'audioop' is deprecated:DeprecationWarning")


@pytest.fixture(autouse=True)
async def nothing_left_behind(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """A task that outlives its test fails it, and so does an exception that only the event loop heard."""
    loop = asyncio.get_running_loop()
    unheard: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: unheard.append(context))
    before = asyncio.all_tasks()
    yield
    for _ in range(10):  # what was cancelled or closed last needs a few turns to end
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    loop.set_exception_handler(None)
    assert not left, f"tasks left behind: {left}"
    assert not unheard, f"unheard by the test: {unheard}"
