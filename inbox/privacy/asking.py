"""Somebody asks what we know of them, or to be forgotten: noted, proven, answered within the month."""

from __future__ import annotations

from typing import IO

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from customers.models import Customer
from inbox.models import Act, Agent, Audit, Case, Entry, PrivacyRequest, Wish
from inbox.models.cases import CaseQuerySet
from inbox.privacy.exporting import export


class NotProven(Exception):
    """Nobody has noted how we know that it is they who ask; `words` say so."""

    words = "Note first how you know that it is they who ask."


class IsClosed(NotProven):
    words = "It was closed without an answer. Note it again if they still ask."


class HoldsHidden(NotProven):
    """Whoever may export may not yet read everything that is exported."""

    words = "It holds a case that only named people see. Name yourself there first."


EXPORTED = "exported"


def note(customer: Customer, wish: Wish, *, by: Agent | None, why: str = "") -> PrivacyRequest:
    """The one that is open already, if there is one: asking twice does not buy time."""
    with transaction.atomic():
        person = Customer.objects.select_for_update().get(pk=customer.pk)
        known = PrivacyRequest.objects.open().of(person).filter(wish=wish).first()
        if known:
            return known
        request = PrivacyRequest.objects.create(customer=person, wish=wish, noted_by=by)
        Audit.objects.note(Act.ASK, by=by, why=why or wish.label, customer=person)
        return request


def prove(request: PrivacyRequest, proof: str, *, by: Agent | None) -> None:
    proof = " ".join(proof.split())[:300]
    if not proof:
        raise NotProven
    request.proof, request.proven_at, request.proven_by = proof, now(), by
    request.save(update_fields=["proof", "proven_at", "proven_by"])
    Audit.objects.note(Act.PROVE, by=by, why=proof, customer=request.customer)


def close(request: PrivacyRequest, outcome: str, *, by: Agent | None) -> None:
    """Without having done it: somebody else asked, they changed their mind, the law says otherwise."""
    _done(request, outcome, by)
    Audit.objects.note(Act.REFUSE, by=by, why=outcome, customer=request.customer)


def answer(request: PrivacyRequest, *, by: Agent | None) -> IO[bytes]:
    """The zip for them. Raises NotProven."""
    if not request.proven_at:
        raise NotProven
    if request.done_at and request.outcome != EXPORTED:
        raise IsClosed
    if by and _cases_of(request.customer.current()).closed_to(by).exists():
        raise HoldsHidden
    file = export(request.customer)
    with transaction.atomic():
        if request.done_at is None:
            _done(request, EXPORTED, by)
        Audit.objects.note(Act.EXPORT, by=by, why=request.proof, customer=request.customer)
    return file


def _cases_of(person: Customer) -> CaseQuerySet:
    """Theirs, and those of others in which they spoke."""
    family = person.family()
    spoke = Entry.objects.filter(identity__customer__in=family).values("case")
    return Case.objects.filter(Q(customer__in=family) | Q(pk__in=spoke))


def answered_by_erasing(customer: Customer, *, by: Agent | None) -> None:
    """Whoever is forgotten has nothing open with us."""
    for request in PrivacyRequest.objects.open().of(customer):
        _done(request, "erased", by)


def _done(request: PrivacyRequest, outcome: str, by: Agent | None) -> None:
    request.done_at, request.done_by, request.outcome = now(), by, " ".join(outcome.split())[:300]
    request.save(update_fields=["done_at", "done_by", "outcome"])
