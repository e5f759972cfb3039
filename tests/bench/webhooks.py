"""Webhook accepted → committed, over HTTP through gunicorn; the answer is sent after the commit."""

from __future__ import annotations

import random
import statistics

from config.processes import free_port
from tests.bench.figures import Report, at_least, at_most, percentile
from tests.bench.helper import Helper
from tests.bench.run import Run

RATE = 100.0


def measure(run: Run, report: Report) -> None:
    port, stack = free_port(), run.stack
    address = f"/hooks/{run.cast.sms_token}/"
    about = {
        "url": f"http://127.0.0.1:{port}{address}",
        "signed_url": f"{stack.environment['PUBLIC_URL']}{address}",
        "to": run.cast.sms_address,
    }
    pages = stack.pages("webhooks", run.intake, port, workers=2, threads=4)
    count, burst = (200, 300) if run.quick else (400, 800)
    medians, late, rates, busy_medians, busy_late, behind = [], [], [], [], [], []
    with stack.running(pages), Helper("poster", stack.environment, run.log("poster")) as poster:
        stack.until_it_answers(pages, port)
        poster.ask("flat_out", **about, senders=_senders(run, 100), connections=8)
        for _ in range(run.repetitions):
            answers = poster.ask("at_rate", **about, senders=_senders(run, count), rate=RATE)
            _check([status for status, _ in answers])
            medians.append(statistics.median(seconds for _, seconds in answers) * 1000)
            late.append(percentile([seconds for _, seconds in answers], 95) * 1000)
            statuses, seconds = poster.ask("flat_out", **about, senders=_senders(run, burst), connections=8)
            _check(statuses)
            rates.append(burst / seconds)
        with stack.connect(run.intake) as connection:  # what was posted so far waits for nobody
            connection.execute("UPDATE connectors_receipt SET state = 'discarded' WHERE state = 'waiting'")
        worker = stack.worker("worker", run.intake, concurrency=1)
        with stack.running(worker):
            _until_work_is_done(run, poster, about, worker)
            for _ in range(run.repetitions):
                answers = poster.ask("at_rate", **about, senders=_senders(run, 60), rate=20.0)
                _check([status for status, _ in answers])
                busy_medians.append(statistics.median(seconds for _, seconds in answers) * 1000)
                busy_late.append(percentile([seconds for _, seconds in answers], 95) * 1000)
                stack.until(lambda: _waiting(run) == 0, worker)
                behind.append(_behind(run, 60))
    report.add("accept → commit at 100/s, p50", medians, "ms")
    report.add("accept → commit at 100/s, p95", late, "ms", due=at_most(40), goal=at_most(40))
    report.add("most a second, 8 connections", rates, "/s", goal=at_least(400), note="the client shares the processors")
    report.add("accept → commit at 20/s while a worker takes them in, p50", busy_medians, "ms")
    report.add("accept → commit at 20/s while a worker takes them in, p95", busy_late, "ms")
    report.add("receipt committed → entry committed at 20/s, p95", behind, "ms")


def _senders(run: Run, count: int) -> list[str]:
    """Numbers of customers on record, nobody twice."""
    return [f"+1415{2_000_000 + number}" for number in random.sample(range(1, run.intake_cases + 1), count)]


def _check(statuses: list[int]) -> None:
    if set(statuses) != {200}:
        raise RuntimeError(f"Webhooks were answered {sorted(set(statuses))}.")


def _until_work_is_done(run: Run, poster: Helper, about: dict[str, str], worker: object) -> None:
    """The worker has started, and is warm."""
    from config.processes import Process

    assert isinstance(worker, Process)
    poster.ask("flat_out", **about, senders=_senders(run, 20), connections=2)
    run.stack.until(lambda: _waiting(run) == 0, worker)


def _waiting(run: Run) -> int:
    with run.stack.connect(run.intake) as connection:
        row = connection.execute("SELECT count(*) FROM connectors_receipt WHERE state = 'waiting'").fetchone()
    return int(row[0]) if row else 0


def _behind(run: Run, newest: int) -> float:
    with run.stack.connect(run.intake) as connection:
        rows = connection.execute(
            "SELECT extract(epoch FROM done_at - received_at) * 1000 FROM connectors_receipt ORDER BY id DESC LIMIT %s",
            [newest],
        ).fetchall()
    return percentile([float(row[0]) for row in rows], 95)
