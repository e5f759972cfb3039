"""Which customer a command means: by number, or by an address of theirs."""

from __future__ import annotations

from django.core.management.base import CommandError

from customers.models import Customer, Identity


def customer_of(named: str) -> Customer:
    if named.isdecimal() and len(named) < 19:
        found = Customer.objects.filter(pk=named).first()
    else:
        identities = Identity.objects.filter(value=named.strip().lower()).select_related("customer")
        owners = {identity.customer.current().pk: identity.customer for identity in identities}
        if len(owners) > 1:
            raise CommandError(f"{named} is an address of several customers: give the number of one.")
        found = next(iter(owners.values()), None)
    if found is None:
        raise CommandError(f"Nobody has the number or address {named}.")
    return found.current()
