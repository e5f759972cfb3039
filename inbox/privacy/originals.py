"""The raw bytes that what was erased came in. There may be many: a worker removes them, under nobody's lock, some at a
time. What is still to be done stands in the row, so whoever dies over it loses nothing, and the sweeper goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta

from celery import shared_task
from django.db import transaction
from django.utils.timezone import now

from connectors.models import Receipt
from customers.models import Customer, Identity
from inbox.models import Act, Audit, Entry, Erasing
from inbox.privacy import receipts
from inbox.wake import wake

BATCH = 500
A_WHILE = timedelta(minutes=1)


def remove_later(person: Customer, entries: Sequence[Entry], identities: Sequence[Identity]) -> None:
    """Asked before the addresses go: by what else than these would be known what came from them."""
    addresses = {str(each.pk): asdict(receipts.Address.of(each)) for each in identities}
    row = Erasing.objects.create(customer_id=person.pk, entries=[each.pk for each in entries], addresses=addresses)
    wake(remove_task, row.pk)


def are_to_go(receipt: Receipt) -> bool:
    """Erased, and not removed yet: nobody reads them any more."""
    told = {each.get("entry") for each in receipt.outcomes}
    return any(
        not told.isdisjoint(row.entries)
        or any(receipts.is_from(receipts.Address(**each), receipt) for each in row.addresses.values())
        for row in Erasing.objects.all()
    )


def remove(pk: int) -> int:
    """How many receipts. None of them when somebody else is at it."""
    gone = 0
    try:
        while (some := _remove_some(pk)) is not None:
            gone += some
    except BaseException:
        Erasing.objects.filter(pk=pk).update(next_at=now() + A_WHILE)
        raise
    return gone


@shared_task(name="inbox.privacy.remove_originals")
def remove_task(erasing_id: int) -> None:
    remove(erasing_id)


def remove_due() -> int:
    """The sweeper's share: what no worker took, and what one left behind."""
    due = Erasing.objects.due().order_by("next_at").values_list("pk", flat=True)
    return sum(remove(pk) for pk in list(due[:10]))


def _remove_some(pk: int) -> int | None:
    """Those of some messages, or of one address; None once nothing is left."""
    with transaction.atomic():
        row = Erasing.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
        if row is None:
            return None
        if row.entries:
            some, row.entries = row.entries[:BATCH], row.entries[BATCH:]
            gone = receipts.forget_those_of(list(Entry.objects.filter(pk__in=some).only(*receipts.WHERE_IT_CAME)))
        elif row.addresses:
            gone = receipts.forget_those_from(receipts.Address(**row.addresses.popitem()[1]))
        else:
            found = {"receipts": row.emptied}
            Audit.objects.note(Act.ORIGINALS, by=None, customer=Customer(pk=row.customer_id), found=found)
            row.delete()
            return None
        row.emptied += gone
        row.save(update_fields=["entries", "addresses", "emptied"])
        return gone
