"""The mails people and their mail programs write: new ones, replies that quote, and three that no person wrote."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, getaddresses, make_msgid
from html import unescape
from typing import Any

TAG = re.compile(r"<(style|script)[^>]*>.*?</\1>|<br[^>]*>|</p>|</div>|<[^>]+>", re.DOTALL | re.IGNORECASE)
QUOTE = re.compile(r"\n+[^\n>]{0,200}(?:wrote|schrieb|écrit)[^\n]*:\s*\n(?=>)|\n(?=>)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Letter:
    """What somebody wants to send."""

    sender: str
    sender_name: str
    to: tuple[str, ...]
    subject: str
    text: str
    at: datetime
    cc: tuple[str, ...] = ()
    html: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    photos: tuple[bytes, ...] = ()
    in_reply_to: str = ""
    references: str = ""


def compose(letter: Letter) -> EmailMessage:
    """The mail, with a Message-ID of the sender's own domain."""
    mail = EmailMessage(policy=policy.SMTP.clone(max_line_length=998))
    mail["From"] = formataddr((letter.sender_name, letter.sender))
    mail["To"] = ", ".join(letter.to)
    if letter.cc:
        mail["Cc"] = ", ".join(letter.cc)
    mail["Subject"] = " ".join(letter.subject.split())
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = make_msgid(domain=letter.sender.rpartition("@")[2] or "sandbox.test")
    if letter.in_reply_to:
        mail["In-Reply-To"] = letter.in_reply_to
        mail["References"] = f"{letter.references} {letter.in_reply_to}".strip()
    for name, value in letter.headers.items():
        del mail[name]
        mail[name] = value
    mail.set_content(letter.text)
    if letter.html:
        mail.add_alternative(letter.html, subtype="html")
    for number, photo in enumerate(letter.photos, start=1):
        mail.add_attachment(photo, maintype="image", subtype="jpeg", filename=f"IMG_{2040 + number}.jpg")
    return mail


def read(raw: bytes) -> EmailMessage:
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def header(mail: EmailMessage, name: str) -> str:
    """A header as text; what cannot be read is empty."""
    try:
        return str(mail.get(name, "")).strip()
    except (ValueError, IndexError, RecursionError, AttributeError, LookupError):
        return ""


def body(mail: EmailMessage) -> str:
    """The text a mail program shows; HTML only where there is nothing else, without its tags."""
    try:
        part = mail.get_body(("plain", "html"))
        text = str(part.get_content()) if part is not None else ""
        if part is not None and part.get_content_subtype() == "html":
            text = unescape(
                TAG.sub(lambda found: "\n" if found.group().lower().startswith(("<br", "</")) else "", text)
            )
    except (ValueError, LookupError, RecursionError, AttributeError, KeyError):
        return ""
    return text.replace("\r\n", "\n").strip()


def split_quote(text: str) -> tuple[str, str]:
    """(what is new, what is repeated from earlier mail)."""
    found = QUOTE.search("\n" + text)
    return (text[: max(found.start() - 1, 0)].rstrip(), text[found.start() :].strip()) if found else (text, "")


def files(mail: EmailMessage) -> list[tuple[str, str, bytes]]:
    """(name, type, content) of every attachment."""
    found = []
    for part in mail.walk():
        if part.get_content_disposition() in ("attachment", "inline") and not part.is_multipart():
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                found.append((part.get_filename() or "file", part.get_content_type(), content))
    return found


def reply_to(original: EmailMessage) -> str:
    """Where an answer goes: Reply-To, else From."""
    for name in ("Reply-To", "From"):
        addresses = [address for _, address in getaddresses([header(original, name)]) if address]
        if addresses:
            return addresses[0]
    return ""


def reply_subject(original: EmailMessage) -> str:
    subject = header(original, "Subject")
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"


def quoted(original: EmailMessage) -> str:
    """The original below the answer, as mail programs put it."""
    text, _ = split_quote(body(original))
    lines = "\n".join(f"> {line}".rstrip() for line in text.splitlines())
    date = header(original, "Date").rpartition(" ")[0] or "earlier"
    sender = getaddresses([header(original, "From")])[:1]
    name = (sender[0][0] or sender[0][1]) if sender else "you"
    return f"\n\nOn {date} {name} wrote:\n{lines}\n"


def ready_made(kind: str, name: str, sender: str, original: EmailMessage | None) -> dict[str, Any]:
    """`newsletter`, `out_of_office` or `order` as the fields of a `Letter`; raises ValueError for another."""
    if kind == "newsletter":
        return {
            "sender": "hello@kettle-and-leaf.example",
            "sender_name": "Kettle & Leaf",
            "subject": "Five teas for a cold week",
            "text": "Autumn is here and so is our new oolong.\n\nRead it in your browser or unsubscribe below.",
            "headers": {
                "List-Unsubscribe": "<https://kettle-and-leaf.example/leave/8c1f>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                "List-Id": "<weekly.kettle-and-leaf.example>",
                "Precedence": "bulk",
            },
        }
    if kind == "out_of_office":
        about = reply_subject(original)[4:] if original is not None else "your message"
        return {
            "sender": sender,
            "sender_name": name,
            "subject": f"Automatic reply: {about}",
            "text": f"Thank you for your mail. I am away until Monday and will read it then.\n\n{name}",
            "headers": {"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"},
        }
    if kind == "order":
        return {
            "sender": "orders@shop-mailer.example",
            "sender_name": "Shop orders",
            "subject": "Order #48213 shipped",
            "text": f"Order #48213 for {name} left the warehouse today.\n\nThis mail was sent by a machine.",
            "headers": {"Auto-Submitted": "auto-generated"},
        }
    raise ValueError(f"There is no ready-made letter {kind}; there are newsletter, out_of_office and order.")
