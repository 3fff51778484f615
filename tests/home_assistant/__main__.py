"""The command line: everything in a network of its own, and a report of what was seen.

    python -m tests.home_assistant --python PATH [--pictures FOLDER] [--quick]

PATH is a Python that has Home Assistant and what it would install (requirements.py); README.md's section
*Home Assistant* is what is tried. The report is JSON; the exit status is 1 when something is not as it
should be.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.home_assistant import checks, network
from tests.home_assistant.instance import HomeAssistant, Speech
from tests.quality.intelligibility import Listener


async def no_picture(name: str) -> None:
    """Where none are wanted."""


async def run(options: argparse.Namespace, directory: Path) -> dict[str, object]:
    """Start both, do everything, and stop them; what was seen."""
    speech = Speech(directory, options.model / "prepared" if options.model else None)
    home = HomeAssistant(directory, options.python)
    report: dict[str, object] = {}
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(home.kill)
        stack.callback(speech.kill)
        await speech.start()
        report["home_assistant_starts_s"] = round(await home.start(), 1)
        await home.onboard()
        report["home_assistant"] = (await home.ask("get_config"))["version"]
        pictures = no_picture
        if options.pictures:
            from tests.home_assistant.pictures import Camera

            camera = await stack.enter_async_context(Camera.at(home, options.pictures))
            pictures = camera.take
        house = checks.House(home, speech, pictures, None if options.quick else Listener())
        failed = 0
        wanted = checks.QUICK if options.quick else checks.ALL
        if options.pictures:
            wanted = [*wanted[:2], *checks.SEEN, *wanted[2:]]
        for check in wanted:
            began = time.monotonic()
            what = (check.__doc__ or "").splitlines()[0]
            try:
                seen = await check(house)
            except Exception:
                failed += 1
                seen = "FAILED " + traceback.format_exc()
            print(f"{time.monotonic() - began:6.1f} s  {what}\n          {seen}", file=sys.stderr, flush=True)
            report[check.__name__] = seen
        report["failed"] = failed
    return report


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", required=True, help="a Python that has Home Assistant")
    parser.add_argument("--quick", action="store_true", help="what takes no waiting and no Whisper model")
    parser.add_argument("--pictures", type=Path, help="put pictures of its pages there; takes Chromium")
    parser.add_argument("--model", type=Path, help="a data directory that has the prepared model")
    parser.add_argument("--work", type=Path, help="an empty folder for logs, which is kept")
    options = parser.parse_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    network.enter([sys.executable, "-m", "tests.home_assistant", *sys.argv[1:]])
    with tempfile.TemporaryDirectory(prefix="home-assistant-", ignore_cleanup_errors=True) as temporary:
        directory = (options.work or Path(temporary)).resolve()
        directory.mkdir(parents=True, exist_ok=True)
        report = asyncio.run(run(options, directory))
    print(json.dumps(report, indent=1, ensure_ascii=False))
    sys.exit(bool(report["failed"]))


if __name__ == "__main__":
    main()
