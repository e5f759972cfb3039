"""The journal of "this belongs elsewhere": what an agent put into another case, and how it was before."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.timezone import now

from inbox.models.case import Case


class RegroupingKind(models.TextChoices):
    MATTER = "matter", "A second matter"
    MOVED = "moved", "Another live case"
    PERSON = "person", "Another person"
    REJOINED = "rejoined", "One matter after all"


class RegroupingQuerySet(models.QuerySet["Regrouping"]):
    def in_force(self) -> RegroupingQuerySet:
        return self.filter(undone_at=None)

    def that_moved(self, entry: int) -> RegroupingQuerySet:
        return self.filter(entries__has_key=str(entry))


class Regrouping(models.Model):
    kind = models.CharField(max_length=8, choices=RegroupingKind)
    from_case = models.ForeignKey(Case, models.PROTECT, related_name="+")
    to_case = models.ForeignKey(Case, models.PROTECT, related_name="+")
    entries = models.JSONField(default=dict)  # {id: the case it lay in}
    before = models.JSONField(default=dict)  # what changed beside them, as it was: splitting/journal.py has its shape
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=now)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = RegroupingQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["from_case"], name="regrouping_from"),
            models.Index(fields=["to_case"], name="regrouping_to"),
        ]

    @property
    def is_in_force(self) -> bool:
        return self.undone_at is None
