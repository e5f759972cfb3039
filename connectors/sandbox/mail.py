"""The post office: who has a mailbox, who may send as whom, and what a delivered mail carries.

It plays every mail system at once: ours, the customers', and that of any stranger who ever wrote to us.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.utils import format_datetime, getaddresses
from pathlib import Path
from urllib.parse import quote

from pymap.parsing.specials.flag import Seen

from connectors.sandbox.config import Config
from connectors.sandbox.mailboxes import StoredMailboxes
from connectors.sandbox.people import People, bare
from connectors.sandbox.wire import Wire

AUTHORITY = "sandbox.test"
HEADER_LIMIT = 65536
LONGEST_ADDRESS = 254  # RFC 5321
MACHINES = ("auto-submitted", "list-unsubscribe", "precedence", "list-id")


@dataclass(slots=True)
class Account:
    """A mailbox. Without a password nobody can sign in to it, but it takes mail."""

    address: str
    username: str
    password: str
    mailboxes: StoredMailboxes
    is_ours: bool


class PostOffice:
    def __init__(self, config: Config, people: People, folder: Path, wire: Wire) -> None:
        self.people, self.folder, self.wire = people, folder, wire
        self.accounts: dict[str, Account] = {}
        for connector in config.of_kind("email"):
            self._open(connector.address, connector.username or connector.address, connector.password, is_ours=True)
        for person in people.everybody:
            if person.email and bare(person.email) not in self.accounts:
                self._open(person.email, person.email, person.email_password, is_ours=False)

    def _open(self, address: str, username: str, password: str, *, is_ours: bool) -> Account:
        mailboxes = StoredMailboxes(self._place(address), self._learn_sender if is_ours else None)
        account = Account(address, username, password, mailboxes, is_ours)
        self.accounts[bare(address)] = account
        return account

    def account(self, address: str) -> Account | None:
        """The mailbox that takes mail for this address, plus parts and case aside; a known stranger's is opened."""
        found = self.accounts.get(bare(address))
        person = self.people.by_email(address) if found is None else None
        return found if person is None else self._open(person.email, person.email, "", is_ours=False)

    def in_use(self, address: str) -> Account | None:
        """The mailbox of this address if it ever had mail."""
        used = bare(address) in self.accounts or self._place(address).exists()
        return self.account(address) if address and used else None

    def _place(self, address: str) -> Path:
        name = quote(bare(address), safe="@.-_")
        return self.folder / (name if len(name) < 200 else hashlib.sha256(name.encode()).hexdigest())

    def user(self, username: str) -> Account | None:
        return next((one for one in self.accounts.values() if one.password and one.username == username), None)

    def with_password(self) -> list[Account]:
        return [account for account in self.accounts.values() if account.password]

    def mailbox_for(self, address: str, name: str = "") -> Account:
        """The mailbox of this address; a stranger's is opened."""
        account = self.account(address)
        if account is None:
            self.people.meet(email=address, name=name)
            account = self.account(address)
            self.wire.announce("people")
        assert account is not None
        return account

    def _learn_sender(self, raw: bytes) -> None:
        """Whoever writes to us exists, so that the answer can be delivered. Machines read no answers."""
        headers = _headers(raw)
        if any(headers.get(name) for name in MACHINES):
            return
        for name, address in _addresses(headers, "From")[:1]:
            if "@" in address and len(address) < LONGEST_ADDRESS and bare(address) not in self.accounts:
                self.people.meet(email=address, name=name)
                self.wire.announce("people")

    def deliver(
        self,
        raw: bytes,
        sender: str,
        recipients: list[str],
        *,
        signed_in_as: Account | None = None,
        verdict: str = "",
        at: datetime | None = None,
    ) -> None:
        """Put the mail into every recipient's inbox with the headers a receiving system adds.

        `verdict` is the DMARC result; without one it follows from who signed in. The sender's own copy goes to Sent,
        as large mail providers do for their people.
        """
        verdict = verdict or self._verdict(raw, signed_in_as)
        raw = _without_our_verdicts(raw)
        now = at or datetime.now(UTC)
        if signed_in_as is not None and not signed_in_as.is_ours:
            signed_in_as.mailboxes.sent.add(raw, now, [Seen], recent=False)
            self._announce(signed_in_as)
        domain = re.sub(r"[^a-z0-9.-]", "", bare(_from(raw)).rpartition("@")[2]) or "unknown"
        spf = "pass" if verdict == "pass" else "none" if verdict == "none" else "softfail"
        for recipient in recipients:
            account = self.account(recipient)
            if account is None:
                continue
            added = (
                f"Return-Path: <{sender}>\r\n"
                f"Delivered-To: {recipient}\r\n"
                f"Received: from sandbox.test by sandbox.test with ESMTPS; {format_datetime(now)}\r\n"
                f"Authentication-Results: {AUTHORITY}; dmarc={verdict} header.from={domain};"
                f" spf={spf} smtp.mailfrom={sender or '<>'}\r\n"
            )
            account.mailboxes.inbox.add(added.encode() + raw, now)
            self.wire.log("smtp", "product" if account.is_ours else "provider", "mail for", recipient)
            self._announce(account)

    def _verdict(self, raw: bytes, signed_in_as: Account | None) -> str:
        """`pass` for one's own address, `fail` for anybody's who has a password here, `none` for the wide world."""
        senders = [bare(address) for _, address in _addresses(_headers(raw), "From")]
        if len(senders) != 1 or not senders[0]:
            return "fail"
        if signed_in_as is not None:
            return "pass" if senders[0] == bare(signed_in_as.address) else "fail"
        account = self.accounts.get(senders[0])
        return "fail" if account is not None and account.password else "none"

    def _announce(self, account: Account) -> None:
        person = None if account.is_ours else self.people.by_email(account.address)
        if person is not None:
            self.wire.announce("thread", person=person.id, channel="email")


def _headers(raw: bytes) -> Message:
    """The top of a mail, parsed without trusting it."""
    ends = [raw.find(gap) for gap in (b"\r\n\r\n", b"\n\n") if gap in raw]
    return message_from_bytes(raw[: min([*ends, HEADER_LIMIT])])


def _addresses(headers: Message, name: str) -> list[tuple[str, str]]:
    try:
        return getaddresses([str(value)[:2000] for value in headers.get_all(name, [])])
    except (ValueError, IndexError, RecursionError):
        return []


def _from(raw: bytes) -> str:
    found = _addresses(_headers(raw), "From")
    return found[0][1] if found else ""


def _without_our_verdicts(raw: bytes) -> bytes:
    """RFC 8601 section 5: verdicts that claim to be ours but came with the mail are removed."""
    claim = AUTHORITY.encode()
    if b"authentication-results" not in raw[:HEADER_LIMIT].lower():
        return raw
    lines, kept, dropping, in_header = raw.splitlines(keepends=True), [], False, True
    for line in lines:
        if in_header and not line.strip():
            in_header = False
        if in_header and line[:1] not in (b" ", b"\t"):
            dropping = line.lower().startswith(b"authentication-results:") and claim in line.lower()
        if not (in_header and dropping):
            kept.append(line)
    return b"".join(kept)
