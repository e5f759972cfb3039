"""Twilio's SDK, made to behave: a time-out, one host, and what its refusals mean."""

from __future__ import annotations

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from connectors.adapters.twilio.errors import failure
from connectors.errors import SendFailed, SendUnknown
from connectors.messages import Account

TIMEOUT_SECONDS = 10  # the SDK's client has none by itself
REFUSED = (TwilioRestException, TwilioServiceException)
UNREADABLE = (AttributeError, TypeError, ValueError)  # what the SDK raises on JSON of another shape
NO_ANSWER = (TwilioException, requests.RequestException, *UNREADABLE)  # anything else that can go wrong


class RetryAfter:
    """Listens to the SDK's answers: its exceptions leave out the header that says how long to wait."""

    seconds: int | None = None

    def __call__(self, response: requests.Response, *args: object, **kwargs: object) -> None:
        asked = response.headers.get("Retry-After", "")
        self.seconds = int(asked) if asked.isdecimal() and len(asked) < 7 else None


def client_of(account: Account, retry_after: RetryAfter | None = None) -> Client:
    """Raises `SendFailed` when the account has no credentials."""
    account_sid, token = account.secrets.get("account_sid", ""), account.secrets.get("auth_token", "")
    if not account_sid or not token:
        raise SendFailed(
            "This number has no Twilio credentials. An administrator must reconnect it.", permanent=True, reconnect=True
        )
    http = TwilioHttpClient(timeout=TIMEOUT_SECONDS, request_hooks={"response": retry_after or RetryAfter()})
    # An environment of our own: the SDK reads TWILIO_REGION and TWILIO_EDGE and would change the host.
    client = Client(account_sid, token, account_sid, http_client=http, environment={"TWILIO_REGION": ""})
    client.api.base_url = settings.TWILIO_API_URL.rstrip("/")
    return client


def refusal(error: TwilioRestException | TwilioServiceException, retry_after: int | None) -> SendFailed | SendUnknown:
    if error.status >= 500:
        return SendUnknown(f"Twilio had a failure of its own ({error.status}), so the text may have gone out.")
    if isinstance(error, TwilioServiceException):
        return failure(error.status, error.code, error.detail or error.title, retry_after)
    return failure(error.status, error.code or error.status, error.msg, retry_after)
