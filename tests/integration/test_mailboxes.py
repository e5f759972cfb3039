"""Where reading a mailbox goes on: at first, after a restart, and after the server has thrown its UIDs away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from connectors.adapters.email.imap import RawMail
from connectors.models import MailFolder, Receipt
from inbox.mailboxes import Place, folder_at, read_new

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2019, 1, 1, tzinfo=UTC)


@dataclass
class Box:
    """A folder on a server: when the mail with each UID, from 1 on, arrived."""

    uidvalidity: int
    arrivals: list[datetime]
    asked_from: int = 0

    def fetch(
        self, last_uid: int, *, given_up: object = (), wanted: Callable[[int, datetime], bool]
    ) -> Iterator[RawMail]:
        self.asked_from = last_uid
        for uid, arrived in enumerate(self.arrivals, 1):
            if uid > last_uid and wanted(uid, arrived):
                raw = f"From: a@b.test\r\n\r\n{arrived}".encode()
                yield RawMail(uid, self.uidvalidity, arrived, len(raw), raw)


def read(connector: Any, box: Box) -> int:
    folder = folder_at(connector, Place("INBOX"), box, box.uidvalidity, len(box.arrivals) + 1)  # type: ignore[arg-type]
    return read_new(connector, folder, box, lambda: True)  # type: ignore[arg-type]


def test_a_mailbox_is_read_from_now_on(mailbox: Any) -> None:
    box = Box(1, [LONG_AGO] * 3)
    assert read(mailbox, box) == 0
    box.arrivals.append(LONG_AGO)  # moved in from another folder: new here, whenever it came
    assert read(mailbox, box) == 1


def test_a_mailbox_is_read_from_its_beginning_when_asked_for(mailbox: Any) -> None:
    mailbox.options["start"] = "all"
    assert read(mailbox, Box(1, [LONG_AGO] * 3)) == 3
    assert read(mailbox, Box(2, [LONG_AGO] * 4)) == 4


def test_new_uids_do_not_bring_the_mail_of_years(mailbox: Any) -> None:
    read(mailbox, Box(1, [LONG_AGO] * 3))
    renumbered = Box(2, [LONG_AGO] * 3)
    assert read(mailbox, renumbered) == 0
    assert read(mailbox, renumbered) == 0
    assert renumbered.asked_from == 3
    assert not Receipt.objects.exists()


def test_after_new_uids_what_came_in_our_time_is_read_wherever_it_lies(mailbox: Any) -> None:
    read(mailbox, Box(1, [LONG_AGO] * 3))
    later = now() + timedelta(minutes=1)
    assert read(mailbox, Box(2, [LONG_AGO, later, LONG_AGO, later, LONG_AGO])) == 2
    assert MailFolder.objects.get(name="INBOX").last_uid == 5


def test_after_new_uids_old_mail_that_is_moved_in_is_read(mailbox: Any) -> None:
    read(mailbox, Box(1, [LONG_AGO] * 3))
    renumbered = Box(2, [LONG_AGO] * 3)
    read(mailbox, renumbered)
    renumbered.arrivals.append(LONG_AGO)
    assert read(mailbox, renumbered) == 1
