"""Cc and Bcc: whom an agent names on a mail, what they become, and what they are not told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.adapters.email import compose as mail
from connectors.messages import Bounce, Channel, Sender
from customers.models import Customer, Identity
from inbox import merging, outbox
from inbox.intake import reports
from inbox.models import Case, Delivery, Draft, Entry, Participant, State
from inbox.outbox.composing import compose
from inbox.privacy import erasing, exporting
from tests import make
from tests.integration.test_answer_at import sent

pytestmark = pytest.mark.django_db(transaction=True)

BOB, EVE = "bob@stone.test", "eve@stone.test"


@pytest.fixture
def case(maya: Any, mailbox: Any) -> Case:
    entry = make.says(maya, mailbox, "My order is #48213")
    assert entry.case
    return entry.case


def roles(case: Case) -> dict[str, str]:
    return dict(Participant.objects.filter(case__in=case.family()).values_list("identity__value", "role"))


def leaving(entry: Entry) -> Any:
    return compose(entry.deliveries.get())


def test_who_is_copied_in_gets_this_mail_and_the_next_ones(case: Case, ana: Any, browser_of: Any) -> None:
    assert sent(browser_of, ana, case, cc=f"Bob Stone <{BOB}>, {EVE.upper()}").status_code == 200
    first = Entry.objects.get(kind="reply")
    assert [each.address for each in leaving(first).email.cc] == [BOB, EVE]
    assert roles(case) == {BOB: "copied", EVE: "copied"}
    assert Participant.objects.get(identity__value=BOB).name == "Bob Stone"
    page = browser_of(ana).get(f"/inbox/open/c/{case.pk}/").content.decode()
    assert f"Cc: {BOB}, {EVE}" in page
    assert page.count('name="copied"') == 2
    people = list(Participant.objects.values_list("pk", flat=True))
    second = make.answers(ana, case, "And one more thing", copied=people)
    assert [each.address for each in leaving(second).email.cc] == [BOB, EVE]


def test_bcc_is_for_one_mail_and_nobody_else_sees_it(case: Case, maya: Any, ana: Any, browser_of: Any) -> None:
    assert sent(browser_of, ana, case, cc=EVE, bcc=BOB).status_code == 200
    reply = Entry.objects.get(kind="reply")
    message = leaving(reply)
    assert [each.address for each in message.email.bcc] == [BOB]
    assert BOB in [each.address for each in mail.recipients(message)]
    assert BOB not in mail.compose(message).as_string()
    assert BOB not in roles(case)
    assert not Identity.objects.filter(value=BOB).exists()
    assert f"Bcc: {BOB}" in browser_of(ana).get(f"/cases/{case.pk}/entries/{reply.pk}/").content.decode()
    with exporting.export(maya) as archive:
        assert BOB.encode() not in archive.read()
    following = make.answers(ana, case, "And one more thing")
    assert not leaving(following).email.bcc


def test_nobody_who_is_copied_in_gets_the_history(case: Case, ana: Any) -> None:
    assert "48213" in leaving(make.answers(ana, case, "It left")).quoted
    for copies in ({"cc": BOB}, {"bcc": EVE}):
        assert leaving(make.answers(ana, case, "It left, again", **copies)).quoted == ""


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("bob", "“bob” is no email address. Correct it, or take it out."),
        (f"{BOB} {EVE}", "is no email address"),
        (f"{BOB}, bob@", "“bob@” is no email address"),
        ("bøb@stone.test", "“bøb@stone.test” is no email address"),
        ("Support@Northwind.test", "support@northwind.test is an address of ours. Take it out."),
        ("support+r.abc@northwind.test", "is an address of ours"),
        (", ".join(f"p{number}@stone.test" for number in range(21)), "At most 20 people"),
        ("b" * 2001, "These are too many addresses for one mail."),
    ],
)
@pytest.mark.parametrize("name", ["cc", "bcc"])
def test_what_is_no_address_is_said_and_nothing_leaves(
    case: Case, ana: Any, browser_of: Any, typed: str, words: str, name: str
) -> None:
    people = Customer.objects.count()
    answer = sent(browser_of, ana, case, **{name: typed})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Delivery.objects.exists()
    assert Customer.objects.count() == people


def test_commas_semicolons_and_doubles_do_no_harm(case: Case, ana: Any) -> None:
    reply = make.answers(
        ana, case, "It left", cc=f" ,{BOB};; {BOB}, maya@ortiz.test\n{EVE},", bcc=f"{EVE}, carl@x.test"
    )
    email = leaving(reply).email
    assert [each.address for each in email.cc] == [BOB, EVE]
    assert [each.address for each in email.bcc] == ["carl@x.test"]


@pytest.mark.parametrize("state", ["blocked_at", "wrong_at"])
def test_a_blocked_or_wrong_address_is_not_copied_in(case: Case, ana: Any, browser_of: Any, state: str) -> None:
    make.customer("Bob", email=BOB)
    Identity.objects.filter(value=BOB).update(**{state: now()})
    answer = sent(browser_of, ana, case, cc=BOB)
    assert answer.status_code == 422
    assert f"{BOB} cannot be written to." in answer.content.decode()


def test_new_readers_are_told_nothing_without_a_word_of_the_agent(case: Case, ana: Any, browser_of: Any) -> None:
    for copies in ({"cc": BOB}, {"bcc": BOB}):
        answer = sent(browser_of, ana, case, "Order 48213 left", **copies)
        assert answer.status_code == 409
        page = answer.content.decode()
        assert f"{BOB} is copied in and is not Maya." in page
        assert "Order #48213" in page
    assert roles(case) == {}
    assert sent(browser_of, ana, case, "Order 48213 left", cc=BOB, disclose="1").status_code == 200
    told = Entry.objects.get(event="disclosed")
    assert BOB in told.text
    bob = list(Participant.objects.values_list("pk", flat=True))
    assert sent(browser_of, ana, case, "48213 left, as we said", copied=bob).status_code == 200


def test_taken_back_they_are_not_copied_in_and_stand_in_the_draft(
    case: Case, maya: Any, mailbox: Any, ana: Any
) -> None:
    make.says(maya, mailbox, "With Carl", cc=[Sender("carl@x.test")])
    make.says(maya, mailbox, "Without proof", cc=[Sender("dora@x.test")], authenticity="unknown")
    before = roles(case)
    reply = make.answers(ana, case, "It left", cc=f"{BOB}, dora@x.test", bcc=EVE)
    assert roles(case) == {**before, BOB: "copied", "dora@x.test": "copied"}
    draft = outbox.undo(reply, by=ana)
    assert draft
    assert (draft.cc, draft.bcc) == (f"{BOB}, dora@x.test", EVE)
    assert roles(case) == before


def test_undo_tells_the_browser_whom_it_had_named(case: Case, ana: Any, browser_of: Any, settings: Any) -> None:
    settings.UNDO_SECONDS = 30
    sent(browser_of, ana, case, cc=BOB, bcc=EVE)
    answer = browser_of(ana).post(f"/entries/{Entry.objects.get(kind='reply').pk}/undo/")
    told = answer.headers["HX-Trigger"]
    assert f'"cc": "{BOB}", "bcc": "{EVE}"' in told


def test_a_draft_keeps_them_also_without_a_text(case: Case, ana: Any, browser_of: Any) -> None:
    tab = browser_of(ana)
    page = tab.get(f"/inbox/open/c/{case.pk}/").content.decode()
    assert '<details id="copies" class="copies">' in page
    tab.post(f"/cases/{case.pk}/draft/", {"channel": "email", "text": "", "cc": "bob@", "bcc": EVE})
    page = tab.get(f"/inbox/open/c/{case.pk}/").content.decode()
    assert '<details id="copies" class="copies" open>' in page
    assert 'value="bob@"' in page
    assert f'value="{EVE}"' in page
    tab.post(f"/cases/{case.pk}/draft/", {"channel": "email", "text": ""})
    assert not Draft.objects.exists()


def test_two_drafts_that_become_one_keep_them(case: Case, maya: Any, mailbox: Any, ana: Any) -> None:
    other = make.says(Sender("m2@x.test"), mailbox, "hi").case
    assert other
    Draft.objects.create(case=case, agent=ana, channel="email", text="one")
    Draft.objects.create(case=other, agent=ana, channel="email", text="two", cc=BOB)
    merging.join(maya, other.customer, by=ana)
    kept = Draft.objects.get()
    assert (kept.cc, "one" in kept.text, "two" in kept.text) == (BOB, True, True)


def test_who_is_erased_stands_in_no_mail_they_were_copied_into(
    case: Case, ana: Any, adam: Any, browser_of: Any
) -> None:
    bob, eve = make.customer("bob", email=BOB), make.customer("Eve", email=EVE)
    waiting = make.answers(ana, case, "It left", cc=f"{BOB}, carl@x.test", bcc=EVE)
    blind = make.answers(ana, case, "It left, again", bcc=BOB)
    erasing.erase_person(bob, by=adam, why="asked")
    page = browser_of(ana).get(f"/inbox/open/c/{case.pk}/").content.decode()
    assert BOB not in page
    assert "Cc: carl@x.test" in page
    assert f"Bcc: {EVE}" in page
    assert [each.address for each in leaving(Entry.objects.get(pk=waiting.pk)).email.cc] == ["carl@x.test"]
    assert not leaving(Entry.objects.get(pk=blind.pk)).email.bcc
    for entry in Entry.objects.all():
        assert BOB not in f"{entry.headers} {entry.data} {entry.text}"
    assert Identity.objects.get(pk=eve.identities.get().pk).value == EVE


def test_a_text_copies_nobody_in(case: Case, maya: Any, number: Any, ana: Any) -> None:
    make.says(maya, number, "any news?")
    reply = make.answers(ana, case, "Yes", channel="sms", cc=BOB, bcc="not even an address")
    assert (roles(case), reply.data.get("cc"), reply.data.get("bcc")) == ({}, None, None)
    assert not Identity.objects.filter(value=BOB).exists()


def test_another_address_of_hers_is_copied_in_as_herself(case: Case, maya: Any, ana: Any) -> None:
    Identity.objects.create(kind="email", value="maya@home.test", customer=maya)
    reply = make.answers(ana, case, "It left", cc="maya@home.test")
    assert [each.address for each in leaving(reply).email.cc] == ["maya@home.test"]
    assert roles(case) == {}


def test_a_bounce_for_who_is_copied_blindly_is_said_beside(case: Case, mailbox: Any, ana: Any) -> None:
    reply = make.answers(ana, case, "It left", bcc=BOB)
    Delivery.objects.update(state=State.SENT)
    reports.bounce(mailbox, Bounce(reply.message_id, BOB, True, "No such user."))
    delivery = reply.deliveries.get()
    assert (delivery.state, delivery.reason) == (State.SENT, f"Not delivered to {BOB}: No such user.")


def test_a_retry_has_the_same_readers(case: Case, ana: Any) -> None:
    reply = make.answers(ana, case, "It left", cc=BOB, bcc=EVE)
    outbox.failed(reply.deliveries.get(), "The line broke.")
    assert outbox.send_again(reply.deliveries.get(), by=ana)
    email = leaving(Entry.objects.get(pk=reply.pk)).email
    assert ([each.address for each in email.cc], [each.address for each in email.bcc]) == ([BOB], [EVE])


def test_the_hold_for_something_newer_keeps_them(
    case: Case, maya: Any, mailbox: Any, ana: Any, browser_of: Any
) -> None:
    seen = make.newest_of(case.family())
    make.says(maya, mailbox, "Wait")
    answer = sent(browser_of, ana, case, cc=BOB, seen=seen)
    assert answer.status_code == 409
    assert 'hx-include="#composer"' in answer.content.decode()
    assert sent(browser_of, ana, case, cc=BOB, seen=seen, send_anyway="1").status_code == 200
    assert roles(case) == {BOB: "copied"}


def test_the_code_in_a_mail_is_worth_nothing_from_whoever_got_a_blind_copy(case: Case, mailbox: Any, ana: Any) -> None:
    assert ADAPTERS[Channel.EMAIL].limits.has_copies
    code = make.code_from(ana, case, mailbox, bcc=BOB)
    make.says(Sender(BOB), mailbox, f"You wrote: take this {code}")
    assert Identity.objects.get(value=BOB).customer_id != case.customer_id
    assert Delivery.objects.latest("pk").changed_at > now() - timedelta(minutes=1)
