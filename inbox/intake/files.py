"""Files that came with a message. A download that fails or is slow never delays, hides or undoes the message."""

from __future__ import annotations

import hashlib
import logging
import secrets
from datetime import timedelta

from celery import shared_task
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import models
from django.utils.timezone import now

from connectors import messages
from connectors.adapters import ADAPTERS
from connectors.errors import FetchFailed
from connectors.messages import Channel
from inbox import live
from inbox.models import Attachment, Case, Entry, FileState
from inbox.models.case import frame
from inbox.wake import wake

log = logging.getLogger(__name__)
PATIENCE = [2, 10, 60, 600, 3600]


def attach(entry: Entry, attachments: tuple[messages.Attachment, ...]) -> None:
    for each in attachments:
        row = Attachment(
            entry=entry,
            name=each.name[:255] or "file",
            content_type=each.content_type[:120],
            content_id=each.content_id[:998],
            url=each.url,
        )
        if each.content is not None:
            store(row, each.content)
        else:
            row.state = FileState.WAITING if each.keep else FileState.LINK
        row.save()
        if row.state == FileState.WAITING:
            wake(fetch_file_task, row.pk)


def store(row: Attachment, content: bytes) -> None:
    """Under a random key; neither name nor type of the sender touches the disk."""
    row.key = f"{secrets.token_hex(2)}/{secrets.token_hex(24)}"
    row.size, row.sha256, row.state = len(content), hashlib.sha256(content).hexdigest(), FileState.STORED
    default_storage.save(row.key, ContentFile(content))


def fetch_file(attachment_id: int) -> bool:
    """Fetches one file that waits; False when there is nothing to do. Claimed by moving its next attempt."""
    pause = timedelta(seconds=120)
    claimed = Attachment.objects.filter(pk=attachment_id, state=FileState.WAITING, next_attempt_at__lte=now()).update(
        attempts=models.F("attempts") + 1, next_attempt_at=now() + pause
    )
    if not claimed:
        return False
    row = Attachment.objects.select_related("entry__connector").get(pk=attachment_id)
    entry = row.entry
    assert entry is not None
    assert entry.connector is not None
    value = messages.Attachment(name=row.name, content_type=row.content_type, url=row.url)
    try:
        fetched = ADAPTERS[Channel(entry.channel)].fetch_media(entry.connector.account(), value)
    except FetchFailed as error:
        row.reason = error.reason[:300]
        if error.permanent or row.attempts > len(PATIENCE):
            row.state = FileState.FAILED
        else:
            row.next_attempt_at = now() + timedelta(seconds=PATIENCE[row.attempts - 1])
    else:
        assert fetched.content is not None
        store(row, fetched.content)
        row.name, row.content_type, row.reason = fetched.name[:255] or row.name, fetched.content_type[:120], ""
    row.save()
    _announce(entry)
    return True


def _announce(entry: Entry) -> None:
    if entry.case_id:
        case = Case.objects.select_related("customer", "assignee").get(pk=entry.case_id)
        live.announce(lambda: frame(case, entry.pk, entry.kind, False))


def fetch_files() -> int:
    """All that are due; the sweeper's share."""
    due = Attachment.objects.filter(state=FileState.WAITING, next_attempt_at__lte=now()).values_list("pk", flat=True)
    return sum(fetch_file(pk) for pk in list(due[:50]))


@shared_task(name="inbox.intake.fetch_file")
def fetch_file_task(attachment_id: int) -> None:
    fetch_file(attachment_id)
