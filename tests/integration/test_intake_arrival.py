"""When a message reached us: people wait from then on, however long the workers were down; order stays Entry.id."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils.timezone import now

from connectors.models import Connector, Receipt
from customers.models import Identity
from inbox import intake, outbox
from inbox.intake import messages
from inbox.models import Case, Entry, Switch
from tests.make import answers, message, says

pytestmark = pytest.mark.django_db


def came(sender: Any, to: Connector, text: str, at: datetime, **about: Any) -> Entry:
    with transaction.atomic():
        outcome = messages.receive(to, message(sender, to, text, **about), at=at)
    return Entry.objects.select_related("case").get(pk=outcome["entry"])


def test_a_receipt_that_lay_for_an_hour_has_waited_for_an_hour(mailbox: Any) -> None:
    hour_ago = (now() - timedelta(hours=1)).replace(microsecond=0)
    raw = b"From: maya@ortiz.test\r\nTo: support@northwind.test\r\nSubject: Lid\r\n\r\nThe lid is cracked."
    key = Receipt.store(mailbox, raw, headers={}, at=hour_ago)
    assert key and intake.take_in(key)
    case = Case.objects.get()
    assert case.waiting_since == case.first_message_at == hour_ago
    assert Entry.objects.get().created_at > hour_ago + timedelta(minutes=59)  # what browsers catch up by


def test_a_mailbox_whose_clock_runs_ahead_does_not_begin_a_wait_in_the_future(maya: Any, mailbox: Any) -> None:
    entry = came(maya, mailbox, "hello", now() + timedelta(hours=2))
    assert entry.case.waiting_since == entry.created_at


def test_a_wait_begins_with_what_arrived_first_also_when_it_was_taken_in_last(
    maya: Any, mailbox: Any, number: Any, ana: Any
) -> None:
    first, second = now() - timedelta(minutes=50), now() - timedelta(minutes=40)
    text = came(maya, number, "hello?", second)
    mail = came(maya, mailbox, "The lid is cracked.", first, sent_at=first)
    assert mail.pk > text.pk
    assert mail.data["late"]
    case = Case.objects.get()
    assert case.waiting_since == first
    case.refresh_waits()
    assert case.waiting_since == first
    assert case.channel == "sms"


def test_a_failed_reply_gives_the_wait_back_from_the_arrival(maya: Any, mailbox: Any, ana: Any, settings: Any) -> None:
    settings.UNDO_SECONDS = 0
    hour_ago = now() - timedelta(hours=1)
    case = came(maya, mailbox, "The lid is cracked.", hour_ago).case
    reply = answers(ana, case, "Which one?")
    outbox.failed(reply.deliveries.get(), "No such mailbox.")
    case.refresh_from_db()
    assert case.waiting_since == hour_ago


def test_the_gap_of_a_move_is_between_arrivals(maya: Any, mailbox: Any, number: Any) -> None:
    came(maya, mailbox, "The lid is cracked.", now() - timedelta(minutes=50))
    came(maya, number, "hello?", now() - timedelta(minutes=20))
    assert Switch.objects.get().gap // timedelta(minutes=1) == 30


def test_the_same_words_half_an_hour_apart_are_not_also_sent_though_taken_in_together(
    maya: Any, mailbox: Any, number: Any
) -> None:
    came(maya, mailbox, "My parcel never came, please help", now() - timedelta(minutes=50))
    again = came(maya, number, "My parcel never came, please help", now() - timedelta(minutes=20))
    assert not again.also_sent
    assert Switch.objects.get().reason == "the same text again"


def test_a_message_delivered_late_does_not_shorten_the_window(maya: Any, account: Any) -> None:
    at = now()
    says(maya, account, "new", sent_at=at)
    says(maya, account, "delivered late", sent_at=at - timedelta(hours=23))
    assert Identity.objects.get(kind="instagram").last_inbound_at == at


def test_a_provider_whose_clock_runs_ahead_does_not_keep_the_window_open(maya: Any, account: Any) -> None:
    entry = says(maya, account, "hi", sent_at=now() + timedelta(days=3))
    assert Identity.objects.get(kind="instagram").last_inbound_at == entry.created_at


def test_opening_the_chat_by_a_link_opens_the_window_and_starts_no_wait(maya: Any, account: Any) -> None:
    entry = says(maya, account, "", classification="automatic")
    assert entry.case is None
    assert Identity.objects.get(kind="instagram").last_inbound_at == entry.created_at


def test_an_out_of_office_does_not_count_as_having_written(maya: Any, mailbox: Any) -> None:
    says(maya, mailbox, "I am away", classification="automatic")
    assert Identity.objects.get(kind="email", value="maya@ortiz.test").last_inbound_at is None
