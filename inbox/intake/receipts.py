"""The durable inbox: a receipt is claimed, parsed, and every item in it gets exactly one recorded outcome."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial

from celery import shared_task
from django.db import Error, connection, transaction
from django.db.models import F
from django.utils.timezone import now

from config.database import rows
from connectors.adapters import ADAPTERS
from connectors.messages import Channel, Item, Malformed
from connectors.models import Receipt, ReceiptState, at_hand
from inbox import live
from inbox.intake import items, outcomes, together
from inbox.intake.items import OUTAGES
from inbox.intake.outcomes import NotYet, Outcome, TryLater
from inbox.intake.together import Claimed
from inbox.models import Agent, Entry

log = logging.getLogger(__name__)
LEASE, LEASE_OF_EACH = timedelta(seconds=60), timedelta(seconds=8)  # a mail may take six to be read
MOST_ATTEMPTS = 5
PATIENCE = [2, 10, 60, 300]  # seconds until an item that came too early is tried again
OUTAGE = timedelta(seconds=15)  # until what waits for a disk or the database is tried again
SETTLED = ("entry", "update", "duplicate")
ROOM = 4 * 1024**2  # bytes that are claimed at once, or one receipt if it is larger
# Those somebody else is claiming are theirs. A claim that a power cut takes back is made again, so it does not wait for
# the disk.
CLAIM = """WITH due AS (
    SELECT id, octet_length(body) AS size FROM connectors_receipt
    WHERE id = ANY(%(ids)s) AND state = 'waiting' AND next_attempt_at <= %(now)s
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED),
mine AS (SELECT id, sum(size) OVER (ORDER BY id) - size AS before FROM due)
UPDATE connectors_receipt SET attempts = attempts + 1, next_attempt_at = %(until)s
    WHERE id IN (SELECT id FROM mine WHERE before < %(room)s)
    RETURNING {columns}, set_config('synchronous_commit', 'off', true) AS hurry"""


def take_in(receipt_id: int) -> bool:
    """Takes in one receipt; False when it is done, somebody else's, or not due. Safe to call any number of times."""
    claimed = _claim([receipt_id])
    for receipt in claimed:
        _settle(receipt, partial(_parsed, receipt))
    return bool(claimed)


def take_in_each(receipt_ids: Iterable[int]) -> None:
    """In their order; while some are being stored the next ones are being read, mail in another process."""
    waiting, reader = {*receipt_ids}, ThreadPoolExecutor(1, "reader")
    try:
        while waiting and (claimed := _claim([*waiting])):
            waiting -= {receipt.pk for receipt in claimed}
            _settle_each(deque((receipt, reader.submit(_parsed, receipt)) for receipt in claimed))
    finally:  # who is told to stop does not wait for what is being read
        reader.shutdown(wait=False, cancel_futures=True)


def _settle_each(left: deque[Claimed]) -> None:
    """Together where they can be. Those behind one that breaks everything are free at once."""
    try:
        while left:
            for _ in range(together.store(left)):
                receipt, reading = left.popleft()
                _settle(receipt, reading.result)
    except BaseException:
        with suppress(Error):
            _wait([receipt for receipt, _ in left])
        raise


def _settle(receipt: Receipt, read: Callable[[], list[Item]]) -> None:
    try:
        if receipt.attempts > MOST_ATTEMPTS:
            reason = f"It was tried {MOST_ATTEMPTS} times, and each time the worker died."
            _finish(receipt, [outcomes.quarantine(reason, fix=outcomes.OURS)])
        else:
            _take_all(receipt, read())
    except TryLater as error:
        _wait([receipt], OUTAGE, str(error))
    except OUTAGES:
        connection.close()
        with suppress(Error):
            _wait([receipt], OUTAGE, "The database was away.")
        raise


def _take_all(receipt: Receipt, found: list[Item]) -> None:
    """What was settled the last time, before a retry or a replay, is settled: it is neither done nor told again."""
    before = receipt.outcomes if len(receipt.outcomes) == len(found) else [{"outcome": ""}] * len(found)
    results: list[Outcome] = []
    early = False
    for item, known in zip(found, before, strict=True):
        try:
            is_settled = known["outcome"] in SETTLED
            results.append(known if is_settled else items.take(item, receipt, is_alone=len(found) == 1))
        except NotYet as error:
            early = True
            results.append(outcomes.ignored("unknown message", str(error)))
    if receipt.state == ReceiptState.DONE and results[-1]["outcome"] == "entry":
        return  # committed together with its only message
    if early and receipt.attempts <= len(PATIENCE):
        Receipt.objects.filter(pk=receipt.pk).update(
            outcomes=results, next_attempt_at=now() + timedelta(seconds=PATIENCE[receipt.attempts - 1])
        )
    else:
        _finish(receipt, results)


def _parsed(receipt: Receipt) -> list[Item]:
    if receipt.attempts > MOST_ATTEMPTS:
        return []  # reading it may be what each worker died of
    try:
        return ADAPTERS[Channel(receipt.connector.kind)].parse(receipt.raw())
    except OSError as error:  # the parser is a process of its own
        raise TryLater("No process could be started to read it.") from error
    except Exception as error:  # no input stops those behind it; this one is shown in the quarantine
        log.exception("Receipt %s could not be read", receipt.pk)
        return [Malformed(f"It could not be read ({type(error).__name__}).")]


def _finish(receipt: Receipt, results: list[Outcome]) -> None:
    bad = [each["reason"] for each in results if each["outcome"] == "quarantine"]
    with transaction.atomic():
        receipt.finish(results, "; ".join(bad))
        if not bad and _brings_back_what_was_erased(results):
            Receipt.objects.filter(pk=receipt.pk).update(body=b"", headers={})
    if bad:
        live.announce(lambda: {"kind": "board"})


def _brings_back_what_was_erased(results: list[Outcome]) -> bool:
    """A mailbox that is read again, a provider that repeats itself: known, and not to be kept."""
    known = [each["entry"] for each in results if each["outcome"] == "duplicate" and each["entry"]]
    if known and Entry.objects.filter(pk__in=known, erased_at__isnull=False).exists():
        return True
    return any(each == outcomes.erased() for each in results)


def _wait(receipts: Collection[Receipt], time: timedelta = timedelta(), reason: str = "") -> None:
    """Nothing is wrong with them, so the try does not count."""
    if receipts:
        waiting = Receipt.objects.filter(pk__in=[receipt.pk for receipt in receipts], state=ReceiptState.WAITING)
        waiting.update(attempts=F("attempts") - 1, next_attempt_at=now() + time, reason=reason)


@shared_task(name="inbox.intake.take_in")
def take_in_task(*receipt_ids: int) -> None:
    take_in_each(receipt_ids)


def _claim(receipt_ids: Sequence[int]) -> list[Receipt]:
    """Those that are due, in their order, as many as there is room for."""
    at = now()
    until = at + LEASE + LEASE_OF_EACH * (len(receipt_ids) - 1)
    about = {"ids": list(receipt_ids), "now": at, "until": until, "room": ROOM}
    claimed = sorted(rows.fetch(Receipt, CLAIM, about), key=lambda receipt: receipt.pk)
    for receipt in claimed:
        receipt.connector = at_hand(pk=receipt.connector_id)
    return claimed


def replay(receipt: Receipt, *, by: Agent | None) -> Receipt:
    """Takes in again what was set aside; what came through the first time is left as it is. Nobody: at a terminal."""
    Receipt.objects.filter(pk=receipt.pk).release(by=by.name if by else "manage.py replay")
    take_in(receipt.pk)
    return Receipt.objects.get(pk=receipt.pk)
