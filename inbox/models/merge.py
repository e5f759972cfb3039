"""The journal of "this is the same person": what was whose before, so that it can be taken back at any time."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.timezone import now

from customers.models import Customer


class MergeQuerySet(models.QuerySet["Merge"]):
    def in_force(self) -> MergeQuerySet:
        return self.filter(undone_at=None)

    def have_parted(self, one: Customer, other: Customer) -> bool:
        """Somebody took them for one person, and took it back: each holds the other's threads by our mistake."""
        here, there = one.family(), other.family()
        either = models.Q(survivor__in=here, absorbed__in=there) | models.Q(survivor__in=there, absorbed__in=here)
        return self.filter(either, undone_at__isnull=False).exists()


class Merge(models.Model):
    survivor = models.ForeignKey(Customer, models.PROTECT, related_name="merges")
    absorbed = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    # What the absorbed person had. An inner join that is taken back takes its share out of the joins around it.
    identities = models.JSONField(default=list)  # ids
    cases = models.JSONField(default=list)  # ids
    # Whatever is newer came when the two were one
    newest_entry = models.BigIntegerField(default=0)
    newest_case = models.BigIntegerField(default=0)
    before = models.JSONField(default=dict)  # what the join changed, as it was: journal.py has its shape
    reason = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=now)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = MergeQuerySet.as_manager()
