"""Every figure of the board: its name, its definition in words, and the rows it counts.

A figure is the number of `rows`, and opens the cases of exactly those rows; so no figure can say one thing and show
another. Reports grow from here: a new figure is one more `Metric`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Aggregate, Count, Exists, F, Min, Model, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils.timezone import get_current_timezone, localdate, make_aware, now

from connectors.messages import Channel
from inbox.models import (
    Agent,
    Alert,
    AlertSeen,
    Case,
    Delivery,
    Entry,
    EntryKind,
    Loudness,
    State,
    Status,
    Switch,
)

MOST = 1000  # figures above it read "1,000+"
DAYS = 14
HOUR = timedelta(hours=1)
Rows = TypeVar("Rows", bound=Model)
CHANNELS = [channel.value for channel in Channel]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a figure is asked for; an empty field does not narrow. A move goes from `channel` `towards` another."""

    team: int | None = None
    agent: int | None = None
    channel: str = ""
    towards: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """`to_case` leads from a counted row to its case, "" when cases are counted. `definition` is what "?" opens."""

    name: str
    title: str
    definition: str
    rows: Callable[[Scope], QuerySet[Any]]
    to_case: str = ""
    one: str = "case"
    many: str = "cases"
    longest_first: bool = False

    def count(self, scope: Scope) -> int:
        return counts([self.rows(scope)])[0]

    def cases(self, scope: Scope) -> QuerySet[Case]:
        """The cases of exactly the rows that were counted."""
        if not self.to_case:
            return self.rows(scope).filter(named_ids=None)
        return Case.objects.filter(named_ids=None, pk__in=self.rows(scope).order_by().values(self.to_case))

    def noun(self, number: int) -> str:
        return self.one if number == 1 else self.many


def counts(querysets: Sequence[QuerySet[Any]]) -> list[int]:
    """How many rows each has, at most MOST + 1, in one round trip: a huge table costs no more than a full page."""
    parts: list[str] = []
    values: list[Any] = []
    for rows in querysets:
        sql, given = rows.order_by().values("pk")[: MOST + 1].query.sql_with_params()
        parts.append(f"(SELECT count(*) FROM ({sql}) AS counted)")  # noqa: S608  the ORM's own SQL and parameters
        values.extend(given)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", values)
        return list(cursor.fetchone())


def shown(number: int) -> str:
    return f"{MOST:,}+" if number > MOST else f"{number:,}"


def _in_team(rows: QuerySet[Rows], scope: Scope, to_case: str = "") -> QuerySet[Rows]:
    return rows if scope.team is None else rows.filter(**{f"{to_case}team_ids__contains": [scope.team]})


def _live(scope: Scope) -> QuerySet[Case]:
    rows = _in_team(Case.objects.live().filter(named_ids=None), scope)  # the board is everybody's
    return rows.filter(assignee=scope.agent) if scope.agent else rows


def _waiting(scope: Scope) -> QuerySet[Case]:
    rows = _live(scope).filter(waiting_since__isnull=False)
    return rows.filter(open_channels__contains=[scope.channel]) if scope.channel else rows


def _longest(scope: Scope) -> QuerySet[Case]:
    longest = _waiting(scope).order_by("waiting_since", "pk").values("pk")[:1]
    return Case.objects.filter(pk__in=longest)


def _nobodys(scope: Scope) -> QuerySet[Case]:
    return _live(scope).filter(assignee=None, status__in=[Status.OPEN, Status.WAITING])


def _moved(scope: Scope) -> QuerySet[Switch]:
    rows = _in_team(Switch.objects.filter(at__gte=now() - HOUR, case__named_ids=None), scope, "case__")
    if scope.channel:
        rows = rows.filter(from_channel=scope.channel)
    return rows.filter(to_channel=scope.towards) if scope.towards else rows


def _moved_unanswered(scope: Scope) -> QuerySet[Switch]:
    return _moved(scope).filter(had_unanswered=True)


def _not_delivered(scope: Scope) -> QuerySet[Entry]:
    """Starts from the failures, which are few. A merged case speaks through the one it was merged into."""
    failed = Delivery.objects.filter(state__in=[State.FAILED, State.UNKNOWN])
    arrived = Entry.objects.filter(
        case=OuterRef("case"),
        pk__gt=OuterRef("pk"),
        kind=EntryKind.REPLY,
        deliveries__state__in=[State.SENT, State.DELIVERED, State.READ],
    )
    rows = Entry.objects.filter(
        Q(case__is_live=True) | Q(case__merged_into__is_live=True),
        ~Exists(arrived),
        case__named_ids=None,
        pk__in=failed.values("entry"),
    )
    return _in_team(rows, scope, "case__")


def _unseen(scope: Scope) -> QuerySet[Alert]:
    seen = AlertSeen.objects.filter(alert=OuterRef("pk"), seen_at__gte=OuterRef("raised_at"))
    rows = Alert.objects.open().exclude(loudness=Loudness.QUIET).filter(~Exists(seen), case__named_ids=None)
    return _in_team(rows, scope, "case__")


def _volume(scope: Scope) -> QuerySet[Entry]:
    first = midnight(scope.day or first_day())
    rows: QuerySet[Entry] = Entry.objects.filter(kind=EntryKind.MESSAGE, created_at__gte=first)
    if scope.day:
        rows = rows.filter(created_at__lt=midnight(scope.day + timedelta(days=1)))
    rows = _in_team(rows, scope, "case__")
    return rows.filter(channel=scope.channel) if scope.channel else rows


def _answered(scope: Scope) -> QuerySet[Case]:
    rows: QuerySet[Case] = Case.objects.filter(
        first_message_at__gte=midnight(first_day()), first_reply_at__gte=F("first_message_at")
    )
    rows = _in_team(rows, scope)
    return rows.filter(first_channel=scope.channel) if scope.channel else rows


METRICS = {
    metric.name: metric
    for metric in [
        Metric(
            "open",
            "Open",
            "Every case that is not resolved, snoozed ones and those waiting on the customer included.",
            _live,
        ),
        Metric(
            "waiting",
            "Waiting for us",
            "Cases in which something the customer wrote has no answer yet. The wait runs from the first unanswered "
            "message, on whatever channel it came, and a move to another channel does not start it again. A case with "
            "something unanswered on two channels counts once, and once in each channel's own figure.",
            _waiting,
            longest_first=True,
        ),
        Metric(
            "longest",
            "Waiting longest",
            "The case in which something the customer wrote has been without an answer for the longest time, on "
            "whatever channel it came.",
            _longest,
            longest_first=True,
        ),
        Metric(
            "nobodys",
            "Nobody’s yet",
            "Cases that nobody has taken, without the snoozed ones. The oldest is whose customer has waited longest.",
            _nobodys,
            longest_first=True,
        ),
        Metric(
            "moved",
            "Moved, last hour",
            "Each time in the last 60 minutes that a customer wrote on another channel than the one before. "
            "Copied-in people, automatic mail and the same words sent twice are no moves.",
            _moved,
            "case",
            "move",
            "moves",
        ),
        Metric(
            "moved-unanswered",
            "Moved and left something unanswered",
            "Moves of the last 60 minutes at which something on the old channel had no answer yet.",
            _moved_unanswered,
            "case",
            "move",
            "moves",
        ),
        Metric(
            "not-delivered",
            "Not delivered",
            "Replies in open cases that did not arrive, or of which nobody knows whether they did, as long as no later "
            "reply reached the customer.",
            _not_delivered,
            "case",
            "reply",
            "replies",
        ),
        Metric(
            "unseen",
            "Not seen by anyone",
            "Moves that deserved a look and that nobody has looked at since, oldest first.",
            _unseen,
            "case",
            "alert",
            "alerts",
        ),
        Metric(
            "volume",
            "What customers wrote",
            f"Messages customers wrote themselves in the last {DAYS} days, by the day and the channel they came on. "
            "Automatic mail, newsletters and copied-in people are not counted.",
            _volume,
            "case",
            "message",
            "messages",
        ),
        Metric(
            "first-response",
            "First answer",
            "The time from a case’s first message to our first reply, by the channel of that message, around the "
            f"clock, for cases that began in the last {DAYS} days. Half were answered within the median, nine in ten "
            "within the p90. Cases without a reply yet are not in it.",
            _answered,
        ),
    ]
}


def first_day() -> date:
    return localdate() - timedelta(days=DAYS - 1)


def midnight(day: date) -> datetime:
    return make_aware(datetime.combine(day, time.min), get_current_timezone())


@dataclass(frozen=True, slots=True)
class Moves:
    from_channel: str
    to_channel: str
    number: int
    unanswered: int


def moves(scope: Scope) -> list[Moves]:
    """Who moved where in the last hour, the most travelled way first."""
    rows = (
        _moved(scope)
        .order_by()
        .values_list("from_channel", "to_channel")
        .annotate(number=Count("pk"), unanswered=Count("pk", filter=Q(had_unanswered=True)))
        .order_by("-number", "from_channel", "to_channel")
    )
    return [Moves(*row) for row in rows]


def volume(scope: Scope) -> dict[date, dict[str, int]]:
    """Messages by day and channel, for every one of the last days, oldest first."""
    days: dict[date, dict[str, int]] = {
        first_day() + timedelta(days=number): dict.fromkeys(CHANNELS, 0) for number in range(DAYS)
    }
    rows = (
        _volume(scope)
        .order_by()
        .annotate(day=TruncDate("created_at"))
        .values_list("day", "channel")
        .annotate(number=Count("pk"))
    )
    for day, channel, number in rows:
        days.setdefault(day, {})[channel] = number
    return days


@dataclass(frozen=True, slots=True)
class FirstResponse:
    channel: str
    cases: int
    median: timedelta
    p90: timedelta


class Percentile(Aggregate):
    """PostgreSQL's percentile_cont over an interval."""

    template = "percentile_cont(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"


def first_responses(scope: Scope) -> list[FirstResponse]:
    waited = F("first_reply_at") - F("first_message_at")
    rows = (
        _answered(scope)
        .order_by()
        .values_list("first_channel")
        .annotate(
            cases=Count("pk"),
            median=Percentile(waited, fraction=0.5),
            p90=Percentile(waited, fraction=0.9),
        )
    )
    found = {row[0]: FirstResponse(*row) for row in rows}
    return [found[channel] for channel in CHANNELS if channel in found]


@dataclass(frozen=True, slots=True)
class Load:
    """What one agent has on the table. `oldest` is since when their longest-waiting customer waits."""

    agent: Agent
    open: int
    waiting: int
    oldest: datetime | None

    @property
    def needs_help(self) -> bool:
        """Customers wait for somebody who is not there."""
        return bool(self.waiting) and not self.agent.is_here


def loads(scope: Scope) -> list[Load]:
    """Those off with customers waiting first, then who has waited for longest, then by name."""
    agents = Agent.objects.active().order_by("name", "pk")
    if scope.team is not None:
        agents = agents.filter(teams=scope.team)
    rows = (
        _live(scope)
        .filter(assignee__isnull=False)
        .order_by()
        .values_list("assignee")
        .annotate(
            open=Count("pk"),
            waiting=Count("pk", filter=Q(waiting_since__isnull=False)),
            oldest=Min("waiting_since"),
        )
    )
    numbers: dict[int, tuple[int, int, datetime | None]] = defaultdict(lambda: (0, 0, None))
    numbers.update({agent: (number, waiting, oldest) for agent, number, waiting, oldest in rows})
    found = [Load(agent, *numbers[agent.pk]) for agent in agents]
    return sorted(found, key=lambda load: (not load.needs_help, load.oldest is None, load.oldest or now()))
