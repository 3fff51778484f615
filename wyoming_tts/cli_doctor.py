"""`wyoming-tts doctor`: looks at everything that a server needs, and says what to do."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json

from wyoming_tts.config_load import build_parser, load_settings
from wyoming_tts.doctor import examine
from wyoming_tts.doctor_findings import Finding, failed
from wyoming_tts.errors import ConfigError


async def run(options: argparse.Namespace) -> int:
    """Print every finding; the status is 1 where something failed. Raises ConfigError for unknown flags."""
    build_parser().parse_args(options.server_flags)
    findings: list[Finding] = []
    try:
        settings = load_settings(options.server_flags)
    except ConfigError as error:
        findings.append(dataclasses.replace(_unreadable(error), check="settings"))
        _show(findings[-1], options)
    else:
        async with contextlib.aclosing(examine(settings, options.limit)) as examined:
            async for finding in examined:
                findings.append(finding)
                _show(finding, options)
    good = all(finding.state != "failed" for finding in findings)
    if options.json:
        checks = [dataclasses.asdict(finding) for finding in findings]
        print(json.dumps({"ok": good, "checks": checks}, ensure_ascii=False, indent=2))
    return 0 if good else 1


def _unreadable(error: ConfigError) -> Finding:
    return failed(" ".join(str(error).split()), "correct it: the server does not start with it")


def _show(finding: Finding, options: argparse.Namespace) -> None:
    if not options.json:
        print(line(finding), flush=True)


def line(finding: Finding) -> str:
    """A finding for people: its state, what was looked at, what was found, what to do."""
    remedy = f" → {finding.remedy}" if finding.remedy else ""
    return f"{finding.state:8} {finding.check:16} {finding.found}{remedy}"
