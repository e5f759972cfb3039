"""Who may join people and take joins back, and how often each agent did. For supervisors."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from inbox.http import AgentRequest
from inbox.models import Agent, Merge, Regrouping, RegroupingKind
from inbox.views.doors import supervisors_only


@supervisors_only
@require_GET
def agents(request: AgentRequest) -> HttpResponse:
    joined = _per_agent(Merge.objects.exclude(by=None).values_list("by").annotate(number=Count("pk")))
    back = _per_agent(Merge.objects.exclude(undone_by=None).values_list("undone_by").annotate(number=Count("pk")))
    own_back = Merge.objects.exclude(by=None).exclude(undone_at=None).values_list("by").annotate(number=Count("pk"))
    handed = Regrouping.objects.filter(kind=RegroupingKind.PERSON).exclude(by=None)
    wrong, gave = _per_agent(own_back), _per_agent(handed.values_list("by").annotate(number=Count("pk")))
    rows = [
        (each, joined.get(each.pk, 0), wrong.get(each.pk, 0), back.get(each.pk, 0), gave.get(each.pk, 0))
        for each in Agent.objects.active().order_by("name", "pk")
    ]
    return render(request, "inbox/agents.html", {"rows": rows, "place": "board"})


def _per_agent(counted: object) -> dict[int, int]:
    return dict(counted)  # type: ignore[call-overload,no-any-return]


@supervisors_only
@require_POST
def allow(request: AgentRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Agent, pk=pk)
    found.may_join, found.may_part = "may_join" in request.POST, "may_part" in request.POST
    found.save(update_fields=["may_join", "may_part"])
    may = [words for yes, words in ((found.may_join, "join people"), (found.may_part, "take joins back")) if yes]
    messages.info(request, f"{found.name} may {' and '.join(may) or 'neither join people nor take joins back'} now.")
    return redirect("/agents/")
