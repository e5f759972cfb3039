"""SMS and MMS through Twilio (reference/twilio.md). WhatsApp goes the same way (adapters/whatsapp).

`Account.secrets`: account_sid, auth_token; optional previous_auth_token (while tokens are being changed) and
webhook_shared_key (webhooks signed with a SharedKey). `Account.options`, all optional: messaging_service_sid;
from_name (what the first text in a case begins with); other_programs (set: other programs send from this number too,
so what was not sent from here answers nothing). `Account.addresses`: our numbers in E.164. Status callbacks arrive at
the same webhook URL plus `?delivery=<our id>`; the caller passes the raw query string as the header `x-query-string`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from connectors.adapters.base import Limits
from connectors.adapters.steps import Step
from connectors.adapters.twilio import check, media, parse, recent, send, signature
from connectors.adapters.twilio.limits import SmsLimits
from connectors.adapters.twilio.steps import STEPS
from connectors.errors import ConnectionLost
from connectors.messages import (
    Account,
    Attachment,
    Channel,
    Check,
    Grant,
    Heard,
    Item,
    Known,
    OutboundMessage,
    Profile,
    RawInput,
    Renewal,
    Sent,
    Skipped,
)


class TwilioAdapter:
    channel: ClassVar[Channel] = Channel.SMS
    identity_kind: ClassVar[str] = "phone"
    receives_webhooks: ClassVar[bool] = True
    # Anything else Twilio would text to the customer, or log as an error.
    webhook_answer: ClassVar[tuple[str, str]] = ("text/xml", '<?xml version="1.0" encoding="UTF-8"?><Response />')
    steps: ClassVar[Sequence[Step]] = STEPS
    own_address: ClassVar[str] = "Phone number"
    prefix: ClassVar[str] = ""  # what Twilio writes before an address of this channel

    def __init__(self) -> None:
        self.limits: Limits = SmsLimits()

    def verify(self, body: bytes, headers: Mapping[str, str], accounts: Sequence[Account]) -> None:
        signature.verify(body, headers, accounts)

    def parse(self, raw: RawInput) -> list[Item]:
        return parse.items(raw)

    def fetch_media(self, account: Account, attachment: Attachment) -> Attachment:
        return media.fetch(account, attachment)

    def send(self, account: Account, message: OutboundMessage) -> Sent:
        return send.send(account, message, self.prefix)

    def look_up(self, account: Account, message: OutboundMessage) -> Sent | None:
        return send.look_up(account, message, self.prefix)

    def door(self, account: Account, text: str) -> str:
        """`?&body=` is what both iOS and Android read; RFC 5724 alone is not enough for iOS."""
        return f"sms:{account.addresses[0]}?&body={quote(text)}"

    def profile(self, account: Account, address: str) -> Profile | None:
        """None: Twilio knows a number, not a person."""
        return None

    def sign_in_url(self, account: Account, redirect: str, state: str) -> str:
        return ""

    def grants(self, account: Account, code: str, redirect: str) -> list[Grant]:
        raise ConnectionLost("Twilio has no sign-in of this kind.")

    def check(self, account: Account) -> list[Check]:
        return check.checks(account)

    def renew(self, account: Account) -> Renewal | None:
        return None  # an auth token does not end by itself

    def recent(self, account: Account, since: datetime, skipped: Sequence[Skipped], known: Known) -> Heard:
        return recent.recent(account, since, known, self.prefix)
