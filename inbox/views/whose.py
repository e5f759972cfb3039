"""Whose address is this? Somebody else's, several people's, theirs after all; and who of them wrote."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods, require_POST

from customers.models import CustomerKind, Identity, Relationship
from inbox import detaching
from inbox.detaching import CannotDetach
from inbox.http import AgentRequest, entry_or_404, signed_in
from inbox.locking import locked, locked_with
from inbox.models import Case, EntryKind
from inbox.outbox.last_word import LINE, close
from inbox.views.about import said
from inbox.views.case import answer
from inbox.views.customer import is_visible
from inbox.views.invite import NOBODY_TO_ASK, ask_for_proof

LINES = [kind for kind in CustomerKind if kind != CustomerKind.PERSON]


@signed_in
@require_http_methods(["GET", "POST"])
def wrong(request: AgentRequest, pk: int) -> HttpResponse:
    """Wrong person or number: it is taken away from them, and not written to before it writes again."""
    identity = identity_or_404(request, pk)
    problem = "" if request.user.is_allowed_to_part else NOT_ALLOWED
    if request.method == "POST" and not problem:
        person, kept = identity.customer, request.POST.get("words") == "stay"
        try:
            detaching.detach(identity, by=request.user, reason=said(request, "reason", 200), with_words=not kept)
        except CannotDetach as error:
            problem = error.reason
        else:
            identity.refresh_from_db()
            apology = said(request, "apology", 500) if request.POST.get("apologise") else ""
            told = close(identity, by=request.user, words=apology)
            words = f"{identity.shown} is nobody's we know now. Nothing is sent there until it writes."
            messages.info(request, f"{words} The apology is on its way." if told else words)
            return redirect(f"/customers/{person.pk}/")
    return _page(request, "customers/wrong.html", identity, problem)


@signed_in
@require_http_methods(["GET", "POST"])
def shared(request: AgentRequest, pk: int) -> HttpResponse:
    """Several people read it: a line of its own."""
    identity = identity_or_404(request, pk)
    problem = "" if request.user.is_allowed_to_part else NOT_ALLOWED
    if request.method == "POST" and not problem:
        kind = next((each for each in LINES if each == request.POST.get("kind")), CustomerKind.HOUSEHOLD)
        kept = request.POST.get("words") == "stay"
        try:
            line = detaching.share(
                identity, kind=kind, by=request.user, name=said(request, "name", 200), with_words=not kept
            )
        except CannotDetach as error:
            problem = error.reason
        else:
            messages.info(request, "It is a shared line now. Say below who writes from it.")
            return redirect(f"/customers/{line.pk}/")
    return _page(request, "customers/shared.html", identity, problem)


@signed_in
@require_POST
def take_back(request: AgentRequest, pk: int) -> HttpResponse:
    identity = identity_or_404(request, pk)
    person = identity.customer
    try:
        if not request.user.is_allowed_to_part:
            raise CannotDetach(NOT_ALLOWED)
        person = detaching.give_back(identity, by=request.user)
        messages.info(request, f"{identity.shown} is theirs again.")
    except CannotDetach as error:
        messages.error(request, error.reason)
    return redirect(f"/customers/{person.pk}/")


@signed_in
@require_POST
def prove(request: AgentRequest, pk: int) -> HttpResponse:
    """A code goes to the address of theirs that is sure; who returns it from this one has proven it."""
    identity = identity_or_404(request, pk)
    person = identity.customer.current()
    cases = Case.objects.visible_to(request.user).filter(customer=person)
    live = Case.objects.live_of(person)
    to = None
    if live and cases.filter(pk=live.pk).exists():
        with locked(live) as case:
            to = ask_for_proof(case, identity, by=request.user)
    if live is None:
        messages.error(request, f"{person.first_name} has no open case. Write to them first, then ask for proof.")
    elif to is None:
        messages.error(request, NOBODY_TO_ASK)
    else:
        messages.info(request, f"A code is on its way to {to.shown}.")
    return redirect(f"/customers/{person.pk}/")


@signed_in
@require_POST
def writer(request: AgentRequest, pk: int) -> HttpResponse:
    """Who wrote this from a shared line: one of its people, or unclear."""
    entry = entry_or_404(request, pk)
    if entry.kind != EntryKind.MESSAGE or entry.case_id is None:
        raise Http404
    with locked_with(entry) as case:
        entry.refresh_from_db(fields=["data", "erased_at"])
        if entry.erased_at:
            raise Http404
        members = Relationship.objects.filter(customer__in=case.customer.current().family())
        known = {str(each.other.current().pk) for each in members.select_related("other")}
        chosen = request.POST.get("writer", "")
        entry.data = {key: value for key, value in entry.data.items() if key != "writer"}
        if chosen in known:
            entry.data["writer"] = int(chosen)
        entry.touched_at = now()
        entry.save(update_fields=["data", "touched_at"])
        case.changed(entry)
    return answer(request, case)


NOT_ALLOWED = "You may not take people's addresses apart. A supervisor can do it."


def identity_or_404(request: AgentRequest, pk: int) -> Identity:
    """The door: an address is seen by those who see whose it is."""
    identity = Identity.objects.select_related("customer").filter(pk=pk).first()
    if identity is None or not is_visible(identity.customer.current(), request.user):
        raise Http404
    return identity


def _page(request: AgentRequest, template: str, identity: Identity, problem: str) -> HttpResponse:
    context = {
        "identity": identity,
        "person": identity.customer.current(),
        "before": detaching.owner_before(identity),
        "problem": problem,
        "kinds": LINES,
        "apology": LINE,
        "is_written_to": identity.entries.filter(kind=EntryKind.REPLY).exists(),
        "place": "customers",
    }
    return render(request, template, context, status=422 if problem else 200)
