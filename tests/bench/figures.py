"""A figure is measured several times; the median of the repetitions is published, with the lowest and the highest."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Target:
    """`at_most` or `at_least` a number. A difference under a quarter is weather, not a result (docs/performance.md)."""

    at_most: float | None = None
    at_least: float | None = None

    def is_met(self, value: float) -> bool:
        if self.at_most is not None:
            return value <= self.at_most
        return self.at_least is None or value >= self.at_least

    def __str__(self) -> str:
        return f"≤ {short(self.at_most)}" if self.at_most is not None else f"≥ {short(self.at_least or 0)}"


def at_most(number: float) -> Target:
    return Target(at_most=number)


def at_least(number: float) -> Target:
    return Target(at_least=number)


@dataclass(frozen=True)
class Figure:
    """`values`: one per repetition. `due` is what must be reached now, `goal` what we are on the way to."""

    section: str
    name: str
    unit: str
    values: tuple[float, ...]
    due: Target | None = None
    goal: Target | None = None
    note: str = ""
    load: float = field(default_factory=lambda: round(os.getloadavg()[0], 2))

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def verdict(self) -> str:
        words = []
        for name, target in (("due", self.due), ("goal", self.goal)):
            if target:
                words.append(f"{name} {target} {'met' if target.is_met(self.median) else 'MISSED'}")
        return ", ".join(words)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "median": self.median, "verdict": self.verdict()}


class Report:
    """Everything that was measured, and what could not be."""

    def __init__(self, conditions: dict[str, Any]) -> None:
        self.conditions = {**conditions, "began": time.strftime("%Y-%m-%d %H:%M:%S %Z")}
        self.figures: list[Figure] = []
        self.gaps: list[str] = []
        self.section = ""

    def add(
        self,
        name: str,
        values: Sequence[float],
        unit: str,
        *,
        due: Target | None = None,
        goal: Target | None = None,
        note: str = "",
    ) -> None:
        if not values:
            self.miss(f"{name}: nothing was measured")
            return
        figure = Figure(self.section, name, unit, tuple(round(value, 4) for value in values), due, goal, note)
        self.figures.append(figure)
        print(f"    {_line(figure)}", flush=True)

    def miss(self, words: str) -> None:
        self.gaps.append(f"{self.section}: {words}")
        print(f"    not measured: {words}", flush=True)

    def table(self) -> str:
        lines = [" · ".join(f"{key} {value}" for key, value in self.conditions.items()), ""]
        section = ""
        for figure in self.figures:
            if figure.section != section:
                section = figure.section
                lines += ["", section]
            lines.append(f"  {_line(figure)}")
        missed = [f for f in self.figures if f.due and not f.due.is_met(f.median)]
        lines += ["", f"{len(self.figures)} figures; what is due is missed by {len(missed)}."]
        lines += [f"  missed: {f.section}: {f.name}: {short(f.median)} {f.unit}, due {f.due}" for f in missed]
        lines += [f"  not measured: {gap}" for gap in self.gaps]
        return "\n".join(lines)

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        document = {
            "conditions": {**self.conditions, "load_at_end": os.getloadavg()},
            "figures": [figure.as_json() for figure in self.figures],
            "not_measured": self.gaps,
        }
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False))


def _line(figure: Figure) -> str:
    spread = f"{short(min(figure.values))} to {short(max(figure.values))}" if len(figure.values) > 1 else ""
    note = f"  ({figure.note})" if figure.note else ""
    shown = f"{short(figure.median)} {figure.unit}"
    return f"{figure.name:<62} {shown:>14}  {spread:<18} load {figure.load:<5} {figure.verdict()}{note}".rstrip()


def short(number: float) -> str:
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` per cent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(share) // 100) - 1)]


def machine() -> dict[str, Any]:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "machine": f"{os.cpu_count()} × {model}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') // 2**30} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "load": " ".join(f"{each:.2f}" for each in os.getloadavg()),
    }
