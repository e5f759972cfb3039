"""What was filed, and an agent's word that a person wrote it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import now

from connectors.messages import Sender
from connectors.models import Receipt
from customers.models import Identity
from inbox import intake, outbox
from inbox.locking import locked
from inbox.models import Case, Entry, Status, Switch
from tests.make import answers, says

pytestmark = pytest.mark.django_db
BOB = Sender("bob@stone.test", name="Bob Stone")


@pytest.fixture(autouse=True)
def _no_undo(settings: Any) -> None:
    settings.UNDO_SECONDS = 0


def again(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def test_this_is_a_person_brings_back_a_case_that_waits_for_the_customer(
    maya: Any, number: Any, mailbox: Any, ana: Any
) -> None:
    case = says(maya, number, "hi").case
    answers(ana, case, "ok")
    filed = says(maya, mailbox, "please call", classification="automatic")
    assert intake.this_is_a_person(filed, by=ana) == case
    assert again(case).status == Status.OPEN
    assert again(case).waiting_since == filed.reached_us_at


def test_this_is_a_person_wakes_a_snoozed_case(maya: Any, number: Any, mailbox: Any, ana: Any) -> None:
    case = says(maya, number, "hi").case
    with locked(case) as fresh:
        fresh.snooze(now() + timedelta(days=3), by=ana)
    intake.this_is_a_person(says(maya, mailbox, "please call", classification="automatic"), by=ana)
    assert again(case).status == Status.OPEN


def test_this_is_a_person_reopens_a_case_resolved_lately(maya: Any, number: Any, mailbox: Any, ana: Any) -> None:
    case = says(maya, number, "hi").case
    with locked(case) as fresh:
        fresh.resolve(by=ana)
    filed = says(maya, mailbox, "please call", classification="automatic")
    assert filed.case is None
    assert intake.this_is_a_person(filed, by=ana) == case
    assert again(case).is_live


def test_mail_that_was_filed_before_the_last_text_does_not_move_the_customer(
    maya: Any, number: Any, mailbox: Any, ana: Any
) -> None:
    filed = says(maya, mailbox, "looks like a newsletter", classification="bulk")
    text = says(maya, number, "I am here")
    intake.this_is_a_person(filed, by=ana)
    case = again(text.case)
    assert case.channel == "sms"
    assert case.last_inbound_id == text.pk
    assert case.preview == "I am here"
    assert case.channels == ["sms", "email"]
    assert case.waiting_since == filed.reached_us_at
    assert not Switch.objects.exists()


def test_mail_that_was_filed_after_the_last_text_is_a_move(maya: Any, number: Any, mailbox: Any, ana: Any) -> None:
    text = says(maya, number, "I am here")
    intake.this_is_a_person(says(maya, mailbox, "please call", classification="bulk"), by=ana)
    assert again(text.case).channel == "email"
    assert Switch.objects.get().to_channel == "email"


def test_this_is_a_person_keeps_the_mail_in_sight_of_its_team(
    maya: Any, number: Any, billing_mailbox: Any, lee: Any
) -> None:
    filed = says(maya, billing_mailbox, "invoice", classification="automatic")
    says(maya, number, "a case of Support")
    case = intake.this_is_a_person(filed, by=lee)
    assert Case.objects.visible_to(lee).get() == case


def test_this_is_a_person_said_twice_does_not_open_an_answered_mail_again(
    maya: Any, mailbox: Any, ana: Any, sam: Any
) -> None:
    filed = says(maya, mailbox, "please call", classification="automatic")
    mine, his = (Entry.objects.get(pk=filed.pk) for _ in range(2))
    case = intake.this_is_a_person(mine, by=ana)
    answers(ana, case, "answered")
    assert intake.this_is_a_person(his, by=sam) == case
    assert again(case).waiting_since is None
    assert case.timeline().filter(event="is_person").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_agents_who_say_so_at_once_make_one_case(maya: Any, mailbox: Any, ana: Any, sam: Any) -> None:
    filed = says(maya, mailbox, "please call", classification="automatic")
    cases = []

    def say(agent: Any) -> None:
        cases.append(intake.this_is_a_person(Entry.objects.get(pk=filed.pk), by=agent).pk)
        connection.close()

    threads = [threading.Thread(target=say, args=[agent]) for agent in [ana, sam]]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert cases == [Case.objects.get().pk] * 2
    assert Entry.objects.filter(event="is_person").count() == 1


def test_filed_mail_of_a_copied_person_stays_with_the_case_it_came_to(maya: Any, mailbox: Any, ana: Any) -> None:
    case = says(maya, mailbox, "With Bob", cc=[BOB]).case
    filed = says(BOB, mailbox, "I agree", classification="automatic", reply_tokens=[case.reply_token])
    assert intake.this_is_a_person(filed, by=ana) == case
    filed.refresh_from_db()
    assert filed.kind == "participant"
    assert filed.is_open
    assert again(case).customer == maya


def test_what_filed_mail_tells_is_told_once_it_is_a_persons(maya: Any, mailbox: Any, ana: Any) -> None:
    filed = says(maya, mailbox, "Where is order #48213?", classification="automatic")
    case = intake.this_is_a_person(filed, by=ana)
    assert case.facts.get().value == "48213"


def test_the_sender_is_not_filed_again(maya: Any, mailbox: Any, ana: Any) -> None:
    intake.this_is_a_person(says(maya, mailbox, "one", classification="bulk"), by=ana)
    for kind in ["bulk", "automatic", "spam"]:
        assert says(maya, mailbox, f"another {kind}", classification=kind).kind == "message"
    assert says(maya, mailbox, "undeliverable", classification="bounce").kind == "filed"


def mailed(mailbox: Any, *headers: str, subject: str = "Hello") -> Entry:
    """The entry of a whole mail, header for header."""
    head = ["From: Maya <maya@ortiz.test>", "To: support@northwind.test", f"Subject: {subject}", *headers]
    key = Receipt.store(mailbox, "\r\n".join([*head, "", "words"]).encode(), headers={})
    assert key and intake.take_in(key)
    return Entry.objects.get(pk=Receipt.objects.get(pk=key).outcomes[0]["entry"])


@pytest.mark.parametrize(
    ("headers", "subject"),
    [
        (["Auto-Submitted: auto-replied (vacation)"], "Hello"),
        (["X-Autoreply: yes"], "Hello"),
        (["Precedence: auto_reply"], "Hello"),
        (["Return-Path: <>"], "Automatic reply: Hello"),
    ],
)
def test_an_out_of_office_of_somebody_known_to_be_a_person_starts_no_wait(
    maya: Any, mailbox: Any, ana: Any, headers: list[str], subject: str
) -> None:
    case = intake.this_is_a_person(says(maya, mailbox, "one", classification="bulk"), by=ana)
    answers(ana, case, "ok")
    assert mailed(mailbox, *headers, subject=subject).kind == "filed"
    assert again(case).status == Status.WAITING
    assert again(case).waiting_since is None


PLAIN_REPORT = "This message was created automatically by mail delivery software.\r\n\r\n  gone@ortiz.test\r\n"
REPORT = [
    "MIME-Version: 1.0", "Content-Type: multipart/report; report-type=delivery-status; boundary=b", "", "--b",
    "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.test", "",
    "Final-Recipient: rfc822; gone@ortiz.test", "Action: failed", "Status: 5.1.1", "--b--",
]  # fmt: skip


def taken_in(mailbox: Any, *lines: str) -> Receipt:
    key = Receipt.store(mailbox, "\r\n".join(lines).encode(), headers={})
    assert key and intake.take_in(key)
    return Receipt.objects.get(pk=key)


@pytest.mark.parametrize("rest", [["", PLAIN_REPORT], REPORT])
def test_a_report_about_no_mail_of_ours_is_filed(mailbox: Any, rest: list[str]) -> None:
    head = ["From: mailer-daemon@mx.test", "To: support@northwind.test", "Subject: Mail delivery failed"]
    taken_in(mailbox, *head, *rest)
    filed = Entry.objects.get()
    assert (filed.kind, filed.classification) == ("filed", "bounce")
    assert filed.reason == "A mail server says something could not be delivered"


@pytest.mark.parametrize("rest", [["", PLAIN_REPORT], REPORT])
def test_a_report_about_no_mail_of_ours_from_nobody_is_shown_in_the_quarantine(mailbox: Any, rest: list[str]) -> None:
    quarantined = taken_in(mailbox, "From: <>", "To: support@northwind.test", "Subject: Failed", *rest)
    assert quarantined.state == "quarantined"
    assert quarantined.reason == "It says that a mail did not arrive, and it is none that was sent from here."


def test_a_subject_that_a_program_might_write_is_no_reason_to_file(maya: Any, mailbox: Any) -> None:
    asked = mailed(mailbox, subject="Abwesenheit am Liefertag, bitte neuer Termin")
    assert (asked.kind, asked.classification) == ("message", "person")


@pytest.mark.parametrize(
    "header", ["List-Id: <team.ortiz.test>", "Precedence: bulk", "Auto-Submitted: auto-generated", "Return-Path: <>"]
)
def test_a_list_or_a_form_of_somebody_known_to_be_a_person_is_a_message(
    maya: Any, mailbox: Any, ana: Any, header: str
) -> None:
    intake.this_is_a_person(says(maya, mailbox, "one", classification="bulk"), by=ana)
    assert mailed(mailbox, header).kind == "message"


def test_blocking_beats_an_agents_word(maya: Any, mailbox: Any, ana: Any) -> None:
    intake.this_is_a_person(says(maya, mailbox, "one", classification="bulk"), by=ana)
    identity = Identity.objects.get(kind="email", value="maya@ortiz.test")
    intake.block(identity, by=ana)
    filed = says(maya, mailbox, "two")
    assert filed.kind == "filed"
    assert filed.classification == "spam"
    assert filed.case is None
    assert Entry.objects.get(event="blocked").case == Case.objects.get()


def test_filed_mail_to_another_team_stays_in_its_sight_and_out_of_the_case(
    maya: Any, mailbox: Any, billing_mailbox: Any, ana: Any, lee: Any
) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    here = says(maya, mailbox, "I am away", classification="automatic")
    there = says(maya, billing_mailbox, "I am away", classification="automatic")
    assert here.case == case
    assert there.case is None
    assert list(Entry.objects.visible_to(lee)) == [there]
    assert not Case.objects.visible_to(lee).exists()


def test_an_automatic_mail_reopens_nothing(maya: Any, mailbox: Any, ana: Any) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    with locked(case) as fresh:
        fresh.resolve(by=ana)
    assert says(maya, mailbox, "I am away", classification="automatic", reply_tokens=[case.reply_token]).case is None
    assert again(case).status == Status.RESOLVED


def test_what_a_blocked_number_sends_is_filed_in_no_case(maya: Any, number: Any, mailbox: Any, ana: Any) -> None:
    says(maya, mailbox, "The lid is cracked.")
    intake.block(Identity.objects.get(kind="phone", value="+14155552671"), by=ana)
    filed = says(maya, number, "again and again")
    assert filed.kind == "filed"
    assert filed.case is None
    assert not Switch.objects.exists()
    intake.unblock(filed.identity, by=ana)
    assert says(maya, number, "sorry").kind == "message"


def test_opening_the_chat_by_a_link_again_is_still_no_message(maya: Any, account: Any, ana: Any) -> None:
    case = intake.this_is_a_person(says(maya, account, "", classification="automatic"), by=ana)
    outbox.no_reply_needed(case, by=ana)
    assert says(maya, account, "", classification="automatic").kind == "filed"
    assert again(case).waiting_since is None


def test_an_open_page_is_told_that_the_folded_mail_is_a_message_now(
    maya: Any, mailbox: Any, ana: Any, browser_of: Any
) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    filed = says(maya, mailbox, "please call", classification="bulk")
    Entry.objects.filter(pk=filed.pk).update(created_at=now() - timedelta(hours=1))
    seen = (now() - timedelta(seconds=1)).isoformat()
    intake.this_is_a_person(filed, by=ana)
    headers = {"X-Since": seen, "X-Newest": str(filed.pk)}
    page = browser_of(ana).get(f"/cases/{case.pk}/changes/", headers=headers).content.decode()
    assert f'id="entry-{filed.pk}"' in page
