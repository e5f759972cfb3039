"""This is the same person: found, looked at side by side, joined, and taken back."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from customers.models import Customer
from inbox import merging
from inbox.http import AgentRequest, signed_in
from inbox.models import Case, Merge
from inbox.views.customer import customer_or_404, is_visible, matching, visible

SIDES = [side.value for side in merging.Side]


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


def _preview(
    request: AgentRequest, person: Customer, other: Customer, problem: str = "", status: int = 422
) -> HttpResponse:
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
    context = {
        "person": person,
        "other": other,
        "sides": sides,
        "fields": _differing(request, person, other),
        "problem": problem,
        "place": "customers",
    }
    return render(request, "customers/preview.html", context, status=status if problem else 200)


def _differing(request: AgentRequest, person: Customer, other: Customer) -> list[tuple[str, str, str, str, bool]]:
    """Fields in which both say something else: name, label, this one's, the other's, whether the other's is chosen."""
    found = []
    for name, label in merging.LABELS.items():
        mine, theirs = getattr(person, name), getattr(other, name)
        if mine and theirs and mine != theirs:
            found.append((name, label, mine, theirs, request.POST.get(f"field_{name}") == "theirs"))
    return found


@signed_in
@require_POST
def join(request: AgentRequest, pk: int, other_pk: int) -> HttpResponse:
    person, other = customer_or_404(request, pk), customer_or_404(request, other_pk)
    reason = " ".join(request.POST.get("reason", "").replace("\x00", "").split())[:300]
    theirs = {name for name in merging.FIELDS if request.POST.get(f"field_{name}") == "theirs"}
    try:
        merging.join(person, other, by=request.user, reason=reason, theirs=theirs)
    except merging.NotAllowed as error:
        return _preview(request, person, other, error.reason, 403)
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
    whose = {
        name: merging.Side(value)
        for name in merging.FIELDS
        if (value := request.POST.get(f"field_{name}", "")) in SIDES
    }
    edited = [] if merge.undone_at else merging.edited_since(merge)
    if request.user.is_allowed_to_part and any(each.name not in whose for each in edited):
        context = {"merge": merge, "person": survivor, "edited": edited, "place": "customers"}
        return render(request, "customers/part.html", context)
    try:
        merging.undo(merge, by=request.user, whose=whose)
    except merging.NotAllowed as error:
        raise PermissionDenied(error.reason) from error
    except merging.CannotJoin as error:
        messages.error(request, error.reason)
    else:
        messages.info(request, "They are two people again, each with what they wrote.")
    return redirect(f"/customers/{survivor.pk}/")
