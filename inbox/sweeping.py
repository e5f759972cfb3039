"""Does what is due, every second, without Redis. Everything else only makes things faster; this makes them certain."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils.timezone import now

from connectors.models import Receipt
from inbox import checking, importing, intake, outbox, privacy, proposing, reconciling, renewing
from inbox.locking import locked
from inbox.models import Agent, Alert, AlertSeen, Case, Role, Status

log = logging.getLogger(__name__)
MOST = 200
GRACE = timedelta(seconds=2)  # for the worker that was asked to send a delivery when it is due


def receipts() -> int:
    due = Receipt.objects.due().order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:MOST]
    return sum(intake.take_in(pk) for pk in list(due))


def snoozes() -> int:
    due = Case.objects.unmerged().filter(status=Status.SNOOZED, snoozed_until__lte=now())
    cases = list(due[:MOST])
    for case in cases:
        with locked(case) as current:
            if current.snoozed_until and current.snoozed_until <= now():
                current.wake()
    return len(cases)


def unseen_alerts() -> int:
    """Nobody has looked for some minutes: the supervisors hear of it, once."""
    limit = now() - timedelta(minutes=settings.UNSEEN_ALERT_MINUTES)
    seen = AlertSeen.objects.filter(alert=OuterRef("pk"), seen_at__gte=OuterRef("raised_at"))
    due = Alert.objects.open().filter(raised_at__lt=limit, escalated_at=None).exclude(loudness="quiet")
    supervisors = list(Agent.objects.active().exclude(role=Role.AGENT).values_list("pk", flat=True))
    count = 0
    for alert in due.exclude(Exists(seen))[:MOST]:
        if Alert.objects.filter(pk=alert.pk, escalated_at=None).update(escalated_at=now()):
            alert.announce(supervisors)
            count += 1
    return count


class Hands:
    """A few threads for work that waits for other people's servers: one that hangs holds up only itself."""

    def __init__(self, number: int) -> None:
        self.pool = ThreadPoolExecutor(number, thread_name_prefix="hand")
        self.busy: dict[object, Future[None]] = {}

    def start(self, name: object, work: Callable[[], object]) -> bool:
        """False when that very work is still being done."""
        if name in self.busy and not self.busy[name].done():
            return False
        self.busy = {name: future for name, future in self.busy.items() if not future.done()}
        self.busy[name] = self.pool.submit(self._do, work)
        return True

    def wait(self) -> None:
        for future in list(self.busy.values()):
            future.result()

    def _do(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception:  # whatever it is, the next second must come
            log.exception("Sweeping broke; it is tried again in a second")
        finally:
            connection.close()


def start_late_deliveries(hands: Hands) -> None:
    """What no worker took in time: Redis is down, no worker runs, or it is a retry."""
    for pk in outbox.overdue(by=GRACE):
        hands.start(("delivery", pk), partial(outbox.deliver, pk))


CARE: tuple[tuple[str, Callable[[], list[int]], Callable[[int], object]], ...] = (
    ("sign-in of", renewing.due, renewing.renew),
    ("test of", checking.due, checking.check),
    ("messages of", reconciling.due, reconciling.reconcile),
    ("file", intake.due_files, intake.fetch_file),
)


def start_care(hands: Hands) -> None:
    """Each apart: a connection whose provider hangs keeps no other waiting."""
    for name, due, work in CARE:
        for pk in due():
            hands.start((name, pk), partial(work, pk))


OURS: tuple[Callable[[], int], ...] = (receipts, snoozes, unseen_alerts)
THEIRS: tuple[Callable[[], int], ...] = (
    intake.look_up_profiles,
    outbox.look_up_lost,
    privacy.tidy,
    proposing.catch_up,
    importing.catch_up,
)


def sweep(hands: Hands) -> int:
    """One round over everything; how much was done. One kind of work that breaks does not stop the others."""
    done = 0
    for work in OURS:
        try:
            done += work()
        except Exception:  # one kind of work never stops another
            log.exception("Sweeping %s broke; it is tried again in a second", work.__name__)
    start_late_deliveries(hands)
    start_care(hands)
    for work in THEIRS:
        hands.start(work.__name__, work)
    return done
