"""What is read in a mailbox: its folders, from where on, and each mail exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.utils.timezone import now

from connectors.adapters.email.imap import Mailbox, RawMail
from connectors.adapters.email.imap_words import folder_names
from connectors.models import Connector, MailFolder, Receipt
from inbox.intake import take_in_task
from inbox.wake import wake_for

TRIES = 3  # a mail that ends the session so often is given up, or nothing behind it would ever arrive
AT_ONCE = 20  # mails between two looks at the lease, and tidied together
TIDIED = "Throughline"

Keep = Callable[[], bool]
Broken = Counter[tuple[str, int, int]]  # how often fetching ended the session, by folder, UIDVALIDITY and UID


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that is read, and its use: "" for incoming mail, "sent" or "junk"."""

    name: str
    use: str = ""


def places(connector: Connector, mailbox: Mailbox) -> list[Place]:
    """The folders of the options, the first of them last: that is the one waited at.

    Options: `folder` (several between semicolons), `sent_folder` (found by itself when empty, or "none"), `read_junk`.
    """
    options = connector.options
    found = [Place(name) for name in folder_names(options)]
    sent = options.get("sent_folder") or mailbox.special("\\Sent")
    if sent and sent != "none":
        found.append(Place(sent, "sent"))
    junk = mailbox.special("\\Junk") if options.get("read_junk") == "yes" else ""
    if junk:
        found.append(Place(junk, "junk"))
    return list({place.name: place for place in reversed(found)}.values())


def read(connector: Connector, place: Place, mailbox: Mailbox, keep: Keep, broken: Broken) -> int:
    """Everything new in one folder; how much that was."""
    uidvalidity, uidnext = mailbox.select(place.name, writable=_tidying(connector, place) != "leave")
    folder = folder_at(connector, place, mailbox, uidvalidity, uidnext or mailbox.newest() + 1)
    here = (place.name, uidvalidity)
    given_up = {uid for (*where, uid), times in broken.items() if tuple(where) == here and times >= TRIES}
    try:
        return read_new(connector, folder, mailbox, keep, place=place, given_up=given_up)
    except (OperationalError, InterfaceError):
        raise  # the database, not the mail
    except Exception:  # counted against the mail that was being read, and raised again
        if mailbox.fetching:
            broken[(*here, mailbox.fetching)] += 1
        raise


def folder_at(connector: Connector, place: Place, mailbox: Mailbox, uidvalidity: int, uidnext: int) -> MailFolder:
    """Where to go on. The first time: from now on, or as many days back as the option `start` says, or from its
    beginning ("all"). When the server has thrown its UIDs away: again from where we once began; what is here already
    is recognised by its content."""
    folder, _ = MailFolder.objects.get_or_create(connector=connector, name=place.name)
    if folder.uidvalidity == uidvalidity:
        return folder
    if folder.uidvalidity is not None:
        folder.last_uid, folder.renumbered_below = 0, uidnext
    else:
        _begin(folder, connector.options.get("start", "") if place.use != "sent" else "", mailbox, uidnext)
    folder.uidvalidity = uidvalidity
    folder.save(update_fields=["uidvalidity", "last_uid", "since", "renumbered_below"])
    return folder


def _begin(folder: MailFolder, start: str, mailbox: Mailbox, uidnext: int) -> None:
    if start.isdecimal():
        folder.since = now() - timedelta(days=int(start))
        folder.last_uid = min(mailbox.before(folder.since.date()), max(uidnext - 1, 0))
    elif start != "all":
        folder.last_uid, folder.since = max(uidnext - 1, 0), now()


def read_new(
    connector: Connector,
    folder: MailFolder,
    mailbox: Mailbox,
    keep: Keep,
    *,
    place: Place = Place("INBOX"),
    given_up: Collection[int] = (),
) -> int:
    """Commits each mail as a receipt together with the cursor; what is committed is never fetched again."""
    count = passed = 0
    done: list[int] = []

    def wanted(uid: int, arrived: datetime) -> bool:
        nonlocal passed
        is_for_us = folder.is_for_us(uid, arrived)
        passed = passed if is_for_us else uid
        return is_for_us

    for mail in mailbox.fetch(folder.last_uid, given_up=given_up, wanted=wanted):
        _commit(connector, folder, mail, place)
        count += 1
        if mail.raw is not None:
            done.append(mail.uid)
        if count % AT_ONCE == 0:
            _tidy(connector, place, mailbox, done)
            if not keep():
                return count  # somebody else reads this mailbox now
    if passed > folder.last_uid:  # or thousands would be listed again every few seconds
        MailFolder.objects.filter(pk=folder.pk).update(last_uid=passed)
    _tidy(connector, place, mailbox, done)
    return count


def _commit(connector: Connector, folder: MailFolder, mail: RawMail, place: Place) -> None:
    """Another reader may have come further while this process slept: the cursor only goes forwards."""
    with transaction.atomic():
        receipt = _store(connector, folder, mail, place)
        folder.last_uid = mail.uid
        mine = MailFolder.objects.filter(pk=folder.pk, uidvalidity=mail.uidvalidity, last_uid__lt=mail.uid)
        mine.update(last_uid=mail.uid)
        Connector.objects.filter(pk=connector.pk).update(last_received_at=now())
        if receipt:
            wake_for(take_in_task, receipt)


def _store(connector: Connector, folder: MailFolder, mail: RawMail, place: Place) -> int | None:
    headers = {"folder": folder.name, "uid": str(mail.uid)} | ({"use": place.use} if place.use else {})
    key = f"{folder.name}:{mail.uidvalidity}:{mail.uid}"
    return Receipt.store(connector, mail.body, headers=headers, key=key[-160:], at=mail.internaldate)


def _tidying(connector: Connector, place: Place) -> str:
    """What becomes of incoming mail that is here: "leave", "flag" or "move"."""
    wanted = connector.options.get("after_import", "")
    return wanted if wanted in ("flag", "move") and not place.use else "leave"


def _tidy(connector: Connector, place: Place, mailbox: Mailbox, uids: list[int]) -> None:
    """A courtesy to those who use the mailbox too: a process that dies before it leaves the mail where it was."""
    match _tidying(connector, place):
        case "flag":
            mailbox.flag(uids)
        case "move":
            mailbox.move(uids, connector.options.get("done_folder") or TIDIED)
    uids.clear()
