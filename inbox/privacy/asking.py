"""Somebody asks what we know of them, or to be forgotten: noted, proven, answered within the month."""

from __future__ import annotations

from typing import IO

from django.db import transaction
from django.utils.timezone import now

from customers.models import Customer
from inbox.models import Act, Agent, Audit, PrivacyRequest, Wish
from inbox.privacy.exporting import export


class NotProven(Exception):
    """Nobody has noted how we know that it is they who ask; `words` say so."""

    words = "Note first how you know that it is they who ask."


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
    file = export(request.customer)
    with transaction.atomic():
        if request.done_at is None:
            _done(request, "exported", by)
        Audit.objects.note(Act.EXPORT, by=by, why=request.proof, customer=request.customer)
    return file


def answered_by_erasing(customer: Customer, *, by: Agent | None) -> None:
    """Whoever is forgotten has nothing open with us."""
    for request in PrivacyRequest.objects.open().of(customer):
        _done(request, "erased", by)


def _done(request: PrivacyRequest, outcome: str, by: Agent | None) -> None:
    request.done_at, request.done_by, request.outcome = now(), by, " ".join(outcome.split())[:300]
    request.save(update_fields=["done_at", "done_by", "outcome"])
