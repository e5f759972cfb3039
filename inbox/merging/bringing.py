"""What a join put into a case while somebody was writing there. It is older than what they had seen, and yet new."""

from __future__ import annotations

from inbox.models import Case, Entry

MOST = 4


def brought_since(case: Case, seen: int) -> list[int]:
    """Ids of what is unanswered on the side of a join that the agent had not looked at, and of the event that says so.

    `seen` is the newest entry they had seen; a join that brought nothing unanswered is no reason to stop them.
    """
    found: list[int] = []
    for event in case.timeline().filter(event="joined", pk__gt=seen).order_by("pk"):
        brought = {pk for each in Case.objects.filter(pk__in=event.data.get("cases", [])) for pk in each.family()}
        waiting = case.open_entries().order_by("pk")
        looked_there = Entry.objects.filter(pk=seen, case__in=brought).exists()
        waiting = waiting.exclude(case__in=brought) if looked_there else waiting.filter(case__in=brought)
        ids = list(waiting.values_list("pk", flat=True)[:MOST])
        found += [*ids, event.pk] if ids else []
    return found
