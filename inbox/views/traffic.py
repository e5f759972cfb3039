"""What went through each connection of late, counted over the newest rows only: for the health page."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count

from connectors.models import Receipt, ReceiptState
from inbox.models import Delivery, State

NEWEST = 1_000


@dataclass(slots=True)
class Traffic:
    """`lag`: how long what came in waited on average until it was taken in."""

    waiting: int = 0
    unsent: int = 0
    received: int = 0
    set_aside: int = 0
    sent: int = 0
    failed: int = 0
    lag: timedelta | None = None

    @property
    def queued(self) -> int:
        return self.waiting + self.unsent

    @property
    def handled(self) -> int:
        return self.received + self.sent

    @property
    def failures(self) -> int:
        return self.set_aside + self.failed

    @property
    def error_rate(self) -> int:
        """In percent of what was handled; at least 1 where anything failed."""
        return max(round(100 * self.failures / self.handled), 1) if self.failures else 0


def traffic() -> dict[int, Traffic]:
    """By the id of the connector."""
    found: dict[int, Traffic] = defaultdict(Traffic)
    waiting = Receipt.objects.filter(state=ReceiptState.WAITING).order_by().values_list("connector")
    for pk, count in waiting.annotate(Count("pk")):
        found[pk].waiting = count
    unsent = Delivery.objects.filter(state__in=[State.QUEUED, State.SENDING]).order_by().values_list("connector")
    for pk, count in unsent.annotate(Count("pk")):
        found[pk].unsent = count
    _sent(found)
    _received(found)
    return found


def _sent(found: dict[int, Traffic]) -> None:
    newest = Delivery.objects.order_by("-pk").values_list("connector_id", "state")[:NEWEST]
    for pk, state in newest:
        found[pk].sent += state not in (State.QUEUED, State.CANCELLED)
        found[pk].failed += state in (State.FAILED, State.UNKNOWN)


def _received(found: dict[int, Traffic]) -> None:
    waits: dict[int, list[timedelta]] = defaultdict(list)
    newest = Receipt.objects.order_by("-pk").values_list("connector_id", "state", "received_at", "done_at")[:NEWEST]
    for pk, state, received_at, done_at in newest:
        found[pk].received += 1
        found[pk].set_aside += state == ReceiptState.QUARANTINED
        if done_at and state == ReceiptState.DONE:
            waits[pk].append(max(done_at - received_at, timedelta()))
    for pk, each in waits.items():
        found[pk].lag = sum(each, timedelta()) / len(each)
