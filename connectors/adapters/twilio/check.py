"""A live test of a number: Twilio answers and takes our credentials."""

from __future__ import annotations

from connectors.adapters.checks import checked
from connectors.adapters.twilio import send
from connectors.messages import Account, Check


def checks(account: Account) -> list[Check]:
    return [
        checked(
            "Sign-in", lambda: _sign_in(account), fix="Copy the account SID and the auth token from Twilio's console."
        ),
    ]


def _sign_in(account: Account) -> str:
    return f"Twilio knows the account “{send.account_name(account)}”."
