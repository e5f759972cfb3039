"""Wrong person or number; several people on one line; and theirs after all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.utils.timezone import now

from connectors.messages import Sender
from connectors.models import Connector
from customers.models import Customer, CustomerKind, Identity, IdentityLink, Relationship
from inbox import detaching, merging, outbox
from inbox.locking import locked, locked_with
from inbox.models import Case, Delivery, Entry
from inbox.outbox.ways import refusal
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(maya: Customer) -> Identity:
    return maya.identities.get(kind="phone")


def waiting(case: Case) -> set[str]:
    return set(Case.objects.get(pk=case.pk).open_entries().values_list("text", flat=True))


def test_what_a_wrong_number_wrote_goes_with_it_and_what_it_answered_waits_again(
    ana: Any, maya: Customer, mailbox: Connector, number: Connector, line: Identity
) -> None:
    mail = make.says(maya, mailbox, "Where is my order?")
    make.answers(ana, mail.case, "It left today.", channel="sms", also_answers=[mail.pk], confirmed=True)
    make.says(maya, number, "Who is this?")
    assert "Where is my order?" not in waiting(mail.case)

    stranger = detaching.detach(line, by=ana, reason="somebody else answered")

    line.refresh_from_db()
    assert line.customer == stranger
    assert stranger.merged_into_id is None
    assert waiting(mail.case) == {"Where is my order?"}
    theirs = Entry.objects.filter(case__customer=stranger, kind__in=["message", "reply"])
    assert set(theirs.values_list("text", flat=True)) == {"It left today.", "Who is this?"}
    assert not Entry.objects.filter(case=mail.case, text="Who is this?").exists()


def test_a_case_in_which_only_the_wrong_number_spoke_goes_along_whole(
    ana: Any, maya: Customer, number: Connector, line: Identity
) -> None:
    text = make.says(maya, number, "hi")
    stranger = detaching.detach(line, by=ana)
    assert Case.objects.get(pk=text.case.pk).customer == stranger
    assert Case.objects.live_of(maya) is None


def test_what_was_theirs_until_now_stays(ana: Any, maya: Customer, number: Connector, line: Identity) -> None:
    text = make.says(maya, number, "hi")
    stranger = detaching.detach(line, by=ana, with_words=False)
    assert Case.objects.get(pk=text.case.pk).customer == maya
    later = make.says(Sender(line.value), number, "I have this number now")
    assert later.case.customer == stranger
    assert later.case_id != text.case_id


def test_nothing_is_sent_to_a_wrong_number_until_it_writes_again(
    ana: Any, maya: Customer, mailbox: Connector, number: Connector, line: Identity, browser_of: Any
) -> None:
    make.says(maya, number, "hi")
    queued = make.answers(ana, Case.objects.live_of(maya), "Your order left.", channel="sms")
    browser_of(ana).post(f"/identities/{line.pk}/wrong/", {"words": "go", "reason": ""})
    assert Delivery.objects.get(entry=queued).state == "cancelled"
    line.refresh_from_db()
    assert refusal(line, number)
    make.says(Sender(line.value), number, "hello?")
    line.refresh_from_db()
    assert refusal(line, number) is None


def test_an_apology_is_the_last_word_to_a_wrong_number(
    ana: Any, maya: Customer, number: Connector, line: Identity, browser_of: Any
) -> None:
    make.says(maya, number, "hi")
    make.answers(ana, Case.objects.live_of(maya), "Your order left.", channel="sms")
    browser = browser_of(ana)
    assert "Send a last word first" in browser.get(f"/identities/{line.pk}/wrong/").content.decode()
    answer = browser.post(
        f"/identities/{line.pk}/wrong/", {"words": "go", "apologise": "yes", "apology": "Sorry, wrong number."}
    )
    assert answer["Location"] == f"/customers/{maya.pk}/"
    said = Entry.objects.get(text="Sorry, wrong number.")
    assert said.identity == line
    assert said.data["last_word"]
    assert refusal(line, number, is_last_word=True) is None
    assert Delivery.objects.get(entry=said).state == "queued"
    Delivery.objects.filter(entry=said).update(not_before=now())
    assert outbox.deliver(Delivery.objects.get(entry=said).pk)
    assert "wrong person" not in Delivery.objects.get(entry=said).reason


def test_taking_an_address_away_is_taken_back_exactly(
    ana: Any, maya: Customer, mailbox: Connector, number: Connector, line: Identity, browser_of: Any
) -> None:
    mail = make.says(maya, mailbox, "Where is my order?")
    make.says(maya, number, "hello?")
    reason = IdentityLink.objects.active().get(identity=line).reason
    detaching.detach(line, by=ana)
    browser = browser_of(ana)
    assert f"/identities/{line.pk}/take-back/" in browser.get(f"/customers/{maya.pk}/").content.decode()
    browser.post(f"/identities/{line.pk}/take-back/")
    line.refresh_from_db()
    assert line.customer == maya
    assert line.wrong_at is None
    assert IdentityLink.objects.active().get(identity=line).reason == reason
    assert waiting(mail.case) == {"Where is my order?", "hello?"}
    assert f"/identities/{line.pk}/take-back/" not in browser.get(f"/customers/{maya.pk}/").content.decode()


def test_an_address_that_came_by_a_join_does_not_come_back_with_its_undo(
    ana: Any, maya: Customer, mailbox: Connector, number: Connector
) -> None:
    make.says(maya, mailbox, "hi")
    jon = make.customer("Jon Bell", email="jon@bell.test", phone="+14155550123")
    make.says(jon, number, "hello")
    merge = merging.join(maya, jon, by=ana)
    phone = Identity.objects.get(value="+14155550123")
    stranger = detaching.detach(phone, by=ana)
    merging.undo(merge, by=ana)
    phone.refresh_from_db()
    assert phone.customer == stranger
    assert set(jon.identities.values_list("value", flat=True)) == {"jon@bell.test"}
    assert Case.objects.live_of(jon) is None
    assert Entry.objects.get(text="hello").case.customer.current() == stranger  # type: ignore[union-attr]


@pytest.mark.parametrize("seed", range(8))
def test_after_any_traffic_everything_is_with_whose_address_it_is(
    seed: int, ana: Any, maya: Customer, mailbox: Connector, number: Connector, line: Identity
) -> None:
    chance = random.Random(seed)

    def traffic(marker: str) -> None:
        for count in range(chance.randint(2, 6)):
            person: Customer | Sender = maya if chance.random() < 0.6 else Sender(line.value)
            to = mailbox if isinstance(person, Customer) else number
            entry = make.says(person, to, f"{marker} {count}")
            case = entry.case.current()
            if chance.random() < 0.3:
                make.answers(ana, case, f"Answer to {marker} {count}", confirmed=True)
            if chance.random() < 0.2:
                with locked(case) as fresh:
                    fresh.resolve(by=ana)

    def is_home(entry: Entry) -> bool:
        assert entry.identity
        assert entry.case
        return entry.case.customer.current().pk == entry.identity.customer_id

    traffic("before")
    detaching.detach(line, by=ana)
    spoken = Entry.objects.filter(kind__in=["message", "reply"]).select_related("identity", "case__customer")
    assert all(map(is_home, spoken.all()))
    traffic("between")
    assert all(map(is_home, spoken.all()))
    detaching.give_back(line, by=ana)
    traffic("after")
    assert all(map(is_home, spoken.all()))
    for case in Case.objects.unmerged():
        opened = case.open_entries()
        first = min((each.reached_us_at for each in opened), default=None)
        assert case.waiting_since == first
    assert Case.objects.live().main().count() <= 1


def test_an_address_that_is_all_we_know_of_somebody_is_nobody_elses(ana: Any, number: Connector) -> None:
    text = make.says(Sender("+14155550133"), number, "hi")
    with pytest.raises(detaching.CannotDetach, match="all that we know"):
        detaching.detach(text.identity, by=ana)


def test_who_may_not_take_people_apart_is_told_so(ana: Any, maya: Customer, line: Identity, browser_of: Any) -> None:
    ana.may_part = False
    ana.save()
    make.says(maya, make.number(make.team("Support"), "+14155550177"), "hi")
    browser = browser_of(ana)
    assert browser.post(f"/identities/{line.pk}/wrong/", {"words": "go"}).status_code == 422
    browser.post(f"/identities/{line.pk}/take-back/")
    line.refresh_from_db()
    assert line.customer == maya


def test_a_supervisor_may_take_people_apart(sue: Any, maya: Customer, line: Identity, browser_of: Any) -> None:
    sue.may_part = False
    sue.save()
    assert browser_of(sue).post(f"/identities/{line.pk}/wrong/", {"words": "go"}).status_code == 302
    line.refresh_from_db()
    assert line.customer != maya


def test_who_wrote_is_said_of_the_message_as_it_is_by_then(
    ana: Any, line: Identity, number: Connector, browser_of: Any, monkeypatch: Any
) -> None:
    detaching.share(line, kind=CustomerKind.HOUSEHOLD, by=ana)
    entry = make.says(Sender(line.value), number, "Any news?")

    @contextmanager
    def changed_meanwhile(told: Entry) -> Iterator[Case]:
        with locked_with(told) as case:
            Entry.objects.filter(pk=told.pk).update(data={"newer": 1})
            yield case

    monkeypatch.setattr("inbox.views.whose.locked_with", changed_meanwhile)
    browser_of(ana).post(f"/entries/{entry.pk}/writer/", {"writer": ""})
    entry.refresh_from_db()
    assert entry.data == {"newer": 1}


def test_a_shared_line_is_a_customer_of_its_own_and_shows_nobodys_history(
    ana: Any, maya: Customer, mailbox: Connector, number: Connector, line: Identity, browser_of: Any
) -> None:
    make.says(maya, mailbox, "A private word about my order #48213")
    text = make.says(maya, number, "The kettle is broken")
    browser = browser_of(ana)
    answer = browser.post(f"/identities/{line.pk}/shared/", {"kind": "household", "words": "go", "name": ""})
    line.refresh_from_db()
    household = line.customer
    assert answer["Location"] == f"/customers/{household.pk}/"
    assert (household.kind, line.is_shared) == (CustomerKind.HOUSEHOLD, True)
    assert household.name == f"Line {line.shown}"
    assert Relationship.objects.get(customer=household).other == maya
    page = browser.get(f"/customers/{household.pk}/").content.decode()
    assert "The kettle is broken" in page
    assert "private word" not in page
    assert 'data-assurance="shared"' in page
    later = make.says(Sender(line.value), number, "Any news?")
    assert later.case.customer == household
    desk = browser.get(f"/inbox/open/c/{later.case.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "Any news?" in desk
    assert "48213" not in desk
    assert text.case is not None


def test_who_is_writing_from_a_shared_line_is_said_per_entry(
    ana: Any, maya: Customer, number: Connector, line: Identity, browser_of: Any
) -> None:
    jon = make.customer("Jon Bell", email="jon@bell.test")
    household = detaching.share(line, kind=CustomerKind.HOUSEHOLD, by=ana, name="The Ortiz house")
    Relationship.objects.create(customer=household, other=jon, role=Relationship.MEMBER)
    entry = make.says(Sender(line.value), number, "Any news?")
    browser = browser_of(ana)
    desk = browser.get(f"/inbox/open/c/{entry.case.pk}/").content.decode()
    assert "Who is writing?" in desk
    assert "Jon" in desk
    answer = browser.post(f"/entries/{entry.pk}/writer/", {"writer": str(jon.pk)})
    assert "Jon Bell" in answer.content.decode()
    entry.refresh_from_db()
    assert entry.data["writer"] == jon.pk
    browser.post(f"/entries/{entry.pk}/writer/", {"writer": "999999"})
    entry.refresh_from_db()
    assert "writer" not in entry.data
    assert entry.case.customer == household


def test_an_address_that_was_shared_by_mistake_is_one_persons_again(
    ana: Any, maya: Customer, number: Connector, line: Identity
) -> None:
    household = detaching.share(line, kind=CustomerKind.ORGANISATION, by=ana)
    assert household != maya
    assert detaching.give_back(line, by=ana) == maya
    line.refresh_from_db()
    assert (line.customer, line.is_shared) == (maya, False)
    assert not Relationship.objects.filter(customer=household).exists()


def test_somebody_with_one_address_becomes_a_line_and_a_person_again(ana: Any, number: Connector) -> None:
    text = make.says(Sender("+14155550133"), number, "hi")
    office = detaching.share(text.identity, kind=CustomerKind.ORGANISATION, by=ana, name="Bell & Sons")
    assert (office.pk, office.kind, office.name) == (text.case.customer_id, "organisation", "Bell & Sons")
    assert detaching.give_back(text.identity, by=ana).pk == office.pk
    assert Customer.objects.get(pk=office.pk).kind == CustomerKind.PERSON


def test_a_line_and_a_person_are_never_one(ana: Any, maya: Customer, line: Identity, browser_of: Any) -> None:
    jon = make.customer("Jon Bell", email="jon@bell.test")
    make.says(jon, make.mailbox("support@northwind.test", make.team("Support")), "hi")
    household = detaching.share(line, kind=CustomerKind.HOUSEHOLD, by=ana, name="The Ortiz house")
    make.says(Sender(line.value), make.number(make.team("Support")), "hi")
    answer = browser_of(ana).post(f"/customers/{jon.pk}/same/{household.pk}/join/")
    assert "line" in answer.content.decode()
    jon.refresh_from_db()
    household.refresh_from_db()
    assert jon.merged_into_id is None
    assert household.merged_into_id is None


def test_an_outsider_touches_nobodys_addresses(
    lee: Any, maya: Customer, number: Connector, line: Identity, browser_of: Any
) -> None:
    entry = make.says(maya, number, "hi")
    browser = browser_of(lee)
    for act in ("wrong", "shared", "take-back", "prove"):
        assert browser.post(f"/identities/{line.pk}/{act}/", {"words": "go"}).status_code == 404, act
    assert browser.post(f"/entries/{entry.pk}/writer/", {"writer": ""}).status_code == 404


def test_proof_is_asked_for_where_they_are_sure(
    ana: Any, maya: Customer, mailbox: Connector, number: Connector, line: Identity, browser_of: Any
) -> None:
    make.says(maya, mailbox, "hi")
    browser = browser_of(ana)
    assert "Ask for proof" in browser.get(f"/customers/{maya.pk}/").content.decode()
    page = browser.post(f"/identities/{line.pk}/prove/", follow=True).content.decode()
    assert "A code is on its way to maya@ortiz.test." in page
