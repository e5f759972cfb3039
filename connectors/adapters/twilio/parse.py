"""What a Twilio webhook says: a text or picture that came in, or how one of ours fares (twilio.md §1, §4, §6)."""

from __future__ import annotations

import re

from connectors.adapters.twilio.errors import explain
from connectors.adapters.twilio.parameters import Parameters
from connectors.messages import (
    Attachment,
    Authenticity,
    Classification,
    DeliveryStatus,
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

# Twilio answers a whole message that is one of these by itself, in any case of letters.
KEYWORDS = dict.fromkeys(
    ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"), OptOutAction.STOP
)
KEYWORDS |= dict.fromkeys(("start", "unstop", "yes"), OptOutAction.START)
KEYWORDS |= dict.fromkeys(("help", "info"), OptOutAction.HELP)
# "Yes" ends an opt-out, but nearly always it answers a question of ours, so it stays a person's message.
ALSO_CONVERSATION = {"yes"}

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
MAX_MEDIA = 10


def items(raw: RawInput) -> list[Item]:
    """One webhook holds one thing; an opt-out keyword makes it two: the `OptOut`, then the message it was."""
    try:
        parameters = Parameters.of(raw.body)
    except ValueError:
        return [_malformed(raw, "It has more parameters than any message of Twilio's.")]
    provider_id = parameters.first("MessageSid") or parameters.first("SmsSid")
    if not provider_id:
        return [_malformed(raw, "It names no MessageSid.")]
    state = parameters.first("MessageStatus") or parameters.first("SmsStatus")
    if state not in INBOUND_STATUSES:
        return [_status(raw, parameters, provider_id, state)]
    return _message(raw, parameters, provider_id)


def _message(raw: RawInput, parameters: Parameters, provider_id: str) -> list[Item]:
    sender = Sender(address=parameters.first("From"))
    recipient = parameters.first("To")
    if not sender.address or not recipient:
        return [_malformed(raw, "It does not say from whom or to whom it is.")]
    if prefix := re.match(r"[a-z]+(?=:)", sender.address):
        return [_malformed(raw, f"It came by {prefix[0]}, and this connector takes texts only.")]
    text = parameters.first("Body")
    action, by_twilio = _opt_out(parameters, text)
    reason = _automatic_reason(sender.address)
    if action and (by_twilio or text.strip().casefold() not in ALSO_CONVERSATION):
        reason = "Opt-out keyword"
    message = InboundMessage(
        provider_id=provider_id,
        sender=sender,
        recipient=recipient,
        text=text,
        sent_at=raw.received_at,  # the webhook carries no time of its own
        attachments=_attachments(parameters),
        classification=Classification.AUTOMATIC if reason else Classification.PERSON,
        reason=reason,
        authenticity=Authenticity.PASS,
    )
    if action:
        return [OptOut(provider_id, sender, recipient, action, text.strip()), message]
    return [message]


def _opt_out(parameters: Parameters, text: str) -> tuple[OptOutAction | None, bool]:
    """The action, and whether Twilio named it (Advanced Opt-Out) rather than our list of keywords."""
    named = parameters.first("OptOutType").casefold()
    if named in set(OptOutAction):
        return OptOutAction(named), True
    return KEYWORDS.get(text.strip().casefold()), False


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
        if url and content_type != "application/smil":  # smil is the layout of an MMS, nothing to look at
            found.append(Attachment(content_type=content_type, url=url))
    return tuple(found)


def _status(raw: RawInput, parameters: Parameters, provider_id: str, state: str) -> Item:
    status = STATUSES.get(state)
    if status is None:
        return Ignored(kind="status", reason=f"Twilio reported the state “{state[:40]}”, which says nothing we show.")
    code = parameters.first("ErrorCode")
    query = Parameters.of(raw.headers.get("x-query-string", "")[:2_000])
    sender = parameters.first("From")
    return Status(
        provider_id=provider_id,
        # A messaging service that has not picked a number yet reports itself or nobody.
        recipient=sender if sender.startswith("+") or sender in raw.account.addresses else _own_address(raw),
        status=status,
        delivery=query.first("delivery"),
        code=code,
        reason=explain(code, parameters.first("ErrorMessage")) if status is DeliveryStatus.FAILED else "",
    )


def _own_address(raw: RawInput) -> str:
    return raw.account.addresses[0] if raw.account.addresses else ""


def _malformed(raw: RawInput, reason: str) -> Malformed:
    return Malformed(reason, excerpt=raw.body[:500].decode("ascii", "backslashreplace").replace("\0", "\\x00"))
