"""A mailbox read by UID: what is new since the last one, and waiting for more (reference/email.md §1).

`\\Seen` is neither read nor set: people and phones read the same mailbox. Any trouble is `ConnectionLost`; the object
is of no use afterwards, open another.
"""

from __future__ import annotations

import imaplib
import re
import select
import socket
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import BufferedReader
from typing import Any, Self, cast

from imap_tools import BaseMailBox, MailboxFolderSelectError
from imap_tools.utils import encode_folder

from connectors.adapters.email import imap_connection
from connectors.adapters.email.connect import explain
from connectors.adapters.email.imap_connection import TROUBLE
from connectors.adapters.email.imap_words import description, flags, lines, numbers, since, uid_set
from connectors.adapters.email.oversize import stub
from connectors.adapters.email.piece import MAX_MAIL_BYTES
from connectors.errors import ConnectionLost
from connectors.messages import Account

READ_SECONDS = 120.0
BATCH = 200
LISTING = -1  # instead of a UID under way: a batch is being described, and nobody knows which mail would be at fault
UNKNOWN = -1  # a size the server does not know
MAX_HEADER_FETCH = 65536
MAX_IDLE_SECONDS = 600.0  # routers forget a silent connection long before the 29 minutes of RFC 2177

_SEARCHABLE = re.compile(r"[A-Za-z0-9.@_-]{1,300}")
_BROKEN = "The mail server could not hand over this mail. It is still in the mailbox."
_USUAL_NAMES = {
    "\\Sent": {"sent", "sent items", "sent messages", "sent mail", "gesendet", "gesendete objekte", "envoyés"},
    "\\Junk": {"junk", "junk e-mail", "junk email", "spam", "bulk mail"},
}


Wanted = Callable[[int, datetime], bool]


@dataclass(frozen=True, slots=True)
class RawMail:
    """One mail as the server holds it. `raw` is None when it is too large or the server could not hand it over."""

    uid: int
    uidvalidity: int
    internaldate: datetime
    size: int
    raw: bytes | None
    header: bytes = b""
    problem: str = ""

    @property
    def body(self) -> bytes:
        """What to keep as the receipt: the mail, or a small mail with its headers that says what happened."""
        return self.raw if self.raw is not None else stub(self.header, self.problem)


class NoFolder(ConnectionLost):
    """The session goes on: this folder cannot be opened, others can."""


class Mailbox:
    """`with Mailbox.open(account) as mailbox: mailbox.select("INBOX")`, then `fetch` and `wait` in turns."""

    def __init__(self, connection: BaseMailBox, host: str) -> None:
        self._connection = connection
        self._client = connection.client
        self._host = host
        self._uidvalidity = 0
        self.fetching = 0

    @classmethod
    def open(cls, account: Account) -> Self:
        """Connect and sign in; raises `ConnectionLost`, with `refused` when the server refused who we are."""
        connection = imap_connection.connect(account)
        mailbox = cls(connection, account.secrets.get("imap_host", ""))
        with mailbox._guarded():
            connection.client._get_capabilities()  # IDLE is often announced only now
            connection.client.sock.settimeout(READ_SECONDS)
        return mailbox

    def special(self, use: str) -> str:
        """The folder a server keeps for this use (`\\Sent`, `\\Junk`; RFC 6154), by its name where it does not say."""
        with self._guarded():
            folders = self._connection.folder.list()
        marked = [each.name for each in folders if use.lower() in (flag.lower() for flag in each.flags)]
        named = [each.name for each in folders if each.name.split(each.delim)[-1].lower() in _USUAL_NAMES[use]]
        return next(iter([*marked, *named]), "")

    def select(self, folder: str = "INBOX", *, writable: bool = False) -> tuple[int, int]:
        """(UIDVALIDITY, UIDNEXT) of the folder, read-only by default. UIDNEXT is 0 where a server does not tell it."""
        with self._guarded():
            try:
                self._connection.folder.set(folder, readonly=not writable)
            except MailboxFolderSelectError as error:
                raise NoFolder(f'There is no folder "{folder}" in this mailbox.') from error
            self._uidvalidity = self._announced("UIDVALIDITY")
            self._has_news()
            return self._uidvalidity, self._announced("UIDNEXT")

    def newest(self) -> int:
        """The UID of the newest mail, 0 in an empty folder: where to begin when a server announces no UIDNEXT."""
        with self._guarded():
            return max(numbers(self._command("SEARCH", "UID *")), default=0)

    def tops(self, count: int) -> list[bytes]:
        """The header blocks of the newest mails in the folder."""
        newest = self.newest()
        with self._guarded():
            uids = sorted(numbers(self._command("SEARCH", f"UID {max(1, newest - 10 * count)}:*")))[-count:]
            return [self._header(uid) for uid in uids]

    def count_since(self, day: date) -> int:
        """How many mails in the folder arrived from this day on."""
        with self._guarded():
            return len(numbers(self._command("SEARCH", since(day))))

    def find(self, message_id: str) -> set[int]:
        """The UIDs of the mails in the folder with this Message-ID, ours if we made it."""
        if not _SEARCHABLE.fullmatch(message_id):
            return set()
        with self._guarded():
            self._client.noop()
            return numbers(self._command("SEARCH", "HEADER", "Message-ID", f'"{message_id}"'))

    def remove(self, uid: int) -> None:
        """For good, and only this one; where the server cannot do that, it stays and is marked as deleted."""
        with self._guarded():
            self._command("STORE", str(uid), "+FLAGS.SILENT", "(\\Deleted)")
            if "UIDPLUS" in self._client.capabilities:
                self._command("EXPUNGE", str(uid))

    def before(self, day: date) -> int:
        """The UID below which all mail arrived before this day: where to begin when the last days are wanted too."""
        with self._guarded():
            found = numbers(self._command("SEARCH", since(day)))
        return min(found) - 1 if found else self.newest()

    def fetch(
        self,
        last_uid: int,
        max_bytes: int = MAX_MAIL_BYTES,
        given_up: Container[int] = (),
        wanted: Wanted | None = None,
    ) -> Iterator[RawMail]:
        """Every mail with a UID above `last_uid`, oldest first, one body at a time; `fetching` is the one under way.

        A mail deleted meanwhile is left out; one that is too large, that the server cannot describe or hand over or
        that was `given_up` comes without `raw`, so that nothing behind it waits. Once LISTING is `given_up`, mails are
        described one by one. What is not `wanted` (its UID, when it arrived) is not fetched.
        """
        with self._guarded():
            self._client.noop()  # a session sees new mail only after the server has announced it
            self._has_news()
            found = numbers(self._command("SEARCH", f"UID {last_uid + 1}:*"))
        uids = sorted(uid for uid in found if uid > last_uid)  # `n:*` always names the last mail, even beyond it
        batch = 1 if LISTING in given_up else BATCH
        for start in range(0, len(uids), batch):
            batched = uids[start : start + batch]
            self.fetching = batched[0] if batch == 1 else LISTING
            described = [(uid, UNKNOWN, datetime.now(UTC)) for uid in batched if uid in given_up]
            with self._guarded():
                described += self._described([uid for uid in batched if uid not in given_up])
            for uid, size, arrived in sorted(described):
                self.fetching = uid
                if wanted and not wanted(uid, arrived):
                    continue
                with self._guarded():
                    mail = self._mail(uid, size, arrived, max_bytes, is_given_up=uid in given_up)
                if mail is not None:
                    yield mail
            self.fetching = 0

    def flag(self, uids: Sequence[int]) -> None:
        """Mark as read and flagged, so that people see in their mail program what is here already."""
        if not uids:
            return
        with self._guarded():
            self._command("STORE", uid_set(uids), "+FLAGS.SILENT", "(\\Seen \\Flagged)")

    def move(self, uids: Sequence[int], folder: str) -> None:
        """Into another folder, made when it is not there. Only these mails go: never a plain EXPUNGE, which would take
        along what other programs have marked."""
        if not uids:
            return
        chosen, name = uid_set(uids), encode_folder(folder).decode()
        with self._guarded():
            if not self._connection.folder.exists(folder):
                self._connection.folder.create(folder)
            if "MOVE" in self._client.capabilities:
                self._command("MOVE", chosen, name)
                return
            self._command("COPY", chosen, name)
            self._command("STORE", chosen, "+FLAGS.SILENT", "(\\Seen \\Deleted)")
            if "UIDPLUS" in self._client.capabilities:
                self._command("EXPUNGE", chosen)

    def cut(self) -> None:
        """End a session that is stuck, from another thread: what it waits for fails at once."""
        with suppress(OSError):
            self._client.sock.shutdown(socket.SHUT_RDWR)

    def wait(self, seconds: float) -> bool:
        """Wait for news by IDLE. True: something happened; False: the time is over. Walk the UIDs after either.

        A connection the server has dropped looks like instant news; ending the IDLE then raises `ConnectionLost`.
        """
        with self._guarded():
            self._client.noop()
            if self._has_news():  # came since the last walk; not every server repeats it when IDLE begins
                return True
            if "IDLE" not in self._client.capabilities:
                self._readable(seconds)
                self._client.noop()
                return True
            tag = self._begin_idle()
            news = self._buffered() or self._readable(min(seconds, MAX_IDLE_SECONDS))
            self._end_idle(tag)
            return self._has_news() or news

    def close(self) -> None:
        imap_connection.hang_up(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _described(self, uids: Sequence[int]) -> list[tuple[int, int, datetime]]:
        """(uid, size, date) of those that are still there and not marked as deleted."""
        if not uids:
            return []
        try:
            told = self._command("FETCH", uid_set(uids), "(UID FLAGS RFC822.SIZE INTERNALDATE)")
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            if len(uids) > 1:
                return [found for uid in uids for found in self._described_alone(uid)]
            told = []
        found = {each[0]: each for each in map(description, lines(told)) if each and each[0] in uids}
        deleted = {uid for line in lines(told) for uid, is_deleted in flags(line) if is_deleted}
        left = self._left([uid for uid in uids if uid not in found and uid not in deleted])
        return [*found.values(), *((uid, UNKNOWN, datetime.now(UTC)) for uid in left)]

    def _described_alone(self, uid: int) -> list[tuple[int, int, datetime]]:
        self.fetching = uid
        return self._described([uid])

    def _left(self, uids: Sequence[int]) -> list[int]:
        """Those that are still there and not marked as deleted. What nothing is told of at all is still there."""
        if not uids:
            return []
        self._client.noop()  # else a server may tell anything of a mail that is gone already (RFC 2180 §4.1)
        try:
            told = self._command("FETCH", uid_set(uids), "(UID FLAGS)")
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            return [*uids] if len(uids) == 1 else [left for uid in uids for left in self._left([uid])]
        here = {uid for line in lines(told) for uid, is_deleted in flags(line) if not is_deleted}
        return [uid for uid in uids if uid in here]

    def _mail(self, uid: int, size: int, date: datetime, max_bytes: int, *, is_given_up: bool) -> RawMail | None:
        if is_given_up:
            return RawMail(uid, self._uidvalidity, date, size, None, b"", _BROKEN)
        if size > max_bytes:
            problem = f"This mail of {size / 1024 / 1024:.0f} MB was too large to fetch. It is still in the mailbox."
            return RawMail(uid, self._uidvalidity, date, size, None, self._header(uid), problem)
        raw = self._raw(uid) if size != UNKNOWN else None
        if raw:
            return RawMail(uid, self._uidvalidity, date, size, raw)
        if not self._left([uid]):
            return None
        return RawMail(uid, self._uidvalidity, date, size, None, self._header(uid), _BROKEN)

    def _raw(self, uid: int) -> bytes | None:
        try:
            return self._literal(uid, "BODY.PEEK[]")
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            return None

    def _header(self, uid: int) -> bytes:
        try:
            return self._literal(uid, f"BODY.PEEK[HEADER]<0.{MAX_HEADER_FETCH}>") or b""
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            return b""

    def _literal(self, uid: int, item: str) -> bytes | None:
        """The bytes of one section; None if the mail is gone. Answers about other mails may come in between."""
        for part in self._command("FETCH", str(uid), f"(UID {item})"):
            if isinstance(part, tuple) and len(part) == 2 and b"BODY[" in part[0].upper():
                return bytes(part[1])
        return None

    def _command(self, name: str, *arguments: str) -> Sequence[Any]:
        self._client.untagged_responses.pop(name, None)  # what came with a refusal is no answer to the next question
        status, answers = self._client.uid(name, *arguments)
        if status != "OK":
            raise imaplib.IMAP4.error(f"{name} was answered {status}")
        return [answer for answer in answers if answer is not None]

    def _announced(self, name: str) -> int:
        value = (self._client.untagged_responses.get(name) or [b"0"])[-1]
        return int(value) if isinstance(value, bytes) else 0

    def _begin_idle(self) -> bytes:
        """imaplib has no IDLE before 3.14, and imap-tools stumbles over news that come before the go-ahead."""
        tag: bytes = self._client._command("IDLE")
        while self._client._get_response() is not None:
            if self._client.tagged_commands[tag]:
                raise imaplib.IMAP4.error("IDLE was refused")
        return tag

    def _end_idle(self, tag: bytes) -> None:
        self._client.send(b"DONE\r\n")
        while not self._client.tagged_commands[tag]:
            self._client._get_response()
        del self._client.tagged_commands[tag]

    def _has_news(self) -> bool:
        """Whether the server has announced a new mail since this was last asked."""
        _, counts = self._client.response("EXISTS")
        return counts != [None]

    def _buffered(self) -> bool:
        """News that came in one packet with the server's go-ahead, which polling the socket would not show."""
        sock = self._client.sock
        timeout = sock.gettimeout()
        sock.settimeout(0)
        try:
            return bool(cast("BufferedReader", self._client.file).peek(1))
        except OSError:
            return False
        finally:
            sock.settimeout(timeout)

    def _readable(self, seconds: float) -> bool:
        poller = select.poll()
        poller.register(self._client.sock.fileno(), select.POLLIN)
        return bool(poller.poll(seconds * 1000))

    def _guarded(self) -> _Guard:
        return _Guard(self._host)


class _Guard:
    """Everything that can go wrong in a session, as `ConnectionLost`."""

    def __init__(self, host: str) -> None:
        self.host = host

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, TROUBLE):
            raise ConnectionLost(explain(error, self.host)) from error
