"""Going on elsewhere: what an agent can offer, and the page a customer sees who opens the link."""

from __future__ import annotations

from io import BytesIO

import segno
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from connectors.models import Connector
from customers.models import Identity
from inbox import codes, inviting, outbox
from inbox.disclosing import surest
from inbox.http import AgentRequest, case_or_404, signed_in
from inbox.locking import locked
from inbox.models import Agent, Case, Invitation
from inbox.views.case import answer
from inbox.views.doors import number_or_404

NOBODY_TO_ASK = "There is no other address to send a code to. Ask for something only this person knows."


@signed_in
@require_GET
def menu(request: AgentRequest, pk: int) -> HttpResponse:
    case = case_or_404(request, pk)
    places = [(each, inviting.our_address(each)) for each in _places(case, request.GET.get("from", ""))]
    return render(request, "inbox/_invite_menu.html", {"case": case, "places": places})


@signed_in
@require_POST
def invite(request: AgentRequest, pk: int) -> HttpResponse:
    """The words for the reply. The code counts from when they are sent."""
    case = case_or_404(request, pk)
    connector = get_object_or_404(_places(case, ""), pk=number_or_404(request.POST.get("to", "")))
    with locked(case) as case:
        words = inviting.invite(case, connector, by=request.user, with_link=request.POST.get("from") == "email")
    return HttpResponse(words, content_type="text/plain; charset=utf-8")


@signed_in
@require_POST
def ask(request: AgentRequest, pk: int) -> HttpResponse:
    """Sends a code to an address that is sure; whoever returns it from the other one is the same person."""
    with locked(case_or_404(request, pk)) as case:
        about = get_object_or_404(case.customer.current().identities, pk=number_or_404(request.POST.get("about", "")))
        to = ask_for_proof(case, about, by=request.user)
    if to is None:
        return render(request, "inbox/_composer_error.html", {"words": NOBODY_TO_ASK}, status=422)
    return answer(request, case, events={"says": {"words": f"A code is on its way to {to.shown}."}})


def ask_for_proof(case: Case, about: Identity, *, by: Agent) -> Identity | None:
    """Where the code goes; None when there is no sure address to send it to. The caller holds the customer's lock."""
    to = surest(case.customer.current(), about=about)
    way = next((way for way in outbox.options(case) if way.identity.pk == about.pk), None)
    if to is None or way is None:
        return None
    if inviting.was_just_told(case, to, way.connector):
        return to
    words = inviting.question(case, way.connector, by=by)
    return to if words and outbox.notify(case, to=to, text=words) else None


def _places(case: Case, channel: str) -> QuerySet[Connector]:
    """Ours that the case's teams answer, and not where they are already."""
    working = Connector.objects.sending().filter(team__in=case.team_ids).exclude(kind=channel)
    return working.order_by("kind", "pk")


@never_cache
@require_safe
def go_on(request: HttpRequest, code: str) -> HttpResponse:
    """Opening it uses nothing up: mail scanners open every link. It says the same of a code used, old or never made."""
    invitation = _open(code)
    if invitation is None:
        return render(request, "customers/go_on.html", {"door": ""}, status=404)
    connector = invitation.connector
    context = {
        "connector": connector,
        "address": inviting.our_address(connector),
        "door": inviting.door(connector, invitation.spelled),
        "code": invitation.spelled,
    }
    return render(request, "customers/go_on.html", context)


@never_cache
@require_safe
def picture(request: HttpRequest, code: str) -> HttpResponse:
    """The page's own address, for the camera of the phone that the customer would rather use."""
    invitation = _open(code)
    if invitation is None:
        return HttpResponse(status=404)
    drawn = BytesIO()
    segno.make(f"{settings.PUBLIC_URL}/go-on/{invitation.spelled}/", error="m").save(
        drawn, kind="svg", scale=5, border=2
    )
    return HttpResponse(drawn.getvalue(), content_type="image/svg+xml")


def _open(text: str) -> Invitation | None:
    found = codes.written_in(text)
    return Invitation.objects.open().of_code(found[0]).select_related("connector").first() if found else None
