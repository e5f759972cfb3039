"""What no webhook brought is fetched, once; what is here already is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.adapters.twilio.parse import FOUND
from connectors.errors import ConnectionLost
from connectors.messages import Channel, Missed
from connectors.models import Connector, Receipt
from customers.models import Customer
from inbox.models import Case, Entry, ProviderMessage, Status
from inbox.reconciling import due, reconcile
from tests import make
from tests.integration.test_webhooks import text_from, work

pytestmark = pytest.mark.django_db(transaction=True)
MAYA = "+14155552671"


class Twilio:
    """Its list of messages, and since when it was asked for."""

    def __init__(self) -> None:
        self.messages: list[Missed] = []
        self.asked: list[datetime] = []
        self.trouble: ConnectionLost | None = None

    def has(self, number: Connector, body: str, sid: str, *, ours: bool = False, **more: str) -> None:
        fields = {
            "MessageSid": sid,
            "From": number.address if ours else MAYA,
            "To": MAYA if ours else number.address,
            "Body": body,
            "Direction": "outbound-api" if ours else "inbound",
            "SmsStatus": "delivered" if ours else "received",
            "DateSent": now().isoformat(),
            **more,
        }
        self.messages.append(Missed(sid, urlencode(fields).encode(), {FOUND: "twilio"}))

    def recent(self, account: Any, since: datetime) -> list[Missed]:
        self.asked.append(since)
        if self.trouble:
            raise self.trouble
        return self.messages


@pytest.fixture
def twilio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Twilio]:
    far_end = Twilio()
    monkeypatch.setattr(ADAPTERS[Channel.SMS], "recent", far_end.recent)
    return far_end


def test_a_text_whose_webhook_never_came_arrives_once(number: Connector, maya: Any, twilio: Twilio) -> None:
    twilio.has(number, "Is anybody there?", "SM1")
    assert reconcile(number.pk) == 1
    work()
    assert Entry.objects.get(kind="message").text == "Is anybody there?"
    Connector.objects.update(asked_at=None)
    assert reconcile(number.pk) == 0
    work()
    assert Entry.objects.filter(kind="message").count() == 1


def test_a_text_that_is_here_is_not_fetched_again(number: Connector, maya: Any, twilio: Twilio) -> None:
    text_from(number, "Hello", sid="SM1")
    work()
    twilio.has(number, "Hello", "SM1")
    assert reconcile(number.pk) == 0
    assert Receipt.objects.count() == 1


def test_a_webhook_that_comes_after_all_adds_nothing(number: Connector, maya: Any, twilio: Twilio) -> None:
    twilio.has(number, "Hello", "SM1")
    reconcile(number.pk)
    work()
    text_from(number, "Hello", sid="SM1")
    work()
    assert Entry.objects.filter(kind="message").count() == 1


def test_what_a_colleague_sent_from_elsewhere_answers_what_was_open(
    number: Connector, maya: Customer, twilio: Twilio
) -> None:
    case = make.says(maya, number, "Where is my mug?").case
    assert case is not None
    twilio.has(number, "It left today, Maya.", "SM2", ours=True)
    assert reconcile(number.pk) == 1
    work()
    case.refresh_from_db()
    assert case.status == Status.WAITING
    assert Entry.objects.get(kind="reply").sent_outside
    assert not case.open_entries().exists()


def test_a_campaign_answers_nothing(number: Connector, maya: Customer, twilio: Twilio) -> None:
    case = make.says(maya, number, "Where is my mug?").case
    assert case is not None
    twilio.has(number, "20 % off today. Reply STOP to end.", "SM2", ours=True, Automatic="yes")
    reconcile(number.pk)
    work()
    case.refresh_from_db()
    assert case.status == Status.OPEN
    assert case.open_entries().count() == 1


def test_a_campaign_to_strangers_makes_nobody(number: Connector, twilio: Twilio) -> None:
    twilio.has(number, "20 % off today. Reply STOP to end.", "SM2", ours=True, Automatic="yes")
    reconcile(number.pk)
    work()
    assert not Customer.objects.exists()
    assert not Case.objects.exists()


def test_our_own_texts_are_known(number: Connector, maya: Customer, ana: Any, twilio: Twilio) -> None:
    case = make.says(maya, number, "Hi").case
    assert case is not None
    entry = make.answers(ana, case, "Hello Maya")
    ProviderMessage.objects.create(connector=number, provider_id="SM9", entry=entry, delivery=entry.deliveries.get())
    twilio.has(number, "Hello Maya", "SM9", ours=True)
    assert reconcile(number.pk) == 0


def test_the_next_question_begins_a_little_before_the_last_one(number: Connector, twilio: Twilio) -> None:
    reconcile(number.pk)
    Connector.objects.update(asked_at=None)
    reconcile(number.pk)
    first, second = twilio.asked
    assert first == number.created_at  # nothing from before it was connected
    assert timedelta(minutes=14) < now() - second < timedelta(minutes=16)


def test_trouble_is_shown_and_asked_about_again_from_the_same_place(number: Connector, twilio: Twilio) -> None:
    twilio.trouble = ConnectionLost("Twilio could not be asked for its latest messages.")
    assert reconcile(number.pk) == 0
    shown = Connector.objects.get(pk=number.pk)
    assert (shown.failure, shown.heard_all_until) == ("Twilio could not be asked for its latest messages.", None)


def test_a_number_is_asked_about_every_few_minutes_and_a_mailbox_never(
    number: Connector, mailbox: Connector, twilio: Twilio
) -> None:
    assert due() == [number.pk]
    reconcile(number.pk)
    assert due() == []
    Connector.objects.filter(pk=number.pk).update(asked_at=now() - timedelta(minutes=4))
    assert due() == [number.pk]


def test_a_paused_number_and_a_dead_one_are_left_alone(number: Connector, twilio: Twilio) -> None:
    Connector.objects.update(is_active=False)
    assert due() == []
    Connector.objects.update(is_active=True, needs_reconnect=True)
    assert due() == []
