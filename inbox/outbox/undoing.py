"""Taking a reply back while none of it has left: its words, its files, and the case as it was before."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from django.utils.timezone import now

from inbox.locking import locked_with
from inbox.models import Agent, AnotherIsLive, Attachment, Case, Delivery, Draft, Entry, EntryKind, State, Status
from inbox.outbox.addressing import not_copied_in
from inbox.outbox.answering import unanswered_again

# What undo puts back on the case, beside the status and the snooze
SHOWN = ("status", "shows_move", "snoozed_until", "first_reply_at", *Case.LAST)


def before(case: Case, *, resolves: bool) -> dict[str, object]:
    """What the case was before a reply, kept with the reply."""
    snoozed = case.snoozed_until.isoformat() if case.status == Status.SNOOZED and case.snoozed_until else None
    return {"snoozed_until": snoozed, "resolves": resolves}


def undo(entry: Entry, *, by: Agent) -> Draft | None:
    """Takes a reply back and returns its text as a draft; None when any of it has left, and then nothing is changed."""
    with locked_with(entry) as case:
        if not _take_back(entry):
            return None
        unanswered_again(case, entry)
        _put_case_back(case, entry, by)
        draft = _draft_again(case, entry, by)
        case.changed(entry, *SHOWN)
    return draft


def _take_back(entry: Entry) -> bool:
    """A claim waits for these row locks, and then finds nothing queued; one that came first is seen here."""
    deliveries = list(entry.deliveries.select_for_update())
    if not deliveries or any(each.state != State.QUEUED or each.attempts for each in deliveries):
        return False
    Delivery.objects.filter(entry=entry).update(state=State.CANCELLED, attachment=None, changed_at=now())
    entry.unsent_at = now()
    entry.save(update_fields=["unsent_at"])
    return True


def _put_case_back(case: Case, entry: Entry, by: Agent) -> None:
    was = entry.data.get("case_was", {})
    if was.get("resolves"):
        with suppress(AnotherIsLive):
            case.reopen(by=by, because="took the answer back")
    snoozed_until = datetime.fromisoformat(was["snoozed_until"]) if was.get("snoozed_until") else None
    if snoozed_until and snoozed_until > now() and case.is_live:
        case.status, case.snoozed_until = Status.SNOOZED, snoozed_until
    replies = case.timeline().filter(kind=EntryKind.REPLY, unsent_at=None).order_by("pk")
    case.first_reply_at = replies.values_list("created_at", flat=True).first()
    case.show_latest()


def _draft_again(case: Case, entry: Entry, by: Agent) -> Draft:
    """Above whatever was begun meanwhile."""
    draft, _ = Draft.objects.get_or_create(case=case, agent=by, channel=entry.channel)
    draft.text = "\n\n".join(text for text in (entry.written_text, draft.text) if text.strip())
    draft.subject, draft.saved_at = entry.subject, now()
    if entry.headers:
        draft.cc, draft.bcc = not_copied_in(case, entry), ", ".join(entry.data.get("bcc", []))
        draft.sent_to = entry.data.get("sent_to") or (entry.identity.value if entry.identity else "")
    draft.save()
    Attachment.objects.filter(entry=entry).update(entry=None, draft=draft)
    return draft
