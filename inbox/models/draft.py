"""Unsent text, kept on the server: it survives reload and sign-out, and a move to another channel."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.timezone import now

from inbox.models.case import Case


class Draft(models.Model):
    case = models.ForeignKey(Case, models.CASCADE, related_name="drafts")
    agent = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="drafts")
    channel = models.CharField(max_length=16)  # "note" for an internal note
    text = models.TextField(blank=True)
    subject = models.CharField(max_length=300, blank=True)
    cc = models.CharField(max_length=2000, blank=True, default="", db_default="")  # as it was typed
    bcc = models.CharField(max_length=2000, blank=True, default="", db_default="")
    sent_to = models.CharField(max_length=320, blank=True, default="", db_default="")  # the one chosen
    saved_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "agent", "channel"], name="draft_once")]
