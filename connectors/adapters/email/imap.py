"""A mailbox read by UID: what is new since the last one, and waiting for more (reference/email.md §1).

`\\Seen` is neither read nor set: people and phones read the same mailbox. Any trouble is `ConnectionLost`; the object
is of no use afterwards, open another.
"""

from __future__ import annotations

import imaplib
import re
import select
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedReader
from typing import Any, Self, cast

from imap_tools import BaseMailBox, MailboxFolderSelectError, MailboxLoginError
from imap_tools.errors import ImapToolsError

from connectors.adapters.email.connect import Unreachable, explain, open_socket, trust
from connectors.adapters.email.oversize import stub
from connectors.adapters.email.prescan import MAX_MAIL_BYTES
from connectors.errors import ConnectionLost
from connectors.messages import Account

CONNECT_SECONDS = 45.0
READ_SECONDS = 120.0
BATCH = 200
MAX_HEADER_FETCH = 65536
MAX_IDLE_SECONDS = 600.0  # routers forget a silent connection long before the 29 minutes of RFC 2177

_UID = re.compile(rb"\bUID (\d+)", re.IGNORECASE)
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)", re.IGNORECASE)
_DATE = re.compile(rb'INTERNALDATE "([^"]+)"', re.IGNORECASE)
_FLAGS = re.compile(rb"FLAGS \(([^)]*)\)", re.IGNORECASE)
_TROUBLE = (imaplib.IMAP4.error, ImapToolsError, OSError, Unreachable, ValueError, EOFError)


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


class Mailbox:
    """`with Mailbox.open(account) as mailbox: mailbox.select("INBOX")`, then `fetch` and `wait` in turns."""

    def __init__(self, connection: BaseMailBox, host: str) -> None:
        self._connection = connection
        self._client = connection.client
        self._host = host
        self._uidvalidity = 0

    @classmethod
    def open(cls, account: Account) -> Self:
        """Connect and sign in; raises `ConnectionLost`, with `reconnect` when the server refused the password."""
        secrets = account.secrets
        host = secrets.get("imap_host", "")
        try:
            connection = _Connection(host, int(secrets.get("imap_port", "993")), secrets.get("imap_security", "ssl"))
        except _TROUBLE as error:
            raise ConnectionLost(explain(error, host)) from error
        try:
            _sign_in(connection, secrets.get("imap_username", ""), secrets.get("imap_password", ""))
        except (MailboxLoginError, imaplib.IMAP4.error) as error:
            _hang_up(connection)
            if isinstance(error, imaplib.IMAP4.abort) or _is_temporary(str(error)):
                raise ConnectionLost(f"{host} takes no sign-in at the moment.") from error
            raise ConnectionLost(f"{host} does not accept this user name and password.", reconnect=True) from error
        except _TROUBLE as error:
            _hang_up(connection)
            raise ConnectionLost(explain(error, host)) from error
        mailbox = cls(connection, host)
        with mailbox._guarded():
            connection.client._get_capabilities()  # IDLE is often announced only now
            connection.client.sock.settimeout(READ_SECONDS)
        return mailbox

    def select(self, folder: str = "INBOX") -> tuple[int, int]:
        """(UIDVALIDITY, UIDNEXT) of the folder, opened read-only. UIDNEXT is 0 where a server does not tell it."""
        with self._guarded():
            try:
                self._connection.folder.set(folder, readonly=True)
            except MailboxFolderSelectError as error:
                raise ConnectionLost(f'There is no folder "{folder}" in this mailbox.') from error
            self._uidvalidity = self._announced("UIDVALIDITY")
            self._has_news()
            return self._uidvalidity, self._announced("UIDNEXT")

    def newest(self) -> int:
        """The UID of the newest mail, 0 in an empty folder: where to begin when a server announces no UIDNEXT."""
        with self._guarded():
            found = self._command("SEARCH", "UID *")
        return max((int(word) for line in found if isinstance(line, bytes) for word in line.split()), default=0)

    def fetch(self, last_uid: int, max_bytes: int = MAX_MAIL_BYTES) -> Iterator[RawMail]:
        """Every mail with a UID above `last_uid`, oldest first, one body at a time.

        A mail deleted meanwhile is left out; one that is too large or that the server cannot hand over comes without
        `raw`, so that nothing behind it waits.
        """
        with self._guarded():
            self._client.noop()  # a session sees new mail only after the server has announced it
            self._has_news()
            listed = sorted(self._listed(last_uid))
        for uid, size, date in listed:
            with self._guarded():
                mail = self._mail(uid, size, date, max_bytes)
            if mail is not None:
                yield mail

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
        _hang_up(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _listed(self, last_uid: int) -> Iterator[tuple[int, int, datetime]]:
        """(uid, size, date) above `last_uid`. `n:*` always names the last mail, even when n is beyond it."""
        found = self._command("SEARCH", f"UID {last_uid + 1}:*")
        uids = sorted(
            {int(word) for line in found if isinstance(line, bytes) for word in line.split() if word.isdigit()}
        )
        uids = [uid for uid in uids if uid > last_uid]
        for start in range(0, len(uids), BATCH):
            batch = ",".join(map(str, uids[start : start + BATCH]))
            wanted = set(uids[start : start + BATCH])
            for line in _joined(self._command("FETCH", batch, "(UID FLAGS RFC822.SIZE INTERNALDATE)")):
                meta = _metadata(line)
                if meta is not None and meta[0] in wanted:
                    wanted.discard(meta[0])
                    yield meta

    def _mail(self, uid: int, size: int, date: datetime, max_bytes: int) -> RawMail | None:
        if size > max_bytes:
            problem = f"This mail of {size / 1024 / 1024:.0f} MB was too large to fetch. It is still in the mailbox."
            return RawMail(uid, self._uidvalidity, date, size, None, self._header(uid), problem)
        try:
            raw = self._literal(uid, "BODY.PEEK[]")
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            problem = "The mail server could not hand over this mail. It is still in the mailbox."
            return RawMail(uid, self._uidvalidity, date, size, None, self._header(uid), problem)
        return None if raw is None else RawMail(uid, self._uidvalidity, date, size, raw)

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
        if isinstance(error, _TROUBLE):
            raise ConnectionLost(explain(error, self.host)) from error


class _Connection(BaseMailBox):
    def __init__(self, host: str, port: int, security: str) -> None:
        self.host, self.port, self.security = host, port, security
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        if self.security == "ssl":
            return _Secure(self.host, self.port)
        if self.security != "starttls":
            raise Unreachable(
                f'"{self.security}" is not a way to secure a connection: ssl or starttls.', permanent=True
            )
        client = _Plain(self.host, self.port)
        try:
            client.starttls(trust())
        except BaseException:  # a failed handshake leaves a dead socket behind
            client.shutdown()
            raise
        return client


class _Plain(imaplib.IMAP4):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port, CONNECT_SECONDS)

    def _create_socket(self, timeout: float | None) -> Any:
        return open_socket(self.host, self.port, timeout or CONNECT_SECONDS)


class _Secure(imaplib.IMAP4):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port, CONNECT_SECONDS)

    def _create_socket(self, timeout: float | None) -> ssl.SSLSocket:
        plain = open_socket(self.host, self.port, timeout or CONNECT_SECONDS)
        try:
            return trust().wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


def _sign_in(connection: BaseMailBox, username: str, password: str) -> None:
    if username.isascii() and password.isascii():
        connection.login(username, password, initial_folder=None)
    else:
        connection.login_utf8(username, password, initial_folder=None)


def _hang_up(connection: BaseMailBox) -> None:
    with suppress(*_TROUBLE):
        connection.client.sock.settimeout(5)
        connection.client.logout()
    with suppress(*_TROUBLE):
        connection.client.shutdown()


def _is_temporary(answer: str) -> bool:
    return any(word in answer.upper() for word in ("UNAVAILABLE", "THROTTLED", "OVERQUOTA", "TOO MANY", "TRY AGAIN"))


def _joined(answers: Sequence[Any]) -> Iterator[bytes]:
    for answer in answers:
        yield b" ".join(answer) if isinstance(answer, tuple) else bytes(answer)


def _metadata(line: bytes) -> tuple[int, int, datetime] | None:
    """(uid, size, date) of one FETCH answer; None for what is deleted or was not asked for."""
    uid, size, date, flags = _UID.search(line), _SIZE.search(line), _DATE.search(line), _FLAGS.search(line)
    if not uid or not size or (flags and b"\\deleted" in flags[1].lower()):
        return None
    return int(uid[1]), int(size[1]), _moment(date[1] if date else b"")


def _moment(text: bytes) -> datetime:
    try:
        return datetime.strptime(text.decode().strip(), "%d-%b-%Y %H:%M:%S %z")
    except ValueError:
        return datetime.now(UTC)
