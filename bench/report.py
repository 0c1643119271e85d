"""Tables of results, as markdown and as JSON, and whether the targets were met."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a number must reach. ``at_least`` False: it must stay at or below."""

    name: str
    measured: float
    bound: float
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether it was reached."""
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    def line(self) -> str:
        """One line of the report."""
        sign = "≥" if self.at_least else "≤"
        word = "met" if self.met else "**MISSED**"
        return f"| {self.name} | {self.measured:.4g} {self.unit} | {sign} {self.bound:g} {self.unit} | {word} |"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: rows of texts and numbers below ``columns``. ``note``: how it was measured, in one sentence."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float]]
    note: str = ""
    targets: Sequence[Target] = field(default=())

    def markdown(self) -> str:
        """The table with its title and note."""
        lines = [f"### {self.title}", ""]
        lines += [_line(self.columns), _line(["---"] * len(self.columns)), *(_line(row) for row in self.rows)]
        return "\n".join([*lines, *(["", self.note] if self.note else [])])


@dataclass(frozen=True, slots=True, kw_only=True)
class PartReport:
    """What one part measured, and how busy the machine was (1-minute load average before and after)."""

    part: str
    seconds: float
    load_before: float
    load_after: float
    tables: Sequence[Table]


def markdown(reports: Sequence[PartReport]) -> str:
    """The whole report."""
    blocks = []
    for report in reports:
        head = f"## {report.part}"
        load = f"{report.seconds:.0f} s; load average {report.load_before:.1f} before, {report.load_after:.1f} after."
        blocks += [head, load, *(table.markdown() for table in report.tables)]
    targets = [target for report in reports for table in report.tables for target in table.targets]
    if targets:
        lines = ["| target | measured | bound | |", "|---|---|---|---|", *(target.line() for target in targets)]
        blocks.append("\n".join(["## targets", "", *lines]))
    return "\n\n".join(blocks) + "\n"


def write_json(reports: Sequence[PartReport], machine: dict[str, str]) -> Path:
    """Store the report below ``bench/results/``; returns the file."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(tz=UTC)
    path = RESULTS / f"{now:%Y%m%d-%H%M%S}.json"
    document = {"at": now.isoformat(), "machine": machine, "parts": [asdict(report) for report in reports]}
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def _line(cells: Sequence[str | float]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(cell: str | float) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) or abs(cell) >= 100:
        return f"{cell:,.0f}"
    return f"{cell:.2f}" if abs(cell) < 10 else f"{cell:.1f}"
