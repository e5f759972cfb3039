"""An import told of an address that is somebody else's here: perhaps two records of one person."""

from __future__ import annotations

from collections.abc import Sequence

from customers.models import Customer
from inbox.proposing.looking import propose

MOST_AT_ONCE = 100  # the rest are weighed when they write


def propose_some(ids: Sequence[int]) -> None:
    """`ids`: of customers, once what was told of them is safe."""
    for person in Customer.objects.current().filter(pk__in=ids[:MOST_AT_ONCE]):
        propose(person)
