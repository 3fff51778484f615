"""Imports point one way, and a program that only answers `--help` loads nothing heavy."""

from __future__ import annotations

import ast
import graphlib
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "wyoming_tts"
NAME = PACKAGE.name

BOTTOM = ("access", "errors", "types", "config", "config_load")
BACKENDS = "backends."
KOKORO = (
    *("calibration", "engine", "graph", "integer", "pace", "prepare", "ranges", "source", "statistics"),
    *("shared", "torch_engine", "torch_generator", "torch_weights", "voices"),
)
SHARED_BACKENDS = (
    *(
        "backends.base",
        "backends.resident",
        "backends.resident_backend",
        "backends.workers",
        "backends.kokoro",
    ),
    *("backends.chatterbox_cache", "backends.chatterbox_clips", "backends.chatterbox_models"),
    *("backends.chatterbox_speaker", "backends.chatterbox_stream", "backends.chatterbox_tokens"),
    *("backends.circuit", "backends.members", "backends.metered", "backends.voice_match"),
    *("backends.resident_backend", "backends.torch_device"),
    *("backends.ray_cluster", "backends.ray_worker"),
    *("backends.remote", "backends.remote_audio", "backends.remote_backend"),
    *("backends.cache_disk", "backends.cache_memory", "backends.cache_sentence"),
    *(f"backends.kokoro_{name}" for name in KOKORO),
)
WIRE = ("wire", "wyoming_", "http_", "listen", "zeroconf", "discovery")
ABOVE_BACKENDS = ("__main__", "cli", "client", "app", "pipeline", "scheduler", "turns", "admission", *WIRE)

HEAVY = (
    *("av", "fastapi", "haqumei", "httpx", "onnx", "onnxruntime", "prometheus_client", "py3langid"),
    *("pypinyin", "ray", "rjieba", "sounddevice", "torch", "uvicorn", "zeroconf"),
)
HTTP = ("captions", "errors", "events", "guard", "server", "speech", "status", "studio", "voices")
LOADS_HEAVY = {
    "backends.chatterbox_cache": "computes with torch; imported where the model is loaded",
    "backends.chatterbox_models": "the same",
    "backends.chatterbox_speaker": "the same",
    "backends.chatterbox_stream": "the same",
    "backends.chatterbox_tokens": "the same",
    "backends.kokoro_graph": "rewrites graphs with onnx; imported where a model is prepared",
    "backends.kokoro_integer": "the same",
    "backends.kokoro_source": "the same",
    "backends.kokoro_torch_engine": "computes with torch; imported where a model is loaded",
    "backends.kokoro_torch_generator": "the same",
    "backends.kokoro_torch_weights": "the same",
    **dict.fromkeys((f"http_{name}" for name in HTTP), "serves with fastapi; imported where HTTP is on"),
    "metrics": "counts with prometheus-client; the same",
    "onnx_graph": "rewrites graphs with onnx; imported where a model is prepared",
    "onnx_phases": "the same",
    "download": "fetches with httpx; imported when there is something to download",
}


def module_name(path: Path) -> str:
    """`backends.base` for wyoming_tts/backends/base.py; `backends` and "" for an __init__.py."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(nodes: Iterator[ast.AST]) -> Iterator[str]:
    """Our own modules that these import statements name."""
    for node in nodes:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [
                name if name.removeprefix(f"{NAME}.") in SOURCES else node.module or "" for name in whole
            ]
        else:
            continue
        yield from (name.removeprefix(NAME).removeprefix(".") for name in names if name.split(".")[0] == NAME)


IMPORTS = {name: set(imported(ast.walk(ast.parse(path.read_text())))) for name, path in SOURCES.items()}


@pytest.mark.parametrize("module", BOTTOM)
def test_bottom_imports_nothing_above(module: str) -> None:
    """Errors, types and settings know nothing of whoever uses them."""
    assert IMPORTS[module] <= {"", *BOTTOM}


@pytest.mark.parametrize("module", [name for name in SOURCES if name.startswith(BACKENDS)])
def test_backend_imports_neither_users_nor_siblings(module: str) -> None:
    """A backend knows the base, what the Kokoros share, and nothing of who calls it."""
    for other in IMPORTS[module]:
        assert not other.startswith(ABOVE_BACKENDS), f"{module} imports {other}"
        assert not other.startswith(BACKENDS) or other in SHARED_BACKENDS, f"{module} imports {other}"


@pytest.mark.parametrize("module", [name for name in SOURCES if name.startswith(WIRE)])
def test_wire_imports_no_backend(module: str) -> None:
    """A server knows the pipeline and no engine, not even for a type."""
    assert not [other for other in IMPORTS[module] if other.startswith("backends")]


def test_no_cycles() -> None:
    """No module needs itself, by whatever detour."""
    needed = {name: others for name, others in IMPORTS.items() if name}  # the package itself loads nothing
    order = list(graphlib.TopologicalSorter(needed).static_order())
    assert set(order) >= set(needed)


def test_the_package_itself_loads_nothing() -> None:
    """What programs import from the package is loaded when it is used, and each name is there."""
    program = (
        f"import sys, {NAME}\nprint(*(name for name in sys.modules if {NAME!r} in name or name == 'numpy'))"
    )
    output = subprocess.check_output([sys.executable, "-c", program], text=True, cwd=PACKAGE.parent)
    assert output.split() == [NAME]
    package = importlib.import_module(NAME)
    assert [name for name in package.__all__ if getattr(package, name, None) is None] == []
    assert set(package.__all__) == {*package._MODULES, "__version__"}
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        package.nothing  # noqa: B018


def load(modules: list[str]) -> set[str]:
    """The heavy packages that a fresh Python has loaded when it has imported our modules."""
    statements = "".join(f"import {NAME}.{module}\n" if module else f"import {NAME}\n" for module in modules)
    program = f"{statements}import sys\nprint(*sys.modules)"
    output = subprocess.check_output([sys.executable, "-c", program], text=True, cwd=PACKAGE.parent)
    return set(output.split()) & set(HEAVY)


def test_importing_loads_nothing_heavy() -> None:
    """Heavy packages are imported where they are used, but for modules that are imported late themselves."""
    light = [name for name in SOURCES if name not in LOADS_HEAVY and not name.endswith("__main__")]
    assert load(light) == set()


@pytest.mark.parametrize("module", LOADS_HEAVY)
def test_exceptions_are_needed(module: str) -> None:
    """A module in the list of exceptions does load something heavy, or it comes off the list."""
    assert load([module])
