"""Instagram direct messages, by Instagram's own sign-in or through a Facebook page (reference/instagram.md).

`Account.secrets`: app_secret (several separated by spaces: any may sign), verify_token, access_token.
`Account.options`: human_agent = "yes" when Meta has approved the 7-day tag for this account; app_id; and what signing
in told: flavour ("instagram" or "page"), username, app_user_id (whom Meta's callbacks name), page_id, permissions,
access_token_expires_at and signed_in_at (ISO 8601).
`Account.addresses[0]`: the professional account's id, which webhooks carry (`17841…`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from connectors.adapters.base import Limits
from connectors.adapters.instagram import check, media, parse, people, recent, send, sign_in, signature
from connectors.adapters.instagram.limits import InstagramLimits
from connectors.adapters.instagram.steps import STEPS
from connectors.adapters.steps import Step
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


class InstagramAdapter:
    channel: ClassVar[Channel] = Channel.INSTAGRAM
    identity_kind: ClassVar[str] = "instagram"
    receives_webhooks: ClassVar[bool] = True
    webhook_answer: ClassVar[tuple[str, str]] = ("text/plain", "EVENT_RECEIVED")
    steps: ClassVar[Sequence[Step]] = STEPS
    own_address: ClassVar[str] = ""  # signing in tells which account it is

    def __init__(self) -> None:
        self.limits: Limits = InstagramLimits()

    def challenge(self, query: Mapping[str, str], accounts: Sequence[Account]) -> str | None:
        """What to answer a subscription handshake (GET) with, as text/plain; None: answer 403."""
        return signature.challenge(query, accounts)

    def verify(self, body: bytes, headers: Mapping[str, str], accounts: Sequence[Account]) -> None:
        signature.verify(body, headers, accounts)

    def parse(self, raw: RawInput) -> list[Item]:
        return parse.items(raw)

    def fetch_media(self, account: Account, attachment: Attachment) -> Attachment:
        return media.fetch(attachment)

    def send(self, account: Account, message: OutboundMessage) -> Sent:
        return send.send(account, message)

    def look_up(self, account: Account, message: OutboundMessage) -> Sent | None:
        return send.look_up(account, message)

    def door(self, account: Account, text: str) -> str:
        """ig.me cannot fill in a text; its `ref` comes back with the first message (messaging_referrals)."""
        username = account.options.get("username", "")
        return f"https://ig.me/m/{quote(username)}?ref={quote(text)}" if username else ""

    def profile(self, account: Account, address: str) -> Profile | None:
        return people.profile(account, address)

    def sign_in_url(self, account: Account, redirect: str, state: str) -> str:
        return sign_in.address(account, redirect, state)

    def grants(self, account: Account, code: str, redirect: str) -> list[Grant]:
        return sign_in.grants(account, code, redirect)

    def check(self, account: Account) -> list[Check]:
        return check.checks(account)

    def renew(self, account: Account) -> Renewal | None:
        return sign_in.renew(account)

    def recent(self, account: Account, since: datetime, skipped: Sequence[Skipped], known: Known) -> Heard:
        return recent.recent(account, since, skipped)
