"""An outgoing mail as bytes (reference/email.md §4). Every value is one line before it becomes a header."""

from __future__ import annotations

import html as markup
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import cast
from urllib.parse import quote

import idna

from connectors.adapters.email import filename
from connectors.adapters.email.addresses import is_address
from connectors.adapters.email.characters import one_line, storable
from connectors.adapters.email.message_id import OWN_FIELD
from connectors.errors import SendFailed
from connectors.messages import OutboundFile, OutboundMessage, Sender

MAX_REFERENCES = 20
MAX_PICTURES = 10
MAX_PICTURE = 5 * 1024 * 1024
_PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp"}
_LINK = re.compile(r"https?://[^\s<>\"']{1,2000}[^\s<>\"'.,;:!?)]")
_UNFOLDED = {"message-id", "in-reply-to", "references", OWN_FIELD, "list-unsubscribe"}
_MESSAGE_ID = re.compile(r"[^<>\s\x00-\x1f]{1,900}")
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}")

_NARROW = policy.SMTP.clone(cte_type="7bit", max_line_length=76)  # an encoded word has at most 75 (RFC 2047)
_WIDE = _NARROW.clone(max_line_length=998)


class _Folding(policy.EmailPolicy):
    """Folds at 78 columns, except what has no place to fold, Message-IDs and links: long ones (Exchange) would become
    encoded words there."""

    def fold(self, name: str, value: str) -> str:
        chosen = _WIDE if name.lower() in _UNFOLDED else _NARROW
        return str(chosen.fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii", "replace")


_POLICY = _Folding(linesep="\r\n", cte_type="7bit")


def compose(message: OutboundMessage) -> EmailMessage:
    """The whole mail without Bcc, which is for the envelope alone. Raises `SendFailed` for an impossible address."""
    mail = EmailMessage(policy=_POLICY)
    _address_fields(mail, message)
    mail["Subject"] = one_line(message.subject) or "(no subject)"
    mail["Date"] = format_datetime(message.created_at or datetime.now(UTC))
    _threading_fields(mail, message)
    if message.automatic:  # RFC 3834: no program answers a program
        mail["Auto-Submitted"] = "auto-replied"
        mail["X-Auto-Response-Suppress"] = "All"
        if message.email and message.email.unsubscribe:
            address, subject = quote(envelope_address(message.sender), safe="@+"), quote(message.email.unsubscribe)
            mail["List-Unsubscribe"] = f"<mailto:{address}?subject={subject}>"
    pictures, files = _apart(message.files)
    mail.set_content(_text(message))
    if message.html or pictures:
        mail.add_alternative(_html(message, pictures), subtype="html")
        shown = cast("list[EmailMessage]", mail.get_payload())[-1]
        for content_id, picture in pictures.items():
            _add_picture(shown, content_id, picture)
    for file in files:
        _attach(mail, file)
    return mail


def envelope_address(address: str) -> str:
    """The address as SMTP takes it: an international domain in its ASCII form; raises `SendFailed`."""
    address = one_line(address, 330)
    local, _, domain = address.rpartition("@")
    if not is_address(address):
        raise SendFailed(f'"{address[:80]}" is not an e-mail address.', permanent=True, code="address")
    if not local.isascii():
        raise SendFailed(
            f"{address} has letters before the @ that mail servers do not take.", permanent=True, code="address"
        )
    if domain.isascii():
        return address
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError as error:
        raise SendFailed(f'"{domain[:80]}" is not a domain.', permanent=True, code="address") from error


def recipients(message: OutboundMessage) -> list[Sender]:
    """To, Cc and Bcc, each address once; the one the message is for comes first."""
    copied = (*message.email.to, *message.email.cc, *message.email.bcc) if message.email else ()
    return list({person.address.lower(): person for person in reversed((message.to, *copied))}.values())[::-1]


def _address_fields(mail: EmailMessage, message: OutboundMessage) -> None:
    mail["From"] = _address(Sender(message.sender, name=message.sender_name))
    headers = message.email
    main = message.to.address.lower()
    also = [person for person in headers.to if person.address.lower() != main] if headers else []
    mail["To"] = [_address(person) for person in (message.to, *also)]
    if headers is None:
        return
    if headers.cc:
        mail["Cc"] = [_address(person) for person in headers.cc]
    if headers.reply_to:
        mail["Reply-To"] = _address(Sender(headers.reply_to, name=message.sender_name))


def _threading_fields(mail: EmailMessage, message: OutboundMessage) -> None:
    headers = message.email
    if headers is None:
        return
    for name, ids in (
        ("Message-ID", (headers.message_id,)),
        (OWN_FIELD.title(), (headers.message_id,)),
        ("In-Reply-To", headers.in_reply_to[:1]),
        ("References", _capped(headers.references)),
    ):
        sound = [f"<{item}>" for item in ids if _MESSAGE_ID.fullmatch(item)]
        if sound:
            mail[name] = " ".join(sound)


def _capped(references: tuple[str, ...]) -> tuple[str, ...]:
    """At most 20: the first two and the last ones (§3.1)."""
    unique = tuple(dict.fromkeys(references))
    return unique if len(unique) <= MAX_REFERENCES else unique[:2] + unique[2 - MAX_REFERENCES :]


def _address(person: Sender) -> Address:
    local, _, domain = envelope_address(person.address).rpartition("@")
    return Address(one_line(person.name, 200), local.strip('"'), domain)


def _text(message: OutboundMessage) -> str:
    quoted = storable(message.quoted).strip("\n")
    text = storable(message.text).rstrip("\n")
    return f"{text}\n\n{quoted}\n" if quoted else f"{text}\n"


def _html(message: OutboundMessage, pictures: Mapping[str, OutboundFile]) -> str:
    text = storable(message.html) or f'<div style="white-space: pre-wrap">{_linked(storable(message.text))}</div>'
    shown = "".join(_shown(content_id, picture) for content_id, picture in pictures.items())
    quoted = storable(message.quoted).strip("\n")
    history = (
        f'<br><div class="gmail_quote" style="white-space: pre-wrap">{markup.escape(quoted)}</div>' if quoted else ""
    )
    return f"<!DOCTYPE html><html><body>{text}{shown}{history}</body></html>\n"


def _shown(content_id: str, picture: OutboundFile) -> str:
    name = markup.escape(one_line(picture.name, 200))
    return f'<p><img src="cid:{content_id}" alt="{name}" style="max-width: 100%"></p>'


def _linked(text: str) -> str:
    return _LINK.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', markup.escape(text))


def _apart(files: Sequence[OutboundFile]) -> tuple[dict[str, OutboundFile], list[OutboundFile]]:
    """Pictures to show below the text, by content id, and the files to hang on."""
    shown = [file for file in files if file.content_type.lower() in _PICTURES and file.size <= MAX_PICTURE][
        :MAX_PICTURES
    ]
    ids = {f"picture-{number}@throughline": file for number, file in enumerate(shown, 1)}
    return ids, [file for file in files if file not in shown]


def _add_picture(mail: EmailMessage, content_id: str, file: OutboundFile) -> None:
    """Into the HTML part, which becomes multipart/related with the first one."""
    sub = file.content_type.lower().partition("/")[2]
    mail.add_related(
        _content(file), "image", sub, cid=f"<{content_id}>", filename=filename.clean(file.name), disposition="inline"
    )


def _content(file: OutboundFile) -> bytes:
    if file.content is None:
        raise SendFailed(f'The file "{file.name}" could not be read.', permanent=True, code="file")
    return file.content


def _attach(mail: EmailMessage, file: OutboundFile) -> None:
    kind = file.content_type.lower()
    main, _, sub = (kind if _TYPE.fullmatch(kind) else "application/octet-stream").partition("/")
    if main in ("message", "multipart"):  # these would be taken apart, not attached
        main, sub = "application", "octet-stream"
    mail.add_attachment(_content(file), maintype=main, subtype=sub, filename=filename.clean(file.name, kind))
