"""A case about a minor, about health, about law: only those who are named see it."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from inbox import privacy
from inbox.http import AgentRequest, case_or_404, signed_in
from inbox.models import Agent, Case, Sensitive
from inbox.views.case import answer
from inbox.views.doors import admins_only

MOST = 200


@signed_in
@require_http_methods(["GET", "POST"])
def hide(request: AgentRequest, pk: int) -> HttpResponse:
    """Whoever sees a case may hide it, and name others; they themselves always see it."""
    case = case_or_404(request, pk)
    colleagues = Agent.objects.active().exclude(pk=request.user.pk).order_by("name")
    if request.method == "GET":
        chosen = case.named_ids if case.named_ids is not None else [case.assignee_id]
        context = {"case": case, "kinds": Sensitive.choices, "colleagues": colleagues, "chosen": chosen}
        return render(request, "inbox/_sensitive_menu.html", context)
    why = request.POST.get("why")
    if why not in {"", *Sensitive.values}:
        return render(request, "inbox/_case_error.html", {"words": "Say what it is about."}, status=422)
    wanted = {each for each in request.POST.getlist("named") if each.isdecimal() and len(each) < 19}
    named = list(colleagues.filter(pk__in=wanted).values_list("pk", flat=True))
    privacy.hide(case, why, [request.user.pk, *named], by=request.user)
    return answer(request, case)


@admins_only
@require_GET
def sensitive(request: AgentRequest) -> HttpResponse:
    return _list(request)


def _list(request: AgentRequest, problem: str = "") -> HttpResponse:
    """That there is such a case, who waits longest first, and no word of it."""
    rows = Case.objects.unmerged().filter(named_ids__isnull=False).select_related("team")
    longest_first = rows.order_by(F("waiting_since").asc(nulls_last=True), "-pk")[:MOST]
    active = list(Agent.objects.active().order_by("name"))
    there = {agent.pk for agent in active}
    named = [(case, {*(case.named_ids or [])}) for case in longest_first]
    cases = [(case, request.user.pk in ids, there.isdisjoint(ids)) for case, ids in named]
    context = {"cases": cases, "active": active, "problem": problem, "place": "privacy"}
    return render(request, "privacy/sensitive.html", context, status=422 if problem else 200)


@admins_only
@require_POST
def join(request: AgentRequest, pk: int) -> HttpResponse:
    case = get_object_or_404(Case.objects.unmerged(), pk=pk, named_ids__isnull=False)
    why = _why(request)
    if not why:
        return _list(request, "Say why you need to see it: it is kept with your name.")
    privacy.name(case, request.user, by=request.user, why=why)
    return redirect(case.get_absolute_url())


@admins_only
@require_POST
def name(request: AgentRequest, pk: int) -> HttpResponse:
    """Somebody who is to see it; whoever names them need not. Only where nobody who was named is left."""
    case = get_object_or_404(Case.objects.unmerged().left_alone(), pk=pk)
    why, chosen = _why(request), request.POST.get("agent", "")
    is_number = chosen.isdecimal() and len(chosen) < 19
    agent = Agent.objects.active().filter(pk=chosen).first() if is_number else None
    if agent is None:
        return _list(request, "Choose who is to see it.")
    if not why:
        return _list(request, "Say why they are to see it: it is kept with your name.")
    privacy.name(case, agent, by=request.user, why=why)
    messages.info(request, f"{agent.name} sees #{case.pk} now.")
    return redirect("/privacy/sensitive/")


def _why(request: AgentRequest) -> str:
    return " ".join(request.POST.get("why", "").replace("\x00", "").split())[:300]
