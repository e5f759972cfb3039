"""What goes out: a message, what became of it, and whether it may be sent at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connectors.messages.incoming import EmailHeaders, Sender
from connectors.messages.words import DeliveryStatus


@dataclass(frozen=True, slots=True)
class OutboundFile:
    """A file to send. `url` is a signed public link for providers that fetch; mail takes `content`."""

    name: str
    content_type: str
    size: int
    content: bytes | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One provider call. `delivery` is our id for it, stable over retries."""

    delivery: str
    to: Sender
    sender: str
    text: str
    sender_name: str = ""
    subject: str = ""
    html: str = ""
    quoted: str = ""
    files: tuple[OutboundFile, ...] = ()
    email: EmailHeaders | None = None
    automatic: bool = False
    last_inbound_at: datetime | None = None
    status_callback: str = ""
    created_at: datetime | None = None  # where a look-up starts searching


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider accepted it. `refused` are copied-in recipients it did not take, with the reason.

    `pause`: how many seconds it would rather hear nothing more from this account; its limit is near.
    """

    provider_id: str
    status: DeliveryStatus = DeliveryStatus.SENT
    refused: Mapping[str, str] = field(default_factory=dict)
    pause: int = 0


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of a text fits: `used` of `room` in `unit`, sent as `parts` messages (SMS: segments)."""

    used: int
    room: int
    parts: int
    unit: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one person on one channel when somebody wants to write there."""

    now: datetime
    last_inbound_at: datetime | None = None
    opted_out_at: datetime | None = None
    automatic: bool = False
    files: int = 0
    options: Mapping[str, str] = field(default_factory=dict)  # of the account we would write from


@dataclass(frozen=True, slots=True)
class Closing:
    """Until when they may be written to, and the words before that time: "Instagram takes answers until"."""

    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message may not be sent there, and what to do, as one sentence each.

    `passes`: it is about us and not about them, and what is on its way already waits until somebody has seen to it.
    """

    reason: str
    remedy: str = ""
    passes: bool = False
