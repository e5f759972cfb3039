"""The fact that a customer changed channel. Always recorded; how loud it was is a rule (switching.py)."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils.timezone import now

from inbox.models.case import Case
from inbox.models.entry import Entry


class Loudness(models.TextChoices):
    LOUD = "loud", "Loud"
    CALM = "calm", "Calm"
    QUIET = "quiet", "Quiet"


class Switch(models.Model):
    case = models.ForeignKey(Case, models.PROTECT, related_name="switches")
    entry = models.OneToOneField(Entry, models.PROTECT, related_name="switch")
    previous_entry = models.ForeignKey(Entry, models.PROTECT, related_name="+")
    from_channel = models.CharField(max_length=16)
    to_channel = models.CharField(max_length=16)
    gap = models.DurationField(default=timedelta())
    had_unanswered = models.BooleanField(default=False)
    loudness = models.CharField(max_length=8, choices=Loudness)
    reason = models.CharField(max_length=200)
    at = models.DateTimeField(default=now)
    acknowledged_at = models.DateTimeField(null=True, blank=True)  # the first reply after it

    class Meta:
        verbose_name_plural = "switches"
        indexes = [
            models.Index(fields=["-at"], name="switch_recent"),
            models.Index(fields=["case", "-id"], name="switch_of_case"),
        ]
