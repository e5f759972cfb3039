"""security.md A16; the vectors are those of reference/twilio.md §2."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from connectors.adapters.twilio import TwilioAdapter
from connectors.adapters.twilio.parameters import Parameters
from connectors.errors import Forged
from connectors.messages import Account

TOKEN = "test_auth_token_0123456789abcdef"
URL = "https://desk.example.com/hooks/twilio/sms/7f3c/"
ACCOUNT_SID = "AC" + "a" * 32
SID = "SM" + "1" * 32
ACCOUNT = Account("1", ("+15551239999",), secrets={"account_sid": ACCOUNT_SID, "auth_token": TOKEN}, webhook_url=URL)
FORM = {
    "ToCountry": "US",
    "MessageSid": SID,
    "SmsSid": SID,
    "SmsMessageSid": SID,
    "AccountSid": ACCOUNT_SID,
    "From": "+15551230001",
    "To": "+15551239999",
    "Body": "Hi there ",
    "NumMedia": "0",
    "NumSegments": "1",
    "SmsStatus": "received",
    "ApiVersion": "2010-04-01",
}
SHA1 = "jFmFTYHZe7j8KpMujtfjs2gXfcY="
SHA256 = "dGVfU2BwREZv+iG/TQl9ckTjlWFfnWl0+hYJgjjHlRo="
BY_SHARED_KEY = {
    "x-twilio-signature": SHA256,
    "x-twilio-webhooks-signature-settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256",
}


def verify(
    form: dict[str, str] | list[tuple[str, str]] | bytes = FORM,
    *,
    headers: dict[str, str] | None = None,
    accounts: tuple[Account, ...] = (ACCOUNT,),
) -> None:
    body = form if isinstance(form, bytes) else urlencode(form).encode()
    TwilioAdapter().verify(body, {"x-twilio-signature": SHA1} if headers is None else headers, accounts)


def with_secrets(**secrets: str) -> Account:
    return replace(ACCOUNT, secrets={"account_sid": ACCOUNT_SID, **secrets})


def test_twilios_published_example_has_the_published_signature() -> None:
    parameters = Parameters.of(
        "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
    )
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert RequestValidator("12345").compute_signature(url, parameters) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_a_signed_text_with_a_trailing_blank_is_genuine() -> None:
    verify()


def test_the_order_of_the_parameters_does_not_matter() -> None:
    verify(list(reversed(FORM.items())))


def test_a_webhook_signed_with_a_shared_key_is_genuine() -> None:
    verify(headers=BY_SHARED_KEY, accounts=(with_secrets(auth_token="another", webhook_shared_key=TOKEN),))
    verify(headers=BY_SHARED_KEY)


def test_a_webhook_signed_with_the_previous_token_is_genuine_while_tokens_change() -> None:
    verify(accounts=(with_secrets(auth_token="the new one", previous_auth_token=TOKEN),))


def test_any_of_several_accounts_may_have_signed() -> None:
    other = replace(ACCOUNT, id="2", secrets={"account_sid": "AC" + "b" * 32, "auth_token": "x"})
    verify(accounts=(other, ACCOUNT))


def test_a_status_callback_is_signed_with_its_query_string() -> None:
    form = {"MessageSid": SID, "MessageStatus": "delivered", "AccountSid": ACCOUNT_SID}
    query = "delivery=5f0c1b1e-0000-4000-8000-000000000000"
    signature = RequestValidator(TOKEN).compute_signature(f"{URL}?{query}", form)
    verify(form, headers={"x-twilio-signature": signature, "x-query-string": query})
    for wrong in ("", "delivery=another"):
        with pytest.raises(Forged):
            verify(form, headers={"x-twilio-signature": signature, "x-query-string": wrong})


def test_repeated_parameters_are_signed_each_distinct_value_once() -> None:
    parameters = Parameters.of(urlencode([*FORM.items(), ("Body", "second"), ("Body", "second")]))
    signature = RequestValidator(TOKEN).compute_signature(URL, parameters)
    verify([*FORM.items(), ("Body", "second")], headers={"x-twilio-signature": signature})
    with pytest.raises(Forged):
        verify(headers={"x-twilio-signature": signature})


@pytest.mark.parametrize(
    ("what", "headers"),
    [
        ("none", {}),
        ("empty", {"x-twilio-signature": ""}),
        ("wrong", {"x-twilio-signature": "A" * 28}),
        ("not ascii", {"x-twilio-signature": "ü" * 28}),
        ("of another algorithm", {"x-twilio-signature": SHA256}),
        ("of an unknown algorithm", BY_SHARED_KEY | {"x-twilio-webhooks-signature-settings": "algorithm=NONE"}),
        ("with a body hash instead", {"x-twilio-signature": SHA1, "x-query-string": "bodySHA256=" + "0" * 64}),
    ],
)
def test_a_signature_that_is_missing_or_wrong_is_forged(what: str, headers: dict[str, str]) -> None:
    with pytest.raises(Forged):
        verify(headers=headers)


@pytest.mark.parametrize(
    "change",
    [
        {"Body": "Hi there"},
        {"Body": "Hi there  "},
        {"FromCity": ""},
        {"From": "+15551230002"},
    ],
)
def test_any_change_of_a_parameter_is_forged(change: dict[str, str]) -> None:
    with pytest.raises(Forged):
        verify(FORM | change)


@pytest.mark.parametrize(
    "account",
    [
        replace(ACCOUNT, webhook_url="http://desk.example.com/hooks/twilio/sms/7f3c/"),
        replace(ACCOUNT, webhook_url="https://desk.example.com/hooks/twilio/sms/7f3c"),
        replace(ACCOUNT, webhook_url="https://other.example.com/hooks/twilio/sms/7f3c/"),
        replace(ACCOUNT, webhook_url=""),
        with_secrets(auth_token="another account's"),
        with_secrets(auth_token=""),
        with_secrets(),
        replace(ACCOUNT, secrets={"account_sid": "AC" + "b" * 32, "auth_token": TOKEN}),
        replace(ACCOUNT, secrets={"account_sid": "", "auth_token": TOKEN}),
    ],
)
def test_another_url_token_or_account_is_forged(account: Account) -> None:
    with pytest.raises(Forged):
        verify(accounts=(account,))


def test_an_empty_token_does_not_accept_what_anybody_can_sign() -> None:
    signature = RequestValidator("").compute_signature(URL, FORM)
    with pytest.raises(Forged):
        verify(headers={"x-twilio-signature": signature}, accounts=(with_secrets(auth_token=""),))


def test_nobody_signs_for_an_address_without_accounts() -> None:
    with pytest.raises(Forged):
        verify(accounts=())


def test_the_default_port_in_the_url_does_not_matter() -> None:
    verify(accounts=(replace(ACCOUNT, webhook_url=URL.replace("example.com", "example.com:443")),))


@given(st.binary(max_size=300), st.text(max_size=40))
def test_garbage_is_forged_and_nothing_else(body: bytes, signature: str) -> None:
    with pytest.raises(Forged):
        verify(body, headers={"x-twilio-signature": signature})


def test_thousands_of_parameters_are_forged_without_being_counted() -> None:
    with pytest.raises(Forged):
        verify(b"a=1&" * 5_000)


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=30), max_size=8))
def test_whatever_twilio_signs_is_genuine(more: dict[str, str]) -> None:
    form = more | {"AccountSid": ACCOUNT_SID}
    verify(form, headers={"x-twilio-signature": RequestValidator(TOKEN).compute_signature(URL, form)})
