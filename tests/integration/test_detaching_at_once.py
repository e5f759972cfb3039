"""An address is taken away, given back and told of by an import while both of its readers write: nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from connectors.messages import Sender
from customers.models import Customer, Identity
from inbox import detaching, importing
from inbox.importing.records import ToldAddress, ToldCustomer
from inbox.models import Case, Entry
from tests import make
from tests.integration.test_many_at_once import at_once, taken

pytestmark = pytest.mark.django_db(transaction=True)


def test_taking_away_writing_and_importing_at_once_lose_nothing(
    ana: Any, maya: Customer, mailbox: Any, number: Any
) -> None:
    line = maya.identities.get(kind="phone")

    def writes(count: int) -> Callable[[], object]:
        to, value = [(mailbox, "maya@ortiz.test"), (number, line.value)][count % 2]
        item = make.message(Sender(value), to, f"words {count}")
        return lambda: taken(item, to)

    def takes_away() -> object:
        with suppress(detaching.CannotDetach):
            return detaching.detach(Identity.objects.get(pk=line.pk), by=ana)

    def gives_back() -> object:
        with suppress(detaching.CannotDetach):
            return detaching.give_back(Identity.objects.get(pk=line.pk), by=ana)

    def imports(count: int) -> Callable[[], object]:
        told = ToldCustomer(f"{count}", "Maya", addresses=(ToldAddress("phone", "", line.value, is_proven=False),))
        return lambda: importing.take_customers([told], source="shop")

    acts = [act for count in range(8) for act in (writes(2 * count), writes(2 * count + 1), takes_away, gives_back)]
    done = at_once([*acts, *(imports(count) for count in range(4))])
    assert not [each for each in done if isinstance(each, Exception)]

    spoken = Entry.objects.filter(kind="message").select_related("identity", "case__customer")
    assert spoken.count() == 16
    for entry in spoken:
        assert entry.case
        assert entry.identity
        assert entry.case.customer.current().pk == entry.identity.customer_id
    for case in Case.objects.unmerged():
        assert case.waiting_since == min((each.reached_us_at for each in case.open_entries()), default=None)
    line.refresh_from_db()
    assert line.customer.merged_into_id is None
    assert line.links.filter(revoked_at=None).count() == 1
