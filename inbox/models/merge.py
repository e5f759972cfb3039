"""The journal of "this is the same person": pointers only, so that undo is exact."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.timezone import now

from customers.models import Customer
from inbox.models.case import Case


class Merge(models.Model):
    survivor = models.ForeignKey(Customer, models.PROTECT, related_name="merges")
    absorbed = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    surviving_case = models.ForeignKey(Case, models.PROTECT, null=True, blank=True, related_name="+")
    absorbed_case = models.ForeignKey(Case, models.PROTECT, null=True, blank=True, related_name="+")
    absorbed_case_was = models.JSONField(default=dict)  # status and assignee before, for undo
    identities = models.JSONField(default=list)  # ids that were re-pointed
    reason = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=now)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
