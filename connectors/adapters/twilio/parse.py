"""What a Twilio webhook says: a message that came in, or how one of ours fares (twilio.md §1, §4, §6). A message that
no webhook told of comes in the same shape (recent.py).

One account may post its texts and its WhatsApp messages to one URL, so every item names its channel.
"""

from __future__ import annotations

import re
from datetime import datetime

from connectors.adapters.keywords import ALSO_CONVERSATION, KEYWORDS
from connectors.adapters.twilio import whatsapp
from connectors.adapters.twilio.errors import explain, has_opted_out
from connectors.adapters.twilio.parameters import Parameters
from connectors.messages import (
    Attachment,
    Authenticity,
    Channel,
    Classification,
    DeliveryStatus,
    Echo,
    Ignored,
    InboundMessage,
    Item,
    Malformed,
    OptOut,
    OptOutAction,
    RawInput,
    Sender,
    Status,
)

STATUSES = {
    "accepted": DeliveryStatus.QUEUED,
    "scheduled": DeliveryStatus.QUEUED,
    "queued": DeliveryStatus.QUEUED,
    "sending": DeliveryStatus.SENDING,
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "partially_delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.READ,
    "undelivered": DeliveryStatus.FAILED,
    "failed": DeliveryStatus.FAILED,
    "canceled": DeliveryStatus.FAILED,
}
INBOUND_STATUSES = {"", "received", "receiving"}
CHANNELS = {"": Channel.SMS, "whatsapp": Channel.WHATSAPP}
FOUND = "x-found-at"  # the header of a receipt that no webhook brought; a webhook's own headers never get that far
MAX_MEDIA = 10
LAYOUT = "application/smil"  # of an MMS: nothing to look at


class Elsewhere(Exception):
    """A way that no adapter speaks: Messenger, RCS."""


def items(raw: RawInput) -> list[Item]:
    """One webhook holds one thing; an opt-out makes it two: the `OptOut`, then the message or status it was."""
    try:
        parameters = Parameters.of(raw.body)
    except ValueError:
        return [_malformed(raw, "It has more parameters than any message of Twilio's.")]
    provider_id = parameters.first("MessageSid") or parameters.first("SmsSid")
    if not provider_id:
        return [_malformed(raw, "It names no MessageSid.")]
    state = parameters.first("MessageStatus") or parameters.first("SmsStatus")
    try:
        if FOUND in raw.headers and parameters.first("Direction") != "inbound":
            return [_echo(parameters, provider_id)]
        if state not in INBOUND_STATUSES:
            return _status(raw, parameters, provider_id, state)
        return _message(raw, parameters, provider_id)
    except Elsewhere as way:
        return [_malformed(raw, f"It came by {way}, and nothing here can answer that.")]


def address_of(given: str) -> tuple[Channel, str]:
    """`whatsapp:+1…` → (WhatsApp, +1…). Raises `Elsewhere`."""
    way, _, address = given.rpartition(":")
    if way not in CHANNELS:
        raise Elsewhere(way[:20])
    return CHANNELS[way], address


def _message(raw: RawInput, parameters: Parameters, provider_id: str) -> list[Item]:
    channel, address = address_of(parameters.first("From"))
    recipient = address_of(parameters.first("To"))[1]
    if not address or not recipient:
        return [_malformed(raw, "It does not say from whom or to whom it is.")]
    is_text = channel == Channel.SMS
    sender = _texter(address) if is_text else whatsapp.sender(address, parameters)
    action, by_twilio = _opt_out(parameters, is_text)
    text = parameters.first("Body")
    reason = _automatic_reason(address) if is_text else ""
    if action and (by_twilio or text.strip().casefold() not in ALSO_CONVERSATION):
        reason = "Opt-out keyword"
    message = InboundMessage(
        provider_id=provider_id,
        sender=sender,
        recipient=recipient,
        text=text if is_text else whatsapp.text(parameters),
        sent_at=_sent_at(parameters) or raw.received_at,  # the webhook carries no time of its own
        attachments=_attachments(parameters),
        classification=Classification.AUTOMATIC if reason else Classification.PERSON,
        reason=reason,
        authenticity=Authenticity.PASS,
        in_reply_to=parameters.first("OriginalRepliedMessageSid"),
        remark="" if is_text else whatsapp.remark(parameters),
        channel=channel,
    )
    if action:
        return [OptOut(provider_id, sender, recipient, action, text.strip(), channel), message]
    return [message]


def _texter(address: str) -> Sender:
    return Sender(address, also=(("whatsapp", address),) if address.startswith("+") else ())


def _opt_out(parameters: Parameters, is_text: bool) -> tuple[OptOutAction | None, bool]:
    """The action, and whether Twilio named it (Advanced Opt-Out) rather than our list of keywords.

    On WhatsApp nobody acts on keywords unless Twilio says so: "Cancel" is a person who wants something cancelled.
    """
    named = parameters.first("OptOutType").casefold()
    if named in set(OptOutAction):
        return OptOutAction(named), True
    return KEYWORDS.get(parameters.first("Body").strip().casefold()) if is_text else None, False


def _automatic_reason(address: str) -> str:
    """Companies and codes write from senders that are no phone, and nobody reads an answer to them."""
    if re.fullmatch(r"\d{3,8}", address):
        return "Sent from a short code"
    if not re.fullmatch(r"\+?\d+", address):
        return "Sent from a name instead of a number"
    return ""


def _attachments(parameters: Parameters) -> tuple[Attachment, ...]:
    found = []
    for index in range(MAX_MEDIA):
        url = parameters.first(f"MediaUrl{index}")
        content_type = parameters.first(f"MediaContentType{index}") or "application/octet-stream"
        if url and content_type != LAYOUT:
            found.append(Attachment(content_type=content_type, url=url))
    return tuple(found)


def _status(raw: RawInput, parameters: Parameters, provider_id: str, state: str) -> list[Item]:
    status = STATUSES.get(state)
    if status is None:
        return [Ignored(kind="status", reason=f"Twilio reported the state “{state[:40]}”, which says nothing we show.")]
    code = parameters.first("ErrorCode")
    query = Parameters.of(raw.headers.get("x-query-string", "")[:2_000])
    recipient_channel, recipient = address_of(parameters.first("To"))
    channel, sender = address_of(parameters.first("From"))
    ours = sender if sender.startswith("+") or sender in raw.account.addresses else _own_address(raw)
    found: list[Item] = [
        Status(
            provider_id=provider_id,
            recipient=ours,  # a messaging service that has not picked a number yet reports itself or nobody
            status=status,
            delivery=query.first("delivery"),
            code=code,
            reason=explain(code, parameters.first("ErrorMessage")) if status is DeliveryStatus.FAILED else "",
            channel=channel if sender.startswith("+") else None,
        )
    ]
    if has_opted_out(code) and recipient:
        words = "The provider says this person has opted out."
        found.insert(0, OptOut(provider_id, Sender(recipient), ours, OptOutAction.STOP, words, recipient_channel))
    return found


def _own_address(raw: RawInput) -> str:
    return raw.account.addresses[0] if raw.account.addresses else ""


def _echo(parameters: Parameters, provider_id: str) -> Echo:
    channel, ours = address_of(parameters.first("From"))
    return Echo(
        provider_id=provider_id,
        account_address=ours,
        recipient=Sender(address_of(parameters.first("To"))[1]),
        text=parameters.first("Body"),
        sent_at=_sent_at(parameters),
        attachments=_attachments(parameters),
        automatic=bool(parameters.first("Automatic")),
        channel=channel,
    )


def _sent_at(parameters: Parameters) -> datetime | None:
    try:
        return datetime.fromisoformat(parameters.first("DateSent"))
    except ValueError:
        return None


def _malformed(raw: RawInput, reason: str) -> Malformed:
    return Malformed(reason, excerpt=raw.body[:500].decode("ascii", "backslashreplace").replace("\0", "\\x00"))
