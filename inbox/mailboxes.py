"""Reads mailboxes by UID into receipts: IDLE for speed, a poll as a net, a lease so that only one process reads."""

from __future__ import annotations

import logging
import random
import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection, models, transaction
from django.utils.timezone import now

from connectors.adapters.email.imap import Mailbox, RawMail
from connectors.errors import ConnectionLost
from connectors.models import Connector, MailFolder, Receipt, Side
from inbox import live
from inbox.intake import take_in_task
from inbox.wake import wake

log = logging.getLogger(__name__)
POLL_SECONDS = 15.0
LEASE = timedelta(seconds=40)  # a killed watcher is replaced after this long
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 900.0
RECONNECT_PAUSE = 300.0  # a refused sign-in is not hammered: that locks accounts


class Watcher(threading.Thread):
    """One mailbox. A mailbox that hangs or refuses delays no other."""

    def __init__(self, connector_id: int) -> None:
        super().__init__(name=f"mailbox-{connector_id}", daemon=True)
        self.connector_id = connector_id
        self.me = uuid.uuid4().hex
        self.stopping = threading.Event()

    def run(self) -> None:
        pause = FIRST_PAUSE
        while not self.stopping.is_set():
            try:
                if self._lease():
                    self._watch()
                    pause = FIRST_PAUSE
                else:
                    pause = 3.0
            except ConnectionLost as error:
                Connector.objects.get(pk=self.connector_id).failed(error.reason, Side.IN, reconnect=error.reconnect)
                live.announce(lambda: {"kind": "board"})
                log.warning("Mailbox %s: %s", self.connector_id, error.reason)
                pause = RECONNECT_PAUSE if error.reconnect else min(pause * 2, LONGEST_PAUSE)
            except Exception:
                log.exception("The watcher of mailbox %s broke and starts over", self.connector_id)
                pause = min(pause * 2, LONGEST_PAUSE)
            finally:
                connection.close()
            self.stopping.wait(pause * random.uniform(0.75, 1.25))
        self.release()

    def _watch(self) -> None:
        connector = Connector.objects.get(pk=self.connector_id)
        name = connector.options.get("folder") or "INBOX"
        with Mailbox.open(connector.account()) as mailbox:
            while not self.stopping.is_set() and self._lease():
                uidvalidity, uidnext = mailbox.select(name)
                folder = folder_at(connector, name, uidvalidity, uidnext or mailbox.newest() + 1)
                read_new(connector, folder, mailbox, self._lease)
                connector.succeeded(Side.IN)
                connection.close()  # back to the pool while nothing happens
                mailbox.wait(POLL_SECONDS)

    def _lease(self) -> bool:
        MailFolder.objects.get_or_create(connector_id=self.connector_id, name=LEASE_ROW)
        return bool(
            MailFolder.objects.filter(connector_id=self.connector_id, name=LEASE_ROW)
            .filter(models.Q(leased_until=None) | models.Q(leased_until__lt=now()) | models.Q(leased_by=self.me))
            .update(leased_until=now() + LEASE, leased_by=self.me)
        )

    def release(self) -> None:
        MailFolder.objects.filter(connector_id=self.connector_id, leased_by=self.me).update(leased_until=None)
        connection.close()


LEASE_ROW = ""  # the mailbox itself, beside its folders


def folder_at(connector: Connector, name: str, uidvalidity: int, uidnext: int) -> MailFolder:
    """Where to go on. The first time: from now on, unless the connector says `start=all`. When the server has thrown
    its UIDs away: again from where we once began; what is here already is recognised by its content."""
    folder, _ = MailFolder.objects.get_or_create(connector=connector, name=name)
    if folder.uidvalidity == uidvalidity:
        return folder
    if folder.uidvalidity is not None:
        folder.last_uid, folder.renumbered_below = 0, uidnext
    elif connector.options.get("start") != "all":
        folder.last_uid, folder.since = max(uidnext - 1, 0), now()
    folder.uidvalidity = uidvalidity
    folder.save(update_fields=["uidvalidity", "last_uid", "since", "renumbered_below"])
    return folder


def read_new(connector: Connector, folder: MailFolder, mailbox: Mailbox, keep: Callable[[], bool]) -> int:
    """Commits each mail as a receipt together with the cursor; what is committed is never fetched again."""
    count = passed = 0

    def wanted(uid: int, arrived: datetime) -> bool:
        nonlocal passed
        is_for_us = folder.is_for_us(uid, arrived)
        passed = passed if is_for_us else uid
        return is_for_us

    for mail in mailbox.fetch(folder.last_uid, wanted=wanted):
        with transaction.atomic():
            receipt = _store(connector, folder, mail)
            folder.last_uid = mail.uid
            MailFolder.objects.filter(pk=folder.pk).update(last_uid=mail.uid)
            Connector.objects.filter(pk=connector.pk).update(last_received_at=now())
            if receipt:
                wake(take_in_task, receipt)
        count += 1
        if count % 20 == 0 and not keep():
            return count  # somebody else reads this mailbox now
    if passed > folder.last_uid:  # or thousands would be listed again every few seconds
        MailFolder.objects.filter(pk=folder.pk).update(last_uid=passed)
    return count


def _store(connector: Connector, folder: MailFolder, mail: RawMail) -> int | None:
    headers = {"folder": folder.name, "uid": str(mail.uid)}
    key = f"{folder.name}:{mail.uidvalidity}:{mail.uid}"
    return Receipt.store(connector, mail.body, headers=headers, key=key[:160], at=mail.internaldate)
