"""Who reads a mail beside the customer, where several of them meet, and what an erasing leaves of them."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.timezone import now

from connectors.adapters.email import compose as mail
from connectors.adapters.email.adapter import EmailAdapter
from connectors.messages import Sender, Sent
from customers.models import Identity
from inbox import outbox
from inbox.models import Delivery, Draft, Entry, Participant, State
from inbox.outbox.composing import compose
from inbox.privacy import erasing
from tests import make
from tests.integration.test_answer_at import ELSEWHERE, composer, sent, wants

pytestmark = pytest.mark.django_db(transaction=True)

BOB, CARL = "bob@stone.test", "carl@x.test"


def test_an_unknown_address_and_somebody_copied_in_are_written_to_together(
    maya: Any, mailbox: Any, ana: Any, browser_of: Any
) -> None:
    make.says(maya, mailbox, "With Carl: #48213", cc=[Sender(CARL)])
    case = wants(maya, mailbox, ELSEWHERE)
    carl = list(Participant.objects.values_list("pk", flat=True))
    answer = sent(browser_of, ana, case, "It left", copied=carl, cc=BOB, sent_to=ELSEWHERE)
    assert answer.status_code == 200
    message = compose(Entry.objects.get(kind="reply").deliveries.get())
    assert [each.address for each in mail.recipients(message)] == [ELSEWHERE, CARL, BOB]


def test_a_mail_to_another_address_does_not_say_what_we_call_the_customer(maya: Any, mailbox: Any, ana: Any) -> None:
    case = wants(maya, mailbox, ELSEWHERE)
    away = compose(make.answers(ana, case, "It is on its way").deliveries.get())
    assert mail.compose(away)["To"] == ELSEWHERE


def test_who_only_got_a_blind_copy_is_forgotten_there_as_well(
    maya: Any, mailbox: Any, ana: Any, adam: Any, browser_of: Any
) -> None:
    case = make.says(maya, mailbox, "The lid broke").case
    bob = make.customer("Bob", email=BOB)
    blind = make.answers(ana, case, "It left", bcc=BOB)
    erasing.erase_person(bob, by=adam, why="asked")
    blind = Entry.objects.get(pk=blind.pk)
    assert BOB not in f"{blind.headers} {blind.data}"
    assert not compose(blind.deliveries.get()).email.bcc


def test_who_is_erased_stands_in_no_reply_that_was_taken_back_and_in_no_draft(
    maya: Any, mailbox: Any, ana: Any, adam: Any
) -> None:
    case = make.says(maya, mailbox, "The lid broke").case
    bob = make.customer("Bob", email=BOB)
    reply = make.answers(ana, case, "It left", cc=f"{BOB}, {CARL}")
    assert outbox.undo(reply, by=ana)
    erasing.erase_person(bob, by=adam, why="asked")
    reply = Entry.objects.get(pk=reply.pk)
    assert BOB not in f"{reply.headers} {reply.data}"
    draft = Draft.objects.get()
    assert BOB not in f"{draft.cc} {draft.bcc} {draft.sent_to}"
    assert CARL in draft.cc


def test_a_reply_is_taken_back_after_one_of_its_readers_was_erased(
    maya: Any, mailbox: Any, ana: Any, adam: Any
) -> None:
    case = make.says(maya, mailbox, "The lid broke").case
    bob = make.customer("Bob", email=BOB)
    reply = make.answers(ana, case, "It left", cc=f"{BOB}, {CARL}")
    erasing.erase_person(bob, by=adam, why="asked")
    draft = outbox.undo(Entry.objects.get(pk=reply.pk), by=ana)
    assert draft
    assert draft.cc == CARL
    assert not Participant.objects.exists()


def test_a_reply_to_an_erased_address_forgets_it_and_goes_nowhere_else(
    maya: Any, mailbox: Any, ana: Any, adam: Any
) -> None:
    other = make.customer("Other", email=ELSEWHERE)
    case = wants(maya, mailbox, ELSEWHERE)
    waiting = make.answers(ana, case, "It is on its way").deliveries.get()
    erasing.erase_person(other, by=adam, why="asked")
    for entry in Entry.objects.filter(case=case, kind="reply"):
        assert ELSEWHERE not in f"{entry.headers} {entry.data}"
    outbox.deliver(waiting.pk)
    Delivery.objects.update(not_before=now())
    outbox.deliver(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.state, "asked to be forgotten" in waiting.reason) == (State.FAILED, True)


@pytest.mark.parametrize("state", ["blocked_at", "wrong_at"])
def test_who_reads_along_and_is_blocked_or_somebody_else_gets_no_more_mail(
    maya: Any, mailbox: Any, ana: Any, browser_of: Any, state: str
) -> None:
    case = make.says(maya, mailbox, "With Carl", cc=[Sender(CARL)]).case
    assert case
    carl = list(Participant.objects.values_list("pk", flat=True))
    assert composer(browser_of, ana, case).count('name="copied"') == 1
    Identity.objects.filter(value=CARL).update(**{state: now()})
    assert 'name="copied"' not in composer(browser_of, ana, case)
    answer = sent(browser_of, ana, case, copied=carl)
    assert answer.status_code == 422
    assert f"{CARL} cannot be written to." in answer.content.decode()


def test_who_is_blocked_while_a_mail_waits_does_not_get_it(maya: Any, mailbox: Any, ana: Any, monkeypatch: Any) -> None:
    case = make.says(maya, mailbox, "The lid broke").case
    make.customer("Bob", email=BOB)
    delivery = make.answers(ana, case, "It left", cc=f"{BOB}, {CARL}", bcc="eve@x.test").deliveries.get()
    Identity.objects.filter(value=BOB).update(blocked_at=now())
    left: list[Any] = []
    monkeypatch.setattr(EmailAdapter, "send", lambda _, account, message: left.append(message) or Sent("1@ours.test"))
    Delivery.objects.update(not_before=now())
    outbox.deliver(delivery.pk)
    assert [each.address for each in mail.recipients(left[0])] == ["maya@ortiz.test", CARL, "eve@x.test"]
    delivery.refresh_from_db()
    assert delivery.state == State.SENT
    assert delivery.reason == f"Not accepted for {BOB}: This address is blocked."


def test_who_is_copied_in_later_did_not_read_what_was_said_before(
    maya: Any, mailbox: Any, ana: Any, browser_of: Any
) -> None:
    case = make.says(maya, mailbox, "My order is #48213").case
    assert case
    assert sent(browser_of, ana, case, "It left", cc=BOB).status_code == 200
    bob = list(Participant.objects.values_list("pk", flat=True))
    answer = sent(browser_of, ana, case, "Order 48213 left", copied=bob)
    assert answer.status_code == 409
    assert f"{BOB} is copied in and is not Maya." in answer.content.decode()


def test_who_is_named_by_a_mail_nobody_vouches_for_read_nothing_before_it(
    maya: Any, mailbox: Any, ana: Any, browser_of: Any
) -> None:
    make.says(maya, mailbox, "My order is #48213")
    case = make.says(maya, mailbox, "And #77001, with Eve", cc=[Sender("eve@x.test")], authenticity="unknown").case
    assert case
    eve = list(Participant.objects.values_list("pk", flat=True))
    assert sent(browser_of, ana, case, "Order 77001 left", copied=eve).status_code == 200
    answer = sent(browser_of, ana, case, "Order 48213 left", copied=eve)
    assert answer.status_code == 409
    assert "eve@x.test is copied in and is not Maya." in answer.content.decode()


def test_the_subject_that_is_put_there_by_itself_is_looked_at_as_well(
    maya: Any, mailbox: Any, ana: Any, browser_of: Any
) -> None:
    case = make.says(maya, mailbox, "Where is #48213?", subject="My order #48213").case
    assert case
    answer = sent(browser_of, ana, case, "It left", bcc=BOB, subject="")
    assert answer.status_code == 409
    assert "Order #48213" in answer.content.decode()
    assert sent(browser_of, ana, case, "It left", bcc=BOB, subject="Your mug").status_code == 200


def test_who_was_copied_in_twice_reads_along_when_the_first_mail_is_taken_back(
    maya: Any, mailbox: Any, ana: Any
) -> None:
    case = make.says(maya, mailbox, "The lid broke").case
    assert case
    first = make.answers(ana, case, "It left", cc=BOB)
    second = make.answers(ana, case, "With a spare one", cc=BOB)
    assert outbox.undo(first, by=ana)
    row = Participant.objects.get()
    assert (row.identity.value, row.role, row.entry) == (BOB, "copied", second)
    assert outbox.undo(Entry.objects.get(pk=second.pk), by=ana)
    assert not Participant.objects.exists()
