"""Finds the plugins: those of installed packages, then the files in the data directory."""

from __future__ import annotations

import importlib.metadata
import logging
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from wyoming_tts.plugins import TIMEOUT, Plugins

_LOGGER = logging.getLogger(__name__)

GROUP = "wyoming_tts.plugins"
"""Entry points: a package that names a module, a class or an object here brings a plugin."""

FOLDER = "plugins"
"""Folder in the data directory; each `.py` file in it that does not begin with `_` is a plugin."""


def load_plugins(data_dir: Path, seconds: float = TIMEOUT) -> Plugins:
    """All plugins that are installed or lie in the data directory; a wrong one is named in the log."""
    plugins = Plugins(seconds)
    plugins.add([*_installed(), *_in_folder(data_dir / FOLDER)])
    if plugins.names:
        _LOGGER.info("Plugins: %s", ", ".join(plugins.names))
    return plugins


def _installed() -> Iterator[tuple[str, object]]:
    entries = importlib.metadata.entry_points(group=GROUP)
    for entry in sorted(entries, key=lambda entry: entry.name):
        try:
            yield entry.name, entry.load()
        except (Exception, SystemExit) as error:  # whatever a stranger's module raises
            _LOGGER.warning("Plugin %s (%s) cannot be loaded: %r", entry.name, entry.value, error)


def _in_folder(folder: Path) -> Iterator[tuple[str, object]]:
    try:
        _check(folder.stat())
        paths = sorted(path for path in folder.glob("*.py") if not path.name.startswith(("_", ".")))
    except FileNotFoundError:
        return
    except OSError as error:
        _LOGGER.warning("No plugin of %s is loaded: %s", folder, error)
        return
    for path in paths:
        try:
            yield path.name, _module(path)
        except (Exception, SystemExit) as error:  # the same
            _LOGGER.warning("Plugin %s cannot be loaded: %r", path, error)


def _module(path: Path) -> ModuleType:
    """What is in a file that nobody else can have written. Raises what the file raises."""
    with path.open("rb") as file:
        _check(os.fstat(file.fileno()))  # of what is read, not of what has the name a moment later
        source = file.read()
    module = ModuleType(f"wyoming_tts_plugin_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses and pickle look there
    try:
        exec(compile(source, path, "exec"), module.__dict__)
    except BaseException:
        del sys.modules[module.__name__]
        raise
    return module


def _check(found: os.stat_result) -> None:
    """Raises PermissionError for what another user of this machine may have written."""
    if found.st_uid not in (0, os.geteuid()):
        raise PermissionError("it belongs to another user")
    if found.st_mode & stat.S_IWOTH:
        raise PermissionError("anybody may write to it; chmod o-w helps")
