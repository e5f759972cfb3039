"""The live test of a number: what is green, what is red, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
import responses
from pytest_django import Settings

from connectors.adapters import ADAPTERS
from connectors.messages import Account, Channel

ACCOUNT_SID = "AC" + "a" * 32
API = "http://127.0.0.1:4010"
BASE = f"{API}/2010-04-01/Accounts/{ACCOUNT_SID}"
OURS = "https://help.example/hooks/7f3c/"
ACCOUNT = Account("1", ("+15551239999",), {"account_sid": ACCOUNT_SID, "auth_token": "token"}, webhook_url=OURS)
NUMBER = {"phone_number": "+15551239999", "sms_url": OURS, "capabilities": {"sms": True, "mms": True}}


@pytest.fixture
def api(settings: Settings) -> Iterator[responses.RequestsMock]:
    settings.TWILIO_API_URL = API
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def twilio_has(api: responses.RequestsMock, *numbers: dict[str, Any]) -> None:
    api.get(f"{BASE}.json", json={"sid": ACCOUNT_SID, "friendly_name": "Northwind"})
    listed = {"incoming_phone_numbers": list(numbers), "next_page_uri": None, "page": 0}
    api.get(f"{BASE}/IncomingPhoneNumbers.json", json=listed)


def we_answer(api: responses.RequestsMock, **answer: Any) -> None:
    api.post(OURS, **({"body": "<Response/>", "content_type": "text/xml"} | answer))


def checks(account: Account = ACCOUNT, channel: Channel = Channel.SMS) -> dict[str, str]:
    """By name: empty when green, else what was seen."""
    found = ADAPTERS[channel].check(account)
    assert all(each.fix for each in found if not each.ok)
    return {each.name: "" if each.ok else each.words for each in found}


def test_a_number_that_is_well_connected_is_green(api: responses.RequestsMock) -> None:
    twilio_has(api, NUMBER)
    we_answer(api)
    assert checks() == {"Sign-in": "", "Number": "", "Webhook at Twilio": "", "Webhook here": ""}


def test_our_own_webhook_is_called_as_twilio_calls_it(api: responses.RequestsMock) -> None:
    twilio_has(api, NUMBER)
    we_answer(api)
    checks()
    call = next(each.request for each in api.calls if each.request.url == OURS)
    body = call.body.encode() if isinstance(call.body, str) else bytes(call.body or b"")
    headers = {name.lower(): value for name, value in call.headers.items()}
    ADAPTERS[Channel.SMS].verify(body, headers, (ACCOUNT,))


def test_refused_credentials_end_the_questions_about_the_number(api: responses.RequestsMock) -> None:
    api.get(f"{BASE}.json", status=401, json={"code": 20003, "message": "Authenticate", "status": 401})
    we_answer(api)
    found = checks()
    assert set(found) == {"Sign-in", "Webhook here"}
    assert "refused our credentials" in found["Sign-in"]


@pytest.mark.parametrize(
    ("number", "name", "words"),
    [
        (None, "Number", "+15551239999 is not a number of this Twilio account."),
        (NUMBER | {"capabilities": {"sms": False}}, "Number", "+15551239999 cannot send texts."),
        (
            NUMBER | {"sms_url": "https://demo.twilio.com/welcome/sms/reply/"},
            "Webhook at Twilio",
            "Twilio tells https://demo.twilio.com/welcome/sms/reply/ of messages to +15551239999, not us.",
        ),
        (NUMBER | {"sms_url": ""}, "Webhook at Twilio", "Twilio tells nobody of messages to +15551239999, not us."),
    ],
)
def test_what_is_wrong_with_the_number_is_said(
    api: responses.RequestsMock, number: dict[str, Any] | None, name: str, words: str
) -> None:
    twilio_has(api, *([number] if number else []))
    we_answer(api)
    assert checks()[name] == words


def test_twilios_own_overrides_behind_the_address_do_not_matter(api: responses.RequestsMock) -> None:
    twilio_has(api, NUMBER | {"sms_url": f"{OURS}#rc=2&rp=ct,rt,5xx"})
    we_answer(api)
    assert checks()["Webhook at Twilio"] == ""


def test_a_messaging_service_is_not_asked_for_the_numbers_webhook(api: responses.RequestsMock) -> None:
    twilio_has(api, NUMBER | {"sms_url": ""})
    we_answer(api)
    assert checks(replace(ACCOUNT, options={"messaging_service_sid": "MG1"}))["Webhook at Twilio"] == ""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status": 403}, "refused a message signed as Twilio signs"),
        ({"status": 502}, "Something else answers at our webhook address (502)."),
        ({"content_type": "text/html"}, "Something else answers at our webhook address (200)."),
        ({"body": requests.ConnectTimeout("connect")}, "Our own webhook address does not answer."),
    ],
)
def test_a_webhook_that_does_not_reach_us_is_said(
    api: responses.RequestsMock, answer: dict[str, Any], words: str
) -> None:
    twilio_has(api, NUMBER)
    we_answer(api, **answer)
    assert words in checks()["Webhook here"]


def test_a_whatsapp_sender_need_not_be_a_number_of_twilios(api: responses.RequestsMock) -> None:
    twilio_has(api)
    we_answer(api)
    assert checks(channel=Channel.WHATSAPP) == {"Sign-in": "", "Webhook here": ""}
