"""How every connection fares, in words: progress, not process. For the board and the health page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, make_aware, now

from connectors.models import Connector, ConnectorKind, Receipt, ReceiptState
from inbox.models import Act, Agent, Audit, Delivery, State
from inbox.templatetags.words import span

TOO_LONG = timedelta(minutes=5)  # a mailbox that has not been read for so long
BEHIND = timedelta(seconds=30)  # a receipt nobody has taken in
UNSENT = timedelta(minutes=15)  # a reply that has not left; some servers let everybody's first try wait ten
EXPIRES_SOON = timedelta(days=10)


@dataclass(frozen=True, slots=True)
class Connection:
    """`words` say how it is; `oldest` is when the oldest input arrived that nobody has taken in yet."""

    connector: Connector
    words: str
    is_bad: bool
    oldest: datetime | None


def noted(by: Agent, connector: Connector, words: str) -> None:
    """For the audit. Names of what was entered, never what."""
    Audit.objects.note(Act.CONNECT, by=by, why=f"{connector.name}: {words}")


def connections() -> list[Connection]:
    oldest = dict(
        Receipt.objects.filter(state=ReceiptState.WAITING)
        .order_by()
        .values_list("connector")
        .annotate(oldest=Min("received_at"))
    )
    connectors = Connector.objects.defer("credentials").select_related("team").order_by("kind", "name", "pk")
    unsent = _unsent()
    return [_connection(each, oldest.get(each.pk), unsent.get(each.pk)) for each in connectors]


def connection_of(connector: Connector) -> Connection:
    waiting = Receipt.objects.filter(connector=connector, state=ReceiptState.WAITING)
    oldest = waiting.order_by("received_at").values_list("received_at", flat=True).first()
    return _connection(connector, oldest, _unsent().get(connector.pk))


def _unsent() -> dict[int, tuple[int, datetime]]:
    """Of each connection the case whose reply has waited longest to leave, and since when. What was not tried yet
    waits for an earlier part, or for a worker."""
    queued = Delivery.objects.filter(state=State.QUEUED, entry__created_at__lt=now() - UNSENT).exclude(reason="")
    oldest = queued.order_by("connector", "entry__created_at").distinct("connector")
    return {of: (case, at) for of, case, at in oldest.values_list("connector", "entry__case", "entry__created_at")}


def endangered() -> list[Connection]:
    """Those that a person must see to: they stopped, or their sign-in is about to end. For the banner."""
    working = Connector.objects.active().defer("credentials").order_by("pk")
    return [_connection(each) for each in working if each.asks_for_a_person or _ends_soon(each)]


def _ends_soon(connector: Connector) -> bool:
    ends = expires(connector)
    return ends is not None and ends - now() < EXPIRES_SOON


def _connection(
    connector: Connector, oldest: datetime | None = None, unsent: tuple[int, datetime] | None = None
) -> Connection:
    words, is_bad = _standing(connector)
    if unsent:
        case, since = unsent
        words, is_bad = f"{words}; a reply in #{case} has waited {brief(now() - since)} to leave", True
    if oldest and now() - oldest > BEHIND:
        words, is_bad = f"{words}; the oldest message has waited {brief(now() - oldest)}", True
    if connector.was_silent_lately:
        words, is_bad = f"{words}; automatic answers were held back: {connector.silent_because}", True
    return Connection(connector, words, is_bad, oldest)


def _standing(connector: Connector) -> tuple[str, bool]:
    if not connector.is_set_up:
        return "not finished yet", False
    if not connector.is_active:
        return "paused", True
    if connector.asks_for_a_person:
        return f"connect it again: {connector.failure or 'Signing in was refused.'}{_until_then(connector)}", True
    if connector.consecutive_failures and connector.failure:
        tries = "" if connector.consecutive_failures == 1 else f" ({connector.consecutive_failures} times in a row)"
        return f"{connector.failure}{tries}", True
    ends = expires(connector)
    if ends and _ends_soon(connector):
        left = ends - now()
        return (f"sign-in ends in {span(left)}", True) if left > timedelta() else ("sign-in has ended", True)
    if connector.kind == ConnectorKind.EMAIL:
        return _mailbox(connector)
    if connector.last_received_at:
        return f"last heard {brief(now() - connector.last_received_at)} ago", False
    return "nothing heard yet", False


def _until_then(connector: Connector) -> str:
    """What stands still of a mailbox that was refused: trying on would lock the account."""
    if connector.kind != ConnectorKind.EMAIL:
        return ""
    if connector.stops_reading and connector.stops_sending:
        return " Until then nothing is received or sent."
    return f" Until then nothing is {'received' if connector.stops_reading else 'sent'}."


def _mailbox(connector: Connector) -> tuple[str, bool]:
    if connector.last_success_at is None:
        return "not read yet", now() - connector.created_at > TOO_LONG
    behind = now() - connector.last_success_at
    if behind > TOO_LONG:
        return f"not read for {brief(behind)}", True
    return f"{brief(behind)} behind", False


def expires(connector: Connector) -> datetime | None:
    """The option `access_token_expires_at`, ISO 8601, for accounts whose sign-in ends by itself."""
    at = parse_datetime(str(connector.options.get("access_token_expires_at", "")) or "-")
    return make_aware(at) if at and is_naive(at) else at


def brief(length: timedelta) -> str:
    """'4 s', and from a minute on like every other length of time."""
    seconds = max(int(length.total_seconds()), 0)
    return f"{seconds} s" if seconds < 60 else span(length)
