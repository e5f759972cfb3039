"""Does due work every second until it is stopped."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from inbox.sweeping import Hands, sweep

EVERY = 1.0
HANDS = 6


class Command(BaseCommand):
    help = "Takes in receipts, sends deliveries, ends snoozes: whatever is due, every second, without Redis."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--once", action="store_true", help="one round, then stop")

    def handle(self, *args: Any, **options: Any) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        hands = Hands(HANDS)
        while not stopping.is_set():
            busy = sweep(hands)
            if options["once"]:
                hands.wait()
                return
            connection.close()
            stopping.wait(0.05 if busy else EVERY)
