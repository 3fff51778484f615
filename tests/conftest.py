"""What holds for every test: nothing is left behind, and no error goes unheard."""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.speech import Model
from wyoming_tts.plugins import Plugins

hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")  # machines that are busy are no mistakes of ours


def pytest_configure(config: pytest.Config) -> None:
    """Allow one warning that is not ours: wyoming imports audioop, which Python 3.13 no longer has."""
    config.addinivalue_line("filterwarnings", "ignore:'audioop' is deprecated:DeprecationWarning")


FEWEST_TURNS, TURNS = 10, 200
"""Of the event loop, for what was closed last: generators inside generators end one behind another."""


@pytest.fixture(autouse=True)
async def nothing_left_behind(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """A task that outlives its test fails it, and so does an exception that only the event loop heard."""
    loop = asyncio.get_running_loop()
    unheard: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: unheard.append(context))
    before = asyncio.all_tasks()
    yield
    left = set(before)
    for turn in range(TURNS):
        await asyncio.sleep(0)
        left = asyncio.all_tasks() - before - {asyncio.current_task()}
        if not left and turn >= FEWEST_TURNS:
            break
    loop.set_exception_handler(None)
    assert not left, f"tasks left behind: {left}"
    assert not unheard, f"unheard by the test: {unheard}"


@pytest.fixture(scope="session")
def model_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the prepared graphs of the real model are kept: for this run, or where the variable says."""
    kept = os.environ.get("KOKORO_TEST_DATA")
    directory = Path(kept) if kept else tmp_path_factory.mktemp("model")
    (directory / "prepared").mkdir(parents=True, exist_ok=True)
    return directory


@pytest.fixture(scope="session")
def model(model_data: Path) -> Model:
    """The real model, computing as the server would on this machine."""
    return Model.load(model_data)


@pytest.fixture(scope="session")
def float_model(model_data: Path) -> Model:
    """The real model, computing in floats on any machine."""
    return Model.load(model_data, integers=False)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """Ray with a cluster of its own on this machine, which takes seconds to start."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: script/setup ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it says of its own future
        ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False,
                 configure_logging=False, object_store_memory=2**27)  # fmt: skip
    yield ray
    ray.shutdown()


@pytest.fixture
def plugins() -> Iterator[Plugins]:
    """Plugins with little time; there are none yet."""
    from tests.plugged import LIMIT  # brings wyoming, whose warning must be known by now

    made = Plugins(LIMIT)
    yield made
    made.close()
