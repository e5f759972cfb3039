"""How long messages are kept at all. What is too old is erased in small batches, and never while its case is live."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from django.db import connection, models, transaction
from django.utils.timezone import now

from connectors.models import Connector
from inbox.locking import Moved, locked
from inbox.models import Act, Agent, Audit, Case, Entry, EntryKind, RetentionRule, Team
from inbox.privacy import originals, receipts
from inbox.privacy.emptying import correct, empty
from inbox.privacy.erasing import HARMLESS

BATCH = 200
MINUTE, HOUR = 60.0, 3600.0
RAW = """
UPDATE connectors_receipt SET body = '', headers = '{}', reason = '' WHERE id IN (
    SELECT id FROM connectors_receipt WHERE connector_id = %s AND received_at < %s
    AND state IN ('done', 'discarded') AND body <> '' ORDER BY received_at LIMIT %s)
"""
_places: dict[tuple[type[models.Model], int], int] = {}  # up to which entry this process has come
_next = {"told since": 0.0, "too old": 0.0}  # when this process looks again


class IsOver(models.Func):
    """Of a case, by its id: whether the one it is read in today is resolved."""

    template = """(WITH RECURSIVE above(merged_into_id, is_live) AS (
        SELECT merged_into_id, is_live FROM inbox_case WHERE id = %(expressions)s UNION ALL
        SELECT c.merged_into_id, c.is_live FROM inbox_case c JOIN above ON c.id = above.merged_into_id)
        SELECT NOT is_live FROM above WHERE merged_into_id IS NULL)"""
    output_field = models.BooleanField()


def set_rule(team: Team | None, connector: Connector | None, days: int, *, by: Agent) -> RetentionRule:
    """Of one connection, else of one team's connections, else of all that have no rule of their own."""
    with transaction.atomic():
        rule, _ = RetentionRule.objects.update_or_create(
            team=team, connector=connector, defaults={"days": days, "made_by": by, "made_at": now()}
        )
        Audit.objects.note(Act.RETAIN, by=by, why=f"{rule.whose}: {days} days")
        return rule


def drop_rule(rule: RetentionRule, *, by: Agent) -> None:
    with transaction.atomic():
        Audit.objects.note(Act.RETAIN, by=by, why=f"{rule.whose}: no rule any more")
        rule.delete()


def tidy() -> int:
    """The sweeper's share, every second: originals that are still there; and what is too old once an hour, and on while
    there is any."""
    at, done = time.monotonic(), originals.remove_due()
    if at >= _next["told since"]:
        _next["told since"] = at + MINUTE
        done += receipts.forget_what_came_since()
    if at >= _next["too old"]:
        gone = expire()
        _next["too old"] = at if gone else at + HOUR
        done += gone
    return done


def expire() -> int:
    """One batch of what is too old; how many messages and receipts."""
    counted: Counter[str] = Counter()
    for connector, before in _limits():
        counted += _expire(connector, Entry.objects.filter(connector=connector, created_at__lt=before))
        with connection.cursor() as cursor:
            cursor.execute(RAW, [connector.pk, before, BATCH])
            counted["receipts"] += int(cursor.rowcount)
    for team, before in _limits_of_teams():
        counted += _expire(team, Entry.objects.filter(connector=None, case__team=team, created_at__lt=before))
    if counted.total():
        Audit.objects.note(Act.EXPIRE, by=None, why="by rule", found=counted)
    return counted.total()


def _days() -> dict[tuple[int | None, int | None], int]:
    rows = RetentionRule.objects.values_list("team", "connector", "days")
    return {(team, connector): days for team, connector, days in rows}


def _limits() -> Iterator[tuple[Connector, datetime]]:
    """For each connection that has a rule: what is older than that goes."""
    days = _days()
    for each in Connector.objects.defer("credentials") if days else []:
        own = days.get((None, each.pk), days.get((each.team_id, None), days.get((None, None))))
        if own:
            yield each, now() - timedelta(days=own)


def _limits_of_teams() -> Iterator[tuple[Team, datetime]]:
    """For notes and events, which came by no connection."""
    days = _days()
    for team in Team.objects.all() if days else []:
        own = days.get((team.pk, None), days.get((None, None)))
        if own:
            yield team, now() - timedelta(days=own)


def _expire(whose: Connector | Team, old: models.QuerySet[Entry]) -> Counter[str]:
    """From where the last batch ended; from the beginning again after the last one."""
    kept = models.Q(kind=EntryKind.EVENT, event__in=HARMLESS)
    over = models.Q(case=None) | models.Q(is_over=True)
    due = old.filter(erased_at=None).exclude(kept).alias(is_over=IsOver("case_id")).filter(over)
    due = due.filter(pk__gt=_places.get((type(whose), whose.pk), 0))
    rows = list(due.select_related("case").defer("html", "quoted", "search").order_by("pk")[:BATCH])
    _places[type(whose), whose.pk] = rows[-1].pk if len(rows) == BATCH else 0
    counted: Counter[str] = Counter()
    for case, group in groupby(sorted(rows, key=lambda each: each.case_id or 0), key=lambda each: each.case):
        counted += _empty(case, list(group))
    return counted


def _empty(case: Case | None, rows: Sequence[Entry]) -> Counter[str]:
    if case is None:
        with transaction.atomic():
            return empty(rows, by=None, knows_nobody=True).counted
    try:
        with locked(case) as root:
            if root.is_live:
                return Counter()  # they wrote again meanwhile
            found = empty(rows, by=None, knows_nobody=True)
            correct(root, found)
            return found.counted
    except Moved:
        return Counter()
