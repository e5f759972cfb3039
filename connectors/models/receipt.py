"""What came in, byte by byte, and what became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models
from django.db.models.lookups import Exact
from django.utils.timezone import now

from config.database import rows
from connectors.messages import RawInput
from connectors.models.connector import Connector


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


FINISH_EACH = """UPDATE connectors_receipt
    SET state = 'done', reason = '', done_at = %s, outcomes = told.outcomes::jsonb
    FROM unnest(%s::bigint[], %s::text[]) AS told(id, outcomes) WHERE connectors_receipt.id = told.id"""


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

    @classmethod
    def finish_each(cls, done: Sequence[tuple[Receipt, dict[str, Any]]]) -> None:
        """The same for several with one good outcome each."""
        keys, told = [receipt.pk for receipt, _ in done], [json.dumps([outcome]) for _, outcome in done]
        rows.send(FINISH_EACH, [now(), keys, told])
