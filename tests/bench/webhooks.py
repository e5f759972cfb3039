"""Webhook accepted → committed, over HTTP through gunicorn; the answer is sent after the commit."""

from __future__ import annotations

import random
import statistics

from config.processes import Process, free_port
from tests.bench.figures import Report, at_least, at_most, percentile
from tests.bench.helper import Helper
from tests.bench.run import Run

RATE = 100.0
SLOW, SOME = 10.0, 40


def measure(run: Run, report: Report) -> None:
    port, stack = free_port(), run.stack
    address = f"/hooks/{run.cast.sms_token}/"
    about = {
        "url": f"http://127.0.0.1:{port}{address}",
        "signed_url": f"{stack.environment['PUBLIC_URL']}{address}",
        "to": run.cast.sms_address,
    }
    pages = stack.pages("webhooks", run.intake, port, workers=2, threads=4)
    with stack.running(pages), Helper("poster", stack.environment, run.log("poster")) as poster:
        stack.until_it_answers(pages, port)
        poster.ask("flat_out", **about, senders=_senders(run, 100), connections=8)
        _measure_accepting(run, report, poster, about)
        if run.quick:
            return
        with stack.connect(run.intake) as connection:  # what was posted so far waits for nobody
            connection.execute("UPDATE connectors_receipt SET state = 'discarded' WHERE state = 'waiting'")
        stack.forget_tasks()
        worker = stack.worker("worker", run.intake, concurrency=1)
        with stack.running(worker):
            _measure_with_worker(run, report, poster, about, worker)


def _measure_accepting(run: Run, report: Report, poster: Helper, about: dict[str, str]) -> None:
    count, burst = (150, 200) if run.quick else (400, 400)
    medians, late, rates = [], [], []
    for _ in range(run.repetitions):
        answers = poster.ask("at_rate", **about, senders=_senders(run, count), rate=RATE)
        _check([status for status, *_ in answers])
        medians.append(statistics.median(seconds for _, seconds, _ in answers) * 1000)
        late.append(percentile([seconds for _, seconds, _ in answers], 95) * 1000)
        statuses, seconds = poster.ask("flat_out", **about, senders=_senders(run, burst), connections=8)
        _check(statuses)
        rates.append(burst / seconds)
    report.add("accept → commit at 100/s, p50", medians, "ms")
    report.add("accept → commit at 100/s, p95", late, "ms", due=at_most(40), goal=at_most(40))
    report.add("most a second, 8 connections", rates, "/s", goal=at_least(400), note="the client shares the processors")


def _measure_with_worker(run: Run, report: Report, poster: Helper, about: dict[str, str], worker: Process) -> None:
    """At a rate one worker can follow: accepting must not wait for it, and what was accepted must soon be there."""
    poster.ask("flat_out", **about, senders=_senders(run, 20), connections=2)
    run.stack.until(lambda: _waiting(run) == 0, worker)  # it has started, and is warm
    medians, late, behind = [], [], []
    for _ in range(run.repetitions):
        answers = poster.ask("at_rate", **about, senders=_senders(run, SOME), rate=SLOW)
        _check([status for status, *_ in answers])
        medians.append(statistics.median(seconds for _, seconds, _ in answers) * 1000)
        late.append(percentile([seconds for _, seconds, _ in answers], 95) * 1000)
        run.stack.until(lambda: _waiting(run) == 0, worker)
        behind.append(_behind(run, SOME))
    report.add("accept → commit at 10/s while a worker takes them in, p50", medians, "ms")
    report.add("accept → commit at 10/s while a worker takes them in, p95", late, "ms", due=at_most(40))
    report.add("receipt committed → entry committed at 10/s, p95", behind, "ms")


def _senders(run: Run, count: int) -> list[str]:
    """Numbers of customers on record, nobody twice."""
    return [f"+1415{2_000_000 + number}" for number in random.sample(range(1, run.intake_cases + 1), count)]


def _check(statuses: list[int]) -> None:
    if set(statuses) != {200}:
        raise RuntimeError(f"Webhooks were answered {sorted(set(statuses))}.")


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
