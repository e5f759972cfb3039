"""What lists show of a case that lost or got entries, and whether anybody waits there: read again, never guessed."""

from __future__ import annotations

from inbox.merging.showing import SHOWN, show
from inbox.models import Case, Entry, Status

CHANGED = ("status", "snoozed_until", "assignee", "team_ids", "beside", *SHOWN)


def settle(case: Case) -> None:
    """Open while something is unanswered; waiting on the customer once nothing is. A snooze holds."""
    if not case.is_live:
        return
    waits = case.open_entries().exists()
    if waits and case.status == Status.WAITING:
        case.status = Status.OPEN
    elif not waits and case.waiting_since and case.status == Status.OPEN:
        case.status = Status.WAITING


def record(case: Case, marker: Entry, *changed: str) -> None:
    show(case)
    case.record(marker, *CHANGED, *changed)
