"""Handing a message to Twilio, and asking later whether it got there (twilio.md §4)."""

from __future__ import annotations

from datetime import UTC

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from connectors.adapters.twilio.errors import RETRY_SECONDS, explain, failure
from connectors.adapters.twilio.parse import STATUSES
from connectors.adapters.wire import never_left
from connectors.errors import SendFailed, SendUnknown
from connectors.messages import Account, DeliveryStatus, OutboundMessage, Sent

TIMEOUT_SECONDS = 10  # the SDK's client has none by itself
LOOK_UP_PAGE = 50
UNREADABLE = (AttributeError, TypeError, ValueError)  # what the SDK raises on JSON of another shape
TRIAL_PREFIX = "Sent from your Twilio trial account - "


class RetryAfter:
    """Listens to the SDK's answers: its exceptions leave out the header that says how long to wait."""

    seconds: int | None = None

    def __call__(self, response: requests.Response, *args: object, **kwargs: object) -> None:
        asked = response.headers.get("Retry-After", "")
        self.seconds = int(asked) if asked.isdecimal() and len(asked) < 7 else None


def send(account: Account, message: OutboundMessage) -> Sent:
    """One text or MMS. Raises `SendFailed` or `SendUnknown`.

    Twilio has no idempotency key, so whatever is not a clear no may have gone out.
    """
    retry_after = RetryAfter()
    client = _client(account, retry_after)
    addressing = {"to": message.to.address, "from_": message.sender}
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
        created = client.messages.create(**{name: value for name, value in addressing.items() if value}, **extras)
    except (TwilioRestException, TwilioServiceException) as error:
        raise _refusal(error, retry_after.seconds) from error
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
        raise SendFailed(explain(code, created.error_message or ""), permanent=True, code=code)
    return sent


def look_up(account: Account, message: OutboundMessage) -> Sent | None:
    """The message with the same words, files, sender and recipient since `created_at`; None when there is none.

    A picture without words looks like any other, so nobody can say.
    """
    if not message.text.strip():
        return None
    since = {"date_sent_after": message.created_at.astimezone(UTC)} if message.created_at else {}
    try:
        client = _client(account, RetryAfter())
        listed = client.messages.list(to=message.to.address, limit=LOOK_UP_PAGE, **since)
    except (SendFailed, TwilioException, requests.RequestException, *UNREADABLE):
        return None  # nobody can say
    return next((_sent(candidate) for candidate in listed if _is_same(candidate, message)), None)


def account_name(account: Account) -> str:
    """What Twilio calls this account; raises a `ConnectorError` when it does not tell."""
    retry_after = RetryAfter()
    try:
        found = _client(account, retry_after).api.v2010.account.fetch()
    except (TwilioRestException, TwilioServiceException) as error:
        raise _refusal(error, retry_after.seconds) from error
    except (TwilioException, requests.RequestException, *UNREADABLE) as error:
        raise SendFailed("Twilio could not be reached.", permanent=False, retry_after=RETRY_SECONDS) from error
    return str(found.friendly_name)


def _client(account: Account, retry_after: RetryAfter) -> Client:
    account_sid, token = account.secrets.get("account_sid", ""), account.secrets.get("auth_token", "")
    if not account_sid or not token:
        raise SendFailed(
            "This number has no Twilio credentials. An administrator must reconnect it.", permanent=True, reconnect=True
        )
    http = TwilioHttpClient(timeout=TIMEOUT_SECONDS, request_hooks={"response": retry_after})
    # An environment of our own: the SDK reads TWILIO_REGION and TWILIO_EDGE and would change the host.
    client = Client(account_sid, token, account_sid, http_client=http, environment={"TWILIO_REGION": ""})
    client.api.base_url = settings.TWILIO_API_URL.rstrip("/")
    return client


def _refusal(error: TwilioRestException | TwilioServiceException, retry_after: int | None) -> SendFailed | SendUnknown:
    if error.status >= 500:
        return SendUnknown(f"Twilio had a failure of its own ({error.status}), so the text may have gone out.")
    if isinstance(error, TwilioServiceException):
        return failure(error.status, error.code, error.detail or error.title, retry_after)
    return failure(error.status, error.code or error.status, error.msg, retry_after)


def _sent(message: MessageInstance) -> Sent:
    return Sent(str(message.sid), STATUSES.get(str(message.status or ""), DeliveryStatus.QUEUED))


def _is_same(candidate: MessageInstance, message: OutboundMessage) -> bool:
    words = (candidate.body or "").removeprefix(TRIAL_PREFIX).strip()
    return (
        str(candidate.direction or "").startswith("outbound")
        and candidate.from_ == message.sender
        and words == message.text.strip()
        and int(candidate.num_media or 0) == len(message.files)
    )
