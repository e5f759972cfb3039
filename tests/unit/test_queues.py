"""What people wait for never queues behind what may take its time."""

from __future__ import annotations

import pytest
from kombu.utils.scheduling import cycle_by_name

from config.celery import app

FIRST = ["inbox.intake.take_in", "inbox.outbox.deliver"]
FILES = ["inbox.intake.fetch_file"]
LATER = ["inbox.proposing.look", "inbox.importing.go_on", "inbox.privacy.remove_originals", "inbox.intake.clear_strays"]


@pytest.mark.parametrize(
    ("task", "queue"),
    [(task, queue) for queue, tasks in {"celery": FIRST, "files": FILES, "later": LATER}.items() for task in tasks],
)
def test_a_task_waits_in_its_queue(task: str, queue: str) -> None:
    app.loader.import_default_modules()  # as a worker does
    assert task in app.tasks
    route = app.amqp.router.route({}, task)
    assert route["queue"].name == queue


def test_a_worker_looks_into_the_first_queue_each_time_before_the_others() -> None:
    looked_into = cycle_by_name(app.conf.broker_transport_options["queue_order_strategy"])()
    looked_into.update(list(app.amqp.queues))
    for taken_from in ("celery", "later", "files", "celery"):
        assert looked_into.consume(3) == ["celery", "files", "later"]
        looked_into.rotate(taken_from)
