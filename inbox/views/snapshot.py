"""What the board shows, read in a dozen small queries and shared by everybody who looks within a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Max
from django.utils.timezone import now

from connectors.models import Connector, Receipt
from inbox import metrics
from inbox.metrics import CHANNELS, METRICS, Load, Moves, Scope
from inbox.models import Alert, Case, Delivery, Entry, State
from inbox.views.connections import Connection, connections
from inbox.views.pictures import Bars, Reach, Ribbon, bars, reaches, ribbons
from inbox.views.quarantine import Alarm, alarm

KEPT_SECONDS = 1.0
MOST_ALERTS = 8


@dataclass(frozen=True, slots=True)
class Ways:
    """One channel of the bump chart: how many left it and how many came to it."""

    channel: str
    left: int
    came: int


@dataclass(frozen=True, slots=True)
class Board:
    at: datetime
    longest: Case | None
    open: int
    waiting: int
    waiting_on: Sequence[tuple[str, int]]
    nobodys: int
    nobodys_oldest: datetime | None
    moved: int
    moved_unanswered: int
    not_delivered: int
    latest_failure: Delivery | None
    quarantined: int
    alarm: Alarm | None
    moves: Sequence[Moves]
    ways: Sequence[Ways]
    ribbons: Sequence[Ribbon]
    loads: Sequence[Load]
    unseen: Sequence[Alert]
    unseen_count: int
    connections: Sequence[Connection]
    days: Sequence[tuple[date, Sequence[tuple[str, int]]]]
    bars: Sequence[Bars]
    reaches: Sequence[Reach]


class Kept:
    """The last board of this process, per team. Used again within a second, unless a case has changed since."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.boards: dict[int | None, tuple[float, datetime | None, Board]] = {}

    def board(self, team: int | None) -> Board:
        changed = Case.objects.aggregate(at=Max("changed_at"))["at"]
        with self.lock:
            made, of, board = self.boards.get(team, (0.0, None, None))
            if board is None or time.monotonic() - made > KEPT_SECONDS or of != changed:
                board = read(Scope(team=team))
                self.boards[team] = (time.monotonic(), changed, board)
            return board

    def forget(self) -> None:
        self.boards.clear()


kept = Kept()


def read(scope: Scope) -> Board:
    channels = _connected()
    waiting = [Scope(team=scope.team, channel=channel) for channel in channels]
    names = ["open", "waiting", "nobodys", "moved", "moved-unanswered", "not-delivered", "unseen"]
    open_, waits, nobodys, moved, unanswered, failed, unseen, quarantined, *on = metrics.counts(
        [
            *(METRICS[name].rows(scope) for name in names),
            Receipt.objects.quarantined(),
            *(METRICS["waiting"].rows(each) for each in waiting),
        ]
    )
    moves = metrics.moves(scope)
    volume = metrics.volume(scope)
    return Board(
        at=now(),
        longest=_longest(scope),
        open=open_,
        waiting=waits,
        waiting_on=list(zip(channels, on, strict=True)),
        nobodys=nobodys,
        nobodys_oldest=_oldest_of_nobody(scope),
        moved=moved,
        moved_unanswered=unanswered,
        not_delivered=failed,
        latest_failure=_latest_failure(scope) if failed else None,
        quarantined=quarantined,
        alarm=alarm() if quarantined else None,
        moves=moves,
        ways=[
            Ways(
                channel,
                sum(each.number for each in moves if each.from_channel == channel),
                sum(each.number for each in moves if each.to_channel == channel),
            )
            for channel in channels
        ],
        ribbons=ribbons(moves, channels),
        loads=metrics.loads(scope),
        unseen=_unseen(scope) if unseen else [],
        unseen_count=unseen,
        connections=connections(),
        days=[(day, [(channel, numbers.get(channel, 0)) for channel in channels]) for day, numbers in volume.items()],
        bars=bars(volume, channels),
        reaches=reaches(metrics.first_responses(scope)),
    )


def _connected() -> list[str]:
    """What nobody can write on has no place on the board; before anything is connected everything has."""
    connected = set(Connector.objects.values_list("kind", flat=True).order_by().distinct())
    return [channel for channel in CHANNELS if channel in connected] or CHANNELS


def _longest(scope: Scope) -> Case | None:
    rows = METRICS["longest"].rows(scope).select_related("customer", "assignee")
    return rows.prefetch_related("customer__identities").first()


def _oldest_of_nobody(scope: Scope) -> datetime | None:
    waiting = METRICS["nobodys"].rows(scope).filter(waiting_since__isnull=False)
    return waiting.order_by("waiting_since", "pk").values_list("waiting_since", flat=True).first()


def _latest_failure(scope: Scope) -> Delivery | None:
    newest: Entry | None = METRICS["not-delivered"].rows(scope).order_by("-pk").first()
    if newest is None:
        return None
    return (
        Delivery.objects.filter(entry=newest, state__in=[State.FAILED, State.UNKNOWN]).select_related("entry").first()
    )


def _unseen(scope: Scope) -> list[Alert]:
    alerts = METRICS["unseen"].rows(scope).order_by("raised_at", "pk")
    found = alerts.select_related("case__customer", "case__assignee", "switch")
    return list(found.prefetch_related("case__customer__identities")[:MOST_ALERTS])
