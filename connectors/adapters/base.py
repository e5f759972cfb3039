"""The page every adapter fills in, in this order. An adapter takes values and returns values; it never decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Protocol

from connectors.adapters.steps import Step
from connectors.messages import (
    Account,
    Attachment,
    Channel,
    Check,
    Closing,
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

BACK_OFF: Sequence[int] = (30, 120, 600, 1800, 3600, 7200, 14400)

SLOWEST = 64 * 1024  # bytes a second that a provider must take of a large message


class Limits(Protocol):
    """What fits and what is allowed on a channel. Asked by the composer and again by the server at dispatch."""

    max_files: int
    max_file_bytes: int
    max_total_bytes: int  # of all files of one reply
    has_subject: bool
    has_copies: bool
    has_rich_text: bool
    files_apart: bool  # a text and each file are provider messages of their own
    asks_before_first: bool  # who never wrote is written to only when the agent has agreed to it
    introduces_us: bool  # the first message in a case begins with our name: nothing else there tells it
    back_off: Sequence[int]  # seconds until the next try of what may pass; after the last one it failed

    def split(self, text: str) -> list[str]:
        """The texts of the provider messages this text becomes; never empty, nothing lost."""

    def count(self, text: str) -> Limit: ...

    def refusal(self, standing: Standing) -> Refusal | None:
        """Why nothing may be sent to this person here now; None when it may."""

    def file_trouble(self, name: str, content_type: str, size: int) -> str:
        """Why this file may not be sent there, whoever it is to; empty when it may."""

    def closing(self, standing: Standing) -> Closing | None:
        """When that will end by itself; None when it will not, or has."""


class Adapter(Protocol):
    channel: ClassVar[Channel]
    identity_kind: ClassVar[str]  # a kind in customers.identities
    receives_webhooks: ClassVar[bool]
    webhook_answer: ClassVar[tuple[str, str]]  # content type and body of our yes
    steps: ClassVar[Sequence[Step]]  # of the set-up
    own_address: ClassVar[str]  # what we ask for when it is set up; empty: signing in tells it
    limits: Limits

    def verify(self, body: bytes, headers: Mapping[str, str], accounts: Sequence[Account]) -> None:
        """Raise `Forged` unless one of the accounts' secrets signed exactly these bytes. Headers are lower-case."""

    def parse(self, raw: RawInput) -> list[Item]:
        """Everything found in the receipt, in order. Never raises for a bad part: that part is a `Malformed`."""

    def fetch_media(self, account: Account, attachment: Attachment) -> Attachment:
        """The same attachment with `content`, name and sniffed type; raises `FetchFailed`."""

    def send(self, account: Account, message: OutboundMessage) -> Sent:
        """One provider call; raises `SendFailed` or `SendUnknown`."""

    def look_up(self, account: Account, message: OutboundMessage) -> Sent | None:
        """Whether a message of unknown fate was accepted. None: it was not, or nobody can say."""

    def door(self, account: Account, text: str) -> str:
        """A link that opens the customer's own program on a message to us with the text in it; empty where none is."""

    def profile(self, account: Account, address: str) -> Profile | None:
        """What the provider tells about a person, if anything."""

    def sign_in_url(self, account: Account, redirect: str, state: str) -> str:
        """Where the owner of the account lets us in; empty where there is nothing but user name and password."""

    def grants(self, account: Account, code: str, redirect: str) -> list[Grant]:
        """The accounts that a code from there opens. `redirect` is the same. Raises `ConnectionLost`."""

    def check(self, account: Account) -> list[Check]:
        """Asks the far end, live: reachable, signed in, allowed, and a round trip. No customer sees any of it.

        Never raises: what goes wrong is a `Check` that says so. `adapters.checks.checked` makes one.
        """

    def renew(self, account: Account) -> Renewal | None:
        """A new sign-in before the old one ends by itself; None when none is due. Raises `ConnectionLost`."""

    def recent(self, account: Account, since: datetime, skipped: Sequence[Skipped], known: Known) -> Heard:
        """All messages since then, ours too: some were never told of. Raises `ConnectionLost`.

        `skipped`: what was not shown before is asked for again. Nothing more is asked about messages that are known.
        Empty where nothing can be missed, as in a mailbox, which is read to its end anyway.
        """
