"""Handing a message to Twilio, and asking later whether it got there (twilio.md §4).

`prefix` is what Twilio writes before a number on another channel than SMS: `whatsapp:`.
"""

from __future__ import annotations

from datetime import UTC, timedelta

import requests
from twilio.base.exceptions import TwilioException
from twilio.rest.api.v2010.account.message import MessageInstance

from connectors.adapters.twilio.client import NO_ANSWER, REFUSED, UNREADABLE, RetryAfter, client_of, refusal
from connectors.adapters.twilio.errors import RETRY_SECONDS, explain, has_opted_out
from connectors.adapters.twilio.parse import STATUSES
from connectors.adapters.wire import never_left
from connectors.errors import SendFailed, SendUnknown
from connectors.messages import Account, DeliveryStatus, OutboundMessage, Sent

LOOK_UP_PAGE = 50
CLOCKS_DIFFER = timedelta(minutes=1)
TRIAL_PREFIX = "Sent from your Twilio trial account - "


def send(account: Account, message: OutboundMessage, prefix: str = "") -> Sent:
    """One text or picture message. Raises `SendFailed` or `SendUnknown`.

    Twilio has no idempotency key, so whatever is not a clear no may have gone out.
    """
    retry_after = RetryAfter()
    client = client_of(account, retry_after)
    addressing = {"to": prefix + message.to.address, "from_": prefix + message.sender}
    if service := account.options.get("messaging_service_sid", ""):
        # Together they mean: this sender of that pool, so the customer keeps the number they know.
        addressing["messaging_service_sid"] = service
    if not all(file.url for file in message.files):
        raise SendFailed("A file has no public address from which Twilio could fetch it.", permanent=True)
    extras: dict[str, str | list[str]] = {}
    if message.text:
        extras["body"] = message.text
    if message.files:
        extras["media_url"] = [file.url for file in message.files]
    if message.status_callback:
        extras["status_callback"] = message.status_callback
    try:
        created = client.messages.create(**addressing, **extras)
    except REFUSED as error:
        raise refusal(error, retry_after.seconds) from error
    except requests.RequestException as error:
        if never_left(error):
            raise SendFailed("Twilio could not be reached.", permanent=False, retry_after=RETRY_SECONDS) from error
        raise SendUnknown("Twilio did not answer, so nobody knows whether the text went out.") from error
    except (TwilioException, *UNREADABLE) as error:
        raise SendUnknown("Twilio answered something we could not read; the text may have gone out.") from error
    if not created.sid:
        raise SendUnknown("Twilio answered without naming the message; it may have gone out.")
    sent = _sent(created)
    if sent.status is DeliveryStatus.FAILED:
        code = str(created.error_code or "")
        words = explain(code, created.error_message or "")
        raise SendFailed(words, permanent=True, code=code, opted_out=has_opted_out(code))
    return sent


def look_up(account: Account, message: OutboundMessage, prefix: str = "") -> Sent | None:
    """The message with the same words, files, sender and recipient since `created_at`; None when there is none.

    A picture without words looks like any other, so nobody can say.
    """
    if not message.text.strip():
        return None
    since = {"date_sent_after": message.created_at.astimezone(UTC) - CLOCKS_DIFFER} if message.created_at else {}
    try:
        client = client_of(account)
        listed = client.messages.list(to=prefix + message.to.address, limit=LOOK_UP_PAGE, **since)
    except (SendFailed, *NO_ANSWER):
        return None  # nobody can say
    ours = prefix + message.sender
    return next((_sent(candidate) for candidate in listed if _is_same(candidate, message, ours)), None)


def account_name(account: Account) -> str:
    """What Twilio calls this account; raises a `ConnectorError` when it does not tell."""
    retry_after = RetryAfter()
    try:
        found = client_of(account, retry_after).api.v2010.account.fetch()
    except REFUSED as error:
        raise refusal(error, retry_after.seconds) from error
    except NO_ANSWER as error:
        raise SendFailed("Twilio could not be reached.", permanent=False, retry_after=RETRY_SECONDS) from error
    return str(found.friendly_name)


def _sent(message: MessageInstance) -> Sent:
    return Sent(str(message.sid), STATUSES.get(str(message.status or ""), DeliveryStatus.QUEUED))


def _is_same(candidate: MessageInstance, message: OutboundMessage, ours: str) -> bool:
    words = (candidate.body or "").removeprefix(TRIAL_PREFIX).strip()
    return (
        str(candidate.direction or "").startswith("outbound")
        and candidate.from_ == ours
        and words == message.text.strip()
        and int(candidate.num_media or 0) == len(message.files)
    )
