"""Where providers post. Checked, stored as it came, committed, answered; nothing is understood before that."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from datetime import timedelta

from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseNotFound
from django.urls import resolve
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from connectors.adapters import ADAPTERS
from connectors.errors import Forged
from connectors.messages import Channel
from connectors.models import Connector, Receipt, Side, at_hand, forget_at_hand
from inbox.intake import take_in_task
from inbox.wake import wake_for

log = logging.getLogger(__name__)
KEPT_HEADERS = ("content-type", "user-agent", "i-twilio-idempotency-token")


def door(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware. What pages need, sessions and policies and messages, would take as long as storing what came."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/hooks/"):
            return get_response(request)
        found = resolve(request.path_info)
        answer: HttpResponse = found.func(request, *found.args, **found.kwargs)
        answer["Content-Length"] = str(len(answer.content))
        return answer

    return middleware


@csrf_exempt
@require_http_methods(["GET", "POST"])
def receive(request: HttpRequest, token: str) -> HttpResponse:
    try:
        connector = at_hand(token=token)
    except Connector.DoesNotExist:
        return HttpResponseNotFound()
    if not ADAPTERS[Channel(connector.kind)].receives_webhooks:
        return HttpResponseNotFound()
    if request.method == "GET":
        return _handshake(request, connector)
    body = request.body  # before anything reads request.POST
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers["x-query-string"] = request.META.get("QUERY_STRING", "")
    try:
        _verify(connector, body, headers)
    except Forged as error:
        Connector.objects.filter(pk=connector.pk).update(forged_count=F("forged_count") + 1)
        log.warning("A forged webhook for %s was refused: %s", connector.name, error.reason)
        return HttpResponseForbidden()
    except Connector.DoesNotExist:
        return HttpResponseNotFound()
    kept = {name: headers[name] for name in (*KEPT_HEADERS, "x-query-string") if name in headers}
    _store(connector, body, kept)
    content_type, words = ADAPTERS[Channel(connector.kind)].webhook_answer
    return HttpResponse(words, content_type=content_type)


def _verify(connector: Connector, body: bytes, headers: dict[str, str]) -> None:
    """Raises Forged, but only after a second look: the secret may have been changed this very second. Raises
    Connector.DoesNotExist when there is none any more."""
    verify = ADAPTERS[Channel(connector.kind)].verify
    try:
        verify(body, headers, [connector.account()])
    except Forged:
        forget_at_hand(connector)
        verify(body, headers, [at_hand(token=connector.token).account()])


def _store(connector: Connector, body: bytes, headers: dict[str, str]) -> None:
    """The same bytes twice are one receipt. The query is part of them: two callbacks may differ in nothing else."""
    key = hashlib.sha256(body + b"\n" + headers["x-query-string"].encode()).hexdigest()
    receipt = Receipt.store(connector, body, headers=headers, key=key)
    if not connector.last_received_at or connector.last_received_at < now() - timedelta(seconds=5):
        connector.last_received_at = now()
        Connector.objects.filter(pk=connector.pk).update(last_received_at=connector.last_received_at)
        connector.succeeded(Side.IN)
    if receipt:
        wake_for(take_in_task, receipt)


def _handshake(request: HttpRequest, connector: Connector) -> HttpResponse:
    challenge = getattr(ADAPTERS[Channel(connector.kind)], "challenge", None)
    answer = challenge(request.GET.dict(), [connector.account()]) if challenge else None
    if answer is None:
        return HttpResponseForbidden()
    return HttpResponse(answer, content_type="text/plain")
