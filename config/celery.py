"""The Celery application. Tasks are one-line twins under the function they run."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("throughline")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Celery's own way with connections ends the whole pool before and after each task, so that each connects anew, for ten
# times what most of them cost. This many tasks go by before it does; `hand_back` does what a page does.
app.conf["CELERY_DB_REUSE_MAX"] = 10**12
app.autodiscover_tasks(["inbox"], related_name="intake")
app.autodiscover_tasks(["inbox"], related_name="outbox")
app.autodiscover_tasks(["inbox"], related_name="privacy")
app.autodiscover_tasks(["inbox"], related_name="importing")
app.conf.beat_schedule = {
    "sign-ins-expire": {"task": "inbox.outbox.clear_sessions", "schedule": 3600.0},
    "stray-files-go": {"task": "inbox.intake.clear_strays", "schedule": 60.0},
}


@signals.task_postrun.connect
def hand_back(**_: Any) -> None:
    """The connection goes back into this process's pool, and is looked at when it is taken out again."""
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:  # a task called by a test
            connection.close()
