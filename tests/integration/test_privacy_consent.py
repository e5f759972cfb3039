"""What people agreed to: per address and purpose, only ever added to, and asked by every send."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from customers.models import Consent
from customers.models.consent import ConsentState, Purpose
from inbox import outbox, privacy
from inbox.models import Act, Audit
from inbox.outbox.ways import refusal
from tests import make

pytestmark = pytest.mark.django_db


def says(identity: Any, state: str, purpose: str = "service", sender: str = "") -> Consent:
    return Consent.objects.create(identity=identity, sender=sender, state=state, purpose=purpose, words="so")


@pytest.mark.parametrize("change", [{"state": "double"}, {"purpose": "marketing"}, {"words": "other"}, None])
def test_what_was_agreed_to_is_neither_changed_nor_deleted(maya: Any, change: dict[str, str] | None) -> None:
    row = says(maya.identities.first(), ConsentState.OPTED_OUT)
    rows = Consent.objects.filter(pk=row.pk)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(**change) if change else rows.delete()
    assert Consent.objects.get().state == ConsentState.OPTED_OUT


def test_only_the_words_of_somebody_who_is_forgotten_go(maya: Any, adam: Any) -> None:
    says(maya.identities.first(), ConsentState.OPTED_OUT)
    privacy.erase_person(maya, by=adam, why="")
    assert (Consent.objects.get().words, Consent.objects.get().state) == ("", ConsentState.OPTED_OUT)


def test_who_opted_out_is_sent_nothing_by_any_sender(maya: Any, mailbox: Any, number: Any) -> None:
    phone = maya.identities.get(kind="phone")
    says(phone, ConsentState.OPTED_OUT)
    assert refusal(phone, number)
    says(phone, ConsentState.EXPLICIT)
    assert refusal(phone, number) is None


def test_a_word_to_one_sender_says_nothing_about_another(maya: Any, number: Any, support: Any) -> None:
    other = make.number(support, "+14155550111")
    phone = maya.identities.get(kind="phone")
    says(phone, ConsentState.OPTED_OUT, sender=str(number.uuid))
    assert refusal(phone, number)
    assert refusal(phone, other) is None


@pytest.mark.parametrize(
    ("states", "may"),
    [
        ([], False),
        (["implicit"], False),
        (["explicit"], True),
        (["double"], True),
        (["double", "opted_out"], False),
        (["opted_out", "explicit"], True),
    ],
)
def test_marketing_needs_their_word(maya: Any, mailbox: Any, states: list[str], may: bool) -> None:
    mail = maya.identities.get(kind="email")
    for state in states:
        says(mail, state, Purpose.MARKETING)
    assert (refusal(mail, mailbox, purpose=Purpose.MARKETING) is None) == may
    assert refusal(mail, mailbox) is None


def test_who_wants_nothing_wants_no_marketing_either(maya: Any, mailbox: Any) -> None:
    mail = maya.identities.get(kind="email")
    says(mail, ConsentState.DOUBLE, Purpose.MARKETING)
    says(mail, ConsentState.OPTED_OUT)
    assert refusal(mail, mailbox, purpose=Purpose.MARKETING)


def test_a_supervisor_notes_what_was_said_on_the_phone(maya: Any, mailbox: Any, browser_of: Any, sue: Any) -> None:
    mail, path = maya.identities.get(kind="email"), f"/customers/{maya.pk}/privacy/consents/"
    asked = {"identity": mail.pk, "purpose": "service", "state": "opted_out", "said": "On the phone: no more mail"}
    client = browser_of(sue)
    assert client.post(path, {**asked, "said": ""}).status_code == 422
    assert client.post(path, asked).status_code == 302
    assert "no more mail" in client.get(f"/customers/{maya.pk}/privacy/").content.decode()
    case = make.says(maya, mailbox, "And yet I write").case
    (way,) = (each for each in outbox.options(case) if each.channel == "email")
    assert way.refusal
    assert "wanted no more messages" in way.refusal.reason
    assert Audit.objects.get(act=Act.CONSENT).why == "Service: Opted out"


def test_nothing_is_noted_for_somebody_elses_address(maya: Any, browser_of: Any, sue: Any) -> None:
    bob = make.customer("Bob Stone", email="bob@stone.test")
    asked = {"identity": bob.identities.get().pk, "purpose": "service", "state": "opted_out", "said": "so"}
    assert browser_of(sue).post(f"/customers/{maya.pk}/privacy/consents/", asked).status_code == 422
    assert not Consent.objects.exists()
