"""Results, and what they look like on paper."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a report."""

    title: str
    """What it shows, one line."""

    header: tuple[str, ...]
    """Names of the columns."""

    rows: tuple[tuple[str, ...], ...]
    """Cells, row by row."""

    note: str = ""
    """How to read it."""

    def markdown(self) -> str:
        """The table with its title above and its note below."""
        lines = [f"### {self.title}", "", _row(self.header), _row(["---"] * len(self.header))]
        lines += [_row(row) for row in self.rows]
        lines += ["", self.note] if self.note else []
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Target:
    """Something that a benchmark has to show."""

    text: str
    """What is wanted."""

    value: float
    """What was measured."""

    limit: float
    """The most it may be."""

    unit: str = ""
    """Of value and limit."""

    detail: str = ""
    """Spread of the value, where there is one."""

    @property
    def met(self) -> bool:
        """Whether the measured value is within the limit."""
        return self.value <= self.limit

    def markdown(self) -> str:
        """One line of a list."""
        verdict = "met" if self.met else "**MISSED**"
        detail = f" ({self.detail})" if self.detail else ""
        limit = f"{self.limit:g}{self.unit}"
        return f"- {verdict}: {self.text}: {self.value:.3g}{self.unit}{detail}, at most {limit}"


@dataclass(frozen=True, slots=True)
class Result:
    """What one benchmark found."""

    name: str
    """Name of the benchmark."""

    tables: tuple[Table, ...]
    """What to show."""

    targets: tuple[Target, ...] = ()
    """What had to be shown."""

    data: Mapping[str, Any] = field(default_factory=dict)
    """Every single value, fit for JSON."""

    def markdown(self) -> str:
        """The benchmark's part of the report."""
        parts = [table.markdown() for table in self.tables]
        if self.targets:
            parts.append("\n".join(target.markdown() for target in self.targets) + "\n")
        return f"## {self.name}\n\n" + "\n".join(parts)


def write(results: Sequence[Result], machine: Mapping[str, Any], out: Path) -> None:
    """Write `results.md` and `results.json` into `out`."""
    about = "\n".join(f"- {key}: {value}" for key, value in machine.items())
    text = "\n".join(["# Benchmarks", "", about, "", *(result.markdown() for result in results)])
    (out / "results.md").write_text(text, encoding="utf-8")
    data = {"machine": dict(machine), "results": {result.name: _plain(result) for result in results}}
    (out / "results.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _plain(result: Result) -> dict[str, Any]:
    targets = [
        {"text": target.text, "value": target.value, "limit": target.limit, "met": target.met}
        for target in result.targets
    ]
    return {"targets": targets, **result.data}


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
