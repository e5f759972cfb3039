from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
import responses
from pytest_django import Settings

from connectors.adapters.twilio import TwilioAdapter
from connectors.adapters.twilio.errors import TROUBLES
from connectors.errors import SendFailed, SendUnknown
from connectors.messages import Account, DeliveryStatus, OutboundFile, OutboundMessage, Sender, Sent

ACCOUNT_SID = "AC" + "a" * 32
SERVICE = "MG" + "d" * 32
SID = "SM" + "5" * 32
API = "http://127.0.0.1:4010"
MESSAGES = f"{API}/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
ACCOUNT = Account("1", ("+15551239999",), secrets={"account_sid": ACCOUNT_SID, "auth_token": "token"})
MESSAGE = OutboundMessage(
    delivery="5f0c",
    to=Sender("+15551230001"),
    sender="+15551239999",
    text="Back on Friday! 😀",
    status_callback="https://desk.example.com/hooks/7f3c/?delivery=5f0c",
    created_at=datetime(2026, 9, 30, 12, 0, 1, tzinfo=timezone(timedelta(hours=2))),
)
CREATED = {"sid": SID, "status": "queued", "error_code": None, "account_sid": ACCOUNT_SID, "num_media": "0"}


@pytest.fixture(autouse=True)
def twilio(settings: Settings) -> None:
    settings.TWILIO_API_URL = API


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def send(message: OutboundMessage = MESSAGE, account: Account = ACCOUNT) -> Sent:
    return TwilioAdapter().send(account, message)


def form(api: responses.RequestsMock) -> dict[str, list[str]]:
    body = api.calls[0].request.body
    assert isinstance(body, str)
    return parse_qs(body)


def refuse(api: responses.RequestsMock, status: int, code: int | None = None, **more: Any) -> SendFailed:
    document = {"message": "No.", "status": status} | ({"code": code} if code else {})
    api.post(MESSAGES, status=status, json=document, **more)
    with pytest.raises(SendFailed) as caught:
        send()
    return caught.value


def test_a_text_goes_out_from_our_number_with_its_status_callback(api: responses.RequestsMock) -> None:
    api.post(MESSAGES, status=201, json=CREATED)
    assert send() == Sent(SID, DeliveryStatus.QUEUED)
    assert form(api) == {
        "To": ["+15551230001"],
        "From": ["+15551239999"],
        "Body": ["Back on Friday! 😀"],
        "StatusCallback": ["https://desk.example.com/hooks/7f3c/?delivery=5f0c"],
    }
    assert api.calls[0].request.headers["Authorization"].startswith("Basic ")


def test_a_messaging_service_sends_from_the_number_the_customer_knows(api: responses.RequestsMock) -> None:
    api.post(MESSAGES, status=201, json=CREATED | {"status": "accepted"})
    account = Account("1", ACCOUNT.addresses, ACCOUNT.secrets, options={"messaging_service_sid": SERVICE})
    assert send(account=account).status is DeliveryStatus.QUEUED
    assert form(api)["MessagingServiceSid"] == [SERVICE]
    assert form(api)["From"] == ["+15551239999"]


def test_files_go_as_addresses_and_the_text_may_be_empty(api: responses.RequestsMock) -> None:
    api.post(MESSAGES, status=201, json=CREATED | {"num_media": "2"})
    files = tuple(OutboundFile(f"{n}.png", "image/png", 9, url=f"https://desk.example.com/files/{n}") for n in (1, 2))
    send(OutboundMessage("5f0c", Sender("+15551230001"), "+15551239999", text="", files=files))
    assert form(api)["MediaUrl"] == ["https://desk.example.com/files/1", "https://desk.example.com/files/2"]
    assert "Body" not in form(api)


def test_a_file_without_an_address_never_goes(api: responses.RequestsMock) -> None:
    with pytest.raises(SendFailed) as caught:
        send(OutboundMessage("5f0c", Sender("+1"), "+2", text="", files=(OutboundFile("a", "image/png", 1),)))
    assert caught.value.permanent


def test_a_stray_region_in_the_environment_does_not_move_the_host(
    api: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_REGION", "au1")
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    api.post(MESSAGES, status=201, json=CREATED)
    assert send().provider_id == SID


def test_the_request_does_not_wait_for_ever(api: responses.RequestsMock) -> None:
    api.post(MESSAGES, status=201, json=CREATED)
    send()
    assert api.calls[0].request.req_kwargs["timeout"] == 10


def test_a_recipient_who_opted_out_is_reported_as_that(api: responses.RequestsMock) -> None:
    failed = refuse(api, 400, 21610)
    assert (failed.permanent, failed.opted_out, failed.code) == (True, True, "21610")
    assert "START" in failed.reason


def test_dead_credentials_need_a_person(api: responses.RequestsMock) -> None:
    failed = refuse(api, 401, 20003)
    assert (failed.permanent, failed.reconnect) == (True, True)


def test_a_refused_sign_in_without_a_code_needs_a_person_too(api: responses.RequestsMock) -> None:
    assert refuse(api, 401).reconnect


def test_too_many_requests_are_tried_again_when_twilio_says(api: responses.RequestsMock) -> None:
    failed = refuse(api, 429, 20429, headers={"Retry-After": "17"})
    assert failed.holds_all
    assert (failed.permanent, failed.retry_after) == (False, 17)


def test_too_many_requests_without_a_time_are_tried_again_soon(api: responses.RequestsMock) -> None:
    failed = refuse(api, 429)
    assert (failed.permanent, failed.retry_after) == (False, 5)


def test_a_code_nobody_wrote_a_sentence_for_is_shown_in_twilios_words(api: responses.RequestsMock) -> None:
    failed = refuse(api, 400, 29999)
    assert failed.reason == "Twilio refused the text: No (error 29999)."
    assert failed.permanent


def test_a_refusal_in_the_newer_form_is_understood(api: responses.RequestsMock) -> None:
    document = {"type": "https://x", "title": "Bad Request", "status": 400, "code": 21211, "detail": "no such number"}
    api.post(MESSAGES, status=400, json=document)
    with pytest.raises(SendFailed) as caught:
        send()
    assert (caught.value.code, caught.value.permanent) == ("21211", True)


def test_every_sentence_ends_and_none_shows_a_code() -> None:
    for code, trouble in TROUBLES.items():
        assert trouble.reason.endswith("."), code
        assert str(code) not in trouble.reason


@pytest.mark.parametrize(
    "accident",
    [
        requests.ReadTimeout("read"),
        requests.ConnectionError(("Connection aborted.", "Remote end closed connection without response")),
        requests.exceptions.ChunkedEncodingError("cut"),
    ],
)
def test_a_connection_lost_after_sending_leaves_the_fate_unknown(
    api: responses.RequestsMock, accident: Exception
) -> None:
    api.post(MESSAGES, body=accident)
    with pytest.raises(SendUnknown):
        send()


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 500, "json": {"code": 20500, "message": "Internal", "status": 500}},
        {"status": 502, "body": "<html>Bad gateway</html>"},
        {"status": 503, "body": ""},
        {"status": 201, "body": "not json"},
        {"status": 201, "json": {}},
        {"status": 201, "json": []},
    ],
)
def test_a_failure_of_twilio_or_an_unreadable_answer_leaves_the_fate_unknown(
    api: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    api.post(MESSAGES, **answer)
    with pytest.raises(SendUnknown):
        send()


def test_a_text_that_never_left_may_be_tried_again(settings: Settings, unused_tcp_port: int) -> None:
    settings.TWILIO_API_URL = f"http://127.0.0.1:{unused_tcp_port}"
    with pytest.raises(SendFailed) as caught:
        send()
    assert not caught.value.permanent


def test_a_connect_time_out_may_be_tried_again(api: responses.RequestsMock) -> None:
    api.post(MESSAGES, body=requests.ConnectTimeout("connect"))
    with pytest.raises(SendFailed) as caught:
        send()
    assert not caught.value.permanent


def test_a_message_created_as_failed_did_not_go_out(api: responses.RequestsMock) -> None:
    api.post(MESSAGES, status=201, json=CREATED | {"status": "failed", "error_code": 30006})
    with pytest.raises(SendFailed) as caught:
        send()
    assert "landline" in caught.value.reason


@pytest.mark.parametrize("secrets", [{}, {"account_sid": ACCOUNT_SID}, {"account_sid": ACCOUNT_SID, "auth_token": ""}])
def test_without_credentials_nothing_is_sent(api: responses.RequestsMock, secrets: dict[str, str]) -> None:
    with pytest.raises(SendFailed) as caught:
        send(account=Account("1", ACCOUNT.addresses, secrets))
    assert caught.value.reconnect


def listed(**changes: object) -> dict[str, object]:
    return {
        "sid": SID,
        "status": "sent",
        "direction": "outbound-api",
        "from": "+15551239999",
        "to": "+15551230001",
        "body": "Back on Friday! 😀",
        "num_media": "0",
        "num_segments": "1",
    } | changes


def look_up(api: responses.RequestsMock, *messages: dict[str, object]) -> Sent | None:
    api.get(MESSAGES, json={"messages": list(messages), "next_page_uri": None, "page": 0, "page_size": 50})
    return TwilioAdapter().look_up(ACCOUNT, MESSAGE)


def test_a_look_up_finds_the_same_text_and_asks_since_it_was_made(api: responses.RequestsMock) -> None:
    other = listed(sid="SM" + "6" * 32, body="Something else")
    assert look_up(api, other, listed()) == Sent(SID, DeliveryStatus.SENT)
    assert api.calls[0].request.params["To"] == "+15551230001"
    assert api.calls[0].request.params["DateSent>"] == "2026-09-30T09:59:01Z"  # clocks differ


def test_a_look_up_sees_through_the_words_a_trial_account_adds(api: responses.RequestsMock) -> None:
    assert look_up(api, listed(body="Sent from your Twilio trial account - Back on Friday! 😀")) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"body": "Back on Friday"},
        {"from": "+15551238888"},
        {"direction": "inbound"},
        {"num_media": "1"},
        {"body": None},
    ],
)
def test_a_look_up_takes_no_other_message_for_it(api: responses.RequestsMock, change: dict[str, object]) -> None:
    assert look_up(api, listed(**change)) is None


def test_a_look_up_cannot_tell_one_picture_from_another(api: responses.RequestsMock) -> None:
    picture = OutboundFile("a.png", "image/png", 9, url="https://desk.example.com/files/1")
    assert TwilioAdapter().look_up(ACCOUNT, replace(MESSAGE, text="", files=(picture,))) is None


def test_a_look_up_that_fails_says_nothing(api: responses.RequestsMock) -> None:
    api.get(MESSAGES, status=500)
    assert TwilioAdapter().look_up(ACCOUNT, MESSAGE) is None
    assert TwilioAdapter().look_up(Account("1", ()), MESSAGE) is None


def test_twilio_knows_no_names() -> None:
    assert TwilioAdapter().profile(ACCOUNT, "+15551230001") is None
