"""Rules of text messages: which number answers, who we say we are, whom we may text, and what comes back."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import SendFailed
from connectors.messages import OutboundMessage, Sent
from connectors.models import Connector
from customers.models import Consent, Identity
from inbox import outbox
from inbox.models import Case, Delivery, Entry, State
from inbox.outbox import CannotSend, NeedsConfirmation
from tests import make
from tests.integration.test_webhooks import text_from, work

pytestmark = pytest.mark.django_db(transaction=True)


class Twilio:
    """What it was given, and what it says to the next one."""

    def __init__(self) -> None:
        self.messages: list[OutboundMessage] = []
        self.refuses: SendFailed | None = None

    def send(self, account: Any, message: OutboundMessage, prefix: str = "") -> Sent:
        self.messages.append(message)
        if self.refuses:
            raise self.refuses
        return Sent(f"SM{len(self.messages)}")


@pytest.fixture
def twilio(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Twilio:
    settings.UNDO_SECONDS = 0
    far_end = Twilio()
    monkeypatch.setattr("connectors.adapters.twilio.send.send", far_end.send)
    return far_end


def brand(number: Connector, name: str = "Northwind") -> None:
    Connector.objects.filter(pk=number.pk).update(options={"from_name": name})


def case_of(customer: Any, number: Connector) -> Case:
    case = make.says(customer, number, "Where is my mug?").case
    assert case is not None
    return case


def test_the_number_the_customer_wrote_to_answers(support: Any, maya: Any, ana: Any, twilio: Twilio) -> None:
    number = make.number(support)
    Connector.objects.filter(pk=number.pk).update(addresses=["+14155550100", "+14155550101"])
    text_from(number, "Hi", To="+14155550101")
    work()
    make.answers(ana, Case.objects.get(), "Hello")
    outbox.deliver_due()
    assert [message.sender for message in twilio.messages] == ["+14155550101"]


def test_the_first_text_in_a_case_says_who_we_are_and_no_other_does(
    number: Connector, maya: Any, ana: Any, twilio: Twilio
) -> None:
    brand(number)
    case = case_of(maya, number)
    first = make.answers(ana, case, "It left today.")
    outbox.deliver_due()
    make.answers(ana, case, "By bike.")
    outbox.deliver_due()
    assert [message.text for message in twilio.messages] == ["Northwind: It left today.", "By bike."]
    assert first.text == "Northwind: It left today."  # the timeline shows what the customer got


def test_a_text_that_names_us_is_left_as_it_is(number: Connector, maya: Any, ana: Any, twilio: Twilio) -> None:
    brand(number)
    make.answers(ana, case_of(maya, number), "Ana from NORTHWIND here. It left today.")
    outbox.deliver_due()
    assert twilio.messages[0].text == "Ana from NORTHWIND here. It left today."


def test_a_first_text_that_was_taken_back_introduced_nobody(
    number: Connector, maya: Any, ana: Any, settings: Any
) -> None:
    settings.UNDO_SECONDS = 60
    brand(number)
    case = case_of(maya, number)
    draft = outbox.undo(make.answers(ana, case, "It left today."), by=ana)
    assert draft
    assert draft.text == "It left today."  # as it was typed: it may go by mail now
    assert make.answers(ana, case, "It left yesterday.").text == "Northwind: It left yesterday."


def test_a_first_text_that_failed_goes_elsewhere_without_the_introduction(
    number: Connector, maya: Any, ana: Any, browser_of: Any
) -> None:
    brand(number)
    case = case_of(maya, number)
    reply = make.answers(ana, case, "It left today.")
    Delivery.objects.filter(entry=reply).update(state=State.FAILED, reason="This number cannot receive texts.")
    page = browser_of(ana).get(f"/inbox/open/c/{case.pk}/").content.decode()
    assert 'data-text="It left today."' in page


def test_mail_says_who_we_are_by_itself(mailbox: Connector, maya: Any, ana: Any) -> None:
    Connector.objects.filter(pk=mailbox.pk).update(options={"from_name": "Northwind"})
    assert make.answers(ana, case_of(maya, mailbox), "It left today.").text == "It left today."


def test_the_composer_says_how_the_first_text_begins(number: Connector, maya: Any, ana: Any, browser_of: Any) -> None:
    brand(number)
    case = case_of(maya, number)
    page = browser_of(ana).get(f"/inbox/open/c/{case.pk}/").content.decode()
    assert "The first text here begins with “Northwind:”" in page
    assert 'data-before="Northwind: "' in page


def test_a_number_that_never_wrote_is_texted_only_after_a_yes_that_knows_where_it_is_from(
    number: Connector, mailbox: Connector, maya: Any, ana: Any
) -> None:
    case = case_of(maya, mailbox)
    with pytest.raises(CannotSend) as caught:
        make.answers(ana, case, "By text then", channel="sms")
    assert caught.value.reason == "Has never texted us. Number from the import."
    make.answers(ana, case, "By text then", channel="sms", confirmed=True)


def test_who_was_texted_before_is_not_asked_about_again(
    number: Connector, mailbox: Connector, maya: Any, ana: Any, twilio: Twilio
) -> None:
    case = case_of(maya, mailbox)
    make.answers(ana, case, "By text then", channel="sms", confirmed=True)
    outbox.deliver_due()
    make.answers(ana, case, "And once more", channel="sms")


def test_writing_first_asks_and_says_where_the_number_is_from(number: Connector, maya: Any, ana: Any) -> None:
    with pytest.raises(NeedsConfirmation) as caught:
        outbox.start(by=ana, connector=number, address="+1 415 555 2671", text="Your parcel is at the door.")
    assert caught.value.words == ("+1 415 ··· 2671 has never texted us. Number from the import. Send the first text?")


def test_a_short_code_cannot_be_answered_and_the_composer_says_so(number: Connector, ana: Any) -> None:
    entry = make.says(make.Sender("72975"), number, "Your parcel is here", classification="person")
    assert entry.case is not None
    (way,) = outbox.options(entry.case)
    assert way.refusal is not None
    assert way.refusal.reason == "Short codes and names instead of numbers take no answers."


def test_what_twilio_knows_of_an_opt_out_is_kept_as_one(number: Connector, maya: Any, ana: Any, twilio: Twilio) -> None:
    case = case_of(maya, number)
    twilio.refuses = SendFailed("They opted out.", permanent=True, code="21610", opted_out=True)
    make.answers(ana, case, "Hello")
    outbox.deliver_due()
    assert Delivery.objects.get().state == State.FAILED
    told = Entry.objects.get(event="consent").text
    assert told == "Maya has opted out of texts, as the provider says"
    (way,) = [each for each in outbox.options(case) if each.channel == "sms"]
    assert way.refusal is not None


def test_an_opt_out_told_in_a_status_is_kept_as_one_too(number: Connector, maya: Any, ana: Any, twilio: Twilio) -> None:
    """A messaging service takes the message first and finds out later."""
    case = case_of(maya, number)
    entry = make.answers(ana, case, "Hello")
    outbox.deliver_due()
    delivery = entry.deliveries.get()
    status = {"MessageStatus": "failed", "ErrorCode": "21610", "From": number.address, "To": "+14155552671"}
    text_from(number, "", sid="SM1", **status)
    work()
    delivery.refresh_from_db()
    assert delivery.state == State.FAILED
    identity = Identity.objects.get(kind="phone")
    assert Consent.objects.opted_out_at(identity, str(number.uuid)) is not None


def test_a_stop_that_comes_while_a_text_waits_keeps_it_here(
    number: Connector, maya: Any, ana: Any, twilio: Twilio
) -> None:
    case = case_of(maya, number)
    make.answers(ana, case, "Hello")
    text_from(number, "STOP", sid="SM7")
    work()
    outbox.deliver_due()
    assert twilio.messages == []
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason.startswith("They opted out of texts")) == (State.FAILED, True)


def test_too_many_requests_are_waited_for_and_the_text_leaves_once(
    number: Connector, maya: Any, ana: Any, twilio: Twilio
) -> None:
    case = case_of(maya, number)
    twilio.refuses = SendFailed("Too many.", permanent=False, code="20429", retry_after=17)
    make.answers(ana, case, "Hello")
    outbox.deliver_due()
    delivery = Delivery.objects.get()
    assert delivery.state == State.QUEUED
    assert outbox.deliver_due() == 0  # not yet
    twilio.refuses = None
    Delivery.objects.update(not_before=delivery.changed_at)
    outbox.deliver_due()
    assert Delivery.objects.get().state == State.SENT
    assert len(twilio.messages) == 2
