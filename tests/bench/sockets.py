"""Committed → in every agent's socket, through Redis, Daphne and the hub; and how many frames a process can pass on."""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

import redis

from tests.bench.figures import Report, at_least, at_most, percentile
from tests.bench.helper import Helper
from tests.bench.run import Run

RATE = 10.0
CROWD = 200
CROWDS = [(50, (10.0, 50.0), (5.0, 20.0)), (500, (25.0, None), (17.0, 100.0))]  # (sockets, due, goal) of p50 and p99


def measure(run: Run, report: Report) -> None:
    stack = run.stack
    live = stack.live("live", run.intake)
    environment = stack.environment_of(run.intake)
    with stack.running(live), Helper("within", environment, run.log("speaker")) as speaker:
        stack.until_it_answers(live, stack.live_port, "/ws/")
        speaker.ask("warm")
        cases = _cases(run)
        speaker.ask("speak", cases=cases[:5], rate=50.0, by=1)
        for count, due, goals in CROWDS[: 1 if run.quick else 2]:
            with Helper("listeners", stack.environment, run.log("listeners")) as listeners:
                listeners.ask("open", **_where(run), count=count)
                _measure_latency(run, report, speaker, listeners, count, cases, due, goals)
        with Helper("listeners", stack.environment, run.log("listeners")) as listeners:
            listeners.ask("open", **_where(run), count=CROWD)
            _measure_crowd(run, report, listeners)


def _where(run: Run) -> dict[str, Any]:
    return {"port": run.stack.live_port, "origin": run.stack.environment["PUBLIC_URL"], "cookies": run.cast.cookies}


def _cases(run: Run) -> list[int]:
    with run.stack.connect(run.intake) as connection:
        rows = connection.execute(
            "SELECT id FROM inbox_case WHERE is_live AND team_id = %s ORDER BY id DESC LIMIT 60", [run.cast.support]
        ).fetchall()
    return [row[0] for row in rows]


def _measure_latency(
    run: Run,
    report: Report,
    speaker: Helper,
    listeners: Helper,
    count: int,
    cases: list[int],
    due: tuple[float, float | None],
    goals: tuple[float, float],
) -> None:
    notes = 20 if run.quick else 50
    medians, tails, lost = [], [], 0
    for _ in range(run.repetitions):
        listeners.ask("clear")
        told = speaker.ask("speak", cases=cases[:notes], rate=RATE, by=1)
        heard = listeners.ask("heard", expected=count * notes, patience=5.0)
        if heard["failures"]:
            raise RuntimeError(f"Sockets failed: {heard['failures']}")
        committed = {(case, version): at for case, version, at in told}
        delays = [
            (at - committed[case, version]) * 1000
            for case, version, at in heard["arrivals"]
            if (case, version) in committed
        ]
        lost += count * notes - len(delays)
        medians.append(statistics.median(delays))
        tails.append(percentile(delays, 99))
    report.add(
        f"commit → frame in {count} sockets at 10/s, p50", medians, "ms", due=at_most(due[0]), goal=at_most(goals[0])
    )
    report.add(
        f"commit → frame in {count} sockets at 10/s, p99",
        tails,
        "ms",
        due=at_most(due[1]) if due[1] else None,
        goal=at_most(goals[1]),
        note=f"{lost} of {count * notes * run.repetitions} frames did not come" if lost else "",
    )


def _measure_crowd(run: Run, report: Report, listeners: Helper) -> None:
    """Frames as large as real ones, published as fast as the process passes them on."""
    frames = 100 if run.quick else 250
    row = "<li>" + "x" * 2000 + "</li>"
    rates, lost = [], 0
    with redis.Redis.from_url(run.stack.environment["REDIS_URL"]) as server:
        for _ in range(run.repetitions):
            listeners.ask("clear")
            began = time.time()
            for version in range(frames):
                frame = {"kind": "case", "case": 1, "version": version, "teams": [run.cast.support], "row": row}
                server.publish("throughline:live", json.dumps(frame, separators=(",", ":")))
            heard = listeners.ask("heard", expected=CROWD * frames, patience=20.0)["arrivals"]
            lost += CROWD * frames - len(heard)
            rates.append(len(heard) / (max(at for _, _, at in heard) - began))
    note = f"{lost} of {CROWD * frames * run.repetitions} frames did not come" if lost else ""
    report.add(f"deliveries a second, one process, {CROWD} sockets", rates, "/s", goal=at_least(20_000), note=note)
