"""A mail that asks for no more automatic mail: noted, filed, and heeded; and nobody can write it for somebody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pytest
from django.utils.timezone import now

from connectors.adapters.email import adapter
from connectors.adapters.email.compose import compose as as_mail
from connectors.messages import Sender
from connectors.models import Connector, Receipt
from customers.models import Consent
from inbox import outbox
from inbox.intake import messages, take_in
from inbox.models import Case, Delivery, Entry
from inbox.outbox.composing import compose
from tests import make
from tests.payloads.email.letters import mail

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mailbox(mailbox: Connector) -> Connector:
    mailbox.options = {"acknowledgement": "We have your mail."}
    mailbox.save()
    return mailbox


def writes(maya: Any, mailbox: Connector) -> Case:
    item = make.message(maya, mailbox, "Where is it?")
    assert item.email is not None
    item = replace(item, email=replace(item.email, to=(Sender(mailbox.address),)))
    case = Entry.objects.get(pk=messages.receive(mailbox, item)["entry"]).case
    assert case is not None
    return case


def link_in(delivery: Delivery) -> tuple[str, str]:
    """Where the header of what leaves leads: the address and the subject."""
    message = compose(Delivery.objects.with_all().get(pk=delivery.pk))
    header = str(as_mail(adapter._signed(delivery.connector.account(), message))["List-Unsubscribe"])
    address, _, subject = header.removeprefix("<mailto:").removesuffix(">").partition("?subject=")
    return address, unquote(subject)


def follows(address: str, subject: str, mailbox: Connector, sender: str = "maya@ortiz.test") -> Receipt:
    raw = mail(f"Delivered-To: {address}", f"Subject: {subject}", f"Message-ID: <{uuid4()}@x>", sender=sender)
    receipt = Receipt.store(mailbox, raw, headers={})
    assert receipt
    take_in(receipt)
    return Receipt.objects.get(pk=receipt)


def automatic() -> list[Delivery]:
    return list(Delivery.objects.order_by("pk"))


@pytest.mark.parametrize("sender", ["maya@ortiz.test", "maya.private@elsewhere.test"])
def test_whoever_wants_no_automatic_mail_gets_none_and_wakes_nobody(
    maya: Any, mailbox: Connector, ana: Any, browser_of: Any, sender: str
) -> None:
    case = writes(maya, mailbox)
    make.answers(ana, case, "Here.")
    before = Case.objects.values("status", "waiting_since", "last_inbound_id").get(pk=case.pk)
    address, subject = link_in(automatic()[0])
    assert address == mailbox.address
    receipt = follows(address, subject, mailbox, sender)
    assert [each["outcome"] for each in receipt.outcomes] == ["update", "entry"]
    assert Entry.objects.get(pk=receipt.outcomes[1]["entry"]).kind == "filed"
    assert Case.objects.values("status", "waiting_since", "last_inbound_id").get(pk=case.pk) == before
    assert Case.objects.count() == 1
    Case.objects.update(first_reply_at=None)
    Entry.objects.update(created_at=now() - timedelta(days=3))
    writes(maya, mailbox)
    assert len(automatic()) == 2
    make.answers(ana, case, "A person may still answer.")
    assert len(automatic()) == 3
    page = browser_of(ana).get(f"/customers/{maya.pk}/").content.decode()
    assert "automatic messages" in page
    assert "Maya wants no automatic emails any more" in Entry.objects.get(event="consent").text


def test_what_waits_to_leave_is_asked_about_again(maya: Any, mailbox: Connector) -> None:
    writes(maya, mailbox)
    (delivery,) = automatic()
    follows(*link_in(delivery), mailbox)
    outbox.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason.startswith("They want no automatic messages here.")) == ("failed", True)


@pytest.mark.parametrize("subject", ["unsubscribe", "unsubscribe u.{0}.{1}", "Re: {2}x"])
def test_nobody_unsubscribes_anybody_by_guessing(maya: Any, mailbox: Connector, subject: str) -> None:
    writes(maya, mailbox)
    (delivery,) = automatic()
    address, sealed = link_in(delivery)
    follows(address, subject.format(delivery.uuid.hex, "0" * 32, sealed), mailbox, "stranger@elsewhere.test")
    assert not Consent.objects.exists()
    assert Case.objects.filter(is_live=True).count() == 2


def test_an_answer_below_such_a_subject_is_somebodys_words(maya: Any, mailbox: Connector) -> None:
    writes(maya, mailbox)
    address, subject = link_in(automatic()[0])
    (outcome,) = follows(address, f"Re: {subject}", mailbox).outcomes
    assert Entry.objects.get(pk=outcome["entry"]).kind == "message"
    assert not Consent.objects.exists()


def test_the_same_wish_twice_is_noted_once(maya: Any, mailbox: Connector) -> None:
    case = writes(maya, mailbox)
    link = link_in(automatic()[0])
    follows(*link, mailbox)
    follows(*link, mailbox)
    assert Entry.objects.filter(case=case, event="consent").count() == 1


def test_what_a_person_writes_has_no_such_link(maya: Any, mailbox: Connector, ana: Any) -> None:
    case = writes(maya, mailbox)
    reply = make.answers(ana, case, "Here.").deliveries.get()
    message = compose(Delivery.objects.with_all().get(pk=reply.pk))
    assert "List-Unsubscribe" not in as_mail(adapter._signed(mailbox.account(), message))
