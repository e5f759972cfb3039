"""What adapters and the inbox say to each other: frozen values, no models, no Django.

An adapter turns provider bytes into the *items* below and an `OutboundMessage` into a provider call. Everything a
provider calls by its own name stops here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from connectors.errors import ConnectionLost

Known = Callable[[Collection[str]], Collection[str]]  # which of these provider ids are here already
MOST_TRIES = 20  # to see what a provider does not show


class Channel(StrEnum):
    """Where a customer writes. The values are stored, and are the names of the CSS token groups."""

    EMAIL = "email"
    SMS = "sms"
    INSTAGRAM = "instagram"
    WHATSAPP = "whatsapp"


@dataclass(frozen=True, slots=True)
class ChannelWords:
    """How agents speak of a channel: its name, inside a sentence, one message from there, one of ours to there."""

    name: str
    inside: str
    message: str
    ours: str


CHANNEL_WORDS = {
    Channel.EMAIL: ChannelWords("Email", "email", "email", "email"),
    Channel.SMS: ChannelWords("SMS", "SMS", "text", "SMS"),
    Channel.INSTAGRAM: ChannelWords("Instagram", "Instagram", "Instagram message", "Instagram message"),
    Channel.WHATSAPP: ChannelWords("WhatsApp", "WhatsApp", "WhatsApp message", "WhatsApp message"),
}


class Classification(StrEnum):
    """Only `PERSON` opens, reopens or wakes a case; the rest is filed."""

    PERSON = "person"
    AUTOMATIC = "automatic"
    BULK = "bulk"
    SPAM = "spam"
    BOUNCE = "bounce"


class Authenticity(StrEnum):
    """Whether the provider vouches for the sender of this one message."""

    PASS = "pass"  # noqa: S105
    UNKNOWN = "unknown"
    FAIL = "fail"


class DeliveryStatus(StrEnum):
    """How far an outgoing message got, as a provider reports it."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


class OptOutAction(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"
    UNSUBSCRIBE = "unsubscribe"  # from what is sent by itself; a person may still answer


@dataclass(frozen=True, slots=True)
class Account:
    """One configured connector as a value: what an adapter needs to speak for it.

    `secrets` and `options` have the keys the adapter's module docstring lists. `webhook_url` is the public URL the
    provider signs; it comes from settings, never from the Host header.
    """

    id: str
    addresses: tuple[str, ...]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    webhook_url: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote, or who is written to: the provider's address as given, not yet normalised.

    `scope` is set where an address means something only to one of our accounts (Instagram-scoped ids). `also`: other
    addresses, as (kind of customers.identities, address), that the provider vouches are the same person's.
    """

    address: str
    scope: str = ""
    name: str = ""
    handle: str = ""
    also: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came in. Either `content` is here, or `url` says where the adapter's `fetch_media` gets it."""

    name: str = ""
    content_type: str = "application/octet-stream"
    content: bytes | None = None
    url: str = ""
    content_id: str = ""
    keep: bool = True  # False: policy forbids storing it (Instagram stories); only the link is shown


@dataclass(frozen=True, slots=True)
class EmailHeaders:
    """What only mail has. Message-IDs are without angle brackets."""

    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    reply_to: str = ""
    to: tuple[Sender, ...] = ()
    cc: tuple[Sender, ...] = ()
    bcc: tuple[Sender, ...] = ()
    delivered_to: tuple[str, ...] = ()
    unsubscribe: str = ""  # the subject of a mail that asks us for no more of these
    reply_tokens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Original:
    """The message that was passed on in another one, as the one who passed it on shows it; `note`: their own words."""

    sender: Sender
    text: str
    subject: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """Somebody wrote. `recipient` is our address that was written to; `provider_id` is unique per connector.

    `channel`, here and in other items: where a provider tells of several channels at one address.
    """

    provider_id: str
    sender: Sender
    recipient: str
    text: str
    sent_at: datetime | None = None
    subject: str = ""
    html: str = ""  # already sanitised
    quoted: str = ""  # the part of `text` that repeats earlier mail; shown folded
    attachments: tuple[Attachment, ...] = ()
    classification: Classification = Classification.PERSON
    reason: str = ""  # why this classification, in words
    is_auto_reply: bool = False  # out of office and the like: not written now, whoever the sender is
    may_be_automatic: bool = False  # it reads like one, and that is all: nothing automatic is sent back
    authenticity: Authenticity = Authenticity.UNKNOWN
    email: EmailHeaders | None = None
    in_reply_to: str = ""  # provider id of the message it answers
    remark: str = ""  # what happened around it, in words: "Replied to your story"
    original: Original | None = None
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class Echo:
    """We wrote, from another program: the Instagram app, Twilio's console, a mail program's Sent folder. Also the copy
    of what we sent ourselves. `automatic`: no person wrote it (a code, a campaign), so it answers nobody.
    """

    provider_id: str
    account_address: str
    recipient: Sender
    text: str
    sent_at: datetime | None = None
    attachments: tuple[Attachment, ...] = ()
    automatic: bool = False
    subject: str = ""
    html: str = ""  # already sanitised
    email: EmailHeaders | None = None
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    provider_id: str
    recipient: str
    text: str
    number: int = 1


@dataclass(frozen=True, slots=True)
class Unsend:
    provider_id: str
    recipient: str


@dataclass(frozen=True, slots=True)
class Reaction:
    """One per person and message; `emoji` is empty when it was taken back."""

    provider_id: str
    recipient: str
    sender: Sender
    emoji: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """The customer has seen this message of ours and all before it."""

    provider_id: str
    recipient: str
    sender: Sender


@dataclass(frozen=True, slots=True)
class Status:
    """How a message of ours fares. `delivery` is our own id when the callback carries it."""

    provider_id: str
    recipient: str
    status: DeliveryStatus
    delivery: str = ""
    code: str = ""
    reason: str = ""  # in words, when failed
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail system says a mail of ours did not arrive (`permanent`) or is late. `mail`: the report as it reads, to be
    filed when it is about none of ours; None where it names no sender."""

    message_id: str
    address: str
    permanent: bool
    reason: str
    code: str = ""
    mail: InboundMessage | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OptOut:
    """STOP, START or HELP by a whole-message keyword or the provider's own word for it.

    `delivery`: our own id of the message that somebody unsubscribes from; it says who they are.
    """

    provider_id: str
    sender: Sender
    recipient: str
    action: OptOutAction
    words: str
    channel: Channel | None = None
    delivery: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Understood and of no interest; `kind` names it in the receipt's outcomes."""

    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """One part of a receipt that could not be understood. It goes to quarantine; the rest of the receipt goes on."""

    reason: str
    excerpt: str = ""


Item = InboundMessage | Echo | Edit | Unsend | Reaction | Read | Status | Bounce | OptOut | Ignored | Malformed


@dataclass(frozen=True, slots=True)
class RawInput:
    """A receipt as a value: the bytes as they came, the headers that matter, when, and by which connector."""

    body: bytes
    headers: Mapping[str, str]
    received_at: datetime
    account: Account


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
class Profile:
    name: str = ""
    handle: str = ""


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


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a live test found out. `words`: what was seen; `fix`: what to do about it, when not `ok`."""

    name: str
    ok: bool
    words: str
    fix: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Missed:
    """A message found at the provider, as the webhook that should have told of it: it parses like any other.

    `at`: when it was written, as the provider knows.
    """

    provider_id: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """What a provider would not show, by its own name for it. `since`: from then on nobody here has read it."""

    name: str
    since: datetime
    reason: str
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Heard:
    """What a provider has since some time, the oldest first. `skipped`: what it would not show, now or earlier.

    `trouble`: why it was not asked to the end; then the rest is to be asked for again, since the same time.
    """

    missed: Sequence[Missed] = ()
    skipped: Sequence[Skipped] = ()
    trouble: ConnectionLost | None = None


@dataclass(frozen=True, slots=True)
class Renewal:
    """A sign-in that was renewed: what to put into the account's secrets and options, the rest stays."""

    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grant:
    """An account its owner lets us speak for: its address, what to call it, and what its connector keeps."""

    address: str
    name: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
