from __future__ import annotations

from tests.bench.figures import Report
from tests.bench.run import Run


def measure(run: Run, report: Report) -> None:
    report.miss("not yet")
