"""One raw mail as items. Pure: bytes in, values out, no network, no settings. Runs inside the parser child."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from connectors.adapters.email import (
    addresses,
    authenticity,
    body,
    bounce,
    forwarded,
    message_id,
    quoting,
    recipient,
    sent,
    unsubscribing,
)
from connectors.adapters.email.classify import auto_reply, classify, sounds_automatic
from connectors.adapters.email.headers import Headers
from connectors.adapters.email.piece import Piece, TooHostile
from connectors.messages import (
    Account,
    Authenticity,
    Classification,
    EmailHeaders,
    Ignored,
    InboundMessage,
    Item,
    Malformed,
    OptOut,
    OptOutAction,
    RawInput,
    Sender,
)

MAX_REFERENCES = 50
LATE = timedelta(hours=24)
_STRETCH = 1024 * 1024

_BODY_START = re.compile(rb"\r\n\r\n|\n\n|\r\r")


def parse(raw: RawInput) -> list[Item]:
    """One message or echo, the bounces of one report, what unsubscribes and how, one `Ignored` or one `Malformed`."""
    try:
        root = Piece.parse(raw.body)
    except TooHostile as hostile:
        return [Malformed(f"Not read, because it has {hostile.reason}", excerpt(raw.body))]
    headers = root.headers
    author = addresses.author(headers)
    if author is not None and raw.headers.get("use") == "sent":
        copy = _email(headers, raw.account.addresses)
        identity, date = provider_id(headers, raw.body), sent_at(headers, raw.received_at)
        return [sent.read(root, raw.account, copy, provider_id=identity, sent_at=date)]
    if author and recipient.is_ours(author.sender.address, raw.account.addresses) and _is_own_mail(headers, raw):
        return [Ignored("own mail", "The copy of a mail we sent")]
    mail = _message(raw, root, author) if author else None
    report = bounce.report(root, mail)
    if report is not None:
        return report
    if mail and (delivery := _unsubscribes_from(headers, raw)):
        return _unsubscribed(mail, delivery)
    return [mail or Malformed("no usable From", excerpt(raw.body))]


def _unsubscribes_from(headers: Headers, raw: RawInput) -> str:
    key, subject = raw.account.secrets.get("message_id_seal", ""), headers.text("subject")
    if not key or quoting.is_reply(subject, threaded=False):  # somebody answered such a mail, and this answers them
        return ""
    return unsubscribing.asked(subject, bytes.fromhex(key))


def _unsubscribed(mail: InboundMessage, delivery: str) -> list[Item]:
    """What it asks for, and the mail itself, which nobody need read."""
    wish = OptOut(
        mail.provider_id, mail.sender, mail.recipient, OptOutAction.UNSUBSCRIBE, "unsubscribe", delivery=delivery
    )
    reason = "Wants no automatic mail any more; that is noted"
    return [wish, replace(mail, classification=Classification.AUTOMATIC, is_auto_reply=True, reason=reason)]


def excerpt(body: bytes) -> str:
    """The first lines of a mail nobody could read, for the quarantine page."""
    return body[:500].decode("ascii", "replace").replace("\x00", "")


def provider_id(headers: Headers, raw: bytes) -> str:
    """sha256 of Message-ID, From, Date and body; of everything when there is no Message-ID (architecture.md §4)."""
    ids = headers.message_ids("message-id")
    if not ids:
        return hashlib.sha256(raw).hexdigest()
    start = _BODY_START.search(raw)
    digest = hashlib.sha256()
    for value in (ids[0], headers.raw("from"), headers.raw("date")):
        digest.update(value.encode("utf-8", "surrogateescape") + b"\0")
    for line_ends in _stretches(raw.rstrip(), start.end()) if start else ():
        digest.update(line_ends.replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def _stretches(raw: bytes, start: int) -> Iterator[bytes]:
    """A mail from `start` on, a megabyte at a time, never cut between CR and LF."""
    while start < len(raw):
        end = start + _STRETCH
        end += raw[end - 1 : end + 1] == b"\r\n"
        yield raw[start:end]
        start = end


def sent_at(headers: Headers, arrived: datetime) -> datetime:
    """The Date if it is within the day before the mail arrived, else the arrival: a Date is the sender's word."""
    try:
        date = parsedate_to_datetime(headers.raw("date")[:200])
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        return date if arrived - LATE <= date <= arrived else arrived
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return arrived


def _message(raw: RawInput, root: Piece, author: addresses.Author) -> InboundMessage:
    headers, account = root.headers, raw.account
    fallback = next((piece.charset for piece in root.leaves() if piece.charset), "")
    subject = headers.text("subject", fallback)
    threads = _threads(headers)
    found = body.read(root, is_reply=quoting.is_reply(subject, threaded=bool(threads)))
    sender, proof, classification, reason = _standing(raw, headers, author, subject)
    return InboundMessage(
        provider_id=provider_id(headers, raw.body),
        sender=sender,
        recipient=recipient.recipient(headers, account.addresses),
        text=found.text,
        sent_at=sent_at(headers, raw.received_at),
        subject=subject,
        html=found.html,
        quoted=found.quoted,
        attachments=found.attachments,
        classification=classification,
        reason=reason,
        is_auto_reply=bool(auto_reply(headers, subject, answers_us=_is_any_ours(threads, raw.account))),
        may_be_automatic=sounds_automatic(subject),
        authenticity=proof,
        email=_email(headers, account.addresses),
        remark=found.remark,
        original=forwarded.original(root, found.text, subject),
    )


def _standing(
    raw: RawInput, headers: Headers, author: addresses.Author, subject: str
) -> tuple[Sender, Authenticity, Classification, str]:
    """Who wrote, how far that is proven, what kind of mail it is, and why."""
    account, sender = raw.account, author.sender
    server = account.options.get("authserv_id", "")
    proof = Authenticity.FAIL if author.doubt else authenticity.judge(headers, sender.address, server)
    answers_us = _is_any_ours(_threads(headers), account)
    kind, reason = classify(headers, sender.address, subject, account.addresses, answers_us=answers_us)
    if proof == Authenticity.PASS or not (server or author.doubt):
        person = _behind_form(headers, sender, account)
        if person and kind != Classification.SPAM:
            reason = f"Written into a form; {sender.address} passed it on"
            sender, proof, kind = person, Authenticity.UNKNOWN, Classification.PERSON
    if kind == Classification.PERSON and raw.headers.get("use") == "junk":
        kind, reason = Classification.SPAM, "It lay in the mailbox's junk folder"
    if author.doubt and not reason:
        reason = f"Not to be trusted: {author.doubt}"
    return sender, proof, kind, reason


def _behind_form(headers: Headers, sender: Sender, account: Account) -> Sender | None:
    """Who wrote, where a contact form or a marketplace named in the option `forms` only passes it on (Reply-To)."""
    forms = account.options.get("forms", "").lower().replace(";", " ").replace(",", " ").split()
    address = sender.address.lower()
    if address not in forms and f"*@{address.rpartition('@')[2]}" not in forms:
        return None
    outside = (
        item for item in addresses.every(headers, "reply-to") if not recipient.is_ours(item.address, account.addresses)
    )
    return next(outside, None)


def _email(headers: Headers, ours: tuple[str, ...]) -> EmailHeaders:
    own_id = headers.message_ids("message-id")
    return EmailHeaders(
        message_id=own_id[0] if own_id else "",
        in_reply_to=headers.message_ids("in-reply-to")[:MAX_REFERENCES],
        references=_capped(headers.message_ids("references")),
        reply_to=_reply_to(headers, ours),
        to=addresses.every(headers, "to"),
        cc=addresses.every(headers, "cc"),
        delivered_to=recipient.delivered_to(headers),
        reply_tokens=recipient.reply_tokens(headers, ours),
    )


def _threads(headers: Headers) -> tuple[str, ...]:
    return headers.message_ids("in-reply-to") + headers.message_ids("references")


def _capped(references: tuple[str, ...]) -> tuple[str, ...]:
    """The first two and the last ones: where a conversation began, and where it is now."""
    return references if len(references) <= MAX_REFERENCES else references[:2] + references[2 - MAX_REFERENCES :]


def _reply_to(headers: Headers, ours: tuple[str, ...]) -> str:
    """Where answers are wanted; our own address there would be a loop."""
    wanted: tuple[Sender, ...] = addresses.every(headers, "reply-to")
    return next((item.address for item in wanted if not recipient.is_ours(item.address, ours)), "")


def _is_own_mail(headers: Headers, raw: RawInput) -> bool:
    """Our From alone is anybody's to forge; our Message-ID seals it."""
    ids = (*headers.message_ids("message-id")[:1], *headers.message_ids(message_id.OWN_FIELD)[:1])
    return _is_any_ours(ids, raw.account)


def _is_any_ours(ids: Iterable[str], account: Account) -> bool:
    """Whether we made one of these Message-IDs. Without the key its shape has to do."""
    key = account.secrets.get("message_id_seal", "")
    if not key:
        return any(message_id.looks_like_ours(each) for each in ids)
    return any(message_id.is_sealed(each, bytes.fromhex(key)) for each in ids)
