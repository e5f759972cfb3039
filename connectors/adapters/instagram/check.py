"""A live test of an account: signed in as the right one, allowed, subscribed, and our own address reachable."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime

import requests

from connectors.adapters.checks import checked
from connectors.adapters.instagram import signature, subscription
from connectors.adapters.instagram.errors import lost
from connectors.adapters.instagram.fields import Fields, part, parts, text
from connectors.adapters.instagram.graph import TIMEOUT_SECONDS, call, is_page, nobody
from connectors.errors import ConnectionLost
from connectors.messages import Account, Check

SIGN_IN = "Press “Sign in with Instagram” and allow everything it asks for."
ALLOW = (
    "In the Instagram app: Settings, Messages and story replies, Message controls, Connected tools: switch on “Allow "
    "access to messages”. Then sign in again."
)
REACH = "PUBLIC_URL must be the https address under which the Internet reaches us; enter the webhook address at Meta."
SECRET = "Copy the app secret and the verify token from here to Meta's dashboard, or the other way round."  # noqa: S105


def checks(account: Account) -> list[Check]:
    return [
        checked("Sign-in", lambda: _signed_in(account), fix=SIGN_IN),
        checked("Reading messages", lambda: _may_read(account), fix=ALLOW),
        checked("Subscription", lambda: _is_subscribed(account), fix=SIGN_IN),
        checked("Handshake", lambda: _shakes_hands(account), fix=REACH),
        checked("Webhook", lambda: _takes_a_webhook(account), fix=SECRET),
    ]


def _signed_in(account: Account) -> str:
    fields = "name,instagram_business_account{id,username}" if is_page(account) else "user_id,username,account_type"
    body = _get(account, "me", fields)
    body = part(body, "instagram_business_account") or next(iter(parts(body.get("data"))), body)
    found = text(body, "user_id") or text(body, "id")
    if found not in account.addresses:
        raise ConnectionLost(f"We are signed in as another account ({text(body, 'username') or found}).")
    return f"Signed in as @{text(body, 'username')}."


def _may_read(account: Account) -> str:
    """Creator accounts are said to get no webhooks before this was asked once."""
    _get(account, "me/conversations", "id", platform="instagram", limit="1")
    return "Instagram lets us read this account's messages."


def _is_subscribed(account: Account) -> str:
    if subscription.NEEDED in (fields := subscription.subscribed(account)):
        return f"Instagram tells us of {', '.join(fields)}."
    return f"Instagram did not tell us of messages; now it does: {', '.join(subscription.subscribe(account))}."


def _shakes_hands(account: Account) -> str:
    challenge = secrets.token_hex(8)
    query = {
        "hub.mode": "subscribe",
        "hub.verify_token": account.secrets.get("verify_token", ""),
        "hub.challenge": challenge,
    }
    response = _call_ourselves(requests.Request("GET", account.webhook_url, params=query))
    if response.text != challenge:
        raise ConnectionLost(f"Our own address answered {response.status_code} instead of the handshake.")
    return "Our address answers Meta's handshake."


def _takes_a_webhook(account: Account) -> str:
    """The event of Meta's own “Test” button, signed by us: checked, stored, and then ignored."""
    body = json.dumps({"object": "instagram", "entry": [{"id": "0", "time": _now(), "changes": []}]}).encode()
    headers = {"Content-Type": "application/json", **signature.headers(body, account)}
    response = _call_ourselves(requests.Request("POST", account.webhook_url, data=body, headers=headers))
    if response.status_code != 200:
        raise ConnectionLost(f"Our own address answered a signed webhook with {response.status_code}.")
    return "A signed webhook to our address was taken."


def _call_ourselves(request: requests.Request) -> requests.Response:
    request.auth = nobody
    try:
        with requests.Session() as session:
            return session.send(session.prepare_request(request), timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise ConnectionLost(f"Our own address {request.url} cannot be reached from here.") from error


def _get(account: Account, path: str, fields: str, **query: str) -> Fields:
    try:
        answer = call(account, "GET", path, query={"fields": fields, **query})
    except requests.RequestException as error:
        raise ConnectionLost("Instagram could not be reached.") from error
    if not answer.is_ok:
        raise lost(answer)
    return answer.body


def _now() -> int:
    return round(datetime.now(UTC).timestamp() * 1000)
