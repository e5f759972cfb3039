"""What an agent says of a sender: that it is a person after all, or that nobody wants to hear of it."""

from __future__ import annotations

from contextlib import suppress

from django.db import transaction
from django.utils.timezone import now

from connectors.messages import Classification
from customers.models import Identity
from inbox.intake.places import place
from inbox.intake.threads import lock_with
from inbox.locking import ATTEMPTS, Moved, locked
from inbox.models import Agent, Case, Entry, EntryKind


def this_is_a_person(entry: Entry, *, by: Agent) -> Case:
    """A filed mail goes where it would have gone as a person's, and its sender is never filed again.

    When a colleague was faster, only their case is returned.
    """
    for _ in range(ATTEMPTS):
        with suppress(Moved), transaction.atomic():
            return _from_a_person(entry.pk, by)
    raise Moved


def _from_a_person(pk: int, by: Agent) -> Case:
    seen = Entry.objects.select_related("identity__customer", "case__customer").get(pk=pk)
    assert seen.identity is not None
    customer, last, thread = lock_with(seen.identity, seen.case.current() if seen.case else None)
    entry = Entry.objects.select_related("connector__team").get(pk=pk)
    if entry.kind != EntryKind.FILED:
        assert entry.case is not None
        return entry.case.current()
    if entry.case_id != seen.case_id:
        raise Moved
    Identity.objects.filter(pk=seen.identity.pk).update(is_person=True, blocked_at=None)
    customer.heard_from("")
    entry.identity = seen.identity
    entry.classification, entry.reason = Classification.PERSON, "An agent said that this is a person."
    entry.touched_at = now()
    case = place(entry, customer, thread, last)
    case.record(Entry.event_of("is_person", "said that this is a person", by=by))
    return case


def block(identity: Identity, *, by: Agent) -> None:
    """What this address sends from now on is filed as spam. Other addresses of the same person are not touched."""
    Identity.objects.filter(pk=identity.pk).update(blocked_at=now(), is_person=False)
    _say(identity, f"blocked {identity.shown}", by)


def unblock(identity: Identity, *, by: Agent) -> None:
    Identity.objects.filter(pk=identity.pk).update(blocked_at=None)
    _say(identity, f"unblocked {identity.shown}", by)


def _say(identity: Identity, words: str, by: Agent) -> None:
    case = Case.objects.live_of(identity.customer.current())
    if case:
        with locked(case) as case:
            case.record(Entry.event_of("blocked", words, by=by))
