"""What is configured (Connector), where reading got to (MailFolder), and what came in (Receipt)."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models, transaction
from django.db.models.lookups import Exact
from django.utils.timezone import now

from config.database import rows
from connectors.fields import SecretsField
from connectors.messages import Account, RawInput


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


class ReceiptState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    QUARANTINED = "quarantined", "Quarantined"
    DISCARDED = "discarded", "Discarded"


def _up_to(mark: str, words: models.Expression | models.F) -> models.Func:
    return models.Func(
        words, models.Value(mark), models.Value(1), function="split_part", output_field=models.TextField()
    )


# The reason without what differs from one receipt to the next
CAUSE = _up_to(": ", _up_to("; ", models.F("reason")))


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    def due(self) -> ReceiptQuerySet:
        return self.filter(state=ReceiptState.WAITING, next_attempt_at__lte=now())

    def quarantined(self) -> ReceiptQuerySet:
        return self.filter(state=ReceiptState.QUARANTINED)

    def discarded(self) -> ReceiptQuerySet:
        return self.filter(state=ReceiptState.DISCARDED)

    def lately(self) -> ReceiptQuerySet:
        """Ended within the last hour. What was quarantined lately rings the alarm."""
        return self.filter(done_at__gte=now() - timedelta(hours=1))

    def of_cause(self, cause: str) -> ReceiptQuerySet:
        return self.filter(Exact(CAUSE, cause))

    def by_cause(self) -> list[tuple[str, int]]:
        """How many of each, the most frequent first."""
        causes = self.order_by().values_list(CAUSE).annotate(number=models.Count("pk")).order_by("-number")
        return list(causes[:12])

    def release(self, *, by: str) -> int:
        """Back among what waits, on somebody's word; how many. Whoever takes them in keeps what was settled before."""
        aside = self.filter(state__in=[ReceiptState.QUARANTINED, ReceiptState.DISCARDED])
        return aside.update(
            state=ReceiptState.WAITING, attempts=0, next_attempt_at=now(), journal=_and_also("took it in again", by)
        )

    def discard(self, reason: str, *, by: str) -> int:
        """Let go; how many. The bytes, the reason and who said so stay."""
        return self.quarantined().update(
            state=ReceiptState.DISCARDED, done_at=now(), journal=_and_also("let it go", by, reason)
        )


def _and_also(did: str, by: str, words: str = "") -> models.Func:
    """The journal with one more line."""
    line = {"at": now().isoformat(), "by": by, "did": did, "words": words[:300]}
    return models.Func(
        models.F("journal"),
        models.Value([line], output_field=models.JSONField()),
        template="(%(expressions)s)",
        arg_joiner=" || ",
        output_field=models.JSONField(),
    )


class Receipt(models.Model):
    """Raw input exactly as it came. Stored before anything is understood, and kept when nothing can be."""

    connector = models.ForeignKey(Connector, models.PROTECT, related_name="receipts")
    key = models.CharField(max_length=160)
    body = models.BinaryField()
    headers = models.JSONField(default=dict)
    received_at = models.DateTimeField(default=now)
    state = models.CharField(max_length=12, choices=ReceiptState, default=ReceiptState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=now)
    outcomes = models.JSONField(default=list)  # [{"outcome": "entry", "entry": 12} | {"outcome": "ignored", "kind": …}]
    reason = models.CharField(max_length=500, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    # What people did about it: [{"at": ISO 8601, "by": name, "did": words, "words": their reason}]
    journal = models.JSONField(default=list, db_default=models.Value([], output_field=models.JSONField()))

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connector", "key"], name="receipt_once")]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="receipt_due", condition=models.Q(state="waiting")),
            models.Index(fields=["-id"], name="receipt_quarantined", condition=models.Q(state="quarantined")),
            models.Index(fields=["-id"], name="receipt_discarded", condition=models.Q(state="discarded")),
            models.Index(fields=["received_at"], name="receipt_received"),
        ]

    @classmethod
    def store(
        cls, connector: Connector, body: bytes, *, headers: dict[str, str], key: str = "", at: datetime | None = None
    ) -> int | None:
        """The new receipt's id, or None when these bytes are here already (a provider's retry, a second reader)."""
        with connection.cursor() as cursor:
            cursor.execute(
                """INSERT INTO connectors_receipt
                       (connector_id, key, body, headers, received_at, state, attempts,
                        next_attempt_at, outcomes, reason)
                   VALUES (%s, %s, %s, %s, %s, 'waiting', 0, %s, '[]', '')
                   ON CONFLICT (connector_id, key) DO NOTHING RETURNING id""",
                [
                    connector.pk,
                    key or hashlib.sha256(body).hexdigest(),
                    body,
                    json.dumps(headers),
                    at or now(),
                    now(),
                ],
            )
            row = cursor.fetchone()
        return row[0] if row else None

    @property
    def was_set_aside(self) -> bool:
        """Now, or once: then its journal or its outcomes say so."""
        aside = self.state in (ReceiptState.QUARANTINED, ReceiptState.DISCARDED)
        return aside or bool(self.journal) or any(each.get("outcome") == "quarantine" for each in self.outcomes)

    def raw(self) -> RawInput:
        return RawInput(
            body=bytes(self.body),
            headers=self.headers,
            received_at=self.received_at,
            account=self.connector.account(),
        )

    def finish(self, outcomes: list[dict[str, Any]], reason: str = "") -> None:
        bad = any(outcome["outcome"] == "quarantine" for outcome in outcomes)
        self.state = ReceiptState.QUARANTINED if bad else ReceiptState.DONE
        self.outcomes, self.reason, self.done_at = outcomes, reason[:500], now()
        rows.update_later(self, ["state", "outcomes", "reason", "done_at"])
