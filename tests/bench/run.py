"""What every section needs to know about this run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.seeding import Cast
from tests.bench.stack import Stack


@dataclass
class Run:
    stack: Stack
    cast: Cast
    quick: bool
    deadline: float  # by time.monotonic()
    sizes: dict[int, str]  # cases → database
    threads: dict[int, dict[int, int]]  # cases → entries of the case → its id
    intake: str = "bench_intake"  # the database whose contents may change
    intake_cases: int = 0

    @property
    def repetitions(self) -> int:
        return 1 if self.quick else 5

    def as_many_as_fit(self, rate: float) -> int:
        """How many to do in one repetition: two seconds' worth, or one when in a hurry, whatever machine this is."""
        return max(20, min(300, int(rate * (1 if self.quick else 2))))

    def log(self, name: str) -> Path:
        return self.stack.var / "log" / f"{name}.log"

    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()
