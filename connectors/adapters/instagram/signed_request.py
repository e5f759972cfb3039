"""Meta's word that somebody took our permission back, or wants their data deleted (instagram.md §13)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence

from connectors.adapters.instagram.fields import text
from connectors.errors import Forged
from connectors.messages import Account


def whose(signed: str, accounts: Sequence[Account]) -> str:
    """The id of whom it is about; raises `Forged` unless one of the accounts' apps signed it.

    The signature is over the payload as it is encoded, not over what it says.
    """
    signature, _, payload = signed.partition(".")
    try:
        given, document = _decoded(signature), json.loads(_decoded(payload))
    except (binascii.Error, UnicodeEncodeError, ValueError, RecursionError) as error:
        raise Forged("The request cannot be read.") from error
    secrets = {secret for account in accounts for secret in account.secrets.get("app_secret", "").split()}
    verdicts = [
        hmac.compare_digest(given, hmac.digest(each.encode(), payload.encode(), hashlib.sha256)) for each in secrets
    ]
    if not isinstance(document, dict) or text(document, "algorithm").upper() != "HMAC-SHA256" or not any(verdicts):
        raise Forged("The signature of the request is wrong.")
    if not (person := text(document, "user_id")):
        raise Forged("The request names nobody.")
    return person


def is_about(person: str, account: Account) -> bool:
    """Meta names the owner by the app-scoped id; which of the two it is for Instagram's own sign-in is not written."""
    return person in {account.options.get("app_user_id", ""), *account.addresses}


def _decoded(encoded: str) -> bytes:
    return base64.urlsafe_b64decode(encoded.encode("ascii") + b"=" * (-len(encoded) % 4))
