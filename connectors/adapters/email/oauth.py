"""Signing in to Google and Microsoft mailboxes without a password (XOAUTH2; reference/email.md §1.3).

`account.secrets`: `oauth_provider` (google or microsoft), `oauth_client_id`, `oauth_client_secret`, `oauth_tenant`
(Microsoft; default `common`), `oauth_refresh_token`, and what we keep beside them: `oauth_access_token` and
`oauth_expires_at` (ISO 8601). An access token lives about an hour; a refresh token may change each time it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import requests

from connectors.errors import ConnectionLost
from connectors.messages import Account, Grant, Renewal

SECONDS = 20.0
EARLY = timedelta(minutes=10)  # what is left when a new one is fetched
MARGIN = timedelta(seconds=30)  # less than this is as good as over
DEAD = {"invalid_grant", "invalid_client", "unauthorized_client", "interaction_required", "consent_required"}


@dataclass(frozen=True, slots=True)
class Provider:
    """Where one provider asks for consent and gives tokens, and its mail servers. `{tenant}` is filled in."""

    consent: str
    token: str
    scope: str
    servers: Mapping[str, str]
    asks: Mapping[str, str] = field(default_factory=dict)


PROVIDERS = {
    "google": Provider(
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        "https://mail.google.com/",
        {"imap_host": "imap.gmail.com", "smtp_host": "smtp.gmail.com"},
        {"access_type": "offline", "prompt": "consent"},  # without both there is no refresh token
    ),
    "microsoft": Provider(
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
        "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access",
        {"imap_host": "outlook.office365.com", "smtp_host": "smtp.office365.com"},
        {"prompt": "consent"},
    ),
}


def is_used(secrets: Mapping[str, str]) -> bool:
    return bool(secrets.get("oauth_provider"))


def sasl(username: str, token: str) -> bytes:
    """The initial client response of XOAUTH2, before base64."""
    return f"user={username}\x01auth=Bearer {token}\x01\x01".encode()


def access_token(secrets: Mapping[str, str]) -> str:
    """The token to sign in with now; raises `ConnectionLost` while the old one has ended and no new one is here."""
    expires = _moment(secrets.get("oauth_expires_at", ""))
    if not secrets.get("oauth_access_token") or (expires and expires - MARGIN < datetime.now(UTC)):
        raise ConnectionLost("The sign-in to this mailbox is being renewed.")
    return secrets["oauth_access_token"]


def consent_url(secrets: Mapping[str, str], *, redirect: str, state: str, mailbox: str) -> str:
    """Where the mailbox's owner agrees that we read and send its mail; empty while the app is not known."""
    provider = PROVIDERS.get(secrets.get("oauth_provider", ""))
    if provider is None or not secrets.get("oauth_client_id"):
        return ""
    asked = {
        "client_id": secrets["oauth_client_id"],
        "redirect_uri": redirect,
        "response_type": "code",
        "scope": provider.scope,
        "state": state,
        "login_hint": mailbox,
        **provider.asks,
    }
    return f"{_at(provider.consent, secrets)}?{urlencode(asked)}"


def grant(account: Account, *, code: str, redirect: str) -> Grant:
    """The tokens for the code that came back from the consent page, and the provider's mail servers; raises
    `ConnectionLost`. Whose mailbox it is, the first sign-in there will tell."""
    secrets, mailbox = account.secrets, account.addresses[0]
    given = _ask(secrets, {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect})
    if "refresh_token" not in given:
        raise ConnectionLost("The provider gave no lasting sign-in; agree once more.", reconnect=True)
    username = secrets.get("imap_username") or mailbox
    ways = {"imap_port": "993", "imap_security": "ssl", "smtp_port": "587", "smtp_security": "starttls"}
    servers = {**PROVIDERS[secrets["oauth_provider"]].servers, **ways}
    servers |= {"imap_username": username, "smtp_username": username}
    return Grant(mailbox, mailbox, secrets={**servers, **_renewal(given).secrets})


def renew(account: Account) -> Renewal | None:
    """A new access token when the old one is about to end; None when it is not. Raises `ConnectionLost`."""
    secrets = account.secrets
    if not is_used(secrets):
        return None
    expires = _moment(secrets.get("oauth_expires_at", ""))
    if secrets.get("oauth_access_token") and expires and expires - EARLY > datetime.now(UTC):
        return None
    if not secrets.get("oauth_refresh_token"):
        raise ConnectionLost("This mailbox has not been signed in to yet.", reconnect=True)
    return _renewal(_ask(secrets, {"grant_type": "refresh_token", "refresh_token": secrets["oauth_refresh_token"]}))


def _renewal(given: Mapping[str, Any]) -> Renewal:
    try:
        lives = timedelta(seconds=int(given.get("expires_in", 3600)))
    except (TypeError, ValueError, OverflowError):
        lives = timedelta(hours=1)
    kept = {
        "oauth_access_token": str(given["access_token"]),
        "oauth_expires_at": (datetime.now(UTC) + lives).isoformat(timespec="seconds"),
    }
    if given.get("refresh_token"):  # rotated; the old one may be dead already
        kept["oauth_refresh_token"] = str(given["refresh_token"])
    return Renewal(secrets=kept)


def _ask(secrets: Mapping[str, str], form: Mapping[str, str]) -> dict[str, Any]:
    provider = PROVIDERS.get(secrets.get("oauth_provider", ""))
    if provider is None:
        raise ConnectionLost("There is no such mail provider: google or microsoft.", reconnect=True)
    who = {"client_id": secrets.get("oauth_client_id", ""), "client_secret": secrets.get("oauth_client_secret", "")}
    try:
        response = requests.post(
            _at(provider.token, secrets), data={**who, **form}, timeout=SECONDS, allow_redirects=False
        )
        given = response.json()
    except requests.RequestException as error:
        raise ConnectionLost("The mail provider's sign-in could not be reached.") from error
    if not isinstance(given, dict):
        raise ConnectionLost("The mail provider's sign-in answered something that cannot be read.")
    if response.status_code == 200 and given.get("access_token"):
        return given
    if given.get("error") in DEAD:
        raise ConnectionLost("The mail provider has ended this sign-in. Sign in again.", reconnect=True)
    raise ConnectionLost("The mail provider gives no sign-in at the moment.")


def _at(url: str, secrets: Mapping[str, str]) -> str:
    tenant = secrets.get("oauth_tenant") or "common"
    if not tenant.replace("-", "").replace(".", "").isalnum():
        raise ConnectionLost("The tenant is a name or an id, nothing else.", reconnect=True)
    return url.format(tenant=tenant)


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
