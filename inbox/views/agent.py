"""What an agent decides about themself: here or not, how it looks, and what waits to be looked at."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.timezone import now
from django.views.decorators.http import require_GET, require_POST

from inbox.forms import LooksForm, PresenceForm
from inbox.http import AgentRequest, signed_in
from inbox.models import Alert


@signed_in
@require_POST
def presence(request: AgentRequest) -> HttpResponse:
    form = PresenceForm(request.POST, instance=request.user)
    if not form.is_valid():
        return render(request, "_presence_error.html", {"form": form}, status=422)
    form.save()
    return render(request, "_presence.html")


@signed_in
@require_POST
def looks(request: AgentRequest) -> HttpResponse:
    form = LooksForm(request.POST, instance=request.user)
    if form.is_valid():
        form.save()
    return HttpResponse(status=204)


@signed_in
@require_GET
def alerts(request: AgentRequest) -> HttpResponse:
    """The badge, and a pointer to one new alert if this agent is meant and has not seen it."""
    fresh = Alert.objects.unseen_by(request.user).filter(raised_at__gt=now() - timedelta(minutes=10))
    wanted = request.GET.get("alert", "")
    found = (
        fresh.filter(pk=int(wanted)).select_related("case__customer", "switch").first() if wanted.isdecimal() else None
    )
    return render(request, "_alert_news.html", {"alert": found})
