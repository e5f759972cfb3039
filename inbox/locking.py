"""The one lock of the inbox: customer rows, ascending, then everything is read again.

Intake, replies, resolve, reopen, merge and assign all take it. Nobody locks identities or cases, and nobody takes a
second lock: a transaction that finds it locked the wrong customer rolls back and starts over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from config.database import rows
from customers.models import Customer, Identity
from inbox.models import Case, Entry


class Moved(Exception):
    """Somebody was merged between reading and locking; the caller's transaction is rolled back and tried again."""


ATTEMPTS = 8


def lock(*customer_ids: int) -> list[Customer]:
    """Locks current customers; raises Moved when one has been merged away meanwhile."""
    return locked_now(Customer.objects.ask_to_lock(customer_ids), customer_ids)


def locked_now(asked: rows.Answer, customer_ids: Collection[int]) -> list[Customer]:
    """The customers that were asked to be locked. Raises Moved as `lock` does."""
    customers = rows.made(Customer, asked.arrived())
    if len(customers) != len(set(customer_ids)) or any(customer.merged_into_id for customer in customers):
        raise Moved
    return customers


def lock_owner(identity: Identity, *others: int) -> Customer:
    """Locks the identity's customer (and others, in order), then makes sure it still is the identity's customer.

    Raises Moved when it is not, or when the identity was erased meanwhile.
    """
    if identity.is_new and not others:
        return identity.customer
    customers = lock(identity.customer_id, *others)
    with connection.cursor() as cursor:  # by hand: every message pays for it
        cursor.execute("SELECT customer_id FROM customers_identity WHERE id = %s AND erased_at IS NULL", [identity.pk])
        (owner,) = cursor.fetchone() or (None,)
    if owner is None or owner != identity.customer_id:
        raise Moved
    customer = next(each for each in customers if each.pk == owner)
    identity.customer = customer
    return customer


def _where_now(case_id: int) -> tuple[int, int]:
    """The case that this one is today and the customer who has it today, by id: merges of both are followed."""
    merged_into, owner, survivor = Case.objects.values_list("merged_into", "customer", "customer__merged_into").get(
        pk=case_id
    )
    if merged_into:
        return _where_now(merged_into)
    return case_id, Customer.objects.get(pk=survivor).current().pk if survivor else owner


@contextmanager
def locked(case: Case) -> Iterator[Case]:
    """The case as it is now, under its customer's lock, in a transaction. Follows merges.

    The body runs once; only finding the right customer is tried again.
    """
    for _ in range(ATTEMPTS):
        pk, owner = _where_now(case.pk)
        with transaction.atomic():
            try:
                lock(owner)
            except Moved:
                continue
            fresh = Case.objects.select_related("customer", "assignee", "team").get(pk=pk)
            # An old case of somebody who was merged since stays theirs; the lock is that of who they are today.
            if not fresh.merged_into_id and fresh.customer.current().pk == owner:
                yield fresh
                return
    raise Moved


@contextmanager
def locked_with(entry: Entry) -> Iterator[Case]:
    """As `locked`, for the case an entry lies in: when two people are told apart, an entry may go home to another."""
    for _ in range(ATTEMPTS):
        case_id = entry.case_id
        assert case_id is not None
        with locked(Case(pk=case_id)) as case:
            entry.case_id = Entry.objects.values_list("case", flat=True).get(pk=entry.pk)
            if entry.case_id == case_id:
                yield case
                return
    raise Moved
