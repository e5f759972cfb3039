"""What a regrouping writes down beside whose entries lay where, so that it can be taken back.

Regrouping.before = {
    "began": whether the other case, and perhaps the other person, was made for it,
    "states": {"<case id>": merging.journal.State},             of both cases
    "alerts": {"<id>": id of the case it lay in},
    "ties": {"<entry id>": [id of the reply, ISO time, id of the agent or null]},    cut between two people
    "authors": {"<entry id>": name},
    "identities": [ids that changed hands],
    "hidden": {"<case id>": [sensitive, named_ids]},            of both cases and all in them
    "hidden_then": the same after it, or as in a join
    "drafts": {"<id>": id of the case it lay in},               as in a join
}
"""

from __future__ import annotations

from collections.abc import Iterable

from inbox.models import Agent, Case, Entry, Regrouping


class CannotSplit(Exception):
    """`reason` is a sentence for the agent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def note(regrouping: Regrouping, by: Agent, here: str, there: str) -> tuple[Entry, Entry]:
    """The markers for both timelines: what was moved, by whom; the undo hangs on them."""
    left, came = regrouping.from_case, regrouping.to_case
    return _marker(regrouping, here, by, other=came), _marker(regrouping, there, by, other=left)


def _marker(regrouping: Regrouping, words: str, by: Agent, *, other: Case) -> Entry:
    return Entry.event_of("regrouped", words, by=by, regrouping=regrouping.pk, case=other.pk)


def forget_markers(regrouping: Regrouping) -> None:
    """The undo leaves the markers once it was used."""
    for marker in Entry.objects.filter(event="regrouped", data__regrouping=regrouping.pk):
        marker.data["undone"] = True
        marker.save(update_fields=["data"])


def number_of(entries: Iterable[object]) -> str:
    count = len(list(entries))
    return "1 message" if count == 1 else f"{count} messages"
