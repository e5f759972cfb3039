"""What a text tells: order numbers become facts of the case; what one other customer has on record becomes a hint."""

from __future__ import annotations

from django.conf import settings

from customers.identities import found_in
from customers.models import Customer, Identity
from inbox.models import Case, Entry, Fact, FactKind, Mention


def note(case: Case, customer: Customer, entry: Entry) -> None:
    orders = order_numbers(f"{entry.subject}\n{entry.text}")
    Fact.objects.bulk_create(
        [Fact(case=case, customer=customer, entry=entry, kind=FactKind.ORDER, value=order) for order in orders],
        ignore_conflicts=True,
    )
    _note_mentions(customer, entry, orders)


def order_numbers(text: str) -> list[str]:
    """In the order they are written; the pattern is a setting."""
    found = (
        next(group for group in match.groups() if group) for match in settings.ORDER_NUMBER.finditer(text[:20_000])
    )
    return list(dict.fromkeys(found))[:10]


def _note_mentions(customer: Customer, entry: Entry, orders: list[str]) -> None:
    """Exact values that exactly one other customer has on record. Shown as a hint to those who may see both."""
    hints: dict[int, str] = {}
    for kind, value in found_in(entry.text, settings.DEFAULT_REGION):
        owners = Identity.objects.filter(kind=kind, scope="", value=value).exclude(customer=customer)
        hints |= dict.fromkeys(owners.values_list("customer_id", flat=True)[:2], value)
    for order in orders:
        owners_of = Fact.objects.filter(kind=FactKind.ORDER, value=order).exclude(customer=customer)
        found = set(owners_of.values_list("customer_id", flat=True)[:20])
        current = {owner.current().pk for owner in Customer.objects.filter(pk__in=found)} - {customer.pk}
        if len(current) == 1:
            hints[current.pop()] = f"order #{order}"
    Mention.objects.bulk_create(
        [Mention(entry=entry, customer_id=owner, what=what) for owner, what in hints.items()], ignore_conflicts=True
    )
