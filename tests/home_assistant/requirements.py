"""Prints what Home Assistant would install at its first start with the settings of these tests.

    PYTHON requirements.py > FILE
    PYTHON -m pip install -r FILE

PYTHON is one that has Home Assistant; nothing else is imported.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path

INTEGRATIONS = ("assist_pipeline", "google_translate", "hassio", "media_source", "wyoming", "zeroconf")
"""What the settings name or the onboarding adds, besides what Home Assistant takes by itself."""


def requirements(components: Path, wanted: set[str]) -> Iterator[str]:
    """What these integrations require, and those that they depend on."""
    seen: set[str] = set()
    while left := wanted - seen:
        for name in sorted(left):
            seen.add(name)
            manifest = json.loads((components / name / "manifest.json").read_text(encoding="utf-8"))
            yield from manifest.get("requirements", [])
            wanted |= set(manifest.get("dependencies", []))


def main() -> None:
    """Print them, one a line, with what holds for all of them."""
    bootstrap = importlib.import_module("homeassistant.bootstrap")
    home = Path(bootstrap.__file__ or "").parent
    own = {*bootstrap.CORE_INTEGRATIONS, *bootstrap.DEFAULT_INTEGRATIONS}
    print(f"-c {home / 'package_constraints.txt'}")
    print("\n".join(sorted(set(requirements(home / "components", own | set(INTEGRATIONS))))))


if __name__ == "__main__":
    main()
