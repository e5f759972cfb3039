"""A case's entries as rows: days, moves, groups of events, and on which lane the line runs at each of them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby

from django.utils.timezone import localtime

from inbox.models import Case, Delivery, Entry, EntryKind, State

PAGE = 50


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


@dataclass(frozen=True)
class Row:
    """`kind`: day · switch · entry · events. `order` is an Entry.id; rows with the same one keep their sequence."""

    kind: str
    id: str
    order: int
    lane: str
    entry: Entry | None = None
    entries: Sequence[Entry] = ()
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
        files = [(each.state, each.reason) for each in entry.attachments.all()]
        shown = (
            self.kind,
            self.lane,
            entry.is_open,
            entry.text,
            entry.edited_at,
            entry.unsent_at,
            entry.reactions,
            entry.kind,
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


def last_page(case: Case) -> Page:
    return _page(case, None)


def page_before(case: Case, entry_id: int) -> Page:
    return _page(case, entry_id)


def _page(case: Case, before: int | None) -> Page:
    timeline = case.timeline()
    older = timeline.filter(pk__lt=before) if before else timeline
    found = list(older.for_timeline().order_by("-pk")[: PAGE + 1])  # type: ignore[attr-defined]
    entries = found[:PAGE][::-1]
    if not entries:
        return Page()
    has_earlier = len(found) > PAGE
    loose = timeline.filter(is_open=True, pk__lt=entries[0].pk) if has_earlier else timeline.none()
    return Page(
        rows=rows_of(entries, _lane_before(case, entries)),
        earlier=entries[0].pk if has_earlier else 0,
        loose=" ".join(dict.fromkeys(loose.order_by("pk").values_list("channel", flat=True))),
        newest=entries[-1].pk,
    )


def rows_of_some(case: Case, entries: Iterable[Entry]) -> list[Row]:
    """Rows for entries that need not follow one another: each on the lane that held when it came."""
    rows: list[Row] = []
    for entry in entries:
        rows += rows_of([entry], _lane_before(case, [entry]), first_day=_starts_day(case, entry))
    return rows


def _starts_day(case: Case, entry: Entry) -> bool:
    before = case.timeline().filter(pk__lt=entry.pk).order_by("-pk").values_list("created_at", flat=True).first()
    return before is None or _day(before) != _day(entry.created_at)


def _lane_before(case: Case, entries: Sequence[Entry]) -> str:
    """Where the customer was when the first of these came; before their first word, where the first word is."""
    messages = case.timeline().filter(kind=EntryKind.MESSAGE)
    before = messages.filter(pk__lt=entries[0].pk).order_by("-pk")
    lane = next((each.channel for each in before[:5] if not each.data.get("late")), "")
    return lane or next((each.channel for each in entries if each.channel), "") or case.channel or "email"


def rows_of(entries: Sequence[Entry], lane: str, *, first_day: bool = True) -> list[Row]:
    rows: list[Row] = []
    day = None if first_day else _day(entries[0].created_at)
    for is_event, run in groupby(entries, key=lambda entry: entry.kind == EntryKind.EVENT):
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
                rows.append(Row("entry", f"entry-{entry.pk}", entry.pk, lane, entry, sending=sending_of(entry)))
    return rows


def _day(at: datetime) -> date:
    return localtime(at).date()


def _lane_after(entry: Entry, lane: str) -> str:
    """Only the customer's own, newest words move the line."""
    if entry.kind == EntryKind.MESSAGE and entry.channel and not entry.data.get("late"):
        return entry.channel
    return lane


WORST_FIRST = [State.FAILED, State.UNKNOWN, State.SENDING, State.QUEUED, State.SENT, State.DELIVERED, State.READ]


def sending_of(entry: Entry) -> Sending | None:
    parts = [each for each in entry.deliveries.all() if each.state != State.CANCELLED]
    if entry.kind != EntryKind.REPLY or not parts:
        return None
    worst = min(parts, key=lambda each: WORST_FIRST.index(State(each.state)))
    return Sending(worst.state, len(parts), worst, worst.held_until)
