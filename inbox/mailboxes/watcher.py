"""One mailbox and the thread that reads it: IDLE for speed, a poll as a net, a lease so that only one process reads."""

from __future__ import annotations

import logging
import random
import threading
import time
import uuid
from datetime import timedelta

from django.db import connection, models
from django.utils.timezone import now

from connectors.adapters.email.imap import Mailbox, NoFolder
from connectors.errors import ConnectionLost
from connectors.models import Connector, MailFolder, Side
from inbox import live
from inbox.mailboxes.folders import Broken, Place, places, read

log = logging.getLogger(__name__)
POLL_SECONDS = 15.0
LEASE = timedelta(seconds=40)  # a killed watcher is replaced after this long
STUCK_SECONDS = 240.0  # without any progress, although every single read has a time-out: a server that drips
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 900.0
REFUSED_PAUSE = 300.0  # a refused sign-in is not hammered: that locks accounts
LOOK_EVERY = 5.0  # seconds, whether what failed was repaired
SPARE_PAUSE = 3.0  # until the lease of another reader is looked at again
FOLDER_REST = 60.0  # a folder that ended the session is left out so long, unless it is the one waited at
LEASE_ROW = ""  # the mailbox itself, beside its folders


class Watcher(threading.Thread):
    """A mailbox that hangs or refuses delays no other. Whoever started it calls `keep` every few seconds."""

    def __init__(self, connector_id: int) -> None:
        super().__init__(name=f"mailbox-{connector_id}", daemon=True)
        self.connector_id = connector_id
        self.me = uuid.uuid4().hex
        self.stopping = threading.Event()
        self.has_failed = False
        self.mailbox: Mailbox | None = None
        self.progress_at = time.monotonic()
        self.seen_at = 0
        self.pause = FIRST_PAUSE
        self.broken: Broken = Broken()
        self.resting: dict[Place, tuple[float, str]] = {}  # until when, and why

    def run(self) -> None:
        MailFolder.objects.get_or_create(connector_id=self.connector_id, name=LEASE_ROW)
        while not self.stopping.is_set():
            pause = self._turn()
            connection.close()
            self._rest(pause)
        self.release()

    def _rest(self, seconds: float) -> None:
        """What failed is tried again as soon as somebody has repaired it."""
        repaired = Connector.objects.filter(pk=self.connector_id, failure="")
        ends = time.monotonic() + seconds * random.uniform(0.75, 1.25)
        while (left := ends - time.monotonic()) > 0 and not self.stopping.wait(min(left, LOOK_EVERY)):
            if self.has_failed and repaired.exists():
                self.pause = FIRST_PAUSE
                break
        self.has_failed = False
        connection.close()

    def keep(self) -> None:
        """Renew the lease of a watcher that gets on; end the session of one that does not."""
        mailbox = self.mailbox
        if mailbox is None:
            return
        if mailbox.fetching != self.seen_at:
            self.seen_at, self.progress_at = mailbox.fetching, time.monotonic()
        if time.monotonic() - self.progress_at > STUCK_SECONDS:
            log.warning("The watcher of mailbox %s is stuck and begins again", self.connector_id)
            mailbox.cut()
        elif not self._lease():
            mailbox.cut()  # another process took over while this one slept

    def release(self) -> None:
        MailFolder.objects.filter(connector_id=self.connector_id, leased_by=self.me).update(leased_until=None)
        connection.close()

    def _turn(self) -> float:
        """Reads as long as that goes well; how many seconds to wait before the next try."""
        try:
            if not self._lease():
                return SPARE_PAUSE
            if Connector.objects.get(pk=self.connector_id).stops_reading:
                self.has_failed = True
                return REFUSED_PAUSE
            self._watch()
            return 0.0
        except ConnectionLost as error:
            self._tell(error)
            if error.refused:
                return REFUSED_PAUSE
        except Exception:  # one mailbox never stops another
            log.exception("The watcher of mailbox %s broke and starts over", self.connector_id)
        finally:
            self.mailbox = None
        self.pause = min(self.pause * 2, LONGEST_PAUSE)
        return self.pause

    def _watch(self) -> None:
        """Until the lease is gone, we are stopped, or the connector is set up anew."""
        connector = Connector.objects.get(pk=self.connector_id)
        account = connector.account()
        with Mailbox.open(account) as self.mailbox:
            folders = places(connector, self.mailbox)
            while not self.stopping.is_set() and self._gets_on() and connector.account() == account:
                self._read(connector, folders, self.mailbox)
                self.pause = FIRST_PAUSE
                connection.close()  # back to the pool while nothing happens
                self.mailbox.wait(POLL_SECONDS)
                connector = Connector.objects.get(pk=self.connector_id)

    def _read(self, connector: Connector, folders: list[Place], mailbox: Mailbox) -> None:
        """A folder that is gone or ends the session keeps nobody from the others for long, but it is said."""
        trouble = ""
        for place in folders:
            until, why = self.resting.get(place, (0.0, ""))
            if time.monotonic() < until:
                trouble = why
                continue
            try:
                read(connector, place, mailbox, self._gets_on, self.broken)
            except NoFolder as gone:
                if place is folders[-1]:
                    raise
                trouble = gone.reason
            except Exception as error:
                if place is not folders[-1]:
                    why = error.reason if isinstance(error, ConnectionLost) else "The log says why."
                    why = f'The folder "{place.name}" could not be read: {why}'
                    self.resting[place] = (time.monotonic() + FOLDER_REST, why)
                raise
        if trouble:
            connector.failed(trouble, Side.IN)
        else:
            connector.succeeded(Side.IN)

    def _gets_on(self) -> bool:
        self.progress_at = time.monotonic()
        return self._lease()

    def _lease(self) -> bool:
        mine = models.Q(leased_until=None) | models.Q(leased_until__lt=now()) | models.Q(leased_by=self.me)
        lease = MailFolder.objects.filter(mine, connector_id=self.connector_id, name=LEASE_ROW)
        return bool(lease.update(leased_until=now() + LEASE, leased_by=self.me))

    def _tell(self, error: ConnectionLost) -> None:
        log.warning("Mailbox %s: %s", self.connector_id, error.reason)
        self.has_failed = True
        connector = Connector.objects.get(pk=self.connector_id)
        connector.failed(error.reason, Side.IN, reconnect=error.reconnect, refused=error.refused)
        if error.spent:
            connector.forget_secret(error.spent)
        live.announce(lambda: {"kind": "board"})
