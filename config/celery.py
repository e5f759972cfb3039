"""The Celery application. Tasks are one-line twins under the function they run."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("throughline")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["inbox"], related_name="intake")
app.autodiscover_tasks(["inbox"], related_name="outbox")
app.autodiscover_tasks(["inbox"], related_name="privacy")
app.autodiscover_tasks(["inbox"], related_name="importing")
app.conf.beat_schedule = {
    "sign-ins-expire": {"task": "inbox.outbox.clear_sessions", "schedule": 3600.0},
    "stray-files-go": {"task": "inbox.intake.clear_strays", "schedule": 60.0},
}
