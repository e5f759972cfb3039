"""A mail may want its answer at another address. Who reads that address is not proven by the mail that names it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils.timezone import now

from connectors.messages import Bounce
from customers.models import Identity
from inbox import outbox
from inbox.intake import reports
from inbox.models import Case, Delivery, Draft, Entry, State
from inbox.outbox.composing import compose
from inbox.privacy import erasing
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)

OFFICE, ELSEWHERE = "office@ortiz.test", "maya@private.test"


def wants(maya: Any, mailbox: Any, address: str, *, authenticity: str = "pass", text: str = "The lid broke") -> Case:
    entry = make.says(maya, mailbox, text, answer_at=address, authenticity=authenticity)
    assert entry.case
    return entry.case


def goes_to(entry: Entry) -> str:
    return compose(entry.deliveries.get()).to.address


def composer(browser_of: Any, agent: Any, case: Case) -> str:
    page: str = browser_of(agent).get(f"/cases/{case.pk}/composer/").content.decode()
    return page[page.index('id="composer-top"') : page.index('id="composer-bar"')]


def sent(browser_of: Any, agent: Any, case: Case, text: str = "It is on its way", **about: Any) -> Any:
    key = next(way.key for way in outbox.options(case) if way.channel == "email")
    said = {"option": key, "seen": make.newest_of(case.family()), "text": text}
    return browser_of(agent).post(f"/cases/{case.pk}/reply/", {**said, **about})


def test_the_answer_goes_where_a_proven_mail_wants_it(maya: Any, mailbox: Any, ana: Any) -> None:
    case = wants(maya, mailbox, ELSEWHERE)
    assert goes_to(make.answers(ana, case, "It is on its way")) == ELSEWHERE


@pytest.mark.parametrize(
    ("address", "goes"),
    [
        (OFFICE, OFFICE),
        (ELSEWHERE, "maya@ortiz.test"),
        ("maya@sub.ortiz.test", "maya@ortiz.test"),
    ],
)
def test_a_mail_nobody_vouches_for_is_answered_elsewhere_only_within_its_domain(
    maya: Any, mailbox: Any, ana: Any, address: str, goes: str
) -> None:
    case = wants(maya, mailbox, address, authenticity="unknown")
    assert goes_to(make.answers(ana, case, "It is on its way")) == goes


@pytest.mark.parametrize("domain", ["gmail.com", "libero.it"])
def test_a_domain_where_anybody_gets_an_address_proves_nothing(mailbox: Any, ana: Any, domain: str) -> None:
    someone = make.customer("Lena", email=f"lena@{domain}")
    case = wants(someone, mailbox, f"len4@{domain}", authenticity="unknown")
    assert goes_to(make.answers(ana, case, "It is on its way")) == f"lena@{domain}"


@pytest.mark.parametrize(
    "address",
    [
        "support@northwind.test",
        "support+r.abc@northwind.test",
        "Billing@Northwind.test",
        "maya@ortiz.test",
        "MAYA@ortiz.test",
        "no address",
        "mäya@ortiz.test",
    ],
)
def test_never_to_ourselves_and_never_to_what_is_no_address(
    maya: Any, mailbox: Any, billing_mailbox: Any, ana: Any, browser_of: Any, address: str
) -> None:
    case = wants(maya, mailbox, address)
    assert "sent_to" not in composer(browser_of, ana, case)
    assert goes_to(make.answers(ana, case, "It is on its way")) == "maya@ortiz.test"


def test_never_to_a_colleague(maya: Any, mailbox: Any, ana: Any, browser_of: Any) -> None:
    case = wants(maya, mailbox, ana.email)
    assert "sent_to" not in composer(browser_of, ana, case)
    assert goes_to(make.answers(ana, case, "It is on its way")) == "maya@ortiz.test"


def test_only_the_last_mail_says_where(maya: Any, mailbox: Any, ana: Any) -> None:
    case = wants(maya, mailbox, ELSEWHERE)
    make.says(maya, mailbox, "Back at my own address")
    assert goes_to(make.answers(ana, case, "It is on its way")) == "maya@ortiz.test"


def test_the_entry_and_the_composer_say_where_and_the_agent_chooses(
    maya: Any, mailbox: Any, ana: Any, browser_of: Any
) -> None:
    case = wants(maya, mailbox, ELSEWHERE, authenticity="unknown")
    page = browser_of(ana).get(f"/inbox/open/c/{case.pk}/").content.decode()
    assert f"wants answers at {ELSEWHERE}" in page
    top = composer(browser_of, ana, case)
    assert f'value="{ELSEWHERE}"' in top
    assert "of another domain" in top
    assert 'value="maya@ortiz.test" checked' in top
    assert sent(browser_of, ana, case, sent_to=ELSEWHERE).status_code == 200
    reply = Entry.objects.get(kind="reply")
    assert goes_to(reply) == ELSEWHERE
    assert f"To: {ELSEWHERE}" in browser_of(ana).get(f"/cases/{case.pk}/entries/{reply.pk}/").content.decode()


def test_the_senders_own_address_can_be_chosen_instead(maya: Any, mailbox: Any, ana: Any, browser_of: Any) -> None:
    case = wants(maya, mailbox, ELSEWHERE)
    assert f'value="{ELSEWHERE}" checked' in composer(browser_of, ana, case)
    assert sent(browser_of, ana, case, sent_to="maya@ortiz.test").status_code == 200
    assert goes_to(Entry.objects.get(kind="reply")) == "maya@ortiz.test"


def test_an_address_nobody_asked_for_is_refused_in_words(maya: Any, mailbox: Any, ana: Any, browser_of: Any) -> None:
    case = wants(maya, mailbox, ELSEWHERE)
    answer = sent(browser_of, ana, case, sent_to="eve@evil.test")
    assert answer.status_code == 422
    assert "eve@evil.test" in answer.content.decode()
    assert not Delivery.objects.exists()


def test_what_the_mail_said_is_quoted_to_its_sender_and_to_nobody_else(maya: Any, mailbox: Any, ana: Any) -> None:
    case = wants(maya, mailbox, ELSEWHERE, text="My order is #48213")
    away = make.answers(ana, case, "It is on its way")
    assert compose(away.deliveries.get()).quoted == ""
    home = make.answers(ana, case, "It is on its way, again", sent_to="maya@ortiz.test")
    assert "48213" in compose(home.deliveries.get()).quoted


def test_whoever_reads_there_is_told_only_what_their_own_mail_said(
    maya: Any, mailbox: Any, ana: Any, browser_of: Any
) -> None:
    make.says(maya, mailbox, "My order is #48213")
    case = wants(maya, mailbox, ELSEWHERE, authenticity="unknown", text="And order #77001?")
    assert sent(browser_of, ana, case, "Order 48213 left").status_code == 200
    answer = sent(browser_of, ana, case, "Order 48213 left", sent_to=ELSEWHERE)
    assert answer.status_code == 409
    assert f"We do not know that {ELSEWHERE} is Maya." in answer.content.decode()
    assert sent(browser_of, ana, case, "Order 77001 left", sent_to=ELSEWHERE).status_code == 200
    assert sent(browser_of, ana, case, "Order 48213 left", sent_to=ELSEWHERE, disclose="1").status_code == 200


def test_an_address_of_hers_that_is_sure_is_no_stranger(maya: Any, mailbox: Any, ana: Any) -> None:
    make.says(maya, mailbox, "My order is #48213")
    case = wants(maya, mailbox, ELSEWHERE)
    Identity.objects.create(kind="email", value=ELSEWHERE, customer=maya)
    assert goes_to(make.answers(ana, case, "Order 48213 left")) == ELSEWHERE


def test_a_code_is_told_to_nobody_but_the_address_it_proves(maya: Any, mailbox: Any, number: Any, ana: Any) -> None:
    case = wants(maya, mailbox, ELSEWHERE)
    with pytest.raises(outbox.BadReply) as refused:
        make.code_from(ana, case, number)
    assert "maya@ortiz.test" in refused.value.words
    assert make.code_from(ana, case, number, sent_to="maya@ortiz.test")


@pytest.mark.parametrize("state", ["blocked_at", "wrong_at"])
def test_a_blocked_or_wrong_address_is_not_offered_and_not_written_to(
    maya: Any, mailbox: Any, ana: Any, browser_of: Any, state: str
) -> None:
    case = wants(maya, mailbox, ELSEWHERE)
    waiting = make.answers(ana, case, "It is on its way")
    known = make.customer("Other", email=ELSEWHERE).identities.get()
    Identity.objects.filter(pk=known.pk).update(**{state: now()})
    assert "sent_to" not in composer(browser_of, ana, case)
    outbox.deliver(waiting.deliveries.get().pk)
    Delivery.objects.update(not_before=now())
    outbox.deliver(waiting.deliveries.get().pk)
    assert waiting.deliveries.get().state == State.FAILED
    assert goes_to(make.answers(ana, case, "It left")) == "maya@ortiz.test"


def test_who_asked_to_be_forgotten_is_not_written_to_for_somebody_elses_mail(
    maya: Any, mailbox: Any, ana: Any, adam: Any, browser_of: Any
) -> None:
    other = make.customer("Other", email=ELSEWHERE)
    case = wants(maya, mailbox, ELSEWHERE)
    with time_machine.travel(now() + timedelta(minutes=1), tick=True):
        erasing.erase_person(other, by=adam, why="asked")
        assert "sent_to" not in composer(browser_of, ana, case)


def test_an_erased_mail_wants_nothing_any_more(maya: Any, mailbox: Any, number: Any, ana: Any, adam: Any) -> None:
    make.says(maya, number, "hello")
    case = wants(maya, mailbox, ELSEWHERE)
    reply = make.answers(ana, case, "It is on its way", channel="email")
    erasing.erase_address(maya.identities.get(kind="email"), by=adam, why="asked")
    told = Entry.objects.filter(pk__in=[reply.pk, *case.entries.values_list("pk", flat=True)])
    assert all(ELSEWHERE not in f"{each.headers} {each.data}" for each in told)
    assert reply.deliveries.get().state == State.CANCELLED


def test_a_retry_goes_to_the_same_place_although_a_newer_mail_wants_another(maya: Any, mailbox: Any, ana: Any) -> None:
    case = wants(maya, mailbox, ELSEWHERE)
    reply = make.answers(ana, case, "It is on its way")
    outbox.failed(reply.deliveries.get(), "The line broke.")
    make.says(maya, mailbox, "Any news?")
    assert outbox.send_again(reply.deliveries.get(), by=ana)
    assert goes_to(Entry.objects.get(pk=reply.pk)) == ELSEWHERE


def test_a_bounce_from_there_is_believed(maya: Any, mailbox: Any, ana: Any) -> None:
    case = wants(maya, mailbox, ELSEWHERE)
    reply = make.answers(ana, case, "It is on its way")
    Delivery.objects.update(state=State.SENT)
    reports.bounce(mailbox, Bounce(reply.message_id, ELSEWHERE, True, "No such user."))
    assert reply.deliveries.get().state == State.FAILED


def test_taken_back_the_choice_is_there_again(maya: Any, mailbox: Any, ana: Any, browser_of: Any) -> None:
    case = wants(maya, mailbox, ELSEWHERE)
    reply = make.answers(ana, case, "It is on its way", sent_to="maya@ortiz.test")
    assert outbox.undo(reply, by=ana)
    assert 'value="maya@ortiz.test" checked' in composer(browser_of, ana, case)


def test_a_draft_keeps_the_choice(maya: Any, mailbox: Any, ana: Any, browser_of: Any) -> None:
    case = wants(maya, mailbox, ELSEWHERE)
    kept = {"channel": "email", "text": "Dear", "sent_to": "maya@ortiz.test"}
    browser_of(ana).post(f"/cases/{case.pk}/draft/", kept)
    assert Draft.objects.get().sent_to == "maya@ortiz.test"
    assert 'value="maya@ortiz.test" checked' in composer(browser_of, ana, case)


def test_a_text_knows_nothing_of_it(maya: Any, mailbox: Any, number: Any, ana: Any) -> None:
    case = wants(maya, mailbox, ELSEWHERE)
    make.says(maya, number, "did you get my mail?")
    assert goes_to(make.answers(ana, case, "Yes", channel="sms", sent_to=ELSEWHERE)) == "+14155552671"
