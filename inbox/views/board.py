"""The supervisor's board: right now, on one page, and the very cases behind every figure."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_date, parse_datetime
from django.views.decorators.http import require_GET, require_POST

from inbox.http import AgentRequest
from inbox.locking import locked
from inbox.metrics import CHANNELS, METRICS, Metric, Scope
from inbox.models import Agent, Alert, Case, Entry, Switch, Team
from inbox.views.doors import number_or_404, supervisors_only
from inbox.views.snapshot import kept

PAGE = 50


@supervisors_only
@require_GET
def board(request: AgentRequest) -> HttpResponse:
    is_wall = request.GET.get("wall") == "1"
    context = _context(request) | {"metrics": METRICS.values(), "teams": Team.objects.all(), "wall": is_wall}
    return render(request, "inbox/board_wall.html" if is_wall else "inbox/board.html", context)


@supervisors_only
@require_GET
def figures(request: AgentRequest) -> HttpResponse:
    """The changing part of the page, as it is now."""
    is_wall = request.GET.get("wall") == "1"
    return render(request, "inbox/_board_wall.html" if is_wall else "inbox/_board.html", _context(request))


def _context(request: AgentRequest) -> dict[str, Any]:
    team = _team(request)
    return {"board": kept.board(team.pk if team else None), "team": team, "place": "board"}


@supervisors_only
@require_GET
def cases(request: AgentRequest, name: str) -> HttpResponse:
    """Exactly what a figure counts: its cases, and under each the moves, replies or messages that were counted."""
    metric = METRICS.get(name)
    if metric is None:
        raise Http404
    scope = _scope(request)
    number = metric.count(scope)
    page = _page(metric, scope, request.GET.get("after", ""))
    shown = page[:PAGE]
    context = {
        "metric": metric,
        "scope": scope,
        "narrowed": _narrowed(scope),
        "number": number,
        "noun": metric.noun(number),
        "cases": _with_counted(metric, scope, shown),
        "case_count": min(metric.cases(scope).order_by().values("pk")[: number + 1].count(), number),
        "query": _query(request),
        "after": _cursor(metric, shown[-1]) if len(page) > PAGE else "",
        "place": "board",
    }
    return render(request, "inbox/board_cases.html", context)


@supervisors_only
@require_POST
def give_to_team(request: AgentRequest, pk: int) -> HttpResponse:
    """Puts an agent's waiting cases back where the team sees them. What customers wait for is nobody's holiday."""
    agent = get_object_or_404(Agent, pk=pk)
    given = 0
    for case in Case.objects.visible_to(request.user).waiting_for_us().filter(assignee=agent):
        with locked(case) as current:
            if current.assignee_id == agent.pk and current.is_waiting_for_us:
                current.assign(None, by=request.user)
                given += 1
    for alert in Alert.objects.open().filter(case__assignee=None, case__is_live=True)[:PAGE] if given else []:
        alert.announce()
    words = "1 case" if given == 1 else f"{given} cases"
    messages.info(request, f"{words} of {agent.short_name} went back to the team.")
    return redirect(f"/board/?{_query(request, 'team')}")


def _team(request: AgentRequest) -> Team | None:
    wanted = request.GET.get("team", "")
    return get_object_or_404(Team, pk=number_or_404(wanted)) if wanted else None


def _scope(request: AgentRequest) -> Scope:
    """What narrows the figure; anything that names no team, agent, channel or day is a page that does not exist."""
    given = request.GET
    channel, towards = given.get("channel", ""), given.get("towards", "")
    if {channel, towards} - {"", *CHANNELS}:
        raise Http404
    team = _team(request)
    agent = get_object_or_404(Agent, pk=number_or_404(given["agent"])) if given.get("agent") else None
    return Scope(
        team=team.pk if team else None,
        agent=agent.pk if agent else None,
        channel=channel,
        towards=towards,
        day=_day(given.get("day", "")),
    )


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year < 3000:
        raise Http404
    return day


def _narrowed(scope: Scope) -> list[str]:
    """The scope in words, for under the title."""
    return [name for model, pk in ((Team, scope.team), (Agent, scope.agent)) if pk for name in _names(model, pk)]


def _names(model: type[Model], pk: int) -> list[str]:
    return [str(each) for each in model._default_manager.filter(pk=pk)]


def _query(request: AgentRequest, *names: str) -> str:
    """The address's own parameters, without the page."""
    query = request.GET.copy()
    for name in list(query):
        if name == "after" or (names and name not in names):
            del query[name]
    return query.urlencode()


def _page(metric: Metric, scope: Scope, after: str) -> list[Case]:
    """One row more than a page, by keyset: the longest-waiting first, or what was last heard of."""
    rows: QuerySet[Case] = metric.cases(scope)
    rows = rows.order_by("waiting_since", "pk") if metric.longest_first else rows.order_by("-last_entry_id", "-pk")
    if after:
        rows = rows.filter(_beyond(metric, after))
    rows = rows.select_related("customer", "assignee", "merged_into").prefetch_related("customer__identities")
    return list(rows[: PAGE + 1])


def _cursor(metric: Metric, case: Case) -> str:
    if metric.longest_first:
        return f"{case.waiting_since.isoformat() if case.waiting_since else ''}_{case.pk}"
    return f"{case.last_entry_id}_{case.pk}"


def _beyond(metric: Metric, cursor: str) -> Q:
    place, _, pk_text = cursor.rpartition("_")
    pk = number_or_404(pk_text)
    if not metric.longest_first:
        entry = number_or_404(place)
        return Q(last_entry_id__lt=entry) | Q(last_entry_id=entry, pk__lt=pk)
    if not place:  # rows that wait for nothing come last
        return Q(waiting_since=None, pk__gt=pk)
    since = _instant(place)
    return Q(waiting_since__gt=since) | Q(waiting_since=since, pk__gt=pk) | Q(waiting_since=None)


def _instant(text: str) -> datetime:
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Http404
    return at


def _with_counted(metric: Metric, scope: Scope, cases: list[Case]) -> list[tuple[Case, list[Any]]]:
    """Each case with what was counted in it. One that was merged since is shown as what it became."""
    counted: dict[int, list[Any]] = defaultdict(list)
    if metric.to_case:
        rows = metric.rows(scope).filter(**{f"{metric.to_case}__in": cases}).order_by("pk")
        if metric.rows(scope).model is Entry:
            rows = rows.defer("html", "quoted", "search").prefetch_related("deliveries")
        elif metric.rows(scope).model is Alert:
            rows = rows.select_related("switch")
        for row in rows:
            counted[row.case_id].append(_as_line(row))
    return [(case.current() if case.merged_into_id else case, counted[case.pk]) for case in cases]


def _as_line(row: Switch | Alert | Entry) -> dict[str, Any]:
    """What was counted, as the list shows it under its case."""
    match row:
        case Switch():
            return {"kind": "move", "at": row.at, "switch": row, "unanswered": row.had_unanswered}
        case Alert():
            return {"kind": "move", "at": row.raised_at, "switch": row.switch, "unanswered": False}
        case _:
            failed = next((each for each in row.deliveries.all() if each.state in ("failed", "unknown")), None)
            return {"kind": "failure" if failed else "message", "at": row.created_at, "entry": row, "delivery": failed}
