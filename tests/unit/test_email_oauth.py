"""Mailboxes at Google and Microsoft: consent, renewal, and signing in with a token on both wires."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses
from pytest_django import Settings

from connectors.adapters.email import EmailAdapter, oauth
from connectors.adapters.email.imap import Mailbox
from connectors.errors import ConnectionLost, SendFailed
from connectors.messages import Account, OutboundMessage, Sender
from tests.payloads.email.servers import Scripted, certificate, server_context, smtp_server

GOOGLE = "https://oauth2.googleapis.com/token"
MICROSOFT = "https://login.microsoftonline.com/shop.example/oauth2/v2.0/token"
REPLY = OutboundMessage("1", Sender("maya@ortiz.example"), "support@shop.example", "Hello")


def secrets(provider: str = "google", *, lasts: timedelta = timedelta(hours=1), **more: str) -> dict[str, str]:
    return {
        "oauth_provider": provider, "oauth_client_id": "our-app", "oauth_client_secret": "app-canary",
        "oauth_tenant": "shop.example", "oauth_refresh_token": "refresh-1", "oauth_access_token": "access-1",
        "oauth_expires_at": (datetime.now(UTC) + lasts).isoformat(), "imap_username": "support@shop.example", **more,
    }  # fmt: skip


def account(kept: dict[str, str]) -> Account:
    return Account("1", ("support@shop.example",), secrets=kept)


@pytest.fixture
def provider() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def test_consent_is_asked_for_exactly_what_mail_needs() -> None:
    google = parse_qs(
        urlsplit(oauth.consent_url(secrets(), redirect="https://h.example/back", state="s", mailbox="a@b.c")).query
    )
    assert google["scope"] == ["https://mail.google.com/"]
    assert google["access_type"] == ["offline"]
    assert google["prompt"] == ["consent"]
    assert (google["state"], google["redirect_uri"], google["login_hint"]) == (
        ["s"], ["https://h.example/back"], ["a@b.c"],
    )  # fmt: skip
    url = oauth.consent_url(secrets("microsoft"), redirect="https://h.example/back", state="s", mailbox="a@b.c")
    assert url.startswith("https://login.microsoftonline.com/shop.example/oauth2/v2.0/authorize?")
    assert "offline_access" in parse_qs(urlsplit(url).query)["scope"][0]
    assert "app-canary" not in url
    assert EmailAdapter().sign_in_url(account({"imap_password": "x"}), "https://h.example/back", "s") == ""


def test_the_code_that_comes_back_becomes_a_lasting_sign_in(provider: responses.RequestsMock) -> None:
    provider.post(GOOGLE, json={"access_token": "new", "refresh_token": "keep", "expires_in": 3599})
    (grant,) = EmailAdapter().grants(account(secrets()), "c0de", "https://h.example/back")
    found = grant.secrets
    assert grant.address == "support@shop.example"
    assert (found["oauth_access_token"], found["oauth_refresh_token"]) == ("new", "keep")
    assert (found["imap_host"], found["smtp_host"]) == ("imap.gmail.com", "smtp.gmail.com")
    assert found["smtp_username"] == "support@shop.example"
    sent = parse_qs(str(provider.calls[0].request.body))
    assert (sent["grant_type"], sent["code"], sent["redirect_uri"]) == (
        ["authorization_code"], ["c0de"], ["https://h.example/back"],
    )  # fmt: skip


def test_a_sign_in_that_would_not_last_is_refused(provider: responses.RequestsMock) -> None:
    provider.post(GOOGLE, json={"access_token": "new", "expires_in": 3599})
    with pytest.raises(ConnectionLost, match="no lasting sign-in"):
        oauth.grant(account(secrets()), code="c0de", redirect="https://h.example/back")


def test_a_token_that_lasts_is_left_alone() -> None:
    assert EmailAdapter().renew(account(secrets(lasts=timedelta(minutes=11)))) is None
    assert EmailAdapter().renew(account({"imap_password": "x"})) is None


def test_a_token_is_renewed_before_it_ends_and_a_new_refresh_token_is_kept(provider: responses.RequestsMock) -> None:
    provider.post(MICROSOFT, json={"access_token": "access-2", "refresh_token": "refresh-2", "expires_in": 3600})
    renewal = EmailAdapter().renew(account(secrets("microsoft", lasts=timedelta(minutes=4))))
    assert renewal is not None
    assert renewal.secrets["oauth_access_token"] == "access-2"
    assert renewal.secrets["oauth_refresh_token"] == "refresh-2"
    lasts = datetime.fromisoformat(renewal.secrets["oauth_expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < lasts <= timedelta(hours=1)
    assert "access-2" not in repr(renewal)


def test_a_refresh_token_that_stays_is_not_forgotten(provider: responses.RequestsMock) -> None:
    provider.post(GOOGLE, json={"access_token": "access-2", "expires_in": 3600})
    renewal = EmailAdapter().renew(account(secrets(lasts=-timedelta(days=2))))
    assert renewal is not None
    assert "oauth_refresh_token" not in renewal.secrets


@pytest.mark.parametrize("error", ["invalid_grant", "interaction_required"])
def test_a_dead_grant_asks_for_a_person(provider: responses.RequestsMock, error: str) -> None:
    provider.post(GOOGLE, status=400, json={"error": error})
    with pytest.raises(ConnectionLost) as caught:
        EmailAdapter().renew(account(secrets(lasts=timedelta())))
    assert caught.value.reconnect


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 503, "json": {"error": "temporarily_unavailable"}},
        {"status": 200, "json": []},
        {"status": 502, "body": "<html>"},
        {"body": requests.ConnectionError("no")},
    ],
)
def test_a_provider_in_trouble_is_asked_again_later(provider: responses.RequestsMock, answer: dict[str, Any]) -> None:
    provider.post(GOOGLE, **answer)
    with pytest.raises(ConnectionLost) as caught:
        EmailAdapter().renew(account(secrets(lasts=timedelta())))
    assert not caught.value.reconnect


def test_a_tenant_cannot_lead_elsewhere() -> None:
    with pytest.raises(ConnectionLost):
        oauth.renew(account(secrets("microsoft", lasts=timedelta(), oauth_tenant="x@evil.example/y")))


class Post:
    """An outgoing server that knows one token."""

    def __init__(self) -> None:
        self.token, self.mails = "access-1", 0

    async def auth_XOAUTH2(self, server: Any, words: list[str]) -> Any:  # noqa: N802
        from aiosmtpd.smtp import AuthResult

        given = base64.b64decode(words[1]).decode()
        if given == f"user=support@shop.example\x01auth=Bearer {self.token}\x01\x01":
            return AuthResult(success=True)
        await server.push("334 " + base64.b64encode(b'{"status":"400"}').decode())
        assert await server._reader.readline() == b"\r\n"
        await server.push("535 5.7.8 Username and Password not accepted")
        return AuthResult(success=False, handled=True)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails += 1
        return "250 OK"


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def wires(pem: Path, settings: Settings) -> None:
    settings.ALLOW_PRIVATE_HOSTS, settings.MAIL_CA_FILE = True, str(pem)


@pytest.mark.usefixtures("wires")
def test_mail_leaves_with_a_token_and_a_refused_one_is_named_so_that_a_new_one_is_fetched(pem: Path) -> None:
    post = Post()
    with smtp_server(post, server_context(pem)) as port:
        mine = account(secrets(smtp_host="127.0.0.1", smtp_port=str(port)))
        EmailAdapter().send(mine, REPLY)
        assert post.mails == 1
        post.token = "another"
        with pytest.raises(SendFailed) as caught:
            EmailAdapter().send(mine, REPLY)
    assert (caught.value.permanent, caught.value.refused, caught.value.retry_after) == (False, True, 30)
    assert caught.value.spent
    assert "access-1" not in str(caught.value)


@pytest.mark.usefixtures("wires")
def test_while_a_sign_in_is_being_renewed_mail_waits_and_is_not_lost(pem: Path) -> None:
    post = Post()
    with smtp_server(post, server_context(pem)) as port:
        ended = account(secrets(smtp_host="127.0.0.1", smtp_port=str(port), lasts=timedelta(seconds=5)))
        with pytest.raises(SendFailed) as caught:
            EmailAdapter().send(ended, REPLY)
    assert not caught.value.permanent
    assert not caught.value.reconnect
    assert caught.value.retry_after == 30
    with pytest.raises(ConnectionLost) as lost:
        Mailbox.open(ended)
    assert not lost.value.reconnect


@pytest.mark.usefixtures("wires")
def test_a_mailbox_is_opened_with_a_token_and_a_refused_one_is_named_so_that_a_new_one_is_fetched(pem: Path) -> None:
    good = base64.b64encode(oauth.sasl("support@shop.example", "access-1")).decode()
    heard: list[str] = []

    def answer(command: str) -> list[bytes]:
        heard.append(command)
        if command == "AUTHENTICATE XOAUTH2":
            return [b"+ "]
        if heard[-2:-1] == ["AUTHENTICATE XOAUTH2"]:
            return [b"%s OK in"] if command == good else [b"+ " + base64.b64encode(b'{"status":"400"}')]
        return [] if command else [b"%s NO [AUTHENTICATIONFAILED] Invalid credentials"]

    server = Scripted(server_context(pem), answer)
    try:
        port = str(server.port)
        Mailbox.open(account(secrets(imap_host="127.0.0.1", imap_port=port))).close()
        with pytest.raises(ConnectionLost) as caught:
            Mailbox.open(account(secrets(imap_host="127.0.0.1", imap_port=port, oauth_access_token="old")))
    finally:
        server.stop()
    assert (caught.value.refused, caught.value.spent) == (True, "old")
    assert not caught.value.reconnect
    assert caught.value.reason == "127.0.0.1 does not accept this sign-in any more."
