"""Mail kept in folders: one file per mail, byte for byte as it came; UIDs, UIDVALIDITY and flags survive a restart.

pymap's in-memory backend wakes IDLE at once but forgets; its maildir backend remembers, but looks only once a second
and writes mails anew (`>From`, line ends). This is the first with files under it. A mail's file is named
`<uid>_<internal date in ms>_<flags>.eml`.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, unquote

from pymap.backend.dict.mailbox import MailboxData, MailboxSet, Message, _ContentCache, _ThreadCache
from pymap.bytes import Writeable
from pymap.flags import FlagOp
from pymap.interfaces.message import CachedMessage
from pymap.message import BaseLoadedMessage
from pymap.mime import MessageContent
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import FetchRequirement, ObjectId
from pymap.parsing.specials.flag import Flag, Seen

Deposit = Callable[[bytes], None]


class RawMessage(BaseLoadedMessage):
    """A mail handed out as its bytes; its MIME structure is worked out only for those who ask."""

    __slots__ = ["raw"]

    def __init__(self, message: Message, requirement: FetchRequirement, raw: bytes) -> None:
        super().__init__(message, requirement, None)
        self.raw = raw

    @property
    def content(self) -> MessageContent:
        if self._content is None:
            self._content = MessageContent.parse(self.raw)
        return self._content

    def __bytes__(self) -> bytes:
        return self.raw

    @property
    def _header_end(self) -> int:
        ends = [self.raw.find(gap) + len(gap) for gap in (b"\r\n\r\n", b"\n\n") if gap in self.raw]
        return min(ends, default=len(self.raw))

    def get_size(self, section: Sequence[int] | None = None) -> int:
        return super().get_size(section) if section else len(self.raw)

    def get_body(self, section: Sequence[int] | None = None, binary: bool = False) -> Writeable:
        return super().get_body(section, binary) if section or binary else Writeable.wrap(self.raw)

    def get_message_headers(
        self, section: Sequence[int] | None = None, subset: Collection[bytes] | None = None, inverse: bool = False
    ) -> Writeable:
        if section or subset is not None:
            return super().get_message_headers(section, subset, inverse)
        return Writeable.wrap(self.raw[: self._header_end])

    def get_message_text(self, section: Sequence[int] | None = None) -> Writeable:
        return super().get_message_text(section) if section else Writeable.wrap(self.raw[self._header_end :])


class StoredMail(Message):
    """A mail in a folder. `path` moves with its flags."""

    __slots__ = ["path"]

    def __init__(
        self,
        path: Path,
        uid: int,
        internal_date: datetime,
        flags: Iterable[Flag],
        *,
        recent: bool = False,
        expunged: bool = False,
        email_id: ObjectId | None = None,
        thread_id: ObjectId | None = None,
    ) -> None:
        super().__init__(
            uid,
            internal_date,
            flags,
            recent=recent,
            expunged=expunged,
            email_id=email_id or ObjectId.random_email_id(),
            thread_id=thread_id or ObjectId.random_thread_id(),
        )
        self.path = path

    def raw(self) -> bytes:
        return self.path.read_bytes() if self.path.exists() else b""

    async def load_content(self, requirement: FetchRequirement) -> RawMessage:  # type: ignore[override]
        wanted = not requirement.has_none(FetchRequirement.CONTENT)
        return RawMessage(self, requirement, self.raw() if wanted else b"")

    def gone(self) -> StoredMail:
        return StoredMail(
            self.path,
            self.uid,
            self.internal_date,
            self.permanent_flags,
            expunged=True,
            email_id=self.email_id,
            thread_id=self.thread_id,
        )


class StoredFolder(MailboxData):
    """One IMAP folder over one folder of files. `deposit` hears of every mail that is put in."""

    def __init__(self, folder: Path, deposit: Deposit | None = None) -> None:
        super().__init__(_ContentCache(), _ThreadCache())  # the parent asks for them; nothing here fills them
        self.folder = folder
        self.deposit = deposit
        self._messages: dict[int, StoredMail] = {}  # type: ignore[assignment]
        self._load()

    def _load(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        about = self.folder / "folder.json"
        if about.exists():
            known = json.loads(about.read_text())
            self._uid_validity, self._max_uid = known["uid_validity"], known["highest"]
        else:
            self._uid_validity, self._max_uid = int(time.time()) + random.randrange(1000), 0
            self._remember()
        found = sorted((int(path.name.partition("_")[0]), path) for path in self.folder.glob("*.eml"))
        for uid, path in found:
            _, milliseconds, flags = path.stem.split("_", 2)
            at = datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
            kept = {Flag(unquote(flag).encode()) for flag in flags.split(",") if flag}
            self._messages[uid] = StoredMail(path, uid, at, kept)
            self._max_uid = max(self._max_uid, uid)
        self._mod_sequences.update(list(self._messages))

    def _remember(self) -> None:
        """The highest UID ever given, before the file that shows it goes."""
        part = self.folder / "folder.part"
        part.write_text(json.dumps({"uid_validity": self._uid_validity, "highest": self._max_uid}))
        part.replace(self.folder / "folder.json")

    def _path(self, uid: int, at: datetime, flags: Iterable[Flag]) -> Path:
        names = ",".join(sorted(quote(bytes(flag).decode(errors="replace"), safe="") for flag in flags))
        return self.folder / f"{uid}_{round(at.timestamp() * 1000)}_{names}.eml"

    def mails(self) -> list[StoredMail]:
        return list(self._messages.values())

    def add(self, raw: bytes, at: datetime, flags: Iterable[Flag] = (), *, recent: bool = True) -> StoredMail:
        """Put a mail in and wake whoever idles."""
        self._max_uid = uid = self._max_uid + 1
        path = self._path(uid, at, flags)
        part = path.with_suffix(".part")
        part.write_bytes(raw)
        part.replace(path)
        mail = StoredMail(path, uid, at, flags, recent=recent)
        self._messages[uid] = mail
        self._changed(uid)
        if self.deposit is not None:
            self.deposit(raw)
        return mail

    def set_flags(self, mail: StoredMail, flags: frozenset[Flag]) -> None:
        path = self._path(mail.uid, mail.internal_date, flags)
        if path != mail.path:
            mail.path = mail.path.rename(path)
        mail.permanent_flags = flags
        self._changed(mail.uid)

    def mark_seen(self, mail: StoredMail) -> None:
        self.set_flags(mail, mail.permanent_flags | {Seen})

    def remove(self, uid: int) -> None:
        mail = self._messages.pop(uid, None)
        if mail is not None:
            self._remember()
            mail.path.unlink(missing_ok=True)
            self._mod_sequences.expunge([uid])
            self._updated.set()

    def _changed(self, uid: int) -> None:
        self._mod_sequences.update([uid])
        self._updated.set()

    async def append(self, append_msg: AppendMessage, *, recent: bool = False) -> Message:
        at = append_msg.when or datetime.now(UTC)
        if at.tzinfo is None:
            at = at.astimezone()
        return self.add(bytes(append_msg.literal), at, append_msg.flag_set, recent=recent)

    async def copy(self, uid: int, destination: MailboxData, *, recent: bool = False) -> int | None:
        mail = self._messages.get(uid)
        if mail is None or not isinstance(destination, StoredFolder):
            return None
        return destination.add(mail.raw(), mail.internal_date, mail.permanent_flags, recent=recent).uid

    async def move(self, uid: int, destination: MailboxData, *, recent: bool = False) -> int | None:
        moved = await self.copy(uid, destination, recent=recent)
        if moved is not None:
            self.remove(uid)
        return moved

    async def get(self, uid: int, cached_msg: CachedMessage) -> Message:
        if uid < 1 or uid > self._max_uid:
            raise IndexError(uid)
        mail = self._messages.get(uid)
        if mail is not None:
            return mail
        assert isinstance(cached_msg, StoredMail)
        return cached_msg.gone()

    async def update(self, uid: int, cached_msg: CachedMessage, flag_set: frozenset[Flag], mode: FlagOp) -> Message:
        mail = await self.get(uid, cached_msg)
        if isinstance(mail, StoredMail) and not mail.expunged:
            self.set_flags(mail, mode.apply(mail.permanent_flags, flag_set))
        return mail

    async def delete(self, uids: Iterable[int]) -> None:
        for uid in list(uids):
            self.remove(uid)


class StoredMailboxes(MailboxSet):
    """All folders of one owner: INBOX, Sent, Junk, and what a client creates."""

    def __init__(self, folder: Path, deposit: Deposit | None = None) -> None:
        super().__init__()
        self.folder = folder
        self._inbox: StoredFolder = StoredFolder(folder / "INBOX", deposit)
        self._set: dict[str, MailboxData] = {}
        present = {unquote(path.name) for path in folder.iterdir() if path.is_dir()} - {"INBOX"}
        for name in sorted(present | {"Sent", "Junk"}):
            self._set[name] = StoredFolder(folder / quote(name, safe=""))

    @property
    def inbox(self) -> StoredFolder:
        return self._inbox

    @property
    def sent(self) -> StoredFolder:
        sent = self._set["Sent"]
        assert isinstance(sent, StoredFolder)
        return sent

    async def add_mailbox(self, name: str) -> ObjectId:
        if name in self._set:
            raise ValueError(name)
        self._set[name] = made = StoredFolder(self.folder / quote(name, safe=""))
        return made.mailbox_id
