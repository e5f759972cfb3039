"""Where the customer is: what came late says nothing about it, and neither does the same text on another channel."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from connectors.messages import Sender
from customers.models import Identity
from inbox.card import card_for
from inbox.locking import locked
from inbox.models import Alert, Case, Switch
from tests.make import answers, says

pytestmark = pytest.mark.django_db


def test_a_text_after_a_mail_that_came_late_is_no_move(maya: Any, mailbox: Any, number: Any) -> None:
    ten = now()
    says(maya, number, "one", sent_at=ten)
    late = says(maya, mailbox, "written before", sent_at=ten - timedelta(minutes=5))
    says(maya, number, "two", sent_at=ten + timedelta(minutes=1))
    assert late.data["late"]
    assert not Switch.objects.exists()
    assert Case.objects.get().channel == "sms"


def test_a_second_text_after_the_same_words_on_two_channels_is_a_move(
    maya: Any, mailbox: Any, number: Any, ana: Any
) -> None:
    says(maya, mailbox, "My parcel never came, please help")
    says(maya, number, "My parcel never came, please help")
    entry = says(maya, number, "hello? anybody?")
    switch = Switch.objects.get()
    assert switch.entry == entry
    assert switch.loudness == "loud"
    assert entry.case.channel == "sms"
    assert card_for(entry.case, ana)


def test_the_same_words_on_a_third_channel_are_also_sent(maya: Any, mailbox: Any, number: Any, account: Any) -> None:
    first = says(maya, mailbox, "My parcel never came, please help")
    says(maya, number, "My parcel never came, please help")
    third = says(maya, account, "My parcel never came, please help")
    assert third.data["twin"] == first.pk
    assert not Alert.objects.exists()


def test_one_answer_ties_the_same_words_on_three_channels(
    maya: Any, mailbox: Any, number: Any, account: Any, ana: Any
) -> None:
    for channel in [mailbox, number, account]:
        case = says(maya, channel, "My parcel never came, please help").case
    answers(ana, case, "It is on its way.", channel="sms")
    case.refresh_from_db()
    assert case.status == "waiting"
    assert not case.open_entries().exists()


def test_a_case_that_begins_with_a_mail_delivered_late_is_on_email(
    maya: Any, mailbox: Any, number: Any, ana: Any
) -> None:
    at = now()
    old = says(maya, number, "hi", sent_at=at).case
    with locked(old) as fresh:
        fresh.resolve(by=ana)
    Case.objects.update(resolved_at=at - timedelta(days=30))
    case = says(maya, mailbox, "written before", sent_at=at - timedelta(hours=1)).case
    assert case != old
    assert case.channel == "email"


def test_another_address_of_the_same_kind_is_no_move(maya: Any, mailbox: Any) -> None:
    says(maya, mailbox, "From work")
    Identity.objects.create(kind="email", value="maya@home.test", customer=maya)
    says(Sender("maya@home.test"), mailbox, "From home")
    assert Case.objects.get().customer == maya
    assert not Switch.objects.exists()


def test_who_answers_the_text_we_sent_followed_us_there(
    maya: Any, mailbox: Any, number: Any, ana: Any, settings: Any
) -> None:
    settings.UNDO_SECONDS = 0
    case = says(maya, mailbox, "The lid is cracked.").case
    reply = answers(ana, case, "Is this the right number?", channel="sms", confirmed=True)
    reply.deliveries.update(state="sent")
    says(maya, number, "yes it is")
    assert Switch.objects.get().reason == "followed us there"
    assert not Alert.objects.exists()


def test_a_text_we_sent_before_the_mail_is_nothing_to_follow(
    maya: Any, mailbox: Any, number: Any, ana: Any, settings: Any
) -> None:
    settings.UNDO_SECONDS = 0
    case = says(maya, number, "hi").case
    answers(ana, case, "Hello Maya").deliveries.update(state="sent")
    says(maya, mailbox, "I wrote you a mail instead.")
    says(maya, number, "did you get it?")
    assert Switch.objects.order_by("pk").last().reason != "followed us there"


def test_what_the_customer_writes_ends_the_snooze(maya: Any, mailbox: Any, ana: Any) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    with locked(case) as fresh:
        fresh.snooze(now() + timedelta(days=3), by=ana)
    says(maya, mailbox, "Still cracked.")
    case.refresh_from_db()
    assert case.status == "open"
    assert case.snoozed_until is None
    assert case.timeline().filter(event="woke").count() == 1
