"""Through a file that was found good, two hundred lines at a time. How far it got is committed together with what was
taken, so it goes on after any crash exactly where it was, and no line counts twice."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

from celery import shared_task
from django.db import Error, transaction
from django.db.models import F
from django.utils.timezone import now

from inbox.importing.records import ToldCustomer
from inbox.importing.table import Told, read_table
from inbox.importing.taking import Taken, Unknown, take_customers, take_events, take_orders
from inbox.models import FileImport, ImportState
from inbox.models.file_import import KEPT
from inbox.wake import wake

log = logging.getLogger(__name__)
AT_ONCE = 200  # lines, and so about as many people who are locked
MOST_LEFT = 200  # sentences that are kept; the others are counted
LEASE = timedelta(seconds=60)
TURN = 10.0  # seconds; then others' work has a turn
PATIENCE = [2, 10, 60, 300]  # seconds until a part that broke is tried again
MOST_TRIES = 1 + len(PATIENCE)


class Overtaken(Exception):
    """Somebody else did this part, or stopped it: what was done here is rolled back."""


def go_on(pk: int) -> bool:
    """One turn; True when there is more, and nothing in the way. Safe to call any number of times."""
    run = _claim(pk)
    if run is None:
        return False
    try:
        told = read_table(bytes(run.content), run.what).told
        ends = time.monotonic() + TURN
        while run.is_running and time.monotonic() < ends:
            _take_next(run, told[run.done : run.done + AT_ONCE])
    except Overtaken:
        return False
    except Exception as error:  # whatever it is, the page says so
        log.exception("Import %s broke when %s of %s lines were in", pk, run.done, run.total)
        with suppress(Error):
            _put_off(run, error)
        return False
    FileImport.objects.filter(pk=pk, state=ImportState.RUNNING).update(attempts=0, leased_until=now())
    return run.is_running


@shared_task(name="inbox.importing.go_on")
def go_on_task(pk: int) -> None:
    if go_on(pk):
        wake(go_on_task, pk)


def due() -> list[int]:
    waiting = FileImport.objects.filter(state=ImportState.RUNNING, leased_until__lte=now())
    return list(waiting.order_by("leased_until").values_list("pk", flat=True)[:10])


def catch_up() -> int:
    """The sweeper's share: what no worker took, or one that died; and what need not be kept any longer."""
    taken = [go_on(pk) for pk in due()]
    old = FileImport.objects.filter(ended_at__lt=now() - KEPT).exclude(content=b"", left=[])
    old.update(content=b"", left=[])
    return len(taken)


def try_again(run: FileImport) -> bool:
    """It stopped, and somebody thinks that it will not again."""
    stopped = FileImport.objects.filter(pk=run.pk, state=ImportState.STOPPED).exclude(content=b"")
    again = stopped.update(state=ImportState.RUNNING, attempts=0, reason="", ended_at=None, leased_until=now())
    if again:
        wake(go_on_task, run.pk)
    return bool(again)


def _claim(pk: int) -> FileImport | None:
    claimed = FileImport.objects.filter(pk=pk, state=ImportState.RUNNING, leased_until__lte=now()).update(
        attempts=F("attempts") + 1, leased_until=now() + LEASE
    )
    if not claimed:
        return None
    run = FileImport.objects.get(pk=pk)
    if run.attempts <= MOST_TRIES:
        return run
    _stop(run, "The import was cut off.")  # whoever took the last part was killed, and had no time to say why
    return None


def _stop(run: FileImport, reason: str) -> None:
    running = FileImport.objects.filter(pk=run.pk, state=ImportState.RUNNING)
    running.update(state=ImportState.STOPPED, reason=reason, ended_at=now())


def _take_next(run: FileImport, told: Sequence[Told]) -> None:
    """Those lines and the word that they are done, together. Raises Overtaken."""
    with transaction.atomic():
        progress = _progress(run, _take(run, told), len(told))
        mine = FileImport.objects.filter(pk=run.pk, done=run.done, state=ImportState.RUNNING)
        if not mine.update(**progress):
            raise Overtaken
    for name, value in progress.items():  # only now: what is rolled back must not count
        setattr(run, name, value)


def _progress(run: FileImport, taken: Taken, lines: int) -> dict[str, Any]:
    """What changes of the run, by field."""
    fresh = FileImport.objects.select_for_update()  # those weighed meanwhile, and names that were erased, are gone
    run.refresh_from_db(fields=["doubtful", "left"], from_queryset=fresh)
    progress = {
        "done": run.done + lines,
        "made": run.made + taken.made,
        "known": run.known + taken.known,
        "left": [*run.left, *taken.left][:MOST_LEFT],
        "left_count": run.left_count + len(taken.left),
        "doubtful": [*run.doubtful, *taken.doubtful],
        "attempts": 1,
        "reason": "",
        "leased_until": now() + LEASE,
    }
    if run.done + lines < run.total:
        return progress
    return {**progress, "state": ImportState.DONE, "content": b"", "ended_at": now()}  # the file has served


def _take(run: FileImport, told: Sequence[Told]) -> Taken:
    if run.what == "customers":
        return take_customers(cast(Sequence[ToldCustomer], told), source=run.source, by=run.made_by)
    take = take_orders if run.what == "orders" else take_events
    try:
        return take(told, source=run.source)  # type: ignore[arg-type]
    except Unknown as error:
        kept = [each for place, each in enumerate(told) if place not in error.places]
        taken = take(kept, source=run.source)  # type: ignore[arg-type]
        gone = (told[place].external_id for place in error.places)
        taken.left += [f"There is no {each} in {run.source} any more; that line was skipped." for each in gone]
        return taken


def _put_off(run: FileImport, error: Exception) -> None:
    """Tried again later; after some tries it stops, and somebody has to say."""
    reason = f"Something broke ({type(error).__name__})."
    if run.attempts >= MOST_TRIES:
        _stop(run, reason)
    else:
        running = FileImport.objects.filter(pk=run.pk, state=ImportState.RUNNING)
        running.update(reason=reason, leased_until=now() + timedelta(seconds=PATIENCE[run.attempts - 1]))
