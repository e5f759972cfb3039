"""Somebody else on the thread: copied in by the customer or by us. Never the customer."""

from __future__ import annotations

from django.db import models
from django.utils.timezone import now

from customers.models import Identity
from inbox.models.case import Case
from inbox.models.entry import Entry


class ParticipantRole(models.TextChoices):
    COPIED = "copied", "Copied in"  # stays on replies as a removable chip
    OFFERED = "offered", "Offered"  # named by a mail nobody vouches for: unticked
    REMOVED = "removed", "Removed"


class Participant(models.Model):
    case = models.ForeignKey(Case, models.CASCADE, related_name="participants")
    identity = models.ForeignKey(Identity, models.PROTECT, related_name="participations")
    role = models.CharField(max_length=8, choices=ParticipantRole)
    name = models.CharField(max_length=200, blank=True)
    entry = models.ForeignKey(Entry, models.SET_NULL, null=True, blank=True, related_name="+")
    added_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "identity"], name="participant_once")]
        indexes = [models.Index(fields=["identity"], name="participant_by_identity")]

    @property
    def shown_name(self) -> str:
        return self.name or self.identity.value
