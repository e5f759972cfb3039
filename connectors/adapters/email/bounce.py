"""Delivery reports (RFC 3464, Exim, qmail) and read receipts (RFC 8098)."""

from __future__ import annotations

import re
from dataclasses import replace

from connectors.adapters.email import addresses, charset
from connectors.adapters.email.characters import one_line
from connectors.adapters.email.classify import UNDELIVERED, is_from_a_mail_server
from connectors.adapters.email.headers import Headers
from connectors.adapters.email.piece import Piece
from connectors.messages import Bounce, Classification, InboundMessage, Item

_GROUP_END = re.compile(rb"(?:\r?\n[ \t]*){2,}")
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_INNER_MESSAGE_ID = re.compile(rb"^[>\s]*message-id:\s*<([^<>\s]{1,990})>", re.IGNORECASE | re.MULTILINE)
_QMAIL = re.compile(rb"Hi\. This is the qmail-send program|This message was created automatically by mail delivery")
_QMAIL_ADDRESS = re.compile(rb"^\s{0,4}<?([^\s<>@]{1,64}@[^\s<>:]{1,255})>?:?\s*$", re.MULTILINE)

# RFC 3463, in the words an agent reads.
_WORDS = {
    "5.1.1": "The address does not exist",
    "5.1.2": "The domain of the address does not exist",
    "5.1.3": "The address is written wrongly",
    "5.1.10": "The domain takes no mail",
    "5.2.1": "The mailbox is switched off",
    "5.2.2": "The mailbox is full",
    "4.2.2": "The mailbox is full",
    "5.2.3": "The mail is too large for the mailbox",
    "5.3.4": "The mail is too large",
    "5.4": "The receiving mail server could not be reached",
    "4.4": "The receiving mail server could not be reached",
    "5.7": "The receiving mail server refused the mail by its rules",
}


def report(root: Piece, mail: InboundMessage | None) -> list[Item] | None:
    """The items of a delivery report or read receipt; None when the mail is neither. `mail`: how it reads otherwise.

    What is not a report as a whole (a copy among the files, or in the text) must come from a mail server: customers
    pass on what they got.
    """
    kinds = {piece.kind: piece for piece in reversed(list(root.leaves()))}
    if root.parameter("report-type").lower() == "disposition-notification" or (
        "message/disposition-notification" in kinds and root.kind == "multipart/report"
    ):
        return _notice(mail, "A mail program says our mail was displayed or deleted")
    is_a_servers = mail is None or is_from_a_mail_server(root.headers, mail.sender.address)
    status = kinds.get("message/delivery-status") or kinds.get("message/global-delivery-status")
    if status is not None and (is_a_servers or root.kind == "multipart/report"):
        bounces = _delivery_report(root, status, _returned(kinds))
        return _with(mail, bounces) if bounces else _notice(mail, "A mail server says our mail went through")
    if not is_a_servers:
        return None
    if "x-failed-recipients" in root.headers:
        failed = [sender.address for sender in addresses.every(root.headers, "x-failed-recipients")]
        return _with(mail, _plain_report(root, failed))
    if root.kind == "text/plain" and _QMAIL.search(root.content[:4096]):
        return _with(mail, _plain_report(root, _qmail_addresses(root.content)))
    return None


def _notice(mail: InboundMessage | None, reason: str) -> list[Item] | None:
    if mail is None:
        return None
    return [replace(mail, classification=Classification.AUTOMATIC, reason=reason, is_auto_reply=True)]


def _with(mail: InboundMessage | None, bounces: list[Bounce]) -> list[Item] | None:
    whole = replace(mail, classification=Classification.BOUNCE, reason=UNDELIVERED) if mail else None
    return [replace(each, mail=whole) for each in bounces] or None


def _delivery_report(root: Piece, status: Piece, returned: Piece | None) -> list[Bounce]:
    message_id = _message_id(root, returned)
    bounces: list[Bounce] = []
    for group in _GROUP_END.split(status.content.strip()):
        fields = Headers.parse(group)
        action = fields.word("action")
        if action not in ("failed", "delayed"):
            continue
        code = _STATUS.search(fields.raw("status"))
        bounces.append(
            Bounce(
                message_id=message_id,
                address=_recipient(fields),
                permanent=action == "failed",
                reason=_reason(code[1] if code else "", _diagnosis(fields), late=action == "delayed"),
                code=code[1] if code else "",
            )
        )
    return bounces


def _plain_report(root: Piece, failed: list[str]) -> list[Bounce]:
    body = b"\n".join(piece.content[:262144] for piece in root.leaves())[:262144]
    found = _INNER_MESSAGE_ID.search(body)
    message_id = found[1].decode("ascii", "replace") if found else _cited(root.headers)
    text = charset.decode(body[:16384])
    code = _STATUS.search(text)
    number = code[1] if code else ""
    return [Bounce(message_id, address, True, _reason(number, "", late=False), number) for address in failed]


def _message_id(root: Piece, returned: Piece | None) -> str:
    if returned is not None:
        found = Headers.parse(re.split(rb"\r?\n\r?\n", returned.content.lstrip(), maxsplit=1)[0]).message_ids(
            "message-id"
        )
        if found:
            return found[0]
    for piece in root.leaves():
        inner = _INNER_MESSAGE_ID.search(piece.content[:65536])
        if inner:
            return inner[1].decode("ascii", "replace")
    return _cited(root.headers)


def _cited(headers: Headers) -> str:
    cited = headers.message_ids("in-reply-to") or headers.message_ids("references")
    return cited[-1] if cited else ""


def _returned(kinds: dict[str, Piece]) -> Piece | None:
    names = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")
    return next((kinds[name] for name in names if name in kinds), None)


def _recipient(fields: Headers) -> str:
    for name in ("original-recipient", "final-recipient"):
        address = fields.raw(name).rpartition(";")[2].strip().strip("<>")
        if addresses.is_address(address):
            return address
    return ""


def _diagnosis(fields: Headers) -> str:
    return fields.text("diagnostic-code", limit=300).rpartition(";")[2].strip()


def _reason(code: str, diagnosis: str, *, late: bool) -> str:
    words = _WORDS.get(code) or _WORDS.get(code.rpartition(".")[0]) or "The receiving mail server did not take the mail"
    sentence = f"{words}; it is still being tried." if late else f"{words}."
    return one_line(f"{sentence} ({diagnosis})" if diagnosis else sentence, 500)


def _qmail_addresses(body: bytes) -> list[str]:
    found = (match.decode("ascii", "replace") for match in _QMAIL_ADDRESS.findall(body[:16384]))
    return [address for address in found if addresses.is_address(address)][:1]
