"""A delivery as the value an adapter sends. Notes and events cannot get here: only replies have deliveries."""

from __future__ import annotations

from django.conf import settings
from django.core.files.storage import default_storage

from connectors.adapters import ADAPTERS
from connectors.messages import Channel, Classification, EmailHeaders, OutboundFile, OutboundMessage, Sender
from inbox import inviting
from inbox.models import Attachment, Delivery, Entry
from inbox.models.media import media_link


def compose(delivery: Delivery, *, to_send: bool = True) -> OutboundMessage:
    """Raises what the store of files raises while it is away, and FileNotFoundError when a file is gone. To look it
    up no file is read."""
    entry, identity = delivery.entry, delivery.identity
    is_mail = entry.channel == Channel.EMAIL
    return OutboundMessage(
        delivery=str(delivery.uuid),
        to=Sender(
            address=entry.data.get("sent_to") or identity.reached_at,
            scope=identity.scope,
            name="" if entry.data.get("sent_to") else identity.customer.name,  # it may be somebody else
            handle=identity.handle,
        ),
        sender=entry.our_address or delivery.connector.address,
        sender_name=_sender_name(entry, delivery),
        subject=entry.subject,
        text=inviting.fill(delivery.text, entry.case) if entry.case else delivery.text,
        quoted=_quoted(entry) if is_mail else "",
        files=tuple(_files(delivery, is_mail, to_send)),
        email=_headers(entry) if is_mail else None,
        automatic=entry.classification == Classification.AUTOMATIC,
        last_inbound_at=identity.last_inbound_at,
        status_callback=f"{delivery.connector.webhook_url}?delivery={delivery.uuid}",
        created_at=delivery.entry.created_at,
    )


def _sender_name(entry: Entry, delivery: Delivery) -> str:
    brand = delivery.connector.options.get("from_name") or delivery.connector.name
    return f"{entry.agent.name.split()[0]}, {brand}" if entry.agent and entry.agent.name else brand


def _headers(entry: Entry) -> EmailHeaders:
    assert entry.case is not None
    local, _, domain = entry.our_address.rpartition("@")
    return EmailHeaders(
        message_id=entry.message_id,
        in_reply_to=tuple(entry.headers.get("in_reply_to", [])),
        references=tuple(entry.headers.get("references", [])),
        reply_to=f"{local}+r.{entry.case.reply_token}@{domain}",
        cc=tuple(Sender(address=address) for address in entry.headers.get("cc", [])),
        bcc=tuple(Sender(address=address) for address in entry.data.get("bcc", [])),
    )


def _quoted(entry: Entry) -> str:
    """The mail that is answered, only when its own sender alone reads this: nothing of one person reaches another."""
    if not entry.data.keys().isdisjoint({"sent_to", "bcc"}):
        return ""
    answered = Entry.objects.filter(pk=entry.headers.get("answers") or 0, identity=entry.identity).first()
    if answered is None or entry.headers.get("cc"):
        return ""
    lines = "\n".join(f"> {line}" for line in answered.text.splitlines()[:200])
    return f"On {answered.created_at:%d %b %Y %H:%M}, {answered.author} wrote:\n{lines}"


def _files(delivery: Delivery, is_mail: bool, to_send: bool) -> list[OutboundFile]:
    """Apart from the text where the channel wants that; else all of them with the last part."""
    if ADAPTERS[Channel(delivery.entry.channel)].limits.files_apart:
        rows = [delivery.attachment] if delivery.attachment else []
    else:
        is_last = not Delivery.objects.filter(entry=delivery.entry, part__gt=delivery.part).exists()
        rows = list(delivery.entry.attachments.all()) if is_last else []
    return [_file(row, delivery, is_mail, to_send) for row in rows]


def _file(row: Attachment, delivery: Delivery, is_mail: bool, to_send: bool) -> OutboundFile:
    content = None
    if is_mail and to_send:
        with default_storage.open(row.key) as file:
            content = file.read()
    return OutboundFile(
        name=row.name,
        content_type=row.content_type,
        size=row.size,
        content=content,
        url="" if is_mail else f"{settings.PUBLIC_URL}{media_link(row, delivery)}",
    )
