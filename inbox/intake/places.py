"""Where a person's words go, and what follows from them: the case, its wait, its status, a move.

Everybody concerned is locked by the caller, so no second live case of anybody can appear meanwhile.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils.timezone import now

from connectors.messages import Authenticity
from customers.models import Customer
from inbox import proposing
from inbox.intake import moves, told
from inbox.models import Case, Entry, EntryKind, Participant, ParticipantRole, Status
from inbox.wake import PATIENT


def place(entry: Entry, customer: Customer, thread: Case | None, last: moves.Last | None) -> Case:
    """Puts the words of a person into the case they belong to. `thread`: the case that a mail says it belongs to."""
    if thread and thread.customer.current().pk != customer.pk:
        case = _case_they_were_shown(thread, entry)
        if case:
            _copied_in(case, entry)
            return case
        thread = None  # that matter is over: what they write now is their own
    case = _case_of(customer, thread, entry)
    _said(case, entry, customer, last)
    return case


def _case_they_were_shown(thread: Case, entry: Entry) -> Case | None:
    """For somebody who holds our token or cites our mail, and is not the customer. A forged mail reopens nothing."""
    if entry.authenticity == Authenticity.FAIL:
        return thread if thread.is_live else Case.objects.live_of(thread.customer.current())
    return _live_or_reopened(thread.customer.current(), thread)


def _case_of(customer: Customer, thread: Case | None, entry: Entry) -> Case:
    assert entry.identity is not None
    assert entry.connector is not None
    team, words = entry.connector.team, _words_of(entry)
    if entry.identity.begins:
        return Case.objects.begun_for(customer, team, words, pk=entry.identity.begins[0])
    return _live_or_reopened(customer, thread) or Case.objects.start(customer, team, words)


def _live_or_reopened(owner: Customer, thread: Case | None) -> Case | None:
    """The thread's case if live, the live one, or one resolved lately: the thread's, else the last. A case that was
    split off is reached by its thread alone, beside the main one."""
    if thread and thread.is_live:
        return thread
    lately = now() - timedelta(days=settings.REOPEN_DAYS)
    resolved = thread if thread and thread.resolved_at and thread.resolved_at >= lately else None
    live = None if resolved and resolved.split_off else Case.objects.live_of(owner)
    case = live or resolved or Case.objects.resolved_of(owner, since=lately)
    if case:
        case.reopen(by=None, because="was reopened by a new message")
    return case


def _copied_in(case: Case, entry: Entry) -> None:
    """It waits for an answer by mail, and is no switch and not where the customer is. Forged, it only stands there."""
    assert entry.identity is not None
    _share(case, entry, entry.author)
    entry.kind = EntryKind.PARTICIPANT
    if entry.authenticity == Authenticity.FAIL:
        entry.remark = "Sender not verified"
        case.record(entry)
        return
    _wait(case, entry)
    about = {"role": ParticipantRole.OFFERED, "name": entry.author, "entry": entry}
    Participant.objects.get_or_create(case=case, identity=entry.identity, defaults=about)


def _said(case: Case, entry: Entry, customer: Customer, last: moves.Last | None) -> None:
    """The customer's own words: where they are now, perhaps a move, and what the text tells."""
    _share(case, entry, customer.first_name)
    entry.kind, entry.author = EntryKind.MESSAGE, (customer.name or entry.author)[:200]
    verdict = moves.judge(case, last, entry)
    if verdict.kind in ("late", "also_sent"):
        entry.data["late"] = True  # does not change where the customer is
    if verdict.kind == "also_sent" and last:
        entry.also_sent, entry.data["twin"] = True, last.entry_id
    changed = moves.prepare(case, verdict, entry)
    if not case.subject:
        case.subject = _words_of(entry) or "(no subject)"
        changed |= {"subject"}
    _wait(case, entry, *changed)
    if verdict.is_move and last:
        moves.record(case, verdict, last, entry)
    told.note(case, customer, entry)
    proposing.look_soon(entry, gap=PATIENT)


def _wait(case: Case, entry: Entry, *changed: str) -> None:
    entry.is_open = True
    if case.status == Status.WAITING:
        case.status = Status.OPEN
    case.record(entry, "status", *changed)
    case.wake()


def _share(case: Case, entry: Entry, who: str) -> None:
    connector = entry.connector
    assert connector is not None
    if connector.team_id != case.team_id and case.share_with(connector.team):
        words = f"{connector.team} was shown this case: {who} also wrote to {connector.name}"
        case.record(Entry.event_of("shared", words, by=None, team=connector.team_id))


def _words_of(entry: Entry) -> str:
    return (entry.subject or " ".join(entry.text.split()))[:300]
