"""What the add-on runs: options become variables, the server starts without root, Home Assistant hears of it.

Takes nothing but Python itself. It begins as root, which alone may read the options and hold the Supervisor's
token; the server gets neither.
"""

from __future__ import annotations

import json
import logging
import os
import pwd
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

OPTIONS = Path("/data/options.json")
SUPERVISOR = "http://supervisor"
USER = "wyoming"
PORT = 10200
SECRET = "SUPERVISOR_TOKEN", "HASSIO_TOKEN"
"""Variables that are not for the server."""

NAMED = {
    "openai_api_key": "OPENAI_API_KEY",
    "openai_base_url": "WYOMING_TTS_BACKENDS__OPENAI__BASE_URL",
    "elevenlabs_api_key": "ELEVENLABS_API_KEY",
}
"""Options that are no settings of the server, and their variables."""

LISTS = ("warm_up", "http_hosts")
"""Settings that are lists of texts: as JSON, since a text may have a comma in it."""

_LOGGER = logging.getLogger("addon")


def variables(options: Mapping[str, Any]) -> dict[str, str]:
    """The server's variables for what is set in the add-on's options; what is not set keeps its default."""
    found = {"WYOMING_TTS_PLUGINS": "false"}
    for option, value in options.items():
        if value is None or value in ("", []):
            continue
        name = NAMED.get(option, f"WYOMING_TTS_{option.upper()}")
        if option == "api_keys":
            found[name] = ",".join(f"{entry['name']}={entry['key']}" for entry in value)
        elif option in LISTS:
            found[name] = json.dumps(value)
        elif isinstance(value, list):
            found[name] = ",".join(value)
        elif isinstance(value, bool):
            found[name] = str(value).lower()
        else:
            found[name] = str(value)
    return found


def is_there(port: int = PORT) -> bool:
    """Whether a server answers `describe` with what it is."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b'{"type": "describe"}\n')
            with connection.makefile("rb") as answer:
                return json.loads(answer.readline()).get("type") == "info"
    except (OSError, ValueError, AttributeError):
        return False


def announce(uri: str, token: str, supervisor: str = SUPERVISOR) -> None:
    """Tell Home Assistant, through the Supervisor, where the server is. Raises OSError."""
    request = urllib.request.Request(
        f"{supervisor}/discovery",
        data=json.dumps({"service": "wyoming", "config": {"uri": uri}}).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()


def announce_once_there(
    uri: str,
    token: str,
    supervisor: str = SUPERVISOR,
    *,
    port: int = PORT,
    sleep: Callable[[float], None] = time.sleep,
    tries: int = 60,
) -> bool:
    """Wait until the server answers, then tell; try again when the Supervisor does not take it."""
    for _ in range(tries):
        if is_there(port):
            try:
                announce(uri, token, supervisor)
            except urllib.error.HTTPError as error:
                _LOGGER.warning("The Supervisor refuses what Home Assistant should discover: %s", error)
                if error.code in (400, 401, 403):
                    return False
            except OSError as error:
                _LOGGER.warning("The Supervisor does not answer: %s", error)
            else:
                _LOGGER.info("Home Assistant was told: %s", uri)
                return True
        sleep(2)
    _LOGGER.warning("Home Assistant was not told; add the integration Wyoming Protocol with %s by hand", uri)
    return False


def main() -> int:
    """Start the server, tell Home Assistant, and pass on signals until it ends; its exit status."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    user = pwd.getpwnam(USER)
    for folder in (os.environ["WYOMING_TTS_DATA_DIR"], os.environ["WYOMING_TTS_DOWNLOAD_DIR"]):
        Path(folder).mkdir(parents=True, exist_ok=True)
        os.chown(folder, user.pw_uid, user.pw_gid)
    environment = {name: value for name, value in os.environ.items() if name not in SECRET}
    environment |= {"HOME": user.pw_dir, **variables(json.loads(OPTIONS.read_text(encoding="utf-8")))}
    server = subprocess.Popen(
        ["entrypoint", *sys.argv[1:]],
        env=environment,
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        cwd="/",
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: server.send_signal(received))
    if token := os.environ.get("SUPERVISOR_TOKEN"):
        supervisor = os.environ.get("SUPERVISOR_URL", SUPERVISOR)
        told = (f"tcp://{socket.gethostname()}:{PORT}", token, supervisor)
        threading.Thread(target=announce_once_there, args=told, daemon=True).start()
    return server.wait()


if __name__ == "__main__":
    sys.exit(main())
