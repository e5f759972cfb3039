"""What sockets hear of a case: one frame for all of them, so nothing in it depends on who is looking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string
from django.utils.timezone import now

if TYPE_CHECKING:
    from inbox.models.case import Case


def farewell(case: int, version: int, teams: list[int], named: list[int]) -> dict[str, Any]:
    """To everybody but those it names: it is in none of their lists any more."""
    gone = render_to_string("inbox/_row_gone.html", {"case": case, "version": version})
    told = {"kind": "case", "case": case, "version": version, "teams": teams, "but": named, "row": gone}
    return told | {"entry": None, "entry_kind": "", "moved": False, "at": now().isoformat()}


def frame(case: Case, entry: int | None, entry_kind: str, moved: bool) -> dict[str, Any]:
    """What sockets hear of a case: a row that looks the same to everybody, and what files it under the fixed views."""
    return {
        "kind": "case",
        "case": case.pk,
        "version": case.version,
        "status": case.status,
        "live": case.is_live,
        "assignee": case.assignee_id,
        "channel": case.channel,
        "teams": case.team_ids,
        "named": case.named_ids,
        "row": render_to_string("inbox/_row.html", {"case": case, "view": {"slug": "open"}}),
        "entry": entry,
        "entry_kind": entry_kind,
        "moved": moved,
        "at": now().isoformat(),
    }
