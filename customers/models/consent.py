"""Whether a person wants our messages, per identity and sender of ours. Rows are only added; the last one holds."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, models
from django.utils.timezone import now

from customers.models.identity import Identity


class ConsentState(models.TextChoices):
    OPTED_OUT = "opted_out", "Opted out"
    OPTED_IN = "opted_in", "Opted in again"


LAST_WORD = """SELECT state, at FROM customers_consent WHERE identity_id = %s AND sender = %s
    ORDER BY id DESC LIMIT 1"""


class ConsentQuerySet(models.QuerySet["Consent"]):
    def opted_out_at(self, identity: Identity, sender: str) -> datetime | None:
        """When the person opted out of this sender (a connector's uuid), or None if they have not or came back."""
        with connection.cursor() as cursor:  # by hand: asked for every address of every case that is opened
            cursor.execute(LAST_WORD, [identity.pk, sender])
            state, at = cursor.fetchone() or ("", None)
        return at if state == ConsentState.OPTED_OUT else None


class Consent(models.Model):
    identity = models.ForeignKey(Identity, models.CASCADE, related_name="consents")
    sender = models.CharField(max_length=64)  # the connector's uuid: leaves do not import each other
    state = models.CharField(max_length=16, choices=ConsentState)
    words = models.CharField(max_length=200, blank=True)
    provider_id = models.CharField(max_length=512, blank=True)
    at = models.DateTimeField(default=now)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sender", "provider_id"], condition=~models.Q(provider_id=""), name="consent_once_per_message"
            )
        ]
        indexes = [models.Index(fields=["identity", "sender", "-id"], name="consent_latest")]
