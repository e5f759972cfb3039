"""Who did what to what we know of people. Nobody can change it, admins can read it."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from inbox.http import AgentRequest
from inbox.models import Act, Agent, Audit
from inbox.views.doors import admins_only, number_or_404

PAGE = 50


@admins_only
@require_GET
def audit(request: AgentRequest) -> HttpResponse:
    rows, act, by = Audit.objects.select_related("by"), request.GET.get("act", ""), request.GET.get("by", "")
    if act:
        if act not in Act.values:
            raise Http404
        rows = rows.filter(act=act)
    if by:
        rows = rows.filter(by=number_or_404(by))
    before = request.GET.get("before", "")
    if before:
        rows = rows.filter(pk__lt=number_or_404(before))
    page = list(rows.order_by("-pk")[: PAGE + 1])
    context = {
        "rows": page[:PAGE],
        "before": page[PAGE - 1].pk if len(page) > PAGE else None,
        "acts": Act.choices,
        "agents": Agent.objects.order_by("name"),
        "act": act,
        "by": by,
        "place": "privacy",
    }
    return render(request, "privacy/audit.html", context)
