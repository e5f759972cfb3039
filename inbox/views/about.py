"""What agents note of a person: how they are reached best, attributes, pinned notes, people around them."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.views.decorators.http import require_GET, require_POST

from connectors.adapters import ADAPTERS
from customers.clocks import is_zone
from customers.models import Attribute, PinnedNote, Relationship
from inbox.http import AgentRequest, signed_in
from inbox.views.customer import customer_or_404, matching, visible

MOST_FOUND = 20


def said(request: AgentRequest, name: str, most: int) -> str:
    """A line of a form, without what no line has."""
    return " ".join(request.POST.get(name, "").replace("\x00", "").split())[:most]


@signed_in
@require_POST
def about(request: AgentRequest, pk: int) -> HttpResponse:
    person = customer_or_404(request, pk)
    zone, prefers = said(request, "time_zone", 64), request.POST.get("prefers", "")
    if zone and not is_zone(zone):
        messages.error(request, f"There is no time zone {zone}. They are called like Europe/Lisbon.")
        return redirect(f"/customers/{person.pk}/")
    person.language, person.time_zone = said(request, "language", 16), zone
    person.prefers = prefers if prefers in {each.value for each in ADAPTERS} else ""
    person.save(update_fields=["language", "time_zone", "prefers"])
    return redirect(f"/customers/{person.pk}/")


@signed_in
@require_POST
def add_attribute(request: AgentRequest, pk: int) -> HttpResponse:
    person = customer_or_404(request, pk)
    name, value = said(request, "name", 60), said(request, "value", 500)
    if not (name and value):
        messages.error(request, "Both are needed: what it is called, and what it is.")
    else:
        given = {"value": value, "source": "", "made_by": request.user, "at": now()}
        Attribute.objects.update_or_create(customer=person, name=name, defaults=given)
    return redirect(f"/customers/{person.pk}/")


@signed_in
@require_POST
def remove_attribute(request: AgentRequest, pk: int, attribute_pk: int) -> HttpResponse:
    person = customer_or_404(request, pk)
    Attribute.objects.filter(pk=attribute_pk, customer__in=person.family()).delete()
    return redirect(f"/customers/{person.pk}/")


@signed_in
@require_POST
def pin_note(request: AgentRequest, pk: int) -> HttpResponse:
    person = customer_or_404(request, pk)
    text = request.POST.get("text", "").replace("\x00", "").strip()[:1000]
    if text:
        PinnedNote.objects.create(customer=person, text=text, made_by=request.user)
    return redirect(f"/customers/{person.pk}/")


@signed_in
@require_POST
def take_note_down(request: AgentRequest, pk: int, note_pk: int) -> HttpResponse:
    person = customer_or_404(request, pk)
    up = PinnedNote.objects.filter(pk=note_pk, customer__in=person.family(), taken_down_at=None)
    up.update(taken_down_at=now())
    return redirect(f"/customers/{person.pk}/")


@signed_in
@require_GET
def related(request: AgentRequest, pk: int) -> HttpResponse:
    """Whom do they belong with? Chosen among those that the agent may see."""
    person = customer_or_404(request, pk)
    query = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:200]
    others = visible(request.user).exclude(pk=person.pk).order_by("name", "pk").prefetch_related("identities")
    found = others.filter(matching(query))[:MOST_FOUND] if len(query) > 1 else []
    context = {"person": person, "query": query, "found": found, "place": "customers"}
    return render(request, "customers/related.html", context)


@signed_in
@require_POST
def relate(request: AgentRequest, pk: int, other_pk: int) -> HttpResponse:
    person, other = customer_or_404(request, pk), customer_or_404(request, other_pk)
    role = Relationship.MEMBER if person.is_a_line else said(request, "role", 60)
    if person.pk == other.pk:
        messages.error(request, "That is the same person.")
    elif not role:
        messages.error(request, "Say what they are to each other: partner, assistant.")
    else:
        given = {"role": role, "made_by": request.user, "made_at": now()}
        Relationship.objects.update_or_create(customer=person, other=other, defaults=given)
    return redirect(f"/customers/{person.pk}/")


@signed_in
@require_POST
def unrelate(request: AgentRequest, pk: int, relationship_pk: int) -> HttpResponse:
    person = customer_or_404(request, pk)
    family = person.family()
    mine = Relationship.objects.filter(Q(customer__in=family) | Q(other__in=family))
    get_object_or_404(mine, pk=relationship_pk).delete()
    return redirect(f"/customers/{person.pk}/")
