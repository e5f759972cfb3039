"""What came in, as an adapter understood it: the items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connectors.messages.words import Account, Authenticity, Channel, Classification, DeliveryStatus, OptOutAction


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
