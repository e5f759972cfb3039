"""This is the same person: found, looked at side by side, joined, and taken back."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from customers.models import Customer
from inbox import merging
from inbox.http import AgentRequest, signed_in
from inbox.models import Case, Merge
from inbox.views.customer import customer_or_404, is_visible, matching, visible


@signed_in
@require_GET
def same(request: AgentRequest, pk: int) -> HttpResponse:
    """Who else could this be? The person chosen here is looked at side by side before anything happens."""
    person = customer_or_404(request, pk)
    query = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:200]
    found = (
        visible(request.user).filter(matching(query)).exclude(pk=person.pk)
        if len(query) > 1
        else Customer.objects.none()
    )
    context = {
        "person": person,
        "query": query,
        "found": found.order_by("name", "pk").prefetch_related("identities")[:20],
        "place": "customers",
    }
    return render(request, "customers/same.html", context)


@signed_in
@require_GET
def preview(request: AgentRequest, pk: int, other_pk: int) -> HttpResponse:
    return _preview(request, customer_or_404(request, pk), customer_or_404(request, other_pk))


def _preview(request: AgentRequest, person: Customer, other: Customer, problem: str = "") -> HttpResponse:
    if person.pk == other.pk and not problem:
        return redirect(f"/customers/{person.pk}/")
    sides = []
    for each in (person, other):
        cases = Case.objects.visible_to(request.user).unmerged().filter(customer__in=each.family())
        live = cases.live().main().first()
        sides.append(
            {
                "person": each,
                "identities": each.identities.order_by("kind", "pk"),
                "live": live,
                "cases": cases.order_by("-pk")[:5],
            }
        )
    context = {"person": person, "other": other, "sides": sides, "problem": problem, "place": "customers"}
    return render(request, "customers/preview.html", context, status=422 if problem else 200)


@signed_in
@require_POST
def join(request: AgentRequest, pk: int, other_pk: int) -> HttpResponse:
    person, other = customer_or_404(request, pk), customer_or_404(request, other_pk)
    reason = " ".join(request.POST.get("reason", "").replace("\x00", "").split())[:300]
    try:
        merging.join(person, other, by=request.user, reason=reason)
    except merging.CannotJoin as error:
        return _preview(request, person, other, error.reason)
    messages.info(request, "They are one person now. You can take it back here at any time.")
    return redirect(f"/customers/{person.current().pk}/")


@signed_in
@require_POST
def undo_join(request: AgentRequest, pk: int) -> HttpResponse:
    merge = get_object_or_404(Merge.objects.select_related("survivor", "absorbed"), pk=pk)
    survivor = merge.survivor.current()
    if not is_visible(survivor, request.user):
        raise Http404
    try:
        merging.undo(merge, by=request.user)
    except merging.CannotJoin as error:
        messages.error(request, error.reason)
    else:
        messages.info(request, "They are two people again, each with what they wrote.")
    return redirect(f"/customers/{survivor.pk}/")
