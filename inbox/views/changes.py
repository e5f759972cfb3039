"""Catching up is the normal path: what changed since the page last asked. There is no event log."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, now
from django.views.decorators.http import require_GET

from inbox.http import AgentRequest, signed_in
from inbox.models import Case
from inbox.views.inbox import count, decorate, for_rows, view_or_404

OVERLAP = timedelta(seconds=10)  # commits that were under way when the page last asked
MOST_ROWS = 200


def since_of(request: AgentRequest) -> datetime | None:
    """The page's last server time, less the overlap; None when it gave none or was away too long to be patched."""
    text = request.GET.get("since") or request.headers.get("X-Since", "")
    try:
        since = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        return None
    if since is None or is_naive(since) or since < now() - timedelta(days=1):
        return None
    return since - OVERLAP


@signed_in
@require_GET
def changed(request: AgentRequest, slug: str) -> HttpResponse:
    """Rows that changed, wherever they belong now; 205 when there are too many and the list is better read anew."""
    view, since, at = view_or_404(slug), since_of(request), now()
    cases: list[Case] = []
    if since is not None:
        found = Case.objects.visible_to(request.user).filter(changed_at__gte=since)
        cases = list(for_rows(found).order_by("changed_at")[: MOST_ROWS + 1])
    if since is None or len(cases) > MOST_ROWS:
        answer = HttpResponse(status=205)
    else:
        decorate(cases, request.user)
        answer = render(
            request, "inbox/_changes.html", {"cases": cases, "view": view, "count": count(view, request.user)}
        )
    answer["X-Server-Time"] = at.isoformat()
    return answer
