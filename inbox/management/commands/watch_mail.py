"""Watches all mailboxes until it is stopped."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from connectors.models import Connector, ConnectorKind
from inbox.mailboxes import Watcher

LOOK_EVERY = 5.0


class Command(BaseCommand):
    help = "Watches every mailbox: new mail becomes receipts. Run one; a second one waits as a spare."

    def handle(self, *args: Any, **options: Any) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        watchers: dict[int, Watcher] = {}
        while not stopping.is_set():
            wanted = set(Connector.objects.active().filter(kind=ConnectorKind.EMAIL).values_list("pk", flat=True))
            for pk in set(watchers) - wanted:
                watchers.pop(pk).stopping.set()
            for pk in wanted:
                if pk not in watchers or not watchers[pk].is_alive():
                    watchers[pk] = Watcher(pk)
                    watchers[pk].start()
                else:
                    watchers[pk].keep()
            connection.close()
            stopping.wait(LOOK_EVERY)
        for watcher in watchers.values():
            watcher.stopping.set()
        for watcher in watchers.values():
            watcher.release()
