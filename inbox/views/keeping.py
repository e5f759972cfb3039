"""How long messages are kept: rules that admins make."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from connectors.models import Connector
from inbox import privacy
from inbox.forms import KeepingForm
from inbox.http import AgentRequest
from inbox.models import RetentionRule, Team
from inbox.views.doors import admins_only


@admins_only
@require_GET
def keeping(request: AgentRequest) -> HttpResponse:
    return _page(request)


def _page(request: AgentRequest, problem: str = "") -> HttpResponse:
    rules = RetentionRule.objects.select_related("team", "connector", "made_by")
    context = {
        "rules": sorted(rules, key=lambda rule: (rule.connector_id is None, rule.team_id is None, rule.pk)),
        "connectors": Connector.objects.defer("credentials").order_by("name"),
        "teams": Team.objects.all(),
        "problem": problem,
        "place": "privacy",
    }
    return render(request, "privacy/keeping.html", context, status=422 if problem else 200)


@admins_only
@require_POST
def add(request: AgentRequest) -> HttpResponse:
    form = KeepingForm(request.POST)
    if not form.is_valid():
        return _page(request, form.words)
    team, connector = form.cleaned_data["whose"]
    privacy.set_rule(team, connector, form.cleaned_data["days"], by=request.user)
    return redirect("/privacy/keeping/")


@admins_only
@require_POST
def drop(request: AgentRequest, pk: int) -> HttpResponse:
    privacy.drop_rule(
        get_object_or_404(RetentionRule.objects.select_related("team", "connector"), pk=pk), by=request.user
    )
    return redirect("/privacy/keeping/")
