"""The live test of a connection: asked for on its page, made beside it by the sweeper, shown there when it is done."""

from __future__ import annotations

import logging
import time
from dataclasses import asdict
from datetime import datetime

from django.db.models import F, Q
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.messages import Channel, Check
from connectors.models import Connector, Receipt
from inbox import intake
from inbox.models import Delivery, Entry, EntryKind

log = logging.getLogger(__name__)
NEWEST = 200  # receipts that are looked through
BROKEN = Check("Test", False, "The test itself broke.", fix="Please report this; the log of the sweeper says more.")


def ask(connector: Connector) -> None:
    Connector.objects.filter(pk=connector.pk).update(check_asked_at=now(), findings=None)


def due() -> list[int]:
    asked = Connector.objects.filter(check_asked_at__isnull=False)
    unanswered = asked.filter(Q(checked_at=None) | Q(checked_at__lt=F("check_asked_at")))
    return list(unanswered.values_list("pk", flat=True)[:20])


def check(connector_id: int) -> list[Check]:
    """What was found. Made twice where two sweepers run: it harms nobody. All well means that old failures are over."""
    connector = Connector.objects.select_related("team").get(pk=connector_id)
    began = now()
    try:
        found = ADAPTERS[Channel(connector.kind)].check(connector.account())
        found += _taken_in(connector, began)
    except Exception:  # a test tells what is wrong, whatever is
        log.exception("The test of %s broke", connector.name)
        found = [BROKEN]
    Connector.objects.filter(pk=connector_id).update(checked_at=now(), findings=[asdict(each) for each in found])
    if all(each.ok for each in found):
        connector.begins_anew()
        Delivery.objects.hurry(connector)
    return found


def _taken_in(connector: Connector, began: datetime) -> list[Check]:
    """What the test itself posted to us has become a receipt; it goes the way of every other."""
    newest = Receipt.objects.order_by("-pk").values_list("pk", "connector", "received_at")[:NEWEST]
    posted = next((pk for pk, of, at in newest if of == connector.pk and at >= began), None)
    if posted is None:
        return []
    started = time.monotonic()
    intake.take_in(posted)
    return [Check("Taking in", True, "What came in was read.", seconds=round(time.monotonic() - started, 3))]


def arrived(connector: Connector) -> int | None:
    """The case of the first real message that came after the test was asked for.

    Meta posts all accounts of an app to one address, so the receipt may be another connection's.
    """
    since = connector.check_asked_at
    newest = Receipt.objects.order_by("-pk").values_list("done_at", "outcomes")[:NEWEST]
    entries = [
        each["entry"]
        for done_at, outcomes in newest
        if since and done_at and done_at >= since
        for each in outcomes
        if each["outcome"] == "entry"
    ]
    real = Entry.objects.filter(pk__in=entries, connector=connector, kind=EntryKind.MESSAGE).order_by("pk")
    return real.values_list("case", flat=True).first()
