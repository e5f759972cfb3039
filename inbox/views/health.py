"""How the connections fare, for supervisors; and whether work gets done, for whatever watches the servers."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib import messages
from django.db import DatabaseError
from django.db.models import Min
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.views.decorators.http import require_POST, require_safe

from connectors.models import Connector, Receipt, ReceiptState
from inbox.http import AgentRequest
from inbox.models import Delivery, Unheard
from inbox.views.connections import connections, expires, noted
from inbox.views.doors import supervisors_only
from inbox.views.quarantine import alarm
from inbox.views.traffic import Traffic, traffic

STUCK = timedelta(minutes=2)  # due work that nobody has done for so long means that nobody works


@supervisors_only
@require_safe
def health(request: AgentRequest) -> HttpResponse:
    of_late, unheard = traffic(), Unheard.objects.given_up().by_connector()
    context = {
        "rows": [
            (each, of_late.get(each.connector.pk, Traffic()), expires(each.connector), unheard[each.connector.pk])
            for each in connections()
        ],
        "unsent": _oldest_unsent(),
        "quarantined": Receipt.objects.quarantined().values("pk")[:1001].count(),
        "alarm": alarm(),
        "place": "health",
    }
    return render(request, "inbox/health.html", context)


@supervisors_only
@require_POST
def pause(request: AgentRequest, pk: int) -> HttpResponse:
    return _turn(request, pk, is_active=False)


@supervisors_only
@require_POST
def resume(request: AgentRequest, pk: int) -> HttpResponse:
    return _turn(request, pk, is_active=True)


def _turn(request: AgentRequest, pk: int, *, is_active: bool) -> HttpResponse:
    connector = get_object_or_404(Connector.objects.defer("credentials"), pk=pk)
    Connector.objects.filter(pk=pk).update(is_active=is_active)
    noted(request.user, connector, "resumed" if is_active else "paused")
    messages.info(request, f"{connector.name} is {'working again' if is_active else 'paused'}.")
    back = request.POST.get("back", "")
    return redirect(f"/connections/{pk}/" if back == "connection" else "/health/")


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Progress, not process: 503 when the database is away or when due work lies there. Names nobody and nothing."""
    try:
        received, unsent = _oldest_received(), _oldest_unsent()
    except DatabaseError:
        return JsonResponse({"ok": False, "database": "does not answer"}, status=503)
    stuck = [at for at in (received, unsent) if at and now() - at > STUCK]
    facts = {
        "ok": not stuck,
        "database": "answers",
        "oldest_received_seconds": _seconds(received),
        "oldest_unsent_seconds": _seconds(unsent),
    }
    return JsonResponse(facts, status=503 if stuck else 200)


def _oldest_received() -> datetime | None:
    """Since when the longest-overdue receipt could have been taken in."""
    waiting = Receipt.objects.filter(state=ReceiptState.WAITING, next_attempt_at__lte=now())
    oldest: datetime | None = waiting.aggregate(oldest=Min("next_attempt_at"))["oldest"]
    return oldest


def _oldest_unsent() -> datetime | None:
    oldest: datetime | None = Delivery.objects.due().aggregate(oldest=Min("not_before"))["oldest"]
    return oldest


def _seconds(at: datetime | None) -> int:
    return max(int((now() - at).total_seconds()), 0) if at else 0
