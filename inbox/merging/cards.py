"""Moves and their cards, after two people were told apart: a move from the one to the other never was."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import reduce

from django.db.models import F, QuerySet
from django.utils.timezone import now

from inbox.merging.homes import Homes
from inbox.models import Alert, Case, Loudness, Merge, Switch
from inbox.switching import louder

A_MOMENT = timedelta(seconds=1)  # a switch is noted just before its alert


def part_alerts(merge: Merge, homes: Homes, roots: Iterable[Case]) -> None:
    between = Switch.objects.filter(case__in=homes.cases, entry__identity__customer__in=homes.people)
    between = between.filter(previous_entry__identity__customer__in=homes.people)
    never = set(
        between.exclude(entry__identity__customer=F("previous_entry__identity__customer")).values_list("pk", flat=True)
    )
    closed_by_it = {*merge.before.get("alerts", [])}
    for alert in Alert.objects.filter(case__in=homes.cases).select_related("switch").order_by("pk"):
        if alert.pk in closed_by_it:
            alert.closed_at = None
        strays = homes.owner[alert.case_id] != homes.owner[alert.switch.case_id]
        if strays or alert.switch_id in never or alert.closed_at is None:
            _send_home(alert, homes, never)
    Switch.objects.filter(pk__in=never).delete()
    for case in roots:
        keep_one(case)


def _send_home(alert: Alert, homes: Homes, never: set[int]) -> None:
    """It follows the move that it tells of."""
    if alert.switch_id in never:
        mine = homes.root(alert.case_id)
        moves = [each for each in _episode(alert, homes.cases) if each.pk not in never]
        moves.sort(key=lambda each: (homes.root(each.case_id) == mine, each.pk))
        if not moves:
            alert.delete()
            return
        alert.switch = moves[-1]
    alert.case = homes.root(alert.switch.case_id)
    if alert.closed_at is None and Alert.objects.open().filter(case=alert.case).exclude(pk=alert.pk).exists():
        alert.closed_at = now()
    alert.save()


def _episode(alert: Alert, cases: Iterable[int]) -> QuerySet[Switch]:
    during = (alert.created_at - A_MOMENT, alert.closed_at or now())
    return Switch.objects.filter(case__in=cases, at__range=during).order_by("pk")


def keep_one(case: Case) -> None:
    """An open card where a move is unanswered, and nowhere else."""
    alert = Alert.objects.open().filter(case=case).first()
    waits, family = case.is_live and case.open_entries().exists(), case.family()
    if alert and not waits:
        alert.closed_at = now()
        alert.save(update_fields=["closed_at"])
    elif alert:
        _tell(alert, list(_episode(alert, family)))
    elif waits:
        last = Switch.objects.filter(case__in=family).order_by("pk").last()
        if last and last.acknowledged_at is None and last.loudness != Loudness.QUIET:
            _tell(Alert(case=case, switch=last, created_at=last.at, raised_at=last.at), [last])


def _tell(alert: Alert, moves: list[Switch]) -> None:
    if moves:
        alert.switch, alert.moves = moves[-1], len(moves)
        alert.channels = list(dict.fromkeys([moves[0].from_channel, *(each.to_channel for each in moves)]))
        alert.loudness = reduce(louder, (each.loudness for each in moves))
    alert.save()
