"""Two matters of one person, and messages that somebody else wrote: picked on the timeline, moved, taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from customers.models import Customer
from inbox import splitting
from inbox.forms import PickedForm
from inbox.http import AgentRequest, case_or_404, is_fragment, signed_in
from inbox.models import Agent, Case, Regrouping, RegroupingKind
from inbox.models.case import SPOKEN
from inbox.views.beside import matters_beside
from inbox.views.case import answer
from inbox.views.customer import customer_or_404, matching, visible

MAY_NOT_PART = "You may not tell people apart. A supervisor can allow it, or do it for you."
NO_OTHER = "There is no other live case of this person that you can see. Pick messages to make one."
MAY_NOT_JOIN = "You may not join people. A supervisor can allow it, or do it for you."


@signed_in
@require_POST
def split(request: AgentRequest, pk: int) -> HttpResponse:
    case = case_or_404(request, pk)
    return _answer(request, case, lambda picked: splitting.split(case, picked, by=request.user))


@signed_in
@require_POST
def move(request: AgentRequest, pk: int) -> HttpResponse:
    """Into the case named, or the only other one there is."""
    case = case_or_404(request, pk)
    named = request.POST.get("to", "")
    others = matters_beside(case, request.user)
    if named.isdecimal() and len(named) < 19:
        home = case_or_404(request, int(named))
    elif len(others) == 1:
        home = others[0]
    else:
        words = "Pick the messages, then choose which matter they belong to." if others else NO_OTHER
        return _refused(request, words)
    return _answer(request, case, lambda picked: splitting.move(case, picked, home, by=request.user))


@signed_in
@require_POST
def rejoin(request: AgentRequest, pk: int, other_pk: int) -> HttpResponse:
    case, other = case_or_404(request, pk), case_or_404(request, other_pk)
    try:
        regrouping = splitting.rejoin(case, other, by=request.user)
    except splitting.CannotSplit as error:
        return _refused(request, error.reason)
    if regrouping.to_case_id != case.pk:  # the one that is looked at became part of the other
        return HttpResponse(status=204, headers={"HX-Redirect": f"/inbox/open/c/{regrouping.to_case_id}/"})
    return answer(request, case)


def _answer(request: AgentRequest, case: Case, act: Callable[[list[int]], Regrouping]) -> HttpResponse:
    form = PickedForm(request.POST)
    if not form.is_valid():
        return _refused(request, form.words)
    try:
        regrouping = act(form.cleaned_data["entries"])
    except splitting.CannotSplit as error:
        return _refused(request, error.reason)
    words = f"Moved to #{regrouping.to_case_id}. The line on the timeline takes it back."
    return answer(request, case, events={"says": {"words": words}, "picked": {}})


def _refused(request: AgentRequest, words: str, status: int = 422) -> HttpResponse:
    return render(request, "inbox/_case_error.html", {"words": words}, status=status)


@signed_in
@require_POST
def undo(request: AgentRequest, pk: int) -> HttpResponse:
    regrouping = get_object_or_404(Regrouping, pk=pk)
    case = _looked_at(request, regrouping)
    if regrouping.kind == RegroupingKind.PERSON and not request.user.is_allowed_to_join:
        return _refused(request, MAY_NOT_JOIN, 403)
    try:
        splitting.undo(regrouping, by=request.user)
    except splitting.CannotSplit as error:
        return _refused(request, error.reason)
    today = Case.objects.select_related("customer").get(pk=case.pk)
    if today.merged_into_id:
        return HttpResponse(status=204, headers={"HX-Redirect": f"/inbox/open/c/{today.current().pk}/"})
    return answer(request, today)


def _looked_at(request: AgentRequest, regrouping: Regrouping) -> Case:
    """The side of it that is open in the browser; whoever sees one of both may take it back, unless the other is a
    sensitive case that does not name them."""
    both = [regrouping.from_case_id, regrouping.to_case_id]
    today = [regrouping.from_case.current().pk, regrouping.to_case.current().pk]
    if Case.objects.closed_to(request.user).filter(pk__in=today).exists():
        raise Http404
    named = request.POST.get("case", "")
    asked = int(named) if named.isdecimal() and len(named) < 19 else both[0]
    sides = [asked] if {each.current().pk for each in Case.objects.filter(pk__in=both)} & {asked} else both
    for pk in sides:
        found = Case.objects.visible_to(request.user).select_related("customer").filter(pk=pk).first()
        if found:
            return found.current()
    raise Http404


# Somebody else wrote it


@signed_in
@require_GET
def somebody_else(request: AgentRequest, pk: int) -> HttpResponse:
    """Who wrote these messages? Looked for among people, or somebody new."""
    case = case_or_404(request, pk)
    return _ask_who(request, case, PickedForm(request.GET))


def _ask_who(request: AgentRequest, case: Case, form: PickedForm, problem: str = "") -> HttpResponse:
    picked = form.cleaned_data["entries"] if form.is_valid() else []
    query = form.cleaned_data.get("q", "") if form.is_valid() else ""
    entries = list(case.timeline().filter(pk__in=picked, kind__in=SPOKEN).select_related("identity").order_by("pk"))
    context: dict[str, Any] = {
        "case": case,
        "entries": entries,
        "addresses": list({each.identity: None for each in entries if each.identity and each.is_from_customer}),
        "query": query,
        "found": _people(request.user, case, query),
        "problem": problem or form.words,
        "place": "inbox",
    }
    return render(request, "inbox/somebody_else.html", context, status=422 if context["problem"] else 200)


def _people(agent: Agent, case: Case, query: str) -> QuerySet[Customer] | list[Customer]:
    if len(query) < 2:
        return []
    found = visible(agent).filter(matching(query)).exclude(pk=case.customer.current().pk)
    return found.order_by("name", "pk").prefetch_related("identities")[:20]


@signed_in
@require_POST
def hand_over(request: AgentRequest, pk: int) -> HttpResponse:
    case, form = case_or_404(request, pk), PickedForm(request.POST)
    if not request.user.is_allowed_to_part:
        return _ask_who(request, case, form, MAY_NOT_PART)
    if not form.is_valid():
        return _ask_who(request, case, form)
    given = form.cleaned_data
    to = customer_or_404(request, given["person"]) if given["person"] else None
    about = {"to": to, "name": given["name"], "with_address": given["with_address"]}
    try:
        regrouping = splitting.hand_over(case, given["entries"], by=request.user, **about)
    except splitting.CannotSplit as error:
        return _ask_who(request, case, form, error.reason)
    seen = Case.objects.visible_to(request.user).filter(pk=regrouping.to_case_id).exists()
    address = f"/inbox/open/c/{regrouping.to_case_id if seen else case.pk}/"
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)
