"""One message is erased: a card number, a photo of somebody else's passport, words meant for another."""

from __future__ import annotations

from contextlib import suppress

from django.db import transaction

from inbox.locking import ATTEMPTS, Moved, lock_owner, locked_with
from inbox.models import Act, Agent, Audit, Entry, State
from inbox.privacy import receipts
from inbox.privacy.emptying import Emptied, correct, empty


class StillHeld(Exception):
    """A reply that has not left yet can be taken back; `words` say so."""

    words = "It has not left yet: take it back instead, or wait until it has left."


def redact(entry: Entry, *, by: Agent | None, why: str) -> bool:
    """False when it was erased before. Raises StillHeld."""
    filed = _filed(entry, by) if entry.case_id is None else None
    if filed:
        _note(entry, by, why, filed)
        return bool(filed.entries)
    with locked_with(entry) as case:
        found = _emptied(entry, by)
        if found.entries:
            correct(case, found)
            _note(entry, by, why, found)
    return bool(found.entries)


def _filed(entry: Entry, by: Agent | None) -> Emptied | None:
    """Filed mail lies in no case. None when it came into one meanwhile."""
    for _ in range(ATTEMPTS):
        fresh = Entry.objects.select_related("identity").get(pk=entry.pk)
        with suppress(Moved), transaction.atomic():
            if fresh.identity and not fresh.identity.erased_at:
                lock_owner(fresh.identity)
            entry.case_id = Entry.objects.values_list("case", flat=True).get(pk=entry.pk)
            return None if entry.case_id else _emptied(entry, by)
    raise Moved


def _emptied(entry: Entry, by: Agent | None) -> Emptied:
    if entry.deliveries.filter(state__in=[State.QUEUED, State.SENDING]).exists():
        raise StillHeld
    found = empty(list(Entry.objects.filter(pk=entry.pk).defer("html", "quoted", "search")), by=by)
    found.counted["receipts"] += receipts.forget_those_of(found.entries)
    return found


def _note(entry: Entry, by: Agent | None, why: str, found: Emptied) -> None:
    Audit.objects.note(Act.REDACT, by=by, why=why, case=entry.case_id, entry=entry.pk, found=found.counted)
