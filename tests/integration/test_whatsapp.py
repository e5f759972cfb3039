"""A fourth channel, as any other: one case, a loud move, its window; and people who are known by several addresses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils.timezone import now
from twilio.request_validator import RequestValidator

from connectors.messages import DeliveryStatus, Sent
from connectors.models import Connector
from customers.models import Customer, Identity
from inbox import outbox
from inbox.models import Case, Delivery, Entry, State, Switch
from tests import make
from tests.integration.test_webhooks import text_from, work

pytestmark = pytest.mark.django_db(transaction=True)
MAYA = "+14155552671"
HIDDEN = "US.13491208655302741918"


def posts(connector: Connector, body: str, sid: str, *, sender: str = MAYA, to: str = "", **more: str) -> Any:
    fields = {
        "MessageSid": sid,
        "AccountSid": make.ACCOUNT_SID,
        "From": f"whatsapp:{sender}",
        "To": f"whatsapp:{to or connector.address}",
        "Body": body,
        "ProfileName": "Maya O.",
        "MessageType": "text",
        **more,
    }
    signature = RequestValidator("a-twilio-token").compute_signature(connector.webhook_url, fields)
    answer = Client().post(
        f"/hooks/{connector.token}/",
        urlencode(fields),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature},
    )
    work()
    return answer


def test_a_whatsapp_message_opens_a_case_and_is_answered_with_twiml(whatsapp: Connector) -> None:
    answer = posts(whatsapp, "Hola", "SM1")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
    entry = Entry.objects.get(kind="message")
    assert (entry.channel, entry.text, entry.author) == ("whatsapp", "Hola", "Maya O.")
    assert entry.case is not None
    assert entry.case.is_live


def test_moving_from_a_text_to_whatsapp_is_one_case_and_a_loud_move(whatsapp: Connector, number: Connector) -> None:
    """The number is the same, and WhatsApp has proven it."""
    text_from(number, "Where is my mug?", sid="SM1")
    work()
    posts(whatsapp, "Is anybody there?", "SM2")
    case = Case.objects.get()
    switch = Switch.objects.get()
    assert (switch.from_channel, switch.to_channel, switch.loudness) == ("sms", "whatsapp", "loud")
    assert case.channel == "whatsapp"
    assert Customer.objects.count() == 1


def test_a_text_from_a_number_known_by_whatsapp_is_the_same_person(whatsapp: Connector, number: Connector) -> None:
    posts(whatsapp, "Hola", "SM1")
    text_from(number, "And by text", sid="SM2")
    work()
    assert Customer.objects.count() == 1
    assert Case.objects.count() == 1


def test_who_hides_the_number_later_is_the_same_person(whatsapp: Connector) -> None:
    posts(whatsapp, "Hola", "SM1", ExternalUserId=HIDDEN)
    posts(whatsapp, "Now with a name", "SM2", sender=HIDDEN, ExternalUserId=HIDDEN)
    assert Customer.objects.count() == 1
    assert Case.objects.count() == 1
    assert set(Identity.objects.values_list("kind", "value")) == {("whatsapp", MAYA), ("whatsapp", HIDDEN)}


def test_an_id_nobody_has_written_from_is_no_way_to_write(whatsapp: Connector, ana: Any) -> None:
    posts(whatsapp, "Hola", "SM1", ExternalUserId=HIDDEN)
    assert [way.identity.value for way in outbox.options(Case.objects.get())] == [MAYA]
    posts(whatsapp, "Hola", "SM2", sender=HIDDEN, ExternalUserId=HIDDEN)
    assert [way.identity.value for way in outbox.options(Case.objects.get())] == [HIDDEN, MAYA]


def test_who_has_hidden_the_number_from_the_start_is_known_when_they_show_it(whatsapp: Connector) -> None:
    posts(whatsapp, "Hola", "SM1", sender=HIDDEN, ExternalUserId=HIDDEN)
    posts(whatsapp, "Here is my number", "SM2", ExternalUserId=HIDDEN)
    assert Customer.objects.count() == 1


def test_both_channels_may_use_one_webhook_address(whatsapp: Connector, number: Connector) -> None:
    posts(number, "Hola", "SM1", to=whatsapp.address)
    assert Entry.objects.get(kind="message").channel == "whatsapp"
    text_from(whatsapp, "By text", sid="SM2", To=number.address)
    work()
    assert Entry.objects.filter(channel="sms", connector=number).count() == 1


def test_the_same_number_for_both_is_told_apart_by_the_prefix(support: Any) -> None:
    texts, whatsapp = make.number(support), make.whatsapp(support, "+14155550100")
    posts(texts, "Hola", "SM1", to=texts.address)
    assert Entry.objects.get(kind="message").connector == whatsapp


def test_an_answer_goes_back_by_whatsapp_and_is_seen(
    whatsapp: Connector, ana: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.UNDO_SECONDS = 0
    posts(whatsapp, "Hola", "SM1")
    entry = make.answers(ana, Case.objects.get(), "Hola Maya")
    monkeypatch.setattr("connectors.adapters.twilio.send.send", lambda *_: Sent("SM9", DeliveryStatus.QUEUED))
    assert outbox.deliver_due() == 1
    delivery = entry.deliveries.get()
    fields = {"MessageSid": "SM9", "AccountSid": make.ACCOUNT_SID, "MessageStatus": "read"}
    fields |= {"From": f"whatsapp:{whatsapp.address}", "To": f"whatsapp:{MAYA}"}
    url = f"{whatsapp.webhook_url}?delivery={delivery.uuid}"
    Client().post(
        f"/hooks/{whatsapp.token}/?delivery={delivery.uuid}",
        urlencode(fields),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": RequestValidator("a-twilio-token").compute_signature(url, fields)},
    )
    work()
    assert Delivery.objects.get().state == State.READ


def test_after_24_hours_the_composer_says_why_and_offers_the_text_message(
    whatsapp: Connector, number: Connector, ana: Any
) -> None:
    text_from(number, "Hi", sid="SM1")
    posts(whatsapp, "Hola", "SM2")
    Identity.objects.filter(kind="whatsapp").update(last_inbound_at=now() - timedelta(hours=25))
    case = Case.objects.get()
    option, why = outbox.default_option(case, outbox.options(case))
    assert option is not None
    assert option.channel == "sms"
    assert why.startswith("WhatsApp cannot be used: They last wrote more than 24 hours ago")


def test_the_window_is_asked_about_again_when_the_message_leaves(whatsapp: Connector, ana: Any, settings: Any) -> None:
    settings.UNDO_SECONDS = 0
    posts(whatsapp, "Hola", "SM1")
    make.answers(ana, Case.objects.get(), "Hola Maya")
    Identity.objects.update(last_inbound_at=now() - timedelta(hours=25))
    outbox.deliver_due()
    delivery = Delivery.objects.get()
    assert delivery.state == State.FAILED
    assert "24 hours" in delivery.reason


def test_nobody_is_written_to_first_on_whatsapp(whatsapp: Connector, ana: Any, browser_of: Any) -> None:
    assert f'value="{whatsapp.pk}"' not in browser_of(ana).get("/start/").content.decode()


def test_the_case_and_the_list_show_the_fourth_channel(
    whatsapp: Connector, number: Connector, ana: Any, browser_of: Any
) -> None:
    text_from(number, "Hi", sid="SM1")
    posts(whatsapp, "Hola", "SM2")
    browser, case = browser_of(ana), Case.objects.get()
    page = browser.get(f"/inbox/open/c/{case.pk}/").content.decode()
    assert "Moved from SMS to WhatsApp" in page
    assert "Send WhatsApp message to" in page
    assert 'data-lane="whatsapp"' in page
    assert "icons.svg#whatsapp" in page


def test_a_customer_without_a_name_gets_the_one_whatsapp_tells(whatsapp: Connector) -> None:
    posts(whatsapp, "Hola", "SM1", sender=HIDDEN, ExternalUserId=HIDDEN, ProfileName="Ana García")
    assert Customer.objects.get().name == "Ana García"
