"""The name by which a network knows this server, the same after every start."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import secrets
import socket
import uuid
from pathlib import Path

DEFAULT_PORT = 10200
NAME_FILE = "instance-name"

_logger = logging.getLogger(__name__)


def instance_name(wanted: bool | str, data_dir: Path, port: int) -> str:
    """The name to announce: `wanted` itself, or one kept in `data_dir` since the first start.

    A server on another than the default port gets the port in its name, so that two servers
    of one machine stay apart however they are started.
    """
    if isinstance(wanted, str):
        return wanted
    name = _kept_name(data_dir / NAME_FILE)
    return name if port == DEFAULT_PORT else f"{name}-{port}"


def _kept_name(path: Path) -> str:
    try:
        return _read_name(path) or _keep_name(path, f"{_host_name()}-{secrets.token_hex(3)}")
    except OSError as error:
        _logger.info(
            "cannot keep the server's name in %s (%s); it is made from the hardware address", path, error
        )
        return f"{_host_name()}-{_hardware_id()}"


def _read_name(path: Path) -> str | None:
    try:
        name = path.read_text(encoding="utf-8").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return name if re.fullmatch(r"[A-Za-z0-9-]{1,50}", name) else None


def _keep_name(path: Path, name: str) -> str:
    """Write `name` unless another process was first; return what is kept then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        draft.write_text(name + "\n", encoding="utf-8")
        with contextlib.suppress(OSError):  # it exists, or the file system has no links
            os.link(draft, path)
        if (kept := _read_name(path)) is None:
            os.replace(draft, path)
        return kept or name
    finally:
        draft.unlink(missing_ok=True)


def _host_name() -> str:
    name = re.sub(r"[^A-Za-z0-9]+", "-", socket.gethostname().split(".")[0]).strip("-")
    return name[:40] or "wyoming"


def _hardware_id() -> str:
    node = uuid.getnode()
    invented = bool(node >> 40 & 1)  # no hardware address was found: it differs on every start
    return hashlib.sha256(b"" if invented else node.to_bytes(6, "big")).hexdigest()[:6]
