"""The customer moved: gathers what the rules in switching.py need, records the fact, and keeps the one alert."""

from __future__ import annotations

from django.db.models import Q
from django.utils.timezone import now

from customers.models import Customer
from inbox import switching
from inbox.models import Alert, Case, Draft, Entry, EntryKind, Loudness, Switch
from inbox.switching import Said, Surroundings, Verdict

# The newest of each identity by its index, then the newest of those; the planner cannot be tempted to read all entries.
LAST_MESSAGE = """
SELECT last.* FROM customers_identity i CROSS JOIN LATERAL (
    SELECT id, case_id, channel, created_at, sent_at, text FROM inbox_entry
    WHERE identity_id = i.id AND kind = 'message' AND case_id IS NOT NULL ORDER BY id DESC LIMIT 1) last
WHERE i.customer_id = %s ORDER BY last.id DESC LIMIT 1
"""


def last_message(customer: Customer) -> Entry | None:
    """The last thing this person said on any channel, whichever case it is in."""
    return next(iter(Entry.objects.raw(LAST_MESSAGE, [customer.pk])), None)


def judge(case: Case, previous: Entry | None, entry: Entry) -> Verdict:
    if previous is None or previous.channel == entry.channel:
        return Verdict("same")
    return switching.judge(_said(previous), _said(entry), _surroundings(case, previous, entry))


def _said(entry: Entry) -> Said:
    return Said(entry.channel, entry.created_at, entry.text, entry.sent_at)


def _surroundings(case: Case, previous: Entry, entry: Entry) -> Surroundings:
    timeline = case.timeline()
    replies = timeline.filter(kind=EntryKind.REPLY).order_by("-pk")
    answered = replies.filter(channel=previous.channel, pk__gt=previous.pk).first()
    ours_there = replies.filter(Q(identity=entry.identity), channel=entry.channel).first()
    last = Switch.objects.filter(case=case).order_by("-pk").first()
    return Surroundings(
        unanswered=case.open_entries().exclude(channel=entry.channel).exists(),
        draft=Draft.objects.filter(case=case, channel=previous.channel).exclude(text="").exists(),
        answered_at=answered.created_at if answered else None,
        wrote_there_at=ours_there.created_at if ours_there else None,
        last_switch_at=last.at if last else None,
        last_switch_from=last.from_channel if last else "",
    )


def prepare(case: Case, verdict: Verdict, entry: Entry) -> set[str]:
    """What the list row shows of a move; saved with the entry."""
    if not verdict.is_move:
        return set()
    case.previous_channel, case.moved_at, case.shows_move = case.channel or "", now(), True
    return {"previous_channel", "moved_at", "shows_move"}


def record(case: Case, verdict: Verdict, previous: Entry, entry: Entry) -> Switch:
    switch = Switch.objects.create(
        case=case,
        entry=entry,
        previous_entry=previous,
        from_channel=previous.channel,
        to_channel=entry.channel,
        gap=max(entry.created_at - previous.created_at, entry.created_at - entry.created_at),
        had_unanswered=case.open_entries().exclude(channel=entry.channel).exists(),
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
