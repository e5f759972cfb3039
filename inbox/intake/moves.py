"""The customer moved: gathers what the rules in switching.py need, records the fact, and keeps the one alert."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils.timezone import now

from config.database import rows
from customers.models import Customer, Identity
from inbox import switching
from inbox.locking import Moved, locked_now
from inbox.models import Alert, Case, Draft, Entry, EntryKind, Invitation, Loudness, Switch
from inbox.switching import Said, Surroundings, Verdict

# The newest of each identity by its index; the planner cannot be tempted to read all entries. What came late is stepped
# over: it says nothing about where they are.
LAST_MESSAGES = """
SELECT i.id, last.* FROM customers_identity i LEFT JOIN LATERAL (
    SELECT id, channel, coalesce(arrived_at, created_at), text, sent_at FROM inbox_entry
    WHERE identity_id = i.id AND kind = 'message' AND case_id IS NOT NULL AND data->'late' IS NULL
    ORDER BY id DESC LIMIT 1) last ON true
WHERE i.customer_id = %s AND i.erased_at IS NULL ORDER BY last.id DESC NULLS LAST
"""


@dataclass(frozen=True, slots=True)
class Last:
    """The last thing a person said, and the entry it is."""

    entry_id: int
    said: Said


def lock_owner(identity: Identity, *others: int) -> tuple[Customer, Last | None]:
    """Locks as locking.lock_owner does, and in the same breath reads what the owner said last, in whichever case."""
    if identity.is_new and not others:
        return identity.customer, None
    concerned = [identity.customer_id, *others]
    locking = Customer.objects.ask_to_lock(concerned)
    asked = rows.ask(LAST_MESSAGES, [identity.customer_id])  # once they are locked
    customers, said = locked_now(locking, concerned), asked.rows()
    if identity.pk not in {row[0] for row in said}:
        raise Moved  # it has another owner since it was looked up, or was erased
    identity.customer = next(each for each in customers if each.pk == identity.customer_id)
    return identity.customer, _newest(said)


def last_of(customer: Customer) -> Last | None:
    """The same, of somebody who is locked already."""
    return _newest(rows.ask(LAST_MESSAGES, [customer.pk]).rows())


def _newest(each: list[tuple[Any, ...]]) -> Last | None:
    _, entry_id, *said = each[0] if each else (None, None)
    return Last(entry_id, Said(*said)) if entry_id else None


def judge(case: Case, previous: Last | None, entry: Entry) -> Verdict:
    if previous is None or previous.said.channel == entry.channel:
        return Verdict("same")
    if entry.pk and entry.pk < previous.entry_id:
        return Verdict("late")  # it was filed when it came
    new = Said(entry.channel, entry.reached_us_at, entry.text, entry.sent_at)
    return switching.judge(previous.said, new, _surroundings(case, previous, entry))


def _surroundings(case: Case, previous: Last, entry: Entry) -> Surroundings:
    timeline = case.timeline()
    replies = timeline.that_left().order_by("-pk")
    answered = replies.filter(channel=previous.said.channel, pk__gt=previous.entry_id).first()
    ours_there = replies.filter(identity=entry.identity, channel=entry.channel, pk__gt=previous.entry_id).first()
    last = Switch.objects.filter(case=case).order_by("-pk").first()
    return Surroundings(
        unanswered=_open_elsewhere(case, entry),
        draft=Draft.objects.filter(case=case, channel=previous.said.channel).exclude(text="").exists(),
        answered_at=answered.created_at if answered else None,
        wrote_there_at=ours_there.created_at if ours_there else None,
        last_switch_at=last.at if last else None,
        last_switch_from=last.from_channel if last else "",
        invited=_was_invited(case, previous, entry),
    )


def _was_invited(case: Case, previous: Last, entry: Entry) -> bool:
    """With our code in hand, or without it although we gave one for here since they last wrote."""
    used = Q(used_by=entry.identity, used_at__gte=previous.said.at)
    told = Q(case__in=case.family(), connector__kind=entry.channel, told_in__pk__gt=previous.entry_id)
    return Invitation.objects.filter(used | told).exists()


def _open_elsewhere(case: Case, entry: Entry) -> bool:
    """Of the customer's own words: what somebody copied in asked is not what they moved away from."""
    return case.open_entries().filter(kind=EntryKind.MESSAGE).exclude(channel=entry.channel).exists()


def prepare(case: Case, verdict: Verdict, entry: Entry) -> set[str]:
    """What the list row shows of a move; saved with the entry."""
    if not verdict.is_move:
        return set()
    case.previous_channel, case.moved_at, case.shows_move = case.channel or "", now(), True
    return {"previous_channel", "moved_at", "shows_move"}


def record(case: Case, verdict: Verdict, previous: Last, entry: Entry) -> Switch:
    switch = Switch.objects.create(
        case=case,
        entry=entry,
        previous_entry_id=previous.entry_id,
        from_channel=previous.said.channel,
        to_channel=entry.channel,
        gap=max(entry.reached_us_at - previous.said.at, timedelta()),
        had_unanswered=_open_elsewhere(case, entry),
        loudness=verdict.loudness,
        reason=verdict.reason,
    )
    _alert(case, switch)
    return switch


def _alert(case: Case, switch: Switch) -> None:
    """One per episode. Quiet news updates a card that is there, and never makes one or asks for another look."""
    alert = Alert.objects.filter(case=case).open().first()
    if alert is None:
        if switch.loudness == Loudness.QUIET:
            return
        alert = Alert(case=case, loudness=switch.loudness, channels=[switch.from_channel], moves=0)
    alert.switch = switch
    alert.moves += 1
    alert.loudness = switching.louder(alert.loudness, switch.loudness)
    if switch.to_channel not in alert.channels:
        alert.channels = [*alert.channels, switch.to_channel]
    if switch.loudness != Loudness.QUIET:
        alert.raised_at, alert.escalated_at = now(), None
    alert.save()
    if switch.loudness != Loudness.QUIET:
        alert.announce()
