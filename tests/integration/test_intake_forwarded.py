"""An agent forwards a customer's mail to us from their own mailbox."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.messages import Authenticity, InboundMessage, Original, Sender
from customers.models import Identity
from inbox.intake import messages
from inbox.models import Entry
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)
ORIGINAL = Original(Sender("maya@ortiz.test", name="Maya Ortiz"), "It should be here.", "My order", "Please look.")


def passed_on(by: str, mailbox: Any, **about: Any) -> Entry:
    outer = make.message(Sender(by, name="Somebody"), mailbox, "Please look. Forwarded: …", subject="Fwd: My order")
    item: InboundMessage = replace(outer, **{"original": ORIGINAL, "html": "<p>all of it</p>", **about})
    return Entry.objects.get(pk=messages.receive(mailbox, item)["entry"])


def test_what_an_agent_forwards_is_the_customers_message_with_the_agents_note(
    maya: Any, mailbox: Any, ana: Any
) -> None:
    entry = passed_on(ana.email, mailbox)
    assert entry.identity is not None
    assert entry.identity.customer == maya
    assert (entry.text, entry.subject, entry.html) == ("It should be here.", "My order", "")
    assert entry.remark == f"Forwarded by {ana.name}"
    assert entry.authenticity == Authenticity.UNKNOWN
    assert entry.is_open
    assert entry.case is not None
    note = entry.case.timeline().get(kind="note")
    assert (note.agent, note.text) == (ana, "Please look.")


def test_who_only_writes_an_agents_address_speaks_for_nobody(maya: Any, mailbox: Any, ana: Any) -> None:
    for doubt in (Authenticity.UNKNOWN, Authenticity.FAIL):
        entry = passed_on(ana.email, mailbox, authenticity=doubt)
        assert entry.identity is not None
        assert entry.identity.customer != maya
        assert entry.text == "Please look. Forwarded: …"


def test_what_a_customer_forwards_is_the_customers_own(maya: Any, mailbox: Any) -> None:
    entry = passed_on("bob@lee.test", mailbox)
    assert entry.identity is not None
    assert entry.identity.value == "bob@lee.test"
    assert not Entry.objects.filter(kind="note").exists()


def test_a_former_agent_speaks_for_nobody(maya: Any, mailbox: Any, ana: Any) -> None:
    ana.is_active = False
    ana.save()
    entry = passed_on(ana.email, mailbox)
    assert entry.identity is not None
    assert entry.identity.customer != maya


@pytest.mark.parametrize(
    "written_by",
    [
        "support@northwind.test",
        "Support+r.abcdefghijklmnopqrst@Northwind.test",
        "billing@northwind.test",
        "sam@throughline.test",
    ],
)
def test_what_one_of_us_wrote_is_forwarded_as_what_it_is(
    mailbox: Any, billing_mailbox: Any, ana: Any, sam: Any, written_by: str
) -> None:
    assert sam.email == "sam@throughline.test"
    entry = passed_on(ana.email, mailbox, original=replace(ORIGINAL, sender=Sender(written_by)))
    assert entry.identity is not None
    assert (entry.identity.value, entry.text) == (ana.email, "Please look. Forwarded: …")
    assert not Identity.objects.exclude(pk=entry.identity.pk).exists()
    assert not Entry.objects.filter(kind="note").exists()


def test_what_a_former_agent_wrote_is_theirs(mailbox: Any, ana: Any, sam: Any) -> None:
    sam.is_active = False
    sam.save()
    entry = passed_on(ana.email, mailbox, original=replace(ORIGINAL, sender=Sender(sam.email)))
    assert entry.identity is not None
    assert entry.identity.value == sam.email
