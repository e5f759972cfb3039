"""People: the list, one person over all channels, and "this is the same person" with its undo."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from connectors.adapters import ADAPTERS
from customers.identities import EMAIL, PHONE, NotAnAddress, normalise
from customers.models import Customer, Identity
from customers.models.customer import CustomerQuerySet
from inbox.http import AgentRequest, signed_in
from inbox.models import Agent, Case
from inbox.views.doors import number_or_404
from inbox.views.profile import MOST_CASES, case_notes, cases_of, joins_of, lanes_of, profile_of

PAGE = 50


@signed_in
@require_GET
def customers(request: AgentRequest) -> HttpResponse:
    query = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:200]
    rows = visible(request.user).order_by("name", "pk").prefetch_related("identities")
    if query:
        rows = rows.filter(matching(query))
    elif request.GET.get("after"):
        rows = rows.filter(_beyond(request.GET["after"]))
    page = list(rows[: PAGE + 1])
    shown = page[:PAGE]
    live = Case.objects.visible_to(request.user).live().main().filter(customer__in=shown)
    by_customer = {case.customer_id: case for case in live}
    context = {
        "people": [(customer, by_customer.get(customer.pk)) for customer in shown],
        "query": query,
        "more": len(page) > PAGE,
        "after": f"{shown[-1].pk}" if len(page) > PAGE and not query else "",
        "place": "customers",
    }
    return render(request, "customers/list.html", context)


@signed_in
@require_GET
def customer(request: AgentRequest, pk: int) -> HttpResponse:
    person = customer_or_404(request, pk)
    if person.pk != pk:
        return redirect(f"/customers/{person.pk}/")
    return render(request, "customers/customer.html", _about(request, person))


def _about(request: AgentRequest, person: Customer) -> dict[str, Any]:
    family, agent = person.family(), request.user
    cases = cases_of(family, agent)
    shown = list(cases.select_related("customer", "assignee").order_by("-is_live", "-pk")[: MOST_CASES + 1])
    every = Case.objects.unmerged().filter(customer__in=family).values("pk")[:1001].count()
    mine = cases.values("pk")[:1001].count()
    before = number_or_404(request.GET["before"]) if request.GET.get("before") else 0
    return {
        "person": person,
        "profile": profile_of(person, family, agent),
        "lanes": lanes_of(family, agent, before),
        "before": before,
        "cases": shown[:MOST_CASES],
        "more_cases": len(shown) > MOST_CASES,
        "case_count": mine,
        "elsewhere": every - mine,
        "notes": case_notes(family, agent),
        "joins": joins_of(family),
        "channels": [channel.value for channel in ADAPTERS],
        "place": "customers",
    }


@signed_in
@require_POST
def rename(request: AgentRequest, pk: int) -> HttpResponse:
    person = customer_or_404(request, pk)
    name = " ".join(request.POST.get("name", "").replace("\x00", "").split())[:200]
    Customer.objects.filter(pk=person.pk).update(name=name, named_by_agent=bool(name))
    return redirect(f"/customers/{person.pk}/")


def visible(agent: Agent) -> CustomerQuerySet:
    """The door: a person is seen through any case the agent may see; supervisors see all who ever wrote."""
    people = Customer.objects.current()
    if agent.is_supervisor:
        return people.filter(has_written=True)
    cases = Case.objects.visible_to(agent)
    own = cases.filter(customer=OuterRef("pk"))
    absorbed = cases.filter(customer__merged_into=OuterRef("pk"))
    return people.filter(Exists(own) | Exists(absorbed))


def is_visible(customer: Customer, agent: Agent) -> bool:
    if agent.is_supervisor:
        return True
    return Case.objects.visible_to(agent).filter(customer__in=customer.family()).exists()


def customer_or_404(request: AgentRequest, pk: int) -> Customer:
    """Old ids resolve for ever: whoever was joined is met as who they are today."""
    person = Customer.objects.select_related("merged_into").filter(pk=pk).first()
    current = person.current() if person else None
    if current is None or not is_visible(current, request.user):
        raise Http404
    return current


def matching(query: str) -> Q:
    """By name, by the beginning of an address, by a handle, and by a number however it is typed."""
    names = Q(name__icontains=query)
    addresses = Q(value__startswith=query.lower()) | Q(handle__istartswith=query.removeprefix("@"))
    for kind in (EMAIL, PHONE):
        try:
            addresses |= Q(kind=kind, value=normalise(kind, query, settings.DEFAULT_REGION if kind == PHONE else None))
        except NotAnAddress:
            continue
    digits = "".join(each for each in query if each.isdecimal() and each.isascii())
    if len(digits) >= 4 and not any(each.isalpha() for each in query):
        addresses |= Q(kind=PHONE, value__endswith=digits)
    return names | Q(pk__in=Identity.objects.filter(addresses).values("customer"))


def _beyond(after: str) -> Q:
    """Keyset over (name, id): the address carries an id, the name is read again."""
    last = Customer.objects.filter(pk=number_or_404(after)).first()
    if last is None:
        raise Http404
    return Q(name__gt=last.name) | Q(name=last.name, pk__gt=last.pk)
