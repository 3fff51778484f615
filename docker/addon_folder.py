"""Makes the folder of a local add-on, with all that its image takes: python docker/addon_folder.py FOLDER

Home Assistant's Supervisor builds an add-on from its own folder alone. Copied to `/addons` of a machine with
Home Assistant, this one installs without any registry of images.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from dockerfile import read_stages

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LAST = "\n\n# What is made when no target is named.\n"
"""Where the Dockerfile's last stage begins: an add-on ends with the one before it."""


def copied(dockerfile: Path) -> list[Path]:
    """What a Dockerfile copies from the repository, relative to its root."""
    patterns = [
        pattern
        for stage in read_stages(dockerfile)
        for step in stage.all("COPY")
        if "from" not in step.flags
        for pattern in step.words[:-1]
    ]
    return sorted({path.relative_to(ROOT) for pattern in patterns for path in ROOT.glob(pattern)})


def make(folder: Path) -> None:
    """Make it, in place of what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE / "addon", folder, ignore=shutil.ignore_patterns("run.py", "__pycache__"))
    text = (HERE / "Dockerfile").read_text(encoding="utf-8")
    (folder / "Dockerfile").write_text(text.partition(LAST)[0], encoding="utf-8")
    for path in copied(HERE / "Dockerfile"):
        if (ROOT / path).is_dir():
            shutil.copytree(ROOT / path, folder / path, ignore=shutil.ignore_patterns("__pycache__"))
        elif path.name != "README.md":  # the add-on has its own, and the wheel's text is seen by nobody there
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, folder / path)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
