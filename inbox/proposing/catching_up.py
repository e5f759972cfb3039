"""The sweeper's share: what no worker looked at, and what is known of people who are on record and may never write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils.timezone import now

from customers.identities import UNPROVEN
from customers.models import Customer, Identity
from inbox.models import Considered, Entry, EntryKind, Trace, TraceKind, Upto
from inbox.proposing.imported import propose_imported
from inbox.proposing.looking import look_at_each, of_identity, propose_each
from inbox.proposing.signals import SAME, todays_form

LATE, LOST = timedelta(seconds=20), timedelta(minutes=15)
MOST_LATE, MOST_NAMES, MOST_NUMBERS = 100, 500, 2_000
RULES = "numbers 1"  # another name when customers/numbers.py learns of another country: all are read again


def catch_up() -> int:
    window = (now() - LOST, now() - LATE)
    seen = Considered.objects.filter(entry=OuterRef("pk"))
    late = Entry.objects.filter(kind=EntryKind.MESSAGE, created_at__range=window).exclude(Exists(seen)).order_by("pk")
    found = list(late.values_list("pk", flat=True)[:MOST_LATE])
    look_at_each(found)
    Considered.objects.filter(at__lt=now() - 2 * LOST).delete()
    return len(found) + read_names() + read_numbers() + propose_imported()


def read_names() -> int:
    """The next few hundred, in the order they came to be known."""
    place, _ = Upto.objects.get_or_create(name="identities")
    settled = Identity.objects.filter(pk__gt=place.number, first_seen_at__lt=now() - LATE).order_by("pk")
    batch = list(settled.select_related("customer")[:MOST_NAMES])
    rows = [
        Trace(identity=each, kind=found.kind, value=found.value)
        for each in batch
        if each.scope != UNPROVEN and not each.erased_at
        for found in of_identity(each)
    ]
    _write(rows)
    if batch:
        Upto.objects.filter(pk=place.pk).update(number=batch[-1].pk)
    return len(batch)


def read_numbers() -> int:
    """A number from before the rules of its country were known may have a second row in today's form, and another
    owner. It is noted on the old row, where whoever writes from the new one finds it, and the agents are asked."""
    place, _ = Upto.objects.get_or_create(name=RULES)
    batch = list(Identity.objects.filter(pk__gt=place.number).order_by("pk")[:MOST_NUMBERS])
    rows = [
        Trace(identity=each, kind=TraceKind.PHONE, value=form, manner=SAME)
        for each in batch
        if (form := _todays_form(each)) and form != each.value
    ]
    _write(rows)
    propose_each(Customer.objects.filter(pk__in={row.identity.customer_id for row in rows}))
    if batch:
        Upto.objects.filter(pk=place.pk).update(number=batch[-1].pk)
    return len(batch)


def _write(rows: Sequence[Trace]) -> None:
    """Nobody is locked: whoever was erased since they were read leaves no trace."""
    Trace.objects.bulk_create(rows, ignore_conflicts=True)
    Trace.objects.filter(identity__in=[row.identity_id for row in rows], identity__erased_at__isnull=False).delete()


def _todays_form(identity: Identity) -> str:
    is_somebodys = identity.erased_at is None and identity.scope != UNPROVEN
    return todays_form(identity.kind, identity.value) if is_somebodys else ""
