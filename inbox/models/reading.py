"""How far an agent has read a case: what makes a row bold."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from inbox.models.case import Case


class Reading(models.Model):
    agent = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="readings")
    case = models.ForeignKey(Case, models.CASCADE, related_name="readings")
    entry_id = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "case"], name="reading_once")]
