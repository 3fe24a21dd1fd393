"""The table of all measurements, in Markdown."""

import os
import platform
from dataclasses import dataclass, field


@dataclass
class Row:
    """One measured thing. Smaller is better in all of them."""

    what: str
    unit: str
    ours: float
    second: float | None = None
    #: What ours may be of the second at most, or its largest value where `absolute`.
    promised: float | None = None
    absolute: bool = False

    def cells(self) -> list[str]:
        share = ratio(self.ours / self.second) if self.second else ""
        second = "" if self.second is None else f"{number(self.second)} {self.unit}".strip()
        return [self.what, f"{number(self.ours)} {self.unit}".strip(), second, share, self.limit()]

    def limit(self) -> str:
        if not self.promised:
            return "" if self.promised is None else "0"
        return f"≤ {number(self.promised) if self.absolute else ratio(self.promised)}"


@dataclass
class Section:
    """One measurement: how it was made, what came out, and which counts were wrong."""

    title: str
    ours: str
    second: str
    rows: list[Row]
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(value: float) -> str:
    return f"1/{1 / value:.3g}" if 0 < value < 1 else f"{value:.3g}"


def render(sections: list[Section]) -> str:
    lines = [
        "# Measurements",
        "",
        "Printed by `make bench`, written here by `.tools/venv/bin/python tests/bench/run.py --write`; on "
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}. All runs on one machine, AWS calls against a "
        "local AWS. Medians where something was run more than once.",
        "",
        "| | ours | second | ours / second | promised |",
        "|---|---:|---:|---:|---:|",
    ]
    for section in sections:
        lines.append(f"| **{section.title}** | | | | |")
        lines += [f"| {' | '.join(row.cells())} |" for row in section.rows]
    for section in sections:
        lines += ["", f"**{section.title}.** Ours: {section.ours} Second: {section.second}"]
        lines += section.notes
    return "\n".join(lines) + "\n"
