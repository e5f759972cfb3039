"""What people do to messages that are here already: edit them, take them back, react. In any order, late and twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from connectors.messages import Edit, Reaction, Unsend
from connectors.models import Connector
from inbox.intake import files, outcomes, told
from inbox.intake.outcomes import Duplicate, Outcome
from inbox.intake.reports import known_message
from inbox.locking import Moved, lock_owner, locked_with
from inbox.models import Case, Delivery, Entry, EntryKind, Fact, FactKind, ProviderMessage
from inbox.outbox.answering import unanswered_again


def edit(connector: Connector, item: Edit) -> Outcome:
    with _under_lock(connector, item.provider_id) as (_, entry, case):
        if entry.unsent_at or item.number <= int(entry.data.get("edits", 0)):
            raise Duplicate(entry.pk, entry.case_id)
        before = entry.text
        entry.data["edits"] = item.number
        entry.data.setdefault("before", []).append(before)
        entry.text, entry.edited_at = item.text, now()
        entry.save(update_fields=["text", "edited_at", "data"])
        if case:
            _forget(case, entry, entry.facts.filter(kind=FactKind.ORDER))
            _tell_again(case, entry, [before])
    return outcomes.update("edited", entry.pk)


def unsend(connector: Connector, item: Unsend) -> Outcome:
    """What was made of the words goes with them, and so do our copies of the files; that something was said stays."""
    with _under_lock(connector, item.provider_id) as (known, entry, case):
        if entry.unsent_at:
            raise Duplicate(entry.pk, entry.case_id)
        before = [entry.text, *entry.data.pop("before", [])]
        part = known.delivery
        if part and entry.deliveries.exclude(pk=part.pk).exclude(text="", attachment=None).exists():
            _take_out(part, entry)
        else:
            _empty(entry)
            if case and entry.is_ours:
                _waits_again(case, entry)
        entry.touched_at = now()
        entry.save(update_fields=["text", "html", "quoted", "unsent_at", "remark", "data", "touched_at"])
        if case:
            _forget(case, entry, entry.facts.all())
            _tell_again(case, entry, before)
    return outcomes.update("unsent", entry.pk)


def reaction(connector: Connector, item: Reaction) -> Outcome:
    """Webhooks come late, twice and in any order: the newest word of each person holds, also that it was taken back."""
    with _under_lock(connector, item.provider_id) as (_, entry, case):
        who, times = item.sender.address, entry.data.setdefault("reacted_at", {})
        if item.at and who in times and item.at < datetime.fromisoformat(times[who]):
            raise Duplicate(entry.pk, entry.case_id)
        if item.at:
            times[who] = item.at.isoformat()
        if item.emoji:
            entry.reactions[who] = item.emoji
        else:
            entry.reactions.pop(who, None)
        entry.touched_at = now()
        entry.save(update_fields=["reactions", "data", "touched_at"])
        if case:
            case.changed(entry)
    return outcomes.update("reaction", entry.pk)


@contextmanager
def _under_lock(connector: Connector, provider_id: str) -> Iterator[tuple[ProviderMessage, Entry, Case | None]]:
    """The message as it is under its customer's lock, and the case it is read in. Filed mail has none: when somebody
    gave it one meanwhile, Moved is raised."""
    known = known_message(connector, provider_id)
    if known.entry.erased_at:
        raise Duplicate(known.entry_id, known.entry.case_id)
    with locked_with(known.entry) if known.entry.case_id else _locked_owner(known.entry) as case:
        entry = Entry.objects.select_related("identity").get(pk=known.entry_id)
        if entry.case_id and case is None:
            raise Moved
        if entry.erased_at:
            raise Duplicate(entry.pk, entry.case_id)
        yield known, entry, case


@contextmanager
def _locked_owner(entry: Entry) -> Iterator[None]:
    assert entry.identity is not None
    with transaction.atomic():
        lock_owner(entry.identity)
        yield


def _take_out(part: Delivery, entry: Entry) -> None:
    """One provider message of several that a reply of ours became."""
    entry.text = entry.text.replace(part.text.strip(), "", 1).strip() if part.text.strip() else entry.text
    files.forget(entry.attachments.filter(pk=part.attachment_id or 0))
    Delivery.objects.filter(pk=part.pk).update(text="")


def _empty(entry: Entry) -> None:
    files.forget(entry.attachments.all())
    entry.deliveries.update(text="")
    entry.text, entry.html, entry.quoted, entry.unsent_at = "", "", "", now()
    entry.remark = "Deleted by the sender"


def _waits_again(case: Case, entry: Entry) -> None:
    """Our answer is gone, unless we wrote again since."""
    later = case.timeline().that_left().filter(channel=entry.channel, pk__gt=entry.pk)
    if case.is_live and not later.exists():
        unanswered_again(case, entry)
        Entry.objects.filter(pk__in=entry.data["untied"]).update(touched_at=now())


def _tell_again(case: Case, entry: Entry, before: list[str]) -> None:
    """What lists and cards had taken from the old words follows the new ones."""
    if case.last_entry_id == entry.pk:
        case.preview = entry.preview
    named_after = [_as_subject(words) for words in before if words.strip()]
    Case.objects.filter(pk__in=case.family(), subject__in=named_after).update(subject=_as_subject(entry.text))
    case.refresh_from_db(fields=["subject"])
    case.changed(entry, "preview", "status", "shows_move", "has_failed_delivery")


def _as_subject(words: str) -> str:
    return " ".join(words.split())[:300] or "(no subject)"


def _forget(case: Case, entry: Entry, facts: QuerySet[Fact]) -> None:
    """What it told; unless another message told the same, which counts then."""
    lost = list(facts.values_list("value", flat=True))
    facts.delete()
    entry.mentions.all().delete()
    telling = Q(pk=entry.pk)
    for value in lost:
        telling |= Q(text__contains=value)
    for each in case.timeline().filter(telling, kind=EntryKind.MESSAGE).exclude(text="").order_by("pk"):
        told.note(case, case.customer.current(), each)
