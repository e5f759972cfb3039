"""Does what is due, every second, without Redis. Everything else only makes things faster; this makes them certain."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.utils.timezone import now

from connectors.models import Receipt
from inbox import intake, outbox
from inbox.locking import locked
from inbox.models import Agent, Alert, AlertSeen, Case, Role, Status

log = logging.getLogger(__name__)
MOST = 200


def receipts() -> int:
    due = Receipt.objects.due().order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:MOST]
    return sum(intake.take_in(pk) for pk in list(due))


def snoozes() -> int:
    due = Case.objects.filter(status=Status.SNOOZED, snoozed_until__lte=now())
    cases = list(due[:MOST])
    for case in cases:
        with locked(case) as current:
            if current.snoozed_until and current.snoozed_until <= now():
                current.wake()
    return len(cases)


def unseen_alerts() -> int:
    """Nobody has looked for some minutes: the supervisors hear of it, once."""
    limit = now() - timedelta(minutes=settings.UNSEEN_ALERT_MINUTES)
    unseen = Alert.objects.open().filter(raised_at__lt=limit, escalated_at=None).exclude(loudness="quiet")
    supervisors = list(Agent.objects.active().exclude(role=Role.AGENT).values_list("pk", flat=True))
    count = 0
    for alert in unseen[:MOST]:
        if AlertSeen.objects.filter(alert=alert, seen_at__gte=alert.raised_at).exists():
            continue
        if Alert.objects.filter(pk=alert.pk, escalated_at=None).update(escalated_at=now()):
            alert.announce(supervisors)
            count += 1
    return count


WORK: tuple[Callable[[], int], ...] = (
    receipts,
    outbox.deliver_due,
    intake.fetch_files,
    outbox.look_up_lost,
    snoozes,
    unseen_alerts,
)


def sweep() -> int:
    """One round over everything; how much was done. One kind of work that breaks does not stop the others."""
    done = 0
    for work in WORK:
        try:
            done += work()
        except Exception:
            log.exception("Sweeping %s broke; it is tried again in a second", work.__name__)
    return done
