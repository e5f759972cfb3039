"""The tray: who moved, and has anybody looked. Toasts only point here."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import localtime
from django.views.decorators.http import require_GET, require_POST

from inbox import switching
from inbox.http import AgentRequest, is_fragment, signed_in
from inbox.models import Agent, Alert, AlertSeen, Case, Entry
from inbox.models.alert import AlertQuerySet

MOST = 100


@dataclass(frozen=True, slots=True)
class Told:
    """An alert with its sentence. `is_seen` by whoever asks."""

    alert: Alert
    case: Case
    sentence: str
    is_seen: bool


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    alerts: list[Told]


@signed_in
@require_GET
def alerts(request: AgentRequest) -> HttpResponse:
    groups = _groups(request.user)
    name = "inbox/_alerts.html" if is_fragment(request) else "inbox/alerts.html"
    return render(request, name, {"groups": groups, "place": "alerts"})


@signed_in
@require_GET
def count(request: AgentRequest) -> HttpResponse:
    return render(request, "_badge.html")


@signed_in
@require_POST
def seen(request: AgentRequest, pk: int) -> HttpResponse:
    alert = _visible(request.user).filter(pk=pk).first()
    if alert is None:
        raise Http404
    alert.see(request.user)
    return alerts_again(request)


@signed_in
@require_POST
def all_seen(request: AgentRequest) -> HttpResponse:
    for alert in _visible(request.user).unseen_by(request.user)[:MOST]:
        alert.see(request.user)
    return alerts_again(request)


def alerts_again(request: AgentRequest) -> HttpResponse:
    if not is_fragment(request):
        return redirect("/alerts/")
    return render(request, "inbox/_alerts.html", {"groups": _groups(request.user)})


def _visible(agent: Agent) -> AlertQuerySet:
    return Alert.objects.filter(case__in=Case.objects.visible_to(agent))


def _groups(agent: Agent) -> list[Group]:
    """Newest first in each. What a colleague has looked at already asks for less."""
    looked = AlertSeen.objects.filter(alert=OuterRef("pk"), seen_at__gte=OuterRef("raised_at"))
    unseen = _visible(agent).unseen_by(agent).annotate(was_looked_at=Exists(looked))
    mine = unseen.filter(case__assignee=agent)
    others = unseen.exclude(case__assignee=agent)
    today = localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    mine_seen = AlertSeen.objects.filter(alert=OuterRef("pk"), agent=agent, seen_at__gte=today)
    seen_today = _visible(agent).filter(Exists(mine_seen.filter(seen_at__gte=OuterRef("raised_at"))))
    whose = "Nobody has looked" if agent.is_supervisor else "Your team’s, nobody has looked"
    found = [
        ("Yours", mine, False),
        (whose, others.filter(was_looked_at=False), False),
        ("Your team’s, a colleague has looked", others.filter(was_looked_at=True), False),
        ("Seen today", seen_today, True),
    ]
    return [Group(title, _told(rows, is_seen)) for title, rows, is_seen in found]


def _told(rows: AlertQuerySet, is_seen: bool) -> list[Told]:
    alerts = list(
        rows.order_by("-raised_at", "-pk")
        .select_related("switch", "case__customer", "case__assignee", "case__merged_into")
        .prefetch_related("case__customer__identities")[:MOST]
    )
    waiting = _open_entries([alert.case_id for alert in alerts])
    return [Told(alert, alert.case, _sentence(alert, waiting[alert.case_id]), is_seen) for alert in alerts]


def _open_entries(cases: list[int]) -> dict[int, list[Entry]]:
    """What has no answer yet in each case, oldest first, in one query; what was merged into it belongs to it."""
    found: dict[int, list[Entry]] = defaultdict(list)
    if cases:
        rows = Entry.objects.filter(Q(case__in=cases) | Q(case__merged_into__in=cases), is_open=True)
        for entry in rows.select_related("case").defer("html", "text", "quoted", "search").order_by("pk"):
            assert entry.case is not None
            found[entry.case_id if entry.case_id in cases else entry.case.merged_into_id or 0].append(entry)
    return found


def _sentence(alert: Alert, waiting: list[Entry]) -> str:
    switch = alert.switch
    elsewhere = [entry for entry in waiting if entry.channel != switch.to_channel]
    return switching.sentence(
        switching.Story(
            name=alert.case.customer.first_name,
            channel=switch.to_channel,
            from_channel=switch.from_channel,
            open=[(entry.channel, f"{localtime(entry.time):%H:%M}") for entry in elsewhere],
            channels=alert.channels,
            minutes=int((switch.at - alert.created_at + switch.gap).total_seconds() // 60),
            gap=switch.gap,
            followed=switch.reason == "followed us there",
        )
    )
