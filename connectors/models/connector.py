"""One mailbox, number or account, and how it is doing."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.utils.timezone import now

from connectors.fields import SecretsField
from connectors.messages import Account


class ConnectorKind(models.TextChoices):
    EMAIL = "email", "Email"
    SMS = "sms", "SMS"
    INSTAGRAM = "instagram", "Instagram"
    WHATSAPP = "whatsapp", "WhatsApp"


class Side(models.TextChoices):
    IN = "in", "Receiving"
    OUT = "out", "Sending"


MOST_REFUSALS = 3  # sign-ins in a row; whoever goes on after that has their account locked
LONGEST_HOLD = 3600  # seconds; whoever wants more is asked again then


def new_token() -> str:
    return secrets.token_urlsafe(24)


class ConnectorQuerySet(models.QuerySet["Connector"]):
    def active(self) -> ConnectorQuerySet:
        return self.filter(is_active=True)

    def sending(self) -> ConnectorQuerySet:
        """Those that something can leave by."""
        return self.active().filter(needs_reconnect=False, refused_out__lt=MOST_REFUSALS)


class Connector(models.Model):
    """One mailbox, number or account. `kind` is both its adapter and the channel it speaks."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    token = models.CharField(max_length=64, default=new_token, unique=True)
    kind = models.CharField(max_length=16, choices=ConnectorKind)
    name = models.CharField(max_length=120)
    addresses = ArrayField(models.CharField(max_length=320))
    team = models.ForeignKey("inbox.Team", models.PROTECT, related_name="connectors")
    credentials = SecretsField(default=dict)
    options = models.JSONField(default=dict, blank=True)
    is_active = models.BooleanField(default=True)
    is_set_up = models.BooleanField(default=True, db_default=True)  # False: somebody began and has not finished
    created_at = models.DateTimeField(default=now)

    # Health: progress, not process
    last_received_at = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=300, blank=True)
    failing_side = models.CharField(max_length=4, blank=True)  # which side the failure is about: a Side
    consecutive_failures = models.PositiveIntegerField(default=0)
    needs_reconnect = models.BooleanField(default=False)  # its credentials are dead
    refused_in = models.PositiveSmallIntegerField(default=0, db_default=0)  # sign-ins in a row
    refused_out = models.PositiveSmallIntegerField(default=0, db_default=0)
    forged_count = models.PositiveIntegerField(default=0)

    # Messages no webhook told us of
    asked_at = models.DateTimeField(null=True, blank=True)
    heard_all_until = models.DateTimeField(null=True, blank=True)

    # The last live test
    check_asked_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    findings = models.JSONField(null=True, blank=True)  # a list of connectors.messages.Check

    held_until = models.DateTimeField(null=True, blank=True)  # the provider takes nothing from us before that
    renew_at = models.DateTimeField(null=True, blank=True)  # when to ask again whether its sign-in is to be renewed

    # Automatic answers that were held back because too much came in
    silent_at = models.DateTimeField(null=True, blank=True)
    silent_because = models.CharField(max_length=300, blank=True, default="", db_default="")

    objects = ConnectorQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        return self.addresses[0]

    @property
    def webhook_url(self) -> str:
        return f"{settings.PUBLIC_URL}/hooks/{self.token}/"

    def account(self) -> Account:
        return Account(
            id=str(self.uuid),
            addresses=tuple(self.addresses),
            secrets={**self.credentials, "message_id_key": settings.SECRET_KEY},
            options=self.options,
            webhook_url=self.webhook_url,
        )

    @property
    def stops_reading(self) -> bool:
        return self.needs_reconnect or self.refused_in >= MOST_REFUSALS

    @property
    def stops_sending(self) -> bool:
        return self.needs_reconnect or self.refused_out >= MOST_REFUSALS

    @property
    def asks_for_a_person(self) -> bool:
        return self.stops_reading or self.stops_sending

    def succeeded(self, side: Side) -> None:
        """At most every 10 s, or at once when it ends a run of failures: health must not cost a row per mail.

        Mail that comes in says nothing about whether our password for sending is right.
        """
        at = now()
        refused = self.refused_in if side == Side.IN else self.refused_out
        if self.failure or refused or not self.last_success_at or self.last_success_at < at - timedelta(seconds=10):
            self.last_success_at = at
            mine = Connector.objects.filter(pk=self.pk)
            mine.update(last_success_at=at, **{f"refused_{side.value}": 0})
            mine.filter(failing_side__in=["", side]).update(
                failure="", consecutive_failures=0, needs_reconnect=False, failing_side=""
            )

    def begins_anew(self) -> None:
        """Somebody changed what was wrong, or saw it work: what failed before says nothing any more."""
        Connector.objects.filter(pk=self.pk).update(
            failure="",
            failing_side="",
            consecutive_failures=0,
            needs_reconnect=False,
            refused_in=0,
            refused_out=0,
            held_until=None,
        )

    def renewed(self) -> None:
        """What failed with the old sign-in is tried with the new one. Refusals are counted on: if it is refused too,
        only a person can help."""
        passing = Connector.objects.filter(
            pk=self.pk, needs_reconnect=False, refused_in__lt=MOST_REFUSALS, refused_out__lt=MOST_REFUSALS
        )
        passing.update(failure="", failing_side="", consecutive_failures=0)

    def keep(self, secrets: Mapping[str, str], options: Mapping[str, str]) -> None:
        """Puts these into what is kept; the rest stays, also what somebody else changes at this moment."""
        with transaction.atomic():
            fresh = Connector.objects.select_for_update().get(pk=self.pk)
            self.credentials = fresh.credentials = {**fresh.credentials, **secrets}
            self.options = fresh.options = {**fresh.options, **options}
            fresh.save(update_fields=["credentials", "options"])
        forget_at_hand(self)

    def hold(self, seconds: int) -> None:
        """We ask too much of the provider: everything waits, so that what waits is not refused one by one."""
        until = now() + timedelta(seconds=min(max(seconds, 1), LONGEST_HOLD))
        Connector.objects.filter(pk=self.pk).filter(models.Q(held_until=None) | models.Q(held_until__lt=until)).update(
            held_until=until
        )

    def holds_back(self, because: str) -> None:
        """Automatic answers, because too much came in. Noted once a minute: a flood must not cost a write each time."""
        at = now()
        if self.silent_at is None or self.silent_at < at - timedelta(minutes=1):
            self.silent_at = at
            Connector.objects.filter(pk=self.pk).update(silent_at=at, silent_because=because[:300])

    @property
    def was_silent_lately(self) -> bool:
        return bool(self.silent_at and self.silent_at > now() - timedelta(hours=1))

    @property
    def is_held(self) -> bool:
        return bool(self.held_until and self.held_until > now())

    @property
    def is_being_checked(self) -> bool:
        return bool(self.check_asked_at and (not self.checked_at or self.checked_at < self.check_asked_at))

    def forget_secret(self, value: str) -> None:
        """It was refused. What has come in its place meanwhile stays; else a new one is asked for at once."""
        with transaction.atomic():
            fresh = Connector.objects.select_for_update(no_key=True).get(pk=self.pk)
            fresh.credentials = {
                name: "" if value and kept == value else kept for name, kept in fresh.credentials.items()
            }
            fresh.renew_at = None
            fresh.save(update_fields=["credentials", "renew_at"])
        forget_at_hand(self)

    def failed(self, reason: str, side: Side, *, reconnect: bool = False, refused: bool = False) -> None:
        """`reconnect`: the credentials are dead. `refused`: signing in was, which may pass; not a third time.

        What a person has to see to stays readable until they have, whatever else fails meanwhile.
        """
        with transaction.atomic():
            fresh = Connector.objects.select_for_update(no_key=True).defer("credentials").get(pk=self.pk)
            if reconnect or refused or not fresh.asks_for_a_person:
                fresh.failure, fresh.failing_side = reason[:300], side
            fresh.last_failure_at = now()
            fresh.consecutive_failures += 1
            fresh.needs_reconnect |= reconnect
            if refused and side == Side.IN:
                fresh.refused_in += 1
            elif refused and not fresh.is_held:  # those beside it were refused at the same moment
                fresh.refused_out += 1
            health = ["failure", "failing_side", "last_failure_at", "consecutive_failures", "needs_reconnect"]
            fresh.save(update_fields=[*health, "refused_in", "refused_out"])


_at_hand: dict[int | str, tuple[float, Connector]] = {}


def at_hand(*, pk: int = 0, token: str = "") -> Connector:
    """The connector and its team as they were at most a second ago. Every message needs them, and their secrets cost
    a decryption each time they are read. What another process changes counts a second later. Raises
    Connector.DoesNotExist."""
    kept = _at_hand.get(pk or token)
    if kept is None or kept[0] < time.monotonic() - 1:
        wanted = {"pk": pk} if pk else {"token": token}
        kept = _at_hand[pk or token] = time.monotonic(), Connector.objects.select_related("team").get(**wanted)
    return kept[1]


def forget_at_hand(connector: Connector) -> None:
    """Somebody changes it right now, or what is at hand turned out to be wrong."""
    _at_hand.pop(connector.pk, None)
    _at_hand.pop(connector.token, None)
