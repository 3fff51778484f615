"""Every route keeps what the OpenAPI document says, whatever it is sent."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.http import http_serving

UNKNOWN_TO_SCHEMAS: list[Any] = [positive_data_acceptance]
"""A rate may be wrong for one format alone, a voice may not be there: a schema cannot say it."""

EXAMPLES = 25
"""For each route; some thousand were tried before."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server in a thread of its own: schemathesis is not asynchronous."""
    started, stop = threading.Event(), threading.Event()
    found: list[str] = []

    async def serve() -> None:
        async with http_serving(tmp_path_factory.mktemp("schema"), max_text=5000) as served:
            found.append(served.url)
            started.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(20)
    yield found[0]
    stop.set()
    thread.join()


def test_routes_keep_their_word(url: str) -> None:
    """No answer is a 500 or one that the document does not know."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    found: list[Any] = list(schema.get_all_operations())
    operations = [one.ok() for one in found]
    assert len(operations) > 12
    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
        )
        def keeps_its_word(case: schemathesis.Case) -> None:
            case.call_and_validate(timeout=20, excluded_checks=UNKNOWN_TO_SCHEMAS)

        keeps_its_word()


def test_every_route_is_in_the_readme(url: str) -> None:
    """The table of routes and the document have the same."""
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    table = readme.partition("\n## HTTP\n")[2].partition("\n`/docs` describes")[0]
    told = set(re.findall(r"`(GET|POST|PUT|DELETE) (/[^`?]*)`", table))
    document = httpx.get(f"{url}/openapi.json").json()
    there = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert told == there
