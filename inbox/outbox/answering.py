"""What a reply answers: tied when it is written, untied when it did not arrive, tied again when it did after all.

Waits, the card, the row's chip and the status rest on this and on nothing else. Everything here expects the customer's
lock and leaves saving the case to the caller, who names "status", "shows_move" and "has_failed_delivery".
"""

from __future__ import annotations

from collections.abc import Iterable

from inbox.models import Agent, Alert, AnotherIsLive, Case, Delivery, Entry, State, Status, Switch


def answer(case: Case, reply: Entry, *, by: Agent | None, also: Iterable[int] = ()) -> None:
    """Ties what is open on the reply's channel, what the agent ticked on others, and the same words sent twice."""
    ticked = set(also)
    waiting = [each for each in case.open_entries() if _was_there_before(each, reply)]
    tied = {each.pk for each in waiting if each.channel == reply.channel or each.pk in ticked}
    same_words = {each.data.get("twin", each.pk) for each in waiting if each.pk in tied}
    tied |= {each.pk for each in waiting if each.data.get("twin", each.pk) in same_words}
    case.tie(by=by, reply=reply, entries=sorted(tied))
    _settle(case, reply)


def unanswered_again(case: Case, reply: Entry) -> None:
    """It did not arrive, or was taken back. The customer waits again from the original time, and nobody may miss it."""
    untied = case.untie(reply)
    reply.data["untied"] = untied
    reply.save(update_fields=["data"])
    _show_the_move_again(case, reply)
    if not untied:
        return
    if case.is_live:
        case.status = Status.OPEN
        return
    try:
        case.reopen(by=None, because="is open again: an answer did not reach the customer")
    except AnotherIsLive as live:
        words = f"An answer in #{case.pk} did not reach the customer"
        live.case.record(Entry.event_of("not_answered", words, by=None))


def answered_after_all(case: Case, reply: Entry) -> None:
    """It had failed, or nobody knew; now it has arrived, or is on its way again. What it answered is answered."""
    untied = reply.data.pop("untied", [])
    if untied:
        reply.save(update_fields=["data"])
        case.tie(by=reply.agent, reply=reply, entries=untied)
    case.has_failed_delivery = has_failed(case)
    if case.is_live:
        _settle(case, reply)


def has_failed(case: Case) -> bool:
    return Delivery.objects.filter(entry__case__in=case.family(), state=State.FAILED).exists()


def _was_there_before(entry: Entry, reply: Entry) -> bool:
    """Of what was sent outside we may hear late: it answers nothing that came after it."""
    if not (reply.sent_outside and reply.sent_at):
        return True
    was_there = min(entry.sent_at or entry.reached_us_at, entry.reached_us_at)  # senders' clocks may run ahead
    return was_there <= reply.sent_at


def _settle(case: Case, reply: Entry) -> None:
    is_open = case.open_entries().exists()
    if not (reply.sent_outside and is_open):
        Switch.objects.filter(case__in=case.family(), acknowledged_at=None).update(acknowledged_at=reply.created_at)
    Alert.objects.close_if_answered(case)
    case.status = Status.OPEN if is_open else Status.WAITING


def _show_the_move_again(case: Case, reply: Entry) -> None:
    """The card and the row's chip come back with what is open again."""
    acknowledged = Switch.objects.filter(case__in=case.family(), acknowledged_at=reply.created_at)
    if acknowledged.update(acknowledged_at=None):
        case.shows_move = True
    if not case.alerts.filter(closed_at=None).exists():
        last = case.alerts.filter(closed_at__gte=reply.created_at).order_by("-pk").first()
        if last:
            Alert.objects.filter(pk=last.pk).update(closed_at=None)
