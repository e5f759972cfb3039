"""Files that came with a message. A download that fails or is slow never delays, hides or undoes the message."""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
import time
from datetime import timedelta
from functools import partial
from typing import Any

from celery import shared_task
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, models, transaction
from django.utils.timezone import now

from config.database import rows
from connectors import messages
from connectors.adapters import ADAPTERS
from connectors.adapters.email.filename import clean
from connectors.adapters.media import sniff
from connectors.errors import FetchFailed
from connectors.messages import Channel
from inbox import proposing
from inbox.intake import scanning
from inbox.intake.outcomes import TryLater
from inbox.locking import locked_with
from inbox.models import Attachment, Entry, FileState
from inbox.wake import wake

log = logging.getLogger(__name__)
PATIENCE = [2, 10, 60, 600, 3600]
MOST_ATTEMPTS = len(PATIENCE) + 1
LEASE = timedelta(seconds=120)  # a fetch ends by itself after 60
AT_ONCE = 2  # of one connector: a provider that hangs must not have all workers
TURNS = 0x66696C65  # names the lock under which they are counted
FOLDERS = 256
OURS = re.compile(r"[0-9a-f]{48}")
STRAY = timedelta(hours=1)  # longer than any transaction


def attach(entry: Entry, attachments: tuple[messages.Attachment, ...]) -> None:
    for each in attachments:
        row = Attachment(
            entry=entry,
            name=clean(each.name, each.content_type),
            content_type=each.content_type[:120],
            content_id=each.content_id[:998],
            url=each.url,
        )
        if each.content is not None:
            store(row, each.content)
            row.state = FileState.WAITING if scanning.is_on() else FileState.STORED
        else:
            row.state = FileState.WAITING if each.keep else FileState.LINK
        rows.insert(row)
        if row.state == FileState.WAITING:
            wake(fetch_file_task, row.pk)


def store(row: Attachment, content: bytes) -> None:
    """Under a random key; neither the sender's name nor their word for its type is believed. Raises TryLater."""
    row.key = f"{secrets.token_hex(1)}/{secrets.token_hex(24)}"
    row.content_type = sniff(content, row.content_type)[:120]
    row.size, row.sha256, row.state = len(content), hashlib.sha256(content).hexdigest(), FileState.STORED
    try:
        default_storage.save(row.key, ContentFile(content))
    except Exception as error:  # a full disk here, a network there: each storage raises its own kinds
        raise TryLater("A file could not be stored.") from error


def forget(files: models.QuerySet[Attachment]) -> None:
    """Their bytes go once it is certain that the rows went."""
    with transaction.atomic():
        keys = [key for key in files.select_for_update().values_list("key", flat=True) if key]
        files.delete()
        for key in keys:
            transaction.on_commit(partial(default_storage.delete, key), robust=True)


def fetch_file(attachment_id: int) -> bool:
    """Gets one file ready that waits; False when there is nothing to do, or others of its connector come first."""
    row = _claim(attachment_id)
    if row is None:
        return False
    try:
        if row.attempts > MOST_ATTEMPTS:
            raise FetchFailed("Each try broke off.", permanent=True)
        _get_ready(row)
    except FetchFailed as error:
        _put_off(row, error)
    except TryLater as error:
        _put_off(row, FetchFailed(str(error), permanent=False))
    except Exception:  # tried again later, and said on the page
        log.exception("File %s could not be fetched", row.uuid)
        _put_off(row, FetchFailed("Something broke while it was being fetched.", permanent=False))
    _keep(row)
    _wake_next(row)
    return True


def _claim(attachment_id: int) -> Attachment | None:
    """By moving its next attempt. What finds its connector busy stays due, and is woken when one of those is done."""
    row = Attachment.objects.select_related("entry__connector", "entry__case").filter(pk=attachment_id).first()
    if row is None:
        return None
    with transaction.atomic():
        if row.entry and _is_busy(row.entry.connector_id):
            return None
        due = Attachment.objects.filter(pk=attachment_id, state=FileState.WAITING, next_attempt_at__lte=now())
        if not due.update(attempts=models.F("attempts") + 1, next_attempt_at=now() + LEASE, reason=""):
            return None
    row.refresh_from_db(fields=["attempts", "key", "reason"])
    return row


def _is_busy(connector_id: int | None) -> bool:
    """Counted by one at a time, or all who ask at the same moment would begin."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [TURNS, connector_id or 0])
    return _being_fetched().filter(entry__connector=connector_id)[:AT_ONCE].count() >= AT_ONCE


def _being_fetched() -> models.QuerySet[Attachment]:
    """What was put off has a reason."""
    return Attachment.objects.filter(state=FileState.WAITING, attempts__gt=0, reason="", next_attempt_at__gt=now())


def _wake_next(done: Attachment) -> None:
    following = _due().filter(entry__connector=done.entry.connector_id) if done.entry else Attachment.objects.none()
    for pk in following.values_list("pk", flat=True)[:1]:
        wake(fetch_file_task, pk)


def _due() -> models.QuerySet[Attachment]:
    """The longest first."""
    return Attachment.objects.filter(state=FileState.WAITING, next_attempt_at__lte=now()).order_by("next_attempt_at")


def fetch_again(row: Attachment) -> bool:
    """A person's decision about a file that could not be fetched; False when there is nothing to fetch it from."""
    failed = Attachment.objects.filter(pk=row.pk, state=FileState.FAILED).exclude(url="", key="")
    again = failed.update(state=FileState.WAITING, attempts=0, next_attempt_at=now(), reason="")
    if again:
        wake(fetch_file_task, row.pk)
    return bool(again)


def _get_ready(row: Attachment) -> None:
    """Fetched, or here already and not looked into yet. Raises FetchFailed."""
    if row.key:
        with default_storage.open(row.key) as file:
            content = file.read()
    else:
        content = _fetched(row)
    virus = scanning.virus_in(content)
    if virus:
        raise FetchFailed(f"It was thrown away: it holds a virus ({virus}).", permanent=True)
    if not row.key:
        store(row, content)
    row.state, row.reason = FileState.STORED, ""


def _fetched(row: Attachment) -> bytes:
    entry = row.entry
    assert entry is not None
    assert entry.connector is not None
    value = messages.Attachment(name=row.name, content_type=row.content_type, url=row.url)
    fetched = ADAPTERS[Channel(entry.channel)].fetch_media(entry.connector.account(), value)
    assert fetched.content is not None
    row.name, row.content_type = clean(fetched.name or row.name, fetched.content_type), fetched.content_type[:120]
    return fetched.content


def _put_off(row: Attachment, error: FetchFailed) -> None:
    row.reason = error.reason[:300]
    if error.permanent and row.key:
        default_storage.delete(row.key)
        row.key = ""
    if error.permanent or row.attempts >= MOST_ATTEMPTS:
        row.state = FileState.FAILED
    else:
        row.next_attempt_at = now() + timedelta(seconds=PATIENCE[row.attempts - 1])


NEWS = ("state", "reason", "next_attempt_at", "key", "size", "sha256", "name", "content_type")


def _keep(row: Attachment) -> None:
    """Unless its message was taken back meanwhile, or another worker was faster: then nothing of it stays."""
    news: dict[str, Any] = {field: getattr(row, field) for field in NEWS}
    waiting = Attachment.objects.filter(pk=row.pk, state=FileState.WAITING, attempts=row.attempts)
    if not waiting.update(**news):
        if row.key and not Attachment.objects.filter(key=row.key).exists():
            default_storage.delete(row.key)
        return
    if row.entry and row.entry.case:
        with locked_with(row.entry) as case:
            Entry.objects.filter(pk=row.entry.pk).update(touched_at=now())
            case.changed(row.entry)
            proposing.look_soon(row.entry)


def due_files(most: int = 50) -> list[int]:
    """What no worker took, or is to be tried again. Not those whose connector is busy: they come when it is not."""
    fetching = _being_fetched().values("entry__connector").annotate(number=models.Count("pk"))
    busy = fetching.filter(number__gte=AT_ONCE, entry__connector__isnull=False).values("entry__connector")
    return list(_due().exclude(entry__connector__in=busy).values_list("pk", flat=True)[:most])


def fetch_files() -> int:
    """All that are due, one after the other."""
    return sum(fetch_file(pk) for pk in due_files())


@shared_task(name="inbox.intake.fetch_file")
def fetch_file_task(attachment_id: int) -> None:
    fetch_file(attachment_id)


def clear_strays(folder: int) -> int:
    """Deletes bytes that no row knows: a transaction was rolled back, a draft was dropped, a process died."""
    try:
        _, names = default_storage.listdir(f"{folder:02x}")
    except FileNotFoundError:
        return 0
    keys = {f"{folder:02x}/{name}" for name in names if OURS.fullmatch(name)}
    strays = keys - set(Attachment.objects.filter(key__in=keys).values_list("key", flat=True))
    old = [key for key in strays if default_storage.get_modified_time(key) < now() - STRAY]
    for key in old:
        default_storage.delete(key)
    return len(old)


@shared_task(name="inbox.intake.clear_strays")
def clear_strays_task() -> None:
    """One folder a minute: all of them in little more than four hours."""
    clear_strays(int(time.time() // 60) % FOLDERS)
