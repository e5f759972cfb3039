"""A file of customers, orders or events on its way into our tables: how far it got, and what was left of it."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

KEPT = timedelta(days=1)  # what was left names people; whoever imported it has read it by then


class ImportState(models.TextChoices):
    RUNNING = "running", "Importing"
    DONE = "done", "Imported"
    STOPPED = "stopped", "Stopped"


class FileImport(models.Model):
    """All of the file was read and found good before this row was made. `done` of `total` lines are in our tables."""

    what = models.CharField(max_length=10)  # customers, orders or events
    source = models.CharField(max_length=60)
    name = models.CharField(max_length=120, blank=True)
    content = models.BinaryField()  # empty once it is not needed any more
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    made = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)
    left = models.JSONField(default=list)  # sentences; the first of them
    left_count = models.PositiveIntegerField(default=0)
    doubtful = ArrayField(models.BigIntegerField(), default=list)  # customers to be weighed against those around them
    state = models.CharField(max_length=8, choices=ImportState, default=ImportState.RUNNING)
    reason = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)  # since it last got further
    leased_until = models.DateTimeField(default=now)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    began_at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["leased_until"], name="import_due", condition=Q(state="running")),
            models.Index(fields=["ended_at"], name="import_ended"),
            models.Index(fields=["id"], name="import_doubtful", condition=~Q(doubtful=[])),
        ]

    @property
    def is_running(self) -> bool:
        return self.state == ImportState.RUNNING

    @property
    def can_go_on(self) -> bool:
        """The file is kept for a day."""
        return self.state == ImportState.STOPPED and self.ended_at is not None and self.ended_at > now() - KEPT

    @property
    def share(self) -> str:
        """How much of it is in our tables, as a sentence; never rounded to all of it."""
        if self.state == ImportState.DONE:
            return f"{self.made:,} new, {self.known:,} already known."
        return f"{self.done:,} of {self.total:,} lines imported: {self.made:,} new, {self.known:,} already known."

    @property
    def untold(self) -> int:
        """How many sentences about what was left are not kept."""
        return self.left_count - len(self.left)
