"""Messages lose all that was said in them: words, files, what was read out of them, what was sent.

That something was said, when, on which channel and by which side stays, and so do waits and figures; and by what the
provider calls it, it is known again when it is told once more.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils.timezone import now

from inbox.intake import files, told
from inbox.models import Agent, Attachment, Case, Delivery, Entry, EntryKind, Fact, State
from inbox.privacy.hanging import delete_hanging

SAID = ("text", "quoted", "html", "subject", "remark", "reason")
WHO = ("author", "message_id", "uuid")
CHANGED = (*SAID, *WHO, "headers", "reactions", "data", "erased_at", "touched_at")


@dataclass
class Emptied:
    """What went, and what is needed to correct what was made of it."""

    entries: Sequence[Entry] = ()
    subjects: set[str] = field(default_factory=set)
    facts: dict[int, set[str]] = field(default_factory=dict)  # by case
    counted: Counter[str] = field(default_factory=Counter)


def empty(entries: Sequence[Entry], *, by: Agent | None, knows_nobody: bool = False) -> Emptied:
    """Expects their customers' lock. `knows_nobody`: who wrote it goes as well, and no answer to it finds it again."""
    rows = [each for each in entries if each.erased_at is None]
    ids = [each.pk for each in rows]
    uploads = Attachment.objects.filter(entry__in=ids)
    found = Emptied(rows, _subjects(rows), _facts(ids))
    found.counted.update(entries=len(rows), files=uploads.count())
    files.forget(uploads)
    sent = Delivery.objects.filter(entry__in=ids)
    sent.filter(state=State.QUEUED).update(state=State.CANCELLED, changed_at=now())
    sent.update(text="", reason="")
    delete_hanging(Entry, ids)
    for entry in rows:
        _empty(entry, by, knows_nobody)
    Entry.objects.bulk_update(rows, CHANGED, batch_size=100)
    return found


def _subjects(rows: Sequence[Entry]) -> set[str]:
    """By what a case may have been named after them."""
    return {words for each in rows for words in (each.subject[:300], " ".join(each.text.split())[:300]) if words}


def _facts(ids: Sequence[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for case, value in Fact.objects.filter(entry__in=ids).values_list("case", "value"):
        found.setdefault(case, set()).add(value)
    return found


def _empty(entry: Entry, by: Agent | None, knows_nobody: bool) -> None:
    for name in SAID:
        setattr(entry, name, "")
    entry.headers, entry.reactions = {}, {}
    entry.data = {name: value for name, value in entry.data.items() if _says_nothing(value)}
    entry.data["erased_by"] = by.name if by else ""
    entry.erased_at = entry.touched_at = now()
    if knows_nobody:
        entry.message_id, entry.uuid = "", uuid.uuid4()
        if not entry.is_ours:
            entry.author = ""


def _says_nothing(value: Any) -> bool:
    """Ids and marks."""
    if isinstance(value, list):
        return all(isinstance(each, int) for each in value)
    return isinstance(value, bool | int)


def correct(case: Case, found: Emptied) -> None:
    """What lists, cards and facts had taken from the words follows what is left. Expects the customer's lock."""
    Case.objects.filter(pk__in=case.family(), subject__in=found.subjects).update(subject="")
    case.refresh_from_db(fields=["subject"])
    _tell_again(case, found)
    case.show_latest()
    case.changed(None, *Case.LAST)


def _tell_again(case: Case, found: Emptied) -> None:
    """What another message told as well is still told."""
    telling = Q()
    for value in {value for each in case.family() for value in found.facts.get(each, ())}:
        telling |= Q(text__contains=value)
    if telling:
        said = case.timeline().filter(telling, kind=EntryKind.MESSAGE, erased_at=None)
        for entry in said.order_by("pk")[:50]:
            told.note(case, case.customer.current(), entry)
