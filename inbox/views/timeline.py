"""A case's entries as rows: days, moves, groups of events, and on which lane the line runs at each of them."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby

from django.utils.timezone import localtime

from inbox.models import Attachment, Delivery, Entry, EntryKind, State
from inbox.models.entry import EntryQuerySet

PAGE = 50
SHOWN = """
    case kind channel author created_at sent_at subject text quoted html remark classification reason authenticity
    sent_outside is_open also_sent edited_at unsent_at erased_at reactions event data
    switch
    identity identity__kind identity__value identity__handle agent agent__name agent__email
""".split()  # noqa: SIM905  what rows show: all there is to fifty entries and their people takes twice the time
FILES_OF = "SELECT * FROM inbox_attachment WHERE entry_id = ANY (%s) ORDER BY id"
DELIVERIES_OF = """SELECT id, entry_id, part, state, reason, code, attempts, not_before FROM inbox_delivery
    WHERE entry_id = ANY (%s) ORDER BY part"""


@dataclass(frozen=True)
class Sending:
    """How far a reply got, told by the part that is worst off."""

    state: str
    parts: int
    delivery: Delivery
    until: datetime | None  # may be taken back until then

    @property
    def is_trouble(self) -> bool:
        return self.state in (State.FAILED, State.UNKNOWN)

    @property
    def has_left(self) -> bool:
        return self.state in (State.SENT, State.DELIVERED, State.READ)


@dataclass(frozen=True)
class Row:
    """`kind`: day · switch · entry · events · unread. `order` is an Entry.id."""

    kind: str
    id: str
    order: int
    lane: str
    entry: Entry | None = None
    entries: Sequence[Entry] = ()
    files: Sequence[Attachment] = ()
    sending: Sending | None = None
    from_lane: str = ""
    day: date | None = None
    at: datetime | None = None

    @property
    def template(self) -> str:
        return f"inbox/_{self.kind}.html"

    @property
    def rev(self) -> str:
        """Changes when the row would be drawn differently: the browser leaves equal rows alone."""
        entry = self.entry
        if entry is None:
            return f"{self.lane}{len(self.entries)}"
        files = [(each.state, each.reason) for each in self.files]
        shown = (
            self.kind,
            self.lane,
            entry.is_open,
            entry.text,
            entry.edited_at,
            entry.unsent_at,
            entry.erased_at,
            entry.reactions,
            entry.kind,
            entry.data.get("writer"),
            files,
            self.sending and (self.sending.state, self.sending.delivery.reason, self.sending.delivery.not_before),
        )
        return f"{zlib.crc32(repr(shown).encode()):x}"


@dataclass(frozen=True)
class Page:
    rows: list[Row] = field(default_factory=list)
    earlier: int = 0  # the oldest entry shown, when there are older ones
    loose: str = ""  # channels with something unanswered above what is shown
    newest: int = 0


class Parts:
    """The files and deliveries of some entries, in two statements; by hand, since every case that is opened pays."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        ids = [entry.pk for entry in entries]
        self.files: Mapping[int | None, list[Attachment]] = defaultdict(list)
        self.deliveries: Mapping[int | None, list[Delivery]] = defaultdict(list)
        for file in Attachment.objects.raw(FILES_OF, [ids]):
            self.files[file.entry_id].append(file)
        for delivery in Delivery.objects.raw(DELIVERIES_OF, [ids]):
            self.deliveries[delivery.entry_id].append(delivery)


def with_people(timeline: EntryQuerySet) -> EntryQuerySet:
    return timeline.select_related("identity", "agent", "switch").only(*SHOWN)


def last_page(timeline: EntryQuerySet, *, seen: int = 0) -> Page:
    """`timeline` is the whole case's; `seen` the newest message this agent has looked at."""
    return _page(timeline, None, seen)


def page_before(timeline: EntryQuerySet, entry_id: int) -> Page:
    return _page(timeline, entry_id, 0)


def _page(timeline: EntryQuerySet, before: int | None, seen: int) -> Page:
    older = timeline.filter(pk__lt=before) if before else timeline
    found = list(with_people(older).order_by("-pk")[: PAGE + 1])
    entries = found[:PAGE][::-1]
    if not entries:
        return Page()
    has_earlier = len(found) > PAGE
    loose: list[str] = []
    lane = next((each.channel for each in entries if each.channel), "email")
    if has_earlier:
        above = timeline.filter(pk__lt=entries[0].pk)
        loose = list(above.filter(is_open=True).order_by("channel").values_list("channel", flat=True).distinct())
        lane = _lane_at_end(above) or lane
    return Page(
        rows=_with_unread_line(rows_of(entries, lane, Parts(entries)), seen),
        earlier=entries[0].pk if has_earlier else 0,
        loose=" ".join(loose),
        newest=entries[-1].pk,
    )


def _with_unread_line(rows: list[Row], seen: int) -> list[Row]:
    """A line before the customer's first words that this agent has not looked at; none for a first look."""
    at = next((n for n, row in enumerate(rows) if seen and row.order > seen and _is_news(row)), 0)
    return [*rows[:at], Row("unread", "unread", rows[at].order, rows[at - 1].lane), *rows[at:]] if at else rows


def _is_news(row: Row) -> bool:
    return row.kind == "switch" or (row.entry is not None and row.entry.kind == EntryKind.MESSAGE)


def rows_of_some(timeline: EntryQuerySet, entries: Sequence[Entry]) -> list[Row]:
    """Rows for entries that need not follow one another: each on the lane and under the day of its time."""
    if not entries:
        return []
    wanted, parts, rows = {entry.pk: entry for entry in entries}, Parts(entries), list[Row]()
    above = timeline.filter(pk__lt=entries[0].pk)
    last = above.order_by("-pk").values_list("created_at", flat=True).first()
    lane, day = _lane_at_end(above), _day(last) if last else None
    spine = timeline.filter(pk__gte=entries[0].pk).order_by("pk").only("kind", "channel", "created_at", "data", "case")
    for passed in spine:
        lane = lane or passed.channel
        if passed.pk in wanted:
            rows += rows_of([wanted[passed.pk]], lane or "email", parts, first_day=_day(passed.created_at) != day)
        lane, day = _lane_after(passed, lane), _day(passed.created_at)
    return rows


def _lane_at_end(entries: EntryQuerySet) -> str:
    """Where the customer is after these; empty before their first word."""
    messages = entries.filter(kind=EntryKind.MESSAGE).order_by("-pk").values_list("channel", "data__late")
    return next((channel for channel, late in messages[:5] if not late), "")


def rows_of(entries: Sequence[Entry], lane: str, parts: Parts, *, first_day: bool = True) -> list[Row]:
    rows: list[Row] = []
    day = None if first_day else _day(entries[0].created_at)
    for is_event, run in groupby(entries, key=_is_folded):
        for same_day, group in groupby(run, key=lambda entry: _day(entry.created_at)):
            together = list(group)
            if same_day != day:
                day = same_day
                rows.append(Row("day", f"day-{day}", together[0].pk, lane, day=day, at=together[0].created_at))
            if is_event and len(together) > 1:
                rows.append(Row("events", f"events-{together[0].pk}", together[0].pk, lane, entries=together))
                continue
            for entry in together:
                moved_from, lane = lane, _lane_after(entry, lane)
                if moved_from != lane:
                    rows.append(Row("switch", f"switch-{entry.pk}", entry.pk, lane, entry, from_lane=moved_from))
                files, sending = parts.files[entry.pk], sending_of(entry, parts.deliveries[entry.pk])
                rows.append(Row("entry", f"entry-{entry.pk}", entry.pk, lane, entry, files=files, sending=sending))
    return rows


def _is_folded(entry: Entry) -> bool:
    """Events that follow one another are one line; what an agent put elsewhere stands for itself, with its undo."""
    return entry.kind == EntryKind.EVENT and entry.event != "regrouped"


def _day(at: datetime) -> date:
    return localtime(at).date()


def _lane_after(entry: Entry, lane: str) -> str:
    """Only the customer's own, newest words move the line."""
    if entry.kind == EntryKind.MESSAGE and entry.channel and not entry.data.get("late"):
        return entry.channel
    return lane


WORST_FIRST = [State.FAILED, State.UNKNOWN, State.SENDING, State.QUEUED, State.SENT, State.DELIVERED, State.READ]


def sending_of(entry: Entry, deliveries: Sequence[Delivery]) -> Sending | None:
    parts = [each for each in deliveries if each.state != State.CANCELLED]
    if entry.kind != EntryKind.REPLY or not parts:
        return None
    worst = min(parts, key=lambda each: WORST_FIRST.index(State(each.state)))
    return Sending(worst.state, len(parts), worst, worst.held_until)
