"""security.md A17 and A19; the vectors are those of reference/instagram.md §4."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.adapters.instagram import InstagramAdapter
from connectors.errors import Forged
from connectors.messages import Account

ADAPTER = InstagramAdapter()
BODY = (
    rb'{"object":"instagram","entry":[{"id":"17841400000000001","time":1790000000000,'
    rb'"messaging":[{"message":{"mid":"m","text":"Gr\u00fc\u00dfe \ud83d\udc4d"}}]}]}'
)
SIGNATURE = "sha256=74f31147df7861d3038c6be3c9b8105c86f7f38812f26ba29be40b3268bcbf4c"


def account(secret: str = "appsecret123", token: str = "let me in") -> Account:
    return Account("1", ("17841400000000001",), secrets={"app_secret": secret, "verify_token": token})


def verify(body: bytes = BODY, signature: str | None = SIGNATURE, *accounts: Account) -> None:
    headers = {} if signature is None else {"x-hub-signature-256": signature}
    ADAPTER.verify(body, headers, accounts or (account(),))


def test_the_published_vector_is_genuine() -> None:
    verify()


def test_any_of_several_secrets_may_have_signed() -> None:
    verify(BODY, SIGNATURE, account("another appsecret123"))
    verify(BODY, SIGNATURE, account("another"), account())


def test_the_same_data_written_differently_is_forged() -> None:
    for rewritten in (
        json.dumps(json.loads(BODY)).encode(),
        json.dumps(json.loads(BODY), ensure_ascii=False, separators=(",", ":")).encode(),
        b"\xef\xbb\xbf" + BODY,
        BODY + b"\n",
    ):
        with pytest.raises(Forged):
            verify(rewritten)


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        SIGNATURE.removeprefix("sha256="),
        SIGNATURE.upper(),
        "sha1=" + "0" * 40,
        "sha256=ü",
    ],
)
def test_a_signature_that_is_missing_or_wrong_is_forged(signature: str | None) -> None:
    with pytest.raises(Forged):
        verify(BODY, signature)


def test_sha1_alone_is_no_proof() -> None:
    sha1 = "sha1=" + hmac.new(b"appsecret123", BODY, hashlib.sha1).hexdigest()
    with pytest.raises(Forged):
        ADAPTER.verify(BODY, {"x-hub-signature": sha1}, (account(),))


@pytest.mark.parametrize("secret", ["", "   "])
def test_an_empty_secret_accepts_nothing_not_even_what_it_would_sign(secret: str) -> None:
    for key in (b"", secret.encode()):
        with pytest.raises(Forged):
            verify(BODY, "sha256=" + hmac.new(key, BODY, hashlib.sha256).hexdigest(), account(secret))


def test_without_accounts_everything_is_forged() -> None:
    with pytest.raises(Forged):
        ADAPTER.verify(BODY, {"x-hub-signature-256": SIGNATURE}, ())


@given(st.binary(max_size=200))
def test_whatever_the_secret_signs_is_genuine_and_a_changed_byte_is_not(body: bytes) -> None:
    signature = "sha256=" + hmac.new(b"appsecret123", body, hashlib.sha256).hexdigest()
    verify(body, signature)
    with pytest.raises(Forged):
        verify(body + b" ", signature)


HANDSHAKE = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "let me in"}


def test_a_handshake_with_our_token_is_answered_with_the_challenge_verbatim() -> None:
    assert ADAPTER.challenge(HANDSHAKE, (account(token="another"), account())) == "1158201444"


@pytest.mark.parametrize(
    "change",
    [
        {"hub.verify_token": "wrong"},
        {"hub.verify_token": ""},
        {"hub.verify_token": "ü"},
        {"hub.mode": "unsubscribe"},
        {"hub.mode": ""},
        {"hub.challenge": ""},
    ],
)
def test_any_other_handshake_is_not_answered(change: dict[str, str]) -> None:
    assert ADAPTER.challenge(HANDSHAKE | change, (account(),)) is None


def test_a_handshake_with_nothing_or_against_an_empty_token_is_not_answered() -> None:
    assert ADAPTER.challenge({}, (account(),)) is None
    assert ADAPTER.challenge(HANDSHAKE | {"hub.verify_token": ""}, (account(token=""),)) is None
    assert ADAPTER.challenge(HANDSHAKE, ()) is None
