"""Every shape of Twilio's webhooks, from the files in tests/payloads/twilio."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.adapters.twilio import TwilioAdapter
from connectors.messages import (
    Account,
    Authenticity,
    Channel,
    Classification,
    DeliveryStatus,
    Ignored,
    InboundMessage,
    Item,
    Malformed,
    OptOut,
    OptOutAction,
    RawInput,
    Sender,
    Status,
)

PAYLOADS = Path(__file__).parent.parent / "payloads" / "twilio"
ACCOUNT = Account("1", ("+15551239999",), secrets={"account_sid": "AC" + "a" * 32, "auth_token": "t"})
NOW = datetime(2026, 9, 30, 10, 52, tzinfo=UTC)


def parse(name: str, query: str = "") -> list[Item]:
    body = (PAYLOADS / f"{name}.form").read_bytes().removesuffix(b"\n")
    return TwilioAdapter().parse(RawInput(body, {"x-query-string": query}, NOW, ACCOUNT))


def message(name: str) -> InboundMessage:
    found = parse(name)[-1]
    assert isinstance(found, InboundMessage)
    return found


def test_a_text_is_a_message_from_a_person() -> None:
    assert parse("text") == [
        InboundMessage(
            provider_id="SM" + f"{1:032d}",
            sender=Sender("+15551230001", also=(("whatsapp", "+15551230001"),)),
            recipient="+15551239999",
            text="Where is my order? 😀",
            sent_at=NOW,
            authenticity=Authenticity.PASS,
            channel=Channel.SMS,
        )
    ]


def test_blanks_around_a_text_are_kept() -> None:
    assert message("text_with_blanks").text == "Hi there "


def test_pictures_without_a_text_are_a_message() -> None:
    found = message("pictures_without_text")
    assert found.text == ""
    assert [attachment.content_type for attachment in found.attachments] == ["image/jpeg", "text/x-vcard"]
    assert all(f"/Media/ME{n:032x}" in found.attachments[n - 3].url for n in (3, 4))
    assert all(attachment.content is None for attachment in found.attachments)


def test_ten_pictures_all_arrive() -> None:
    assert len({attachment.url for attachment in message("ten_pictures").attachments}) == 10


def test_the_layout_of_a_picture_message_is_not_a_file() -> None:
    assert [attachment.content_type for attachment in message("picture_with_layout").attachments] == ["image/png"]


@pytest.mark.parametrize(
    ("name", "action", "words"),
    [
        ("stop", OptOutAction.STOP, "Stop"),
        ("stop_by_advanced_opt_out", OptOutAction.STOP, "Arrêt"),
        ("start", OptOutAction.START, "START"),
        ("help", OptOutAction.HELP, "help"),
    ],
)
def test_a_keyword_is_an_opt_out_first_and_an_automatic_message_second(
    name: str, action: OptOutAction, words: str
) -> None:
    opt_out, found = parse(name)
    assert isinstance(opt_out, OptOut)
    assert isinstance(found, InboundMessage)
    assert (opt_out.action, opt_out.words) == (action, words)
    assert (opt_out.sender.address, opt_out.recipient) == ("+15551230001", "+15551239999")
    assert opt_out.provider_id == found.provider_id
    assert (found.classification, found.reason) == (Classification.AUTOMATIC, "Opt-out keyword")


@pytest.mark.parametrize(
    "word", ["STOP", "stopall", "Unsubscribe", "CANCEL", "end", "QUIT", "revoke", "OptOut", "stop\n"]
)
def test_every_stop_word_of_twilio_counts(word: str) -> None:
    body = f"MessageSid=SM1&From=%2B15551230001&To=%2B15551239999&Body={word}".encode()
    opt_out = TwilioAdapter().parse(RawInput(body, {}, NOW, ACCOUNT))[0]
    assert isinstance(opt_out, OptOut)
    assert opt_out.action is OptOutAction.STOP


def test_a_yes_ends_an_opt_out_and_stays_what_a_person_said() -> None:
    opt_out, found = parse("yes")
    assert isinstance(opt_out, OptOut)
    assert isinstance(found, InboundMessage)
    assert opt_out.action is OptOutAction.START
    assert found.classification is Classification.PERSON


def test_a_sentence_with_stop_in_it_is_no_keyword() -> None:
    assert message("please_stop").classification is Classification.PERSON
    assert len(parse("please_stop")) == 1


@pytest.mark.parametrize(
    ("name", "address", "reason"),
    [
        ("from_short_code", "72975", "Sent from a short code"),
        ("from_name", "MyBank", "Sent from a name instead of a number"),
    ],
)
def test_senders_that_are_no_phone_are_kept_as_given_and_automatic(name: str, address: str, reason: str) -> None:
    found = message(name)
    assert found.sender.address == address
    assert (found.classification, found.reason) == (Classification.AUTOMATIC, reason)


@pytest.mark.parametrize("name", ["by_fallback_url", "by_messaging_service"])
def test_a_text_by_another_way_is_an_ordinary_message(name: str) -> None:
    assert message(name).classification is Classification.PERSON
    assert message(name).recipient == "+15551239999"


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("accepted", DeliveryStatus.QUEUED),
        ("scheduled", DeliveryStatus.QUEUED),
        ("queued", DeliveryStatus.QUEUED),
        ("sending", DeliveryStatus.SENDING),
        ("sent", DeliveryStatus.SENT),
        ("delivered", DeliveryStatus.DELIVERED),
        ("partially_delivered", DeliveryStatus.DELIVERED),
        ("read", DeliveryStatus.READ),
        ("canceled", DeliveryStatus.FAILED),
    ],
)
def test_a_status_names_the_delivery_it_is_about(state: str, status: DeliveryStatus) -> None:
    (found,) = parse(f"status_{state}", query="delivery=5f0c&x=1")
    assert isinstance(found, Status)
    assert (found.status, found.delivery, found.recipient) == (status, "5f0c", "+15551239999")
    assert found.provider_id == "SM" + f"{70:032d}"


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("status_undelivered", "30006", "landline"),
        ("status_failed", "30034", "not registered"),
        ("status_failed_with_a_new_code", "39999", "The moon was full (Twilio error 39999)."),
    ],
)
def test_a_failed_status_says_why_in_words(name: str, code: str, words: str) -> None:
    (found,) = parse(name)
    assert isinstance(found, Status)
    assert (found.status, found.code) == (DeliveryStatus.FAILED, code)
    assert words in found.reason


def test_a_status_without_a_number_of_ours_is_for_the_connector_that_got_it() -> None:
    (found,) = parse("status_of_a_service")
    assert isinstance(found, Status)
    assert found.recipient == "+15551239999"


def test_a_state_nobody_knows_is_ignored_by_name() -> None:
    (found,) = parse("status_unknown")
    assert isinstance(found, Ignored)
    assert "teleported" in found.reason


@pytest.mark.parametrize("name", ["empty", "not_a_form", "without_sid", "without_sender"])
def test_what_is_no_text_message_is_set_aside_with_a_reason(name: str) -> None:
    (found,) = parse(name)
    assert isinstance(found, Malformed)
    assert found.reason.endswith(".")
    assert "\0" not in found.excerpt


def test_nul_never_reaches_the_database() -> None:
    body = b"MessageSid=SM1&From=%2B15551230001&To=%2B15551239999&Body=a%00b"
    (found,) = TwilioAdapter().parse(RawInput(body, {}, NOW, ACCOUNT))
    assert isinstance(found, InboundMessage)
    assert found.text == "ab"


def test_every_payload_file_is_understood_or_set_aside() -> None:
    for file in PAYLOADS.glob("*.form"):
        assert parse(file.stem), file.name


@given(st.binary(max_size=500), st.text(max_size=50))
def test_no_body_makes_the_parser_raise(body: bytes, query: str) -> None:
    assert TwilioAdapter().parse(RawInput(body, {"x-query-string": query}, NOW, ACCOUNT))
