"""Queued reply → sent, against a far end that answers at once: what one worker costs, not what Twilio takes."""

from __future__ import annotations

import time

from config.processes import Process, answers
from tests.bench.figures import Report, at_least
from tests.bench.helper import Helper
from tests.bench.run import Run
from tests.bench.seeding import HERE

QUEUE = (HERE / "queue.sql").read_text()


def measure(run: Run, report: Report) -> None:
    stack = run.stack
    environment = stack.environment_of(run.intake)
    stack.forget_tasks()
    far_end = Process(
        "far_end",
        (*stack.python("", run.intake).command, "-m", "tests.bench.far_end", str(stack.far_port)),
        environment,
        stack.var,
    )
    worker = stack.worker("sender", run.intake, concurrency=1)
    direct, woken = [], []
    with stack.running(far_end, worker), Helper("within", environment, run.log("sender")) as one:
        stack.until(lambda: answers(stack.far_port), far_end)
        one.ask("deliver", ids=_queue(run, 10))
        _through_worker(run, one, worker, 10)
        count = run.as_many_as_fit(10 / one.ask("deliver", ids=_queue(run, 10)))
        for _ in range(run.repetitions):
            direct.append(count / one.ask("deliver", ids=_queue(run, count)))
            woken.append(count / _through_worker(run, one, worker, count))
    report.add("deliveries a second, one worker (Celery, one process)", woken, "/s", goal=at_least(200))
    report.add("deliveries a second, without the queue", direct, "/s")


def _queue(run: Run, count: int) -> list[int]:
    """Ids of new deliveries, each in another case."""
    with run.stack.connect(run.intake) as connection:
        rows = connection.execute(QUEUE, {"count": count, "sms": run.cast.sms}).fetchall()
    return [row[0] for row in rows]


def _through_worker(run: Run, one: Helper, worker: Process, count: int) -> float:
    ids = _queue(run, count)
    began = time.perf_counter()
    one.ask("wake_deliveries", ids=ids)
    with run.stack.connect(run.intake) as connection:

        def all_sent() -> bool:
            row = connection.execute(
                "SELECT count(*) FROM inbox_delivery WHERE id = ANY(%s) AND state = 'sent'", [ids]
            ).fetchone()
            return bool(row) and row[0] == count

        run.stack.until(all_sent, worker)
        row = connection.execute(
            "SELECT max(changed_at) - now() FROM inbox_delivery WHERE id = ANY(%s)", [ids]
        ).fetchone()
    assert row
    return time.perf_counter() - began + row[0].total_seconds()
