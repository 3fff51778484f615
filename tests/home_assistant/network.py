"""A network of its own for one process and those that it starts: a cable, two ends, no way out.

What is announced there is heard by nobody else, and nothing inside can load anything from elsewhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

ADDRESS, OTHER_ADDRESS = "10.77.0.1", "10.77.0.2"
_INSIDE = "HOME_ASSISTANT_TEST_NETWORK"


def unshare() -> list[str]:
    """The command that makes one; whoever is not root gets it with names of users of its own."""
    return ["unshare", "--net", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]


def is_possible() -> bool:
    """Whether such a network can be made here."""
    if sys.platform != "linux" or not (shutil.which("unshare") and shutil.which("ip")):
        return False
    link = ["ip", "link", "add", "lan0", "type", "veth", "peer", "name", "lan1"]
    return subprocess.run([*unshare(), *link], capture_output=True, check=False).returncode == 0


def enter(command: Sequence[str]) -> None:
    """Go on inside: this process becomes `command` there, which calls this again and gets the network."""
    if os.environ.get(_INSIDE) != "1":
        os.environ[_INSIDE] = "1"
        os.execvp("unshare", [*unshare(), *command])
    for arguments in (
        "link set lo up",
        "link add lan0 type veth peer name lan1",
        f"addr add {ADDRESS}/24 dev lan0",
        f"addr add {OTHER_ADDRESS}/24 dev lan0",
        "link set lan0 up",
        "link set lan1 up",
        "route add default via 10.77.0.254 dev lan0",
    ):
        subprocess.run(["ip", *arguments.split()], check=True)
