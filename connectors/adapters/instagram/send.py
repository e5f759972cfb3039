"""Handing a message to Instagram, and asking later whether it got there (instagram.md §8, §10)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from connectors.adapters.instagram.errors import failure
from connectors.adapters.instagram.fields import Fields, part, parts, text
from connectors.adapters.instagram.graph import call
from connectors.adapters.instagram.limits import HUMAN_AGENT_WINDOW, KINDS, WINDOW, InstagramLimits
from connectors.adapters.wire import never_left
from connectors.errors import SendFailed, SendUnknown
from connectors.messages import Account, OutboundMessage, Sent

RETRY_SECONDS = 5
NEARLY_ALL = 95  # percent of what Meta lets us ask; at 100 it takes nothing for up to an hour
PAUSE_SECONDS = 60


def send(account: Account, message: OutboundMessage) -> Sent:
    """A text or one file, never both. Raises `SendFailed` or `SendUnknown`.

    Meta has no idempotency key, so whatever is not a clear no may have gone out.
    """
    if not account.secrets.get("access_token"):
        raise SendFailed(
            "This account is not signed in to Instagram. An administrator must reconnect it.",
            permanent=True,
            reconnect=True,
        )
    document: dict[str, Any] = {"recipient": {"id": message.to.address}, "message": _content(message)}
    document |= _tag(account, message)
    try:
        answer = call(account, "POST", "me/messages", document=document)
    except requests.RequestException as error:
        if never_left(error):
            raise SendFailed(
                "Instagram could not be reached.", permanent=False, retry_after=RETRY_SECONDS, holds_all=True
            ) from error
        raise SendUnknown("Instagram did not answer, so nobody knows whether the message went out.") from error
    if not answer.is_ok:
        raise failure(answer)
    if not (provider_id := text(answer.body, "message_id")):
        raise SendUnknown("Instagram answered without naming the message; it may have gone out.")
    return Sent(provider_id, pause=PAUSE_SECONDS if answer.usage >= NEARLY_ALL else 0)


def look_up(account: Account, message: OutboundMessage) -> Sent | None:
    """Our message with the same words since `created_at` in the conversation; None when it is not among the newest 20.

    A file carries no words to know it by, so nobody can say.
    """
    if not message.text:
        return None
    try:
        found = call(account, "GET", "me/conversations", query={"platform": "instagram", "user_id": message.to.address})
        conversations = parts(found.body.get("data")) if found.is_ok else []
        for conversation in conversations:
            fields = "messages{id,created_time,from,to,message}"
            answer = call(account, "GET", text(conversation, "id"), query={"fields": fields})
            for listed in parts(part(answer.body, "messages").get("data")):
                if _is_same(listed, account, message):
                    return Sent(text(listed, "id"))
    except requests.RequestException:
        return None
    return None


def _content(message: OutboundMessage) -> dict[str, Any]:
    if not message.files:
        return {"text": message.text}
    if message.text or len(message.files) > 1:
        raise SendFailed("Instagram takes a text and each file as messages of their own.", permanent=True)
    file = message.files[0]
    if not file.url:
        raise SendFailed("The file has no public address from which Instagram could fetch it.", permanent=True)
    if trouble := InstagramLimits().file_trouble(file.name, file.content_type, file.size):
        raise SendFailed(trouble, permanent=True)
    return {"attachment": {"type": KINDS[file.content_type], "payload": {"url": file.url}}}


def _tag(account: Account, message: OutboundMessage) -> dict[str, str]:
    """Between 24 hours and 7 days only a person may answer, and only where Meta has approved it (§10)."""
    if message.last_inbound_at is None or message.automatic or account.options.get("human_agent") != "yes":
        return {}
    age = datetime.now(UTC) - message.last_inbound_at
    if WINDOW < age <= HUMAN_AGENT_WINDOW:
        return {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    return {}


def _is_same(listed: Fields, account: Account, message: OutboundMessage) -> bool:
    if text(part(listed, "from"), "id") not in {message.sender, *account.addresses}:
        return False
    if text(listed, "message").strip() != message.text.strip() or not text(listed, "id"):
        return False
    try:
        created = datetime.strptime(text(listed, "created_time"), "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return False
    # Meta's times are whole seconds.
    return message.created_at is None or created > message.created_at - timedelta(seconds=1)
