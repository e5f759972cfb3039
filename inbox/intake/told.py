"""What a text tells: order numbers become facts of the case; what one other customer has on record becomes a hint."""

from __future__ import annotations

from django.conf import settings
from django.db import connection

from config.database import rows
from customers.identities import found_in
from customers.models import Customer
from inbox.models import Case, Entry, Mention
from inbox.models.fact import order_numbers

NOTE_ORDERS = """
WITH noted AS (
    INSERT INTO inbox_fact (case_id, customer_id, entry_id, kind, at, value)
    SELECT %s, %s, %s, 'order', %s, unnest(%s::varchar[]) ON CONFLICT DO NOTHING)
SELECT DISTINCT value, customer_id FROM inbox_fact
WHERE kind = 'order' AND value = ANY(%s::varchar[]) AND customer_id <> %s LIMIT 50
"""


# At most two of each: what belongs to more people tells nothing.
OWNERS = """
SELECT i.customer_id, i.value FROM unnest(%s::varchar[], %s::varchar[]) AS told(kind, value) CROSS JOIN LATERAL (
    SELECT customer_id, value FROM customers_identity
    WHERE kind = told.kind AND scope = '' AND value = told.value AND customer_id <> %s LIMIT 2) i
"""


def note(case: Case, customer: Customer, entry: Entry) -> None:
    hints = _whose_addresses(customer, entry)
    orders = order_numbers(f"{entry.subject}\n{entry.text}")
    if orders:
        hints |= _note_orders(case, customer, entry, orders)
    if hints:
        rows = [Mention(entry=entry, customer_id=owner, what=what) for owner, what in hints.items()]
        Mention.objects.bulk_create(rows, ignore_conflicts=True)


def _whose_addresses(customer: Customer, entry: Entry) -> dict[int, str]:
    """Other customers' addresses in the text, by customer. Shown as a hint to those who may see both."""
    found = found_in(entry.text, settings.DEFAULT_REGION)
    if not found:
        return {}
    kinds, values = zip(*found, strict=True)
    return dict(rows.send(OWNERS, [list(kinds), list(values), customer.pk]).rows())


def _note_orders(case: Case, customer: Customer, entry: Entry, orders: list[str]) -> dict[int, str]:
    """Keeps the order numbers; returns what exactly one other customer has on record, by customer."""
    with connection.cursor() as cursor:
        cursor.execute(NOTE_ORDERS, [case.pk, customer.pk, entry.pk, entry.created_at, orders, orders, customer.pk])
        told = cursor.fetchall()
    owners: dict[str, set[int]] = {}
    for value, owner in told:
        current = Customer.objects.get(pk=owner).current().pk
        if current != customer.pk:
            owners.setdefault(value, set()).add(current)
    return {found.copy().pop(): f"order #{value}" for value, found in owners.items() if len(found) == 1}
