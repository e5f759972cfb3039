"""Cards follow the moves that they tell of, and moves between two people never were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Q
from django.utils.timezone import now

from inbox.merging.cards import keep_one
from inbox.models import Alert, Case, Regrouping, Switch


def follow(regrouping: Regrouping, roots: Sequence[Case]) -> None:
    """The alerts of what went away go with it; where each lay is noted, and which were open."""
    went = list(Alert.objects.filter(switch__entry__in=[*map(int, regrouping.entries)]).order_by("pk"))
    were_open = Alert.objects.open().filter(case__in=roots)
    regrouping.before["alerts"] = {str(alert.pk): alert.case_id for alert in went}
    regrouping.before["open_alerts"] = list(were_open.order_by("pk").values_list("pk", flat=True))
    for alert in went:
        _put(alert, regrouping.to_case_id)
    for case in roots:
        keep_one(case)


def come_back(regrouping: Regrouping, back: Iterable[int], roots: Iterable[Case]) -> None:
    lay = {int(pk): case for pk, case in regrouping.before.get("alerts", {}).items()}
    were_open = {*regrouping.before.get("open_alerts", [])}
    for alert in Alert.objects.filter(pk__in=lay, switch__entry__in=back).order_by("pk"):
        _put(alert, lay[alert.pk])
    for case in roots:
        mine = Alert.objects.filter(pk__in=were_open, case=case)
        if mine.exists():
            Alert.objects.open().filter(case=case).exclude(pk__in=were_open).delete()
        show_again(case, mine.values_list("pk", flat=True))
        keep_one(case)


def closed_by_moving(cases: Iterable[int]) -> list[int]:
    """Alerts that were open when something was moved out of these cases or into them, by id."""
    moved = Regrouping.objects.in_force().filter(Q(from_case__in=cases) | Q(to_case__in=cases))
    return [pk for each in moved for pk in each.before.get("open_alerts", [])]


def show_again(case: Case, alerts: Iterable[int]) -> None:
    """One that was closed only because what was unanswered lay elsewhere: what waited then waits here again."""
    if Alert.objects.open().filter(case=case).exists():
        return
    for alert in Alert.objects.filter(pk__in=alerts, closed_at__isnull=False).order_by("-pk"):
        if case.open_entries().filter(created_at__lte=alert.closed_at).exists():
            Alert.objects.filter(pk=alert.pk).update(closed_at=None, case=case)
            return


def _put(alert: Alert, case: int) -> None:
    """One open card per case: the one that is there tells of the whole episode."""
    others = Alert.objects.open().filter(case=case).exclude(pk=alert.pk)
    if alert.closed_at is None and others.exists():
        alert.closed_at = now()
    alert.case_id = case
    alert.save(update_fields=["case", "closed_at"])


def forget_moves_between(one: Iterable[int], other: Iterable[int]) -> None:
    """`one` and `other`: the cases of two people, by id."""
    mine, theirs = {*one}, {*other}
    across = Switch.objects.filter(entry__case__in=mine, previous_entry__case__in=theirs)
    across |= Switch.objects.filter(entry__case__in=theirs, previous_entry__case__in=mine)
    for move in across.order_by("pk"):
        for alert in Alert.objects.filter(switch=move):
            _tell_another(alert, move)
        move.delete()


def _tell_another(alert: Alert, move: Switch) -> None:
    """Of the moves of that episode the last that is left; a card without any is none."""
    family = Case.objects.get(pk=move.case_id).current().family()
    rest = Switch.objects.filter(case__in=family, pk__lt=move.pk, at__gte=alert.created_at).order_by("-pk").first()
    if rest is None:
        alert.delete()
        return
    Alert.objects.filter(pk=alert.pk).update(switch=rest)
