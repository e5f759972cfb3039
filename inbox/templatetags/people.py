"""Who may be writing from a line that several people share."""

from __future__ import annotations

from django import template

from customers.models import Customer, Relationship
from inbox.models import Case

register = template.Library()


@register.simple_tag
def writers(case: Case) -> list[Customer]:
    """Asked for by every row of such a case, read once."""
    line = case.customer
    known: list[Customer] | None = line.__dict__.get("_writers")
    if known is None:
        rows = Relationship.objects.filter(customer__in=line.current().family(), role=Relationship.MEMBER)
        found = {each.pk: each for each in (row.other.current() for row in rows.select_related("other").order_by("pk"))}
        known = line.__dict__["_writers"] = list(found.values())
    return known
