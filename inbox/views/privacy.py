"""What people ask of us: one person's page, all that is asked for, and one message that is erased."""

from __future__ import annotations

from contextlib import suppress

from django.contrib import messages
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers.models import Consent, Customer, Identity
from customers.models.consent import Purpose
from inbox import privacy
from inbox.forms import ConsentForm
from inbox.http import AgentRequest, case_or_404, entry_or_404
from inbox.models import Audit, Erasing, PrivacyRequest, Wish
from inbox.views.case import answer
from inbox.views.customer import customer_or_404
from inbox.views.doors import supervisors_only, those_who_may

MOST = 100


@supervisors_only
@require_GET
def asked(request: AgentRequest) -> HttpResponse:
    """What is open, the most urgent first; and what was done lately."""
    rows = PrivacyRequest.objects.select_related("customer", "noted_by", "done_by")
    context = {
        "open": rows.open().order_by("due_at")[:MOST],
        "done": rows.exclude(done_at=None).order_by("-done_at")[:20],
        "place": "privacy",
    }
    return render(request, "privacy/asked.html", context)


@supervisors_only
@require_GET
def person(request: AgentRequest, pk: int) -> HttpResponse:
    return _page(request, _person(request, pk))


def _page(request: AgentRequest, found: Customer, problem: str = "") -> HttpResponse:
    family, identities = found.family(), _identities(found)
    consents = Consent.objects.filter(identity__in=identities).select_related("identity", "noted_by")
    context = {
        "person": found,
        "identities": identities,
        "consents": consents.order_by("-pk")[:MOST],
        "purposes": Purpose.choices,
        "states": ConsentForm.STATES,
        "requests": PrivacyRequest.objects.of(found).select_related("noted_by", "proven_by", "done_by").order_by("-pk"),
        "wishes": Wish.choices,
        "audit": Audit.objects.filter(customer_id__in=family).select_related("by").order_by("-pk")[:MOST],
        "removing": Erasing.objects.of(family).exists(),
        "problem": problem,
        "place": "customers",
    }
    return render(request, "privacy/person.html", context, status=422 if problem else 200)


@supervisors_only
@require_POST
def ask(request: AgentRequest, pk: int) -> HttpResponse:
    found, wish = _person(request, pk), request.POST.get("wish", "")
    if wish not in Wish.values:
        return _page(request, found, "Say what they ask for.")
    noted = privacy.note(found, Wish(wish), by=request.user)
    messages.info(request, f"Noted. It has to be answered by {noted.due_at:%d %B}.")
    return redirect(f"/customers/{found.pk}/privacy/")


@supervisors_only
@require_POST
def agree(request: AgentRequest, pk: int) -> HttpResponse:
    """What they said, noted by hand: a form they signed, a word on the phone. The newest word holds."""
    found, form = _person(request, pk), ConsentForm(request.POST, identities=_identities(_person(request, pk)))
    if not form.is_valid():
        return _page(request, found, form.words)
    privacy.note_consent(**form.cleaned_data, by=request.user)
    messages.info(request, "Noted. It holds from now on.")
    return redirect(f"/customers/{found.pk}/privacy/")


@supervisors_only
@require_POST
def prove(request: AgentRequest, pk: int) -> HttpResponse:
    noted = _request(request, pk)
    try:
        privacy.prove(noted, request.POST.get("proof", "").replace("\x00", ""), by=request.user)
    except privacy.NotProven as error:
        messages.error(request, error.words)
    return _back_to(noted)


@supervisors_only
@require_POST
def close(request: AgentRequest, pk: int) -> HttpResponse:
    noted, why = _request(request, pk), _why(request)
    if not why:
        messages.error(request, "Say why it is closed.")
    elif noted.done_at is None:
        privacy.close(noted, why, by=request.user)
    return _back_to(noted)


@those_who_may("export")
@require_POST
def export(request: AgentRequest, pk: int) -> HttpResponseBase:
    noted = _request(request, pk)
    if noted.wish != Wish.ACCESS:
        raise Http404
    try:
        file = privacy.answer(noted, by=request.user)
    except privacy.NotProven as error:
        messages.error(request, error.words)
        return _back_to(noted)
    return FileResponse(file, as_attachment=True, filename=f"person-{noted.customer.current().pk}.zip")


@those_who_may("erase")
@require_POST
def erase_person(request: AgentRequest, pk: int) -> HttpResponse:
    found, why = _person(request, pk), _why(request)
    problem = _trouble(request, why)
    if problem:
        return _page(request, found, problem)
    privacy.erase_person(found, by=request.user, why=why)
    messages.info(request, "Erased. What they wrote before does not come back.")
    return redirect(f"/customers/{found.pk}/privacy/")


@those_who_may("erase")
@require_POST
def erase_address(request: AgentRequest, pk: int, identity_pk: int) -> HttpResponse:
    found, why = _person(request, pk), _why(request)
    identity = get_object_or_404(Identity, pk=identity_pk, customer__in=found.family())
    problem = _trouble(request, why)
    if problem:
        return _page(request, found, problem)
    privacy.erase_address(identity, by=request.user, why=why)
    messages.info(request, "The address is erased, with all that was said from it and to it.")
    return redirect(f"/customers/{found.pk}/privacy/")


@those_who_may("redact")
@require_http_methods(["GET", "POST"])
def redact(request: AgentRequest, pk: int) -> HttpResponse:
    """One message. Asked for in a menu of the open case, or on the filed page."""
    entry = entry_or_404(request, pk)
    if request.method == "GET":
        return render(request, "inbox/_redact_menu.html", {"entry": entry})
    words = "It was erased already."
    with suppress(privacy.StillHeld):
        words = privacy.StillHeld.words
        words = "Erased." if privacy.redact(entry, by=request.user, why=_why(request)) else "It was erased already."
    if entry.case_id is None or not request.htmx:
        messages.info(request, words)
        return redirect(f"/inbox/open/c/{entry.case_id}/" if entry.case_id else "/inbox/filed/")
    return answer(request, case_or_404(request, entry.case_id), events={"says": {"words": words}})


def _identities(found: Customer) -> QuerySet[Identity]:
    return Identity.objects.filter(customer__in=found.family()).order_by("kind", "pk")


def _trouble(request: AgentRequest, why: str) -> str:
    if not why:
        return "Say why: it is kept with your name."
    return "" if request.POST.get("sure") else "Tick that you are sure. It cannot be taken back."


def _why(request: AgentRequest) -> str:
    return " ".join(request.POST.get("why", "").replace("\x00", "").split())[:300]


def _person(request: AgentRequest, pk: int) -> Customer:
    return customer_or_404(request, pk)


def _request(request: AgentRequest, pk: int) -> PrivacyRequest:
    noted = get_object_or_404(PrivacyRequest.objects.select_related("customer"), pk=pk)
    customer_or_404(request, noted.customer_id)
    return noted


def _back_to(noted: PrivacyRequest) -> HttpResponse:
    return redirect(f"/customers/{noted.customer.current().pk}/privacy/")
