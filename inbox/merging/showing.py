"""What lists show of a case, read again from its whole family in entry order."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Min, Q

from connectors.messages import Authenticity
from inbox.models import Case, Delivery, Entry, EntryKind, State, Switch
from inbox.models.entry import EntryQuerySet

SHOWN = (
    *Case.LAST,
    "channel",
    "channels",
    "last_inbound_id",
    "previous_channel",
    "moved_at",
    "shows_move",
    "has_failed_delivery",
    "first_channel",
    "first_message_at",
    "first_reply_at",
)
A_MOMENT = timedelta(seconds=5)


def show(case: Case) -> None:
    """The caller saves SHOWN."""
    case.show_latest()
    family = case.family()
    entries = Entry.objects.filter(case__in=family)
    _where_they_are(case, entries.filter(kind=EntryKind.MESSAGE))
    inbound = Q(kind=EntryKind.MESSAGE) | Q(kind=EntryKind.PARTICIPANT) & ~Q(authenticity=Authenticity.FAIL)
    case.last_inbound_id = entries.filter(inbound).order_by("-pk").values_list("pk", flat=True).first() or 0
    replies = entries.filter(kind=EntryKind.REPLY, unsent_at=None).order_by("pk")
    case.first_reply_at = replies.values_list("created_at", flat=True).first()
    case.has_failed_delivery = Delivery.objects.filter(entry__case__in=family, state=State.FAILED).exists()
    _show_move(case, family)


def _where_they_are(case: Case, messages: EntryQuerySet) -> None:
    appeared = messages.values_list("channel").annotate(first=Min("pk")).order_by("first")
    case.channels = [channel for channel, _ in appeared]
    now_on = messages.filter(data__late__isnull=True).order_by("-pk").values_list("channel", flat=True).first()
    case.channel = now_on or case.channel
    first = messages.order_by("pk").first()
    case.first_channel = first.channel if first else ""
    case.first_message_at = first.reached_us_at if first else None


def _show_move(case: Case, family: list[int]) -> None:
    last = Switch.objects.filter(case__in=family).order_by("-entry").first()
    case.shows_move = last is not None and last.acknowledged_at is None and case.open_entries().exists()
    if last is None:
        case.previous_channel, case.moved_at = "", None
    elif case.moved_at is None or abs(case.moved_at - last.at) > A_MOMENT:  # the row notes the time a moment earlier
        case.previous_channel, case.moved_at = last.from_channel, last.at
