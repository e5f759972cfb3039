"""How far a mailbox was read."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from connectors.models.connector import Connector


class MailFolder(models.Model):
    """How far one folder of a mailbox was read. UIDs mean nothing once `uidvalidity` changes."""

    connector = models.ForeignKey(Connector, models.CASCADE, related_name="folders")
    name = models.CharField(max_length=200, default="INBOX")
    uidvalidity = models.BigIntegerField(null=True, blank=True)
    last_uid = models.BigIntegerField(default=0)
    since = models.DateTimeField(null=True, blank=True)  # first read then, from there on; null: read from its beginning
    renumbered_below = models.BigIntegerField(default=0)  # UIDs that were there when the server last gave new ones
    leased_until = models.DateTimeField(null=True, blank=True)
    leased_by = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connector", "name"], name="folder_once")]

    def is_for_us(self, uid: int, arrived: datetime) -> bool:
        """Not what lay there before our time and has only got a new UID."""
        return self.since is None or uid >= self.renumbered_below or arrived >= self.since
