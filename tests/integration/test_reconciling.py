"""What no webhook brought is fetched, once; what is here already is left alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.adapters.twilio.parse import FOUND
from connectors.errors import ConnectionLost
from connectors.messages import MOST_TRIES, Channel, Heard, Known, Missed, Skipped
from connectors.models import Connector, Receipt
from customers.models import Customer
from inbox.models import Case, Delivery, Entry, ProviderMessage, Status, Unheard
from inbox.reconciling import due, reconcile
from tests import make
from tests.integration.test_webhooks import text_from, work

pytestmark = pytest.mark.django_db(transaction=True)
MAYA = "+14155552671"


class Twilio:
    """Its list of messages, and since when it was asked for."""

    def __init__(self) -> None:
        self.messages: list[Missed] = []
        self.skipped: list[Skipped] = []
        self.asked: list[datetime] = []
        self.asked_again: Sequence[Skipped] = ()
        self.refusal: ConnectionLost | None = None
        self.trouble: ConnectionLost | None = None

    def has(
        self, number: Connector, body: str, sid: str, *, ours: bool = False, at: datetime | None = None, **more: str
    ) -> None:
        fields = {
            "MessageSid": sid,
            "From": number.address if ours else MAYA,
            "To": MAYA if ours else number.address,
            "Body": body,
            "Direction": "outbound-api" if ours else "inbound",
            "SmsStatus": "delivered" if ours else "received",
            "DateSent": (at or now()).isoformat(),
            **more,
        }
        self.messages.append(Missed(sid, urlencode(fields).encode(), {FOUND: "twilio"}, at))

    def recent(self, account: Any, since: datetime, skipped: Sequence[Skipped], known: Known) -> Heard:
        self.asked.append(since)
        self.asked_again = skipped
        self.known = known([each.provider_id for each in self.messages])
        if self.refusal:
            raise self.refusal
        return Heard(self.messages, self.skipped, self.trouble)


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
    twilio.refusal = ConnectionLost("Twilio could not be asked for its latest messages.")
    assert reconcile(number.pk) == 0
    shown = Connector.objects.get(pk=number.pk)
    assert (shown.failure, shown.heard_all_until) == ("Twilio could not be asked for its latest messages.", None)


def asked_again(number: Connector) -> int:
    Connector.objects.update(asked_at=None)
    return reconcile(number.pk)


def test_what_was_written_on_saturday_waits_since_saturday_and_is_not_answered_by_itself_on_monday(
    number: Connector, maya: Any, twilio: Twilio
) -> None:
    saturday = now() - timedelta(days=2)
    Connector.objects.update(created_at=saturday - timedelta(days=9), options={"acknowledgement": "We have your text."})
    twilio.has(number, "Is anybody there?", "SM1", at=saturday)
    twilio.has(number, "Hello?", "SM2", at=now())
    reconcile(number.pk)
    work()
    case = Case.objects.get()
    assert case.waiting_since == saturday
    (told,) = Delivery.objects.all()
    assert told.entry_id > Entry.objects.get(text="Hello?").pk  # what was written just now is answered


def test_what_is_here_or_was_ignored_once_is_known(number: Connector, maya: Any, twilio: Twilio) -> None:
    text_from(number, "Hello", sid="SM1")
    work()
    twilio.has(number, "Hello", "SM1")
    twilio.has(number, "20 % off today. Reply STOP to end.", "SM2", ours=True, Automatic="yes")
    twilio.has(number, "New", "SM3")
    reconcile(number.pk)
    work()
    twilio.has(number, "Newer", "SM4")
    asked_again(number)
    assert set(twilio.known) == {"SM1", "SM2", "SM3"}


def test_what_was_not_shown_is_asked_for_again_and_everything_else_goes_on(
    number: Connector, maya: Any, twilio: Twilio
) -> None:
    since = now() - timedelta(hours=3)
    twilio.has(number, "Hello", "SM1")
    twilio.skipped = [Skipped("c2", since, "It is not shown.")]
    assert reconcile(number.pk) == 1
    shown = Connector.objects.get(pk=number.pk)
    assert (shown.failure, shown.heard_all_until is not None) == ("", True)
    twilio.skipped = [Skipped("c2", since, "It is not shown.", 2)]
    asked_again(number)
    assert twilio.asked_again == [Skipped("c2", since, "It is not shown.", 1)]
    twilio.skipped = []
    asked_again(number)
    assert not Unheard.objects.exists()


def test_what_was_found_before_the_trouble_is_kept_and_the_rest_is_asked_for_from_the_same_place(
    number: Connector, maya: Any, twilio: Twilio
) -> None:
    twilio.has(number, "Hello", "SM1")
    twilio.trouble = ConnectionLost("Instagram takes no more questions right now.")
    assert reconcile(number.pk) == 1
    work()
    assert Entry.objects.get(kind="message").text == "Hello"
    shown = Connector.objects.get(pk=number.pk)
    assert (shown.failure, shown.heard_all_until) == ("Instagram takes no more questions right now.", None)


def test_what_is_not_shown_for_a_month_is_given_up(number: Connector, twilio: Twilio) -> None:
    Unheard.objects.create(connector=number, name="c2", since=now() - timedelta(days=31), reason="No.", tries=9)
    reconcile(number.pk)
    assert not Unheard.objects.exists()


def test_what_was_asked_for_often_is_said_on_the_health_page(number: Connector, sue: Any, browser_of: Any) -> None:
    since = now() - timedelta(days=1)
    left = Unheard.objects.create(connector=number, name="c2", since=since, reason="It was deleted.", tries=1)
    client = browser_of(sue)
    assert "It was deleted." not in client.get("/health/").content.decode()
    Unheard.objects.filter(pk=left.pk).update(tries=MOST_TRIES)
    page = client.get("/health/").content.decode()
    assert "1 conversation cannot be read" in page
    assert "It was deleted." in page


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
