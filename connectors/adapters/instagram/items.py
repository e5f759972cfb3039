"""One item of a webhook, whichever of Meta's shapes it has, as one of ours (instagram.md §7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connectors.adapters.instagram.contents import arrival, contents
from connectors.adapters.instagram.fields import Fields, Unreadable, is_set, moment, part, text
from connectors.messages import (
    Authenticity,
    Classification,
    Echo,
    Edit,
    Ignored,
    InboundMessage,
    Item,
    Reaction,
    Read,
    Sender,
    Unsend,
)

MAX_ID = 512
EMOJI = {"love": "❤️", "like": "👍", "laugh": "😆", "wow": "😮", "sad": "😢", "angry": "😠"}
NOT_OWNER = "Another app is in charge of this thread"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item stood: the id of its entry (which Meta gets wrong at times) and whether in `standby`."""

    entry_id: str
    is_standby: bool = False


@dataclass(frozen=True, slots=True)
class Parties:
    """Our account's id, and the other person: who is who depends on who wrote."""

    ours: str
    person: Sender


def item(fields: Fields, place: Place) -> Item:
    """Raises `Unreadable` for what is broken or of a kind nobody told us about."""
    for kind, read in READERS.items():
        if kind in fields:
            body = fields[kind]
            if not isinstance(body, dict):
                raise Unreadable(f"Its “{kind}” is not an object.")
            return read(fields, body, place)
    for kind, reason in NOT_OURS.items():
        if kind in fields:
            return Ignored(kind=kind, reason=reason)
    unknown = ", ".join(sorted(str(key)[:40] for key in fields.keys() - {"sender", "recipient", "timestamp"})[:5])
    raise Unreadable(f"It is of a kind we do not know: {unknown or 'nothing in it'}.")


def _message(fields: Fields, message: Fields, place: Place) -> Item:
    from_us = is_set(message, "is_echo")
    if is_set(message, "is_self") or is_set(fields, "is_self"):
        return Ignored(kind="self message", reason="The account wrote to itself.")
    provider_id = _provider_id(message)
    parties = _parties(fields, place, from_us=from_us)
    if is_set(message, "is_deleted"):
        return Unsend(provider_id, recipient=parties.ours)
    if not parties.person.address:
        raise Unreadable("It does not say whom it is from or to.")
    found = contents(message)
    if from_us:
        return Echo(
            provider_id=provider_id,
            account_address=parties.ours,
            recipient=parties.person,
            text=found.text,
            sent_at=moment(fields),
            attachments=found.attachments,
        )
    return InboundMessage(
        provider_id=provider_id,
        sender=parties.person,
        recipient=parties.ours,
        text=found.text,
        sent_at=moment(fields),
        attachments=found.attachments,
        authenticity=Authenticity.PASS,
        in_reply_to=text(part(message, "reply_to"), "mid"),
        remark=_joined(*found.remarks, NOT_OWNER if place.is_standby else ""),
    )


def _postback(fields: Fields, postback: Fields, place: Place) -> Item:
    """A tap on an ice breaker, a menu or a button: it says its title, and opens the window like a message."""
    if is_set(postback, "is_self") or is_set(fields, "is_self"):
        return Ignored(kind="self message", reason="The account tapped its own button.")
    parties = _parties(fields, place)
    return InboundMessage(
        provider_id=_provider_id(postback) if "mid" in postback else _made_id("postback", fields, parties),
        sender=_required(parties).person,
        recipient=parties.ours,
        text=text(postback, "title") or text(postback, "payload"),
        sent_at=moment(fields),
        authenticity=Authenticity.PASS,
        remark=_joined("Tapped a button", arrival(part(postback, "referral")), NOT_OWNER if place.is_standby else ""),
    )


def _referral(fields: Fields, referral: Fields, place: Place) -> Item:
    """Somebody opened the chat by a link and wrote nothing; it opens the 24-hour window all the same."""
    parties = _required(_parties(fields, place))
    return InboundMessage(
        provider_id=_made_id("referral", fields, parties),
        sender=parties.person,
        recipient=parties.ours,
        text="",
        sent_at=moment(fields),
        classification=Classification.AUTOMATIC,
        reason="Opened the chat by a link and wrote nothing",
        authenticity=Authenticity.PASS,
        remark=arrival(referral) or "Came by a link",
    )


def _reaction(fields: Fields, reaction: Fields, place: Place) -> Item:
    parties = _required(_parties(fields, place))
    name = text(reaction, "reaction")
    emoji = "" if text(reaction, "action") == "unreact" else text(reaction, "emoji") or EMOJI.get(name, name)
    if not emoji and text(reaction, "action") != "unreact":
        raise Unreadable("It is a reaction that says nothing.")
    return Reaction(_provider_id(reaction), parties.ours, parties.person, emoji, at=moment(fields))


def _read(fields: Fields, read: Fields, place: Place) -> Item:
    parties = _required(_parties(fields, place))
    return Read(_provider_id(read), parties.ours, parties.person)


def _edit(fields: Fields, edit: Fields, place: Place) -> Item:
    """Meta also announces *new* messages this way: number 0, without sender or text (§7.11)."""
    number = text(edit, "num_edit")
    provider_id = _provider_id(edit)
    if number == "0" or not text(part(fields, "sender"), "id"):
        return Ignored(kind="edit announcement", reason="A new message was announced as an edit; it comes by itself.")
    from_us = is_set(edit, "is_echo") or text(part(fields, "sender"), "id") == place.entry_id
    parties = _parties(fields, place, from_us=from_us)
    return Edit(
        provider_id,
        recipient=parties.ours,
        text=text(edit, "text"),
        number=int(number) if number.isdecimal() and len(number) < 6 else 1,
    )


READERS: dict[str, Callable[[Fields, Fields, Place], Item]] = {
    "message": _message,
    "postback": _postback,
    "reaction": _reaction,
    "read": _read,
    "message_edit": _edit,
    "referral": _referral,
}
NOT_OURS = {
    "pass_thread_control": "Apps passed the thread between them.",
    "take_thread_control": "Apps passed the thread between them.",
    "request_thread_control": "Apps passed the thread between them.",
    "app_roles": "Apps passed the thread between them.",
    "optin": "Subscriptions to marketing messages are not handled here.",
}


def _parties(fields: Fields, place: Place, *, from_us: bool = False) -> Parties:
    """Never by `entry.id` alone: inbound our id is the recipient's, in an echo the sender's (§6)."""
    sender, recipient = text(part(fields, "sender"), "id"), text(part(fields, "recipient"), "id")
    ours, person = (sender, recipient) if from_us else (recipient, sender)
    ours = ours or place.entry_id
    handle = text(part(fields, "recipient" if from_us else "sender"), "username")
    return Parties(ours, Sender(address=person, scope=ours, handle=handle))


def _required(parties: Parties) -> Parties:
    if not parties.person.address:
        raise Unreadable("It does not say whom it is from.")
    return parties


def _provider_id(body: Fields) -> str:
    mid = text(body, "mid")
    if not mid:
        raise Unreadable("It names no message id.")
    if len(mid) > MAX_ID:
        raise Unreadable("Its message id is longer than any of Instagram's.")
    return mid


def _made_id(kind: str, fields: Fields, parties: Parties) -> str:
    """An id for what has none, the same each time it is delivered."""
    return f"{kind}:{parties.ours}:{parties.person.address}:{text(fields, 'timestamp')}"[:MAX_ID]


def _joined(*remarks: str) -> str:
    return " · ".join(remark for remark in remarks if remark)
