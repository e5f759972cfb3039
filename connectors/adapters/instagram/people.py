"""Who an Instagram-scoped id is (instagram.md §9)."""

from __future__ import annotations

import re

import requests

from connectors.adapters.instagram.fields import text
from connectors.adapters.instagram.graph import call
from connectors.messages import Account, Profile


def profile(account: Account, address: str) -> Profile | None:
    """Name and handle; None when Instagram does not tell (no consent, blocked, unknown) or does not answer."""
    if not re.fullmatch(r"\d{1,40}", address):
        return None  # it becomes part of a path
    try:
        answer = call(account, "GET", address, query={"fields": "name,username"})
    except requests.RequestException:
        return None
    found = Profile(name=text(answer.body, "name"), handle=text(answer.body, "username"))
    return found if answer.is_ok and found != Profile() else None
