"""What was written from another program, and our own messages coming back: each is told once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils.timezone import now

from connectors.messages import Attachment as File
from connectors.messages import Echo, EmailHeaders, Sender
from connectors.models import Connector
from inbox import merging, outbox
from inbox.intake import messages, outside
from inbox.intake.outcomes import Duplicate
from inbox.locking import locked
from inbox.models import Alert, Attachment, Case, Delivery, Entry, State, Status, Switch
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)

PICTURE = File(name="", content_type="image/jpeg", url="https://lookaside.fbsbx.com/x")


@pytest.fixture
def tells(account: Connector) -> Callable[..., dict[str, Any]]:
    """`tells("sent from the phone")`: Instagram says that we wrote this to Maya."""

    def echo(text: str, *, to: str = "1002003004005001", **about: Any) -> dict[str, Any]:
        number = about.pop("provider_id", f"echo-{text[:20]}")
        return outside.echo(account, Echo(number, account.address, Sender(to, account.address), text, **about))

    return echo


def on_its_way(reply: Entry, *, since: datetime | None = None, part: int = 0) -> Delivery:
    """As a worker has it that is just asking the provider."""
    Delivery.objects.filter(entry=reply, part=part).update(state=State.SENDING, attempts=1, claimed_at=since or now())
    return reply.deliveries.get(part=part)


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def test_what_was_sent_from_the_phone_answers_what_waits_on_its_channel(maya: Any, account: Any, tells: Any) -> None:
    asked = make.says(maya, account, "where is it?")
    tells("on its way")
    case = fresh(asked.case)
    assert (case.waiting_since, case.status) == (None, Status.WAITING)
    assert Entry.objects.get(sent_outside=True).author == "Sent outside Throughline"


def test_what_was_sent_from_the_phone_does_not_answer_what_came_after_it(maya: Any, account: Any, tells: Any) -> None:
    at = now()
    first = make.says(maya, account, "first", sent_at=at - timedelta(minutes=30))
    second = make.says(maya, account, "second", sent_at=at - timedelta(minutes=5))
    tells("the answer to the first", sent_at=at - timedelta(minutes=20))
    assert not fresh(first).is_open
    assert fresh(second).is_open
    assert fresh(first.case).status == Status.OPEN


def test_a_mail_dated_in_the_future_is_answered_all_the_same(maya: Any, mailbox: Any) -> None:
    asked = make.says(maya, mailbox, "hi", sent_at=now() + timedelta(days=2))
    mail_from_elsewhere(mailbox, "outlook-1@northwind.test", sent_at=now())
    assert not fresh(asked).is_open


def test_a_text_that_was_taken_in_late_was_there_when_it_reached_us(maya: Any, account: Any, tells: Any) -> None:
    at = now()
    with transaction.atomic():
        messages.receive(account, make.message(maya, account, "hi"), at=at - timedelta(minutes=20))
    tells("on its way", sent_at=at - timedelta(minutes=10))
    assert Case.objects.get().waiting_since is None


def test_writing_to_somebody_who_was_joined_goes_on_in_their_last_case(
    maya: Any, account: Any, number: Any, ana: Any, sue: Any, tells: Any
) -> None:
    other = make.customer("M. Ortiz", phone="+14155550177")
    asked = make.says(other, number, "hi")
    with locked(asked.case) as case:
        case.resolve(by=ana)
    merging.join(maya, other, by=sue, reason="the same")
    tells("all the best")
    assert Entry.objects.get(sent_outside=True).case_id == asked.case_id


def test_a_late_echo_leaves_a_snoozed_case_asleep(maya: Any, account: Any, ana: Any, tells: Any) -> None:
    asked = make.says(maya, account, "first")
    with locked(asked.case) as case:
        case.snooze(now() + timedelta(days=1), by=ana)
    tells("long ago", sent_at=now() - timedelta(hours=3))
    assert fresh(asked.case).status == Status.SNOOZED


def test_an_answer_from_the_phone_counts_as_the_answer_to_the_move(
    maya: Any, mailbox: Any, account: Any, ana: Any, tells: Any
) -> None:
    mail = make.says(maya, mailbox, "a mail")
    outbox.no_reply_needed(mail.case, by=ana)
    make.says(maya, account, "and a message")
    assert Switch.objects.get().acknowledged_at is None
    tells("answered in the app")
    assert Switch.objects.get().acknowledged_at
    assert not Alert.objects.open().exists()
    assert not fresh(mail.case).shows_move


def test_an_answer_from_the_phone_leaves_the_card_while_the_mail_is_open(
    maya: Any, mailbox: Any, account: Any, tells: Any
) -> None:
    mail = make.says(maya, mailbox, "a mail")
    make.says(maya, account, "and a message")
    tells("answered in the app")
    assert Alert.objects.open().exists()
    assert fresh(mail.case).status == Status.OPEN
    assert Switch.objects.get().acknowledged_at is None


def test_the_echo_of_a_part_is_known_although_the_provider_trims_it(
    maya: Any, account: Any, ana: Any, tells: Any
) -> None:
    asked = make.says(maya, account, "hi")
    part = on_its_way(make.answers(ana, asked.case, "word " * 400))
    assert part.text != part.text.strip()
    tells(part.text.strip())
    assert not Entry.objects.filter(sent_outside=True).exists()
    assert fresh(part).state == State.SENT


@pytest.mark.parametrize("state", [State.SENDING, State.UNKNOWN, State.QUEUED])
def test_a_message_whose_end_nobody_saw_was_sent_when_its_echo_comes(
    state: str, maya: Any, account: Any, ana: Any, tells: Any
) -> None:
    asked = make.says(maya, account, "hi")
    delivery = on_its_way(make.answers(ana, asked.case, "hello"))
    Delivery.objects.filter(pk=delivery.pk).update(state=state)
    tells("hello")
    assert fresh(delivery).state == State.SENT
    assert delivery.provider_messages.get().provider_id == "echo-hello"


def test_a_reply_that_was_never_tried_is_not_taken_for_what_the_phone_sent(
    maya: Any, account: Any, ana: Any, tells: Any
) -> None:
    asked = make.says(maya, account, "hi")
    reply = make.answers(ana, asked.case, "hello")
    tells("hello")
    assert reply.deliveries.get().state == State.QUEUED
    assert Entry.objects.filter(sent_outside=True).exists()


def picture_of(ana: Any, name: str = "a.jpg", content_type: str = "image/jpeg") -> Attachment:
    return Attachment.objects.create(uploaded_by=ana, name=name, content_type=content_type, size=3, key="x/y")


def test_the_echo_of_our_own_picture_is_known(maya: Any, account: Any, ana: Any, tells: Any) -> None:
    asked = make.says(maya, account, "hi")
    delivery = on_its_way(make.answers(ana, asked.case, "", files=[picture_of(ana).pk]))
    tells("", provider_id="p1", attachments=(PICTURE,), sent_at=now())
    assert fresh(delivery).state == State.SENT


@pytest.mark.parametrize(
    "about",
    [
        {"attachments": ()},
        {"attachments": (replace(PICTURE, content_type="video/mp4"),)},
        {"attachments": (PICTURE,), "sent_at": now() - timedelta(hours=1)},
    ],
    ids=["nothing we know", "a film", "an older picture"],
)
def test_what_cannot_be_our_picture_leaves_its_fate_open(
    about: dict[str, Any], maya: Any, account: Any, ana: Any, tells: Any
) -> None:
    asked = make.says(maya, account, "hi")
    delivery = on_its_way(make.answers(ana, asked.case, "", files=[picture_of(ana).pk]))
    tells("", provider_id="p1", **about)
    assert fresh(delivery).state == State.SENDING


def test_an_echo_told_twice_is_one_entry(maya: Any, account: Any, tells: Any) -> None:
    tells("once")
    with pytest.raises(Duplicate):
        tells("once")
    assert Entry.objects.filter(sent_outside=True).count() == 1


def test_writing_first_from_the_phone_begins_a_case_that_waits_for_the_customer(account: Any, tells: Any) -> None:
    tells("Hello, you won", to="777")
    case = Case.objects.get()
    assert (case.status, case.is_live, case.waiting_since) == (Status.WAITING, True, None)


def test_writing_from_the_phone_does_not_open_a_resolved_case(maya: Any, account: Any, ana: Any, tells: Any) -> None:
    asked = make.says(maya, account, "hi")
    with locked(asked.case) as case:
        case.resolve(by=ana)
    tells("all the best")
    assert Entry.objects.get(sent_outside=True).case_id == asked.case_id
    assert not fresh(asked.case).is_live


def test_a_program_answers_nobody(maya: Any, account: Any, tells: Any) -> None:
    asked = make.says(maya, account, "hi")
    tells("Your code is 1234", automatic=True)
    assert fresh(asked).is_open
    case = fresh(asked.case)
    assert (case.status, case.first_reply_at) == (Status.OPEN, None)
    assert "Your code is 1234" in Entry.objects.get(event="sent_outside").text


def test_a_program_begins_no_case(account: Any, tells: Any) -> None:
    assert tells("Your code is 1234", to="777", automatic=True)["outcome"] == "ignored"
    assert not Case.objects.exists()


def mail_from_elsewhere(
    mailbox: Connector, message_id: str, answers: Sequence[str] = (), **about: Any
) -> dict[str, Any]:
    headers, to = EmailHeaders(message_id=message_id, in_reply_to=tuple(answers)), Sender("maya@ortiz.test")
    mail = Echo(message_id, mailbox.address, to, "Gladly.", subject="Re: Hello", email=headers, **about)
    return outside.echo(mailbox, mail)


def test_a_mail_written_in_another_program_answers_the_mail(maya: Any, mailbox: Any) -> None:
    asked = make.says(maya, mailbox, "hi")
    mail_from_elsewhere(mailbox, "outlook-1@northwind.test")
    assert not fresh(asked).is_open
    assert Entry.objects.get(sent_outside=True).subject == "Re: Hello"


def test_a_mail_written_in_another_program_goes_to_the_case_it_answers(maya: Any, mailbox: Any) -> None:
    main = make.says(maya, mailbox, "The lid is cracked.").case
    assert main is not None
    apart = Case.objects.create(
        customer=maya, team=main.team, team_ids=main.team_ids, reply_token="a" * 32, split_off=True
    )
    asked = make.says(maya, mailbox, "About the invoice", reply_tokens=[apart.reply_token])
    mail_from_elsewhere(mailbox, "outlook-1@northwind.test", answers=[asked.message_id])
    assert Entry.objects.get(sent_outside=True).case == apart
    assert not fresh(asked).is_open
    assert main.open_entries().exists()


def test_our_own_mail_in_the_sent_folder_is_known_by_its_message_id(maya: Any, mailbox: Any, ana: Any) -> None:
    asked = make.says(maya, mailbox, "hi")
    reply = make.answers(ana, asked.case, "Gladly!")
    delivery = on_its_way(reply)
    Delivery.objects.filter(pk=delivery.pk).update(state=State.UNKNOWN)
    mail_from_elsewhere(mailbox, reply.message_id)
    assert fresh(delivery).state == State.SENT
    assert not Entry.objects.filter(sent_outside=True).exists()


def test_a_rolled_back_echo_leaves_no_person_behind(account: Any, tells: Any, monkeypatch: Any) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(outside, "_answer", broken)
    with pytest.raises(RuntimeError), transaction.atomic():
        tells("Hello", to="777")
    assert not Case.objects.exists()
