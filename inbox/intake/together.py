"""One COMMIT for messages that came together: all of them are stored, or each by itself."""

from __future__ import annotations

import logging
import time
from collections import deque
from concurrent.futures import Future, wait

from django.core.files.storage import FileSystemStorage, default_storage
from django.db import transaction

from config.database import rows
from connectors.messages import InboundMessage, Item
from connectors.models import Receipt
from inbox.intake import items
from inbox.intake.outcomes import Outcome

log = logging.getLogger(__name__)
Claimed = tuple[Receipt, Future[list[Item]]]
MOST = 0.1  # seconds for which those concerned are locked
# Several people stay locked until the COMMIT, in no particular order. Whoever holds the next one may be waiting for one
# of these, so nobody is waited for longer than this.
PATIENCE = "SELECT set_config('lock_timeout', '50ms', true)"


def store(left: deque[Claimed]) -> int:
    """Takes in the messages at the front, as many as have been read by now, and removes them from `left`. Returns how
    many at the front have to be taken in one by one instead."""
    wait([left[0][1]])
    if len(left) == 1 or not _is_fresh_message(*left[0]):
        return 1
    tried: list[tuple[Receipt, Outcome]] = []
    try:
        with transaction.atomic():
            rows.send(PATIENCE, [])
            until = time.monotonic() + MOST
            for receipt, reading in left:
                if tried and (time.monotonic() > until or not _is_fresh_message(receipt, reading)):
                    break
                tried.append((receipt, {}))
                (item,) = reading.result()
                assert isinstance(item, InboundMessage)
                tried[-1] = receipt, items.receive(item, receipt, may_be_here=False)
            Receipt.finish_each(tried)
    except Exception as error:  # noqa: BLE001  whatever it was happens again to the one concerned, and is dealt with there
        log.info("%s messages are taken in one by one: %s", len(tried), type(error).__name__)
        return max(len(tried), 1)  # not even begun: whoever takes in the first one by itself closes the connection
    except BaseException:
        if tried:
            del left[len(tried) - 1]  # it broke everything, so this was a try
        raise
    for _ in tried:
        left.popleft()
    return 0


def _is_fresh_message(receipt: Receipt, reading: Future[list[Item]]) -> bool:
    """Read by now, nothing else, and never tried before: then nothing is known against it. Nor is a network waited for
    while others are locked: files may be kept elsewhere."""
    if receipt.attempts > 1 or receipt.outcomes or not reading.done() or reading.exception():
        return False
    match reading.result():
        case [InboundMessage() as item]:
            return not item.attachments or isinstance(default_storage, FileSystemStorage)
    return False
