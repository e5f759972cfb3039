"""What Twilio reports of our texts: early, late, twice, about nothing we know; and how its webhooks are answered."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from twilio.request_validator import RequestValidator

from connectors.messages import DeliveryStatus, OutboundMessage, Sent
from connectors.models import Connector, Receipt
from inbox import outbox
from inbox.models import Delivery, ProviderMessage, State
from tests import make
from tests.integration.test_webhooks import text_from, work

pytestmark = pytest.mark.django_db(transaction=True)


def report(number: Connector, status: str, sid: str = "SM9", delivery: str = "", **more: str) -> Any:
    fields = {
        "MessageSid": sid,
        "AccountSid": make.ACCOUNT_SID,
        "MessageStatus": status,
        "From": number.address,
        "To": "+14155552671",
        **more,
    }
    query = f"?delivery={delivery}" if delivery else ""
    signature = RequestValidator("a-twilio-token").compute_signature(number.webhook_url + query, fields)
    answer = Client().post(
        f"/hooks/{number.token}/{query}",
        urlencode(fields),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature},
    )
    work()
    return answer


@pytest.fixture
def sent(number: Connector, maya: Any, ana: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Delivery:
    settings.UNDO_SECONDS = 0
    case = make.says(maya, number, "Where is my mug?").case
    assert case is not None
    entry = make.answers(ana, case, "It left today.")
    monkeypatch.setattr("connectors.adapters.twilio.send.send", lambda *_: Sent("SM9", DeliveryStatus.QUEUED))
    outbox.deliver_due()
    return entry.deliveries.get()


def test_a_report_that_is_faster_than_twilios_answer_is_kept(
    number: Connector, maya: Any, ana: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.UNDO_SECONDS = 0
    case = make.says(maya, number, "Where is my mug?").case
    assert case is not None
    entry = make.answers(ana, case, "It left today.")

    def send(account: Any, message: OutboundMessage, prefix: str) -> Sent:
        assert report(number, "delivered", delivery=message.delivery).status_code == 200
        return Sent("SM9", DeliveryStatus.QUEUED)

    monkeypatch.setattr("connectors.adapters.twilio.send.send", send)
    outbox.deliver_due()
    assert entry.deliveries.get().state == State.DELIVERED
    assert ProviderMessage.objects.filter(provider_id="SM9").count() == 1


def test_sent_after_delivered_changes_nothing(number: Connector, sent: Delivery) -> None:
    report(number, "delivered", delivery=str(sent.uuid))
    report(number, "sent", delivery=str(sent.uuid))
    sent.refresh_from_db()
    assert sent.state == State.DELIVERED


def test_a_landline_is_said_in_words_and_the_question_is_open_again(number: Connector, sent: Delivery) -> None:
    report(number, "undelivered", delivery=str(sent.uuid), ErrorCode="30006", ErrorMessage="Landline")
    sent.refresh_from_db()
    assert (sent.state, sent.code) == (State.FAILED, "30006")
    assert sent.reason == "This is a landline or a carrier that takes no texts. Use another channel."
    assert sent.entry.case is not None
    assert sent.entry.case.open_entries().count() == 1


def test_a_report_finds_its_text_by_twilios_name_alone(number: Connector, sent: Delivery) -> None:
    report(number, "delivered")
    sent.refresh_from_db()
    assert sent.state == State.DELIVERED


def test_a_report_about_nothing_we_know_is_answered_and_set_down(number: Connector) -> None:
    assert report(number, "delivered", sid="SM404").status_code == 200
    assert Receipt.objects.get().outcomes[0]["outcome"] == "ignored"


def test_a_report_about_another_numbers_text_moves_nothing(number: Connector, sent: Delivery, support: Any) -> None:
    other = make.number(support, "+14155550177")
    report(other, "read", delivery=str(sent.uuid))
    sent.refresh_from_db()
    assert sent.state == State.SENT


def test_behind_a_proxy_the_public_address_is_what_is_signed(number: Connector, settings: Any) -> None:
    """Twilio calls https://help.example; what reaches us says http and another host."""
    settings.PUBLIC_URL = "https://help.example"
    assert number.webhook_url.startswith("https://help.example/hooks/")
    assert text_from(number, "Hi ").status_code == 200


def test_no_answer_of_ours_is_a_text_to_the_customer(number: Connector) -> None:
    """Twilio sends whatever comes back as plain text."""
    good = text_from(number, "Hi")
    forged = text_from(number, "Hi", token="another")
    unknown = Client().post("/hooks/nobody/", "Body=Hi", content_type="application/x-www-form-urlencoded")
    assert (good.status_code, forged.status_code, unknown.status_code) == (200, 403, 404)
    assert all("text/plain" not in answer["Content-Type"] for answer in (good, forged, unknown))
