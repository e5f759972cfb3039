"""The durable outbox: one delivery is one provider call. States only move forwards."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.db.models.functions import Least
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.messages import Channel
from connectors.models import Connector
from customers.models import Identity
from inbox.models.entry import Entry


class State(models.TextChoices):
    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    DELIVERED = "delivered", "Delivered"
    READ = "read", "Seen"
    FAILED = "failed", "Not delivered"
    UNKNOWN = "unknown", "Not known"
    CANCELLED = "cancelled", "Taken back"


# A later report never moves a delivery back. FAILED after DELIVERED is a provider's afterthought and is ignored;
# UNKNOWN yields to anything the provider tells.
RANK = {
    State.QUEUED: 0,
    State.SENDING: 1,
    State.UNKNOWN: 2,
    State.SENT: 3,
    State.FAILED: 4,
    State.DELIVERED: 5,
    State.READ: 6,
    State.CANCELLED: 9,
}
LEASE = timedelta(seconds=120)
SLOW, MOST_HANGING = timedelta(seconds=3), 2


def is_progress(before: str, after: str) -> bool:
    return RANK[State(after)] > RANK[State(before)]


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self) -> DeliveryQuerySet:
        """Queued, not held back, and no earlier part of the same reply still on its way or failed."""
        earlier = Delivery.objects.filter(entry=models.OuterRef("entry"), part__lt=models.OuterRef("part")).exclude(
            state__in=[State.SENT, State.DELIVERED, State.READ]
        )
        return self.filter(state=State.QUEUED, not_before__lte=now()).exclude(models.Exists(earlier))

    def claim(self, pk: int) -> Delivery | None:
        """Takes the delivery for this process; None when somebody else has it or it is not due (any more)."""
        at = now()
        taken = (
            self.due()
            .filter(pk=pk)
            .update(state=State.SENDING, claimed_at=at, attempts=models.F("attempts") + 1, changed_at=at)
        )
        return self.with_all().get(pk=pk) if taken else None

    def hurry(self, connector: Connector) -> int:
        """What waits for its next try is tried now: the connection was seen to work."""
        waiting = self.filter(connector=connector, state=State.QUEUED, not_before__gt=now()).exclude(reason="")
        return waiting.update(not_before=now())

    def with_all(self) -> DeliveryQuerySet:
        """Everything that composing and sending look at."""
        return self.select_related("entry__agent", "entry__case", "connector", "identity__customer", "attachment")

    def lost(self) -> DeliveryQuerySet:
        """Claimed by somebody who never came back: the provider may have accepted."""
        return self.filter(state=State.SENDING, claimed_at__lt=now() - LEASE)


class Delivery(models.Model):
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    entry = models.ForeignKey(Entry, models.PROTECT, related_name="deliveries")
    part = models.PositiveSmallIntegerField(default=0)
    connector = models.ForeignKey(Connector, models.PROTECT, related_name="+")
    identity = models.ForeignKey(Identity, models.PROTECT, related_name="+")
    text = models.TextField(blank=True)
    attachment = models.ForeignKey("inbox.Attachment", models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=12, choices=State, default=State.QUEUED)
    not_before = models.DateTimeField(default=now)
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(default=now)
    reason = models.CharField(max_length=400, blank=True)
    code = models.CharField(max_length=40, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["part"]
        constraints = [models.UniqueConstraint(fields=["entry", "part"], name="delivery_part_once")]
        indexes = [
            models.Index(fields=["not_before"], name="delivery_due", condition=models.Q(state="queued")),
            models.Index(fields=["claimed_at"], name="delivery_sending", condition=models.Q(state="sending")),
            models.Index(fields=["-id"], name="delivery_failed", condition=models.Q(state__in=["failed", "unknown"])),
        ]

    def advance(self, state: State, *, reason: str = "", code: str = "") -> bool:
        """Moves forwards only; False when the news is old."""
        lower = [each for each in State if is_progress(each, state)]
        if state == State.UNKNOWN:
            lower = [State.SENDING]  # what was put back meanwhile is known not to have left
        news: dict[str, Any] = {"state": state, "reason": reason[:400], "code": code[:40], "changed_at": now()}
        if state == State.SENT:
            news["sent_at"] = news["changed_at"]
        if state == State.UNKNOWN:
            news["claimed_at"] = Least("claimed_at", news["changed_at"])  # it takes no longer: it may be looked up
        changed = Delivery.objects.filter(pk=self.pk, state__in=lower).update(**news)
        if changed:
            self.state, self.reason, self.code = state, reason, code
        return bool(changed)

    def takes(self, longer: timedelta) -> None:
        """So much longer than others until it may be called lost."""
        if longer > timedelta(seconds=1):
            mine = Delivery.objects.filter(pk=self.pk, state=State.SENDING)
            mine.update(claimed_at=models.F("claimed_at") + longer)

    def put_back(self, reason: str, retry_after: int | None = None) -> bool:
        """Queues it again after a refusal that may pass; False when it was tried often enough."""
        back_off = ADAPTERS[Channel(self.connector.kind)].limits.back_off
        if self.attempts > len(back_off):
            return False
        wait = max(retry_after or 0, back_off[self.attempts - 1])
        Delivery.objects.filter(pk=self.pk, state=State.SENDING).update(
            state=State.QUEUED, not_before=now() + timedelta(seconds=wait), reason=reason[:400], changed_at=now()
        )
        return True

    @property
    def is_crowded(self) -> bool:
        """Others wait for the same provider already, longer than a call takes: one that hangs must not have us all."""
        hanging = Delivery.objects.filter(  # since when, `claimed_at` does not say of what `takes` longer
            state=State.SENDING, connector=self.connector_id, changed_at__lt=now() - SLOW
        ).exclude(pk=self.pk)
        return hanging.values("pk")[:MOST_HANGING].count() >= MOST_HANGING

    def wait_for(self, connector: Connector) -> None:
        """Its provider takes nothing just now: it was not asked, so this was no try."""
        until = connector.held_until if connector.held_until and connector.is_held else now() + SLOW
        self.wait(until, self.reason or f"{connector.name} may send no more for the moment.")

    def wait(self, until: datetime, reason: str) -> None:
        """It did not leave, for nothing that is its own: this was no try."""
        Delivery.objects.filter(pk=self.pk, state=State.SENDING).update(
            state=State.QUEUED,
            not_before=until,
            attempts=models.F("attempts") - 1,
            changed_at=now(),
            reason=reason[:400],
        )

    @property
    def held_until(self) -> datetime | None:
        """While the sender may still take it back."""
        return self.not_before if self.state == State.QUEUED and not self.attempts and self.not_before > now() else None


class ProviderMessageQuerySet(models.QuerySet["ProviderMessage"]):
    def remember(self, connector: Connector, provider_id: str, entry: Entry, delivery: Delivery | None = None) -> bool:
        """False when the provider has told us of this message before."""
        with connection.cursor() as cursor:
            cursor.execute(
                """INSERT INTO inbox_providermessage (connector_id, provider_id, entry_id, delivery_id)
                   VALUES (%s, %s, %s, %s) ON CONFLICT (connector_id, provider_id) DO NOTHING""",
                [connector.pk, provider_id, entry.pk, delivery.pk if delivery else None],
            )
            return bool(cursor.rowcount)


class ProviderMessage(models.Model):
    """What a provider calls a message of the timeline. One reply may be several; echoes and reads cite any of them."""

    connector = models.ForeignKey(Connector, models.PROTECT, related_name="+")
    provider_id = models.CharField(max_length=998)
    entry = models.ForeignKey(Entry, models.CASCADE, related_name="provider_messages")
    delivery = models.ForeignKey(Delivery, models.CASCADE, null=True, blank=True, related_name="provider_messages")

    objects = ProviderMessageQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connector", "provider_id"], name="provider_message_once")]


def undo_deadline() -> datetime:
    return now() + timedelta(seconds=settings.UNDO_SECONDS)
