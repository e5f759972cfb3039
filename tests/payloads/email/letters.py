"""The mails in this folder as receipts of the mailbox support@shop.example."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from connectors.adapters.email.message_id import seal
from connectors.adapters.email.parse import parse
from connectors.messages import Account, Attachment, InboundMessage, RawInput

FOLDER = Path(__file__).parent
ARRIVED = datetime(2025, 11, 22, 9, 30, tzinfo=UTC)
SHOP = Account(
    "1",
    ("support@shop.example", "sales@shop.example"),
    secrets={
        "imap_password": "imap-canary",
        "smtp_password": "smtp-canary",
        "message_id_key": "key-canary",
        "message_id_seal": seal(b"key-canary").hex(),
    },
    options={"authserv_id": "mx.shop.example"},
)


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.eml"))


def payload(name: str) -> bytes:
    return (FOLDER / f"{name}.eml").read_bytes()


def receipt(raw: bytes) -> RawInput:
    return RawInput(raw, {}, ARRIVED, SHOP)


def message(raw: bytes | str) -> InboundMessage:
    """The one message of a mail, given by payload name, or as bytes."""
    (item,) = parse(receipt(payload(raw) if isinstance(raw, str) else raw))
    assert isinstance(item, InboundMessage), item
    return item


def mail(*headers: str, body: str = "Hi\n", sender: str = "Maya <maya@ortiz.example>") -> bytes:
    """A small mail with these header lines besides From and To."""
    lines = [f"From: {sender}", "To: support@shop.example", *headers, "", body]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def files(found: InboundMessage) -> dict[str, Attachment]:
    return {attachment.name: attachment for attachment in found.attachments}
