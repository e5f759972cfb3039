"""WhatsApp by Twilio: every shape of its webhooks, from the files in tests/payloads/whatsapp; its window; its calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import responses
from pytest_django import Settings

from connectors.adapters import ADAPTERS
from connectors.errors import SendFailed
from connectors.messages import (
    Account,
    Authenticity,
    Channel,
    Classification,
    DeliveryStatus,
    InboundMessage,
    Item,
    Malformed,
    OptOut,
    OutboundMessage,
    RawInput,
    Sender,
    Sent,
    Standing,
    Status,
)

PAYLOADS = Path(__file__).parent.parent / "payloads" / "whatsapp"
ACCOUNT_SID = "AC" + "a" * 32
ACCOUNT = Account("1", ("+14155238886",), secrets={"account_sid": ACCOUNT_SID, "auth_token": "t"})
NOW = datetime(2026, 9, 30, 10, 52, tzinfo=UTC)
HIDDEN = "ES.13491208655302741918"
WHATSAPP, SMS = ADAPTERS[Channel.WHATSAPP], ADAPTERS[Channel.SMS]


def parse(name: str, query: str = "") -> list[Item]:
    return WHATSAPP.parse(RawInput((PAYLOADS / f"{name}.form").read_bytes(), {"x-query-string": query}, NOW, ACCOUNT))


def message(name: str) -> InboundMessage:
    found = parse(name)[-1]
    assert isinstance(found, InboundMessage)
    return found


def test_a_message_is_from_a_person_with_a_name_and_a_proven_number() -> None:
    found = message("text")
    assert found.sender == Sender("+34600111222", name="Ana", also=(("phone", "+34600111222"),))
    assert (found.recipient, found.text) == ("+14155238886", "¿Dónde está mi pedido? 📦")
    assert (found.channel, found.authenticity) == (Channel.WHATSAPP, Authenticity.PASS)
    assert found.classification is Classification.PERSON


def test_who_shows_number_and_id_is_known_by_both() -> None:
    assert message("number_and_hidden_id").sender.also == (("whatsapp", HIDDEN), ("phone", "+34600111222"))


def test_who_hides_the_number_is_an_id() -> None:
    assert message("hidden_number").sender == Sender(HIDDEN, name="Ana")


@pytest.mark.parametrize(
    ("name", "kind"), [("picture", "image/jpeg"), ("voice", "audio/ogg"), ("contact", "text/vcard")]
)
def test_files_come_along(name: str, kind: str) -> None:
    assert [each.content_type for each in message(name).attachments] == [kind]


def test_a_place_is_told_in_words() -> None:
    found = message("place")
    assert found.text == "Puerta del Sol, Madrid, Spain\n40.4168, -3.7038"
    assert found.remark == "Sent a place"


def test_an_answer_names_what_it_answers() -> None:
    assert message("reply").in_reply_to == "MM" + "6" * 32
    assert message("button").in_reply_to == "MM" + "6" * 32


@pytest.mark.parametrize(
    ("name", "remark"),
    [
        ("text", ""),
        ("voice", ""),
        ("button", "Tapped a button"),
        ("forwarded", "Forwarded"),
        ("forwarded_many_times", "Forwarded many times"),
        ("from_an_ad", "Came from an ad: Mugs that last"),
        ("unknown_kind", "Sent something Twilio does not pass on (order)"),
    ],
)
def test_what_is_around_a_message_is_told_in_words(name: str, remark: str) -> None:
    assert message(name).remark == remark


def test_a_stop_word_is_what_a_person_said_as_nobody_acts_on_it() -> None:
    assert len(parse("stop_word")) == 1
    assert message("stop_word").classification is Classification.PERSON


def test_an_opt_out_that_twilio_names_holds_here_too() -> None:
    opt_out, found = parse("stop_by_advanced_opt_out")
    assert isinstance(opt_out, OptOut)
    assert isinstance(found, InboundMessage)
    assert opt_out.channel is Channel.WHATSAPP
    assert found.classification is Classification.AUTOMATIC


def test_read_is_told_of_the_delivery() -> None:
    (found,) = parse("status_read", "delivery=7f3c")
    assert isinstance(found, Status)
    assert (found.status, found.delivery, found.recipient) == (DeliveryStatus.READ, "7f3c", "+14155238886")


def test_a_message_after_the_window_failed_in_words() -> None:
    (found,) = parse("status_outside_the_window", "delivery=7f3c")
    assert isinstance(found, Status)
    assert "more than 24 hours ago" in found.reason


def test_whichever_adapter_reads_them_texts_are_texts_and_whatsapp_is_whatsapp() -> None:
    raw = RawInput((PAYLOADS / "text.form").read_bytes(), {}, NOW, ACCOUNT)
    assert SMS.parse(raw) == WHATSAPP.parse(raw)
    text = RawInput((PAYLOADS.parent / "twilio" / "text.form").read_bytes(), {}, NOW, ACCOUNT)
    (found,) = WHATSAPP.parse(text)
    assert isinstance(found, InboundMessage)
    assert found.channel is Channel.SMS


def test_a_way_that_nothing_here_speaks_is_set_aside() -> None:
    body = b"MessageSid=SM1&From=messenger%3A123&To=messenger%3A456&Body=Hi"
    (found,) = WHATSAPP.parse(RawInput(body, {}, NOW, ACCOUNT))
    assert isinstance(found, Malformed)
    assert found.reason == "It came by messenger, and nothing here can answer that."


def test_every_payload_file_is_understood() -> None:
    for path in sorted(PAYLOADS.glob("*.form")):
        assert not any(isinstance(item, Malformed) for item in parse(path.stem)), path.stem


# The window


def allowed(**about: object) -> bool:
    return WHATSAPP.limits.refusal(replace(Standing(now=NOW), **about)) is None  # type: ignore[arg-type]


def test_they_may_be_answered_for_24_hours() -> None:
    assert allowed(last_inbound_at=NOW - timedelta(hours=23, minutes=58))
    assert not allowed(last_inbound_at=NOW - timedelta(hours=24))
    assert not allowed()


def test_who_opted_out_is_left_alone() -> None:
    assert not allowed(last_inbound_at=NOW, opted_out_at=NOW)


def test_long_texts_become_several_messages_and_lose_nothing() -> None:
    text = "wort " * 700
    parts = WHATSAPP.limits.split(text)
    assert "".join(parts) == text
    assert (len(parts), WHATSAPP.limits.count(text).parts) == (3, 3)


# The calls

API = "http://127.0.0.1:4010"
MESSAGES = f"{API}/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
REPLY = OutboundMessage("7f3c", Sender("+34600111222"), "+14155238886", "Sale hoy.", created_at=NOW)


@pytest.fixture
def api(settings: Settings) -> Iterator[responses.RequestsMock]:
    settings.TWILIO_API_URL = API
    with responses.RequestsMock() as mock:
        yield mock


@pytest.mark.parametrize("address", ["+34600111222", HIDDEN])
def test_a_message_goes_out_to_the_number_or_the_id(api: responses.RequestsMock, address: str) -> None:
    api.post(MESSAGES, status=201, json={"sid": "SM1", "status": "queued", "num_media": "0"})
    assert WHATSAPP.send(ACCOUNT, replace(REPLY, to=Sender(address))) == Sent("SM1", DeliveryStatus.QUEUED)
    body = api.calls[0].request.body
    assert isinstance(body, str)
    form = parse_qs(body)
    assert (form["To"], form["From"]) == ([f"whatsapp:{address}"], ["whatsapp:+14155238886"])


def test_a_refusal_because_of_the_window_says_what_to_do(api: responses.RequestsMock) -> None:
    api.post(MESSAGES, status=400, json={"code": 63016, "message": "Freeform", "status": 400})
    with pytest.raises(SendFailed) as caught:
        WHATSAPP.send(ACCOUNT, REPLY)
    assert caught.value.permanent
    assert caught.value.reason.endswith("Use another channel.")


def test_a_lost_message_is_looked_up_under_its_whatsapp_address(api: responses.RequestsMock) -> None:
    ours = {"sid": "SM1", "status": "sent", "direction": "outbound-api", "num_media": "0", "body": "Sale hoy."}
    listed = ours | {"from": "whatsapp:+14155238886", "to": "whatsapp:+34600111222"}
    api.get(MESSAGES, json={"messages": [listed], "next_page_uri": None, "page": 0})
    assert WHATSAPP.look_up(ACCOUNT, REPLY) == Sent("SM1", DeliveryStatus.SENT)
    assert api.calls[0].request.params["To"] == "whatsapp:+34600111222"  # type: ignore[attr-defined]


def test_a_link_opens_the_customers_whatsapp() -> None:
    assert WHATSAPP.door(ACCOUNT, "Hi 7KX2") == "https://wa.me/14155238886?text=Hi%207KX2"
