"""For other systems: tell of a customer, an order, an event. JSON in, JSON out; a bearer token says which system it is.

    PUT  /api/customers/<id>/         {name, language, time_zone, prefers, instagram, attributes: {},
                                       identities: [{kind, value, scope, proven}]}
    POST /api/customers/<id>/orders/  {number, title, status, amount, currency, placed_at}
    POST /api/customers/<id>/events/  {name, detail, at, reference}

`<id>` is what the system itself calls the customer. Everything may be told again. An error is {"error": "a sentence"}.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from customers.models import Source
from inbox import importing, proposing

MOST_OCTETS = 256 * 1024
A_MINUTE = timedelta(minutes=1)
Told = dict[str, object]
Answer = tuple[dict[str, Any], int]


def from_a_source(method: str) -> Callable[[Callable[[Source, str, Told], Answer]], Callable[..., JsonResponse]]:
    """The door: no session, no cookie, only the token. What is wrong is said in one sentence."""

    def door(view: Callable[[Source, str, Told], Answer]) -> Callable[..., JsonResponse]:
        @csrf_exempt
        @require_http_methods([method])
        @wraps(view)
        def guarded(request: HttpRequest, external_id: str) -> JsonResponse:
            source = _source(request)
            if source is None:
                answer = _wrong("Send a token that is valid: Authorization: Bearer tl_…", 401)
                answer["WWW-Authenticate"] = "Bearer"
                return answer
            try:
                told, status = view(source, external_id, _body(request))
            except importing.BadRecord as error:
                return _wrong(error.words, 422)
            except importing.Unknown as error:
                return _wrong(str(error), 404)
            return JsonResponse(told, status=status)

        return guarded

    return door


@from_a_source("PUT")
def customer(source: Source, external_id: str, told: Told) -> Answer:
    taken = importing.take_customers([importing.read_customer(external_id, told)], source=source.name)
    if not taken.customers:
        raise importing.BadRecord(taken.left[0])
    proposing.propose_some(taken.doubtful)
    answer = {"id": external_id, "customer": taken.customers[0], "created": bool(taken.made), "left": taken.left}
    return answer, 201 if taken.made else 200


@from_a_source("POST")
def orders(source: Source, external_id: str, told: Told) -> Answer:
    order = importing.read_order(external_id, told)
    taken = importing.take_orders([order], source=source.name)
    return {"number": order.number, "created": bool(taken.made), "left": taken.left}, 201 if taken.made else 200


@from_a_source("POST")
def events(source: Source, external_id: str, told: Told) -> Answer:
    taken = importing.take_events([importing.read_event(external_id, told)], source=source.name)
    return {"created": bool(taken.made), "left": taken.left}, 201 if taken.made else 200


def _source(request: HttpRequest) -> Source | None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    source = Source.objects.of(token.strip()) if kind.lower() == "bearer" and token else None
    if source and (source.used_at is None or source.used_at < now() - A_MINUTE):
        Source.objects.filter(pk=source.pk).update(used_at=now())
    return source


def _body(request: HttpRequest) -> Told:
    length = request.headers.get("Content-Length") or "0"
    if not length.isdecimal() or int(length) > MOST_OCTETS:
        raise importing.BadRecord(f"Send at most {MOST_OCTETS // 1024} KiB at once.")
    try:
        told = json.loads(request.body or b"{}", parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise importing.BadRecord("This is not JSON.") from error
    if not isinstance(told, dict):
        raise importing.BadRecord("Send one JSON object.")
    return told


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _wrong(words: str, status: int) -> JsonResponse:
    return JsonResponse({"error": words}, status=status)
