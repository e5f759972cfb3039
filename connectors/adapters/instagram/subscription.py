"""Which events Meta posts to us for an account (instagram.md §1, §5)."""

from __future__ import annotations

import requests

from connectors.adapters.instagram.errors import lost
from connectors.adapters.instagram.fields import parts, text
from connectors.adapters.instagram.graph import Answer, call, is_page
from connectors.errors import ConnectionLost
from connectors.messages import Account

NEEDED = "messages"
FIELDS = (
    NEEDED,
    "message_reactions",
    "messaging_postbacks",
    "messaging_referral",
    "messaging_seen",
    "message_edit",
    "message_echoes",
    "messaging_handover",
    "standby",
)
PAGE_FIELDS = (NEEDED,)  # Instagram's own names are refused on a page; they are ticked in Meta's dashboard
BAD_FIELD = 100


def subscribe(account: Account) -> list[str]:
    """Asks for everything we understand; returns what Meta took. Raises `ConnectionLost`.

    One name Meta does not know spoils the whole call, and its pages spell some in two ways: then one by one.
    """
    fields = PAGE_FIELDS if is_page(account) else FIELDS
    answer = _ask(account, "POST", *fields)
    if answer.is_ok:
        return list(fields)
    if answer.code != BAD_FIELD:
        raise lost(answer)
    taken = [field for field in fields if _ask(account, "POST", field).is_ok]
    if NEEDED not in taken:
        raise ConnectionLost("Instagram does not let our app hear of messages. Check its permissions at Meta.")
    return taken


def subscribed(account: Account) -> list[str]:
    """What Meta posts for this account now. Raises `ConnectionLost`."""
    answer = _ask(account, "GET")
    if not answer.is_ok:
        raise lost(answer)
    apps = parts(answer.body.get("data"))
    named = [app.get("subscribed_fields") for app in apps]
    fields = [field for each in named if isinstance(each, list) for field in each]
    # Seen as plain names and as objects with a name.
    return sorted({field if isinstance(field, str) else text(field, "name") for field in fields} - {""})


def keep(account: Account) -> None:
    """Subscribes again where Meta has stopped telling us: it does so after an hour without answers of ours."""
    if NEEDED not in subscribed(account):
        subscribe(account)


def _ask(account: Account, method: str, *fields: str) -> Answer:
    query = {"subscribed_fields": ",".join(fields)} if fields else {}
    try:
        return call(account, method, "me/subscribed_apps", query=query)
    except requests.RequestException as error:
        raise ConnectionLost("Instagram could not be reached.") from error
