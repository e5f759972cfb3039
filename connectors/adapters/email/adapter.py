"""E-mail as the page every adapter fills in.

`account.secrets`: `imap_host`, `imap_port`, `imap_username`, `imap_password`, `imap_security` (ssl or starttls), the
same five with `smtp_`, and `message_id_key`, the secret behind our own Message-IDs. Instead of the passwords those of
`oauth.py`.
`account.options`: `folder` (default INBOX), `from_name`, `authserv_id` (the mail server whose Authentication-Results
count).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from connectors.adapters.base import Limits
from connectors.adapters.email import check, child, oauth, smtp
from connectors.adapters.email.steps import STEPS
from connectors.adapters.steps import Step
from connectors.errors import ConnectionLost, FetchFailed, Forged
from connectors.messages import (
    Account,
    Attachment,
    Channel,
    Check,
    Grant,
    Item,
    Limit,
    Missed,
    OutboundMessage,
    Profile,
    RawInput,
    Refusal,
    Renewal,
    Sent,
    Standing,
)


class EmailLimits:
    """A mail has no length anybody reaches; base64 makes 15 MB of files the 20 MB most servers take."""

    max_files = 20
    max_file_bytes = 15 * 1024 * 1024
    max_total_bytes = 15 * 1024 * 1024
    has_subject = True
    has_copies = True
    has_rich_text = True
    files_apart = False

    def split(self, text: str) -> list[str]:
        return [text]

    def count(self, text: str) -> Limit:
        return Limit(used=len(text), room=0, parts=1, unit="characters")

    def refusal(self, standing: Standing) -> Refusal | None:
        return None


class EmailAdapter:
    channel: ClassVar[Channel] = Channel.EMAIL
    identity_kind: ClassVar[str] = "email"
    receives_webhooks: ClassVar[bool] = False
    webhook_answer: ClassVar[tuple[str, str]] = ("text/plain", "")
    steps: ClassVar[Sequence[Step]] = STEPS
    own_address: ClassVar[str] = "Address"
    limits: Limits = EmailLimits()

    def verify(self, body: bytes, headers: Mapping[str, str], accounts: Sequence[Account]) -> None:
        raise Forged("Mail comes by IMAP, never by webhook.")

    def parse(self, raw: RawInput) -> list[Item]:
        return child.read(raw)

    def fetch_media(self, account: Account, attachment: Attachment) -> Attachment:
        if attachment.content is None:
            raise FetchFailed("The file was not in the mail.", permanent=True)
        return attachment

    def send(self, account: Account, message: OutboundMessage) -> Sent:
        named = message.sender_name or account.options.get("from_name", "")
        return smtp.send(account, replace(message, sender_name=named))

    def look_up(self, account: Account, message: OutboundMessage) -> Sent | None:
        return None  # no mail server tells whether it took a mail

    def door(self, account: Account, text: str) -> str:
        """RFC 6068."""
        return f"mailto:{quote(account.addresses[0], safe='@+')}?subject={quote(text)}&body={quote(text)}"

    def profile(self, account: Account, address: str) -> Profile | None:
        return None

    def sign_in_url(self, account: Account, redirect: str, state: str) -> str:
        return ""

    def grants(self, account: Account, code: str, redirect: str) -> list[Grant]:
        raise ConnectionLost("This mailbox signs in with its password.")

    def check(self, account: Account) -> list[Check]:
        return check.checks(account)

    def renew(self, account: Account) -> Renewal | None:
        return oauth.renew(account)

    def recent(self, account: Account, since: datetime) -> list[Missed]:
        return []  # a mailbox is read to its end
