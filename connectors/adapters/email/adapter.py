"""E-mail as the page every adapter fills in.

`account.secrets`: `imap_host`, `imap_port`, `imap_username`, `imap_password`, `imap_security` (ssl or starttls), the
same five with `smtp_`, and `message_id_key`, the secret behind our own Message-IDs. Instead of the passwords those of
`oauth.py`.
`account.options`: `folder` (default INBOX; several between semicolons), `sent_folder`, `read_junk`, `start` (days
back, or all), `after_import` (flag or move) and `done_folder` say what is read; `from_name`, `signature` and `no_plus`
how mail leaves; `authserv_id` names the mail server whose Authentication-Results count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from connectors.adapters.base import BACK_OFF, Limits
from connectors.adapters.email import check, child, oauth, smtp, unsubscribing
from connectors.adapters.email.imap import Mailbox
from connectors.adapters.email.message_id import seal
from connectors.adapters.email.steps import STEPS
from connectors.adapters.steps import Step
from connectors.errors import ConnectionLost, FetchFailed, Forged
from connectors.messages import (
    Account,
    Attachment,
    Channel,
    Check,
    Closing,
    EmailHeaders,
    Grant,
    Heard,
    Item,
    Known,
    Limit,
    OutboundMessage,
    Profile,
    RawInput,
    Refusal,
    Renewal,
    Sent,
    Skipped,
    Standing,
)


class EmailLimits:
    """A mail has no length anybody reaches; base64 makes 15 MB of files the 20 MB most servers take.

    A mail server may be away for a night: mail is tried for about 48 hours, as servers do among themselves.
    """

    max_files = 20
    max_file_bytes = 15 * 1024 * 1024
    max_total_bytes = 15 * 1024 * 1024
    has_subject = True
    has_copies = True
    has_rich_text = True
    files_apart = False
    asks_before_first = False
    introduces_us = False
    back_off: Sequence[int] = (*BACK_OFF[:4], *[3600] * 47)

    def split(self, text: str) -> list[str]:
        return [text]

    def count(self, text: str) -> Limit:
        return Limit(used=len(text), room=0, parts=1, unit="characters")

    def refusal(self, standing: Standing) -> Refusal | None:
        return None

    def file_trouble(self, name: str, content_type: str, size: int) -> str:
        return ""

    def closing(self, standing: Standing) -> Closing | None:
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
        return smtp.send(account, _signed(account, message))

    def look_up(self, account: Account, message: OutboundMessage) -> Sent | None:
        """Some servers put what they took into the Sent folder: there it proves itself. Else nobody can tell."""
        sought = message.email.message_id if message.email else ""
        return Sent(sought) if sought and _was_sent(account, sought) else None

    def door(self, account: Account, text: str) -> str:
        """RFC 6068."""
        return f"mailto:{quote(account.addresses[0], safe='@+')}?subject={quote(text)}&body={quote(text)}"

    def profile(self, account: Account, address: str) -> Profile | None:
        return None

    def sign_in_url(self, account: Account, redirect: str, state: str) -> str:
        return oauth.consent_url(account.secrets, redirect=redirect, state=state, mailbox=account.addresses[0])

    def grants(self, account: Account, code: str, redirect: str) -> list[Grant]:
        return [oauth.grant(account, code=code, redirect=redirect)]

    def check(self, account: Account) -> list[Check]:
        return check.checks(account)

    def renew(self, account: Account) -> Renewal | None:
        return oauth.renew(account)

    def recent(self, account: Account, since: datetime, skipped: Sequence[Skipped], known: Known) -> Heard:
        return Heard()  # a mailbox is read to its end


def _signed(account: Account, message: OutboundMessage) -> OutboundMessage:
    """With the mailbox's name and signature, and without a reply token where plus addresses do not arrive."""
    options = account.options
    message = replace(message, sender_name=message.sender_name or options.get("from_name", ""))
    signature = options.get("signature", "").replace("\r\n", "\n").strip()
    if message.automatic:
        message = replace(message, quoted="")  # whose words they are is not proven
        message = replace(message, email=_can_be_unsubscribed(account, message))
    elif signature:
        message = replace(message, text=f"{message.text.rstrip()}\n\n-- \n{signature}")
    if options.get("no_plus") == "yes" and message.email:
        message = replace(message, email=replace(message.email, reply_to=""))
    return message


def _can_be_unsubscribed(account: Account, message: OutboundMessage) -> EmailHeaders | None:
    key = account.secrets.get("message_id_key", "")
    if message.email is None or not key:
        return message.email
    return replace(message.email, unsubscribe=unsubscribing.subject(message.delivery, seal(key.encode())))


def _was_sent(account: Account, message_id: str) -> bool:
    try:
        with Mailbox.open(account) as mailbox:
            folder = account.options.get("sent_folder") or mailbox.special("\\Sent")
            if not folder or folder == "none":
                return False
            mailbox.select(folder)
            return bool(mailbox.find(message_id))
    except ConnectionLost:
        return False
