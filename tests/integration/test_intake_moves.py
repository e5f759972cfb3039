"""Where the customer is: what came late says nothing about it, and neither does the same text on another channel."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

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
