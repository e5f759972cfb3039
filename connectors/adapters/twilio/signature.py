"""Whether Twilio sent it: X-Twilio-Signature over the configured public URL and every parameter (twilio.md §2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hmac import compare_digest

from twilio.request_validator import RequestValidator, get_signature_algorithm

from connectors.adapters.twilio.parameters import Parameters
from connectors.errors import Forged
from connectors.messages import Account

SECRETS = ("auth_token", "previous_auth_token", "webhook_shared_key")


def verify(body: bytes, headers: Mapping[str, str], accounts: Sequence[Account]) -> None:
    """Raise `Forged` unless an account whose AccountSid is named in the form signed the request."""
    signature = headers.get("x-twilio-signature", "")
    if not signature:
        raise Forged("The request is not signed.")
    try:
        parameters = Parameters.of(body)
    except ValueError as error:
        raise Forged("The request is not a form.") from error
    named = parameters.first("AccountSid")
    ours = [account for account in accounts if _names(named, account)]
    if not ours:
        raise Forged("The request speaks for an account that is not ours.")
    algorithm = get_signature_algorithm(headers.get("x-twilio-webhooks-signature-settings", ""))
    query = headers.get("x-query-string", "")
    # A list, not a generator: every candidate is computed, so the time tells nothing.
    verdicts = [
        RequestValidator(secret).validate(url + (f"?{query}" if query else ""), parameters, signature, algorithm)
        for url, secret in _candidates(ours)
    ]
    if not any(verdicts):
        raise Forged("The signature of the request is wrong.")


def _names(sid: str, account: Account) -> bool:
    own = account.secrets.get("account_sid", "")
    return bool(own) and compare_digest(sid.encode(), own.encode())


def _candidates(accounts: Sequence[Account]) -> Iterator[tuple[str, str]]:
    """(URL, secret) pairs. An empty secret would sign anything, so it is none."""
    for account in accounts:
        for name in SECRETS:
            secret = account.secrets.get(name, "")
            if secret and account.webhook_url:
                yield account.webhook_url, secret
