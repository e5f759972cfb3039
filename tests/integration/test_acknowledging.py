"""The automatic first answer: once, to people, and never in a loop."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils.timezone import now

from connectors.messages import InboundMessage, Sender
from connectors.models import Connector
from inbox.intake import acknowledging, messages
from inbox.models import Case, Delivery, Entry
from inbox.outbox.composing import compose
from inbox.views.connections import connection_of
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mailbox(mailbox: Connector) -> Connector:
    mailbox.options["acknowledgement"] = "We have your mail and answer by tomorrow."
    mailbox.save()
    return mailbox


def mail(sender: Any, to: Connector, text: str = "Where is it?", **about: Any) -> InboundMessage:
    item = make.message(sender, to, text, **about)
    assert item.email is not None
    return replace(item, email=replace(item.email, to=(Sender(to.address),)))


def write(to: Connector, item: InboundMessage, at: datetime | None = None) -> Case | None:
    entry = Entry.objects.get(pk=messages.receive(to, item, at)["entry"])
    return entry.case


def told() -> list[Delivery]:
    return list(Delivery.objects.with_all())


def test_a_person_who_begins_is_told_that_we_have_it_and_still_waits(maya: Any, mailbox: Connector) -> None:
    case = write(mailbox, mail(maya, mailbox, subject="Buy cheap watches"))
    (delivery,) = told()
    sent = compose(delivery)
    assert (sent.to.address, sent.text) == ("maya@ortiz.test", "We have your mail and answer by tomorrow.")
    assert sent.automatic
    assert "watches" not in sent.subject
    assert case is not None
    case.refresh_from_db()
    assert case.open_entries().count() == 1
    assert (case.status, case.first_reply_at) == ("open", None)


def test_nothing_is_sent_where_nobody_wrote_what(maya: Any, mailbox: Connector) -> None:
    mailbox.options["acknowledgement"] = " "
    mailbox.save()
    write(mailbox, mail(maya, mailbox))
    assert told() == []


def test_once_a_day_is_enough_for_anybody(maya: Any, mailbox: Connector) -> None:
    for _ in range(3):
        write(mailbox, mail(maya, mailbox))
    assert len(told()) == 1
    Entry.objects.filter(kind="reply").update(created_at=now() - timedelta(days=2))
    write(mailbox, mail(maya, mailbox))
    assert len(told()) == 2


def test_who_writes_while_nobody_is_there_is_told_once_until_somebody_is(
    maya: Any, mailbox: Connector, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    mailbox.options["open_hours"] = "Mon-Fri 9:00-17:00"
    friday_noon, friday_night, sunday, monday_night = (
        datetime.fromisoformat(f"2026-11-{when}+01:00") for when in ("20T12:00", "20T22:00", "22T15:00", "23T20:00")
    )
    told_by_then = []
    for moment in (friday_noon, friday_night, sunday, monday_night):
        with time_machine.travel(moment, tick=False):
            write(mailbox, mail(maya, mailbox))
        told_by_then.append(len(told()))
    assert told_by_then == [0, 1, 1, 2]


def test_a_text_is_answered_by_text(maya: Any, number: Connector) -> None:
    number.options["acknowledgement"] = "We are back at nine."
    write(number, make.message(maya, number, "Anybody there?"))
    assert compose(told()[0]).text.endswith("We are back at nine.")


def test_whom_an_agent_has_answered_needs_no_automatic_word(maya: Any, mailbox: Connector, ana: Any) -> None:
    case = make.says(maya, mailbox, "Hello?").case
    assert case is not None
    make.answers(ana, case, "Yes?")
    write(mailbox, mail(maya, mailbox))
    assert [each.entry.agent for each in told()] == [ana]


@pytest.mark.parametrize("kind", ["automatic", "bulk", "spam"])
def test_machines_are_not_answered(maya: Any, mailbox: Connector, kind: str) -> None:
    write(mailbox, mail(maya, mailbox, classification=kind))
    assert told() == []


@pytest.mark.parametrize("sign", ["is_auto_reply", "may_be_automatic"])
def test_what_may_be_an_out_of_office_is_not_answered_whoever_the_sender_is(
    maya: Any, mailbox: Connector, sign: str
) -> None:
    write(mailbox, replace(mail(maya, mailbox), **{sign: True}))  # type: ignore[arg-type]
    assert told() == []


def test_old_mail_that_is_imported_is_not_answered(maya: Any, mailbox: Connector) -> None:
    write(mailbox, mail(maya, mailbox), now() - timedelta(days=2))
    assert told() == []


def test_what_was_written_long_before_its_provider_could_tell_us_is_not_answered(maya: Any, number: Connector) -> None:
    number.options["acknowledgement"] = "We have your message."
    number.save()
    late = replace(make.message(maya, number, "Anybody there?"), sent_at=now() - timedelta(days=2))
    write(number, late, now())
    assert told() == []


def test_mail_that_does_not_show_our_address_is_not_answered(maya: Any, mailbox: Connector) -> None:
    write(mailbox, make.message(maya, mailbox, "Blind copy"))
    assert told() == []


@pytest.mark.parametrize(("proof_is_due", "authenticity", "count"), [
    (True, "pass", 1), (True, "unknown", 0), (True, "fail", 0), (False, "unknown", 1), (False, "fail", 0),
])  # fmt: skip
def test_who_may_be_somebody_else_is_not_answered(
    maya: Any, mailbox: Connector, proof_is_due: bool, authenticity: str, count: int
) -> None:
    mailbox.options["authserv_id"] = "mx.northwind.test" if proof_is_due else ""
    write(mailbox, mail(maya, mailbox, authenticity=authenticity))
    assert len(told()) == count


def test_two_desks_that_answer_each_other_stop_at_once(maya: Any, mailbox: Connector) -> None:
    for number in range(20):  # a desk whose answers bear no sign of being automatic
        write(mailbox, mail(maya, mailbox, f"We have received your message. Ticket {number}"))
    assert len(told()) == 1


def test_a_flood_is_stored_and_not_answered(mailbox: Connector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acknowledging, "MOST_A_MINUTE", 3)
    for number in range(6):
        write(mailbox, mail(Sender(f"victim{number}@mail{number}.test"), mailbox))
    assert len(told()) == 3
    assert Case.objects.count() == 6


def test_a_flood_is_told_to_whoever_looks_after_the_connection_and_forgotten_after_an_hour(
    maya: Any, mailbox: Connector
) -> None:
    for _ in range(6):
        case = write(mailbox, mail(maya, mailbox))
    assert case is not None
    told_on_its_page = connection_of(Connector.objects.get())
    assert told_on_its_page.is_bad
    assert (
        f"automatic answers were held back: more than 5 messages came into #{case.pk} within 10 minutes"
        in told_on_its_page.words
    )
    Connector.objects.update(silent_at=now() - timedelta(minutes=61))
    assert "held back" not in connection_of(Connector.objects.get()).words


def test_an_ordinary_day_is_told_to_nobody(maya: Any, mailbox: Connector) -> None:
    for _ in range(3):
        write(mailbox, mail(maya, mailbox))
    assert Connector.objects.get().silent_at is None


def test_a_loop_that_changes_its_address_is_counted_by_its_domain(
    mailbox: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acknowledging, "MOST_A_DOMAIN", 2)
    for number in range(5):
        write(mailbox, mail(Sender(f"bounce+{number}@loop.test"), mailbox))
    assert len(told()) == 2
