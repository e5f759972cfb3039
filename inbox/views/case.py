"""One open case: its page, the pieces of it that change, and what can be done with it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import localtime, now
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from inbox import outbox
from inbox.card import card_for
from inbox.forms import AssignForm, FactForm, SnoozeForm
from inbox.http import AgentRequest, case_or_404, is_fragment, signed_in
from inbox.locking import locked
from inbox.models import Agent, AnotherIsLive, Case, Entry, Fact, FactKind, ParticipantRole, Reading, State, Team
from inbox.models.entry import EntryQuerySet
from inbox.views.beside import matters_beside
from inbox.views.changes import since_of
from inbox.views.composer import composer_of
from inbox.views.has import what_it_has
from inbox.views.inbox import list_context, view_or_404
from inbox.views.panel import identities_of, panel_of
from inbox.views.timeline import last_page, page_before, rows_of_some, with_people

MOST_NEW = 200


@signed_in
@require_GET
def show(request: AgentRequest, slug: str, pk: int) -> HttpResponse:
    view, case = view_or_404(slug), case_or_404(request, pk)
    if case.pk != pk:
        return redirect(f"/inbox/{slug}/c/{case.pk}/")
    context = {**desk_of(case, request.user), "view": view}
    if is_fragment(request):
        return render(request, "inbox/_desk.html", context)
    return render(request, "inbox/inbox.html", {**list_context(request, view), **context, "current": case.pk})


def desk_of(case: Case, agent: Agent) -> dict[str, Any]:
    """Everything the case pane and the panel show. Showing it is looking at it."""
    family = case.family()
    seen = mark_read(case, agent)
    page = last_page(timeline_of(family), seen=seen if seen < case.last_inbound_id else 0)
    return {**around_of(case, agent, family), "page": page, "snoozes": snooze_times()}


def timeline_of(family: list[int]) -> EntryQuerySet:
    """As Case.timeline, for a family that is known already."""
    return EntryQuerySet(Entry).filter(case__in=family)


def around_of(case: Case, agent: Agent, family: list[int], picked: str = "") -> dict[str, Any]:
    """Everything around the timeline: head, card, the form around the text, panel. Each thing is read once."""
    identities = identities_of(case.customer.current())
    ways, has = outbox.options(case, identities), what_it_has(case, agent, family)
    waiting = list(timeline_of(family).filter(is_open=True).defer("search", "html", "quoted").order_by("pk"))
    composer = composer_of(case, agent, picked=picked, ways=ways, waiting=waiting, family=family, has=has)
    panel = panel_of(case, agent, identities, ways=ways, waiting=waiting, family=family, has=has)
    channels = Counter(each.channel for each in panel.addresses)
    return {
        "case": case,
        "card": card_for(case, agent) if has.alert else None,
        "composer": composer,
        "panel": panel,
        "copied_in": [each for each in composer.copied if each.role == ParticipantRole.COPIED][:5],
        "several": {channel: count > 1 for channel, count in channels.items()},
        "beside": matters_beside(case, agent),
    }


def row_context(case: Case) -> dict[str, Any]:
    """What rows of the timeline need to know of their case."""
    kinds = list(case.customer.identities.values_list("kind", flat=True))
    return {"case": case, "several": {"email": kinds.count("email") > 1, "sms": kinds.count("phone") > 1}}


def mark_read(case: Case, agent: Agent) -> int:
    """Up to the newest message; returns how far the agent had read before."""
    with connection.cursor() as cursor:  # by hand: every case that is opened pays for it
        cursor.execute("SELECT entry_id FROM inbox_reading WHERE agent_id = %s AND case_id = %s", [agent.pk, case.pk])
        before = int((cursor.fetchone() or [0])[0])
    if before != case.last_inbound_id:
        Reading.objects.bulk_create(
            [Reading(agent=agent, case=case, entry_id=case.last_inbound_id)],
            update_conflicts=True,
            unique_fields=["agent", "case"],
            update_fields=["entry_id"],
        )
    return before


@signed_in
@require_GET
def earlier(request: AgentRequest, pk: int) -> HttpResponse:
    case = case_or_404(request, pk)
    before = request.GET.get("before", "")
    page = page_before(timeline_of(case.family()), int(before) if before.isdecimal() else 0)
    return render(request, "inbox/_timeline_rows.html", {**row_context(case), "page": page})


@signed_in
@require_GET
def entry(request: AgentRequest, pk: int, entry_pk: int) -> HttpResponse:
    """One entry as it is now, with the day or move that goes before it."""
    case = case_or_404(request, pk)
    timeline = timeline_of(case.family())
    entries = list(with_people(timeline).filter(pk=entry_pk))
    if not entries:
        raise Http404
    return render(request, "inbox/_entries.html", {**row_context(case), "rows": rows_of_some(timeline, entries)})


@signed_in
@require_GET
def changes(request: AgentRequest, pk: int) -> HttpResponse:
    """What is new in the open case. The text being written is never part of it."""
    case = case_or_404(request, pk)
    if request.GET.get("look"):
        mark_read(case, request.user)
    return answer(request, case)


def answer(
    request: AgentRequest, case: Case, *, status: int = 200, events: dict[str, Any] | None = None
) -> HttpResponse:
    """The pieces of the open case that changed, as the answer to a verb or to a page that catches up."""
    at = now()
    case = Case.objects.select_related("customer", "assignee", "team").get(pk=case.current().pk)
    family = case.family()
    timeline = timeline_of(family)
    context = around_of(case, request.user, family, request.headers.get("X-Picked", ""))
    entries = _changed_entries(request, timeline)
    if _are_others(request, entries):
        context["page"] = last_page(timeline)
    else:
        context["rows"] = rows_of_some(timeline, entries)
    response = render(request, "inbox/_case_changes.html", context, status=status)
    response["X-Server-Time"] = at.isoformat()
    response["X-Case"] = str(case.pk)
    if events:
        response["HX-Trigger"] = json.dumps(events)
    return response


def _changed_entries(request: AgentRequest, timeline: EntryQuerySet) -> list[Entry]:
    """New ones, and those that look different now. A reply that failed or was taken back opens what it had answered."""
    newest, since = request.headers.get("X-Newest", ""), since_of(request) or now() - timedelta(minutes=1)
    sending = timeline.filter(deliveries__changed_at__gte=since)
    changed = Q(created_at__gte=since) | Q(tied_at__gte=since) | Q(edited_at__gte=since) | Q(unsent_at__gte=since)
    changed |= Q(touched_at__gte=since)
    changed |= Q(pk__in=sending.values("pk"))
    if newest.isdecimal() and len(newest) < 19:
        changed |= Q(pk__gt=int(newest))
    if sending.filter(deliveries__state__in=[State.FAILED, State.CANCELLED]).exists():
        changed |= Q(is_open=True)
    found = with_people(timeline).filter(changed).order_by("-pk")
    return list(found[:MOST_NEW])[::-1]


def _are_others(request: AgentRequest, entries: list[Entry]) -> bool:
    """Somebody was joined to the customer, or parted from them, since: the whole conversation is another one now."""
    newest = request.headers.get("X-Newest", "")
    regrouped = [each.pk for each in entries if each.event in ("joined", "parted", "regrouped")]
    return newest.isdecimal() and any(pk > int(newest) for pk in regrouped)


def left(request: AgentRequest, case: Case) -> HttpResponse:
    """After a verb that sends the case out of sight: the list goes on to the next one."""
    return answer(request, case, events={"case-left": {"case": case.pk}})


@signed_in
@require_POST
def take(request: AgentRequest, pk: int) -> HttpResponse:
    with locked(case_or_404(request, pk)) as case:
        case.assign(request.user, by=request.user)
    return answer(request, case)


@signed_in
@require_http_methods(["GET", "POST"])
def assign(request: AgentRequest, pk: int) -> HttpResponse:
    case = case_or_404(request, pk)
    if request.method == "GET":
        colleagues = case.those_who_may_have_it().order_by("name")
        return render(
            request, "inbox/_assign.html", {"case": case, "colleagues": colleagues, "teams": Team.objects.all()}
        )
    form = AssignForm(request.POST, case=case)
    if not form.is_valid():
        return render(request, "inbox/_case_error.html", {"words": form.words}, status=422)
    with locked(case) as case:
        if form.cleaned_data["team"]:
            case.move_to(form.cleaned_data["team"], by=request.user)
        else:
            case.assign(form.cleaned_data["agent"], by=request.user)
    if not Case.objects.visible_to(request.user).filter(pk=case.pk).exists():
        return HttpResponse(status=204, headers={"HX-Redirect": "/inbox/mine/"})
    return answer(request, case)


@signed_in
@require_POST
def resolve(request: AgentRequest, pk: int) -> HttpResponse:
    with locked(case_or_404(request, pk)) as case:
        case.resolve(by=request.user)
    return left(request, case)


@signed_in
@require_POST
def reopen(request: AgentRequest, pk: int) -> HttpResponse:
    try:
        with locked(case_or_404(request, pk)) as case:
            case.reopen(by=request.user)
    except AnotherIsLive as live:
        return render(request, "inbox/_case_error.html", {"other": live.case}, status=409)
    return answer(request, case)


@signed_in
@require_POST
def snooze(request: AgentRequest, pk: int) -> HttpResponse:
    case, form = case_or_404(request, pk), SnoozeForm(request.POST)
    if not form.is_valid():
        return render(request, "inbox/_case_error.html", {"words": form.words}, status=422)
    with locked(case) as case:
        if not case.is_live:
            return render(request, "inbox/_case_error.html", {"words": "It is resolved. Reopen it first."}, status=409)
        case.snooze(form.cleaned_data["until"], by=request.user)
    return left(request, case)


@signed_in
@require_POST
def wake(request: AgentRequest, pk: int) -> HttpResponse:
    with locked(case_or_404(request, pk)) as case:
        case.wake(by=request.user)
    return answer(request, case)


@signed_in
@require_POST
def no_reply_needed(request: AgentRequest, pk: int) -> HttpResponse:
    case = case_or_404(request, pk)
    outbox.no_reply_needed(case, by=request.user)
    return answer(request, case)


@signed_in
@require_POST
def card_seen(request: AgentRequest, pk: int) -> HttpResponse:
    case = case_or_404(request, pk)
    for alert in case.alerts.open():
        alert.see(request.user)
    context = {"case": case, "card": card_for(case, request.user), "beside": matters_beside(case, request.user)}
    return render(request, "inbox/_card_seen.html", context)


@signed_in
@require_POST
def pin_fact(request: AgentRequest, pk: int) -> HttpResponse:
    """Something the customer told us, kept where the next agent sees it."""
    case, form = case_or_404(request, pk), FactForm(request.POST)
    if not form.is_valid():
        return render(request, "inbox/_case_error.html", {"words": form.words}, status=422)
    source = case.timeline().filter(pk=form.cleaned_data["entry"]).first()
    if source is None:
        return render(request, "inbox/_case_error.html", {"words": "That message is not in this case."}, status=422)
    Fact.objects.get_or_create(
        case=case,
        kind=FactKind.PINNED,
        value=form.cleaned_data["value"],
        defaults={"customer": case.customer, "entry": source, "pinned_by": request.user},
    )
    return answer(request, case)


@signed_in
@require_POST
def unpin_fact(request: AgentRequest, pk: int, fact_pk: int) -> HttpResponse:
    case = case_or_404(request, pk)
    Fact.objects.filter(pk=fact_pk, case__in=case.family(), kind=FactKind.PINNED).delete()
    return answer(request, case)


def snooze_times() -> list[tuple[str, datetime]]:
    """Later today, tomorrow, next week: the agent's own clock."""
    here = localtime()
    morning = here.replace(hour=9, minute=0, second=0, microsecond=0)
    times = [("Later today", (here + timedelta(hours=3)).replace(second=0, microsecond=0))]
    times.append(("Tomorrow", morning + timedelta(days=1)))
    if here.weekday() < 4:
        times.append(("This weekend", morning + timedelta(days=5 - here.weekday())))
    if here.weekday() < 6:  # on a Sunday that is tomorrow
        times.append(("Next week", morning + timedelta(days=7 - here.weekday())))
    return times
