"""Whether Meta sent it (instagram.md §3, §4)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from connectors.errors import Forged
from connectors.messages import Account


def verify(body: bytes, headers: Mapping[str, str], accounts: Sequence[Account]) -> None:
    """Raise `Forged` unless one of the app secrets signed exactly these bytes; SHA-1 alone is no proof."""
    given = headers.get("x-hub-signature-256", "").encode()
    if not given:
        raise Forged("The request is not signed.")
    secrets = {secret for account in accounts for secret in account.secrets.get("app_secret", "").split()}
    # A list, not a generator: every secret is tried, so the time tells nothing.
    verdicts = [
        hmac.compare_digest(given, b"sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode())
        for secret in secrets
    ]
    if not any(verdicts):
        raise Forged("The signature of the request is wrong.")


def headers(body: bytes, account: Account) -> dict[str, str]:
    """As Meta signs for this account."""
    secret = next(iter(account.secrets.get("app_secret", "").split()), "")
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def challenge(query: Mapping[str, str], accounts: Sequence[Account]) -> str | None:
    """The challenge, verbatim, when the verify token is one of ours."""
    token = query.get("hub.verify_token", "").encode()
    verdicts = [
        hmac.compare_digest(token, own.encode()) for account in accounts if (own := account.secrets.get("verify_token"))
    ]
    if query.get("hub.mode") != "subscribe" or not any(verdicts):
        return None
    return query.get("hub.challenge") or None
