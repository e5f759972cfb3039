"""The owner of an Instagram account takes back what they allowed, and may ask that what we keep of it be deleted.

Meta posts to addresses that are entered in the app's dashboard: the webhook's own address, and `deauthorised/` or
`deletion/` after it.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from connectors.adapters.instagram import signed_request
from connectors.errors import Forged
from connectors.models import Connector, ConnectorKind, Side
from inbox import live

SALT = "deletion"
TAKEN_BACK = "The owner of the account took back our permission at Instagram. They must sign in again."
OF_THE_OWNER = ("access_token_expires_at", "app_user_id", "page_id", "permissions", "signed_in_at", "username")


@csrf_exempt
@require_POST
def deauthorised(request: HttpRequest, token: str) -> HttpResponse:
    try:
        theirs = _withdrawn(request, token)
    except Forged:
        return HttpResponseForbidden()
    for connector in theirs:
        _stop(connector)
    return HttpResponse()


@csrf_exempt
@require_POST
def deletion(request: HttpRequest, token: str) -> HttpResponse:
    """Done before it is answered, so the code only has to say when and for which connection."""
    try:
        theirs = _withdrawn(request, token)
    except Forged:
        return HttpResponseForbidden()
    for connector in theirs:
        _stop(connector)
        _forget(connector)
    code = signing.dumps({"at": now().isoformat(), "connections": [each.pk for each in theirs]}, salt=SALT)
    return JsonResponse({"url": f"{settings.PUBLIC_URL}/deletions/{code}/", "confirmation_code": code})


@require_safe
def deletion_status(request: HttpRequest, code: str) -> HttpResponse:
    """For whoever asked. Names nobody and nothing."""
    try:
        asked = signing.loads(code, salt=SALT)
    except signing.BadSignature:
        raise Http404 from None
    context = {"at": datetime.fromisoformat(asked["at"]), "count": len(asked["connections"])}
    return render(request, "inbox/deletion.html", context)


def _withdrawn(request: HttpRequest, token: str) -> list[Connector]:
    """The connections of the person it is about, those of the same app at our other addresses included."""
    own = get_object_or_404(Connector, token=token, kind=ConnectorKind.INSTAGRAM)
    person = signed_request.whose(request.POST.get("signed_request", ""), [own.account()])
    mine = Connector.objects.filter(kind=ConnectorKind.INSTAGRAM)
    same_app = [each for each in mine if each.credentials.get("app_secret") == own.credentials.get("app_secret")]
    return [each for each in same_app if signed_request.is_about(person, each.account())]


def _stop(connector: Connector) -> None:
    """Sending is over. What still comes in is not lost."""
    connector.failed(TAKEN_BACK, Side.OUT, reconnect=True)
    live.announce(lambda: {"kind": "board"})


def _forget(connector: Connector) -> None:
    """The sign-in and what it told of its owner. The conversations belong to the people who had them."""
    connector.keep(
        secrets={"access_token": ""},
        options={name: "" for name in OF_THE_OWNER if name in connector.options},
    )
