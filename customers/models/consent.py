"""Whether a person wants our messages, per identity, sender of ours and purpose. Rows are only added, and the database
refuses anything else; the last one holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import connection, models
from django.utils.timezone import now

from customers.models.identity import Identity


class ConsentState(models.TextChoices):
    OPTED_OUT = "opted_out", "Opted out"
    OPTED_IN = "opted_in", "Opted in again"
    IMPLICIT = "implicit", "May be assumed"  # they are a customer, or asked us something
    EXPLICIT = "explicit", "Agreed"
    DOUBLE = "double", "Agreed, and confirmed it"


class Purpose(models.TextChoices):
    SERVICE = "service", "Service"  # what they asked for: answers, orders
    MARKETING = "marketing", "Marketing"
    AUTOMATIC = "automatic", "Automatic messages"  # what is sent by itself; only refused, never asked for


LAST_WORD = """SELECT state, at FROM customers_consent WHERE identity_id = %s AND sender IN (%s, '') AND purpose = %s
    ORDER BY id DESC LIMIT 1"""
LAST_WORDS = """SELECT DISTINCT ON (identity_id, sender) identity_id, sender, id, state, at FROM customers_consent
    WHERE identity_id = ANY (%s) AND purpose = %s ORDER BY identity_id, sender, id DESC"""
AGREED = (ConsentState.EXPLICIT, ConsentState.DOUBLE)


class ConsentQuerySet(models.QuerySet["Consent"]):
    def opted_out_at(self, identity: Identity, sender: str) -> datetime | None:
        """When the person opted out of this sender (a connector's uuid), or None if they have not or came back."""
        state, at = self._last_word(identity, sender, Purpose.SERVICE)
        return at if state == ConsentState.OPTED_OUT else None

    def opted_out(self, identities: Sequence[Identity]) -> Callable[[Identity, str], datetime | None]:
        """`opted_out_at` of all these, read in one statement."""
        with connection.cursor() as cursor:  # by hand: every case that is opened pays for it
            cursor.execute(LAST_WORDS, [[each.pk for each in identities], Purpose.SERVICE])
            said = {(identity, sender): word for identity, sender, *word in cursor.fetchall()}

        def opted_out_at(identity: Identity, sender: str) -> datetime | None:
            words = [said[identity.pk, each] for each in (sender, "") if (identity.pk, each) in said]
            _, state, at = max(words, default=(0, "", None))
            return at if state == ConsentState.OPTED_OUT else None

        return opted_out_at

    def agreed_to_marketing(self, identity: Identity, sender: str) -> bool:
        """In so many words; whoever opted out of everything opted out of that too."""
        is_out = self.opted_out_at(identity, sender) is not None
        return not is_out and self._last_word(identity, sender, Purpose.MARKETING)[0] in AGREED

    def refuses_automatic(self, identity: Identity, sender: str) -> bool:
        return self._last_word(identity, sender, Purpose.AUTOMATIC)[0] == ConsentState.OPTED_OUT

    def _last_word(self, identity: Identity, sender: str, purpose: Purpose) -> tuple[str, datetime | None]:
        with connection.cursor() as cursor:  # by hand: every message that leaves pays for it
            cursor.execute(LAST_WORD, [identity.pk, sender, purpose])
            return cursor.fetchone() or ("", None)


class Consent(models.Model):
    identity = models.ForeignKey(Identity, models.CASCADE, related_name="consents")
    sender = models.CharField(
        max_length=64
    )  # the connector's uuid (leaves do not import each other); empty: all of ours
    purpose = models.CharField(
        max_length=12, choices=Purpose, default=Purpose.SERVICE, db_default=Purpose.SERVICE.value
    )
    state = models.CharField(max_length=16, choices=ConsentState)
    words = models.CharField(max_length=200, blank=True)
    provider_id = models.CharField(max_length=512, blank=True)
    entry_uuid = models.UUIDField(null=True, blank=True)  # the message they said so in
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=now)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sender", "provider_id"], condition=~models.Q(provider_id=""), name="consent_once_per_message"
            )
        ]
        indexes = [models.Index(fields=["identity", "sender", "-id"], name="consent_latest")]
